/* SPDX-License-Identifier: Apache-2.0 */
/* The buddy lists: blocks split and merge, and come off the lists in a known order. */
#include <criterion/criterion.h>

#include "../mm_fixture.h"
#include "mm/zone_count.h"

#define BLOCK (UINT64_C(1) << MAX_PAGE_ORDER) /* pages; 4 MiB */

struct bench {
	struct mm *mm;
	struct mm_zone *zone; /* the first node's lowest */
};

static struct bench set_up(struct machine m)
{
	struct bench b;

	m.model = MM_SPARSE;
	b.mm = boot(&m);
	b.zone = &b.mm->nodes[0].zones[0];
	return b;
}

static struct bench zone_of_blocks(uint64_t blocks)
{
	return set_up((struct machine){.memory = {{0, blocks * BLOCK * 4096, 0}}});
}

/* Take without a CPU: nothing is reported, as at boot. */
static pfn_t take(const struct bench *b, unsigned order)
{
	struct page *page = mm_buddy_take(b->mm, MM_NO_CPU, b->zone, order, MM_MOVABLE);

	cr_assert_not_null(page, "no block of order %u", order);
	cr_assert_eq(page->order, order);
	mm_count_free(b->mm, MM_NO_CPU, b->zone, -(INT64_C(1) << order));
	return pfn_of(b->mm, page);
}

static void give(const struct bench *b, pfn_t pfn, unsigned order)
{
	mm_buddy_give(b->mm, MM_NO_CPU, b->zone, mm_pfn_to_page(b->mm, MM_NO_CPU, pfn), pfn, order,
		      MM_MOVABLE);
}

/* The pfns on the list of that order, head first. */
static void must_list(const struct bench *b, unsigned order, size_t nr, const pfn_t *pfns)
{
	const struct page *page = b->zone->free_area[order].lists[MM_MOVABLE].head;

	cr_expect_eq(b->zone->free_area[order].nr_free[MM_MOVABLE], nr, "order %u: %lu blocks",
		     order, b->zone->free_area[order].nr_free[MM_MOVABLE]);
	for (size_t i = 0; i < nr; i++, page = page->next) {
		cr_assert_not_null(page, "order %u: %zu blocks", order, i);
		cr_expect_eq(pfn_of(b->mm, page), pfns[i], "order %u, block %zu: pfn %lu", order, i,
			     pfn_of(b->mm, page));
	}
	cr_expect_null(page);
}

#define MUST_LIST(b, order, ...)                                                                   \
	must_list(b, order, sizeof((pfn_t[]){__VA_ARGS__}) / sizeof(pfn_t), (pfn_t[]){__VA_ARGS__})

/* Order 0 out of one block of order 10: the upper halves stay, at 512, 256, ... 1. */
Test(buddy, split_leaves_the_upper_halves)
{
	struct bench b = zone_of_blocks(1);

	cr_assert_eq(take(&b, 0), 0);
	for (unsigned order = 0; order < MAX_PAGE_ORDER; order++)
		MUST_LIST(&b, order, (pfn_t)1 << order);
	must_list(&b, MAX_PAGE_ORDER, 0, NULL);
	cr_expect_eq(b.zone->nr_free, BLOCK - 1);
	cr_expect_eq(b.mm->counters.splits, MAX_PAGE_ORDER);
	mm_destroy(b.mm);
}

Test(buddy, takes_the_smallest_block_that_fits)
{
	struct bench b = zone_of_blocks(2);

	cr_assert_eq(take(&b, 8), 0); /* leaves orders 8 at 256, 9 at 512 */
	cr_expect_eq(take(&b, 7), 256);
	cr_expect_eq(take(&b, 9), 512);
	cr_expect_eq(take(&b, 10), BLOCK);
	cr_expect_eq(take(&b, 7), 384);
	cr_expect_null(mm_buddy_take(b.mm, MM_NO_CPU, b.zone, 0, MM_MOVABLE));
	cr_expect_eq(b.zone->nr_free, 0);
	mm_destroy(b.mm);
}

Test(buddy, pages_of_a_fresh_zone_ascend)
{
	struct bench b = zone_of_blocks(3);

	for (pfn_t pfn = 0; pfn < 3 * BLOCK; pfn++)
		cr_assert_eq(take(&b, 0), pfn);
	cr_expect_null(mm_buddy_take(b.mm, MM_NO_CPU, b.zone, 0, MM_MOVABLE));
	mm_destroy(b.mm);
}

/* All 1024 pages of a block given back: 512 + 256 + ... + 1 = 1023 merges. */
Test(buddy, merge_goes_up_to_the_largest_order)
{
	struct bench b = zone_of_blocks(1);

	for (pfn_t i = 0; i < BLOCK; i++)
		take(&b, 0);
	for (pfn_t i = 0; i < BLOCK; i++)
		give(&b, i * 389 % BLOCK, 0); /* in a scattered order: 389 is odd */
	MUST_LIST(&b, MAX_PAGE_ORDER, 0);
	cr_expect_eq(b.zone->nr_free, BLOCK);
	cr_expect_eq(b.mm->counters.merges, BLOCK - 1);
	must_verify(b.mm, "all given back");
	mm_destroy(b.mm);
}

