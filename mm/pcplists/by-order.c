/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Per-CPU page lists: small blocks and huge pages that a CPU takes and gives without the zone lock,
 * a list for each order and mobility. An empty list is filled with a batch from the buddy lists;
 * when all together are too long, a batch is drained, which doubles while only frees come. A list
 * is edited by its own CPU only.
 */
#include "mm/pageblock.h"
#include "mm/zone_count.h"

/*
 * Most doublings of the drain batch: CONFIG_PCP_BATCH_SCALE_MAX. Newer than Linux 6.1.0,
 * but 6.1.192 has it: in the captures of W1a and W2a drains double up to batch << 5 and no further.
 */
#define MAX_FREE_FACTOR 5

bool mm_pcp_holds(const struct mm *mm, unsigned order)
{
	return order <= PAGE_ALLOC_COSTLY_ORDER || order == mm->arch->pageblock_order;
}

unsigned mm_pcp_list_order(const struct mm *mm, unsigned list)
{
	return list < NR_PCP_LISTS - 1 ? list / MM_NR_PCPTYPES : mm->arch->pageblock_order;
}

unsigned mm_pcp_list(unsigned order, enum mm_migratetype type)
{
	if (order > PAGE_ALLOC_COSTLY_ORDER)
		return NR_PCP_LISTS - 1;
	return order * MM_NR_PCPTYPES + (type < MM_NR_PCPTYPES ? type : MM_MOVABLE);
}

static phys_addr_t pcp_at(const struct mm *mm, int cpu, const struct mm_zone *zone)
{
	return mm->percpu_at[cpu] + zone->pcp_offset;
}

static void touch_list(struct mm *mm, int cpu, const struct mm_zone *zone, unsigned list)
{
	mm_touch(mm, cpu, pcp_at(mm, cpu, zone) + MM_PCP_COUNTS, 16, MM_WRITE);
	mm_touch(mm, cpu, pcp_at(mm, cpu, zone) + MM_PCP_LISTS + list * 16, 16, MM_WRITE);
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
	struct mm_pcp *pcp = &zone->pcp[cpu];
	unsigned blocks = refill_blocks(zone, order);
	int64_t taken = 0;

	mm->counters.pcp_refills++;
	mm_zone_lock(mm, cpu, zone);
	for (unsigned i = 0; i < blocks; i++) {
		struct page *page = mm_rmqueue(mm, cpu, zone, order, type, alloc_flags);

		if (!page)
			break;
		page->flags |= PG_PCP;
		page_list_add_tail(&pcp->lists[mm_pcp_list(order, type)], page);
		pcp->count += 1u << order;
		taken += INT64_C(1) << order;
		mm_emit_block(mm, cpu, MM_EVENT_ALLOC_ZONE_LOCKED, page, 0);
	}
	mm_count_free(mm, cpu, zone, -taken);
	mm_zone_unlock(mm, cpu, zone);
}

struct page *mm_pcp_take(struct mm *mm, int cpu, struct mm_zone *zone, unsigned order,
			 enum mm_migratetype type, unsigned alloc_flags)
{
	zone->pcp[cpu].free_factor >>= 1;
	return mm_pcp_take_one(mm, cpu, zone, order, type, alloc_flags);
}

struct page *mm_pcp_take_one(struct mm *mm, int cpu, struct mm_zone *zone, unsigned order,
			     enum mm_migratetype type, unsigned alloc_flags)
{
	struct mm_pcp *pcp = &zone->pcp[cpu];
	unsigned list = mm_pcp_list(order, type);
	struct page *page;

	if (!pcp->lists[list].head)
		refill(mm, cpu, zone, order, type, alloc_flags);
	page = pcp->lists[list].head;
	if (!page)
		return NULL;
	page_list_del(&pcp->lists[list], page);
	page->flags &= ~(uint64_t)PG_PCP;
	pcp->count -= 1u << order;

	mm_work(mm, cpu, MM_SITE_PCP_ALLOC, 1);
	touch_list(mm, cpu, zone, list);
	mm_touch_page(mm, cpu, page, MM_WRITE);
	if (pcp->lists[list].head)
		mm_touch_page(mm, cpu, pcp->lists[list].head, MM_WRITE);
	return page;
}

