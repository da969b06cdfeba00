/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When compaction runs: whether it could help, what failures of late make of that, which page
 * blocks are passed over. The machine is compact_fixture.h's.
 */
#include "../compact_fixture.h"

static struct page *owner[FRAMES];

static enum mm_compact_result suitable(struct mm *mm, int order)
{
	return mm_compaction_suitable(mm, dma32(mm), order, MM_WMARK_MIN, DMA32_ZONE);
}

/* Single free pages, so many, none beside another. */
static struct mm *boot_with_free(uint64_t pages)
{
	struct mm *mm = boot_movable();

	fill(mm, MOVABLE, owner);
	drain_all(mm);
	for (uint64_t i = 0; i < pages; i++)
		free_at(mm, owner, FIRST + 2 * i);
	drain_all(mm);
	must_verify(mm, "with free pages");
	cr_assert_eq(dma32(mm)->nr_free, pages);
	return mm;
}

/*
 * 1000 - (1000 + pages * 1000 / 2^order) / blocks, each division rounded down; here pages = blocks
 * = 6144. Order 1: (1000 + 3072000) / 6144 = 500. Order 4: (1000 + 384000) / 6144 = 62. Order 9:
 * (1000 + 12000) / 6144 = 2. Order 0 there is.
 */
Test(fragmentation, index_of_single_pages)
{
	struct mm *mm = boot_movable();

	checker(mm, MOVABLE, owner);
	cr_expect_eq(mm_fragmentation_index(dma32(mm), 0), -1000);
	cr_expect_eq(mm_fragmentation_index(dma32(mm), 1), 500);
	cr_expect_eq(mm_fragmentation_index(dma32(mm), 4), 938);
	cr_expect_eq(mm_fragmentation_index(dma32(mm), 9), 998);
	mm_destroy(mm);
}

/* The share that is in pieces smaller than the block; none free at all is all unusable. */
Test(fragmentation, unusable_index)
{
	struct mm *mm = boot_movable();

	checker(mm, MOVABLE, owner);
	cr_expect_eq(mm_zone_extfrag_index(mm, 0, DMA32_ZONE, 9), 998);
	cr_expect_eq(mm_zone_unusable_index(mm, 0, DMA32_ZONE, 0), 0);
	cr_expect_eq(mm_zone_unusable_index(mm, 0, DMA32_ZONE, 1), 1000);
	/* Two pages more make a block of four: 4 of 6146 are usable. */
	free_at(mm, owner, FIRST + 1);
	free_at(mm, owner, FIRST + 3);
	drain_all(mm);
	cr_expect_eq(mm_zone_unusable_index(mm, 0, DMA32_ZONE, 2), 6142 * 1000 / 6146);
	mm_destroy(mm);
	mm = boot_with_free(0);
	cr_expect_eq(mm_zone_unusable_index(mm, 0, DMA32_ZONE, 0), 1000);
	mm_destroy(mm);
}

/* One page: 1000 - (1000 + 1000 / 2^order) / 1, which is memory that lacks. None: 0. */
Test(fragmentation, index_of_next_to_nothing)
{
	struct mm *mm = boot_with_free(1);

	cr_expect_eq(mm_fragmentation_index(dma32(mm), 9), -1);
	cr_expect_eq(mm_fragmentation_index(dma32(mm), 1), -500);
	mm_destroy(mm);
	mm = boot_with_free(0);
	cr_expect_eq(mm_fragmentation_index(dma32(mm), 9), 0);
	mm_destroy(mm);
}

/*
 * DMA32: nothing free is as large as a page block: 100. DMA is free in the largest blocks: 0. The
 * node: 12288 * 100 / (16384 + 1) = 74.
 */
Test(fragmentation, score)
{
	struct mm *mm = boot_movable();

	cr_expect_eq(mm_fragmentation_score(mm, dma32(mm)), 0);
	checker(mm, MOVABLE, owner);
	cr_expect_eq(mm_fragmentation_score(mm, dma32(mm)), 100);
	cr_expect_eq(mm_fragmentation_score(mm, &mm->nodes[0].zones[0]), 0);
	cr_expect_eq(mm_fragmentation_score_node(mm, &mm->nodes[0]), 74);
	mm_destroy(mm);
}

