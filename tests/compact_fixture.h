/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of compaction: a machine with one node of 64 MiB: zone DMA, which begins at frame
 * 0, and DMA32, frames 4096 to 16384: 24 page blocks of 512. With 1024 KiB to be kept free DMA32
 * has min 192, low 240, high 288 pages. Every other page of DMA32 can be made to be in use.
 */
#ifndef TESTS_COMPACT_FIXTURE_H
#define TESTS_COMPACT_FIXTURE_H

#include <criterion/criterion.h>

#include "mm/alloc/pageblock.h"
#include "mm/compact/compact_run.h"
#include "mm/kthread.h"
#include "mm/reclaim/lru.h"
#include "tests/mm_fixture.h"

#define DMA32_ZONE 1
#define FIRST      4096
#define FRAMES     12288
#define BLOCK      512
#define MOVABLE    GFP_HIGHUSER_MOVABLE

static const struct machine small = {
	.model = MM_SPARSE_VMEMMAP,
	.memory = {{0, 64 * MiB, 0}},
	.cpus = {2},
	.min_free_kbytes = 1024,
	.no_reserve = true,
	.exact_counts = true,
};

/* Whoever has a page here finds it by its frame. */
static inline void ignore_moved(void *ctx, int cpu, struct page *from, struct page *to)
{
	(void)ctx;
	(void)cpu;
	(void)from;
	(void)to;
}

static inline struct mm *boot_movable(void)
{
	static const struct mm_ops ops = {.moved = ignore_moved};

	return boot_with(&small, &ops, NULL);
}

static inline struct mm_zone *dma32(struct mm *mm)
{
	return &mm->nodes[0].zones[DMA32_ZONE];
}

static inline uint64_t count(const struct mm *mm, enum mm_vm_event event)
{
	return mm_vm_event(mm, event);
}

static inline struct page *page_at(struct mm *mm, pfn_t pfn)
{
	return mm->model->pfn_to_page(mm, MM_NO_CPU, pfn);
}

/* All of DMA32 in use, a page at a time, with nobody woken; owner[] by frame. */
static inline void fill(struct mm *mm, gfp_t gfp, struct page **owner)
{
	struct mm_zone *zone = dma32(mm);

	zone->wmark[0] = zone->wmark[1] = zone->wmark[2] = 0;
	zone->pcp_batch = 1;
	while (zone->nr_free) {
		struct page *page = alloc(mm, 0, 0, gfp | __GFP_MEMALLOC | __GFP_THISNODE);

		cr_assert_not_null(page);
		cr_assert_eq(mm_page_zone(mm, page), zone);
		owner[pfn_of(mm, page) - FIRST] = page;
	}
	mm_watermarks_setup(mm);
}

static inline void free_at(struct mm *mm, struct page **owner, pfn_t pfn)
{
	cr_assert_eq(mm_free_pages(mm, 0, owner[pfn - FIRST], 0), 0);
	owner[pfn - FIRST] = NULL;
}

/* Every other page in use. */
static inline void checker(struct mm *mm, gfp_t gfp, struct page **owner)
{
	fill(mm, gfp, owner);
	for (pfn_t pfn = FIRST; pfn < FIRST + FRAMES; pfn += 2)
		free_at(mm, owner, pfn);
	drain_all(mm);
	must_verify(mm, "every other page");
	cr_assert_eq(dma32(mm)->nr_free, FRAMES / 2);
	cr_assert_eq(dma32(mm)->free_area[0].nr_free[MM_MOVABLE] +
			     dma32(mm)->free_area[0].nr_free[MM_UNMOVABLE],
		     FRAMES / 2);
}

static inline uint64_t free_blocks(const struct mm_zone *zone, unsigned order)
{
	uint64_t nr = 0;

	for (int t = 0; t < MM_NR_MIGRATETYPES; t++)
		nr += zone->free_area[order].nr_free[t];
	return nr;
}

/* What the run has freed itself is freed for good. */
static inline enum mm_compact_result direct(struct mm *mm, unsigned order, gfp_t gfp,
					    enum mm_compact_priority priority)
{
	struct mm_zone *zones[] = {dma32(mm)};
	const struct mm_zonelist list = {.zones = zones, .nr = 1};
	const struct mm_compact_request req = {.list = &list,
					       .highest = DMA32_ZONE,
					       .order = order,
					       .gfp = gfp,
					       .alloc_flags = MM_WMARK_MIN,
					       .priority = priority};
	struct page *captured;
	enum mm_compact_result result = mm_compact_direct(mm, 0, &req, &captured);

	if (captured)
		mm_free_block(mm, MM_NO_CPU, captured, order);
	return result;
}

#endif
