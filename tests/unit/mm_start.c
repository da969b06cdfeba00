/* SPDX-License-Identifier: Apache-2.0 */
/* Beginning in a given state: what comes out of a layout, what is refused, what held pages do. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../mm_fixture.h"
#include "mm/alloc/pageblock.h"
#include "mm/start.h"

/* 16 MiB below DMA32: one zone of 8 page blocks, 4096 pages, CPU 0. */
#define MACHINE                                                                                    \
	&(struct machine)                                                                          \
	{                                                                                          \
		.model = MM_SPARSE_VMEMMAP, .memory = {{0, 16 * MiB, 0}}, .min_free_kbytes = 64    \
	}

static const struct mm_pcp_state listed = {
	.count = 10, .high = 40, .batch = 7, .stat_threshold = 3};

/* 1024 + 512 + 256 + 3 pages free, 10 listed; two unmovable page blocks, one reclaimable. */
static struct mm_zone_state usual(void)
{
	struct mm_zone_state z = {.managed = 4096,
				  .min = 100,
				  .low = 120,
				  .high = 140,
				  .boost = 60,
				  .protection = {0, 5, 6, 7},
				  .page_blocks = {2, 5, 1},
				  .lru = {100, 200, 300, 400},
				  .pcp = &listed};

	z.free_blocks[MM_MOVABLE][10] = 1;
	z.free_blocks[MM_MOVABLE][9] = 1;
	z.free_blocks[MM_UNMOVABLE][8] = 1;
	z.free_blocks[MM_RECLAIMABLE][0] = 3;
	return z;
}

static struct mm *started(struct mm_zone_state z)
{
	struct mm_refusal refusal = {0};
	struct mm *mm = boot(MACHINE);

	cr_assert_eq(mm_start_from(mm, &z, 1, &refusal), 0, "%s", refusal.why);
	must_verify(mm, "after the start");
	return mm;
}

Test(mm_start, figures_come_out_as_they_were)
{
	struct mm *mm = started(usual());
	struct mm_zone_info info = zone_info(mm, 0, 0);
	uint64_t blocks[MM_NR_MIGRATETYPES];

	cr_expect_eq(info.free, 1024 + 512 + 256 + 3);
	cr_expect_eq(info.min, 100);
	cr_expect_eq(info.low, 120);
	cr_expect_eq(info.high, 140);
	cr_expect_eq(info.boost, 60);
	cr_expect_eq(info.protection[3], 7);
	cr_expect_eq(info.pcp_high, 40);
	cr_expect_eq(info.pcp_batch, 7);
	cr_expect_eq(info.stat_threshold, 3);
	cr_expect_eq(mm_pcp_count(mm, 0, 0, 0), 10);
	cr_expect_eq(mm_held_pages(mm, 0, 0), 4096 - 1795 - 10);
	cr_expect_eq(mm_min_free_kbytes(mm), 40 * 4, "min without the boost, in KiB");
	mm_zone_pageblocks(mm, 0, 0, blocks);
	cr_expect_eq(blocks[MM_UNMOVABLE], 2);
	cr_expect_eq(blocks[MM_MOVABLE], 5);
	cr_expect_eq(blocks[MM_RECLAIMABLE], 1);
	mm_destroy(mm);
}

/* A free block lies in a page block of its mobility. */
Test(mm_start, blocks_stand_among_their_like)
{
	struct mm *mm = started(usual());
	struct mm_zone *zone = zone_of(mm, 0, MM_ZONE_DMA);

	for (unsigned o = 0; o < NR_PAGE_ORDERS; o++)
		for (int t = 0; t < MM_NR_MIGRATETYPES; t++)
			for (struct page *p = zone->free_area[o].lists[t].head; p; p = p->next)
				cr_expect_eq(mm_pageblock_type(mm, zone, pfn_of(mm, p)), t);
	mm_destroy(mm);
}