/*
 * More than the low watermark, 240, and twice the block have to be free, for small blocks more
 * than min, 192: 240 + 2 * 512 = 1264 and 192 + 2 * 8 = 208 are too few.
 */
Test(suitable, wants_room_to_move_to)
{
	static const struct {
		uint64_t pages;
		int order;
		enum mm_compact_result result;
	} cases[] = {
		{1264, 9, MM_COMPACT_SKIPPED},  {1265, 9, MM_COMPACT_CONTINUE},
		{208, 3, MM_COMPACT_SKIPPED},   {209, 3, MM_COMPACT_CONTINUE},
		{6144, 9, MM_COMPACT_CONTINUE},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mm *mm = boot_with_free(cases[i].pages);

		cr_expect_eq(suitable(mm, cases[i].order), cases[i].result, "%lu pages, order %d",
			     cases[i].pages, cases[i].order);
		cr_expect_eq(suitable(mm, 0), MM_COMPACT_SUCCESS);
		cr_expect_eq(suitable(mm, MM_COMPACT_WHOLE), MM_COMPACT_CONTINUE);
		mm_destroy(mm);
	}
}

/* The index of order 9 is 998: at that threshold the zone is not fragmented enough. */
Test(suitable, wants_fragmentation_above_the_threshold)
{
	struct mm *mm = boot_movable();

	checker(mm, MOVABLE, owner);
	cr_expect_eq(mm->params.extfrag_threshold, 500);
	mm->params.extfrag_threshold = 997;
	cr_expect_eq(suitable(mm, 9), MM_COMPACT_CONTINUE);
	mm->params.extfrag_threshold = 998;
	cr_expect_eq(suitable(mm, 9), MM_COMPACT_SKIPPED);
	cr_expect_eq(suitable(mm, 3), MM_COMPACT_CONTINUE, "of no interest for small blocks");
	cr_expect_eq(direct(mm, 9, MOVABLE, MM_COMPACT_SYNC_LIGHT), MM_COMPACT_SKIPPED);
	cr_expect_eq(count(mm, MM_VM_COMPACT_MIGRATE_SCANNED), 0);
	mm_destroy(mm);
}

/*
 * After the first failure each second attempt is made, then each fourth, ..., in the end each 64th:
 * attempt 1, 3, 7, 15, 31, 63, 127, and from there on 191, 255, ...
 */
Test(defer, doubles_to_64)
{
	struct mm *mm = boot_movable();

	checker(mm, GFP_KERNEL, owner);
	for (unsigned i = 1; i <= 260; i++) {
		bool tried = i <= 127 ? !((i + 1) & i) : (i - 127) % 64 == 0;
		enum mm_compact_result result = direct(mm, 9, GFP_KERNEL, MM_COMPACT_SYNC_LIGHT);

		cr_assert_eq(result != MM_COMPACT_DEFERRED, tried, "attempt %u", i);
	}
	cr_expect_eq(dma32(mm)->compact.defer_shift, 6);
	mm_destroy(mm);
}

/* Smaller blocks than those that failed are tried; what succeeds in an allocation ends it. */
Test(defer, is_about_that_order_and_larger_ones)
{
	struct mm *mm = boot_movable();
	struct mm_compact_memory *c = &dma32(mm)->compact;

	mm_compact_defer(dma32(mm), 9);
	cr_expect_eq(c->order_failed, 0, "it has not been known of any order that it works");
	mm_compact_undefer(dma32(mm), 9);
	cr_expect_eq(c->order_failed, 10);
	cr_expect_eq(c->defer_shift, 1, "that is for an allocation to say");
	mm_compact_defer(dma32(mm), 7);
	cr_expect_eq(c->order_failed, 7);
	cr_expect(!mm_compact_deferred(dma32(mm), 6));
	cr_expect_eq(c->considered, 0, "nor is it counted");
	cr_expect(mm_compact_deferred(dma32(mm), 7));
	cr_expect(mm_compact_deferred(dma32(mm), 10));
	cr_expect_eq(c->considered, 2);
	c->flush_skips = true;
	mm_compact_worked(dma32(mm), 8);
	cr_expect_eq(c->order_failed, 9);
	cr_expect_eq(c->defer_shift, 0);
	cr_expect_eq(c->considered, 0);
	cr_expect(!c->flush_skips);
	cr_expect(!mm_compact_deferred(dma32(mm), 10));
	mm_destroy(mm);
}

