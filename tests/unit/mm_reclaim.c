/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reclaim, rule by rule. The machine has one node of 64 MiB: zone DMA with 4096 pages and DMA32
 * with 12288. With 1024 KiB to be kept free, min is 64 and 192 pages, low 80 and 240, high 96 and
 * 288. lowmem_reserve of DMA is 12288 / 256 = 48 pages for who could have DMA32.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../mm_fixture.h"
#include "mm/kthread.h"
#include "mm/reclaim/lru.h"
#include "mm/reclaim/vmscan.h"

#define GFP_CACHE  (GFP_NOFS | __GFP_HARDWALL) /* of a block device: unmovable */
#define DMA32_ZONE 1

static const struct machine small = {
	.model = MM_SPARSE_VMEMMAP,
	.memory = {{0, 64 * MiB, 0}},
	.cpus = {2},
	.min_free_kbytes = 1024,
};

static uint64_t count(const struct mm *mm, enum mm_vm_event event)
{
	return mm_vm_event(mm, event);
}

/* A page that reclaim follows, on its list. */
static struct page *add(struct mm *mm, gfp_t gfp, enum mm_page_kind kind)
{
	struct page *page = alloc(mm, 0, 0, gfp);

	cr_assert_not_null(page);
	cr_assert_eq(mm_lru_add(mm, 0, page, kind), 0);
	return page;
}

/* So many of them, no more in a batch; `pages` may be NULL. */
static void add_many(struct mm *mm, size_t nr, enum mm_page_kind kind, struct page **pages)
{
	for (size_t i = 0; i < nr; i++) {
		struct page *page = add(mm, GFP_CACHE, kind);

		if (pages)
			pages[i] = page;
	}
	mm_lru_drain(mm, 0);
}

static uint64_t on_list(const struct mm *mm, enum mm_lru lru)
{
	return mm_node_lru(mm, &mm->nodes[0], lru, MM_MAX_ZONES);
}

static struct mm_scan scan_at(int priority)
{
	return (struct mm_scan){.cpu = 0,
				.kswapd = true,
				.gfp = GFP_KERNEL,
				.priority = priority,
				.reclaim_idx = 3,
				.nr_to_reclaim = 1000000,
				.may_unmap = true,
				.may_swap = true,
				.may_writepage = true};
}

/* 14 pages wait in the CPU's batch; the 15th takes all to the list. */
Test(reclaim, pages_come_to_their_list_fifteen_at_a_time)
{
	struct mm *mm = boot(&small);

	for (int i = 0; i < 14; i++)
		add(mm, GFP_CACHE, MM_PAGE_FILE);
	cr_expect_eq(on_list(mm, MM_LRU_INACTIVE_FILE), 0);
	must_verify(mm, "14 pages");
	add(mm, GFP_CACHE, MM_PAGE_FILE);
	cr_expect_eq(on_list(mm, MM_LRU_INACTIVE_FILE), 15);
	must_verify(mm, "15 pages");
	mm_destroy(mm);
}

/* One that is freed while it waits leaves the batch; a large page does not wait, and takes the
 * others with it. */
Test(reclaim, a_batch_gives_up_what_is_freed)
{
	struct mm *mm = boot(&small);
	struct page *page = add(mm, GFP_CACHE, MM_PAGE_FILE), *huge;

	add(mm, GFP_CACHE, MM_PAGE_FILE);
	cr_expect_eq(mm_free_pages(mm, 1, page, 0), 0);
	cr_expect_eq(mm_free_pages(mm, 1, page, 0), -EINVAL);
	must_verify(mm, "freed in the batch");
	huge = alloc(mm, 0, 9, GFP_TRANSHUGE_LIGHT);
	cr_assert_eq(mm_lru_add(mm, 0, huge, MM_PAGE_ANON), 0);
	cr_expect_eq(on_list(mm, MM_LRU_INACTIVE_FILE), 1);
	cr_expect_eq(on_list(mm, MM_LRU_INACTIVE_ANON), 512);
	cr_expect_eq(mm_lru_add(mm, 0, huge, MM_PAGE_ANON), -EINVAL, "twice");
	cr_expect_eq(mm_free_pages(mm, 0, huge, 9), 0);
	cr_expect_eq(on_list(mm, MM_LRU_INACTIVE_ANON), 0);
	must_verify(mm, "huge page freed");
	mm_destroy(mm);
}

