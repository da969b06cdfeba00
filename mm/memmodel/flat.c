/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flat memory: one map from the first frame to the last, holes and all. Conversion is an addition;
 * each absent frame between the first and the last costs its descriptor. One node only
 * (contig_page_data), so machines with several are refused.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "mm/internal.h"

struct flat {
	struct mm_page_map map;
};

static int flat_init(struct mm *mm, struct mm_refusal *refusal)
{
	const struct memblock_list *memory = &mm->memblock.memory;
	unsigned shift = mm->arch->page_shift;
	pfn_t start = mm_round_block_down(memory->regions[0].start >> shift);
	pfn_t end = mm_round_block_up(memory->regions[memory->nr - 1].end >> shift);
	struct flat *flat;
	uint64_t bytes = (end - start) * mm->arch->page_struct_bytes;

	if (mm->nr_nodes > 1) {
		refusal->about = MM_ABOUT_MODEL;
		snprintf(refusal->why, sizeof(refusal->why),
			 "the flat memory model has one node descriptor (contig_page_data) and one "
			 "mem_map, but the machine has %d nodes; use discontig, sparse or "
			 "sparse-vmemmap",
			 mm->nr_nodes);
		return -EINVAL;
	}
	flat = calloc(1, sizeof(*flat));
	if (!flat)
		return -ENOMEM;
	mm->model_state = flat;
	flat->map = (struct mm_page_map){mm_map_reserve(end - start), start, end - start,
					 mm_boot_alloc(mm, MM_HOLDS_MEMMAP, bytes, 1u << shift, 0)};
	if (!flat->map.pages)
		return -ENOMEM;
	mm->descriptors = flat->map.pages;
	mm->first_described = start;
	if (flat->map.at == MEMBLOCK_FAILED)
		return mm_refuse_room(refusal, "the page descriptors (mem_map)", bytes);
	return 0;
}

static void flat_destroy(struct mm *mm)
{
	struct flat *flat = mm->model_state;

	if (flat)
		mm_map_release(flat->map.pages, flat->map.nr);
	free(flat);
}

static struct page *flat_pfn_to_page(struct mm *mm, int cpu, pfn_t pfn)
{
	const struct flat *flat = mm->model_state;

	mm_work(mm, cpu, MM_SITE_PFN_TO_PAGE, 1);
	return &flat->map.pages[pfn - flat->map.start_pfn];
}

static pfn_t flat_page_to_pfn(struct mm *mm, int cpu, const struct page *page)
{
	const struct flat *flat = mm->model_state;

	mm_work(mm, cpu, MM_SITE_PAGE_TO_PFN, 1);
	return flat->map.start_pfn + (pfn_t)(page - flat->map.pages);
}

static bool flat_pfn_valid(const struct mm *mm, pfn_t pfn)
{
	const struct flat *flat = mm->model_state;

	return pfn >= flat->map.start_pfn && pfn - flat->map.start_pfn < flat->map.nr;
}

static phys_addr_t flat_descriptor_at(const struct mm *mm, const struct page *page,
				      uint64_t *address)
{
	const struct flat *flat = mm->model_state;

	if (address)
		*address = 0;
	return flat->map.at + (uint64_t)(page - flat->map.pages) * mm->arch->page_struct_bytes;
}

static void flat_info(const struct mm *mm, struct mm_model_info *info)
{
	const struct flat *flat = mm->model_state;

	info->memmap_bytes = flat->map.nr * mm->arch->page_struct_bytes;
	info->table_bytes = 0;
}

const struct mm_memmodel memmodel_flat = {
	.name = "flat",
	.id = MM_FLAT,
	.init = flat_init,
	.destroy = flat_destroy,
	.pfn_to_page = flat_pfn_to_page,
	.page_to_pfn = flat_page_to_pfn,
	.pfn_valid = flat_pfn_valid,
	.descriptor_at = flat_descriptor_at,
	.info = flat_info,
	.no_hotplug = "it has one mem_map for all frames, made at boot, which cannot grow",
};