/* Asynchronous attempts do not count as failures; the hardest ones are made in any case. */
Test(defer, goes_by_priority)
{
	struct mm *mm = boot_movable();

	checker(mm, GFP_KERNEL, owner);
	direct(mm, 9, GFP_KERNEL, MM_COMPACT_ASYNC);
	cr_expect_eq(dma32(mm)->compact.defer_shift, 0);
	direct(mm, 9, GFP_KERNEL, MM_COMPACT_SYNC_LIGHT);
	cr_expect_eq(dma32(mm)->compact.defer_shift, 1);
	cr_expect_eq(direct(mm, 9, GFP_KERNEL, MM_COMPACT_ASYNC), MM_COMPACT_DEFERRED);
	cr_expect_eq(direct(mm, 9, GFP_KERNEL, MM_COMPACT_SYNC_FULL), MM_COMPACT_COMPLETE);
	cr_expect_eq(dma32(mm)->compact.defer_shift, 2);
	mm_destroy(mm);
}

static bool stays(void *ctx, const struct page *page)
{
	(void)ctx;
	(void)page;
	return false;
}

/*
 * Movable pages, but their owner would lose them. Every other page is free, in such a way that of
 * the frames that are multiples of 8, which are those that samples are taken of, every other is.
 */
static struct mm *boot_immovable(void)
{
	static const struct mm_ops ops = {.moved = ignore_moved, .may_move = stays};
	struct mm *mm = boot_with(&small, &ops, NULL);

	fill(mm, MOVABLE, owner);
	for (pfn_t pfn = FIRST; pfn < FIRST + FRAMES; pfn++)
		if ((pfn + pfn / 8) % 2)
			free_at(mm, owner, pfn);
	drain_all(mm);
	cr_assert_eq(free_blocks(dma32(mm), 0), FRAMES / 2);
	return mm;
}

static uint64_t marked(struct mm *mm)
{
	uint64_t nr = 0;

	for (pfn_t pfn = FIRST; pfn < FIRST + FRAMES; pfn += BLOCK)
		nr += *mm_pageblock_skip(mm, dma32(mm), pfn);
	return nr;
}

/* What a run looks at, migrate scanner alone. */
static uint64_t scanned_by_run(struct mm *mm)
{
	uint64_t before = count(mm, MM_VM_COMPACT_MIGRATE_SCANNED);

	dma32(mm)->compact.considered = 64;
	direct(mm, 9, MOVABLE, MM_COMPACT_SYNC_LIGHT);
	return count(mm, MM_VM_COMPACT_MIGRATE_SCANNED) - before;
}

/*
 * A run looks at each page of 23 page blocks, as at the 24th it meets the other scanner. None was
 * of use, so all are marked, and the next run looks at nothing. kswapd, before it sleeps, unmarks
 * them, as there is user memory in those of the zone's first half and free memory in those of the
 * second; once for each run that came to the end.
 */
Test(skips, are_forgotten_when_kswapd_sleeps)
{
	struct mm *mm = boot_immovable();
	struct mm_compact_memory *c = &dma32(mm)->compact;

	cr_expect_eq(scanned_by_run(mm), 23 * BLOCK);
	cr_expect_eq(marked(mm), 23);
	cr_expect(c->flush_skips);
	cr_expect_eq(c->migrate_pfn[0], FIRST, "the next one begins anew");
	cr_expect_eq(c->migrate_pfn[1], FIRST);
	cr_expect_eq(c->free_pfn, FIRST + 23 * BLOCK);
	cr_expect_eq(scanned_by_run(mm), 0);
	mm_compact_flush_skips(mm, 0, &mm->nodes[0]);
	cr_expect_eq(marked(mm), 0);
	cr_expect(!c->flush_skips);
	cr_expect_eq(scanned_by_run(mm), 23 * BLOCK);
	c->flush_skips = false;
	mm_compact_flush_skips(mm, 0, &mm->nodes[0]);
	cr_expect_eq(marked(mm), 23);
	mm_destroy(mm);
}

