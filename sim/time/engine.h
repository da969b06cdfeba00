/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SimGrid, as far as a machine needs it: the platform, its clock, actors, sleeping, moving bytes,
 * blocking. The only header between numasim and SimGrid; knows nothing of costs and accounts.
 *
 * Time in picoseconds since the start. What a failure inside SimGrid means is not the user's
 * input, so SimGrid ends the process there.
 */
#ifndef SIM_ENGINE_H
#define SIM_ENGINE_H

#include "sim/time/flow.h"

struct engine;

/**
 * An engine for the machine, borrowed until engine_stop(). SimGrid itself is started once it is
 * needed. Returns 0 and *out (free with engine_stop); -EBUSY with the reason in diag where this
 * process has started one before; -ENOMEM.
 */
int engine_start(const struct machine *m, struct diag *diag, struct engine **out);
/** Free the handle. SimGrid itself stays until the process ends. */
void engine_stop(struct engine *e);

/*
 * Actors by number: those of CPUs first, each on its CPU, then as many threads of the kernel as
 * engine_add_threads() said, each on the CPU that engine_set_cpu() says.
 */
/**
 * Make room for so many more threads, with the numbers behind those that there are; before any
 * actor is made. Returns 0 or -ENOMEM.
 */
int engine_add_threads(struct engine *e, int nr);
/** How many numbers there are. */
int engine_nr_actors(const struct engine *e);
/** Make an actor; it calls main(arg) in engine_run(), from now on. At most one a number. */
void engine_add_actor(struct engine *e, int number, void (*main)(void *arg), void *arg);
/** Say on which CPU a thread runs from now on; MM_NO_CPU: on none. */
void engine_set_cpu(struct engine *e, int number, int cpu);
/** Run until every actor's main has returned: 0. -EOVERFLOW where the clock would have passed
 * SIM_MAX_PS: actors were left where they stood. */
int engine_run(struct engine *e);

uint64_t engine_now_ps(const struct engine *e);

/**
 * Is SimGrid left out where nothing is to be solved (the default)? Before any actor is made. It
 * makes no difference but in the time that the host takes.
 */
void engine_set_lookahead(struct engine *e, bool on);

/** Sleeps and transfers so far that were SimGrid's; those that end at the same time sleep in one.
 */
uint64_t engine_activities(const struct engine *e);

/** The CPU whose actor calls this; MM_NO_CPU outside of all of them. */
int engine_current_cpu(const struct engine *e);

/* For actors: other actors may run before these return. */

/** Sleep until the clock says when_ps; returns at once where that is not in the future. */
void engine_sleep_until(struct engine *e, uint64_t when_ps);
/**
 * Move bytes over the route between a node and a bank, sharing every link with the other transfers
 * that use it at that time. The bytes only: a route's latency is the caller's. `write`: by the
 * links' ways for writes, where they have such. Likewise to a disk of the machine or, without
 * `write`, from it. Up to FLOW_PARTS at the same time, until all have moved; at least one.
 */
void engine_transfer(struct engine *e, const struct flow_part *parts, int nr);
/** Wait for engine_unblock(). */
void engine_block(struct engine *e);
/** The same, but for so long at most. Returns whether it was unblocked. */
bool engine_block_for(struct engine *e, uint64_t ps);
/** Let an actor, which blocks or will, go on, at this time and before the one that calls. */
void engine_unblock(struct engine *e, int number);

/** Sum of the latencies on SimGrid's route from a node to a bank, picoseconds. */
uint64_t engine_route_latency_ps(struct engine *e, int nid, int bank);

#endif
