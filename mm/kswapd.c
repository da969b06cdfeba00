/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kswapd: one a node, woken where an allocation finds too little above the low watermark, or has
 * raised the watermarks because page blocks get mixed.
 */
#include "mm/internal.h"

/* Does any zone of the node, up to `highest`, hold enough? One is enough. */
static bool balanced(const struct mm_node *node, unsigned order, int highest)
{
	bool any = false;

	for (int z = 0; z <= highest; z++) {
		const struct mm_zone *zone = &node->zones[z];

		if (!zone->managed)
			continue;
		any = true;
		if (mm_zone_watermark_ok(zone, order, mm_wmark(zone, MM_WMARK_HIGH), highest, 0))
			return true;
	}
	return !any;
}

static bool is_boosted(const struct mm_node *node, int highest)
{
	for (int z = 0; z <= highest; z++)
		if (node->zones[z].boost)
			return true;
	return false;
}

void mm_wake_kswapd(struct mm *mm, int cpu, struct mm_zone *zone, gfp_t gfp, unsigned order,
		    int highest)
{
	struct mm_node *node = &mm->nodes[zone->nid];

	if (!zone->managed || (balanced(node, order, highest) && !is_boosted(node, highest)))
		return;
	mm->counters.kswapd_wakeups++;
	mm_emit(mm, cpu,
		&(struct mm_event){.type = MM_EVENT_WAKE_KSWAPD,
				   .order = order,
				   .gfp = gfp,
				   .nid = zone->nid,
				   .zone = highest});
	/* There is nothing to reclaim yet: it is done as soon as it runs. */
	for (int z = 0; z <= highest; z++)
		node->zones[z].boost = 0;
}