/* Also where it is tried again after it was left out 64 times; the hardest runs ask for no marks.
 */
Test(skips, are_forgotten_when_it_is_tried_again)
{
	struct mm *mm = boot_immovable();
	struct mm_compact_memory *c = &dma32(mm)->compact;
	uint64_t before;

	cr_expect_eq(scanned_by_run(mm), 23 * BLOCK);
	before = count(mm, MM_VM_COMPACT_MIGRATE_SCANNED);
	cr_expect_eq(direct(mm, 9, MOVABLE, MM_COMPACT_SYNC_FULL), MM_COMPACT_COMPLETE);
	cr_expect_eq(count(mm, MM_VM_COMPACT_MIGRATE_SCANNED) - before, 23 * BLOCK);
	c->defer_shift = 6;
	c->order_failed = 9;
	c->flush_skips = true;
	cr_expect_eq(scanned_by_run(mm), 23 * BLOCK, "its 64th time");
	mm_destroy(mm);
}

/* Locked pages move like others, unless compact_unevictable_allowed is 0. */
Test(compact, leaves_locked_pages_where_that_is_wanted)
{
	for (int allowed = 0; allowed < 2; allowed++) {
		struct mm *mm = boot_movable();
		struct mm_refusal refusal;
		uint64_t moved;

		checker(mm, MOVABLE, owner);
		for (pfn_t pfn = FIRST + 1; pfn < FIRST + FRAMES; pfn += 2) {
			struct page *page = owner[pfn - FIRST];

			cr_assert_eq(mm_lru_add(mm, 0, page, MM_PAGE_ANON), 0);
			mm_lru_drain(mm, 0);
			cr_assert_eq(mm_page_lock_in(mm, 0, page, true), 0);
		}
		cr_assert_eq(
			mm_sysctl(mm, "compact_unevictable_allowed", allowed ? "1" : "0", &refusal),
			0);
		cr_assert_eq(mm_sysctl(mm, "compact_memory", "1", &refusal), 0);
		moved = count(mm, MM_VM_PGMIGRATE_SUCCESS);
		cr_expect_eq(moved, allowed ? 11 * 256 + 32 : 0);
		must_verify(mm, "with locked pages");
		mm_destroy(mm);
	}
}

/* GFP_NOFS: page cache stays, anonymous memory moves. Every second page in use is of each. */
Test(compact, leaves_page_cache_to_who_may_enter_file_systems)
{
	struct mm *mm = boot_movable();

	checker(mm, MOVABLE, owner);
	for (pfn_t pfn = FIRST + 1; pfn < FIRST + FRAMES; pfn += 2)
		cr_assert_eq(mm_lru_add(mm, 0, owner[pfn - FIRST],
					pfn % 4 == 1 ? MM_PAGE_FILE : MM_PAGE_ANON),
			     0);
	mm_lru_drain(mm, 0);
	cr_expect_eq(direct(mm, 9, MOVABLE & ~__GFP_FS, MM_COMPACT_SYNC_FULL), MM_COMPACT_COMPLETE);
	for (pfn_t pfn = FIRST + 1; pfn < FIRST + BLOCK; pfn += 2)
		cr_assert_eq(page_at(mm, pfn)->refcount, pfn % 4 == 1 ? 1 : 0, "frame %lu", pfn);
	must_verify(mm, "without file systems");
	cr_expect_eq(direct(mm, 9, MOVABLE & ~(__GFP_FS | __GFP_IO), MM_COMPACT_SYNC_FULL),
		     MM_COMPACT_SKIPPED);
	mm_destroy(mm);
}
