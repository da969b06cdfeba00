/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which zone a memory block goes online in, and how zones and nodes grow and shrink with it.
 *
 * Follows Linux 6.1 mm/memory_hotplug.c: zone_for_pfn_range() and the auto-movable policy,
 * resize_zone_range(), shrink_zone_span(), update_pgdat_span().
 */
#include <errno.h>

#include "mm/alloc/contig.h"
#include "mm/alloc/pageblock.h"
#include "mm/hotplug/hotplug_state.h"

#define SUBSECTION_SHIFT 21 /* log2 of the bytes in steps of which shrinking looks */

static bool intersects(const struct mm_zone *zone, pfn_t start, pfn_t nr)
{
	return zone->spanned && start < zone->start_pfn + zone->spanned &&
	       start + nr > zone->start_pfn;
}

static int kernel_zone(const struct mm *mm, int nid, pfn_t start, pfn_t nr)
{
	int normal = mm_arch_zone_index(mm->arch, MM_ZONE_NORMAL);

	for (int z = 0; z < normal; z++)
		if (intersects(&mm->nodes[nid].zones[z], start, nr))
			return z;
	return normal;
}

/* contig-zones: where it lies within the span of one of them, that one; else the kernel's. */
static int contig_zone(const struct mm *mm, int nid, pfn_t start, pfn_t nr)
{
	int kernel = kernel_zone(mm, nid, start, nr);
	int movable = mm_arch_zone_index(mm->arch, MM_ZONE_MOVABLE);
	bool in_kernel = intersects(&mm->nodes[nid].zones[kernel], start, nr);
	bool in_movable = intersects(&mm->nodes[nid].zones[movable], start, nr);

	if (in_kernel != in_movable)
		return in_kernel ? kernel : movable;
	return mm->params.movable_node ? movable : kernel;
}

/* Would so much more of movable memory keep within the ratio, on all nodes or on one? */
static bool keeps_ratio(const struct mm *mm, int nid, uint64_t more)
{
	uint64_t kernel = 0, movable = more;

	for_each_zone (mm, zone) {
		uint64_t cma = mm_cma_pages(mm, zone->nid, zone->index);

		if (nid != MM_NO_NODE && zone->nid != nid)
			continue;
		if (mm->arch->zones[zone->index].type == MM_ZONE_MOVABLE) {
			movable += zone->present;
		} else {
			kernel += zone->present_early - cma;
			movable += cma;
		}
	}
	return movable <= mm->hotplug->params[MM_HOTPLUG_RATIO] * kernel / 100;
}

/* What was added together goes into one zone, all of it or nothing. */
static int auto_zone(const struct mm *mm, int nid, pfn_t start, pfn_t nr)
{
	const struct mm_hotplug *hp = mm->hotplug;
	const struct mm_plugged *group = mm_plugged_at(&hp->added, start << mm->arch->page_shift);
	uint64_t pages = nr;

	if (!hp->params[MM_HOTPLUG_RATIO] || (group && group->present_kernel))
		return kernel_zone(mm, nid, start, nr);
	if (group)
		pages = group->max_pages - group->present_movable;
	if (!keeps_ratio(mm, MM_NO_NODE, pages))
		return kernel_zone(mm, nid, start, nr);
	if (hp->params[MM_HOTPLUG_NUMA_AWARE] && !keeps_ratio(mm, nid, pages))
		return kernel_zone(mm, nid, start, nr);
	return mm_arch_zone_index(mm->arch, MM_ZONE_MOVABLE);
}

int mm_hotplug_zone(const struct mm *mm, enum mm_hotplug_op op, int nid, pfn_t start, pfn_t nr)
{
	if (op == MM_HOTPLUG_ONLINE_KERNEL)
		return kernel_zone(mm, nid, start, nr);
	if (op == MM_HOTPLUG_ONLINE_MOVABLE)
		return mm_arch_zone_index(mm->arch, MM_ZONE_MOVABLE);
	if (mm->hotplug->params[MM_HOTPLUG_AUTO_MOVABLE])
		return auto_zone(mm, nid, start, nr);
	return contig_zone(mm, nid, start, nr);
}

void mm_hotplug_valid_zones(const struct mm *mm, int nid, pfn_t start, pfn_t nr, int zones[2])
{
	int kernel = mm_hotplug_zone(mm, MM_HOTPLUG_ONLINE_KERNEL, nid, start, nr);
	int movable = mm_hotplug_zone(mm, MM_HOTPLUG_ONLINE_MOVABLE, nid, start, nr);

	zones[0] = mm_hotplug_zone(mm, MM_HOTPLUG_ONLINE, nid, start, nr);
	zones[1] = zones[0] == kernel ? movable : kernel;
}

