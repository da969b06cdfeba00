/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a zone does when a mobility has no free block left: take one of another, as large as there
 * is, so that page blocks get mixed as rarely as possible. A request whose pages stay where they
 * are takes all that is free in the page block with it, and the block itself where most of it is
 * then alike. Each time a block gets mixed, the zone's watermarks are raised for a while, so that
 * kswapd makes room before it happens again.
 *
 * Also the page blocks that are kept for requests of several pages that cannot wait (highatomic).
 * The caller holds the zone lock.
 */
#include "mm/alloc/pageblock.h"
#include "mm/zone_count.h"

#define NO_TYPE MM_NR_MIGRATETYPES

/* Whom each mobility takes from, the better choice first. */
static const enum mm_migratetype fallbacks[MM_NR_PCPTYPES][2] = {
	[MM_UNMOVABLE] = {MM_RECLAIMABLE, MM_MOVABLE},
	[MM_MOVABLE] = {MM_RECLAIMABLE, MM_UNMOVABLE},
	[MM_RECLAIMABLE] = {MM_UNMOVABLE, MM_MOVABLE},
};

/* May `type` take more than the one free block, whose order is given? */
static bool may_take_whole(const struct mm *mm, unsigned order, enum mm_migratetype type)
{
	return order >= mm->arch->pageblock_order / 2 || type == MM_RECLAIMABLE ||
	       type == MM_UNMOVABLE || mm->ungrouped;
}

static enum mm_migratetype find_fallback(struct mm *mm, struct mm_zone *zone, unsigned order,
					 enum mm_migratetype type)
{
	for (int i = 0; i < 2; i++)
		if (mm_buddy_first(mm, zone, order, fallbacks[type][i]))
			return fallbacks[type][i];
	return NO_TYPE;
}

int mm_stealable_type(struct mm *mm, struct mm_zone *zone, unsigned order, enum mm_migratetype type)
{
	enum mm_migratetype from = NO_TYPE;

	if (type < MM_NR_PCPTYPES && may_take_whole(mm, order, type))
		from = find_fallback(mm, zone, order, type);
	return from == NO_TYPE ? -1 : (int)from;
}

struct block_census {
	uint64_t free, movable; /* pages */
};

/*
 * What is free in the page block around `pfn` goes to `type`, if the zone spans all of the block. A
 * node between two ranges of another may have frames in it, too: they are none of this zone's.
 */
static struct block_census move_free_pages(struct mm *mm, int cpu, struct mm_zone *zone,
					   struct page *page, pfn_t pfn, enum mm_migratetype type)
{
	uint64_t nr = mm_pageblock_pages(mm);
	pfn_t start = pfn & ~(nr - 1), end = start + nr;
	struct block_census c = {0};

	if (end > zone->start_pfn + zone->spanned)
		return c;
	if (start < zone->start_pfn)
		start = pfn;
	page -= pfn - start;
	mm_work(mm, cpu, MM_SITE_BLOCK_SCAN, (uint32_t)(end - start));
	mm_touch_pages(mm, cpu, page, end - start, MM_READ);
	while (start < end) {
		uint64_t step = 1;
		bool head = (page->flags & PG_BUDDY) || page->refcount;

		if (head)
			step = UINT64_C(1) << page->order;
		if (head && mm_page_zone(mm, page) == zone) {
			if (page->flags & PG_BUDDY) {
				mm_buddy_move(mm, cpu, zone, page, type);
				c.free += step;
			} else if (page->flags & PG_LRU) {
				c.movable += step;
			}
		}
		start += step;
		page += step;
	}
	return c;
}

uint64_t mm_move_free_pages(struct mm *mm, int cpu, struct mm_zone *zone, struct page *page,
			    pfn_t pfn, enum mm_migratetype type)
{
	return move_free_pages(mm, cpu, zone, page, pfn, type).free;
}

