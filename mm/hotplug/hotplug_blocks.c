/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory blocks: stretches of memory that go on- and offline as one, by number, and the ranges that
 * were added. What is online is in memblock; here is what is not.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/hotplug/hotplug_state.h"

/* Index of the first entry with at least that number. */
static size_t lower_bound(const struct mm_memory_block *blocks, size_t nr, uint64_t number)
{
	size_t low = 0, high = nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (blocks[mid].number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int insert(struct mm_memory_block **blocks, size_t *nr, size_t *room,
		  const struct mm_memory_block *block)
{
	size_t at = lower_bound(*blocks, *nr, block->number);

	if (*nr == *room) {
		size_t more = *room ? 2 * *room : 16;
		struct mm_memory_block *grown = realloc(*blocks, more * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		*blocks = grown;
		*room = more;
	}
	memmove(&(*blocks)[at + 1], &(*blocks)[at], (*nr - at) * sizeof(**blocks));
	(*blocks)[at] = *block;
	(*nr)++;
	return 0;
}

static void erase(struct mm_memory_block *blocks, size_t *nr, size_t at)
{
	(*nr)--;
	memmove(&blocks[at], &blocks[at + 1], (*nr - at) * sizeof(*blocks));
}

struct mm_memory_block *mm_block_offline(const struct mm_hotplug *hp, uint64_t number)
{
	size_t at = lower_bound(hp->offline, hp->nr_offline, number);

	return at < hp->nr_offline && hp->offline[at].number == number ? &hp->offline[at] : NULL;
}

int mm_block_set_offline(struct mm_hotplug *hp, const struct mm_memory_block *block)
{
	return insert(&hp->offline, &hp->nr_offline, &hp->offline_room, block);
}

void mm_block_forget(struct mm_hotplug *hp, uint64_t number)
{
	size_t at = lower_bound(hp->offline, hp->nr_offline, number);

	if (at < hp->nr_offline && hp->offline[at].number == number)
		erase(hp->offline, &hp->nr_offline, at);
}

int mm_block_keep_memmap(struct mm_hotplug *hp, const struct mm_memory_block *block)
{
	return insert(&hp->own_memmap, &hp->nr_own_memmap, &hp->own_memmap_room, block);
}

uint64_t mm_block_take_memmap(struct mm_hotplug *hp, uint64_t number)
{
	size_t at = lower_bound(hp->own_memmap, hp->nr_own_memmap, number);
	uint64_t pages;

	if (at == hp->nr_own_memmap || hp->own_memmap[at].number != number)
		return 0;
	pages = hp->own_memmap[at].memmap_pages;
	erase(hp->own_memmap, &hp->nr_own_memmap, at);
	return pages;
}

static unsigned address_shift(const struct mm *mm)
{
	return mm->hotplug->block_shift + mm->arch->page_shift;
}

bool mm_block_early(const struct mm *mm, uint64_t number)
{
	const struct mm_sections *s = mm->model->sections((struct mm *)mm);

	return !s->sections[(number << mm->hotplug->block_shift >> s->pfn_shift) - s->first].hot;
}

uint64_t mm_block_present(const struct mm *mm, uint64_t number)
{
	unsigned shift = address_shift(mm);

	return memblock_memory_in(&mm->memblock, number << shift, (number + 1) << shift) >>
	       mm->arch->page_shift;
}

bool mm_block_online(const struct mm *mm, uint64_t number)
{
	return mm_block_present(mm, number) > 0;
}

/* The first number of at least `number` of a block that is online; UINT64_MAX: none. */
static uint64_t next_online(const struct mm *mm, uint64_t number)
{
	const struct memblock_list *memory = &mm->memblock.memory;
	unsigned shift = address_shift(mm);

	for (size_t i = 0; i < memory->nr; i++) {
		uint64_t first = memory->regions[i].start >> shift;
		uint64_t last = (memory->regions[i].end - 1) >> shift;

		if (last >= number)
			return first > number ? first : number;
	}
	return UINT64_MAX;
}

/* Node and zone of what is online in the block; the zone is -1 where there are several. */
static void find_zone(const struct mm *mm, struct mm_memory_block_info *info)
{
	const struct memblock_list *memory = &mm->memblock.memory;
	unsigned shift = address_shift(mm);
	phys_addr_t start = info->number << shift, end = (info->number + 1) << shift;
	const struct mm_zone *found = NULL;
	bool several = false;

	for (size_t i = 0; i < memory->nr; i++) {
		const struct memblock_region *r = &memory->regions[i];
		phys_addr_t from = r->start > start ? r->start : start;
		phys_addr_t to = r->end < end ? r->end : end;
		const struct mm_zone *first, *last;

		if (from >= to)
			continue;
		first = mm_zone_of_pfn(mm, from >> mm->arch->page_shift);
		last = mm_zone_of_pfn(mm, (to - 1) >> mm->arch->page_shift);
		several |= first != last || (found && found != first);
		found = found ? found : first;
	}
	info->nid = found ? found->nid : 0;
	info->zone = several || !found ? -1 : found->index;
}

bool mm_memory_block(const struct mm *mm, uint64_t number, struct mm_memory_block_info *info)
{
	const struct mm_hotplug *hp = mm->hotplug;
	uint64_t online;
	size_t at;

	if (!hp)
		return false;
	online = next_online(mm, number);
	at = lower_bound(hp->offline, hp->nr_offline, number);
	*info = (struct mm_memory_block_info){.zone = -1, .valid_zones = {-1, -1}};
	if (at < hp->nr_offline && hp->offline[at].number < online) {
		info->number = hp->offline[at].number;
		info->nid = hp->offline[at].nid;
		mm_hotplug_valid_zones(mm, info->nid, info->number << hp->block_shift,
				       mm_block_pages(hp), info->valid_zones);
		return true;
	}
	if (online == UINT64_MAX)
		return false;
	info->number = online;
	info->online = true;
	info->has_holes = mm_block_present(mm, online) < mm_block_pages(hp);
	find_zone(mm, info);
	info->valid_zones[0] = info->zone;
	return true;
}

uint64_t mm_hotplug_absent_pages(const struct mm *mm)
{
	const struct mm_hotplug *hp = mm->hotplug;
	uint64_t pages;

	if (!hp)
		return 0;
	pages = hp->nr_offline << hp->block_shift;
	for (size_t i = 0; i < hp->devices.nr; i++)
		pages += (hp->devices.at[i].end - hp->devices.at[i].start) >> mm->arch->page_shift;
	return pages;
}

int mm_block_refuse_none(struct mm_hotplug_run *run, uint64_t number)
{
	struct mm_memory_block_info above, below, next;
	bool has_above = mm_memory_block(run->mm, number, &above), has_below = false;
	uint64_t nearest;

	for (uint64_t from = 0; mm_memory_block(run->mm, from, &next) && next.number < number;
	     from = next.number + 1) {
		below = next;
		has_below = true;
	}
	nearest = !has_below || (has_above && above.number - number < number - below.number)
			  ? above.number
			  : below.number;
	return mm_hotplug_refuse(run, -ENODEV,
				 "there is no memory%" PRIu64
				 "; the nearest block is memory%" PRIu64 " (blocks have %" PRIu64
				 " MiB: memory%" PRIu64 " begins at 0x%" PRIx64 ")",
				 number, nearest, mm_memory_block_bytes(run->mm) >> 20, nearest,
				 nearest << address_shift(run->mm));
}

struct mm_plugged *mm_plugged_at(const struct mm_plugged_list *list, phys_addr_t at)
{
	for (size_t i = 0; i < list->nr; i++)
		if (at >= list->at[i].start && at < list->at[i].end)
			return &list->at[i];
	return NULL;
}

int mm_plugged_add(struct mm_plugged_list *list, const struct mm_plugged *range)
{
	size_t at = 0;

	if (list->nr == list->room) {
		size_t more = list->room ? 2 * list->room : 8;
		struct mm_plugged *grown = realloc(list->at, more * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		list->at = grown;
		list->room = more;
	}
	while (at < list->nr && list->at[at].start < range->start)
		at++;
	memmove(&list->at[at + 1], &list->at[at], (list->nr - at) * sizeof(*list->at));
	list->at[at] = *range;
	list->nr++;
	return 0;
}

int mm_plugged_cut(struct mm_plugged_list *list, phys_addr_t start, phys_addr_t end)
{
	for (size_t i = 0; i < list->nr; i++) {
		struct mm_plugged *p = &list->at[i];
		struct mm_plugged upper = *p;

		if (p->end <= start || p->start >= end)
			continue;
		if (p->start < start && p->end > end) {
			p->end = start;
			upper.start = end;
			return mm_plugged_add(list, &upper);
		}
		if (p->start < start) {
			p->end = start;
		} else if (p->end > end) {
			p->start = end;
		} else {
			list->nr--;
			memmove(p, p + 1, (list->nr - i) * sizeof(*p));
			i--;
		}
	}
	return 0;
}

bool mm_hotplug_range(const struct mm *mm, bool device, size_t i, struct mm_range *range,
		      bool *kmem)
{
	const struct mm_hotplug *hp = mm->hotplug;
	const struct mm_plugged_list *list;

	if (!hp)
		return false;
	list = device ? &hp->devices : &hp->added;
	if (i >= list->nr)
		return false;
	*range = (struct mm_range){list->at[i].start, list->at[i].end - list->at[i].start,
				   list->at[i].nid};
	*kmem = list->at[i].kmem;
	return true;
}
