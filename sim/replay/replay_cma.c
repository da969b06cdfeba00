/* SPDX-License-Identifier: Apache-2.0 */
/* Which frames these are is up to the simulated area, as with pages. */
#include "sim/replay/replay_cma.h"

#include "mm/alloc/contig.h"

struct page *replay_cma_alloc(struct mm *mm, int cpu, const struct trace_event *ev,
			      struct replay_cma_counts *counts)
{
	struct page *first;

	if (mm_cma_alloc(mm, cpu, ev->bytes, ev->align, &first)) {
		counts->failed++;
		return NULL;
	}
	counts->allocs++;
	return first;
}

void replay_cma_release(struct mm *mm, int cpu, struct page *first, uint64_t nr,
			struct replay_cma_counts *counts)
{
	counts->releases += !mm_cma_release(mm, cpu, first, nr);
}
