/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Huge pages of users under pressure: swapped whole where swap has an empty cluster, else split;
 * and split once memory is short where only a part of one is mapped.
 */
#include <criterion/criterion.h>

#include "../mm_fixture.h"
#include "mm/huge/thp.h"
#include "mm/reclaim/lru.h"
#include "mm/reclaim/lru_lists.h"
#include "mm/reclaim/vmscan.h"
#include "mm/user/user.h"

#define PAGE UINT64_C(4096)

static const struct machine one = {
	.model = MM_SPARSE_VMEMMAP,
	.memory = {{0, 64 * MiB, 0}},
	.cpus = {2},
};

struct bench {
	struct mm *mm;
	struct mm_space *space;
	uint64_t at;
};

/* `huge` huge pages, all there. */
static void set_up(struct bench *b, unsigned huge)
{
	phys_addr_t phys;

	b->mm = boot(&one);
	b->mm->params.thp = MM_THP_ALWAYS;
	cr_assert_eq(mm_space_new(b->mm, 0, "a", NULL, &b->space), 0);
	cr_assert_eq(mm_mmap(b->mm, 0, b->space, &(struct mm_mmap_args){.bytes = huge * 2 * MiB},
			     &b->at),
		     0);
	for (unsigned i = 0; i < huge; i++)
		cr_assert_eq(mm_user_access(b->mm, 0, b->space, b->at + i * 2 * MiB, true, &phys),
			     MM_USER_HUGE);
}

static void tear_down(struct bench *b)
{
	must_verify(b->mm, "at the end");
	mm_space_exit(b->mm, 0, b->space);
	must_verify(b->mm, "gone");
	cr_expect_eq(mm_swap_free_pages(b->mm), b->mm->swap_pages, "swap leaks");
	mm_destroy(b->mm);
}

static uint64_t count(const struct bench *b, enum mm_vm_event what)
{
	return mm_vm_event(b->mm, what);
}

static struct mm_space_info info_of(const struct bench *b)
{
	struct mm_space_info info;

	mm_space_info(b->mm, b->space, &info);
	return info;
}

/* A pass over all of node 0; the second one finds pages that nobody has used since. */
static void reclaim(struct bench *b, int priority)
{
	struct mm_scan sc = {.cpu = 0,
			     .kswapd = true,
			     .gfp = GFP_KERNEL,
			     .priority = priority,
			     .reclaim_idx = 3,
			     .nr_to_reclaim = 1000000,
			     .may_unmap = true,
			     .may_swap = true,
			     .may_writepage = true};

	mm_shrink_node(b->mm, &b->mm->nodes[0], &sc);
	must_verify(b->mm, "after reclaim");
}

Test(user_huge, an_empty_cluster_takes_one_whole)
{
	struct bench b;
	phys_addr_t phys;

	set_up(&b, 2);
	mm_set_swap(b.mm, 1024);
	reclaim(&b, 0);
	reclaim(&b, 0);
	cr_expect_eq(count(&b, MM_VM_THP_SWPOUT), 2);
	cr_expect_eq(count(&b, MM_VM_THP_SPLIT_PAGE), 0);
	cr_expect_eq(count(&b, MM_VM_THP_SPLIT_PMD), 2, "each part has a place of its own");
	cr_expect_eq(count(&b, MM_VM_PSWPOUT), 1024);
	cr_expect_eq(info_of(&b).swapped, 1024);
	cr_expect_eq(mm_swap_free_pages(b.mm), 0);
	cr_expect_eq(mm_anon_huge_pages(b.mm, 0), 0);
	/* Back they come page by page. */
	cr_expect_eq(mm_user_access(b.mm, 0, b.space, b.at + 7 * PAGE, true, &phys), MM_USER_MAJOR);
	cr_expect_eq(info_of(&b).swapped, 1023);
	cr_expect_eq(mm_swap_free_pages(b.mm), 1);
	tear_down(&b);
}

/* 512 + 300 places: one is swapped whole, 300 pages of the other one. */
Test(user_huge, without_one_it_is_split)
{
	struct bench b;

	set_up(&b, 2);
	mm_set_swap(b.mm, 512 + 300);
	for (int i = 0; i < 4; i++)
		reclaim(&b, 0);
	cr_expect_eq(count(&b, MM_VM_THP_SWPOUT), 1);
	cr_expect_eq(count(&b, MM_VM_THP_SWPOUT_FALLBACK), 1);
	cr_expect_eq(count(&b, MM_VM_THP_SPLIT_PAGE), 1);
	cr_expect_eq(info_of(&b).swapped, 812);
	cr_expect_eq(info_of(&b).anon, 212);
	cr_expect_eq(mm_swap_free_pages(b.mm), 0);
	tear_down(&b);
}

