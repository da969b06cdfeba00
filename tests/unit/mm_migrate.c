/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moving pages between nodes: what is reported of a move, where targets come from, what stays. Two
 * nodes of 64 MiB; and where ZONE_MOVABLE takes part.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "../mm_fixture.h"
#include "mm/compact/migrate.h"
#include "mm/reclaim/lru.h"

#define MOVABLE GFP_HIGHUSER_MOVABLE

static const struct machine two = {
	.model = MM_SPARSE_VMEMMAP,
	.memory = {{0, 64 * MiB, 0}, {64 * MiB, 64 * MiB, 1}},
	.cpus = {1, 1},
	.min_free_kbytes = 512,
	.no_reserve = true,
	.exact_counts = true,
};

static const struct record *nth_access(const struct recorder *rec, enum mm_access how, size_t n)
{
	for (size_t i = 0; i < rec->nr; i++)
		if (rec->records[i].kind == REC_ACCESS && rec->records[i].how == how && n-- == 0)
			return &rec->records[i];
	return NULL;
}

static size_t to_node(struct mm *mm, int nid, struct page **pages, size_t nr)
{
	const struct mm_migrate_request req = {.nid = nid, .reason = MM_MIGRATE_SYSCALL};

	return mm_migrate_pages(mm, &req, pages, nr);
}

/*
 * For each page of 2^order frames: its bytes are read where it was and written where it is, by the
 * CPU that moves it; translations are dropped once, and the owner is told once.
 */
static void moves(unsigned order, gfp_t gfp)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&two, &rec);
	struct page *pages[3], *were[3];
	uint64_t nr = UINT64_C(1) << order;
	const struct mm_event *ev;

	for (int i = 0; i < 3; i++)
		were[i] = pages[i] = alloc_on(mm, 0, 0, order, gfp);
	record_from_here(&rec);
	cr_expect_eq(to_node(mm, 1, pages, 3), 0);
	for (size_t i = 0; i < 3; i++) {
		const struct record *from = nth_access(&rec, MM_COPY_FROM, i);
		const struct record *to = nth_access(&rec, MM_COPY_TO, i);

		cr_assert(from && to);
		cr_expect_eq(mm_page_to_nid(mm, pages[i]), 1);
		cr_expect_eq(from->at, mm_page_address(mm, were[i]));
		cr_expect_eq(from->bytes, nr * 4096);
		cr_expect_eq(to->at, mm_page_address(mm, pages[i]));
		cr_expect_eq(to->bytes, nr * 4096);
		cr_expect_eq(nth_record(&rec, REC_SHOOTDOWN, i)->page, were[i]);
		cr_expect_eq(nth_record(&rec, REC_MOVED, i)->page, were[i]);
		cr_expect_eq(nth_record(&rec, REC_MOVED, i)->to, pages[i]);
	}
	cr_expect_null(nth_access(&rec, MM_COPY_FROM, 3));
	cr_expect_eq(count_records(&rec, REC_SHOOTDOWN), 3);
	cr_expect_eq(count_work(&rec, MM_SITE_COPY), 3 * nr);
	cr_expect_eq(count_work(&rec, MM_SITE_MIGRATE), 3);
	cr_expect_eq(count_work(&rec, MM_SITE_TLB_FLUSH), 3);
	cr_expect_eq(count_events(&rec, MM_EVENT_MIGRATE), 1);
	for (size_t i = 0; (ev = &nth_record(&rec, REC_EVENT, i)->event)->type != MM_EVENT_MIGRATE;)
		i++;
	cr_expect_eq(ev->migrate.succeeded, 3 * nr);
	cr_expect_eq(ev->migrate.thp_succeeded, order == 9 ? 3 : 0);
	cr_expect_eq(ev->migrate.mode, MM_MIGRATE_SYNC);
	cr_expect_eq(ev->migrate.reason, MM_MIGRATE_SYSCALL);
	cr_expect_eq(mm_vm_event(mm, MM_VM_PGMIGRATE_SUCCESS), 3 * nr);
	cr_expect_eq(mm_vm_event(mm, MM_VM_THP_MIGRATION_SUCCESS), order == 9 ? 3 : 0);
	must_verify(mm, "moved");
	free(rec.records);
	mm_destroy(mm);
}

Test(migrate, a_page_is_read_and_written_once)
{
	moves(0, MOVABLE);
}

Test(migrate, a_huge_page_as_a_whole)
{
	moves(9, GFP_TRANSHUGE);
}

/* Page cache that nobody has mapped has no translation to drop. */
Test(migrate, unmapped_page_cache_interrupts_nobody)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&two, &rec);
	struct page *page = alloc_on(mm, 0, 0, 0, MOVABLE);

	cr_assert_eq(mm_lru_add(mm, 0, page, MM_PAGE_FILE), 0);
	mm_lru_drain(mm, 0);
	record_from_here(&rec);
	cr_expect_eq(to_node(mm, 1, &page, 1), 0);
	cr_expect_eq(mm_page_to_nid(mm, page), 1);
	cr_expect_eq(count_records(&rec, REC_SHOOTDOWN), 0);
	cr_expect_eq(count_work(&rec, MM_SITE_TLB_FLUSH), 0);
	cr_expect_eq(mm_lru_size(mm, 1, 1, MM_LRU_INACTIVE_FILE) +
			     mm_lru_size(mm, 1, 2, MM_LRU_INACTIVE_FILE),
		     1, "it is on a list of its new node");
	must_verify(mm, "page cache");
	free(rec.records);
	mm_destroy(mm);
}

