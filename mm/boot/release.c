/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How memory gets to the buddy lists: what memblock does not hold when boot hands memory over, then
 * what the kernel gives back once it is up (the initrd, init sections), each to its zone. Last,
 * pages that are in use since before the start are taken out again.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "mm/huge/huge_pool.h"
#include "mm/zone_count.h"

static const struct mm_zone_preset *find_preset(const struct mm_config *c,
						const struct mm_zone *zone)
{
	for (size_t i = 0; i < c->nr_presets; i++)
		if (c->presets[i].nid == zone->nid && c->presets[i].zone == zone->index)
			return &c->presets[i];
	return NULL;
}

/* Whole pages of [start, end) in the zone's span: false where there are none. */
static bool pages_in_zone(const struct mm *mm, const struct mm_zone *zone, phys_addr_t start,
			  phys_addr_t end, pfn_t *from, pfn_t *to)
{
	unsigned shift = mm->arch->page_shift;
	pfn_t zone_end = zone->start_pfn + zone->spanned;

	*from = (start >> shift) + ((start & ((UINT64_C(1) << shift) - 1)) != 0);
	*to = end >> shift;
	*from = *from > zone->start_pfn ? *from : zone->start_pfn;
	*to = *to < zone_end ? *to : zone_end;
	return *from < *to;
}

/* Does the zone take the memory at `start`, all of one region? */
static bool takes(const struct mm *mm, const struct mm_zone *zone, phys_addr_t start)
{
	return mm_zone_takes(mm, zone, memblock_flags_at(&mm->memblock, start));
}

/* Free memory of the zone to its buddy lists, `most` pages at most. */
static int release_zone(struct mm *mm, struct mm_zone *zone, uint64_t most)
{
	phys_addr_t cursor = zone->start_pfn << mm->arch->page_shift, start, end;
	pfn_t zone_end = zone->start_pfn + zone->spanned;
	int nid;

	while (most > zone->managed &&
	       memblock_next_free(&mm->memblock, &cursor, &start, &end, &nid)) {
		pfn_t from, to;

		if (start >> mm->arch->page_shift >= zone_end)
			break;
		if (nid != zone->nid || !takes(mm, zone, start) ||
		    !pages_in_zone(mm, zone, start, end, &from, &to))
			continue;
		if (to - from > most - zone->managed)
			to = from + (most - zone->managed);
		if (mm_buddy_release(mm, zone, from, to))
			return -ENOMEM;
		zone->managed += to - from;
	}
	return 0;
}

static void give_back(struct mm *mm, struct mm_zone *zone, pfn_t start, pfn_t end)
{
	while (start < end) {
		unsigned order = MAX_PAGE_ORDER;
		struct page *page = mm->model->pfn_to_page(mm, MM_NO_CPU, start);

		while ((start & ((UINT64_C(1) << order) - 1)) ||
		       start + (UINT64_C(1) << order) > end)
			order--;
		mm_page_init(mm, page, start, zone);
		mm_buddy_give(mm, MM_NO_CPU, zone, page, start, order, MM_MOVABLE);
		zone->managed += UINT64_C(1) << order;
		start += UINT64_C(1) << order;
	}
}

/* How many whole pages of the zone a release has; with `give` they go to its buddy lists. */
static uint64_t late_pages(struct mm *mm, struct mm_zone *zone, const struct mm_release *late,
			   bool give)
{
	const struct memblock_list *memory = &mm->memblock.memory;
	phys_addr_t late_end = late->start + late->bytes;
	uint64_t pages = 0;

	for (size_t i = 0; i < memory->nr; i++) {
		const struct memblock_region *m = &memory->regions[i];
		phys_addr_t start = m->start > late->start ? m->start : late->start;
		phys_addr_t end = m->end < late_end ? m->end : late_end;
		pfn_t from, to;

		if (m->nid != zone->nid || start >= end || !mm_zone_takes(mm, zone, m->flags) ||
		    !pages_in_zone(mm, zone, start, end, &from, &to))
			continue;
		pages += to - from;
		if (give)
			give_back(mm, zone, from, to);
	}
	return pages;
}