/* How many page blocks have small free blocks. */
static size_t cut_page_blocks(struct mm *mm)
{
	struct mm_zone *zone = zone_of(mm, 0, MM_ZONE_DMA);
	bool cut[8] = {false};
	size_t nr = 0;

	for (unsigned o = 0; o < 9; o++)
		for (int t = 0; t < MM_NR_MIGRATETYPES; t++)
			for (struct page *p = zone->free_area[o].lists[t].head; p; p = p->next)
				cut[pfn_of(mm, p) >> 9] = true;
	for (size_t i = 0; i < 8; i++)
		nr += cut[i];
	return nr;
}

/*
 * One free block each of orders 0 to 8 is what one page taken from a page block leaves. Two of the
 * orders 0 to 7 and one of order 8 need two: no page block has two of one order if it need not.
 */
Test(mm_start, small_blocks_lie_together)
{
	for (uint64_t times = 1; times <= 2; times++) {
		struct mm_zone_state z = usual();
		struct mm *mm;

		z.free_blocks[MM_UNMOVABLE][8] = 0;
		z.free_blocks[MM_RECLAIMABLE][0] = 0;
		for (unsigned o = 0; o < 8; o++)
			z.free_blocks[MM_MOVABLE][o] = times;
		z.free_blocks[MM_MOVABLE][8] = 1;
		mm = started(z);
		cr_expect_eq(cut_page_blocks(mm), times);
		mm_destroy(mm);
	}
}

static unsigned length(const struct mm_pcp *pcp, unsigned order, enum mm_migratetype type)
{
	unsigned nr = 0;

	for (struct page *p = pcp->lists[mm_pcp_list(order, type)].head; p; p = p->next)
		nr++;
	return nr;
}

/*
 * Of 10 pages 2 movable ones are known, and no more; one block of 4. The other 4 are spread over
 * four lists: 1 page each fits only a list of single ones, the rest of 3 goes there too.
 */
Test(mm_start, lists_hold_what_is_known)
{
	struct mm_pcp_state pcp = listed;
	struct mm_zone_state z = usual();
	struct mm_pcp *lists;
	struct mm *mm;

	pcp.least[mm_pcp_list(0, MM_MOVABLE)] = 2;
	pcp.all_known = 1u << mm_pcp_list(0, MM_MOVABLE);
	pcp.least[mm_pcp_list(2, MM_UNMOVABLE)] = 4;
	z.pcp = &pcp;
	mm = started(z);
	lists = zone_of(mm, 0, MM_ZONE_DMA)->pcp;
	cr_expect_eq(lists->count, 10);
	cr_expect_eq(length(lists, 0, MM_MOVABLE), 2);
	cr_expect_eq(length(lists, 2, MM_UNMOVABLE), 1);
	cr_expect_eq(length(lists, 0, MM_UNMOVABLE), 4);
	mm_destroy(mm);
}

/* No page block is movable any more: the pages come from others, but the list is the same. */
Test(mm_start, lists_hold_pages_of_other_page_blocks)
{
	struct mm_pcp_state pcp = listed;
	struct mm_zone_state z = usual();
	struct mm *mm;

	memset(z.free_blocks, 0, sizeof(z.free_blocks));
	memset(z.page_blocks, 0, sizeof(z.page_blocks));
	z.page_blocks[MM_UNMOVABLE] = 8;
	pcp.least[mm_pcp_list(0, MM_MOVABLE)] = 7;
	z.pcp = &pcp;
	mm = started(z);
	cr_expect_geq(length(zone_of(mm, 0, MM_ZONE_DMA)->pcp, 0, MM_MOVABLE), 7);
	cr_expect_eq(mm_pcp_count(mm, 0, 0, 0), 10);
	mm_destroy(mm);
}

/* User memory is marked, as far as whole blocks of it go: 1000 pages of movable page blocks. */
Test(mm_start, user_memory_is_marked)
{
	struct mm *mm = started(usual());
	uint64_t user = 0;

	for (pfn_t pfn = 0; pfn < 4096; pfn++) {
		const struct page *page = mm_pfn_to_page(mm, MM_NO_CPU, pfn);

		if ((page->flags & PG_HELD) && (page->flags & PG_LRU))
			user += UINT64_C(1) << page->order;
	}
	cr_expect(user > 1000 - 512 && user <= 1000, "%llu", (unsigned long long)user);
	mm_destroy(mm);
}