/* The first access marks a page, the second makes it active. */
Test(reclaim, the_second_access_activates)
{
	struct mm *mm = boot(&small);
	struct page *page = add(mm, GFP_CACHE, MM_PAGE_FILE);

	mm_lru_drain(mm, 0);
	cr_assert_eq(mm_page_accessed(mm, 0, page), 0);
	cr_expect_eq(on_list(mm, MM_LRU_ACTIVE_FILE), 0);
	cr_assert_eq(mm_page_accessed(mm, 0, page), 0);
	cr_expect_eq(on_list(mm, MM_LRU_ACTIVE_FILE), 1);
	cr_expect_eq(on_list(mm, MM_LRU_INACTIVE_FILE), 0);
	cr_expect_eq(count(mm, MM_VM_PGACTIVATE), 1);
	must_verify(mm, "active");
	mm_destroy(mm);
}

/*
 * 8192 inactive and no active file pages: there is enough of them, so only they are looked at, 8192
 * / 2^12 = 2 at the lowest priority and twice as many with each step.
 */
Test(reclaim, a_pass_looks_at_a_part_of_the_list)
{
	struct mm *mm = boot(&small);
	uint64_t nr[MM_NR_LRU];

	mm_set_swap(mm, 1000);
	add_many(mm, 8192, MM_PAGE_FILE, NULL);
	add_many(mm, 2048, MM_PAGE_ANON, NULL);
	for (int priority = DEF_PRIORITY; priority >= 1; priority--) {
		struct mm_scan sc = scan_at(priority);

		mm_prepare_scan(mm, &mm->nodes[0], &sc);
		mm_scan_count(mm, &mm->nodes[0], &sc, nr);
		cr_expect_eq(nr[MM_LRU_INACTIVE_FILE], 8192u >> priority);
		cr_expect_eq(nr[MM_LRU_INACTIVE_ANON], 0);
	}
	mm_destroy(mm);
}

/*
 * At priority 1, 3 inactive file pages against 5 active ones: the inactive list is low, so the
 * pass divides by swappiness. With 60 and no cost yet, 60 : 140. Of 100 anonymous pages, 50 * 60 *
 * 1 / 1 / 200 = 15; of 5 active file pages, 2 * 140 / 200 = 1.
 */
Test(reclaim, swappiness_divides_a_pass)
{
	struct mm *mm = boot(&small);
	struct mm_scan sc = scan_at(1);
	struct page *file[8];
	uint64_t nr[MM_NR_LRU];

	mm_set_swap(mm, 1000);
	add_many(mm, 8, MM_PAGE_FILE, file);
	for (int i = 0; i < 5; i++) {
		mm_page_accessed(mm, 0, file[i]);
		mm_page_accessed(mm, 0, file[i]);
	}
	add_many(mm, 100, MM_PAGE_ANON, NULL);
	mm_prepare_scan(mm, &mm->nodes[0], &sc);
	cr_expect(sc.may_deactivate[1] && !sc.may_deactivate[0] && !sc.cache_trim_mode);
	mm_scan_count(mm, &mm->nodes[0], &sc, nr);
	cr_expect_eq(nr[MM_LRU_INACTIVE_ANON], 15);
	cr_expect_eq(nr[MM_LRU_ACTIVE_FILE], 1);
	cr_expect_eq(nr[MM_LRU_INACTIVE_FILE], 0);
	/* Without room in swap anonymous memory stays: file pages only, all of the part. */
	mm_set_swap(mm, 0);
	mm_scan_count(mm, &mm->nodes[0], &sc, nr);
	cr_expect_eq(nr[MM_LRU_INACTIVE_ANON], 0);
	cr_expect_eq(nr[MM_LRU_ACTIVE_FILE], 2);
	cr_expect_eq(nr[MM_LRU_INACTIVE_FILE], 1);
	mm_destroy(mm);
}

