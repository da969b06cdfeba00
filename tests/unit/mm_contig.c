/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranges of frames that are emptied and taken, and the area that is kept for them. One node of
 * 64 MiB: DMA from frame 0, DMA32 frames 4096 to 16384; and one with 8 MiB of CMA.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "../mm_fixture.h"
#include "mm/alloc/contig.h"
#include "mm/alloc/pageblock.h"
#include "mm/reclaim/lru.h"
#include "mm/zone_count.h"

#define MOVABLE GFP_HIGHUSER_MOVABLE
#define BLOCK   512
#define AREA    2048 /* pages of 8 MiB */

static const struct machine small = {
	.model = MM_SPARSE_VMEMMAP,
	.memory = {{0, 64 * MiB, 0}},
	.cpus = {2},
	.min_free_kbytes = 512,
	.no_reserve = true,
	.exact_counts = true,
};

static struct mm *boot_cma(struct recorder *rec)
{
	struct machine m = small;

	m.cma_bytes = 8 * MiB;
	return boot_recorded(&m, rec);
}

static struct page *page_at(struct mm *mm, pfn_t pfn)
{
	return mm->model->pfn_to_page(mm, MM_NO_CPU, pfn);
}

static uint64_t total_free(struct mm *mm)
{
	return zone_info(mm, 0, 0).free + zone_info(mm, 0, 1).free;
}

/* Of memory that nobody has asked for since boot, from the middle of the largest blocks. */
Test(contig, free_frames_are_taken_as_they_are)
{
	struct mm *mm = boot(&small);
	uint64_t before = total_free(mm);

	cr_assert_eq(mm_alloc_contig_range(mm, 0, 5003, 7003, false), 0);
	must_verify(mm, "taken");
	cr_expect_eq(total_free(mm), before - 2000);
	for (pfn_t pfn = 5003; pfn < 7003; pfn++)
		cr_assert_eq(page_at(mm, pfn)->refcount, 1);
	cr_expect_eq(page_at(mm, 5002)->refcount, 0);
	cr_expect_eq(mm->nodes[0].zones[1].nr_isolated_blocks, 0);
	cr_expect_eq(mm_alloc_contig_range(mm, 0, 6000, 6001, false), -EBUSY, "it is taken");
	must_verify(mm, "refused");
	mm_free_contig_range(mm, 0, page_at(mm, 5003), 2000);
	drain_all(mm);
	cr_expect_eq(total_free(mm), before);
	must_verify(mm, "given back");
	mm_destroy(mm);
}

/* User memory moves out, single and huge pages, from LRU lists and from none; a page of the
 * kernel's holds the range. */
Test(contig, what_is_in_use_moves_away)
{
	static struct page *pages[3000];
	struct recorder rec;
	struct mm *mm = boot_recorded(&small, &rec);
	struct page *huge = alloc(mm, 0, 9, GFP_TRANSHUGE), *kernel;
	uint64_t inside = 0, nr = 0, moved;
	pfn_t start;

	for (; nr < 3000; nr++) {
		pages[nr] = alloc(mm, 0, 0, MOVABLE);
		if (nr % 2)
			mm_lru_add(mm, 0, pages[nr], nr % 4 == 1 ? MM_PAGE_ANON : MM_PAGE_FILE);
	}
	start = pfn_of(mm, pages[100]) & ~UINT64_C(1023);
	for (uint64_t i = 0; i < nr; i++)
		inside += pfn_of(mm, pages[i]) >> 10 == start >> 10;
	inside += pfn_of(mm, huge) >> 10 == start >> 10;
	cr_assert_gt(inside, 100);
	record_from_here(&rec);
	cr_assert_eq(mm_alloc_contig_range(mm, 0, start, start + 1024, false), 0);
	must_verify(mm, "emptied");
	cr_expect_eq(count_records(&rec, REC_MOVED), inside);
	moved = mm_vm_event(mm, MM_VM_PGMIGRATE_SUCCESS);
	start = pfn_of(mm, alloc(mm, 0, 9, GFP_TRANSHUGE));
	cr_assert_eq(mm_alloc_contig_range(mm, 0, start, start + 256, false), 0);
	cr_expect_eq(mm_vm_event(mm, MM_VM_PGMIGRATE_SUCCESS), moved + 512, "as a whole");
	cr_expect_eq(mm_vm_event(mm, MM_VM_THP_MIGRATION_SUCCESS), 1);
	must_verify(mm, "half of a huge page's frames");
	mm_free_contig_range(mm, 0, page_at(mm, start), 256);
	drain_all(mm);
	kernel = alloc(mm, 0, 0, GFP_KERNEL);
	record_from_here(&rec);
	cr_expect_eq(
		mm_alloc_contig_range(mm, 0, pfn_of(mm, kernel), pfn_of(mm, kernel) + 8, false),
		-EBUSY);
	cr_expect_eq(count_records(&rec, REC_MOVED), 0);
	must_verify(mm, "held by the kernel");
	free(rec.records);
	mm_destroy(mm);
}