/* Oldest blocks first, from the list that overflowed, then from the others in turn. */
static void drain_of(struct mm *mm, int cpu, struct mm_zone *zone, int owner, unsigned list,
		     int nr_pages)
{
	struct mm_pcp *pcp = &zone->pcp[owner];

	mm->counters.pcp_drains++;
	mm_zone_lock(mm, cpu, zone);
	while (nr_pages > 0 && pcp->count > 0) {
		unsigned order = mm_pcp_list_order(mm, list);
		struct page *page = pcp->lists[list].tail;
		pfn_t pfn;

		if (!page) {
			list = (list + 1) % NR_PCP_LISTS;
			continue;
		}
		pfn = mm_pfn_of(mm, page);
		page_list_del(&pcp->lists[list], page);
		page->flags &= ~(uint64_t)PG_PCP;
		pcp->count -= 1u << order;
		nr_pages -= 1 << order;
		mm_emit_block(mm, cpu, MM_EVENT_PCPU_DRAIN, page, 0);
		mm_buddy_give(mm, cpu, zone, page, pfn, order,
			      zone->nr_isolated_blocks ? mm_pageblock_type(mm, zone, pfn)
						       : (enum mm_migratetype)page->migratetype);
	}
	mm_zone_unlock(mm, cpu, zone);
}

static void drain(struct mm *mm, int cpu, struct mm_zone *zone, unsigned list, int nr_pages)
{
	drain_of(mm, cpu, zone, cpu, list, nr_pages);
}

void mm_pcp_shrink(struct mm *mm, int cpu, struct mm_zone *zone)
{
	unsigned count = zone->pcp[cpu].count, batch = zone->pcp_batch;

	drain(mm, cpu, zone, 0, (int)(count < batch ? count : batch));
}

void mm_pcp_drain_all(struct mm *mm, int cpu)
{
	for (int owner = 0; owner < mm->nr_cpus; owner++)
		for (int n = 0; n < mm->nr_nodes; n++)
			for (int z = 0; z < mm->arch->nr_zones; z++) {
				struct mm_zone *zone = &mm->nodes[n].zones[z];

				if (zone->pcp && zone->pcp[owner].count)
					drain_of(mm, cpu, zone, owner, 0,
						 (int)zone->pcp[owner].count);
			}
}

void mm_pcp_drain_own(struct mm *mm, int cpu, struct mm_zone *zone)
{
	if (cpu != MM_NO_CPU && zone->pcp && zone->pcp[cpu].count)
		drain_of(mm, cpu, zone, cpu, 0, (int)zone->pcp[cpu].count);
}

void mm_pcp_drain_zone(struct mm *mm, int cpu, struct mm_zone *zone)
{
	for (int owner = 0; zone->pcp && owner < mm->nr_cpus; owner++)
		if (zone->pcp[owner].count)
			drain_of(mm, cpu, zone, owner, 0, (int)zone->pcp[owner].count);
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

void mm_pcp_give(struct mm *mm, int cpu, struct mm_zone *zone, struct page *page, unsigned order,
		 enum mm_migratetype type)
{
	struct mm_pcp *pcp = &zone->pcp[cpu];
	unsigned list = mm_pcp_list(order, type), high;
	const struct page *neighbour = pcp->lists[list].head;

	page->flags |= PG_PCP;
	page->order = (uint8_t)order;
	page->migratetype = (uint8_t)type;
	page_list_add_head(&pcp->lists[list], page);
	pcp->count += 1u << order;

	mm_work(mm, cpu, MM_SITE_PCP_FREE, 1);
	touch_list(mm, cpu, zone, list);
	mm_touch_page(mm, cpu, page, MM_WRITE);
	if (neighbour)
		mm_touch_page(mm, cpu, neighbour, MM_WRITE);
	high = high_now(pcp, zone, order);
	if (pcp->count >= high)
		drain(mm, cpu, zone, list, drain_pages(pcp, zone, order, high));
}
