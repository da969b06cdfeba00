/* SPDX-License-Identifier: Apache-2.0 */
/* Compaction run by run: what moves, and when it ends. The machine is compact_fixture.h's. */
#include "../compact_fixture.h"

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

/*
 * Somebody has isolated most pages and does not put them back: as when who compacts has done that
 * himself, to move them. A kernel waits until the task is killed; here it gives up after a second,
 * 50 sleeps of 20 ms, in each of the two zones.
 */
Test(compact, does_not_wait_for_isolated_pages_for_ever)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&small, &rec);
	struct page *page = alloc(mm, 0, 0, MOVABLE);

	cr_assert_eq(mm_lru_add(mm, 0, page, MM_PAGE_ANON), 0);
	mm_lru_drain(mm, 0);
	mm_vmstat_refresh(mm);
	mm->nodes[0].vm_stat[MM_NS_ISOLATED_ANON] = 100;
	record_from_here(&rec);
	mm_compact_all(mm, 0);
	cr_expect_eq(count_records(&rec, REC_SLEEP), 100);
	cr_expect_eq(nth_record(&rec, REC_SLEEP, 0)->bytes, 20000);
	mm->nodes[0].vm_stat[MM_NS_ISOLATED_ANON] = 0;
	must_verify(mm, "at the end");
	mm_destroy(mm);
	free(rec.records);
}
