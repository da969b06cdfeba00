/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kcompactd: who wakes it for what, what it does then, and what it does unasked. The machine is
 * compact_fixture.h's.
 */
#include "../compact_fixture.h"
#include "mm/reclaim/vmscan.h"

#define CHECK_US 500000

static struct page *owner[FRAMES];

static struct mm_kcompactd *kcompactd(struct mm *mm)
{
	return &mm->nodes[0].kcompactd;
}

/* Until its next sleep. */
static uint64_t run(struct mm *mm, bool woken)
{
	int cpu = 0;

	return mm_kthread_run(mm, &kcompactd(mm)->thread, &cpu, woken);
}

/* What is freed goes straight to the buddy lists, so that scores change with each page. */
static void keep_no_lists(struct mm *mm)
{
	dma32(mm)->pcp_high = 0;
	dma32(mm)->pcp_batch = 1;
}

static void close_dma(struct mm *mm)
{
	for (int z = 1; z < MM_MAX_ZONES; z++)
		mm->nodes[0].zones[0].lowmem_reserve[z] = 1 << 20;
}

static bool hold(void *ctx, int cpu, struct mm_kthread *thread)
{
	(void)cpu;
	(void)thread;
	++*(unsigned *)ctx;
	return true;
}

static const struct mm_ops holding = {.moved = ignore_moved, .wake = hold};

/* The largest order and the lowest zone of those who asked. It is woken once. */
Test(kcompactd, remembers_what_it_is_asked_for)
{
	unsigned wakes = 0;
	struct mm *mm = boot_with(&small, &holding, &wakes);

	checker(mm, MOVABLE, owner);
	wakes = 0;
	mm_wake_kcompactd(mm, 0, &mm->nodes[0], 0, DMA32_ZONE);
	cr_expect_eq(wakes, 0, "single pages need none");
	mm_wake_kcompactd(mm, 0, &mm->nodes[0], 4, 3);
	cr_expect_eq(wakes, 1);
	mm_wake_kcompactd(mm, 0, &mm->nodes[0], 9, DMA32_ZONE);
	mm_wake_kcompactd(mm, 0, &mm->nodes[0], 2, 3);
	cr_expect_eq(wakes, 1);
	cr_expect_eq(kcompactd(mm)->asked_order, 9);
	cr_expect_eq(kcompactd(mm)->asked_highest, DMA32_ZONE);
	cr_expect_eq(run(mm, true), CHECK_US);
	cr_expect_eq(kcompactd(mm)->asked_order, 0);
	cr_expect_eq(count(mm, MM_VM_COMPACT_DAEMON_WAKE), 1);
	mm_destroy(mm);
}

/* Where there is such a block, or nothing to move to, it is not even woken. */
Test(kcompactd, is_woken_only_if_it_could_help)
{
	unsigned wakes = 0;
	struct mm *mm = boot_with(&small, &holding, &wakes);

	mm_wake_kcompactd(mm, 0, &mm->nodes[0], 9, DMA32_ZONE);
	cr_expect_eq(wakes, 0, "all is free");
	fill(mm, MOVABLE, owner);
	drain_all(mm);
	wakes = 0;
	mm_wake_kcompactd(mm, 0, &mm->nodes[0], 9, DMA32_ZONE);
	cr_expect_eq(wakes, 0, "nothing is free in DMA32");
	cr_expect_eq(kcompactd(mm)->asked_order, 9, "but it will see to that at its next turn");
	mm_destroy(mm);
}

/*
 * Suitable is what is suitable for the lowest zone that was asked for. To a request that may have
 * DMA32, DMA is closed by its reserve; to one for DMA it is not, but a reserve that is more than
 * all of it makes DMA32 unsuitable for what could go higher.
 */
Test(kcompactd, goes_by_the_lowest_zone_that_was_asked_for)
{
	unsigned wakes = 0;
	struct mm *mm = boot_with(&small, &holding, &wakes);

	checker(mm, MOVABLE, owner);
	wakes = 0;
	dma32(mm)->lowmem_reserve[3] = FRAMES;
	kcompactd(mm)->asked_highest = DMA32_ZONE;
	mm_wake_kcompactd(mm, 0, &mm->nodes[0], 9, 3);
	cr_expect_eq(wakes, 1);
	mm_destroy(mm);
}

/*
 * Nobody reclaims for such a block any more, so an allocation that may only wake kswapd gets
 * kcompactd instead: one page block is emptied, 512 pages scanned, 256 moved.
 */
