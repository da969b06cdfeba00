/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The area of memory for devices that need many frames in a row (cma=): page blocks of type CMA,
 * which movable pages may use until they are asked for. A bit a frame says what is allocated.
 *
 * Follows Linux 6.1 mm/cma.c and kernel/dma/contiguous.c: where it is put, cma_init_reserved_areas,
 * cma_alloc, cma_release.
 */
#include <errno.h>
#include <stdlib.h>

#include "mm/alloc/cma.h"
#include "mm/alloc/contig.h"
#include "mm/alloc/pageblock.h"
#include "mm/zone_count.h"

#define ABOVE (UINT64_C(1) << 32) /* not where devices of 32 bits have theirs, if possible */

static bool is_taken(const struct mm_cma *a, uint64_t i)
{
	return a->bits[i / 64] >> (i % 64) & 1;
}

static void mark(struct mm_cma *a, uint64_t from, uint64_t nr, bool taken)
{
	for (uint64_t i = from; i < from + nr; i++)
		a->bits[i / 64] = (a->bits[i / 64] & ~(UINT64_C(1) << (i % 64))) |
				  (uint64_t)taken << (i % 64);
}

/*
 * From the bottom up above 4 GiB, so that compaction moves pages out of it; else from the top of
 * what it may have: on arm64 of what all devices reach.
 */
int mm_cma_reserve(struct mm *mm, uint64_t bytes)
{
	uint64_t align = mm_pageblock_pages(mm) << mm->arch->page_shift;
	phys_addr_t end = mm_direct_limit(mm), at = MEMBLOCK_FAILED;
	bool bottom_up = mm->memblock.bottom_up;

	if (mm->arch->cma_below_dma_limit && mm_dma_limit(mm) < end)
		end = mm_dma_limit(mm);
	bytes = (bytes + align - 1) & ~(align - 1);
	if (!bytes)
		return 0;
	if (end >= ABOVE + bytes) {
		mm->memblock.bottom_up = true;
		at = memblock_alloc_range(&mm->memblock, bytes, align, ABOVE, end, MM_NO_NODE);
		mm->memblock.bottom_up = bottom_up;
	}
	if (at == MEMBLOCK_FAILED)
		at = memblock_alloc_range(&mm->memblock, bytes, align, 0, end, MM_NO_NODE);
	if (at == MEMBLOCK_FAILED)
		return -ENOMEM;
	mm->cma.start = at >> mm->arch->page_shift;
	mm->cma.pages = bytes >> mm->arch->page_shift;
	return 0;
}

/* Page blocks of more than one zone are of no use: then there is no area. */
int mm_cma_activate(struct mm *mm)
{
	struct mm_cma *a = &mm->cma;
	struct mm_zone *zone = a->pages ? mm_zone_of_pfn(mm, a->start) : NULL;
	unsigned order = mm->arch->pageblock_order;

	if (!zone || mm_zone_of_pfn(mm, a->start + a->pages - 1) != zone) {
		a->pages = 0;
		return 0;
	}
	a->bits = calloc(a->pages / 64 + 1, sizeof(*a->bits));
	if (!a->bits)
		return -ENOMEM;
	for (pfn_t pfn = a->start; pfn < a->start + a->pages; pfn += mm_pageblock_pages(mm)) {
		struct page *page = mm->model->pfn_to_page(mm, MM_NO_CPU, pfn);

		mm_page_init(mm, page, pfn, zone);
		mm_pageblock_set_type(mm, zone, pfn, MM_CMA);
		mm_buddy_give(mm, MM_NO_CPU, zone, page, pfn, order, MM_CMA);
		zone->managed += mm_pageblock_pages(mm);
	}
	return 0;
}

