/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether compaction is worth it: is enough free for pages to move to, and is it lack of memory or
 * its fragmentation that makes large allocations fail.
 *
 * Formulas: Linux 6.1 mm/vmstat.c (__fragmentation_index, extfrag_for_order) and mm/compaction.c
 * (compaction_suitable, fragmentation_score_node); M. Gorman and A. Whitcroft, "The what, the why
 * and the where to of anti-fragmentation" (Ottawa Linux Symposium 2006) for the index.
 */
#include "mm/compact/compact.h"
#include "mm/zone_count.h"

const char *mm_compact_result_name(enum mm_compact_result result)
{
	static const char *const names[] = {
		[MM_COMPACT_NOT_SUITABLE] = "not_suitable_zone",
		[MM_COMPACT_SKIPPED] = "skipped",
		[MM_COMPACT_DEFERRED] = "deferred",
		[MM_COMPACT_NO_SUITABLE] = "no_suitable_page",
		[MM_COMPACT_CONTINUE] = "continue",
		[MM_COMPACT_COMPLETE] = "complete",
		[MM_COMPACT_PARTIAL_SKIPPED] = "partial_skipped",
		[MM_COMPACT_CONTENDED] = "contended",
		[MM_COMPACT_SUCCESS] = "success",
	};

	return names[result];
}

/* A zone's free memory, seen in blocks of one order. */
struct contents {
	uint64_t pages, blocks; /* free in all */
	uint64_t suitable;      /* blocks of the order that are in these */
};

static struct contents contents_of(const struct mm_zone *zone, unsigned order)
{
	struct contents c = {0};

	for (unsigned o = 0; o < NR_PAGE_ORDERS; o++) {
		uint64_t nr = 0;

		for (int t = 0; t < MM_NR_MIGRATETYPES; t++)
			nr += zone->free_area[o].nr_free[t];
		c.blocks += nr;
		c.pages += nr << o;
		if (o >= order)
			c.suitable += nr << (o - order);
	}
	return c;
}

int mm_fragmentation_index(const struct mm_zone *zone, unsigned order)
{
	struct contents c = contents_of(zone, order);

	if (!c.blocks)
		return 0;
	if (c.suitable)
		return -1000;
	return 1000 - (int)((1000 + (c.pages * 1000 >> order)) / c.blocks);
}

int mm_zone_extfrag_index(const struct mm *mm, int nid, int zone, unsigned order)
{
	return mm_fragmentation_index(&mm->nodes[nid].zones[zone], order);
}

unsigned mm_zone_unusable_index(const struct mm *mm, int nid, int zone, unsigned order)
{
	struct contents c = contents_of(&mm->nodes[nid].zones[zone], order);

	return c.pages ? (unsigned)((c.pages - (c.suitable << order)) * 1000 / c.pages) : 1000;
}

unsigned mm_fragmentation_score(const struct mm *mm, const struct mm_zone *zone)
{
	unsigned order = mm->arch->pageblock_order;
	struct contents c;

	if (order > MAX_PAGE_ORDER)
		order = MAX_PAGE_ORDER;
	c = contents_of(zone, order);
	return c.pages ? (unsigned)((c.pages - (c.suitable << order)) * 100 / c.pages) : 0;
}

unsigned mm_fragmentation_score_node(const struct mm *mm, const struct mm_node *node)
{
	uint64_t score = 0;

	for (int z = 0; z < mm->arch->nr_zones; z++)
		if (mm_zone_populated(&node->zones[z]))
			score += node->zones[z].present *
				 mm_fragmentation_score(mm, &node->zones[z]) / (node->present + 1);
	return (unsigned)score;
}

/* If so many pages were free. */
static enum mm_compact_result suitable(const struct mm_zone *zone, unsigned order,
				       unsigned alloc_flags, int highest, uint64_t nr_free)
{
	enum mm_wmark for_moving = order > PAGE_ALLOC_COSTLY_ORDER ? MM_WMARK_LOW : MM_WMARK_MIN;
	uint64_t mark = mm_wmark(zone, alloc_flags & ALLOC_WMARK_MASK);

	if (mm_zone_watermark_ok(zone, order, mark, highest, alloc_flags))
		return MM_COMPACT_SUCCESS;
	if (!mm_zone_watermark_ok_with(zone, 0, mm_wmark(zone, for_moving) + mm_compact_gap(order),
				       highest, ALLOC_CMA, nr_free))
		return MM_COMPACT_SKIPPED;
	return MM_COMPACT_CONTINUE;
}

/* For small blocks the alternative is to kill, so how fragmented the zone is does not count. */
enum mm_compact_result mm_compaction_suitable(const struct mm *mm, const struct mm_zone *zone,
					      int order, unsigned alloc_flags, int highest)
{
	enum mm_compact_result result;

	if (order == MM_COMPACT_WHOLE)
		return MM_COMPACT_CONTINUE;
	result = suitable(zone, (unsigned)order, alloc_flags, highest, mm_zone_free(zone));
	if (result == MM_COMPACT_CONTINUE && order > PAGE_ALLOC_COSTLY_ORDER) {
		int index = mm_fragmentation_index(zone, (unsigned)order);

		if (index >= 0 && (uint64_t)index <= mm->params.extfrag_threshold)
			result = MM_COMPACT_SKIPPED;
	}
	return result;
}

bool mm_compaction_possible(const struct mm_zone *zone, unsigned order, unsigned alloc_flags,
			    int highest, uint64_t nr_free)
{
	return suitable(zone, order, alloc_flags, highest, nr_free) == MM_COMPACT_CONTINUE;
}

bool mm_compaction_ready(const struct mm *mm, const struct mm_zone *zone, unsigned order,
			 int highest)
{
	enum mm_compact_result result = mm_compaction_suitable(mm, zone, (int)order, 0, highest);

	if (result != MM_COMPACT_CONTINUE)
		return result == MM_COMPACT_SUCCESS;
	/* Rather more than it wants to begin, as others allocate meanwhile. */
	return mm_zone_watermark_ok_safe(
		mm, zone, 0, mm_wmark(zone, MM_WMARK_HIGH) + mm_compact_gap(order), highest);
}
