/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The types of page blocks and whether compaction skips them: two bytes a block and zone. They are
 * kept for all that the zone ever spanned, since who scans a zone while it shrinks goes on for a
 * while.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mm/alloc/pageblock.h"

int mm_pageblocks_init(struct mm *mm)
{
	for_each_zone (mm, zone) {
		int err = zone->spanned ? mm_pageblocks_cover(mm, zone, zone->start_pfn,
							      zone->start_pfn + zone->spanned)
					: 0;

		if (err)
			return err;
	}
	return 0;
}

int mm_pageblocks_cover(struct mm *mm, struct mm_zone *zone, pfn_t start, pfn_t end)
{
	unsigned order = mm->arch->pageblock_order;
	size_t old = zone->blocks_end - zone->blocks_first, before, nr;
	pfn_t first = start >> order, last = (end - 1) >> order;
	uint8_t *types;
	bool *skips;

	if (zone->block_types) {
		first = first < zone->blocks_first ? first : zone->blocks_first;
		last = last + 1 > zone->blocks_end ? last : zone->blocks_end - 1;
	}
	nr = last + 1 - first;
	if (zone->block_types && nr == old)
		return 0;
	types = calloc(nr, sizeof(*types));
	skips = calloc(nr, sizeof(*skips));
	if (!types || !skips) {
		free(types);
		free(skips);
		return -ENOMEM;
	}
	if (zone->block_types) {
		before = zone->blocks_first - first;
		memcpy(types + before, zone->block_types, old * sizeof(*types));
		memcpy(skips + before, zone->block_skips, old * sizeof(*skips));
	}
	free(zone->block_types);
	free(zone->block_skips);
	zone->block_types = types;
	zone->block_skips = skips;
	zone->blocks_first = first;
	zone->blocks_end = last + 1;
	return 0;
}
