/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which frames are which zone's: each node's span cut at the architecture's limits, and
 * ZONE_MOVABLE cut from the top of the highest zone by kernelcore= or movablecore=, or made of what
 * can be unplugged (movable_node) or is not mirrored (kernelcore=mirror).
 */
#include <errno.h>
#include <stdlib.h>

#include "mm/internal.h"

#define MIRRORED_ANYWAY (UINT64_C(4) << 30) /* the kernel lets memory below it be as it is */

static pfn_t limit_pfn(const struct mm *mm, int zone)
{
	phys_addr_t limit = mm->arch->zones[zone].limit;
	pfn_t pfn = limit >> mm->arch->page_shift;

	if (mm->arch->dma_limits_need_low_memory && mm->memblock.memory.regions[0].start >= limit &&
	    limit != 0)
		return mm->end_pfn;
	return limit == 0 ? 0 : pfn < mm->end_pfn ? pfn : mm->end_pfn;
}

phys_addr_t mm_dma_limit(const struct mm *mm)
{
	return (phys_addr_t)limit_pfn(mm, 0) << mm->arch->page_shift;
}

/* Where the zone begins by address: where the one below it ends. */
static pfn_t lowest_pfn(const struct mm *mm, int zone)
{
	pfn_t low = 0;

	for (int z = 0; z < zone; z++)
		if (limit_pfn(mm, z) > low)
			low = limit_pfn(mm, z);
	return low;
}

int mm_movable_zone(const struct mm *mm)
{
	pfn_t low = 0;
	int highest = 0;

	for (int z = 0; z < mm->arch->nr_zones; z++)
		if (limit_pfn(mm, z) > low) {
			highest = z;
			low = limit_pfn(mm, z);
		}
	return highest;
}

struct kernelcore {
	uint64_t required;  /* pages not given to ZONE_MOVABLE, still to be found */
	pfn_t usable_start; /* below it memory is the kernel's anyway */
	pfn_t *movable;     /* by node: where ZONE_MOVABLE starts */
};

/*
 * Give up to `share` pages of a node to the kernel, from where the last round stopped. Ranges below
 * usable_start are gone through even where the share is used up: they are the kernel's anyway, and
 * ZONE_MOVABLE starts behind them.
 */
static void take_kernelcore(const struct mm *mm, struct kernelcore *k, int nid, uint64_t share)
{
	const struct memblock_list *memory = &mm->memblock.memory;

	for (size_t i = 0; i < memory->nr; i++) {
		const struct memblock_region *r = &memory->regions[i];
		pfn_t start = r->start >> mm->arch->page_shift;
		pfn_t end = r->end >> mm->arch->page_shift;
		uint64_t take;

		if (start < k->movable[nid])
			start = k->movable[nid];
		if (r->nid != nid || start >= end)
			continue;
		if (start < k->usable_start) {
			take = (end < k->usable_start ? end : k->usable_start) - start;
			share -= take < share ? take : share;
			k->required -= take < k->required ? take : k->required;
			k->movable[nid] = start + take;
			start += take;
			if (start == end)
				continue;
		}
		take = end - start < share ? end - start : share;
		k->movable[nid] = start + take;
		k->required -= take < k->required ? take : k->required;
		share -= take;
		if (!share)
			break;
	}
}

/* Pages that must not be movable: the larger of kernelcore= and all but movablecore=. */
static uint64_t required_kernelcore(const struct mm *mm, uint64_t total)
{
	unsigned shift = mm->arch->page_shift;
	uint64_t core = mm->params.kernelcore_bytes >> shift;
	uint64_t movable = mm_round_block_up(mm->params.movablecore_bytes >> shift);

	if (movable > total)
		movable = total;
	if (movable && total - movable > core)
		core = total - movable;
	return core < total ? core : 0;
}

static void begin_movable(const struct mm *mm, pfn_t *movable, const struct memblock_region *r)
{
	pfn_t start = r->start >> mm->arch->page_shift;

	if (!movable[r->nid] || start < movable[r->nid])
		movable[r->nid] = start;
}

/* movable_node: from the first memory of a node on that can be unplugged. */
static void find_hotpluggable(const struct mm *mm, pfn_t *movable)
{
	const struct memblock_list *memory = &mm->memblock.memory;

	for (size_t i = 0; i < memory->nr; i++)
		if (memory->regions[i].flags & MEMBLOCK_HOTPLUG)
			begin_movable(mm, movable, &memory->regions[i]);
}

/* kernelcore=mirror: from the first memory on that is not mirrored, but none below 4 GiB. */
static void find_unmirrored(const struct mm *mm, pfn_t *movable)
{
	const struct memblock_list *memory = &mm->memblock.memory;

	for (size_t i = 0; i < memory->nr; i++)
		if (!(memory->regions[i].flags & MEMBLOCK_MIRROR) &&
		    memory->regions[i].start >= MIRRORED_ANYWAY)
			begin_movable(mm, movable, &memory->regions[i]);
}

/*
 * Spread kernelcore evenly over the nodes with memory; what a small node cannot hold goes to the
 * others in the next round.
 */