/* One place of each cluster is taken: swap has room for two, but not in one piece. */
Test(user_huge, a_single_page_spoils_a_cluster)
{
	struct bench b;
	struct page *page;

	set_up(&b, 1);
	mm_set_swap(b.mm, 1024);
	for (int i = 0; i < 513; i++) {
		page = alloc(b.mm, 0, 0, GFP_HIGHUSER_MOVABLE);
		cr_assert(mm_swap_take(b.mm, 0, page));
		mm_page_account(b.mm, 0, page, page->flags & ~(uint64_t)(PG_SWAPCACHE | PG_DIRTY));
	}
	for (int i = 0; i < 510; i++)
		mm_swap_drop(b.mm, 0);
	cr_expect_eq(mm_swap_free_pages(b.mm), 1021);
	must_verify(b.mm, "512 + 1 - 510: the cluster above is empty again");
	reclaim(&b, 0);
	reclaim(&b, 0);
	cr_expect_eq(count(&b, MM_VM_THP_SWPOUT), 1);
	mm_space_exit(b.mm, 0, b.space);
	cr_assert_eq(mm_space_new(b.mm, 0, "b", NULL, &b.space), 0);
	for (int i = 0; i < 3; i++)
		mm_swap_drop(b.mm, 0);
	tear_down(&b);
}

/* Half of it is unmapped, which is noted, and freed once reclaim is in earnest. */
Test(user_huge, a_part_is_split_off_later)
{
	struct bench b;
	uint64_t free_pages, table;

	set_up(&b, 1);
	cr_assert_eq(mm_munmap(b.mm, 0, b.space, b.at + MiB, MiB), 0);
	cr_expect_eq(count(&b, MM_VM_THP_DEFERRED_SPLIT_PAGE), 1);
	cr_expect_eq(info_of(&b).anon, 256);
	drain_all(b.mm);
	free_pages = zone_info(b.mm, 0, 1).free + zone_info(b.mm, 0, 0).free;
	reclaim(&b, 12);
	cr_expect_eq(count(&b, MM_VM_SLABS_SCANNED), 0, "1 >> 12");
	reclaim(&b, 0);
	cr_expect_eq(count(&b, MM_VM_SLABS_SCANNED), 2, "4 / 2 of 1");
	cr_expect_eq(count(&b, MM_VM_THP_SPLIT_PAGE), 1);
	cr_expect_eq(info_of(&b).anon, 256);
	cr_expect_eq(mm_anon_huge_pages(b.mm, 0), 0);
	drain_all(b.mm);
	table = zone_info(b.mm, 0, 1).free + zone_info(b.mm, 0, 0).free - free_pages;
	cr_expect_eq(table, 256);
	reclaim(&b, 0);
	cr_expect_eq(count(&b, MM_VM_SLABS_SCANNED), 2, "nothing is queued any more");
	tear_down(&b);
}

/* What a child still maps is not free; who unmaps it last has it queued. */
Test(user_huge, a_part_that_others_map_is_not_queued)
{
	struct mm_space *child;
	struct bench b;

	set_up(&b, 1);
	cr_assert_eq(mm_space_fork(b.mm, 0, b.space, "child", &child), 0);
	cr_assert_eq(mm_munmap(b.mm, 0, b.space, b.at, 4 * PAGE), 0);
	cr_expect_eq(count(&b, MM_VM_THP_DEFERRED_SPLIT_PAGE), 0);
	cr_assert_eq(mm_munmap(b.mm, 0, child, b.at, 4 * PAGE), 0);
	cr_expect_eq(count(&b, MM_VM_THP_DEFERRED_SPLIT_PAGE), 1);
	must_verify(b.mm, "queued");
	reclaim(&b, 0);
	cr_expect_eq(count(&b, MM_VM_THP_SPLIT_PAGE), 1);
	mm_space_exit(b.mm, 0, child);
	tear_down(&b);
}

/* Freed as a whole, it leaves the queue. */
Test(user_huge, exit_takes_it_off_the_queue)
{
	struct bench b;

	set_up(&b, 3);
	for (unsigned i = 0; i < 3; i++)
		cr_assert_eq(mm_munmap(b.mm, 0, b.space, b.at + i * 2 * MiB, PAGE), 0);
	cr_expect_eq(count(&b, MM_VM_THP_DEFERRED_SPLIT_PAGE), 3);
	cr_assert_eq(mm_munmap(b.mm, 0, b.space, b.at + 2 * MiB, 2 * MiB), 0);
	must_verify(b.mm, "the one in the middle");
	tear_down(&b);
}
