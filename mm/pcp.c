/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Per-CPU page lists: small blocks and huge pages that a CPU takes and gives without the zone lock.
 * An empty list is filled with a batch from the buddy lists; when all together are too long, a
 * batch is drained, which doubles while only frees come. A list is edited by its own CPU only.
 */
#include "mm/internal.h"

bool mm_pcp_holds(const struct mm *mm, unsigned order)
{
	return order <= PAGE_ALLOC_COSTLY_ORDER || order == mm->arch->pageblock_order;
}

unsigned mm_pcp_list_order(const struct mm *mm, unsigned list)
{
	return list <= PAGE_ALLOC_COSTLY_ORDER ? list : mm->arch->pageblock_order;
}

/* Which of the lists holds that order. */
static unsigned list_of(unsigned order)
{
	return order <= PAGE_ALLOC_COSTLY_ORDER ? order : NR_PCP_LISTS - 1;
}

static phys_addr_t pcp_at(const struct mm *mm, int cpu, const struct mm_zone *zone)
{
	return mm->percpu_at[cpu] + zone->pcp_offset;
}

static void touch_list(struct mm *mm, int cpu, const struct mm_zone *zone, unsigned order)
{
	mm_touch(mm, cpu, pcp_at(mm, cpu, zone) + MM_PCP_COUNTS, 16, MM_WRITE);
	mm_touch(mm, cpu, pcp_at(mm, cpu, zone) + MM_PCP_LISTS + list_of(order) * 48, 16, MM_WRITE);
}

/* Blocks of one refill: a batch of pages, but at least two blocks of higher orders. */
static unsigned refill_blocks(const struct mm_zone *zone, unsigned order)
{
	unsigned blocks = zone->pcp_batch >> order;

	if (zone->pcp_batch <= 1)
		return zone->pcp_batch;
	return blocks > 2 ? blocks : order ? 2 : blocks;
}

static void refill(struct mm *mm, int cpu, struct mm_zone *zone, unsigned order, int migratetype)
{
	struct mm_pcp *pcp = &zone->pcp[cpu];
	unsigned blocks = refill_blocks(zone, order);

	mm->counters.pcp_refills++;
	mm_zone_lock(mm, cpu, zone);
	for (unsigned i = 0; i < blocks; i++) {
		struct page *page = mm_buddy_take(mm, cpu, zone, order);

		if (!page)
			break;
		page->flags |= PG_PCP;
		page->migratetype = (uint8_t)migratetype;
		page_list_add_tail(&pcp->lists[list_of(order)], page);
		pcp->count += 1u << order;
		mm_emit_block(mm, cpu, MM_EVENT_ALLOC_ZONE_LOCKED, page, 0);
	}
	mm_touch(mm, cpu, zone->at + MM_ZONE_VMSTAT, 8, MM_WRITE);
	mm_zone_unlock(mm, cpu, zone);
}

struct page *mm_pcp_take(struct mm *mm, int cpu, struct mm_zone *zone, unsigned order,
			 int migratetype)
{
	struct mm_pcp *pcp = &zone->pcp[cpu];
	struct page_list *list = &pcp->lists[list_of(order)];
	struct page *page;

	pcp->free_factor >>= 1;
	if (!list->head)
		refill(mm, cpu, zone, order, migratetype);
	page = list->head;
	if (!page)
		return NULL;
	page_list_del(list, page);
	page->flags &= ~(uint64_t)PG_PCP;
	pcp->count -= 1u << order;

	mm_work(mm, cpu, MM_SITE_PCP_ALLOC, 1);
	touch_list(mm, cpu, zone, order);
	mm_touch_page(mm, cpu, page, MM_WRITE);
	if (list->head)
		mm_touch_page(mm, cpu, list->head, MM_WRITE);
	return page;
}

/* Oldest blocks first, from the list that overflowed, then from the others in turn. */
static void drain(struct mm *mm, int cpu, struct mm_zone *zone, unsigned first_order, int nr_pages)
{
	struct mm_pcp *pcp = &zone->pcp[cpu];
	unsigned list = list_of(first_order);

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
		mm_buddy_give(mm, cpu, zone, page, pfn, order);
	}
	mm_touch(mm, cpu, zone->at + MM_ZONE_VMSTAT, 8, MM_WRITE);
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

/*
 * How many pages full lists give back: a batch, doubled for each drain since the last allocation,
 * but never all of them, except where blocks of higher orders are not kept.
 */
static int drain_pages(struct mm_pcp *pcp, const struct mm_zone *zone, unsigned order)
{
	unsigned batch = zone->pcp_batch, least = batch;
	unsigned most = zone->pcp_high > batch ? zone->pcp_high - batch : 1;

	if (frees_high(pcp, order))
		return (int)pcp->count;
	batch <<= pcp->free_factor;
	if (batch < most)
		pcp->free_factor++;
	return (int)(batch < least ? least : batch > most ? most : batch);
}

void mm_pcp_give(struct mm *mm, int cpu, struct mm_zone *zone, struct page *page, unsigned order)
{
	struct mm_pcp *pcp = &zone->pcp[cpu];
	struct page_list *list = &pcp->lists[list_of(order)];
	const struct page *neighbour = list->head;

	page->flags |= PG_PCP;
	page->order = (uint8_t)order;
	page_list_add_head(list, page);
	pcp->count += 1u << order;

	mm_work(mm, cpu, MM_SITE_PCP_FREE, 1);
	touch_list(mm, cpu, zone, order);
	mm_touch_page(mm, cpu, page, MM_WRITE);
	if (neighbour)
		mm_touch_page(mm, cpu, neighbour, MM_WRITE);
	if (pcp->count >= zone->pcp_high || frees_high(pcp, order))
		drain(mm, cpu, zone, order, drain_pages(pcp, zone, order));
}
