/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a trace tells that memory was reclaimed: the frees by kswapd, and by who reclaimed for
 * himself. What a request may be owed follows from it: pages that are freed a little earlier or
 * later here than on the real machine, and no more of them than there are.
 */
#ifndef SIM_REPLAY_RECLAIM_TOLD_H
#define SIM_REPLAY_RECLAIM_TOLD_H

#include "sim/trace/trace.h"

struct reclaim_told;

/** Does the trace tell of any reclaim? */
bool reclaim_told_any(const struct trace *t);

/** Of a trace that stays the caller's. Returns 0 with *told, NULL where it tells of none; -ENOMEM.
 */
int reclaim_told_new(const struct trace *t, struct reclaim_told **told);
void reclaim_told_free(struct reclaim_told *told);

/** Pages that reclaim frees in the trace within a nap of kswapd before and after event `i`. */
uint64_t reclaim_told_near(struct reclaim_told *told, size_t i);

#endif