Test(buddy, merge_stops_at_the_largest_order)
{
	struct bench b = zone_of_blocks(2);

	take(&b, MAX_PAGE_ORDER);
	take(&b, MAX_PAGE_ORDER);
	give(&b, 0, MAX_PAGE_ORDER);
	give(&b, BLOCK, MAX_PAGE_ORDER);
	MUST_LIST(&b, MAX_PAGE_ORDER, BLOCK, 0); /* the last one given is at the head */
	cr_expect_eq(b.mm->counters.merges, 0);
	mm_destroy(b.mm);
}

/* Three pages: two and one, since the fourth is beyond the end. */
Test(buddy, merge_stops_at_zone_end)
{
	struct bench b = set_up((struct machine){.memory = {{0, 3 * 4096, 0}}});

	MUST_LIST(&b, 1, 0);
	MUST_LIST(&b, 0, 2);
	cr_assert_eq(take(&b, 0), 2);
	cr_assert_eq(take(&b, 0), 0);
	cr_assert_eq(take(&b, 0), 1);
	give(&b, 2, 0);
	give(&b, 0, 0);
	give(&b, 1, 0);
	MUST_LIST(&b, 1, 0);
	MUST_LIST(&b, 0, 2);
	mm_destroy(b.mm);
}

/* Nodes meet in the middle of a 4 MiB block: the buddy of node 0's half is node 1's. */
Test(buddy, merge_stops_at_a_node_boundary)
{
	struct bench b =
		set_up((struct machine){.memory = {{0, 2 * MiB, 0}, {2 * MiB, 2 * MiB, 1}}});

	cr_assert_eq(take(&b, 9), 0);
	give(&b, 0, 9);
	MUST_LIST(&b, 9, 0);
	cr_expect_eq(b.mm->counters.merges, 0);
	cr_expect_eq(b.mm->nodes[1].zones[0].free_area[9].nr_free[MM_MOVABLE], 1);
	must_verify(b.mm, "after");
	mm_destroy(b.mm);
}

/* Page 5 is no memory, page 9 was reserved at boot: neither is ever a buddy. */
Test(buddy, merge_stops_at_a_hole_and_at_what_is_reserved)
{
	struct bench b = set_up((struct machine){
		.memory = {{0, 5 * 4096, 0}, {6 * 4096, 10 * 4096, 0}},
		.reserved = {{9 * 4096, 4096, 0}},
	});

	MUST_LIST(&b, 2, 0, 12);
	MUST_LIST(&b, 1, 6, 10);
	MUST_LIST(&b, 0, 4, 8);
	for (int i = 0; i < 14; i++)
		take(&b, 0);
	for (pfn_t pfn = 0; pfn < 16; pfn++)
		if (pfn != 5 && pfn != 9)
			give(&b, pfn, 0);
	/* The same blocks; where two are on a list, the last that came is at the head. */
	MUST_LIST(&b, 2, 12, 0);
	MUST_LIST(&b, 1, 10, 6);
	MUST_LIST(&b, 0, 8, 4);
	must_verify(b.mm, "after");
	mm_destroy(b.mm);
}

/*
 * Pages 0 to 11 are in use, but for 2 and 3, a free pair. Page 0 would be a pair with 1, and that
 * one a four with the free pair: it goes to the tail, where it is likely to stay until then. So
 * does 4, whose four would be with the free pair 6 and 7. Page 9, next to nothing free, goes to the
 * head, and is used again first.
 */
Test(buddy, a_block_likely_to_merge_waits_at_the_tail)
{
	struct bench b = zone_of_blocks(1);

	for (pfn_t pfn = 0; pfn < 12; pfn++)
		cr_assert_eq(take(&b, 0), pfn);
	give(&b, 2, 0);
	give(&b, 3, 0);
	give(&b, 6, 0);
	give(&b, 7, 0);
	give(&b, 4, 0);
	give(&b, 0, 0);
	give(&b, 9, 0);
	MUST_LIST(&b, 0, 9, 4, 0);
	cr_expect_eq(take(&b, 0), 9);
	mm_destroy(b.mm);
}

/*
 * Blocks of order 9 cannot gain by waiting: what they would merge with is of the largest order,
 * which never merges. So 0 goes to the head though 1024 is free.
 */
Test(buddy, nothing_waits_for_the_largest_order)
{
	struct bench b = zone_of_blocks(4);

	for (pfn_t i = 0; i < 5; i++)
		cr_assert_eq(take(&b, 9), i * 512);
	give(&b, 1024, 9);
	give(&b, 1536, 9);
	MUST_LIST(&b, 10, 1024, 3072);
	give(&b, 0, 9);
	MUST_LIST(&b, 9, 0, 2560);
	mm_destroy(b.mm);
}
