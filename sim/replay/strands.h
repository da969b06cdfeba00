/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes that share a CPU in a replay: while one of them sleeps or waits for a disk, or for a
 * step of its that another CPU does, the CPU goes on with the others, by stand-ins (sim.h).
 *
 * The operations of a CPU are done in their order, but for those of a process that cannot go on
 * just now. All that is of no process is a strand of its own, which the CPU's program does itself.
 */
#ifndef SIM_STRANDS_H
#define SIM_STRANDS_H

#include "sim/replay/replay_state.h"

struct replay_strands;

/** After the events are dealt out, before the run: for CPUs with several strands. 0 or -ENOMEM. */
int replay_strands_new(struct replay *r);
void replay_strands_free(struct replay *r);
/** Do all events of the CPU, on its program. False: it has but one strand. */
bool replay_strands_run(struct replay *r, int cpu);
/** A step is done: who waited for it can go on. */
void replay_strands_kick(struct replay *r);

#endif