/* Where nothing else is free, they stay, and all is as it was. */
Test(contig, without_room_nothing_moves)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&small, &rec);
	struct page *page = NULL, *last = NULL;

	while ((page = alloc(mm, 0, 0, (MOVABLE & ~__GFP_RECLAIM) | __GFP_MEMALLOC)))
		last = page;
	record_from_here(&rec);
	cr_expect_lt(mm_alloc_contig_range(mm, 0, pfn_of(mm, last), pfn_of(mm, last) + 4, false),
		     0);
	cr_expect_eq(mm->nodes[0].zones[1].nr_isolated_blocks, 0);
	must_verify(mm, "full");
	free(rec.records);
	mm_destroy(mm);
}

Test(contig, no_frames_of_one_zone)
{
	struct mm *mm = boot(&small);

	cr_expect_eq(mm_alloc_contig_range(mm, 0, 4000, 4200, false), -EINVAL);
	cr_expect_eq(mm_alloc_contig_range(mm, 0, 16000, 17000, false), -EINVAL);
	cr_expect_eq(mm_alloc_contig_range(mm, 0, 5000, 5000, false), -EINVAL);
	must_verify(mm, "refused");
	mm_destroy(mm);
}

/* The first aligned range that can be had: frame 0 is boot's or not, 4096 is DMA32's first. */
Test(contig, pages_at_a_multiple_of_their_number)
{
	struct mm *mm = boot(&small);
	const struct mm_request req = {.nid = 0, .gfp = MOVABLE};
	struct page *first, *kernel = alloc(mm, 0, 0, GFP_KERNEL);

	cr_assert_eq(mm_alloc_contig_pages(mm, &req, 4096, &first), 0);
	cr_expect_eq(pfn_of(mm, first) % 4096, 0);
	cr_expect(pfn_of(mm, kernel) < pfn_of(mm, first) ||
		  pfn_of(mm, kernel) >= pfn_of(mm, first) + 4096);
	must_verify(mm, "4096 pages");
	cr_expect_eq(mm_alloc_contig_pages(mm, &req, 16384, &first), -ENOMEM);
	cr_expect_null(first);
	must_verify(mm, "not so many");
	mm_destroy(mm);
}

/* The area lies at the end of memory below 4 GiB, counts as managed and as free. */
Test(cma, is_set_apart_at_boot)
{
	struct recorder rec;
	struct mm *mm = boot_cma(&rec), *plain = boot(&small);
	struct mm_cma_info info;

	mm_cma_info(mm, &info);
	cr_expect_eq(info.total, AREA);
	cr_expect_eq(info.free, AREA);
	cr_expect_eq(info.start, 16384 - AREA);
	cr_expect_eq(mm_cma_pages(mm, 0, 1), AREA);
	cr_expect_eq(mm_cma_pages(mm, 0, 0), 0);
	cr_expect_eq(zone_info(mm, 0, 1).managed, zone_info(plain, 0, 1).managed);
	cr_expect_eq(zone_info(mm, 0, 1).free, zone_info(plain, 0, 1).free);
	must_verify(mm, "with CMA");
	free(rec.records);
	mm_destroy(plain);
	mm_destroy(mm);
}

/* A machine with memory above 4 GiB has it at the beginning of that. */
Test(cma, lies_above_4_gib_where_that_is)
{
	struct machine m = {.model = MM_SPARSE_VMEMMAP,
			    .memory = {{0, 64 * MiB, 0}, {4 * GiB, 256 * MiB, 0}},
			    .cma_bytes = 5 * MiB};
	struct mm *mm = boot(&m);
	struct mm_cma_info info;

	mm_cma_info(mm, &info);
	cr_expect_eq(info.start, 4 * GiB / 4096);
	cr_expect_eq(info.total, 3 * BLOCK, "whole page blocks");
	mm_destroy(mm);
}

