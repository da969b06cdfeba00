/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all memory models share: finding one by its id, host address space for maps, and the public
 * conversions, which go through the model that the mm core booted with.
 */
#define _DEFAULT_SOURCE /* madvise */
#include <string.h>
#include <sys/mman.h>

#include "mm/internal.h"

const struct mm_memmodel *mm_memmodel(enum mm_memory_model id)
{
	for (size_t i = 0; memmodel_kinds[i]; i++)
		if (memmodel_kinds[i]->id == id)
			return memmodel_kinds[i];
	return NULL;
}

const char *mm_model_name(enum mm_memory_model model)
{
	return mm_memmodel(model)->name;
}

struct page *mm_map_reserve(pfn_t nr)
{
	void *map = mmap(NULL, nr * sizeof(struct page), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return map == MAP_FAILED ? NULL : map;
}

void mm_map_use(struct page *page, pfn_t nr)
{
#ifdef MADV_HUGEPAGE
	uintptr_t mask = MM_HOST_HUGE_BYTES - 1, start = ((uintptr_t)page + mask) & ~mask;
	uintptr_t used = (uintptr_t)(page + (1u << MAX_PAGE_ORDER)), end = (uintptr_t)(page + nr);

	/* A host that has no huge page takes small ones. */
	if (start < used && start + MM_HOST_HUGE_BYTES / 2 <= end)
		madvise((void *)start, MM_HOST_HUGE_BYTES, MADV_HUGEPAGE);
#endif
}

void mm_map_populate(struct page *pages, pfn_t nr)
{
#ifdef MADV_POPULATE_WRITE
	uintptr_t page = 4096, from = ((uintptr_t)pages + page - 1) & ~(page - 1);
	uintptr_t to = (uintptr_t)(pages + nr) & ~(page - 1);

	/* A host that cannot does so when they are used. */
	if (from < to)
		madvise((void *)from, to - from, MADV_POPULATE_WRITE);
#else
	(void)pages;
	(void)nr;
#endif
}

void mm_map_release(struct page *pages, pfn_t nr)
{
	if (pages)
		munmap(pages, nr * sizeof(struct page));
}

void mm_map_clear(struct page *pages, pfn_t nr)
{
	uintptr_t page = 4096, from = ((uintptr_t)pages + page - 1) & ~(page - 1);
	uintptr_t end = (uintptr_t)(pages + nr), to = end & ~(page - 1);

	if (from >= to || madvise((void *)from, to - from, MADV_DONTNEED)) {
		memset(pages, 0, nr * sizeof(*pages));
		return;
	}
	memset(pages, 0, from - (uintptr_t)pages);
	memset((void *)to, 0, end - to);
}

bool mm_pfn_valid(const struct mm *mm, pfn_t pfn)
{
	return mm->model->pfn_valid(mm, pfn);
}

struct page *mm_pfn_to_page(struct mm *mm, int cpu, pfn_t pfn)
{
	return mm_pfn_valid(mm, pfn) ? mm->model->pfn_to_page(mm, cpu, pfn) : NULL;
}

/* A map is in one piece within a section at least. */
void mm_touch_pages(struct mm *mm, int cpu, const struct page *page, uint64_t nr,
		    enum mm_access kind)
{
	pfn_t section = UINT64_C(1) << (mm->arch->section_bits - mm->arch->page_shift);
	pfn_t pfn = mm->ops.access && nr ? mm_pfn_of(mm, page) : 0;

	while (mm->ops.access && cpu != MM_NO_CPU && nr) {
		uint64_t part = section - (pfn & (section - 1));

		part = part < nr ? part : nr;
		mm_touch_descriptors(mm, cpu, page, part, kind);
		page += part;
		pfn += part;
		nr -= part;
	}
}

pfn_t mm_page_to_pfn(struct mm *mm, int cpu, const struct page *page)
{
	return mm->model->page_to_pfn(mm, cpu, page);
}

phys_addr_t mm_page_address(struct mm *mm, const struct page *page)
{
	return mm_pfn_of(mm, page) << mm->arch->page_shift;
}
