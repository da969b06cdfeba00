/* SPDX-License-Identifier: Apache-2.0 */
/* The types of page blocks and whether compaction skips them: two bytes a block and zone. */
#include <errno.h>
#include <stdlib.h>

#include "mm/pageblock.h"

int mm_pageblocks_init(struct mm *mm)
{
	unsigned order = mm->arch->pageblock_order;

	for (int n = 0; n < mm->nr_nodes; n++)
		for (int z = 0; z < mm->arch->nr_zones; z++) {
			struct mm_zone *zone = &mm->nodes[n].zones[z];
			pfn_t last = zone->start_pfn + zone->spanned - 1;
			size_t nr;

			if (!zone->spanned)
				continue;
			nr = (last >> order) - (zone->start_pfn >> order) + 1;
			zone->block_types = calloc(nr, sizeof(*zone->block_types));
			zone->block_skips = calloc(nr, sizeof(*zone->block_skips));
			if (!zone->block_types || !zone->block_skips)
				return -ENOMEM;
		}
	return 0;
}