/* 1 GiB of them and more may have sqrt(10 * GiB) active ones for an inactive one: 3 for 1 GiB. */
Test(reclaim, large_memory_has_short_inactive_lists)
{
	struct mm *mm = boot(&small);
	struct mm_zone *zone = &mm->nodes[0].zones[DMA32_ZONE];

	zone->nr_lru[MM_LRU_INACTIVE_FILE] = 65536;
	zone->nr_lru[MM_LRU_ACTIVE_FILE] = 196608;
	cr_expect_not(mm_inactive_is_low(mm, &mm->nodes[0], MM_LRU_INACTIVE_FILE));
	zone->nr_lru[MM_LRU_ACTIVE_FILE]++;
	cr_expect(mm_inactive_is_low(mm, &mm->nodes[0], MM_LRU_INACTIVE_FILE));
	/* Just below 1 GiB: one for one. */
	zone->nr_lru[MM_LRU_INACTIVE_FILE] = zone->nr_lru[MM_LRU_ACTIVE_FILE] = 131071;
	cr_expect_not(mm_inactive_is_low(mm, &mm->nodes[0], MM_LRU_INACTIVE_FILE));
	zone->nr_lru[MM_LRU_INACTIVE_FILE]--;
	cr_expect(mm_inactive_is_low(mm, &mm->nodes[0], MM_LRU_INACTIVE_FILE));
	mm_destroy(mm);
}

/* Oldest first; pages of a zone that is of no use are passed over, counted, and out of the way. */
Test(reclaim, pages_of_higher_zones_are_skipped)
{
	struct mm *mm = boot(&small);
	struct mm_scan sc = scan_at(0);
	struct page *low;

	add_many(mm, 40, MM_PAGE_FILE, NULL);
	low = add(mm, GFP_CACHE | GFP_DMA, MM_PAGE_FILE);
	add_many(mm, 10, MM_PAGE_FILE, NULL);
	sc.reclaim_idx = 0;
	cr_expect_eq(mm_shrink_list(mm, &mm->nodes[0], &sc, MM_LRU_INACTIVE_FILE, 1), 1);
	cr_expect_eq(low->refcount, 0);
	cr_expect_eq(mm_pgskip(mm, DMA32_ZONE), 40);
	cr_expect_eq(count(mm, MM_VM_PGSCAN_KSWAPD), 41);
	cr_expect_eq(count(mm, MM_VM_PGSTEAL_KSWAPD), 1);
	cr_expect_eq(on_list(mm, MM_LRU_INACTIVE_FILE), 50);
	must_verify(mm, "skipped");
	mm_destroy(mm);
}

/* Locked: not looked at. Dirty: for the flusher, so active; with it done, clean. */
Test(reclaim, what_stays_and_why)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&small, &rec);
	struct mm_scan sc = scan_at(0);
	struct page *p[6];

	rec.hold_writes = true;
	add_many(mm, 6, MM_PAGE_FILE, p);
	cr_assert_eq(mm_page_lock_in(mm, 0, p[0], true), 0);
	cr_assert_eq(mm_page_dirty(mm, 0, p[1]), 0);
	cr_assert_eq(mm_page_touched(mm, 0, p[2], false), 0);
	cr_assert_eq(mm_page_accessed(mm, 0, p[3]), 0);
	cr_assert_eq(mm_page_accessed(mm, 0, p[4]), 0);
	cr_assert_eq(mm_page_touched(mm, 0, p[4], false), 0);
	cr_expect_eq(on_list(mm, MM_LRU_UNEVICTABLE), 1);
	/* 3: marked only, clean; 5: not at all. 2: used once: one more round. 4: twice: active. */
	cr_expect_eq(mm_shrink_list(mm, &mm->nodes[0], &sc, MM_LRU_INACTIVE_FILE, 32), 2);
	cr_expect(p[3]->refcount == 0 && p[5]->refcount == 0);
	cr_expect_eq(p[2]->flags & (PG_ON_LRU | PG_ACTIVE | PG_REFERENCED | PG_YOUNG),
		     PG_ON_LRU | PG_REFERENCED);
	cr_expect_eq(p[4]->flags & PG_ACTIVE, PG_ACTIVE);
	cr_expect_eq(p[1]->flags & (PG_ACTIVE | PG_RECLAIM | PG_DIRTY),
		     PG_ACTIVE | PG_RECLAIM | PG_DIRTY);
	cr_expect_eq(count(mm, MM_VM_NR_VMSCAN_IMMEDIATE), 1);
	cr_expect_eq(count_records(&rec, REC_RECLAIMED), 2);
	must_verify(mm, "shrunk");
	mm_destroy(mm);
	free(rec.records);
}

