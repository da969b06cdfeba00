/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The buddy lists of a zone: free blocks of 2^order frames, aligned to their size. A block that is
 * too large is split, its upper halves staying free; a block that comes back merges with its buddy
 * as long as that is free and in the same zone.
 *
 * The caller holds the zone lock (or is the boot, which nobody sees). Knows no watermarks, no
 * per-CPU lists, no policy.
 */
#include <errno.h>
#include <stdlib.h>

#include "mm/internal.h"

void mm_zone_lock(struct mm *mm, int cpu, struct mm_zone *zone)
{
	mm_work(mm, cpu, MM_SITE_LOCK, 1);
	mm_touch(mm, cpu, zone->lock.at, 8, MM_WRITE);
	if (mm->ops.lock)
		mm->ops.lock(mm->ctx, cpu, &zone->lock);
	zone->lock.holder = cpu;
	zone->lock_acquired++;
}

void mm_zone_unlock(struct mm *mm, int cpu, struct mm_zone *zone)
{
	zone->lock.holder = MM_NO_CPU;
	if (mm->ops.unlock)
		mm->ops.unlock(mm->ctx, cpu, &zone->lock);
}

static phys_addr_t free_area_at(const struct mm_zone *zone, unsigned order)
{
	return zone->at + MM_ZONE_FREE_AREA + order * MM_FREE_AREA_STRIDE;
}

static void add_block(struct mm *mm, int cpu, struct mm_zone *zone, struct page *page,
		      unsigned order, bool to_tail)
{
	struct mm_free_area *area = &zone->free_area[order];
	const struct page *neighbour = to_tail ? area->list.tail : area->list.head;

	page->flags |= PG_BUDDY;
	page->order = (uint8_t)order;
	if (to_tail)
		page_list_add_tail(&area->list, page);
	else
		page_list_add_head(&area->list, page);
	area->nr_free++;

	mm_touch(mm, cpu, free_area_at(zone, order), MM_FREE_AREA_STRIDE, MM_WRITE);
	mm_touch_page(mm, cpu, page, MM_WRITE);
	if (neighbour)
		mm_touch_page(mm, cpu, neighbour, MM_WRITE);
}

static void del_block(struct mm *mm, int cpu, struct mm_zone *zone, struct page *page,
		      unsigned order)
{
	struct mm_free_area *area = &zone->free_area[order];
	const struct page *next = page->next, *prev = page->prev;

	page_list_del(&area->list, page);
	area->nr_free--;
	page->flags &= ~(uint64_t)PG_BUDDY;

	mm_touch(mm, cpu, free_area_at(zone, order), MM_FREE_AREA_STRIDE, MM_WRITE);
	mm_touch_page(mm, cpu, page, MM_WRITE);
	if (next)
		mm_touch_page(mm, cpu, next, MM_WRITE);
	if (prev)
		mm_touch_page(mm, cpu, prev, MM_WRITE);
}

/* Cut a block of order `high` down to `low`; the upper halves go to the heads of their lists. */
static void split(struct mm *mm, int cpu, struct mm_zone *zone, struct page *page, unsigned low,
		  unsigned high)
{
	pfn_t pfn = mm_pfn_of(mm, page);

	while (high > low) {
		struct page *upper = page + (UINT64_C(1) << --high);

		mm_work(mm, cpu, MM_SITE_SPLIT, 1);
		mm_page_init(mm, upper, pfn + (UINT64_C(1) << high), zone);
		add_block(mm, cpu, zone, upper, high, false);
		mm->counters.splits++;
	}
}

/*
 * Put pristine blocks on the list until it has a head and a successor, which is as far as taking
 * the head looks.
 */
static void list_pristine(struct mm *mm, struct mm_zone *zone)
{
	struct page_list *list = &zone->free_area[MAX_PAGE_ORDER].list;

	while (zone->next_pristine < zone->nr_pristine && (!list->head || !list->head->next)) {
		struct mm_extent *e = &zone->pristine[zone->next_pristine];
		struct page *page = mm->model->pfn_to_page(mm, MM_NO_CPU, e->start);

		mm_page_init(mm, page, e->start, zone);
		page->flags |= PG_BUDDY;
		page->order = MAX_PAGE_ORDER;
		page_list_add_tail(list, page);
		e->start += UINT64_C(1) << MAX_PAGE_ORDER;
		if (e->start == e->end)
			zone->next_pristine++;
	}
}