/* On arm64 all devices are to reach it: below 4 GiB, unless all memory lies above. */
Test(cma, lies_where_devices_of_arm64_reach)
{
	struct machine m = {.arch = MM_ARM64,
			    .model = MM_SPARSE_VMEMMAP,
			    .memory = {{GiB, 64 * MiB, 0}, {4 * GiB, 256 * MiB, 0}},
			    .cma_bytes = 6 * MiB};
	struct mm *mm = boot(&m);
	struct mm_cma_info info;

	mm_cma_info(mm, &info);
	cr_expect_eq(info.start, (GiB + 58 * MiB) / 4096);
	mm_destroy(mm);
	m.memory[0].start = 8 * GiB;
	m.memory[1].start = 16 * GiB;
	mm = boot(&m);
	mm_cma_info(mm, &info);
	cr_expect_eq(info.start, 8 * GiB / 4096);
	mm_destroy(mm);
}

Test(cma, needs_room)
{
	struct machine m = small;
	struct mm_refusal refusal;

	m.cma_bytes = 65 * MiB;
	cr_expect_eq(boot_refused(&m, &refusal), -EINVAL);
}

/*
 * What the kernel allocates stays out: with 14336 of 16384 pages in use it finds nothing, though
 * 2048 are free. Movable memory gets them.
 */
Test(cma, serves_movable_memory_only)
{
	struct recorder rec;
	struct mm *mm = boot_cma(&rec);
	struct mm_cma_info info;
	uint64_t nr = 0;
	struct page *page;

	while ((page = alloc(mm, 0, 0, (GFP_KERNEL & ~__GFP_RECLAIM) | __GFP_MEMALLOC))) {
		cr_assert_lt(pfn_of(mm, page), 16384 - AREA);
		nr++;
	}
	mm_cma_info(mm, &info);
	cr_expect_eq(info.free, AREA);
	cr_expect_eq(nr, zone_info(mm, 0, 0).managed + zone_info(mm, 0, 1).managed - AREA);
	for (nr = 0; (page = alloc(mm, 0, 0, (MOVABLE & ~__GFP_RECLAIM) | __GFP_MEMALLOC)); nr++)
		cr_assert_geq(pfn_of(mm, page), 16384 - AREA);
	cr_expect_eq(nr, AREA);
	must_verify(mm, "all in use");
	free(rec.records);
	mm_destroy(mm);
}

/*
 * As long as the area has more than half of what is free in its zone, movable memory goes there
 * first; until then, elsewhere. From the buddy lists directly, so that no list of a CPU is between.
 */
Test(cma, is_used_first_once_it_has_half_of_what_is_free)
{
	struct recorder rec;
	struct mm *mm = boot_cma(&rec);
	struct mm_zone *zone = zone_of(mm, 0, MM_ZONE_DMA32);
	bool inside = false;

	while (zone->nr_free > 64) {
		uint64_t cma = mm_zone_free_cma(zone), free_pages = zone->nr_free;
		struct page *page = mm_rmqueue(mm, MM_NO_CPU, zone, 0, MM_MOVABLE, ALLOC_CMA);

		cr_assert_not_null(page);
		page->refcount = 1;
		mm_count_free(mm, MM_NO_CPU, zone, -1);
		inside = pfn_of(mm, page) >= 16384 - AREA;
		cr_assert_eq(inside, cma > free_pages / 2, "%lu of %lu", cma, free_pages);
	}
	free(rec.records);
	mm_destroy(mm);
}

static const struct mm_event *nth_event(const struct recorder *rec, size_t i)
{
	return &nth_record(rec, REC_EVENT, i)->event;
}

