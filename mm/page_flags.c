/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page->flags: [SECTION] [NODE] ZONE [LAST_CPUPID] ... FLAGS from the top, as the kernel lays them
 * out (include/linux/page-flags-layout.h), and what is read from it: page_to_nid(), page_zonenum().
 */
#include <errno.h>
#include <stdlib.h>

#include "mm/hotplug/hotplug_state.h"

static unsigned bits_for(unsigned values)
{
	unsigned bits = 0;

	while ((1u << bits) < values)
		bits++;
	return bits;
}

/* The next field below *top; a field of no width is nowhere. */
static unsigned place(unsigned *top, unsigned width)
{
	*top -= width;
	return width ? *top : 0;
}

/* LAST_CPUPID is there if it has room beside the flags and the multi-gen LRU's generation. */
static unsigned last_cpupid_width(const struct mm_arch *arch, unsigned taken)
{
	unsigned used = taken + arch->lru_gen_bits + arch->nr_pageflags;

	return used + arch->last_cpupid_bits <= arch->flags_bits ? arch->last_cpupid_bits : 0;
}

static uint64_t put(uint64_t value, unsigned shift, unsigned width)
{
	return width ? value << shift : 0;
}

static uint64_t mask(unsigned shift, unsigned width)
{
	return ((UINT64_C(1) << width) - 1) << shift;
}

int mm_flags_init(struct mm *mm)
{
	const struct mm_arch *arch = mm->arch;
	struct mm_flags_layout *l = &mm->flags;
	unsigned top = arch->flags_bits;

	l->section_width =
		mm->model->section_in_flags ? arch->section_phys_bits - arch->section_bits : 0;
	l->node_width = mm->model->id == MM_FLAT ? 0 : arch->nodes_shift;
	l->zone_width = bits_for((unsigned)arch->nr_zones);
	l->last_cpupid_width =
		last_cpupid_width(arch, l->section_width + l->node_width + l->zone_width);
	l->section_shift = place(&top, l->section_width);
	l->node_shift = place(&top, l->node_width);
	l->zone_shift = place(&top, l->zone_width);
	l->last_cpupid_shift = place(&top, l->last_cpupid_width);
	mm->zone_flags_mask =
		mask(l->node_shift, l->node_width) | mask(l->zone_shift, l->zone_width);
	mm->zone_table = calloc((size_t)mm->nr_nodes << l->zone_width, sizeof(*mm->zone_table));
	if (!mm->zone_table)
		return -ENOMEM;
	for_each_zone (mm, zone) {
		zone->page_flags = put((uint64_t)zone->nid, l->node_shift, l->node_width) |
				   put((uint64_t)zone->index, l->zone_shift, l->zone_width);
		mm->zone_table[zone->page_flags >> l->zone_shift] = zone;
	}
	return 0;
}

uint64_t mm_section_flags(const struct mm *mm, pfn_t pfn)
{
	pfn_t section = pfn >> (mm->arch->section_bits - mm->arch->page_shift);

	return put(section, mm->flags.section_shift, mm->flags.section_width);
}

/* Memory of a device is in no memblock. */
static struct mm_zone *device_zone(const struct mm *mm, phys_addr_t at)
{
	const struct mm_plugged *device =
		mm->hotplug ? mm_plugged_at(&mm->hotplug->devices, at) : NULL;

	return device ? &mm->nodes[device->nid].zones[mm_arch_zone_index(mm->arch, MM_ZONE_DEVICE)]
		      : NULL;
}

struct mm_zone *mm_zone_of_pfn(const struct mm *mm, pfn_t pfn)
{
	phys_addr_t at = pfn << mm->arch->page_shift;

	for (size_t i = 0; i < mm->memblock.memory.nr; i++) {
		const struct memblock_region *r = &mm->memblock.memory.regions[i];

		if (at < r->start || at >= r->end)
			continue;
		for (int z = 0; z < mm->arch->nr_zones; z++) {
			struct mm_zone *zone = &mm->nodes[r->nid].zones[z];

			if (pfn >= zone->start_pfn && pfn - zone->start_pfn < zone->spanned &&
			    mm_zone_takes(mm, zone, r->flags))
				return zone;
		}
	}
	return device_zone(mm, at);
}

struct mm_zone *mm_page_zone_by_pfn(const struct mm *mm, const struct page *page)
{
	return mm_zone_of_pfn(mm, mm->model->page_to_pfn((struct mm *)mm, MM_NO_CPU, page));
}

int mm_page_to_nid(const struct mm *mm, const struct page *page)
{
	const struct mm_zone *zone = mm_page_zone(mm, page);

	return zone ? zone->nid : MM_NO_NODE;
}

int mm_page_zonenum(const struct mm *mm, const struct page *page)
{
	const struct mm_zone *zone = mm_page_zone(mm, page);

	return zone ? zone->index : -1;
}

unsigned mm_page_section(const struct mm *mm, const struct page *page)
{
	const struct mm_flags_layout *l = &mm->flags;

	return (unsigned)((page->flags & mask(l->section_shift, l->section_width)) >>
			  l->section_shift);
}

void mm_flags_layout(const struct mm *mm, struct mm_flags_layout *layout)
{
	*layout = mm->flags;
}

int mm_pfn_zone(const struct mm *mm, pfn_t pfn, int *nid, int *zone)
{
	const struct mm_zone *z = pfn < mm->end_pfn ? mm_zone_of_pfn(mm, pfn) : NULL;

	if (!z)
		return -ENOENT;
	*nid = z->nid;
	*zone = z->index;
	return 0;
}
