/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The free scanner: from the zone's end downwards it takes free blocks apart for the pages that the
 * migrate scanner has found, out of page blocks that are movable and not wholly free. For an order
 * it looks at the free lists first.
 *
 * Follows Linux 6.1 mm/compaction.c (isolate_freepages, isolate_freepages_block,
 * fast_isolate_freepages).
 */
#include "mm/compact/compact_run.h"
#include "mm/zone_count.h"

/* Take a free block off its list, single pages. Not below the minimum watermark. */
static uint64_t take_block(struct mm_compact_run *run, struct page *page)
{
	struct mm *mm = run->mm;
	struct mm_zone *zone = run->zone;
	pfn_t pfn = mm_pfn_of(mm, page);
	unsigned order = page->order;
	uint64_t nr = UINT64_C(1) << order;
	enum mm_migratetype type = mm_pageblock_type(mm, zone, pfn);

	if (type != MM_ISOLATE &&
	    !mm_zone_watermark_ok(zone, 0, zone->wmark[MM_WMARK_MIN] + nr, 0, ALLOC_CMA))
		return 0;
	mm_buddy_pull(mm, run->cpu, zone, page);
	/* Most of the page block will be movable. */
	if (order + 1 >= mm->arch->pageblock_order && type < MM_NR_PCPTYPES)
		for (pfn_t p = pfn; p < pfn + nr; p += mm_pageblock_pages(mm))
			mm_pageblock_set_type(mm, zone, p, MM_MOVABLE);
	for (uint64_t i = 0; i < nr; i++) {
		mm_page_init(mm, page + i, pfn + i, zone);
		page[i].order = 0;
		page_list_add_tail(&run->free, page + i);
	}
	run->nr_free += nr;
	return nr;
}

/* A huge page has no free page in it. */
static uint64_t used_pages(const struct page *page)
{
	bool whole = page->refcount && page->order && !(page->flags & (PG_BUDDY | PG_HELD));

	return whole ? UINT64_C(1) << page->order : 1;
}

/* From *pfn on within a page block, every `stride`th page; *pfn becomes where it stopped. */
static uint64_t scan_block(struct mm_compact_run *run, struct page *page, pfn_t *pfn, pfn_t end,
			   unsigned stride)
{
	uint64_t scanned = 0, isolated = 0;
	pfn_t at = *pfn, start = at;
	bool locked = false;

	for (; at < end; at += stride) {
		struct page *p = page + (at - start);
		uint64_t nr;

		if (at % MM_COMPACT_CLUSTER == 0) {
			if (locked)
				mm_zone_unlock(run->mm, run->cpu, run->zone);
			locked = false;
			run->cpu = mm_resched(run->mm, run->cpu);
		}
		scanned++;
		mm_compact_look(run, p);
		at += used_pages(p) - 1;
		if (!(p->flags & PG_BUDDY))
			continue;
		if (!locked) {
			mm_compact_lock(run);
			locked = true;
			if (!(p->flags & PG_BUDDY))
				continue;
		}
		nr = take_block(run, p);
		if (!nr)
			break;
		scanned += nr - 1;
		isolated += nr;
		if (run->nr_pages <= run->nr_free) {
			at += nr;
			break;
		}
		at += nr - 1;
	}
	if (locked)
		mm_zone_unlock(run->mm, run->cpu, run->zone);
	*pfn = at < end ? at : end;
	run->free_scanned += scanned;
	mm_count(run->mm, run->cpu, MM_VM_COMPACT_ISOLATED, isolated);
	return isolated;
}

/* Not into what is free as a whole, nor among what cannot be moved. */
static bool is_target(const struct mm_compact_run *run, const struct page *page, pfn_t pfn)
{
	enum mm_migratetype type = mm_pageblock_type(run->mm, run->zone, pfn);

	if (mm_free_order(run, page, pfn) >= (int)run->mm->arch->pageblock_order)
		return false;
	return run->any_target || type == MM_MOVABLE || type == MM_CMA;
}

/* What else is free in the page block of a block that was found on the free lists. */
static void isolate_around(struct mm_compact_run *run, pfn_t pfn)
{
	struct mm *mm = run->mm;
	pfn_t start = mm_pageblock_start(mm, pfn), end = mm_pageblock_end(mm, pfn), zone_end;
	struct page *page;

	if (run->nr_free >= run->nr_pages || (run->direct && run->mode == MM_MIGRATE_ASYNC))
		return;
	zone_end = mm_zone_end(run->zone);
	start = start < run->zone->start_pfn ? run->zone->start_pfn : start;
	end = end < zone_end ? end : zone_end;
	page = mm_block_page(run, start, end);
	if (!page)
		return;
	scan_block(run, page, &start, end, 1);
	if (start == end)
		*mm_pageblock_skip(mm, run->zone, pfn) = true;
}

/* A search of the free lists, and what it has come by. */
struct search {
	pfn_t low, min; /* above low: good; above min: will do */
	pfn_t highest;  /* page block of the highest that was seen */
	unsigned limit; /* blocks of a list that are looked at */
	unsigned scanned;
};

/* The list then begins with `page`. */
static void rotate_to(struct page_list *list, struct page *page)
{
	if (list->head == page)
		return;
	list->tail->next = list->head;
	list->head->prev = list->tail;
	list->head = page;
	list->tail = page->prev;
	list->tail->next = NULL;
	page->prev = NULL;
}

/* From the tail of one list; the highest that will do where none is good. */
static struct page *search_list(struct mm_compact_run *run, struct search *s,
				struct page_list *list, int order, unsigned *seen)
{
	struct page *page, *fair = NULL;
	pfn_t fair_pfn = 0;