struct page *mm_buddy_take(struct mm *mm, int cpu, struct mm_zone *zone, unsigned order)
{
	for (unsigned o = order; o < NR_PAGE_ORDERS; o++) {
		struct page *page;

		if (o == MAX_PAGE_ORDER)
			list_pristine(mm, zone);
		page = zone->free_area[o].list.head;
		if (!page)
			continue;
		zone->nr_free -= UINT64_C(1) << order;
		mm_work(mm, cpu, MM_SITE_RMQUEUE, 1);
		del_block(mm, cpu, zone, page, o);
		if (o > order)
			split(mm, cpu, zone, page, order, o);
		page->order = (uint8_t)order;
		return page;
	}
	return NULL;
}

static bool is_free_buddy(const struct mm *mm, const struct page *buddy, const struct mm_zone *zone,
			  unsigned order)
{
	return (buddy->flags & PG_BUDDY) && buddy->order == order &&
	       mm_page_zonenum(mm, buddy) == zone->index && mm_page_to_nid(mm, buddy) == zone->nid;
}

/* Would the merged block have a free buddy itself? Then it waits at the tail, to merge later. */
static bool merge_likely(const struct mm *mm, const struct mm_zone *zone, struct page *page,
			 pfn_t pfn, unsigned order)
{
	pfn_t combined = pfn & ~(UINT64_C(1) << order);
	pfn_t higher = combined ^ (UINT64_C(2) << order);

	if (order + 1 >= MAX_PAGE_ORDER)
		return false;
	return is_free_buddy(mm, page + ((int64_t)higher - (int64_t)pfn), zone, order + 1);
}

void mm_buddy_give(struct mm *mm, int cpu, struct mm_zone *zone, struct page *page, pfn_t pfn,
		   unsigned order)
{
	zone->nr_free += UINT64_C(1) << order;
	mm_work(mm, cpu, MM_SITE_BUDDY_FREE, 1);
	while (order < MAX_PAGE_ORDER) {
		pfn_t buddy_pfn = pfn ^ (UINT64_C(1) << order);
		struct page *buddy = page + ((int64_t)buddy_pfn - (int64_t)pfn);

		mm_touch_page(mm, cpu, buddy, MM_READ);
		if (!is_free_buddy(mm, buddy, zone, order))
			break;
		mm_work(mm, cpu, MM_SITE_MERGE, 1);
		del_block(mm, cpu, zone, buddy, order);
		mm->counters.merges++;
		if (buddy_pfn < pfn) {
			page = buddy;
			pfn = buddy_pfn;
		}
		order++;
	}
	add_block(mm, cpu, zone, page, order, merge_likely(mm, zone, page, pfn, order));
}

/* A run of whole largest blocks, at the end of what is pristine. */
static int add_pristine(struct mm_zone *zone, pfn_t start, pfn_t end)
{
	struct mm_extent *last = zone->pristine + zone->nr_pristine, *grown;

	if (zone->nr_pristine && last[-1].end == start) {
		last[-1].end = end;
	} else {
		grown = realloc(zone->pristine, (zone->nr_pristine + 1) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		zone->pristine = grown;
		zone->pristine[zone->nr_pristine++] = (struct mm_extent){start, end};
	}
	zone->nr_free += end - start;
	zone->free_area[MAX_PAGE_ORDER].nr_free += (end - start) >> MAX_PAGE_ORDER;
	return 0;
}

int mm_buddy_release(struct mm *mm, struct mm_zone *zone, pfn_t start, pfn_t end)
{
	while (start < end) {
		unsigned order = MAX_PAGE_ORDER;
		struct page *page;

		while ((start & ((UINT64_C(1) << order) - 1)) ||
		       start + (UINT64_C(1) << order) > end)
			order--;
		if (order == MAX_PAGE_ORDER) {
			pfn_t whole = mm_round_block_down(end);
			int err = add_pristine(zone, start, whole);

			if (err)
				return err;
			start = whole;
			continue;
		}
		page = mm->model->pfn_to_page(mm, MM_NO_CPU, start);
		mm_page_init(mm, page, start, zone);
		zone->nr_free += UINT64_C(1) << order;
		add_block(mm, MM_NO_CPU, zone, page, order, true);
		start += UINT64_C(1) << order;
	}
	return 0;
}