static uint64_t free_in_zone(const struct mm *mm, const struct mm_zone *zone)
{
	phys_addr_t cursor = zone->start_pfn << mm->arch->page_shift, start, end;
	uint64_t pages = 0;
	pfn_t from, to;
	int nid;

	while (memblock_next_free(&mm->memblock, &cursor, &start, &end, &nid))
		if (nid == zone->nid && takes(mm, zone, start) &&
		    pages_in_zone(mm, zone, start, end, &from, &to))
			pages += to - from;
	return pages;
}

/* The longest run of reserved pages in the zone; false where there is none. */
static bool longest_reserved(const struct mm *mm, const struct mm_zone *zone,
			     const struct memblock_list *reserved, pfn_t *from, pfn_t *to)
{
	const struct memblock_list *memory = &mm->memblock.memory;

	*from = *to = 0;
	for (size_t i = 0; i < memory->nr; i++)
		for (size_t j = 0; j < reserved->nr; j++) {
			const struct memblock_region *m = &memory->regions[i];
			const struct memblock_region *r = &reserved->regions[j];
			phys_addr_t start = m->start > r->start ? m->start : r->start;
			phys_addr_t end = m->end < r->end ? m->end : r->end;
			pfn_t first, last;

			if (m->nid == zone->nid && start < end &&
			    mm_zone_takes(mm, zone, m->flags) &&
			    pages_in_zone(mm, zone, start, end, &first, &last) &&
			    last - first > *to - *from) {
				*from = first;
				*to = last;
			}
		}
	return *from < *to;
}

/*
 * More is managed than our reservations leave: they were too large, by an estimate or by rounding.
 * Takes `pages` of them back, from the ends of the longest, but not what is given back late anyway.
 */
static int take_back(struct mm *mm, struct mm_zone *zone, const struct mm_config *c, uint64_t pages)
{
	unsigned shift = mm->arch->page_shift;
	struct memblock kept = {0};
	pfn_t from, to;
	int err = 0;

	for (size_t i = 0; i < mm->memblock.reserved.nr && !err; i++) {
		const struct memblock_region *r = &mm->memblock.reserved.regions[i];

		err = memblock_reserve(&kept, r->start, r->end - r->start);
	}
	for (size_t i = 0; i < c->nr_late && !err; i++)
		err = memblock_phys_free(&kept, c->late[i].start, c->late[i].bytes);
	for (uint64_t i = 0; i < mm->hugetlb.nr_boot && !err; i++)
		err = memblock_phys_free(&kept, mm->hugetlb.boot[i] << shift,
					 mm_hugetlb_boot_bytes(mm));
	while (pages && !err && longest_reserved(mm, zone, &kept.reserved, &from, &to)) {
		pfn_t nr = to - from < pages ? to - from : pages;

		err = memblock_phys_free(&kept, (to - nr) << shift, nr << shift);
		if (!err)
			err = memblock_phys_free(&mm->memblock, (to - nr) << shift, nr << shift);
		pages -= nr;
	}
	memblock_free_lists(&kept);
	return err;
}

static int release_preset(struct mm *mm, struct mm_zone *zone, const struct mm_config *c,
			  const struct mm_zone_preset *preset, struct mm_refusal *r)
{
	size_t index = (size_t)(preset - c->presets);
	uint64_t late = 0, available;

	for (size_t i = 0; i < c->nr_late; i++)
		late += late_pages(mm, zone, &c->late[i], false);
	late += mm_hugetlb_boot_pages(mm, zone);
	if (preset->managed < late)
		return mm_refuse(r, MM_ABOUT_PRESET, index,
				 "node %d, zone %s: managed = %" PRIu64 " pages, but %" PRIu64
				 " are given back late",
				 zone->nid, zone->name, preset->managed, late);
	if (preset->managed > zone->present)
		return mm_refuse(r, MM_ABOUT_PRESET, index,
				 "node %d, zone %s: managed = %" PRIu64
				 " pages, but the zone has %" PRIu64,
				 zone->nid, zone->name, preset->managed, zone->present);
	available = free_in_zone(mm, zone) + late;
	if (available < preset->managed && take_back(mm, zone, c, preset->managed - available))
		return -ENOMEM;
	return release_zone(mm, zone, preset->managed - late);
}

