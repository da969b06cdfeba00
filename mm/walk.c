/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of the kernel's address space. The direct mapping has pages as large as the architecture
 * and the memory allow, as Linux 6.1 arch/x86/mm/init.c (split_mem_range(),
 * adjust_range_page_size_mask()) makes them: one whose range is all memory. arm64 maps by single
 * pages, since memory may have to be unmapped page by page (rodata=full, the default).
 */
#include "mm/walk.h"

#include "mm/internal.h"
#include "mm/vmalloc/kmap_state.h"
#include "mm/vmalloc/vmalloc_state.h"

struct mm_direct_map mm_direct_map(const struct mm *mm)
{
	const struct mm_vm_range *direct = &mm->vm_map.direct;
	bool limited = mm_arch_zone_index(mm->arch, MM_ZONE_HIGHMEM) >= 0;

	/* Memory that is added later lies behind its end where it is not limited. */
	return (struct mm_direct_map){direct->start,
				      limited ? direct->end - direct->start : UINT64_MAX};
}

uint64_t mm_direct_address(const struct mm *mm, phys_addr_t at)
{
	const struct mm_direct_map direct = mm_direct_map(mm);

	return at < direct.bytes ? direct.start + at : 0;
}

/* Is the aligned block of 2^shift bytes around `at` all memory? */
static bool is_memory(const struct mm *mm, phys_addr_t at, unsigned shift)
{
	const struct memblock_list *memory = &mm->memblock.memory;
	phys_addr_t next = at >> shift << shift, end = next + (UINT64_C(1) << shift);

	for (size_t i = 0; i < memory->nr && next < end; i++) {
		const struct memblock_region *r = &memory->regions[i];

		if (r->end <= next)
			continue;
		if (r->start > next)
			return false;
		next = r->end;
	}
	return next >= end;
}

static unsigned direct_shift(const struct mm *mm, phys_addr_t at)
{
	unsigned shift = mm->vm_map.direct_shift;

	while (shift > mm->arch->page_shift && !is_memory(mm, at, shift))
		shift -= mm->vm_map.table_shift;
	return shift < mm->arch->page_shift ? mm->arch->page_shift : shift;
}

static bool in(const struct mm_vm_range *range, uint64_t address)
{
	return address >= range->start && address < range->end;
}

static void window(const struct mm *mm, uint64_t address, phys_addr_t table, uint64_t index,
		   struct mm_walk *walk)
{
	const struct mm_pgtable *t = &mm->vmalloc->tables;

	walk->shift = mm->arch->page_shift;
	walk->entries[walk->nr++] = mm_pgtable_top(t, address);
	walk->entries[walk->nr++] = (struct mm_walk_entry){table + index * mm->vm_map.entry_bytes,
							   mm->arch->page_shift};
}

/* The slots of all CPUs lie downwards, their entries too (kmap_local.c). */
static void slot(const struct mm *mm, uint64_t address, struct mm_walk *walk)
{
	uint64_t first = mm->vm_map.kmap_slots_end -
			 ((uint64_t)mm->nr_cpus * MM_KMAP_SLOTS << mm->arch->page_shift);

	if (address >= first && address < mm->vm_map.kmap_slots_end)
		window(mm, address, mm->kmap->slots_at, (address - first) >> mm->arch->page_shift,
		       walk);
}

void mm_kernel_walk(const struct mm *mm, uint64_t address, struct mm_walk *walk)
{
	const struct mm_vm_map *map = &mm->vm_map;

	*walk = (struct mm_walk){.entry_bytes = map->entry_bytes};
	if (in(&map->vmalloc, address))
		mm_pgtable_path(&mm->vmalloc->tables, address, walk);
	else if (in(&map->vmemmap, address) && mm->model->walk)
		mm->model->walk(mm, address, walk);
	else if (in(&map->pkmap, address))
		window(mm, address, mm->kmap->table_at,
		       (address - map->pkmap.start) >> mm->arch->page_shift, walk);
	else if (in(&map->fixmap, address))
		slot(mm, address, walk);
	else if (address >= map->direct.start)
		walk->shift = direct_shift(mm, address - map->direct.start);
}
