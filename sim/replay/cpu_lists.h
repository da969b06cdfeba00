/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the per-CPU lists of the real machine held when the window opened. A capture tells only how
 * many pages each CPU had; a trace with the blocks that move from and to the buddy lists shows
 * more: a block that leaves a list although nothing has put it there since was on it from before.
 */
#ifndef SIM_CPU_LISTS_H
#define SIM_CPU_LISTS_H

#include "sim/capture/state.h"
#include "sim/trace/trace.h"

/**
 * Put into the pcp states of `s` what `t` shows of them (mm_pcp_state.least and .all_known), never
 * more than their count. Nothing where the trace has no moves. Returns 0 or -ENOMEM.
 */
int cpu_lists_at_start(const struct trace *t, const struct mm *mm, struct captured_state *s);
/** Did CPUs of the real machine have a list for blocks of that order? Others go by the zone. */
bool cpu_lists_have(const struct mm *mm, unsigned order);

#endif
