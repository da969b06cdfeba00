/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Huge pages of a trace that find no room here. One that the real kernel had for a fault, but this
 * one has not, is replaced by single pages: the task has its memory either way.
 */
#ifndef SIM_REPLAY_HUGE_H
#define SIM_REPLAY_HUGE_H

#include "sim/replay/replay_policy.h"
#include "sim/sim.h"

struct replay_huge_counts {
	uint64_t replaced; /* huge pages of the trace, by single pages */
	uint64_t missing;  /* of these, single pages that found no room either */
};

/** Is it a transparent huge page, which the real kernel had? */
bool replay_huge_is(const struct replay_policies *p, const struct trace_event *ev);
/** Single pages instead, 2^order of them, NULL where there was no room; NULL: there is none. */
struct page **replay_huge_replace(const struct replay_policies *p, int cpu,
				  const struct trace_event *ev, struct replay_huge_counts *counts);
/** The upper half of them, 2^order, in an array of its own; NULL where there is no memory. */
struct page **replay_huge_split(struct page **pages, unsigned order);
/** Free them, and the array. */
void replay_huge_free(struct mm *mm, int cpu, struct page **pages, unsigned order);
/** Touch the first `bytes` of them. Returns false where none of these is there. */
bool replay_huge_touch(struct sim *s, int cpu, struct page **pages, const struct trace_event *ev);

#endif
