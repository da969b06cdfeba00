/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What memory there is: the description's ranges in memblock, less what the kernel was told to
 * leave alone. mem= and memmap= as Linux 6.1's arch/x86/kernel/e820.c and arch/arm64/mm/init.c take
 * them.
 */
#include <errno.h>

#include "mm/internal.h"

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
	if (err)
		return err;
	if (memory->nr == 0)
		return mm_refuse(r, MM_ABOUT_MACHINE, 0,
				 "mem and memmap leave the kernel no memory");
	mm->end_pfn = memory->regions[memory->nr - 1].end >> mm->arch->page_shift;
	return 0;
}
