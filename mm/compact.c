/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether compaction could help. Nothing is moved yet: direct compaction finds each zone skipped or
 * deferred, which is what the slow path has to cope with in any case, and there is no kcompactd.
 *
 * Rules: Linux 6.1 mm/compaction.c (compaction_suitable), without the fragmentation index.
 */
#include "mm/compact.h"

enum mm_compact_result mm_compaction_suitable(const struct mm_zone *zone, unsigned order,
					      unsigned alloc_flags, int highest)
{
	enum mm_wmark mark = alloc_flags & ALLOC_WMARK_MASK;
	enum mm_wmark for_moving = order > PAGE_ALLOC_COSTLY_ORDER ? MM_WMARK_LOW : MM_WMARK_MIN;

	if (mm_zone_watermark_ok(zone, order, mm_wmark(zone, mark), highest, alloc_flags))
		return MM_COMPACT_SUCCESS;
	if (!mm_zone_watermark_ok(zone, 0, mm_wmark(zone, for_moving) + mm_compact_gap(order),
				  highest, ALLOC_CMA))
		return MM_COMPACT_SKIPPED;
	return MM_COMPACT_CONTINUE;
}

void mm_wake_kcompactd(struct mm *mm, int cpu, struct mm_node *node, unsigned order, int highest)
{
	(void)mm;
	(void)cpu;
	(void)node;
	(void)order;
	(void)highest;
}

enum mm_compact_result mm_compact_direct(struct mm *mm, int cpu,
					 const struct mm_compact_request *req)
{
	enum mm_compact_result result = MM_COMPACT_SKIPPED;

	(void)mm;
	(void)cpu;
	for (size_t i = req->first; i < req->list->nr; i++) {
		const struct mm_zone *zone = req->list->zones[i];

		if (zone->index > req->highest ||
		    (req->nodes && !mm_nodemask_has(req->nodes, zone->nid)))
			continue;
		if (mm_compaction_suitable(zone, req->order, req->alloc_flags, req->highest) !=
		    MM_COMPACT_SKIPPED)
			result = MM_COMPACT_DEFERRED;
	}
	return result;
}
