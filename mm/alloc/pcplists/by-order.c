/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Per-CPU lists of Linux 5.14 and later: small blocks and huge pages, a list for each order and
 * mobility. An empty list is filled with a batch from the buddy lists; when all together are too
 * long, a batch is drained, which doubles while only frees come.
 */
#include "mm/alloc/pcp.h"

/*
 * Most doublings of the drain batch: CONFIG_PCP_BATCH_SCALE_MAX. Newer than Linux 6.1.0,
 * but 6.1.192 has it: in the captures of W1a and W2a drains double up to batch << 5 and no further.
 */
#define MAX_FREE_FACTOR 5

#define BATCH_BYTES (UINT64_C(1) << 20) /* a quarter of it, at most */

static unsigned orders(const struct mm *mm)
{
	return ((2u << PAGE_ALLOC_COSTLY_ORDER) - 1) | 1u << mm->arch->pageblock_order;
}

/* A CPU-less node's lists are shared out among all CPUs. */
static unsigned high_of(const struct mm *mm, const struct mm_zone *zone)
{
	uint64_t fraction = mm->params.percpu_pagelist_high_fraction, high;
	unsigned cpus = 0, least = 4 * zone->pcp_batch;

	for (int cpu = 0; cpu < mm->nr_cpus; cpu++)
		cpus += mm->nodes[mm->cpu_nid[cpu]].cpus_of == mm->nodes[zone->nid].cpus_of;
	if (!cpus)
		cpus = (unsigned)mm->nr_cpus;
	high = (fraction ? zone->managed / fraction : zone->wmark[MM_WMARK_LOW]) / cpus;
	return high > least ? (unsigned)high : least;
}

static void set_sizes(const struct mm *mm, struct mm_zone *zone)
{
	unsigned batch = mm_pcp_batch(mm, zone, BATCH_BYTES, false);

	zone->pcp_batch = batch ? batch : 1;
	zone->pcp_high = high_of(mm, zone);
	zone->pcp_low = 0;
}

/* Blocks of one refill: a batch of pages, but at least two blocks of higher orders. */
static unsigned refill_blocks(const struct mm_zone *zone, unsigned order)
{
	unsigned blocks = zone->pcp_batch >> order;

	if (zone->pcp_batch <= 1)
		return zone->pcp_batch;
	return blocks > 2 ? blocks : order ? 2 : blocks;
}

static void refill(struct mm *mm, int cpu, struct mm_zone *zone, unsigned order,
		   enum mm_migratetype type, unsigned alloc_flags)
{
	mm_pcp_fill(mm, cpu, zone, order, type, alloc_flags, refill_blocks(zone, order), PCP_TAIL);
}

/* Oldest blocks first, from the list that overflowed, then from the others in turn. */
static void drain(struct mm *mm, int cpu, struct mm_zone *zone, int owner, unsigned list,
		  int nr_pages)
{
	struct mm_pcp *pcp = &zone->pcp[owner];

	mm->counters.pcp_drains++;
	mm_zone_lock(mm, cpu, zone);
	while (nr_pages > 0 && pcp->count > 0) {
		if (!pcp->lists[list].tail) {
			list = (list + 1) % NR_PCP_LISTS;
			continue;
		}
		mm_pcp_give_back(mm, cpu, zone, mm_pcp_take_off(mm, zone, owner, list));
		nr_pages -= 1 << mm_pcp_list_order(mm, list);
	}
	mm_zone_unlock(mm, cpu, zone);
}

/*
 * Blocks of higher orders that come back while nothing is allocated are not kept: they, and all
 * else on the lists, would only fragment the zone. Huge pages would not.
 */
static bool frees_high(const struct mm_pcp *pcp, unsigned order)
{
	return pcp->free_factor && order && order <= PAGE_ALLOC_COSTLY_ORDER;
}

/* How many pages the lists may hold: fewer while kswapd looks for memory in the zone. */
static unsigned high_now(const struct mm_pcp *pcp, const struct mm_zone *zone, unsigned order)
{
	unsigned most = zone->pcp_batch << 2;

	if (frees_high(pcp, order))
		return 0;
	return zone->reclaim_active && most < zone->pcp_high ? most : zone->pcp_high;
}

/*
 * How many pages full lists give back: a batch, doubled for each drain since the last allocation,
 * but never all of them, except where blocks of higher orders are not kept.
 */
static int drain_pages(struct mm_pcp *pcp, const struct mm_zone *zone, unsigned order,
		       unsigned high)
{
	unsigned batch = zone->pcp_batch, least = batch, most;

	if (frees_high(pcp, order))
		return (int)pcp->count;
	if (high < batch)
		return 1;
	most = high - batch;
	batch <<= pcp->free_factor;
	if (batch < most && pcp->free_factor < MAX_FREE_FACTOR)
		pcp->free_factor++;
	return (int)(batch < least ? least : batch > most ? most : batch);
}

static void trim(struct mm *mm, int cpu, struct mm_zone *zone, unsigned order, unsigned list)
{
	struct mm_pcp *pcp = &zone->pcp[cpu];
	unsigned high = high_now(pcp, zone, order);

	if (pcp->count >= high)
		drain(mm, cpu, zone, cpu, list, drain_pages(pcp, zone, order, high));
}

const struct mm_pcp_kind pcp_by_order = {
	.name = "by-order",
	.orders = orders,
	.set_sizes = set_sizes,
	.refill = refill,
	.trim = trim,
	.drain = drain,
};
