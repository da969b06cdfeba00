/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Per-CPU lists as Linux had them up to 4.14: single pages only, a list for each mobility. What is
 * likely in the CPU's caches goes to the head, what is not (reclaim's frees) to the tail, and a
 * request with __GFP_COLD, whose page a device will write, takes from there. Once the lists hold
 * `high` pages, a batch of the coldest goes back, from the lists in turn.
 *
 * `low` is that of the first 2.6 kernels (up to 2.6.15): a list was filled as soon as no more than
 * `low` pages were left. Those had two lists instead of two ends of one, which is not modelled.
 *
 * Follows mm/page_alloc.c of Linux 4.9 (free_hot_cold_page, buffered_rmqueue, rmqueue_bulk).
 */
#include "mm/alloc/pcp_single.h"

static void refill(struct mm *mm, int cpu, struct mm_zone *zone, unsigned order,
		   enum mm_migratetype type, unsigned alloc_flags)
{
	mm_pcp_fill(mm, cpu, zone, order, type, alloc_flags, zone->pcp_batch,
		    alloc_flags & ALLOC_COLD ? PCP_TAIL_REVERSED : PCP_HEAD);
}

const struct mm_pcp_kind pcp_hot_cold = {
	.name = "hot-cold",
	.rules = MM_PCP_SIZES | MM_PCP_LOW,
	.cold_at_tail = true,
	.orders = mm_pcp_single_orders,
	.set_sizes = mm_pcp_single_set_sizes,
	.refill = refill,
	.trim = mm_pcp_single_trim,
	.drain = mm_pcp_single_drain,
};
