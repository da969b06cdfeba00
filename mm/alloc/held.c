/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block that is too large is split like a free one, its upper half staying held: the pages of one
 * user mostly lie together and go together, so that what is freed next is beside what was freed
 * last.
 */
#include "mm/alloc/held.h"

#include <errno.h>
#include <stdlib.h>

#include "mm/alloc/pageblock.h"
#include "mm/reclaim/lru.h"
#include "mm/start.h"

int mm_held_init(struct mm_zone *zone)
{
	zone->held_lists = calloc(1, sizeof(*zone->held_lists));
	return zone->held_lists ? 0 : -ENOMEM;
}

static void add(struct mm *mm, struct mm_zone *zone, struct page *page, pfn_t pfn, unsigned order,
		enum mm_migratetype type, uint64_t flags)
{
	mm_page_init(mm, page, pfn, zone);
	page->flags |= PG_HELD | flags;
	page->refcount = 1;
	page->order = (uint8_t)order;
	page->migratetype = (uint8_t)type;
	page_list_add_head(&zone->held_lists->lists[type][order], page);
}

void mm_held_put(struct mm *mm, struct mm_zone *zone, pfn_t pfn, unsigned order,
		 enum mm_migratetype type, bool user)
{
	add(mm, zone, mm->model->pfn_to_page(mm, MM_NO_CPU, pfn), pfn, order, type,
	    user ? PG_LRU : 0);
	zone->held += UINT64_C(1) << order;
}

/* The smallest block of the type that is large enough; NULL where there is none. */
static struct page *find(struct mm_zone *zone, enum mm_migratetype type, unsigned order)
{
	for (unsigned o = order; o < NR_PAGE_ORDERS; o++)
		if (zone->held_lists->lists[type][o].head)
			return zone->held_lists->lists[type][o].head;
	return NULL;
}

/* Take `order` from the bottom of a held block, off the lists; what is above stays on them. */
static void peel(struct mm *mm, struct mm_zone *zone, struct page *page, unsigned order)
{
	enum mm_migratetype type = (enum mm_migratetype)page->migratetype;
	uint64_t lru = page->flags & PG_LRU;
	pfn_t pfn = mm_pfn_of(mm, page);

	page_list_del(&zone->held_lists->lists[type][page->order], page);
	for (unsigned o = page->order; o-- > order;)
		add(mm, zone, page + (UINT64_C(1) << o), pfn + (UINT64_C(1) << o), o, type, lru);
	page->order = (uint8_t)order;
}

void mm_held_take(struct mm *mm, struct mm_zone *zone, struct page *page)
{
	peel(mm, zone, page, 0);
}

void mm_held_return(struct mm *mm, struct mm_zone *zone, struct page *page)
{
	enum mm_migratetype type = mm_pageblock_type(mm, zone, mm_pfn_of(mm, page));

	page->migratetype = (uint8_t)type;
	page_list_add_head(&zone->held_lists->lists[type][page->order], page);
}

/* The oldest one of a zone that reclaim follows. */
static struct page *find_followed(const struct mm *mm, const struct mm_zone *zone)
{
	static const enum mm_lru order[] = {MM_LRU_INACTIVE_ANON, MM_LRU_INACTIVE_FILE,
					    MM_LRU_ACTIVE_ANON, MM_LRU_ACTIVE_FILE};

	for (int l = 0; l < 4; l++) {
		const struct page_list *list = &mm->nodes[zone->nid].lru[order[l]];

		for (struct page *page = list->tail; page; page = page->prev)
			if ((page->flags & PG_HELD) && mm_page_zone(mm, page) == zone)
				return page;
	}
	return NULL;
}

static bool free_followed(struct mm *mm, int cpu, struct mm_zone *zone)
{
	struct page *page = find_followed(mm, zone);

	if (!page)
		return false;
	page->flags = (page->flags & ~(uint64_t)PG_HELD) | PG_DROPPED;
	zone->held--;
	mm->counters.held_frees++;
	mm_put_page(mm, cpu, page);
	return true;
}

int mm_free_held(struct mm *mm, int cpu, int nid, int index, enum mm_migratetype type,
		 unsigned order)
{
	struct mm_zone *zone;
	struct page *page = NULL;

	if (nid < 0 || nid >= mm->nr_nodes || index < 0 || index >= mm->arch->nr_zones ||
	    order > MAX_PAGE_ORDER || type < 0 || type >= MM_NR_MIGRATETYPES)
		return -EINVAL;
	zone = &mm->nodes[nid].zones[index];
	if (!zone->held_lists)
		return -ENOENT;
	if (type == MM_MOVABLE && !order && free_followed(mm, cpu, zone))
		return 0;
	page = find(zone, type, order);
	/* Movable ones are most, and mostly alike. */
	if (!page && type != MM_MOVABLE)
		page = find(zone, MM_MOVABLE, order);
	for (int t = 0; !page && t < MM_NR_MIGRATETYPES; t++)
		page = find(zone, (enum mm_migratetype)t, order);
	if (!page && !order && free_followed(mm, cpu, zone))
		return 0;
	if (!page)
		return -ENOENT;
	peel(mm, zone, page, order);
	page->flags &= ~(uint64_t)(PG_HELD | PG_LRU);
	zone->held -= UINT64_C(1) << order;
	mm->counters.held_frees++;
	mm_free_block(mm, cpu, page, order);
	return 0;
}

static void follow(struct mm *mm, struct mm_zone *zone, enum mm_lru lru)
{
	for (uint64_t n = zone->held_lists->lru[lru]; n; n--) {
		struct page *page = find(zone, MM_MOVABLE, 0);

		if (!page || !(page->flags & PG_LRU))
			return;
		mm_held_take(mm, zone, page);
		mm_lru_add_held(mm, page, lru);
	}
}

void mm_follow_held(struct mm *mm)
{
	for (int n = 0; n < mm->nr_nodes; n++)
		for (int z = 0; z < mm->arch->nr_zones; z++)
			for (int l = 0; l < MM_NR_LRU && mm->nodes[n].zones[z].held_lists; l++)
				follow(mm, &mm->nodes[n].zones[z], (enum mm_lru)l);
}

uint64_t mm_held_pages(const struct mm *mm, int nid, int zone)
{
	return mm->nodes[nid].zones[zone].held;
}