Test(kcompactd, is_woken_in_the_place_of_a_hopeless_kswapd)
{
	struct mm *mm = boot_movable();
	struct page *page;

	checker(mm, MOVABLE, owner);
	close_dma(mm);
	mm->nodes[0].kswapd.failures = MAX_RECLAIM_RETRIES;
	page = alloc(mm, 0, 9, GFP_TRANSHUGE_LIGHT | __GFP_KSWAPD_RECLAIM);
	cr_assert_not_null(page, "it runs at once, where nobody runs it");
	cr_expect_eq(pfn_of(mm, page), FIRST);
	cr_expect_eq(count(mm, MM_VM_PGMIGRATE_SUCCESS), BLOCK / 2);
	cr_expect_eq(count(mm, MM_VM_COMPACT_DAEMON_WAKE), 1);
	cr_expect_eq(count(mm, MM_VM_COMPACT_DAEMON_MIGRATE_SCANNED), BLOCK);
	cr_expect_eq(count(mm, MM_VM_COMPACT_MIGRATE_SCANNED), BLOCK);
	cr_expect_eq(count(mm, MM_VM_COMPACT_DAEMON_FREE_SCANNED),
		     count(mm, MM_VM_COMPACT_FREE_SCANNED));
	cr_expect_eq(count(mm, MM_VM_COMPACT_STALL), 0);
	must_verify(mm, "by kcompactd");
	mm_destroy(mm);
}

/* In vain: the zone is left out twice as long each time, as for anybody else. */
Test(kcompactd, defers)
{
	struct mm *mm = boot_movable();

	checker(mm, GFP_KERNEL, owner);
	for (unsigned i = 1; i <= 7; i++) {
		mm_wake_kcompactd(mm, 0, &mm->nodes[0], 9, DMA32_ZONE);
		cr_expect_eq(dma32(mm)->compact.defer_shift, i < 3 ? 1 : i < 7 ? 2 : 3, "%u", i);
	}
	mm_destroy(mm);
}

/*
 * The node's score is 74. With a proactiveness of 20 it begins above 90, with 40 above 70; then
 * DMA32 is compacted until its own is 60 or less. With k free page blocks of 512 that is
 * (6144 - 512 k) * 100 / 6144 <= 60, so k = 5, with 256 pages to be moved each.
 */
Test(kcompactd, proactive_until_the_zone_is_less_fragmented)
{
	struct mm *mm = boot_movable();

	checker(mm, MOVABLE, owner);
	keep_no_lists(mm);
	cr_expect_eq(run(mm, false), CHECK_US);
	cr_expect_eq(count(mm, MM_VM_PGMIGRATE_SUCCESS), 0);
	mm->params.compaction_proactiveness = 40;
	cr_expect_eq(run(mm, false), CHECK_US);
	cr_expect_eq(count(mm, MM_VM_PGMIGRATE_SUCCESS), 5 * BLOCK / 2);
	cr_expect_eq(mm_fragmentation_score(mm, dma32(mm)), 58);
	/* 58 * 12288 / 16385 */
	cr_expect_eq(mm_fragmentation_score_node(mm, &mm->nodes[0]), 43);
	cr_expect_eq(count(mm, MM_VM_COMPACT_DAEMON_WAKE), 0);
	cr_expect_eq(run(mm, false), CHECK_US);
	cr_expect_eq(count(mm, MM_VM_PGMIGRATE_SUCCESS), 5 * BLOCK / 2, "43 is below 70");
	must_verify(mm, "proactive");
	mm_destroy(mm);
}

/* Where it did not help, it looks again 64 times as late. */
Test(kcompactd, proactive_in_vain_waits_longer)
{
	struct mm *mm = boot_movable();

	checker(mm, GFP_KERNEL, owner);
	mm->params.compaction_proactiveness = 40;
	cr_expect_eq(run(mm, false), UINT64_C(64) * CHECK_US);
	mm_wake_kcompactd(mm, 0, &mm->nodes[0], 9, DMA32_ZONE);
	kcompactd(mm)->asked_order = 9;
	cr_expect_eq(run(mm, true), CHECK_US, "which is forgotten when somebody asks");
	mm_destroy(mm);
}

