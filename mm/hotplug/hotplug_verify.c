/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recomputes what memory hotplug keeps: what zones and nodes have from what is online, blocks that
 * are offline from memblock, and how many frames have descriptors.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "mm/hotplug/hotplug_state.h"

static uint64_t pages_of_zone(const struct mm *mm, const struct mm_zone *zone)
{
	const struct memblock_list *memory = &mm->memblock.memory;
	pfn_t zone_end = zone->start_pfn + zone->spanned;
	unsigned shift = mm->arch->page_shift;
	uint64_t pages = 0;

	for (size_t i = 0; i < memory->nr; i++) {
		pfn_t from = memory->regions[i].start >> shift;
		pfn_t to = memory->regions[i].end >> shift;

		from = from > zone->start_pfn ? from : zone->start_pfn;
		to = to < zone_end ? to : zone_end;
		if (memory->regions[i].nid == zone->nid && from < to &&
		    mm_zone_takes(mm, zone, memory->regions[i].flags))
			pages += to - from;
	}
	return pages;
}

static int check_zones(const struct mm *mm, char *why, size_t size)
{
	for (int n = 0; n < mm->nr_nodes; n++) {
		const struct mm_node *node = &mm->nodes[n];
		uint64_t present = 0;

		for (int z = 0; z < mm->arch->nr_zones; z++) {
			const struct mm_zone *zone = &node->zones[z];
			uint64_t pages = pages_of_zone(mm, zone);

			present += zone->present;
			if (pages != zone->present) {
				snprintf(why, size,
					 "node %d %s: %" PRIu64 " pages of memory, %" PRIu64
					 " present",
					 n, zone->name, pages, zone->present);
				return -EINVAL;
			}
			if (!zone->present && (zone->managed || zone->nr_free)) {
				snprintf(why, size, "node %d %s: not present, but managed", n,
					 zone->name);
				return -EINVAL;
			}
		}
		/* With kernelcore=mirror there is memory that no zone takes. */
		if (present != node->present && !mm->params.kernelcore_mirror) {
			snprintf(why, size,
				 "node %d: %" PRIu64 " pages in its zones, %" PRIu64 " present", n,
				 present, node->present);
			return -EINVAL;
		}
	}
	return 0;
}

static int check_blocks(const struct mm *mm, char *why, size_t size)
{
	const struct mm_hotplug *hp = mm->hotplug;

	for (size_t i = 0; i < hp->nr_offline; i++) {
		uint64_t number = hp->offline[i].number;

		if (!mm_block_online(mm, number) && (!i || hp->offline[i - 1].number < number) &&
		    mm_pfn_valid(mm, number << hp->block_shift))
			continue;
		snprintf(why, size,
			 "memory%" PRIu64 ": offline, but online, twice or without "
			 "descriptors",
			 number);
		return -EINVAL;
	}
	return 0;
}

static int check_sections(const struct mm *mm, char *why, size_t size)
{
	const struct mm_sections *s = mm->model->sections((struct mm *)mm);
	uint64_t frames = 0, on_device = 0;

	for (pfn_t i = 0; i < s->nr; i++) {
		const struct mm_section *section = &s->sections[i];
		uint64_t nr = (uint64_t)__builtin_popcountll(section->present)
			      << (s->pfn_shift - 6);

		frames += nr;
		on_device += section->hot && section->hot->on_device ? nr : 0;
	}
	if (frames == s->nr_frames && on_device == s->nr_device_frames)
		return 0;
	snprintf(why, size,
		 "%" PRIu64 " frames have descriptors, %" PRIu64 " of them on devices; counted "
		 "%" PRIu64 " and %" PRIu64,
		 frames, on_device, s->nr_frames, s->nr_device_frames);
	return -EINVAL;
}

int mm_hotplug_verify(const struct mm *mm, char *why, size_t size)
{
	int err = check_zones(mm, why, size);

	if (!err && mm->hotplug)
		err = check_blocks(mm, why, size);
	if (!err && mm->hotplug)
		err = check_sections(mm, why, size);
	return err;
}