/*
 * An anonymous page gets a place in swap and is written; the next pass finds it at the tail, clean,
 * and its owner is told where it is. It takes a disk: without swap nothing happens to it.
 */
Test(reclaim, anonymous_pages_go_to_swap)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&small, &rec);
	struct mm_scan sc = scan_at(0);
	struct page *page = add(mm, GFP_HIGHUSER_MOVABLE, MM_PAGE_ANON), *back;

	mm_lru_drain(mm, 0);
	rec.hold_writes = true;
	/* Just mapped, so young: one round. Then there is no swap: it stays, active. */
	cr_expect_eq(mm_shrink_list(mm, &mm->nodes[0], &sc, MM_LRU_INACTIVE_ANON, 32), 0);
	page->flags &= ~(uint64_t)PG_REFERENCED;
	cr_expect_eq(mm_shrink_list(mm, &mm->nodes[0], &sc, MM_LRU_INACTIVE_ANON, 32), 0);
	cr_expect_eq(on_list(mm, MM_LRU_ACTIVE_ANON), 1);

	mm_set_swap(mm, 10);
	mm_shrink_active_list(mm, &mm->nodes[0], &sc, MM_LRU_ACTIVE_ANON, 32);
	cr_expect_eq(on_list(mm, MM_LRU_INACTIVE_ANON), 1);
	cr_expect_eq(mm_shrink_list(mm, &mm->nodes[0], &sc, MM_LRU_INACTIVE_ANON, 32), 0);
	cr_expect_eq(count_records(&rec, REC_WRITE), 1);
	cr_expect_eq(mm_swap_free_pages(mm), 9);
	cr_expect_eq(mm_node_counter_exactly(mm, 0, MM_NS_WRITEBACK), 1);
	must_verify(mm, "being written");
	mm_write_done(mm, 0, page);
	cr_expect_eq(count(mm, MM_VM_PSWPOUT), 1);
	cr_expect_eq(count(mm, MM_VM_PGROTATED), 1);
	must_verify(mm, "written");
	cr_expect_eq(mm_shrink_list(mm, &mm->nodes[0], &sc, MM_LRU_INACTIVE_ANON, 32), 1);
	cr_assert_eq(count_records(&rec, REC_RECLAIMED), 1);
	cr_expect(nth_record(&rec, REC_RECLAIMED, 0)->swapped);
	must_verify(mm, "swapped");

	cr_expect_eq(mm_swap_free_pages(mm), 9);
	back = alloc(mm, 0, 0, GFP_HIGHUSER_MOVABLE);
	mm_swap_in(mm, 0, back);
	cr_expect_eq(nth_record(&rec, REC_READ, 0)->bytes, 4096);
	cr_expect_eq(mm_swap_free_pages(mm), 10);
	cr_expect_eq(count(mm, MM_VM_PSWPIN), 1);
	mm_destroy(mm);
	free(rec.records);
}

/* What its owner frees while it is written, or isolated, goes when the last reference does. */
Test(reclaim, the_last_reference_frees)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&small, &rec);
	struct mm_scan sc = scan_at(0);
	struct page *page = add(mm, GFP_HIGHUSER_MOVABLE, MM_PAGE_ANON);

	mm_lru_drain(mm, 0);
	page->flags &= ~(uint64_t)PG_YOUNG;
	mm_set_swap(mm, 10);
	rec.hold_writes = true;
	mm_shrink_list(mm, &mm->nodes[0], &sc, MM_LRU_INACTIVE_ANON, 32);
	cr_expect_eq(mm_free_pages(mm, 0, page, 0), 0);
	cr_expect_eq(mm_free_pages(mm, 0, page, 0), -EINVAL);
	cr_expect_eq(page->refcount, 1);
	must_verify(mm, "freed while it is written");
	mm_write_done(mm, 0, page);
	cr_expect_eq(page->refcount, 0);
	cr_expect_eq(mm_swap_free_pages(mm), 10);
	must_verify(mm, "written");
	mm_destroy(mm);
	free(rec.records);
}
