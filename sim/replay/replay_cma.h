/* SPDX-License-Identifier: Apache-2.0 */
/* Frames in a row that a trace takes from the CMA area and gives back: from the simulated one. */
#ifndef SIM_REPLAY_CMA_H
#define SIM_REPLAY_CMA_H

#include "mm/mm.h"
#include "sim/trace/trace.h"

struct replay_cma_counts {
	uint64_t allocs, releases; /* done */
	uint64_t failed;           /* that found no such frames; all where there is no area */
};

/** Do a CMA_ALLOC: the first frame, or NULL where there are none. Simulated time passes. */
struct page *replay_cma_alloc(struct mm *mm, int cpu, const struct trace_event *ev,
			      struct replay_cma_counts *counts);
/** Give `nr` frames back that were had so. Simulated time passes. */
void replay_cma_release(struct mm *mm, int cpu, struct page *first, uint64_t nr,
			struct replay_cma_counts *counts);

#endif
