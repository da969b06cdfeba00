/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The buddy lists of a zone: free blocks of 2^order frames, aligned to their size, a list for each
 * order and mobility. A block that is too large is split, its upper halves staying free; a block
 * that comes back merges with its buddy as long as that is free and in the same zone, of whichever
 * mobility as long as it is smaller than a page block.
 *
 * The caller holds the zone lock (or is the boot, which nobody sees). Knows no watermarks, no
 * per-CPU lists, and not which mobility may take from which: that is fallback.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mm/alloc/pageblock.h"
#include "mm/internal.h"
#include "mm/zone_count.h"

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

/* What an edit of one of its lists touches: the head of that list, and the count behind them all.
 */
static void touch_area(struct mm *mm, int cpu, const struct mm_zone *zone, unsigned order,
		       enum mm_migratetype type)
{
	phys_addr_t at = free_area_at(zone, order);

	mm_touch(mm, cpu, at + (phys_addr_t)type * 16, 16, MM_WRITE);
	mm_touch(mm, cpu, at + MM_FREE_AREA_STRIDE - 8, 8, MM_WRITE);
}

static void add_block(struct mm *mm, int cpu, struct mm_zone *zone, struct page *page,
		      unsigned order, enum mm_migratetype type, bool to_tail)
{
	struct mm_free_area *area = &zone->free_area[order];
	struct page_list *list = &area->lists[type];
	const struct page *neighbour = to_tail ? list->tail : list->head;

	page->flags |= PG_BUDDY;
	page->order = (uint8_t)order;
	page->migratetype = (uint8_t)type;
	if (to_tail)
		page_list_add_tail(list, page);
	else
		page_list_add_head(list, page);
	area->nr_free[type]++;

	touch_area(mm, cpu, zone, order, type);
	mm_touch_page(mm, cpu, page, MM_WRITE);
	if (neighbour)
		mm_touch_page(mm, cpu, neighbour, MM_STORE);
}

/* Of what is free, CMA page blocks have so much more. */
static inline void count_cma(struct mm *mm, int cpu, struct mm_zone *zone, enum mm_migratetype type,
			     int64_t pages)
{
	if (UNLIKELY(type == MM_CMA))
		mm_mod_zone_stat(mm, cpu, zone, MM_ZS_FREE_CMA, pages);
}

static void del_block(struct mm *mm, int cpu, struct mm_zone *zone, struct page *page,
		      unsigned order)
{
	struct mm_free_area *area = &zone->free_area[order];
	const struct page *next = page->next, *prev = page->prev;

	page_list_del(&area->lists[page->migratetype], page);
	area->nr_free[page->migratetype]--;
	page->flags &= ~(uint64_t)PG_BUDDY;

	touch_area(mm, cpu, zone, order, (enum mm_migratetype)page->migratetype);
	mm_touch_page(mm, cpu, page, MM_WRITE);
	if (next)
		mm_touch_page(mm, cpu, next, MM_STORE);
	if (prev)
		mm_touch_page(mm, cpu, prev, MM_STORE);
}

/* Cut a block of order `high` down to `low`; the upper halves go to the heads of their lists. */
static void split(struct mm *mm, int cpu, struct mm_zone *zone, struct page *page, unsigned low,
		  unsigned high, enum mm_migratetype type)
{
	pfn_t pfn = mm_pfn_of(mm, page);

	mm->counters.splits += high - low;
	if (high == MAX_PAGE_ORDER && !low)
		mm_map_populate(page, UINT64_C(1) << high);
	while (high > low) {
		struct page *upper = page + (UINT64_C(1) << --high);

		mm_work(mm, cpu, MM_SITE_SPLIT, 1);
		mm_page_init(mm, upper, pfn + (UINT64_C(1) << high), zone);
		add_block(mm, cpu, zone, upper, high, type, false);
	}
}

/*
 * Put pristine blocks on the list until it has a head and a successor, which is as far as taking
 * the head looks.
 */
static void list_pristine(struct mm *mm, struct mm_zone *zone)
{
	struct page_list *list = &zone->free_area[MAX_PAGE_ORDER].lists[MM_MOVABLE];

	while (zone->next_pristine < zone->nr_pristine && (!list->head || !list->head->next)) {
		struct mm_extent *e = &zone->pristine[zone->next_pristine];
		struct page *page = mm->model->pfn_to_page(mm, MM_NO_CPU, e->start);

		/* Ranges are used up in turn: at worst the host gives three times what is needed.
		 */
		if (zone->pristine_used * sizeof(*page) >= MM_HOST_HUGE_BYTES / 2)
			mm_map_use(page, e->end - e->start);
		zone->pristine_used += UINT64_C(1) << MAX_PAGE_ORDER;
		mm_page_init(mm, page, e->start, zone);
		page->flags |= PG_BUDDY;
		page->order = MAX_PAGE_ORDER;
		page->migratetype = MM_MOVABLE;
		page_list_add_tail(list, page);
		e->start += UINT64_C(1) << MAX_PAGE_ORDER;
		if (e->start == e->end)
			zone->next_pristine++;
	}
}