/* A block that spans page blocks takes all of them with it. */
static void claim_blocks(struct mm *mm, struct mm_zone *zone, pfn_t pfn, unsigned order,
			 enum mm_migratetype type)
{
	for (uint64_t i = 0; i < UINT64_C(1) << order; i += mm_pageblock_pages(mm))
		mm_pageblock_set_type(mm, zone, pfn + i, type);
}

/*
 * Raise the watermarks by one page block, up to watermark_boost_factor of the high one. Small zones
 * would be closed by it.
 */
static bool boost_watermarks(struct mm *mm, struct mm_zone *zone)
{
	uint64_t block = mm_pageblock_pages(mm);
	uint64_t most = zone->wmark[MM_WMARK_HIGH] * mm->params.watermark_boost_factor / 10000;

	if (!mm->params.watermark_boost_factor || block * 4 > zone->managed || !most)
		return false;
	if (most < block)
		most = block;
	zone->boost = zone->boost + block < most ? zone->boost + block : most;
	return true;
}

/* Make the free block `page` of type `from`, and perhaps what is around it, `type`'s. */
static void steal(struct mm *mm, int cpu, struct mm_zone *zone, struct page *page,
		  enum mm_migratetype type, unsigned alloc_flags, bool whole)
{
	unsigned block_order = mm->arch->pageblock_order;
	pfn_t pfn = mm_pfn_of(mm, page);
	enum mm_migratetype old = mm_pageblock_type(mm, zone, pfn);
	struct block_census c = {0};
	uint64_t alike = 0;

	if (old == MM_HIGHATOMIC) {
		mm_buddy_move(mm, cpu, zone, page, type);
		return;
	}
	if (page->order >= block_order) {
		claim_blocks(mm, zone, pfn, page->order, type);
		mm_buddy_move(mm, cpu, zone, page, type);
		return;
	}
	if (boost_watermarks(mm, zone) && (alloc_flags & ALLOC_KSWAPD))
		zone->boosted = true;
	if (whole)
		c = move_free_pages(mm, cpu, zone, page, pfn, type);
	if (!c.free) {
		mm_buddy_move(mm, cpu, zone, page, type);
		return;
	}
	if (type == MM_MOVABLE)
		alike = c.movable;
	else if (old == MM_MOVABLE)
		alike = mm_pageblock_pages(mm) - c.free - c.movable;
	if (c.free + alike >= mm_pageblock_pages(mm) / 2 || mm->ungrouped)
		mm_pageblock_set_type(mm, zone, pfn, type);
}

static void emit_extfrag(struct mm *mm, int cpu, const struct mm_zone *zone,
			 const struct page *page, const struct mm_event *what)
{
	struct mm_event ev = *what;

	if (!mm_tells(mm, MM_EVENT_EXTFRAG) || cpu == MM_NO_CPU)
		return;
	ev.type = MM_EVENT_EXTFRAG;
	ev.pageblock_order = mm->arch->pageblock_order;
	ev.page = page;
	ev.pfn = mm_pfn_of(mm, page);
	ev.nid = zone->nid;
	ev.zone = zone->index;
	ev.change_ownership =
		mm_pageblock_type(mm, zone, ev.pfn) == (enum mm_migratetype)ev.migratetype;
	mm_emit(mm, cpu, &ev);
}

/*
 * Largest block first: it leaves the other mobility's page blocks whole longest. A movable request
 * that would break up a page block takes the smallest that fits instead: its pages can be moved
 * away again.
 */
static NOINLINE bool fall_back(struct mm *mm, int cpu, struct mm_zone *zone, unsigned order,
			       enum mm_migratetype type, unsigned alloc_flags)
{
	unsigned least = alloc_flags & ALLOC_NOFRAGMENT ? mm->arch->pageblock_order : order;
	enum mm_migratetype from = NO_TYPE;
	struct mm_event ev;
	struct page *page;
	unsigned o;
	bool whole;