/* The kernel's own stay, as do those that are there already, which is no failure. */
Test(migrate, some_stay)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&two, &rec);
	struct page *pages[] = {alloc_on(mm, 0, 0, 0, GFP_KERNEL), alloc_on(mm, 0, 1, 0, MOVABLE),
				alloc_on(mm, 0, 0, 0, MOVABLE)};
	struct page *stay[] = {pages[0], pages[1]};

	cr_expect_eq(to_node(mm, 1, pages, 3), 1);
	cr_expect_eq(pages[0], stay[0]);
	cr_expect_eq(pages[1], stay[1]);
	cr_expect_eq(mm_page_to_nid(mm, pages[2]), 1);
	cr_expect_eq(mm_vm_event(mm, MM_VM_PGMIGRATE_SUCCESS), 1);
	free(rec.records);
	mm_destroy(mm);
}

/* Without room there: what does not fit stays, still its owner's. */
Test(migrate, without_room_they_stay)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&two, &rec);
	struct page *page = alloc_on(mm, 0, 0, 0, MOVABLE), *was = page;

	while (alloc_on(mm, 0, 1, 0, (MOVABLE & ~__GFP_RECLAIM) | __GFP_THISNODE))
		;
	while (alloc_on(mm, 0, 1, 0, GFP_KERNEL | __GFP_THISNODE | __GFP_MEMALLOC))
		;
	record_from_here(&rec);
	cr_expect_eq(to_node(mm, 1, &page, 1), 1);
	cr_expect_eq(page, was);
	cr_expect_eq(count_records(&rec, REC_MOVED), 0);
	cr_expect_eq(mm_vm_event(mm, MM_VM_PGMIGRATE_FAIL), 1);
	must_verify(mm, "without room");
	cr_expect_eq(mm_free_pages(mm, 0, page, 0), 0);
	free(rec.records);
	mm_destroy(mm);
}

/*
 * kernelcore=64M of 128 MiB on one node: DMA and DMA32 share the lower half, ZONE_MOVABLE is the
 * upper one.
 */
static const struct machine half = {
	.model = MM_SPARSE_VMEMMAP,
	.memory = {{0, 128 * MiB, 0}},
	.cpus = {1},
	.kernelcore_bytes = 64 * MiB,
	.min_free_kbytes = 512,
	.no_reserve = true,
	.exact_counts = true,
};

/* All there is, by zone. */
static void take_all(struct mm *mm, gfp_t gfp, uint64_t pages[MM_MAX_ZONES])
{
	struct page *page;

	while ((page = alloc(mm, 0, 0, (gfp & ~__GFP_RECLAIM) | __GFP_MEMALLOC)))
		pages[mm_page_zonenum(mm, page)]++;
}

/* The kernel's allocations find no memory while half of it is free. */
Test(zone_movable, takes_nothing_of_the_kernels)
{
	struct mm *mm = boot(&half);
	uint64_t pages[MM_MAX_ZONES] = {0};

	cr_assert_eq(zone_info(mm, 0, 3).managed, 16384);
	take_all(mm, GFP_KERNEL, pages);
	take_all(mm, GFP_KERNEL | __GFP_RECLAIMABLE, pages);
	take_all(mm, GFP_HIGHUSER, pages);
	cr_expect_eq(pages[3], 0);
	cr_expect_eq(pages[0] + pages[1],
		     zone_info(mm, 0, 0).managed + zone_info(mm, 0, 1).managed);
	cr_expect_eq(zone_info(mm, 0, 3).free, 16384);
	must_verify(mm, "full but for ZONE_MOVABLE");
	mm_destroy(mm);
}

/* User memory goes there first, and where that is full into the others. */
Test(zone_movable, is_where_user_memory_goes_first)
{
	struct mm *mm = boot(&half);
	uint64_t pages[MM_MAX_ZONES] = {0};

	/* As far as to the low watermark: what is on the CPU's list counts as taken. */
	while (zone_info(mm, 0, 3).free > zone_info(mm, 0, 3).low + 63) {
		struct page *page = alloc(mm, 0, 0, MOVABLE);

		cr_assert_eq(mm_page_zonenum(mm, page), 3);
		pages[3]++;
	}
	take_all(mm, MOVABLE, pages);
	cr_expect_eq(pages[3], 16384);
	cr_expect_eq(pages[0] + pages[1],
		     zone_info(mm, 0, 0).managed + zone_info(mm, 0, 1).managed);
	must_verify(mm, "full");
	mm_destroy(mm);
}

/* What moves may move into it, too: the target is an allocation of user memory. */
Test(zone_movable, is_where_pages_move_to)
{
	struct machine m = half;
	struct recorder rec;
	struct page *page;
	struct mm *mm;

	m.memory[1] = (struct mm_range){128 * MiB, 128 * MiB, 1};
	m.kernelcore_bytes = 128 * MiB;
	mm = boot_recorded(&m, &rec);
	page = alloc_on(mm, 0, 0, 0, MOVABLE);
	cr_expect_eq(mm_page_zonenum(mm, page), 3);
	cr_expect_eq(to_node(mm, 1, &page, 1), 0);
	cr_expect_eq(mm_page_zonenum(mm, page), 3);
	cr_expect_eq(mm_page_to_nid(mm, page), 1);
	free(rec.records);
	mm_destroy(mm);
}
