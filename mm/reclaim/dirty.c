/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many pages of a node may be dirty: a share of what could be, so that those who write files
 * spread over nodes before reclaim comes upon nothing but pages that have to be written.
 *
 * Follows Linux 6.1 mm/page-writeback.c (node_dirty_ok, node_dirty_limit, node_dirtyable_memory)
 * and, for what the kernel keeps, mm/page_alloc.c (calculate_totalreserve_pages).
 */
#include "mm/reclaim/vmscan.h"
#include "mm/zone_count.h"

/* What no user gets of the zone: the high watermark, and what it keeps from higher zones. */
static uint64_t reserve(const struct mm *mm, const struct mm_zone *zone)
{
	uint64_t most = 0;

	for (int z = zone->index; z < mm->arch->nr_zones; z++)
		if (zone->lowmem_reserve[z] > most)
			most = zone->lowmem_reserve[z];
	most += zone->wmark[MM_WMARK_HIGH];
	return most < zone->managed ? most : zone->managed;
}

static uint64_t dirtyable(const struct mm *mm, const struct mm_node *node)
{
	uint64_t free = 0, kept = 0;

	for (int z = 0; z < mm->arch->nr_zones; z++) {
		const struct mm_zone *zone = &node->zones[z];

		free += zone->free_counter > 0 ? (uint64_t)zone->free_counter : 0;
		kept += reserve(mm, zone);
	}
	return free - (free < kept ? free : kept) +
	       mm_node_lru(mm, node, MM_LRU_INACTIVE_FILE, MM_MAX_ZONES) +
	       mm_node_lru(mm, node, MM_LRU_ACTIVE_FILE, MM_MAX_ZONES);
}

bool mm_node_dirty_ok(const struct mm *mm, const struct mm_node *node)
{
	return mm_node_stat(node, MM_NS_FILE_DIRTY) + mm_node_stat(node, MM_NS_WRITEBACK) <=
	       dirtyable(mm, node) * mm->params.dirty_ratio / 100;
}