/* 2291 pages one by one; each to where a free page goes, so all are free or listed at the end. */
Test(mm_start, held_pages_can_be_freed_one_by_one)
{
	struct mm *mm = started(usual());
	struct mm_counters counters;

	for (int i = 0; i < 4096 - 1795 - 10; i++) {
		cr_assert_eq(mm_free_held(mm, 0, 0, 0, MM_UNMOVABLE, 0), 0);
		must_verify(mm, "after a free");
	}
	cr_expect_eq(mm_free_held(mm, 0, 0, 0, MM_UNMOVABLE, 0), -ENOENT);
	cr_expect_eq(zone_info(mm, 0, 0).free + mm_pcp_count(mm, 0, 0, 0), 4096);
	mm_counters(mm, &counters);
	cr_expect_eq(counters.held_frees, 4096 - 1795 - 10);
	cr_expect_eq(counters.frees, 0);
	cr_expect_eq(mm_free_held(mm, 0, 1, 0, MM_MOVABLE, 0), -EINVAL, "no such node");
	cr_expect_eq(mm_free_held(mm, 0, 0, 0, MM_MOVABLE, 11), -EINVAL, "no such order");
	mm_destroy(mm);
}

/* A machine that manages more than the real one: what is over is not managed. */
Test(mm_start, fewer_managed_pages)
{
	struct mm_zone_state z = usual();
	struct mm *mm;

	z.managed = 4000;
	mm = started(z);
	cr_expect_eq(zone_info(mm, 0, 0).managed, 4000);
	cr_expect_eq(mm_held_pages(mm, 0, 0), 4000 - 1795 - 10);
	mm_destroy(mm);
}

/* Three of the eight are not counted: they are movable, and those that are have their types. */
Test(mm_start, page_blocks_that_are_not_counted)
{
	struct mm_zone_state z = usual();
	uint64_t blocks[MM_NR_MIGRATETYPES];
	struct mm *mm;

	z.page_blocks[MM_MOVABLE] = 2;
	mm = started(z);
	mm_zone_pageblocks(mm, 0, 0, blocks);
	cr_expect_eq(blocks[MM_UNMOVABLE], 2);
	cr_expect_eq(blocks[MM_MOVABLE], 2 + 3);
	cr_expect_eq(blocks[MM_RECLAIMABLE], 1);
	cr_expect_eq(zone_info(mm, 0, 0).free, 1024 + 512 + 256 + 3);
	mm_destroy(mm);
}

static void refused(struct mm_zone_state z, const char *why)
{
	struct mm_refusal refusal = {0};
	struct mm *mm = boot(MACHINE);

	cr_assert_eq(mm_start_from(mm, &z, 1, &refusal), -EINVAL, "%s", why);
	cr_expect_eq(refusal.about, MM_ABOUT_STATE);
	cr_expect_str_eq(refusal.why, why);
	mm_destroy(mm);
}

Test(mm_start, contradictions_are_refused)
{
	struct mm_zone_state z = usual();

	z.zone = 1;
	refused(z, "node 0 has no zone 1 with memory");
	z = usual();
	z.page_blocks[MM_MOVABLE] = 6;
	refused(z, "node 0, zone DMA: 9 page blocks, but the zone has 8");
	z = usual();
	z.free_blocks[MM_MOVABLE][10] = 4;
	refused(z,
		"node 0, zone DMA: 4867 pages free and 10 on lists of CPUs, but 4096 are managed");
	z = usual();
	z.free_blocks[MM_MOVABLE][10] = 0;
	z.free_blocks[MM_MOVABLE][9] = 5;
	refused(z, "node 0, zone DMA: more large free blocks than it has room for");
	z = usual();
	z.free_blocks[MM_MOVABLE][10] = 0;
	z.free_blocks[MM_UNMOVABLE][8] = 8;
	refused(z, "node 0, zone DMA: more free blocks than page blocks have room for");
	z = usual();
	z.low = 90;
	refused(z, "node 0, zone DMA: boost <= min <= low <= high does not hold");
}