	mm_work(mm, cpu, MM_SITE_FALLBACK, 1);
	for (o = NR_PAGE_ORDERS; o-- > least && from == NO_TYPE;)
		from = find_fallback(mm, zone, o, type);
	if (from == NO_TYPE)
		return false;
	whole = may_take_whole(mm, ++o, type);
	if (!whole && o > order)
		for (o = order; (from = find_fallback(mm, zone, o, type)) == NO_TYPE;)
			o++;
	page = mm_buddy_first(mm, zone, o, from);
	ev = (struct mm_event){.order = order,
			       .fallback_order = o,
			       .migratetype = type,
			       .fallback_migratetype = from};
	steal(mm, cpu, zone, page, type, alloc_flags, whole);
	emit_extfrag(mm, cpu, zone, page, &ev);
	mm->counters.steals++;
	return true;
}

/* What a mobility that has none left gets, from CMA page blocks first. */
static NOINLINE struct page *rmqueue_other(struct mm *mm, int cpu, struct mm_zone *zone,
					   unsigned order, enum mm_migratetype type,
					   unsigned alloc_flags)
{
	struct page *page = NULL;

	while (!page) {
		if (alloc_flags & ALLOC_CMA)
			page = mm_buddy_take(mm, cpu, zone, order, MM_CMA);
		if (!page && !fall_back(mm, cpu, zone, order, type, alloc_flags))
			break;
		if (!page)
			page = mm_buddy_take(mm, cpu, zone, order, type);
	}
	return page;
}

struct page *mm_rmqueue(struct mm *mm, int cpu, struct mm_zone *zone, unsigned order,
			enum mm_migratetype type, unsigned alloc_flags)
{
	struct page *page = NULL;

	/* Movable pages fill CMA page blocks as long as those hold most of what is free. */
	if ((alloc_flags & ALLOC_CMA) && mm_zone_free_cma(zone) > mm_zone_free(zone) / 2)
		page = mm_buddy_take(mm, cpu, zone, order, MM_CMA);
	if (!page)
		page = mm_buddy_take(mm, cpu, zone, order, type);
	return page ? page : rmqueue_other(mm, cpu, zone, order, type, alloc_flags);
}

/* One page block, or one in a hundred of the zone's. */
void mm_reserve_highatomic(struct mm *mm, int cpu, struct mm_zone *zone, const struct page *page)
{
	uint64_t block = mm_pageblock_pages(mm), most = zone->managed / 100 + block;
	pfn_t pfn = mm_pfn_of(mm, page);

	if (zone->nr_reserved_highatomic >= most)
		return;
	mm_zone_lock(mm, cpu, zone);
	if (zone->nr_reserved_highatomic < most &&
	    mm_pageblock_type(mm, zone, pfn) < MM_NR_PCPTYPES) {
		zone->nr_reserved_highatomic += block;
		mm_pageblock_set_type(mm, zone, pfn, MM_HIGHATOMIC);
		move_free_pages(mm, cpu, zone, (struct page *)page, pfn, MM_HIGHATOMIC);
	}
	mm_zone_unlock(mm, cpu, zone);
}

bool mm_unreserve_highatomic(struct mm *mm, int cpu, struct mm_zone *zone, enum mm_migratetype type,
			     bool force)
{
	uint64_t block = mm_pageblock_pages(mm), moved = 0;

	if (!zone->nr_reserved_highatomic || (!force && zone->nr_reserved_highatomic <= block))
		return false;
	mm_zone_lock(mm, cpu, zone);
	for (unsigned o = 0; o < NR_PAGE_ORDERS && !moved; o++) {
		struct page *page = mm_buddy_first(mm, zone, o, MM_HIGHATOMIC);
		pfn_t pfn = page ? mm_pfn_of(mm, page) : 0;

		if (!page || mm_pageblock_type(mm, zone, pfn) != MM_HIGHATOMIC)
			continue;
		zone->nr_reserved_highatomic -=
			block < zone->nr_reserved_highatomic ? block : zone->nr_reserved_highatomic;
		mm_pageblock_set_type(mm, zone, pfn, type);
		moved = move_free_pages(mm, cpu, zone, page, pfn, type).free;
	}
	mm_zone_unlock(mm, cpu, zone);
	return moved > 0;
}
