/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What memory there is: the description's ranges in memblock, less what the kernel was told to
 * leave alone. mem= and memmap= as Linux 6.1's arch/x86/kernel/e820.c and arch/arm64/mm/init.c take
 * them. And what firmware says of it: which of it can be unplugged, which is mirrored.
 */
#include <errno.h>
#include <stdlib.h>

#include "mm/internal.h"

#define SRAT_UNIT (UINT64_C(1) << 20)

/* Whole pages only: a frame that is memory in part is none. */
static int add_ranges(struct mm *mm, const struct mm_config *c)
{
	uint64_t page = UINT64_C(1) << mm->arch->page_shift;

	for (size_t i = 0; i < c->nr_memory; i++) {
		phys_addr_t start = (c->memory[i].start + page - 1) & ~(page - 1);
		phys_addr_t end = (c->memory[i].start + c->memory[i].bytes) & ~(page - 1);

		if (start < end &&
		    memblock_add(&mm->memblock, start, end - start, c->memory[i].nid))
			return -ENOMEM;
	}
	return 0;
}

static int remove_holes(struct mm *mm, const struct mm_config *c)
{
	uint64_t page = UINT64_C(1) << mm->arch->page_shift;

	for (size_t i = 0; i < c->nr_memmap; i++) {
		phys_addr_t start = c->memmap[i].start & ~(page - 1);
		phys_addr_t end =
			(c->memmap[i].start + c->memmap[i].bytes + page - 1) & ~(page - 1);

		if (memblock_remove(&mm->memblock, start, end - start))
			return -ENOMEM;
	}
	return 0;
}

/* Past which address memory is left alone: on x86 that of mem= itself, else after so much memory.
 */
static phys_addr_t find_limit(const struct mm *mm)
{
	uint64_t left = mm->params.mem_bytes & ~((UINT64_C(1) << mm->arch->page_shift) - 1);
	const struct memblock_list *memory = &mm->memblock.memory;

	if (mm->arch->mem_is_an_address)
		return left;
	for (size_t i = 0; i < memory->nr; i++) {
		uint64_t bytes = memory->regions[i].end - memory->regions[i].start;

		if (left <= bytes)
			return memory->regions[i].start + left;
		left -= bytes;
	}
	return UINT64_MAX;
}

/* What firmware says of it. With numa=off the kernel does not ask SRAT what can be unplugged. */
static int mark_ranges(struct mm *mm, const struct mm_config *c)
{
	struct memblock *mb = &mm->memblock;
	int err = 0;

	for (size_t i = 0; i < c->nr_hotpluggable && !c->params.numa_off && !err; i++)
		err = memblock_mark(mb, c->hotpluggable[i].start, c->hotpluggable[i].bytes,
				    MEMBLOCK_HOTPLUG);
	for (size_t i = 0; i < c->nr_mirrored && !err; i++)
		err = memblock_mark(mb, c->mirrored[i].start, c->mirrored[i].bytes,
				    MEMBLOCK_MIRROR);
	return err;
}

/*
 * Where a run of memory ends for SRAT: what the firmware keeps for its tables is no memory, but of
 * the node. Ranges of SRAT end at a whole MiB at the least.
 */
static phys_addr_t end_in_srat(const struct memblock_list *memory, size_t i)
{
	phys_addr_t end = (memory->regions[i].end + SRAT_UNIT - 1) & ~(SRAT_UNIT - 1);

	if (i + 1 < memory->nr && memory->regions[i + 1].start < end)
		return memory->regions[i + 1].start;
	return end;
}

/* Marks the nodes on which anything is reserved. */
static void find_kernel_nodes(const struct mm *mm, const struct memblock_list *reserved,
			      bool *kernel)
{
	const struct memblock_list *memory = &mm->memblock.memory;

	for (size_t i = 0; i < memory->nr; i++)
		for (size_t k = 0; k < reserved->nr; k++)
			if (reserved->regions[k].start < end_in_srat(memory, i) &&
			    reserved->regions[k].end > memory->regions[i].start)
				kernel[memory->regions[i].nid] = true;
}

/*
 * numa_clear_kernel_node_hotplug(): a node that the kernel resides on cannot be unplugged. A
 * complete list of reservations also has those of after that.
 */
int mm_keep_kernel_nodes(struct mm *mm, const struct mm_config *c)
{
	const struct memblock_list *memory = &mm->memblock.memory;
	bool *kernel = calloc((size_t)mm->nr_nodes, sizeof(*kernel));
	struct memblock early = {0};
	int err = kernel ? 0 : -ENOMEM;

	for (size_t i = 0; c->reservations_complete && i < c->nr_reserved && !err; i++)
		if (c->reserved[i].holds == MM_HOLDS_OTHER)
			err = memblock_reserve(&early, c->reserved[i].start, c->reserved[i].bytes);
	if (!err)
		find_kernel_nodes(
			mm, c->reservations_complete ? &early.reserved : &mm->memblock.reserved,
			kernel);
	for (size_t i = 0; i < memory->nr && !err; i++) {
		struct memblock_region r = memory->regions[i];

		if (!kernel[r.nid] || !(r.flags & MEMBLOCK_HOTPLUG))
			continue;
		err = memblock_clear(&mm->memblock, r.start, r.end - r.start, MEMBLOCK_HOTPLUG);
		i = SIZE_MAX; /* regions have merged: from the first again */
	}
	memblock_free_lists(&early);
	free(kernel);
	return err;
}

int mm_memory_init(struct mm *mm, const struct mm_config *c, struct mm_refusal *r)
{
	const struct memblock_list *memory = &mm->memblock.memory;
	phys_addr_t limit;
	int err = add_ranges(mm, c);

	if (err)
		return err;
	if (memory->nr == 0)
		return mm_refuse(r, MM_ABOUT_MACHINE, 0, "no node has a whole page of memory");
	err = remove_holes(mm, c);
	if (!err && mm->params.mem_bytes) {
		limit = find_limit(mm);
		err = memblock_remove(&mm->memblock, limit, UINT64_MAX - limit);
	}
	if (!err)
		err = mark_ranges(mm, c);
	if (err)
		return err;
	if (memory->nr == 0)
		return mm_refuse(r, MM_ABOUT_MACHINE, 0,
				 "mem and memmap leave the kernel no memory");
	mm->end_pfn = memory->regions[memory->nr - 1].end >> mm->arch->page_shift;
	return 0;
}
