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
 * Follows mm/page_alloc.c of Linux 4.9 (free_hot_cold_page, buffered_rmqueue, rmqueue_bulk,
 * free_pcppages_bulk, pageset_set_high_and_batch).
 */
#include "mm/alloc/pcp.h"

static unsigned orders(const struct mm *mm)
{
	(void)mm;
	return 1u << 0;
}

/* With percpu_pagelist_fraction, a part of the zone for each CPU, and a quarter of that a batch. */
static void set_sizes(const struct mm *mm, struct mm_zone *zone)
{
	const struct mm_pcp_rule *rule = &mm->pcp_rule;
	uint64_t fraction = mm->params.percpu_pagelist_high_fraction;
	unsigned batch = mm_pcp_batch(mm, zone, rule->batch_bytes);

	zone->pcp_low = rule->low * batch;
	zone->pcp_high = rule->high * batch;
	if (fraction) {
		unsigned most = mm->arch->page_shift * 8;

		zone->pcp_high = (unsigned)(zone->managed / fraction);
		batch = zone->pcp_high / 4 > most ? most : zone->pcp_high / 4;
	}
	zone->pcp_batch = batch ? batch : 1;
}

static void refill(struct mm *mm, int cpu, struct mm_zone *zone, unsigned order,
		   enum mm_migratetype type, unsigned alloc_flags)
{
	mm_pcp_fill(mm, cpu, zone, order, type, alloc_flags, zone->pcp_batch,
		    alloc_flags & ALLOC_COLD ? PCP_TAIL_REVERSED : PCP_HEAD);
}

/*
 * A page of each list in turn, and for each empty list that is passed by one page more of the next.
 * Where only one list is left, all from that.
 */
static void drain(struct mm *mm, int cpu, struct mm_zone *zone, int owner, unsigned list,
		  int nr_pages)
{
	struct mm_pcp *pcp = &zone->pcp[owner];
	int together = 0;

	mm->counters.pcp_drains++;
	mm_zone_lock(mm, cpu, zone);
	while (nr_pages > 0 && pcp->count > 0) {
		do {
			together++;
			list = (list + 1) % MM_NR_PCPTYPES;
		} while (!pcp->lists[list].head);
		if (together == MM_NR_PCPTYPES)
			together = nr_pages;
		do {
			mm_pcp_give_back(mm, cpu, zone, owner, list);
		} while (--nr_pages && --together && pcp->lists[list].head);
	}
	mm_zone_unlock(mm, cpu, zone);
}

static void trim(struct mm *mm, int cpu, struct mm_zone *zone, unsigned order, unsigned list)
{
	(void)order;
	(void)list;
	if (zone->pcp[cpu].count >= zone->pcp_high)
		drain(mm, cpu, zone, cpu, 0, (int)zone->pcp_batch);
}

const struct mm_pcp_kind pcp_hot_cold = {
	.name = "hot-cold",
	.cold_at_tail = true,
	.orders = orders,
	.set_sizes = set_sizes,
	.refill = refill,
	.trim = trim,
	.drain = drain,
};
