/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CPU's own slots among the fixed mappings: a stack. As kmap_local_page() and kunmap_local() of
 * Linux 6.1, which kmap_atomic() is made of: the entry is written when a page is mapped, cleared
 * and flushed from this CPU's TLB when it is unmapped. Nobody else is told, nobody sleeps.
 */
#include <errno.h>
#include <inttypes.h>

#include "mm/vmalloc/kmap_state.h"
#include "mm/warn.h"

/* Slots of all CPUs lie downwards, one CPU after the other. */
static uint64_t slot_address(const struct mm *mm, int cpu, unsigned slot)
{
	uint64_t index = (uint64_t)cpu * MM_KMAP_SLOTS + slot;

	return mm->vm_map.kmap_slots_end - ((index + 1) << mm->arch->page_shift);
}

static void write_slot(struct mm *mm, int cpu, unsigned slot)
{
	uint64_t index = (uint64_t)cpu * MM_KMAP_SLOTS + slot;

	mm_work(mm, cpu, MM_SITE_PTE, 1);
	/* Addresses grow downwards, and so do the entries. */
	mm_touch(mm, cpu,
		 mm->kmap->slots_at + ((uint64_t)mm->nr_cpus * MM_KMAP_SLOTS - 1 - index) *
					      mm->vm_map.entry_bytes,
		 mm->vm_map.entry_bytes, MM_WRITE);
}

int mm_kmap_local(struct mm *mm, int cpu, struct page *page, uint64_t *address)
{
	struct mm_kmap_local *local = &mm->kmap->local[cpu];

	if (mm->kmap->nr_entries)
		mm_touch_page(mm, cpu, page, MM_READ);
	if (!mm_page_high(mm, page)) {
		mm->kmap->info.lowmem++;
		*address = mm_lowmem_address(mm, cpu, page);
		return 0;
	}
	if (local->nr == MM_KMAP_SLOTS) {
		mm_warn(mm, "kmap_local of pfn 0x%" PRIx64 ": CPU %d has all its %d slots in use",
			mm_pfn_of(mm, page), cpu, MM_KMAP_SLOTS);
		return -ENOSPC;
	}
	mm_work(mm, cpu, MM_SITE_KMAP_SLOT, 1);
	mm_page_to_pfn(mm, cpu, page);
	write_slot(mm, cpu, local->nr);
	*address = slot_address(mm, cpu, local->nr);
	local->pages[local->nr++] = page;
	mm->kmap->info.local++;
	return 0;
}

int mm_kunmap_local(struct mm *mm, int cpu, uint64_t address)
{
	struct mm_kmap_local *local = &mm->kmap->local[cpu];
	uint64_t page = address & ~((UINT64_C(1) << mm->arch->page_shift) - 1);

	if (page >= mm->vm_map.direct.start && page < mm->vm_map.direct.end)
		return 0;
	if (!local->nr || slot_address(mm, cpu, local->nr - 1) != page) {
		mm_warn(mm, "kunmap_local of 0x%" PRIx64 ": CPU %d has %u pages mapped, %s",
			address, cpu, local->nr,
			local->nr ? "and this is not the last one" : "so not this");
		return -EINVAL;
	}
	local->nr--;
	mm_work(mm, cpu, MM_SITE_KMAP_SLOT, 1);
	write_slot(mm, cpu, local->nr);
	mm_forget(mm, cpu,
		  &(struct mm_forget){.start = page,
				      .end = page + (UINT64_C(1) << mm->arch->page_shift),
				      .own = true});
	mm_work(mm, cpu, MM_SITE_TLB_FLUSH, 1);
	return 0;
}