int mm_zones_pin(struct mm *mm)
{
	const struct memblock_list *memory = &mm->memblock.memory;
	unsigned shift = mm->arch->page_shift;

	for (size_t i = 0; i < memory->nr; i++) {
		const struct memblock_region *r = &memory->regions[i];
		const struct mm_zone *zone;
		phys_addr_t end;
		int err;

		if (r->flags & MEMBLOCK_ZONES)
			continue;
		zone = mm_zone_of_pfn(mm, r->start >> shift);
		end = zone ? (zone->start_pfn + zone->spanned) << shift : r->end;
		end = end < r->end ? end : r->end;
		/* With kernelcore=mirror there is memory that no zone takes. */
		err = memblock_mark(&mm->memblock, r->start, end - r->start,
				    MEMBLOCK_ZONE(zone ? zone->index : MM_MAX_ZONES));
		if (err)
			return err;
		i = SIZE_MAX; /* regions have changed: from the first again */
	}
	return 0;
}

static void stretch(pfn_t *start, uint64_t *spanned, pfn_t from, pfn_t nr)
{
	pfn_t end = *start + *spanned;

	if (!*spanned) {
		*start = from;
		*spanned = nr;
		return;
	}
	if (from < *start)
		*start = from;
	*spanned = (from + nr > end ? from + nr : end) - *start;
}

int mm_zone_grow(struct mm *mm, struct mm_zone *zone, pfn_t start, pfn_t nr)
{
	struct mm_node *node = &mm->nodes[zone->nid];
	int err = mm_pageblocks_cover(mm, zone, start, start + nr);

	if (err)
		return err;
	stretch(&zone->start_pfn, &zone->spanned, start, nr);
	stretch(&node->start_pfn, &node->spanned, start, nr);
	if (mm->end_pfn < start + nr)
		mm->end_pfn = start + nr;
	for (pfn_t pfn = start; pfn < start + nr; pfn = mm_pageblock_end(mm, pfn)) {
		/* With it the machine has enough to group pages, if that was not so before. */
		*mm_pageblock_slot(mm, zone, pfn) = MM_MOVABLE ^ MM_MOVABLE;
		*mm_pageblock_skip(mm, zone, pfn) = false;
	}
	return 0;
}

/* Lowest and highest frame that is the zone's still, other than [start, end). */
struct extent {
	pfn_t low, high;
};

static void take_in(struct extent *e, pfn_t low, pfn_t high)
{
	e->low = low < e->low ? low : e->low;
	e->high = high > e->high ? high : e->high;
}

static struct extent find_extent(const struct mm *mm, const struct mm_zone *zone)
{
	pfn_t step = UINT64_C(1) << (SUBSECTION_SHIFT - mm->arch->page_shift);
	pfn_t zone_end = zone->start_pfn + zone->spanned;
	const struct mm_plugged_list *devices = &mm->hotplug->devices;
	struct extent e = {UINT64_MAX, 0};
	unsigned shift = mm->arch->page_shift;

	for (size_t i = 0; i < mm->memblock.memory.nr; i++) {
		const struct memblock_region *r = &mm->memblock.memory.regions[i];
		pfn_t from = r->start >> shift, to = r->end >> shift;

		from = from > zone->start_pfn ? from : zone->start_pfn;
		to = to < zone_end ? to : zone_end;
		if (r->nid == zone->nid && from < to && mm_zone_takes(mm, zone, r->flags))
			take_in(&e, from & ~(step - 1), (to + step - 1) & ~(step - 1));
	}
	for (size_t i = 0; i < devices->nr; i++)
		if (mm->arch->zones[zone->index].type == MM_ZONE_DEVICE &&
		    devices->at[i].nid == zone->nid)
			take_in(&e, devices->at[i].start >> shift, devices->at[i].end >> shift);
	return e;
}

/* Only from an end; by steps of a subsection, so that a ragged end may come out rounded. */
void mm_zone_shrink(struct mm *mm, struct mm_zone *zone, pfn_t start, pfn_t nr)
{
	struct mm_node *node = &mm->nodes[zone->nid];
	pfn_t zone_end = zone->start_pfn + zone->spanned;
	struct extent left = find_extent(mm, zone);

	if (left.low >= left.high) {
		zone->start_pfn = zone->spanned = 0;
	} else if (zone->start_pfn == start) {
		zone->start_pfn = left.low > start + nr ? left.low : start + nr;
		zone->spanned = zone_end - zone->start_pfn;
	} else if (zone_end == start + nr) {
		zone->spanned = (left.high < start ? left.high : start) - zone->start_pfn;
	}
	node->start_pfn = node->spanned = 0;
	for (int z = 0; z < mm->arch->nr_zones; z++)
		if (node->zones[z].spanned)
			stretch(&node->start_pfn, &node->spanned, node->zones[z].start_pfn,
				node->zones[z].spanned);
}

int mm_zones_changed(struct mm *mm, bool populated)
{
	int err = populated ? mm_zonelists_rebuild(mm) : 0;

	mm_watermarks_renew(mm);
	mm_note_free(mm);
	mm_commit_renew(mm);
	return err;
}