	for (page = list->tail; page; page = page->prev) {
		pfn_t pfn = mm_pfn_of(run->mm, page), block = mm_pageblock_start(run->mm, pfn);

		mm_compact_look(run, page);
		++*seen;
		s->scanned++;
		if (pfn >= s->highest)
			s->highest = block > run->zone->start_pfn ? block : run->zone->start_pfn;
		if (pfn >= s->low) {
			run->fast_fails = 0;
			run->search_order = order;
			rotate_to(list, page);
			return page;
		}
		if (pfn >= s->min && pfn > fair_pfn) {
			fair = page;
			fair_pfn = pfn;
			s->limit >>= 1;
		}
		if (*seen >= s->limit)
			break;
	}
	if (fair || page)
		rotate_to(list, fair ? fair : page);
	return fair;
}

/* Orders in turn, from the last one that had something. -1 after all. */
static int next_order(struct mm_compact_run *run, int order)
{
	if (--order < 0)
		order = run->order - 1;
	if (order != run->search_order)
		return order;
	if (--run->search_order < 0)
		run->search_order = run->order - 1;
	return -1;
}

/* Returns whether a block was taken; *pfn is where. */
static bool search_lists(struct mm_compact_run *run, struct search *s, pfn_t *pfn)
{
	bool found = false;

	if (run->search_order > run->order - 1)
		run->search_order = run->order - 1;
	for (int order = run->search_order; !found && order >= 0; order = next_order(run, order)) {
		struct page_list *list = &run->zone->free_area[order].lists[MM_MOVABLE];
		struct page *page;
		unsigned seen = 0;
		uint64_t nr = 0;

		if (!list->head)
			continue;
		mm_zone_lock(run->mm, run->cpu, run->zone);
		page = search_list(run, s, list, order, &seen);
		if (page) {
			*pfn = mm_pfn_of(run->mm, page);
			nr = take_block(run, page);
			found = nr > 0;
		}
		mm_zone_unlock(run->mm, run->cpu, run->zone);
		mm_count(run->mm, run->cpu, MM_VM_COMPACT_ISOLATED, nr);
		/* The zone is too low on memory for any. */
		if (page && !found)
			order = run->search_order + 1;
		if (seen >= s->limit)
			s->limit = s->limit > 3 ? s->limit >> 1 : 1;
	}
	return found;
}

/* A zone whose free memory was all found far down: no need to come from its end. */
static bool jump_down(struct mm_compact_run *run, const struct search *s, pfn_t *pfn)
{
	pfn_t end = mm_pageblock_end(run->mm, s->min), zone_end = mm_zone_end(run->zone);

	if (s->highest >= s->min) {
		run->free_pfn = *pfn = s->highest;
		return true;
	}
	if (!run->direct)
		return false;
	run->free_pfn = *pfn = s->min;
	return mm_block_page(run, s->min, end < zone_end ? end : zone_end);
}

static void search_free_lists(struct mm_compact_run *run)
{
	struct mm_compact_memory *c = &run->zone->compact;
	pfn_t distance = run->free_pfn - run->migrate_pfn, pfn = 0;
	bool at_start = run->free_pfn >= c->init_free_pfn, found;
	unsigned limit = mm_search_limit(run) / 2;
	struct search s = {
		.low = mm_pageblock_start(run->mm, run->free_pfn - distance / 4),
		.min = mm_pageblock_start(run->mm, run->free_pfn - distance / 2),
		.limit = limit ? limit : 1,
	};

	if (run->order <= 0)
		return;
	if (at_start)
		s.limit = (unsigned)(mm_pageblock_pages(run->mm) / 2);
	found = search_lists(run, &s, &pfn);
	if (!found) {
		run->fast_fails++;
		found = at_start && jump_down(run, &s, &pfn);
	}
	if (s.highest && s.highest >= c->free_pfn)
		c->free_pfn = s.highest - mm_pageblock_pages(run->mm);
	run->free_scanned += s.scanned;
	if (found)
		isolate_around(run, pfn);
}

void mm_isolate_freepages(struct mm_compact_run *run)
{
	struct mm *mm = run->mm;
	pfn_t block = mm_pageblock_pages(mm), at, start, end, low;
	unsigned stride = run->mode == MM_MIGRATE_ASYNC ? MM_COMPACT_CLUSTER : 1;

	/* The scanners have passed each other: nothing lies between them. */
	if (run->free_pfn <= run->migrate_pfn)
		return;
	search_free_lists(run);
	if (run->nr_free)
		return;
	at = run->free_pfn;
	start = mm_pageblock_start(mm, at);
	end = start + block < mm_zone_end(run->zone) ? start + block : mm_zone_end(run->zone);
	low = mm_pageblock_end(mm, run->migrate_pfn);
	for (; start >= low; end = start, at = start -= block) {
		struct page *page;
		uint64_t nr;

		if (start % (MM_COMPACT_CLUSTER * block) == 0)
			run->cpu = mm_resched(mm, run->cpu);
		page = mm_block_page(run, start, end);
		if (!page || !is_target(run, page, start) ||
		    (!run->ignore_skips && *mm_pageblock_skip(mm, run->zone, start)))
			continue;
		nr = scan_block(run, page + (at - start), &at, end, stride);
		if (at == end) {
			*mm_pageblock_skip(mm, run->zone, start) = true;
			if (start < run->zone->compact.free_pfn)
				run->zone->compact.free_pfn = start;
		}
		if (run->nr_free >= run->nr_pages) {
			if (at >= end)
				at = start - block;
			break;
		}
		/* Short of memory. */
		if (at < end)
			break;
		stride = nr ? 1 : stride < MM_COMPACT_CLUSTER ? 2 * stride : MM_COMPACT_CLUSTER;
	}
	run->free_pfn = at;
}