static void spread_kernelcore(const struct mm *mm, pfn_t *movable)
{
	struct kernelcore k = {.movable = movable};
	uint64_t total = 0;
	int usable = 0;

	for (int n = 0; n < mm->nr_nodes; n++) {
		total += mm->nodes[n].present;
		usable += mm->nodes[n].present > 0;
	}
	k.required = required_kernelcore(mm, total);
	if (!k.required)
		return;
	k.usable_start = lowest_pfn(mm, mm_movable_zone(mm));
	do {
		uint64_t share = k.required / (uint64_t)usable;

		for (int n = 0; n < mm->nr_nodes; n++) {
			if (!mm->nodes[n].present)
				continue;
			if (k.required < share)
				share = k.required / (uint64_t)usable;
			take_kernelcore(mm, &k, n, share);
		}
	} while (--usable && k.required > (uint64_t)usable);
}

/* Fills movable[] with the frame at which ZONE_MOVABLE starts, 0: none. */
static void find_movable(const struct mm *mm, pfn_t *movable)
{
	if (mm->params.movable_node)
		find_hotpluggable(mm, movable);
	else if (mm->params.kernelcore_mirror)
		find_unmirrored(mm, movable);
	else
		spread_kernelcore(mm, movable);
	for (int n = 0; n < mm->nr_nodes; n++) {
		const struct mm_node *node = &mm->nodes[n];

		movable[n] = mm_round_block_up(movable[n]);
		if (movable[n] >= node->start_pfn + node->spanned)
			movable[n] = 0;
	}
}

static void span_node(struct mm *mm, struct mm_node *node)
{
	const struct memblock_list *memory = &mm->memblock.memory;
	pfn_t end = 0;

	node->start_pfn = UINT64_MAX;
	for (size_t i = 0; i < memory->nr; i++) {
		const struct memblock_region *r = &memory->regions[i];
		pfn_t start = r->start >> mm->arch->page_shift;

		if (r->nid != node->nid)
			continue;
		if (start < node->start_pfn)
			node->start_pfn = start;
		end = r->end >> mm->arch->page_shift;
		node->present += end - start;
	}
	if (!node->present)
		node->start_pfn = 0;
	node->spanned = end - node->start_pfn;
}

bool mm_zone_takes(const struct mm *mm, const struct mm_zone *zone, unsigned flags)
{
	enum mm_zone_type type = mm->arch->zones[zone->index].type;

	if (flags & MEMBLOCK_ZONES)
		return zone->index == MEMBLOCK_ZONE_OF(flags);
	if (!mm->params.kernelcore_mirror || mm->params.movable_node ||
	    !mm->nodes[zone->nid].movable_pfn)
		return true;
	if (type == MM_ZONE_NORMAL)
		return flags & MEMBLOCK_MIRROR;
	return type != MM_ZONE_MOVABLE || !(flags & MEMBLOCK_MIRROR);
}

/* Pages of memory of the node within the zone's span. */
static uint64_t count_present(const struct mm *mm, const struct mm_zone *zone)
{
	const struct memblock_list *memory = &mm->memblock.memory;
	pfn_t zone_end = zone->start_pfn + zone->spanned;
	uint64_t pages = 0;

	for (size_t i = 0; i < memory->nr; i++) {
		const struct memblock_region *r = &memory->regions[i];
		pfn_t start = r->start >> mm->arch->page_shift;
		pfn_t end = r->end >> mm->arch->page_shift;

		start = start > zone->start_pfn ? start : zone->start_pfn;
		end = end < zone_end ? end : zone_end;
		if (r->nid == zone->nid && start < end && mm_zone_takes(mm, zone, r->flags))
			pages += end - start;
	}
	return pages;
}

static void span_zone(struct mm *mm, struct mm_node *node, struct mm_zone *zone, pfn_t low,
		      pfn_t movable)
{
	pfn_t node_end = node->start_pfn + node->spanned;
	pfn_t start = low > node->start_pfn ? low : node->start_pfn;
	pfn_t high = limit_pfn(mm, zone->index);
	pfn_t end = high < node_end ? high : node_end;

	if (mm->arch->zones[zone->index].type == MM_ZONE_MOVABLE) {
		start = movable;
		end = movable ? node_end : 0;
	} else if (movable && (start >= movable || !mm->params.kernelcore_mirror)) {
		end = end < movable ? end : movable;
	}
	if (start >= end)
		return;
	zone->start_pfn = start;
	zone->spanned = end - start;
	zone->present = count_present(mm, zone);
	if (!zone->present)
		zone->start_pfn = zone->spanned = 0;
}

int mm_zones_init(struct mm *mm)
{
	pfn_t *movable = calloc((size_t)mm->nr_nodes, sizeof(*movable));

	if (!movable)
		return -ENOMEM;
	mm->movable_zone = mm_movable_zone(mm);
	for (int n = 0; n < mm->nr_nodes; n++)
		span_node(mm, &mm->nodes[n]);
	find_movable(mm, movable);
	for (int n = 0; n < mm->nr_nodes; n++) {
		struct mm_node *node = &mm->nodes[n];

		node->movable_pfn = movable[n];
		for (int z = 0; z < mm->arch->nr_zones; z++) {
			struct mm_zone *zone = &node->zones[z];

			zone->nid = n;
			zone->index = z;
			zone->name = mm->arch->zones[z].name;
			if (node->present)
				span_zone(mm, node, zone, lowest_pfn(mm, z), movable[n]);
		}
	}
	free(movable);
	return 0;
}
