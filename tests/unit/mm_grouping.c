/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether pages are grouped by mobility: on x86_64 that takes 5 page blocks of 512 pages, 2560, and
 * with a CMA area 6 of them.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "../mm_fixture.h"
#include "mm/alloc/pageblock.h"
#include "mm/compact/compact.h"
#include "mm/hotplug/hotplug.h"

#define PAGE UINT64_C(4096)

static struct mm *boot_pages(uint64_t pages, bool hotplug)
{
	struct machine m = {
		.model = MM_SPARSE_VMEMMAP,
		.memory = {{0, pages * PAGE, 0}},
		.grouped_by_rule = true,
		.exact_counts = true,
		.hotplug_end = hotplug ? 16 * GiB : 0,
	};

	return boot(&m);
}

/* Pages in page blocks of that type, of all zones. */
static uint64_t blocks_of(const struct mm *mm, enum mm_migratetype type)
{
	uint64_t here[MM_NR_MIGRATETYPES], nr = 0;

	for (int z = 0; z < mm_get_arch(mm)->nr_zones; z++) {
		mm_zone_pageblocks(mm, 0, z, here);
		nr += here[type];
	}
	return nr;
}

static uint64_t free_of(const struct mm *mm, enum mm_migratetype type)
{
	uint64_t pages = 0;

	for (int z = 0; z < mm_get_arch(mm)->nr_zones; z++) {
		struct mm_zone_info info = zone_info(mm, 0, z);

		for (unsigned o = 0; o < NR_PAGE_ORDERS; o++)
			pages += info.nr_free_by_type[type][o] << o;
	}
	return pages;
}

/* A descriptor has 64 bytes: of 2600 pages, 41 are theirs (40.6), and 2559 are too few. */
Test(grouping, takes_a_page_block_for_each_mobility)
{
	struct mm *mm = boot_pages(2600, false);
	struct machine cma = {.model = MM_SPARSE_VMEMMAP,
			      .memory = {{0, 2700 * PAGE, 0}},
			      .grouped_by_rule = true,
			      .cma_bytes = 2 * MiB};

	cr_expect_eq(mm_total_pages(mm), 2559);
	cr_expect_not(mm_grouped_by_mobility(mm));
	mm_destroy(mm);
	mm = boot_pages(2601, false);
	cr_expect_eq(mm_total_pages(mm), 2560);
	cr_expect(mm_grouped_by_mobility(mm));
	mm_destroy(mm);
	mm = boot(&cma);
	cr_expect_eq(mm_total_pages(mm), 2700 - 43);
	cr_expect_not(mm_grouped_by_mobility(mm));
	mm_destroy(mm);
}

/*
 * Boot has made four page blocks movable before the kernel knows. Who takes a page makes the block
 * that it comes from unmovable, whatever he asks for; it goes back to where such requests find it.
 */
Test(grouping, all_is_unmovable_without)
{
	struct mm *mm = boot_pages(2048, false);
	struct page *pages[2048];
	size_t nr = 0;

	cr_expect_eq(blocks_of(mm, MM_MOVABLE), 4);
	cr_expect_eq(free_of(mm, MM_MOVABLE), 2048);
	pages[0] = alloc(mm, 0, 0, GFP_HIGHUSER_MOVABLE);
	cr_assert_not_null(pages[0]);
	cr_expect_eq(pages[0]->migratetype, MM_UNMOVABLE);
	cr_expect_eq(blocks_of(mm, MM_UNMOVABLE), 2); /* the largest free block has two */
	cr_expect_eq(blocks_of(mm, MM_MOVABLE), 2);
	pages[1] = alloc(mm, 0, 0, GFP_KERNEL | __GFP_RECLAIMABLE);
	pages[2] = alloc(mm, 0, 0, GFP_KERNEL);
	cr_assert(pages[1] && pages[2]);
	for (int i = 1; i < 3; i++)
		cr_expect_eq(mm_pageblock_start(mm, pfn_of(mm, pages[i])),
			     mm_pageblock_start(mm, pfn_of(mm, pages[0])), "they share a block");
	for (nr = 3; (pages[nr] = alloc(mm, 0, 0, GFP_HIGHUSER_MOVABLE)); nr++)
		;
	cr_expect_gt(nr, 1900);
	cr_expect_eq(blocks_of(mm, MM_UNMOVABLE), 4);
	for (size_t i = 0; i < nr; i++)
		cr_assert_eq(mm_free_pages(mm, 0, pages[i], 0), 0);
	drain_all(mm);
	cr_expect_eq(free_of(mm, MM_UNMOVABLE), 2048);
	cr_expect_eq(free_of(mm, MM_MOVABLE), 0);
	must_verify(mm, "all freed");
	mm_destroy(mm);
}

/* The same on a machine that is large enough: three requests, three page blocks. */
Test(grouping, keeps_mobilities_apart)
{
	struct mm *mm = boot_pages(8192, false);
	struct page *a = alloc(mm, 0, 0, GFP_HIGHUSER_MOVABLE), *b = alloc(mm, 0, 0, GFP_KERNEL);

	cr_expect_eq(a->migratetype, MM_MOVABLE);
	cr_expect_eq(b->migratetype, MM_UNMOVABLE);
	cr_expect_neq(mm_pageblock_start(mm, pfn_of(mm, a)), mm_pageblock_start(mm, pfn_of(mm, b)));
	mm_destroy(mm);
}

/* A memory block of 128 MiB is enough; without it, the kernel counts again, above the watermarks.
 */
Test(grouping, follows_memory_that_comes_and_goes)
{
	struct mm *mm = boot_pages(2048, true);
	struct mm_hotplug_step step = {.op = MM_HOTPLUG_ADD, .start = 4 * GiB, .bytes = 128 * MiB};
	struct mm_hotplug_done done;
	struct mm_refusal refusal;
	const struct mm_zone *normal;

	cr_expect_not(mm_grouped_by_mobility(mm));
	cr_assert_eq(mm_hotplug(mm, 0, &step, &done, &refusal), 0, "%s", refusal.why);
	step = (struct mm_hotplug_step){.op = MM_HOTPLUG_ONLINE, .first = 32, .last = 32};
	cr_assert_eq(mm_hotplug(mm, 0, &step, &done, &refusal), 0, "%s", refusal.why);
	cr_expect(mm_grouped_by_mobility(mm));
	normal = zone_of(mm, 0, MM_ZONE_NORMAL);
	cr_expect_eq(mm_pageblock_type(mm, normal, normal->start_pfn), MM_MOVABLE);
	step.op = MM_HOTPLUG_OFFLINE;
	cr_assert_eq(mm_hotplug(mm, 0, &step, &done, &refusal), 0, "%s", refusal.why);
	cr_expect_not(mm_grouped_by_mobility(mm));
	cr_expect_lt(mm_total_pages(mm), 2048);
	must_verify(mm, "without the block");
	mm_destroy(mm);
}
