/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Per-CPU lists of Linux 4.15 to 5.13: single pages only, a list for each mobility, to whose head
 * all frees go, whoever they are by, and from whose head all requests take: __GFP_COLD is gone. An
 * empty list is filled with a batch; once all together hold `high` pages, a batch of the oldest
 * goes back, from the lists in turn. From 4.17 on those are gathered before the zone's lock is
 * taken (`gather`); 4.19 doubled the batch.
 *
 * Follows mm/page_alloc.c of Linux 5.10 (free_unref_page_commit, __rmqueue_pcplist, rmqueue_bulk).
 */
#include "mm/alloc/pcp_single.h"

static void refill(struct mm *mm, int cpu, struct mm_zone *zone, unsigned order,
		   enum mm_migratetype type, unsigned alloc_flags)
{
	mm_pcp_fill(mm, cpu, zone, order, type, alloc_flags, zone->pcp_batch, PCP_TAIL);
}

const struct mm_pcp_kind pcp_by_mobility = {
	.name = "by-mobility",
	.rules = MM_PCP_SIZES | MM_PCP_GATHER,
	.orders = mm_pcp_single_orders,
	.set_sizes = mm_pcp_single_set_sizes,
	.refill = refill,
	.trim = mm_pcp_single_trim,
	.drain = mm_pcp_single_drain,
};