struct page *mm_buddy_first(struct mm *mm, struct mm_zone *zone, unsigned order,
			    enum mm_migratetype type)
{
	if (order == MAX_PAGE_ORDER && type == MM_MOVABLE)
		list_pristine(mm, zone);
	return zone->free_area[order].lists[type].head;
}

struct page *mm_buddy_take(struct mm *mm, int cpu, struct mm_zone *zone, unsigned order,
			   enum mm_migratetype type)
{
	for (unsigned o = order; o < NR_PAGE_ORDERS; o++) {
		struct page *page = mm_buddy_first(mm, zone, o, type);

		if (!page)
			continue;
		zone->nr_free -= UINT64_C(1) << order;
		mm_work(mm, cpu, MM_SITE_RMQUEUE, 1);
		del_block(mm, cpu, zone, page, o);
		if (o > order)
			split(mm, cpu, zone, page, order, o, type);
		page->order = (uint8_t)order;
		count_cma(mm, cpu, zone, type, -(INT64_C(1) << order));
		return page;
	}
	return NULL;
}

void mm_buddy_move(struct mm *mm, int cpu, struct mm_zone *zone, struct page *page,
		   enum mm_migratetype type)
{
	unsigned order = page->order;

	count_cma(mm, cpu, zone, (enum mm_migratetype)page->migratetype, -(INT64_C(1) << order));
	count_cma(mm, cpu, zone, type, INT64_C(1) << order);
	del_block(mm, cpu, zone, page, order);
	add_block(mm, cpu, zone, page, order, type, true);
}

void mm_buddy_pull(struct mm *mm, int cpu, struct mm_zone *zone, struct page *page)
{
	zone->nr_free -= UINT64_C(1) << page->order;
	mm_count_free(mm, cpu, zone, -(INT64_C(1) << page->order));
	count_cma(mm, cpu, zone, (enum mm_migratetype)page->migratetype,
		  -(INT64_C(1) << page->order));
	mm_work(mm, cpu, MM_SITE_ISOLATE, 1);
	del_block(mm, cpu, zone, page, page->order);
}

void mm_buddy_add(struct mm *mm, int cpu, struct mm_zone *zone, struct page *page, pfn_t pfn,
		  unsigned order, enum mm_migratetype type)
{
	mm_page_init(mm, page, pfn, zone);
	zone->nr_free += UINT64_C(1) << order;
	mm_count_free(mm, cpu, zone, INT64_C(1) << order);
	count_cma(mm, cpu, zone, type, INT64_C(1) << order);
	add_block(mm, cpu, zone, page, order, type, true);
}

/* They are in ascending order. */
pfn_t mm_pristine_end(const struct mm_zone *zone, pfn_t pfn)
{
	size_t low = zone->next_pristine, high = zone->nr_pristine;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (zone->pristine[mid].end <= pfn)
			low = mid + 1;
		else
			high = mid;
	}
	return low < zone->nr_pristine && zone->pristine[low].start <= pfn ? zone->pristine[low].end
									   : 0;
}

