/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A memory block goes offline: it must be all memory of one zone; what is in use there moves away,
 * or the refusal says what cannot; zones shrink and may vanish, and what is computed from how much
 * memory there is is computed again.
 *
 * Follows Linux 6.1 mm/memory_hotplug.c, offline_pages(). That goes on for as long as something
 * could move but does not, until a signal comes; here for a tenth of a second of simulated time.
 */
#include <errno.h>
#include <inttypes.h>

#include "mm/alloc/contig.h"
#include "mm/hotplug/hotplug_state.h"
#include "mm/page_ext/page_ext_state.h"
#include "mm/slab/slub.h"
#include "mm/zone_count.h"

static int refuse_holes(struct mm_hotplug_run *run, uint64_t number)
{
	const struct mm *mm = run->mm;
	pfn_t pfn = number << run->hp->block_shift;

	while (memblock_is_memory(&mm->memblock, pfn << mm->arch->page_shift))
		pfn++;
	return mm_hotplug_refuse(run, -EINVAL,
				 "memory%" PRIu64 " has holes: frame 0x%" PRIx64
				 " is no memory, and only whole blocks go offline",
				 number, pfn);
}

static int refuse_zones(struct mm_hotplug_run *run, uint64_t number)
{
	const struct mm *mm = run->mm;
	pfn_t start = number << run->hp->block_shift, nr = mm_block_pages(run->hp);
	const struct mm_zone *a = mm_zone_of_pfn(mm, start);
	const struct mm_zone *b = mm_zone_of_pfn(mm, start + nr - 1);

	return mm_hotplug_refuse(run, -EINVAL,
				 "memory%" PRIu64 " is in several zones (from %s of node %d to %s "
				 "of node %d), and only blocks of one zone go offline",
				 number, a->name, a->nid, b->name, b->nid);
}

static int refuse_busy(struct mm_hotplug_run *run, uint64_t number, pfn_t stuck)
{
	char holder[160];

	mm_holder_text(run->mm, stuck, holder, sizeof(holder));
	return mm_hotplug_refuse(run, -EBUSY,
				 "memory%" PRIu64 ": frame 0x%" PRIx64 " cannot be moved: %s",
				 number, stuck, holder);
}

static int check(struct mm_hotplug_run *run, uint64_t number, struct mm_memory_block_info *info)
{
	if (mm_block_offline(run->hp, number))
		return mm_hotplug_refuse(run, -EINVAL, "memory%" PRIu64 " is offline already",
					 number);
	if (!mm_block_online(run->mm, number))
		return mm_block_refuse_none(run, number);
	mm_memory_block(run->mm, number, info);
	if (info->has_holes)
		return refuse_holes(run, number);
	return info->zone < 0 ? refuse_zones(run, number) : 0;
}

/* The frames are nobody's: they are no memory from now on. */
static int retire(struct mm_hotplug_run *run, struct mm_zone *zone, uint64_t number,
		  uint64_t memmap_pages)
{
	struct mm *mm = run->mm;
	pfn_t nr = mm_block_pages(run->hp), start = number << run->hp->block_shift;
	unsigned shift = mm->arch->page_shift;
	struct mm_plugged *group = mm_plugged_at(&run->hp->added, start << shift);
	struct mm_memory_block block = {number, zone->nid, memmap_pages};
	int err = mm_block_set_offline(run->hp, &block);

	if (!err)
		err = memblock_remove(&mm->memblock, start << shift, nr << shift);
	zone->present -= nr;
	zone->present_early -= mm_block_early(mm, number) ? nr : 0;
	mm->nodes[zone->nid].present -= nr;
	if (group && mm->arch->zones[zone->index].type == MM_ZONE_MOVABLE)
		group->present_movable -= nr;
	else if (group)
		group->present_kernel -= nr;
	if (!zone->present)
		mm_zone_fold(mm, zone); /* it has no memory left */
	if (!err)
		err = mm_zones_changed(mm, !zone->present);
	mm_zone_shrink(mm, zone, start, nr);
	return err;
}

int mm_hotplug_offline(struct mm_hotplug_run *run, uint64_t number)
{
	pfn_t start = number << run->hp->block_shift, nr = mm_block_pages(run->hp);
	struct mm_memory_block_info info;
	struct mm_emptying e = {.cpu = run->cpu};
	uint64_t own;
	int err = check(run, number, &info);

	if (err)
		return err;
	own = mm_block_take_memmap(run->hp, number);
	e.zone = &run->mm->nodes[info.nid].zones[info.zone];
	e.start = start + own;
	e.end = start + nr;
	mm_slab_going_offline(run->mm, run->cpu);
	err = mm_empty_range(run->mm, &e);
	run->cpu = e.cpu;
	run->done->migrated += e.migrated;
	if (!err) {
		run->done->blocks++;
		err = retire(run, e.zone, number, own);
		mm_page_ext_offline(run->mm, run->cpu, start, nr);
		return err;
	}
	if (own && mm_block_keep_memmap(run->hp, &(struct mm_memory_block){number, info.nid, own}))
		return -ENOMEM;
	return err == -EBUSY ? refuse_busy(run, number, e.stuck) : err;
}