/* A page that cannot move is in the way of the first run of eight; there are no AREA + 1 pages. */
Test(cma, tells_what_it_does)
{
	struct recorder rec;
	struct mm *mm = boot_cma(&rec);
	pfn_t start = 16384 - AREA;
	struct page *first;

	cr_assert_eq(mm_alloc_contig_range(mm, 0, start + 5, start + 6, true), 0);
	record_from_here(&rec);
	cr_assert_eq(mm_cma_alloc(mm, 0, 8, 3, &first), 0);
	cr_expect_eq(pfn_of(mm, first), start + 8);
	cr_assert_eq(count_records(&rec, REC_EVENT), 3);
	cr_expect_eq(nth_event(&rec, 0)->type, MM_EVENT_CMA_START);
	cr_expect_eq(nth_event(&rec, 0)->cma.nr, 8);
	cr_expect_eq(nth_event(&rec, 0)->cma.align, 3);
	cr_expect_eq(nth_event(&rec, 1)->type, MM_EVENT_CMA_BUSY_RETRY);
	cr_expect_eq(nth_event(&rec, 1)->pfn, start);
	cr_expect_eq(nth_event(&rec, 2)->type, MM_EVENT_CMA_FINISH);
	cr_expect_eq(nth_event(&rec, 2)->pfn, start + 8);
	cr_expect_eq(nth_event(&rec, 2)->page, first);
	cr_assert_eq(mm_cma_release(mm, 0, first, 8), 0);
	cr_expect_eq(count_events(&rec, MM_EVENT_PAGE_FREE), 8);
	cr_expect_eq(count_events(&rec, MM_EVENT_CMA_RELEASE), 1);

	record_from_here(&rec);
	cr_expect_eq(mm_cma_alloc(mm, 0, AREA + 1, 0, &first), -ENOMEM);
	cr_assert_eq(count_records(&rec, REC_EVENT), 2);
	cr_expect_eq(nth_event(&rec, 1)->type, MM_EVENT_CMA_FINISH);
	cr_expect_null(nth_event(&rec, 1)->page);
	must_verify(mm, "with one that does not move");
	free(rec.records);
	mm_destroy(mm);
}

/* cma_alloc() of a run: what movable memory has there moves out, and the run is the caller's. */
Test(cma, is_emptied_for_who_asks)
{
	struct recorder rec;
	struct mm *mm = boot_cma(&rec);
	struct page *first, *second, *page;
	struct mm_cma_info info;
	uint64_t nr = 0, inside = 0;

	/* All but 3000 pages, so that the area is in use too. */
	while (total_free(mm) > 3000 && (page = alloc(mm, 0, 0, MOVABLE))) {
		inside += pfn_of(mm, page) >= 16384 - AREA;
		nr++;
	}
	cr_assert_gt(inside, 0);
	record_from_here(&rec);
	cr_assert_eq(mm_cma_alloc(mm, 0, 1000, 0, &first), 0);
	cr_expect_eq(pfn_of(mm, first), 16384 - AREA);
	must_verify(mm, "1000 pages");
	cr_expect_eq(count_records(&rec, REC_MOVED), mm_vm_event(mm, MM_VM_PGMIGRATE_SUCCESS));
	/* At a multiple of 16: 1000 is none. */
	cr_assert_eq(mm_cma_alloc(mm, 0, 100, 4, &second), 0);
	cr_expect_eq(pfn_of(mm, second), 16384 - AREA + 1008);
	cr_expect_eq(mm_vm_event(mm, MM_VM_CMA_ALLOC_SUCCESS), 2);
	cr_expect_eq(mm_cma_alloc(mm, 0, 1000, 0, &page), -ENOMEM, "940 are left in a row");
	cr_expect_null(page);
	cr_expect_eq(mm_vm_event(mm, MM_VM_CMA_ALLOC_FAIL), 1);
	cr_expect_eq(mm_cma_release(mm, 0, first, 1001), -EINVAL);
	cr_expect_eq(mm_cma_release(mm, 0, page_at(mm, 4096), 1), -EINVAL);
	cr_assert_eq(mm_cma_release(mm, 0, first, 1000), 0);
	cr_assert_eq(mm_cma_release(mm, 0, second, 100), 0);
	drain_all(mm);
	must_verify(mm, "released");
	mm_cma_info(mm, &info);
	cr_expect_geq(info.free, 1100);
	cr_expect_eq(mm_pageblock_type(mm, zone_of(mm, 0, MM_ZONE_DMA32), 16384 - AREA), MM_CMA);
	free(rec.records);
	mm_destroy(mm);
}

/* What cannot be moved is gone around: the run begins behind it. */
Test(cma, goes_around_what_stays)
{
	struct recorder rec;
	struct mm *mm = boot_cma(&rec);
	struct page *first, *pinned;

	pinned = NULL;
	while (!pinned || pfn_of(mm, pinned) != 16384 - AREA) {
		pinned = alloc(mm, 0, 0, MOVABLE | __GFP_MEMALLOC);
		cr_assert_not_null(pinned);
	}
	/* A long-term pin. */
	pinned->refcount++;
	cr_assert_eq(mm_cma_alloc(mm, 0, 16, 0, &first), 0);
	cr_expect_eq(pfn_of(mm, first), 16384 - AREA + 1);
	pinned->refcount--;
	must_verify(mm, "behind it");
	free(rec.records);
	mm_destroy(mm);
}