int mm_release_memory(struct mm *mm, const struct mm_config *c, struct mm_refusal *r)
{
	for (int n = 0; n < mm->nr_nodes; n++)
		for (int z = 0; z < mm->arch->nr_zones; z++) {
			struct mm_zone *zone = &mm->nodes[n].zones[z];
			const struct mm_zone_preset *preset = find_preset(c, zone);
			int err = 0;

			if (mm_zone_populated(zone)) {
				zone->pcp = calloc((size_t)mm->nr_cpus, sizeof(*zone->pcp));
				if (!zone->pcp)
					return -ENOMEM;
			}
			if (preset && preset->has_managed)
				err = release_preset(mm, zone, c, preset, r);
			else if (mm_zone_populated(zone))
				err = release_zone(mm, zone, UINT64_MAX);
			if (err)
				return err;
		}
	return 0;
}

static int release_range(struct mm *mm, const struct mm_release *late, size_t index,
			 struct mm_refusal *r)
{
	phys_addr_t end = late->start + late->bytes;

	if (memblock_memory_in(&mm->memblock, late->start, end) != late->bytes)
		return mm_refuse(r, MM_ABOUT_LATE, index,
				 "released late, from %#" PRIx64 ": not all of it is memory",
				 late->start);
	if (memblock_reserved_in(&mm->memblock, late->start, end) != late->bytes)
		return mm_refuse(r, MM_ABOUT_LATE, index,
				 "released late, from %#" PRIx64
				 ": not all of it is reserved, or it is "
				 "given back twice",
				 late->start);
	if (memblock_phys_free(&mm->memblock, late->start, late->bytes))
		return -ENOMEM;
	for (int n = 0; n < mm->nr_nodes; n++)
		for (int z = 0; z < mm->arch->nr_zones; z++)
			if (mm_zone_populated(&mm->nodes[n].zones[z]))
				late_pages(mm, &mm->nodes[n].zones[z], late, true);
	return 0;
}

int mm_release_late(struct mm *mm, const struct mm_config *c, bool before_initcalls,
		    struct mm_refusal *r)
{
	int err = 0;

	for (size_t i = 0; i < c->nr_late && !err; i++)
		if (c->late[i].before_initcalls == before_initcalls)
			err = release_range(mm, &c->late[i], i, r);
	return err;
}

/* Where complete reservations say where everything is, others may share the place. */
void mm_release_memmap(struct mm *mm, phys_addr_t start, uint64_t bytes)
{
	const struct mm_release release = {.start = start, .bytes = bytes};
	struct mm_refusal r;

	if (!mm->reservations_complete && !mm->bare_next)
		release_range(mm, &release, 0, &r);
}

/* Take pages out of use's way until `free` are left, in blocks as large as fit. */
static void hold_pages(struct mm *mm, struct mm_zone *zone, uint64_t free)
{
	unsigned order = MAX_PAGE_ORDER;

	while (zone->nr_free > free) {
		struct page *page;

		while (UINT64_C(1) << order > zone->nr_free - free)
			order--;
		page = mm_buddy_take(mm, MM_NO_CPU, zone, order, MM_MOVABLE);
		if (!page) {
			order--;
			continue;
		}
		mm_count_free(mm, MM_NO_CPU, zone, -(INT64_C(1) << order));
		page->refcount = 1;
		page->flags |= PG_HELD;
		zone->held += UINT64_C(1) << order;
	}
}

int mm_hold_memory(struct mm *mm, const struct mm_config *c, struct mm_refusal *r)
{
	for (size_t i = 0; i < c->nr_presets; i++) {
		const struct mm_zone_preset *preset = &c->presets[i];
		struct mm_zone *zone = &mm->nodes[preset->nid].zones[preset->zone];

		if (!preset->has_free)
			continue;
		if (preset->free > zone->managed)
			return mm_refuse(r, MM_ABOUT_PRESET, i,
					 "node %d, zone %s: free = %" PRIu64
					 " pages, but the zone manages %" PRIu64,
					 preset->nid, zone->name, preset->free, zone->managed);
		hold_pages(mm, zone, preset->free);
	}
	return 0;
}
