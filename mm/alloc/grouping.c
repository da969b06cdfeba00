/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether pages are grouped by mobility at all. A kernel with less memory than a page block for
 * each mobility leaves it: all requests and page blocks are unmovable then, and what boot has made
 * movable becomes so as it is taken. Follows Linux 6.1 mm/page_alloc.c (build_all_zonelists,
 * free_area_init_core), mm/memory_hotplug.c.
 */
#include "mm/internal.h"

/* With CONFIG_MEMORY_ISOLATION; one less than there are without CONFIG_CMA, as everywhere here. */
static uint64_t nr_types(const struct mm *mm)
{
	return mm->params.cma_bytes ? MM_NR_MIGRATETYPES : MM_NR_MIGRATETYPES - 1;
}

static void decide(struct mm *mm, uint64_t pages)
{
	mm->total_pages = pages;
	mm->ungrouped = !mm->always_grouped && pages < (nr_types(mm) << mm->arch->pageblock_order);
}

/* Pages of memory in [start, end) that are free throughout. */
static uint64_t free_in(const struct mm *mm, phys_addr_t start, phys_addr_t end)
{
	const struct memblock_list *reserved = &mm->memblock.reserved;
	uint64_t page = UINT64_C(1) << mm->arch->page_shift, pages = 0;

	for (size_t i = 0; i <= reserved->nr && start < end; i++) {
		phys_addr_t to = i < reserved->nr ? reserved->regions[i].start : end;
		uint64_t first = (start + page - 1) / page;

		if (i < reserved->nr && reserved->regions[i].end <= start)
			continue;
		to = to < end ? to : end;
		pages += to / page > first ? to / page - first : 0;
		start = i < reserved->nr ? reserved->regions[i].end : end;
	}
	return pages;
}

/* set_dma_reserve(), which x86_64 alone calls: what is taken of ZONE_DMA by then. */
static uint64_t dma_reserve(const struct mm *mm)
{
	const struct memblock_list *memory = &mm->memblock.memory;
	unsigned shift = mm->arch->page_shift;
	uint64_t pages = 0;

	if (mm->arch->id != MM_X86_64)
		return 0;
	for (size_t i = 0; i < memory->nr; i++) {
		phys_addr_t start = memory->regions[i].start, end = memory->regions[i].end;

		end = end < mm->arch->zones[0].limit ? end : mm->arch->zones[0].limit;
		if (start < end)
			pages += (end >> shift) - (start >> shift) - free_in(mm, start, end);
	}
	return pages;
}

/* By then, what will be managed is a guess: all but the descriptors and what ZONE_DMA lacks. */
void mm_grouping_init(struct mm *mm)
{
	uint64_t reserve = dma_reserve(mm), pages = 0;

	for (int nid = 0; nid < mm->nr_nodes; nid++)
		for (int z = 0; z < mm->arch->nr_zones; z++) {
			const struct mm_zone *zone = &mm->nodes[nid].zones[z];
			uint64_t free = zone->present, memmap = mm_memmap_pages(mm, zone);

			if (!mm_is_highmem(mm, zone) && free >= memmap)
				free -= memmap;
			if (z == 0 && free > reserve)
				free -= reserve;
			pages += free;
		}
	decide(mm, pages);
}

/* nr_free_zone_pages(): with zonelists over all nodes, all zones are in each. */
void mm_grouping_renew(struct mm *mm)
{
	uint64_t pages = 0;

	for (int nid = 0; nid < mm->nr_nodes; nid++)
		for (int z = 0; z < mm->arch->nr_zones; z++) {
			const struct mm_zone *zone = &mm->nodes[nid].zones[z];
			uint64_t high = mm_wmark(zone, MM_WMARK_HIGH);

			pages += zone->managed > high ? zone->managed - high : 0;
		}
	decide(mm, pages);
}

uint64_t mm_total_pages(const struct mm *mm)
{
	return mm->total_pages;
}

bool mm_grouped_by_mobility(const struct mm *mm)
{
	return !mm->ungrouped;
}