void mm_cma_info(const struct mm *mm, struct mm_cma_info *info)
{
	*info = (struct mm_cma_info){.total = mm->cma.pages, .start = mm->cma.start};
	for (int n = 0; n < mm->nr_nodes; n++)
		for (int z = 0; z < mm->arch->nr_zones; z++)
			info->free +=
				mm_zone_stat_exactly(mm, &mm->nodes[n].zones[z], MM_ZS_FREE_CMA);
}

uint64_t mm_cma_pages(const struct mm *mm, int nid, int zone)
{
	const struct mm_zone *z = mm->cma.pages ? mm_zone_of_pfn(mm, mm->cma.start) : NULL;

	return z == &mm->nodes[nid].zones[zone] ? mm->cma.pages : 0;
}

uint64_t mm_cma_free(const struct mm *mm, int nid, int zone)
{
	return mm_zone_stat_exactly(mm, &mm->nodes[nid].zones[zone], MM_ZS_FREE_CMA);
}

/* The next run of `nr` that is not allocated, from index *at on. */
static bool find_run(const struct mm_cma *a, uint64_t nr, uint64_t align, uint64_t *at)
{
	uint64_t i = *at;

	for (;;) {
		uint64_t n = 0;

		i = ((a->start + i + align - 1) & ~(align - 1)) - a->start;
		if (i > a->pages || nr > a->pages - i)
			return false;
		while (n < nr && !is_taken(a, i + n))
			n++;
		*at = i;
		if (n == nr)
			return true;
		i += n + 1;
	}
}

/* NULL for `page`: there is none, or none yet. */
static void emit(struct mm *mm, int cpu, enum mm_event_type type, const struct page *page,
		 struct mm_event_cma cma)
{
	if (mm_tells(mm, type))
		mm_emit(mm, cpu,
			&(struct mm_event){.type = type,
					   .page = page,
					   .pfn = page ? mm_pfn_of(mm, page) : 0,
					   .cma = cma});
}

/* Where one run cannot be emptied, the next. */
int mm_cma_alloc(struct mm *mm, int cpu, uint64_t nr, unsigned align_order, struct page **first)
{
	struct mm_cma *a = &mm->cma;
	struct mm_event_cma wanted = {.nr = nr, .align = align_order};
	uint64_t align, at = 0;

	*first = NULL;
	if (!nr || !a->pages || align_order >= 32)
		goto out;
	align = UINT64_C(1) << align_order;
	emit(mm, cpu, MM_EVENT_CMA_START, NULL, wanted);
	while (!*first && find_run(a, nr, align, &at)) {
		struct page *page = mm->model->pfn_to_page(mm, MM_NO_CPU, a->start + at);
		int err;

		mark(a, at, nr, true);
		err = mm_alloc_contig_range(mm, cpu, a->start + at, a->start + at + nr, true);
		if (!err) {
			*first = page;
			break;
		}
		mark(a, at, nr, false);
		if (err != -EBUSY)
			break;
		emit(mm, cpu, MM_EVENT_CMA_BUSY_RETRY, page, wanted);
		at += align;
	}
	emit(mm, cpu, MM_EVENT_CMA_FINISH, *first, wanted);
out:
	mm_count(mm, cpu, *first ? MM_VM_CMA_ALLOC_SUCCESS : MM_VM_CMA_ALLOC_FAIL, 1);
	return *first ? 0 : -ENOMEM;
}

int mm_cma_release(struct mm *mm, int cpu, struct page *first, uint64_t nr)
{
	struct mm_cma *a = &mm->cma;
	pfn_t pfn = mm_pfn_of(mm, first);
	uint64_t from = pfn - a->start;

	if (!nr || pfn < a->start || from >= a->pages || nr > a->pages - from)
		return -EINVAL;
	for (uint64_t i = from; i < from + nr; i++)
		if (!is_taken(a, i))
			return -EINVAL;
	mm_free_contig_range(mm, cpu, first, nr);
	mark(a, from, nr, false);
	emit(mm, cpu, MM_EVENT_CMA_RELEASE, first, (struct mm_event_cma){.nr = nr});
	return 0;
}
