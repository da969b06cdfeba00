/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A memory block goes online: its zone is chosen and grows, its descriptors are written, its pages
 * come to the buddy lists, in blocks as large as there are, and what is computed from how much
 * memory there is is computed again.
 *
 * Follows Linux 6.1 mm/memory_hotplug.c, online_pages().
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "mm/hotplug/hotplug_state.h"
#include "mm/page_ext/page_ext_state.h"
#include "mm/slab/slub.h"

static int find_block(struct mm_hotplug_run *run, uint64_t number, struct mm_memory_block *block)
{
	const struct mm_memory_block *found = mm_block_offline(run->hp, number);

	if (found) {
		*block = *found;
		return 0;
	}
	if (mm_block_online(run->mm, number))
		return mm_hotplug_refuse(run, -EINVAL, "memory%" PRIu64 " is online already",
					 number);
	return mm_block_refuse_none(run, number);
}

static int give_lists(struct mm *mm, struct mm_zone *zone)
{
	if (!zone->pcp)
		zone->pcp = calloc((size_t)mm->nr_cpus, sizeof(*zone->pcp));
	return zone->pcp ? 0 : -ENOMEM;
}

/* What of the range that it was added with is online, and where. */
static void account_group(struct mm *mm, const struct mm_zone *zone, pfn_t start, pfn_t nr)
{
	struct mm_plugged *group =
		mm_plugged_at(&mm->hotplug->added, start << mm->arch->page_shift);

	if (!group)
		return;
	if (mm->arch->zones[zone->index].type == MM_ZONE_MOVABLE)
		group->present_movable += nr;
	else
		group->present_kernel += nr;
}

/* To the tails of the lists, as pages that nobody has used yet. */
static int release(struct mm_hotplug_run *run, struct mm_zone *zone, pfn_t start, pfn_t end)
{
	struct mm *mm = run->mm;
	int err;

	mm_zone_lock(mm, run->cpu, zone);
	mm_work(mm, run->cpu, MM_SITE_BUDDY_FREE,
		(uint32_t)((end - start + (1u << MAX_PAGE_ORDER) - 1) >> MAX_PAGE_ORDER));
	err = mm_buddy_release_more(mm, zone, start, end);
	if (!err)
		zone->managed += end - start;
	mm_zone_unlock(mm, run->cpu, zone);
	return err;
}

static int online(struct mm_hotplug_run *run, const struct mm_memory_block *block,
		  struct mm_zone *zone)
{
	struct mm *mm = run->mm;
	pfn_t nr = mm_block_pages(run->hp), start = block->number << run->hp->block_shift;
	bool populated = !mm_zone_populated(zone);
	unsigned shift = mm->arch->page_shift;
	int err = give_lists(mm, zone);

	if (!err && zone->index <= mm_arch_zone_index(mm->arch, MM_ZONE_NORMAL))
		err = mm_slab_going_online(mm, run->cpu, zone->nid);
	if (!err)
		err = mm_zone_grow(mm, zone, start, nr);
	if (!err && block->memmap_pages)
		err = mm_block_keep_memmap(run->hp, block);
	if (!err)
		err = memblock_add_with(&mm->memblock, start << shift, nr << shift, block->nid,
					MEMBLOCK_ZONE(zone->index));
	if (err)
		return err;
	zone->present += nr;
	zone->present_early += mm_block_early(mm, block->number) ? nr : 0;
	mm->nodes[zone->nid].present += nr;
	account_group(mm, zone, start, nr);
	mm_block_forget(run->hp, block->number);
	mm_hot_memmap_init(mm, run->cpu, start, nr);
	err = release(run, zone, start + block->memmap_pages, start + nr);
	return err ? err : mm_zones_changed(mm, populated);
}

int mm_hotplug_online(struct mm_hotplug_run *run, enum mm_hotplug_op op, uint64_t number)
{
	pfn_t start = number << run->hp->block_shift, nr = mm_block_pages(run->hp);
	struct mm_memory_block block;
	int err = find_block(run, number, &block);
	struct mm_zone *zone;

	if (err)
		return err;
	if (mm_page_ext_online(run->mm, run->cpu, block.nid, start, nr))
		return mm_hotplug_refuse(run, -ENOMEM,
					 "memory%" PRIu64 ": no room for its page_ext", number);
	zone = &run->mm->nodes[block.nid].zones[mm_hotplug_zone(run->mm, op, block.nid, start, nr)];
	err = online(run, &block, zone);
	if (err == -ENOMEM)
		return mm_hotplug_refuse(run, err, "memory%" PRIu64 ": no memory on the host",
					 number);
	run->done->blocks++;
	return err;
}