/* The i-th range loses [start, end), which lies in it. */
static int cut_pristine(struct mm_zone *zone, size_t i, pfn_t start, pfn_t end)
{
	struct mm_extent *e = &zone->pristine[i], *grown;
	size_t behind = zone->nr_pristine - i - 1;

	if (e->start == start && e->end == end) {
		memmove(e, e + 1, behind * sizeof(*e));
		zone->nr_pristine--;
	} else if (e->start == start) {
		e->start = end;
	} else if (e->end == end) {
		e->end = start;
	} else {
		grown = realloc(zone->pristine, (zone->nr_pristine + 1) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		zone->pristine = grown;
		e = &grown[i];
		memmove(e + 1, e, (behind + 1) * sizeof(*e));
		zone->nr_pristine++;
		e[0].end = start;
		e[1].start = end;
	}
	return 0;
}

int mm_buddy_unfold(struct mm *mm, struct mm_zone *zone, pfn_t start, pfn_t end)
{
	for (size_t i = zone->next_pristine; i < zone->nr_pristine; i++) {
		const struct mm_extent *e = &zone->pristine[i];
		pfn_t from = mm_round_block_down(start), to = mm_round_block_up(end);

		from = from > e->start ? from : e->start;
		to = to < e->end ? to : e->end;
		if (from >= to)
			continue;
		if (cut_pristine(zone, i, from, to))
			return -ENOMEM;
		for (; from < to; from += UINT64_C(1) << MAX_PAGE_ORDER) {
			struct page *page = mm->model->pfn_to_page(mm, MM_NO_CPU, from);

			mm_page_init(mm, page, from, zone);
			page->flags |= PG_BUDDY;
			page->order = MAX_PAGE_ORDER;
			page->migratetype = MM_MOVABLE;
			page_list_add_tail(&zone->free_area[MAX_PAGE_ORDER].lists[MM_MOVABLE],
					   page);
		}
		/* A range may have gone, or become two. */
		i = zone->next_pristine - 1;
	}
	return 0;
}

static bool is_free_buddy(const struct mm *mm, const struct page *buddy, const struct mm_zone *zone,
			  unsigned order)
{
	uint64_t flags = buddy->flags & (mm->zone_flags_mask | PG_BUDDY);

	return flags == (zone->page_flags | PG_BUDDY) && buddy->order == order;
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

/* What is set apart (highatomic, CMA, isolated) does not merge with another page block. */
static bool blocks_merge(const struct mm *mm, const struct mm_zone *zone, pfn_t buddy_pfn,
			 enum mm_migratetype type)
{
	enum mm_migratetype other = mm_pageblock_type(mm, zone, buddy_pfn);

	return type == other || (type < MM_NR_PCPTYPES && other < MM_NR_PCPTYPES);
}

/*
 * Small blocks do not leave movable page blocks this way, lest these get mixed without need; nor
 * does anything that is set apart.
 */
static bool capture(struct mm *mm, int cpu, struct mm_zone *zone, struct page *page, unsigned order,
		    enum mm_migratetype type)
{
	struct mm_capture *c = cpu != MM_NO_CPU && zone->pcp ? zone->pcp[cpu].capture : NULL;

	if (!c || c->page || order != c->order || type == MM_CMA || type == MM_ISOLATE ||
	    (type == MM_MOVABLE && order < mm->arch->pageblock_order))
		return false;
	zone->nr_free -= UINT64_C(1) << order;
	mm_count_free(mm, cpu, zone, -(INT64_C(1) << order));
	c->page = page;
	return true;
}

void mm_buddy_give(struct mm *mm, int cpu, struct mm_zone *zone, struct page *page, pfn_t pfn,
		   unsigned order, enum mm_migratetype type)
{
	zone->nr_free += UINT64_C(1) << order;
	mm_work(mm, cpu, MM_SITE_BUDDY_FREE, 1);
	mm_count_free(mm, cpu, zone, INT64_C(1) << order);
	count_cma(mm, cpu, zone, type, INT64_C(1) << order);
	while (order < MAX_PAGE_ORDER) {
		pfn_t buddy_pfn = pfn ^ (UINT64_C(1) << order);
		struct page *buddy = page + ((int64_t)buddy_pfn - (int64_t)pfn);

		if (capture(mm, cpu, zone, page, order, type))
			return;
		mm_touch_page(mm, cpu, buddy, MM_READ);
		if (!is_free_buddy(mm, buddy, zone, order) ||
		    (order >= mm->arch->pageblock_order &&
		     !blocks_merge(mm, zone, buddy_pfn, type)))
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
	add_block(mm, cpu, zone, page, order, type, merge_likely(mm, zone, page, pfn, order));
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
	zone->free_counter += (int64_t)(end - start);
	zone->free_area[MAX_PAGE_ORDER].nr_free[MM_MOVABLE] += (end - start) >> MAX_PAGE_ORDER;
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
		zone->free_counter += INT64_C(1) << order;
		add_block(mm, MM_NO_CPU, zone, page, order, MM_MOVABLE, true);
		start += UINT64_C(1) << order;
	}
	return 0;
}

int mm_buddy_release_more(struct mm *mm, struct mm_zone *zone, pfn_t start, pfn_t end)
{
	/* What is pristine is in ascending order, and behind all that is listed. */
	if (zone->next_pristine < zone->nr_pristine &&
	    zone->pristine[zone->nr_pristine - 1].end > start &&
	    mm_buddy_unfold(mm, zone, zone->start_pfn, zone->start_pfn + zone->spanned))
		return -ENOMEM;
	if (zone->next_pristine == zone->nr_pristine)
		zone->next_pristine = zone->nr_pristine = 0;
	return mm_buddy_release(mm, zone, start, end);
}

void mm_buddy_put(struct mm *mm, struct mm_zone *zone, pfn_t pfn, unsigned order,
		  enum mm_migratetype type)
{
	struct page *page = mm->model->pfn_to_page(mm, MM_NO_CPU, pfn);

	mm_page_init(mm, page, pfn, zone);
	zone->nr_free += UINT64_C(1) << order;
	zone->free_counter += INT64_C(1) << order;
	count_cma(mm, MM_NO_CPU, zone, type, INT64_C(1) << order);
	add_block(mm, MM_NO_CPU, zone, page, order, type, true);
}
