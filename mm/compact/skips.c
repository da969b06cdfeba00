/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page blocks that scanners of compaction pass over, as they were of no use of late, and how that
 * is forgotten: once a run has come to the zone's end, and kswapd has nothing to do.
 *
 * Follows Linux 6.1 mm/compaction.c (__reset_isolation_suitable).
 */
#include "mm/compact/compact_run.h"

void mm_compact_rewind(struct mm *mm, struct mm_zone *zone)
{
	struct mm_compact_memory *c = &zone->compact;

	c->migrate_pfn[0] = c->migrate_pfn[1] = zone->start_pfn;
	c->free_pfn = mm_pageblock_start(mm, mm_zone_end(zone) - 1);
}

/* What a page block could be of use as. */
struct use {
	bool source, target;
};

/* Does one page in eight suggest that it is? */
static bool sample(const struct mm_compact_run *run, const struct page *page, pfn_t start,
		   pfn_t end, struct use use)
{
	for (pfn_t pfn = start; pfn < end; pfn += 1 << PAGE_ALLOC_COSTLY_ORDER) {
		const struct page *p = page + (pfn - start);

		if (use.source && p->refcount && (p->flags & PG_LRU))
			return true;
		if (use.target && mm_free_order(run, p, pfn) >= 0)
			return true;
	}
	return false;
}

/* Unmark the page block of a frame, if it may be of use. Returns whether it may. */
static bool unmark(const struct mm_compact_run *run, pfn_t pfn, struct use use)
{
	struct mm *mm = run->mm;
	const struct mm_zone *zone = run->zone;
	pfn_t start = mm_pageblock_start(mm, pfn), end = mm_pageblock_end(mm, pfn);
	bool *skip = mm_pageblock_skip(mm, zone, pfn);
	struct page *page;

	start = start < zone->start_pfn ? zone->start_pfn : start;
	end = end < mm_zone_end(zone) ? end : mm_zone_end(zone);
	page = mm_block_page(run, start, end);
	if (!page || (page->refcount && page->order >= mm->arch->pageblock_order &&
		      !(page->flags & PG_HELD)))
		return false;
	if (use.source && use.target && !*skip)
		return true;
	if (!use.source && mm_pageblock_type(mm, zone, pfn) != MM_MOVABLE)
		return false;
	mm_work(mm, run->cpu, MM_SITE_COMPACT_SCAN, 1);
	if (!sample(run, page, start, end, use))
		return false;
	*skip = false;
	return true;
}

/* From both ends: the first of use on either side is where the scanners begin from now on. */
void mm_compact_reset(struct mm *mm, int cpu, struct mm_zone *zone)
{
	struct mm_compact_run run = {.mm = mm, .zone = zone, .cpu = cpu};
	struct mm_compact_memory *c = &zone->compact;
	pfn_t up = zone->start_pfn, down = mm_zone_end(zone) - 1;
	pfn_t first = down, last = up;
	bool source_set = false, target_set = false;

	if (!c->flush_skips)
		return;
	c->flush_skips = false;
	for (; up < down; up += mm_pageblock_pages(mm), down -= mm_pageblock_pages(mm)) {
		run.cpu = mm_resched(mm, run.cpu);
		if (unmark(&run, up, (struct use){true, source_set}) && up < first) {
			source_set = true;
			first = c->init_migrate_pfn = up;
			c->migrate_pfn[0] = c->migrate_pfn[1] = up;
		}
		if (unmark(&run, down, (struct use){target_set, true}) && down > last) {
			target_set = true;
			last = c->init_free_pfn = c->free_pfn = down;
		}
		/* A zone that begins near frame 0. */
		if (down < mm_pageblock_pages(mm))
			break;
	}
	if (first >= last) {
		c->migrate_pfn[0] = c->migrate_pfn[1] = up;
		c->free_pfn = down;
	}
}

void mm_compact_flush_skips(struct mm *mm, int cpu, struct mm_node *node)
{
	for (int z = 0; z < mm->arch->nr_zones; z++)
		if (mm_zone_populated(&node->zones[z]))
			mm_compact_reset(mm, cpu, &node->zones[z]);
}