/* While kswapd is at work it keeps out of the way; with 0 it never looks. */
Test(kcompactd, proactive_not_beside_kswapd)
{
	struct mm *mm = boot_movable();

	checker(mm, MOVABLE, owner);
	mm->params.compaction_proactiveness = 100;
	mm->nodes[0].kswapd.thread.asleep = false;
	cr_expect_eq(run(mm, false), CHECK_US);
	mm->nodes[0].kswapd.thread.asleep = true;
	mm->params.compaction_proactiveness = 0;
	cr_expect_eq(run(mm, false), MM_KTHREAD_FOREVER);
	cr_expect_eq(count(mm, MM_VM_PGMIGRATE_SUCCESS), 0);
	mm_destroy(mm);
}

/* Whoever writes compaction_proactiveness has it look at once. */
Test(kcompactd, looks_when_proactiveness_is_written)
{
	struct mm *mm = boot_movable();
	struct mm_refusal refusal;

	cr_expect_eq(kcompactd(mm)->thread.first_us, CHECK_US);
	cr_assert_eq(mm_sysctl(mm, "compaction_proactiveness", "40", &refusal), 0);
	cr_expect_eq(kcompactd(mm)->thread.first_us, 0);
	checker(mm, MOVABLE, owner);
	keep_no_lists(mm);
	cr_expect_eq(run(mm, true), CHECK_US);
	cr_expect_eq(count(mm, MM_VM_PGMIGRATE_SUCCESS), 5 * BLOCK / 2);
	cr_assert_eq(mm_sysctl(mm, "compaction_proactiveness", "0", &refusal), 0);
	cr_expect_eq(kcompactd(mm)->thread.first_us, MM_KTHREAD_FOREVER);
	mm_destroy(mm);
}

/* A direct run gets the block that it made, and nobody else: it never was on a free list. */
Test(capture, hands_the_block_to_who_compacts)
{
	struct mm *mm = boot_movable();
	struct page *page;

	checker(mm, MOVABLE, owner);
	close_dma(mm);
	page = alloc(mm, 0, 9, GFP_TRANSHUGE | __GFP_THISNODE);
	cr_assert_not_null(page);
	cr_expect_eq(pfn_of(mm, page), FIRST);
	cr_expect_eq(count(mm, MM_VM_COMPACT_STALL), 1);
	cr_expect_eq(count(mm, MM_VM_COMPACT_SUCCESS), 1);
	cr_expect_eq(count(mm, MM_VM_COMPACT_FAIL), 0);
	cr_expect_eq(free_blocks(dma32(mm), 9), 0);
	cr_expect_null(dma32(mm)->pcp[0].capture);
	must_verify(mm, "captured");
	cr_assert_eq(mm_free_pages(mm, 0, page, 9), 0);
	drain_all(mm);
	cr_expect_eq(free_blocks(dma32(mm), 9) + 2 * free_blocks(dma32(mm), 10), 1);
	must_verify(mm, "given back");
	mm_destroy(mm);
}

/* A small block of a movable page block is not: others of its mobility might take the rest. */
Test(capture, leaves_small_blocks_on_the_lists)
{
	struct mm *mm = boot_movable();

	checker(mm, MOVABLE, owner);
	cr_expect_eq(direct(mm, 3, MOVABLE, MM_COMPACT_SYNC_LIGHT), MM_COMPACT_SUCCESS);
	cr_expect_eq(count(mm, MM_VM_PGMIGRATE_SUCCESS), BLOCK / 2, "a page block is finished");
	cr_expect_eq(free_blocks(dma32(mm), 9), 1);
	must_verify(mm, "order 3");
	mm_destroy(mm);
}

/* An asynchronous run that meets a lock that is taken gives up, at a page block's boundary. */
Test(compact, gives_up_where_locks_are_contended)
{
	struct mm *mm = boot_movable();

	checker(mm, MOVABLE, owner);
	mm->nodes[0].lru_lock.holder = 1;
	cr_expect_eq(direct(mm, 10, MOVABLE, MM_COMPACT_ASYNC), MM_COMPACT_CONTENDED);
	cr_expect_eq(count(mm, MM_VM_PGMIGRATE_SUCCESS), BLOCK / 2);
	mm_destroy(mm);
	mm = boot_movable();
	checker(mm, MOVABLE, owner);
	mm->nodes[0].lru_lock.holder = 1;
	cr_expect_eq(direct(mm, 10, MOVABLE, MM_COMPACT_SYNC_LIGHT), MM_COMPACT_SUCCESS);
	mm_destroy(mm);
}
