/* SPDX-License-Identifier: Apache-2.0 */
/* The types of page blocks: one byte a block and zone on the host. */
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

			if (!zone->spanned)
				continue;
			zone->block_types =
				calloc((last >> order) - (zone->start_pfn >> order) + 1, 1);
			if (!zone->block_types)
				return -ENOMEM;
		}
	return 0;
}
