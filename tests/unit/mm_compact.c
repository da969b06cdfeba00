/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compaction, rule by rule. The machine has one node of 64 MiB: zone DMA, which begins at frame 0,
 * and DMA32, frames 4096 to 16384: 24 page blocks of 512. With 1024 KiB to be kept free DMA32 has
 * min 192, low 240, high 288 pages.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../mm_fixture.h"
#include "mm/compact_run.h"
#include "mm/kthread.h"
#include "mm/lru.h"
#include "mm/pageblock.h"

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
};

/* Whoever has a page here finds it by its frame. */
static void ignore_moved(void *ctx, int cpu, struct page *from, struct page *to)
{
	(void)ctx;
	(void)cpu;
	(void)from;
	(void)to;
}

static struct mm *boot_movable(void)
{
	static const struct mm_ops ops = {.moved = ignore_moved};

	return boot_with(&small, &ops, NULL);
}

static struct mm_zone *dma32(struct mm *mm)
{
	return &mm->nodes[0].zones[DMA32_ZONE];
}

static uint64_t count(const struct mm *mm, enum mm_vm_event event)
{
	return mm_vm_event(mm, event);
}

static struct page *page_at(struct mm *mm, pfn_t pfn)
{
	return mm->model->pfn_to_page(mm, MM_NO_CPU, pfn);
}

/* All of DMA32 in use, a page at a time, with nobody woken; owner[] by frame. */
static void fill(struct mm *mm, gfp_t gfp, struct page **owner)
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

static void free_at(struct mm *mm, struct page **owner, pfn_t pfn)
{
	cr_assert_eq(mm_free_pages(mm, 0, owner[pfn - FIRST], 0), 0);
	owner[pfn - FIRST] = NULL;
}

/* Every other page in use. */
static void checker(struct mm *mm, gfp_t gfp, struct page **owner)
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

static uint64_t free_blocks(const struct mm_zone *zone, unsigned order)
{
	uint64_t nr = 0;

	for (int t = 0; t < MM_NR_MIGRATETYPES; t++)
		nr += zone->free_area[order].nr_free[t];
	return nr;
}

static enum mm_compact_result direct(struct mm *mm, unsigned order, gfp_t gfp,
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

	return mm_compact_direct(mm, 0, &req);
}

/*
 * The 256 pages of each page block go into what is free of one at the other end: the first of 32,
 * as a cluster is, then the rest, as a second cluster has the block finished. With the twelfth
 * block the scanners come together: of its pages the first cluster still moves into the thirteenth
 * block; for the others, with the migrate scanner at the thirteenth, there is no frame. In DMA,
 * which is free, the migrate scanner looks at one page of each of 7 blocks.
 */
Test(compact, every_other_page_movable_becomes_whole_blocks)
{
	static struct page *owner[FRAMES];
	struct mm *mm = boot_movable();
	struct mm_refusal refusal;

	checker(mm, MOVABLE, owner);
	cr_expect_eq(free_blocks(dma32(mm), 9), 0);
	cr_expect_eq(mm_sysctl(mm, "compact_memory", "1", &refusal), 0);
	must_verify(mm, "compacted");
	cr_expect_eq(dma32(mm)->nr_free, FRAMES / 2);
	cr_expect_eq(2 * free_blocks(dma32(mm), 10) + free_blocks(dma32(mm), 9), 11);
	cr_expect_eq(count(mm, MM_VM_PGMIGRATE_SUCCESS), 11 * 256 + 32);
	cr_expect_eq(count(mm, MM_VM_PGMIGRATE_FAIL), 1);
	cr_expect_eq(count(mm, MM_VM_COMPACT_MIGRATE_SCANNED), 12 * BLOCK + 7);
	cr_expect_eq(count(mm, MM_VM_COMPACT_ISOLATED), 12 * 256 + 11 * 256 + 32);
	mm_destroy(mm);
}

/* Unmovable pages stay: nothing is isolated, and no block comes about. */
Test(compact, unmovable_pages_block_it)
{
	static struct page *owner[FRAMES];
	struct mm *mm = boot_movable();

	checker(mm, GFP_KERNEL, owner);
	cr_expect_eq(direct(mm, 9, GFP_KERNEL, MM_COMPACT_SYNC_FULL), MM_COMPACT_COMPLETE);
	cr_expect_eq(free_blocks(dma32(mm), 9), 0);
	cr_expect_eq(count(mm, MM_VM_PGMIGRATE_SUCCESS), 0);
	must_verify(mm, "in vain");
	mm_destroy(mm);
}

/*
 * The migrate scanner takes the first page block, 256 pages, as its second cluster of 32 makes it
 * finish the block; then it is free, and the run ends at its end. The free scanner takes the 256
 * free pages at the top half of the last block upwards... no more than it needs.
 */
Test(compact, a_run_for_an_order_ends_when_there_is_such_a_block)
{
	static struct page *owner[FRAMES];
	struct mm *mm = boot_movable();

	checker(mm, MOVABLE, owner);
	cr_expect_eq(direct(mm, 9, MOVABLE, MM_COMPACT_SYNC_LIGHT), MM_COMPACT_SUCCESS);
	must_verify(mm, "one block");
	cr_expect_geq(free_blocks(dma32(mm), 9), 1);
	cr_expect_eq(count(mm, MM_VM_PGMIGRATE_SUCCESS), BLOCK / 2);
	for (pfn_t pfn = FIRST; pfn < FIRST + BLOCK; pfn++)
		cr_assert_eq(page_at(mm, pfn)->refcount, 0);
	mm_destroy(mm);
}
