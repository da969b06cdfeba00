/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the write to swap and the end of it: reclaim has unmapped the page, and who comes back to
 * it finds it in the swap cache.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

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
	struct recorder rec;
	struct mm *mm;
	struct mm_space *space;
	uint64_t at;
	phys_addr_t phys;
	struct page *page;
};

/* A page of a process, or a huge one, is being written to swap. */
static void set_up(struct bench *b, bool huge)
{
	uint64_t bytes = huge ? 2 * MiB : PAGE;

	*b = (struct bench){0};
	b->mm = boot_recorded(&one, &b->rec);
	b->rec.hold_writes = true;
	b->mm->params.thp = huge ? MM_THP_ALWAYS : MM_THP_NEVER;
	mm_set_swap(b->mm, 4096);
	cr_assert_eq(mm_space_new(b->mm, 0, "a", NULL, &b->space), 0);
	cr_assert_eq(mm_mmap(b->mm, 0, b->space, &(struct mm_mmap_args){.bytes = bytes}, &b->at),
		     0);
	cr_assert_eq(mm_user_access(b->mm, 0, b->space, b->at, true, &b->phys),
		     huge ? MM_USER_HUGE : MM_USER_SMALL);
	b->page = mm_pfn_to_page(b->mm, MM_NO_CPU, b->phys / PAGE);
	mm_lru_drain(b->mm, 0);
	b->page->flags &= ~(uint64_t)PG_YOUNG;
}

static uint64_t shrink(struct bench *b)
{
	struct mm_scan sc = {.cpu = 0,
			     .kswapd = true,
			     .gfp = GFP_KERNEL,
			     .priority = 0,
			     .reclaim_idx = 3,
			     .nr_to_reclaim = 32,
			     .may_unmap = true,
			     .may_swap = true,
			     .may_writepage = true};
	uint64_t freed = mm_shrink_list(b->mm, &b->mm->nodes[0], &sc, MM_LRU_INACTIVE_ANON, 32);

	must_verify(b->mm, "shrunk");
	return freed;
}

static struct mm_space_info info_of(const struct bench *b)
{
	struct mm_space_info info;

	mm_space_info(b->mm, b->space, &info);
	return info;
}

static int use(struct bench *b, uint64_t page, bool write)
{
	phys_addr_t phys;
	int result = mm_user_access(b->mm, 0, b->space, b->at + page * PAGE, write, &phys);

	cr_expect_eq(phys, b->phys + page * PAGE, "the same page");
	must_verify(b->mm, "used");
	return result;
}

static void tear_down(struct bench *b)
{
	mm_space_exit(b->mm, 0, b->space);
	must_verify(b->mm, "gone");
	cr_expect_eq(mm_swap_free_pages(b->mm), b->mm->swap_pages, "swap leaks");
	mm_destroy(b->mm);
	free(b->rec.records);
}

/* Nobody came back: the end of the write makes it the next to go, and the entry stays as it is. */
Test(user_swap, a_page_is_unmapped_before_it_is_written)
{
	struct bench b;

	set_up(&b, false);
	cr_expect_eq(shrink(&b), 0);
	cr_expect_eq(count_records(&b.rec, REC_WRITE), 1);
	cr_expect_eq(info_of(&b).anon, 0);
	cr_expect_eq(info_of(&b).swapped, 1);
	cr_expect_eq(mm_swap_free_pages(b.mm), 4095);
	mm_write_done(b.mm, 0, b.page);
	cr_expect_eq(mm_vm_event(b.mm, MM_VM_PGROTATED), 1);
	cr_expect_eq(shrink(&b), 1);
	cr_expect_eq(info_of(&b).swapped, 1);
	tear_down(&b);
}

/*
 * A load in between: nothing is read, and the place in swap is still good once it is written. Who
 * finds it takes the mark by which it would be the next to go, as that is also readahead's.
 */
Test(user_swap, a_load_finds_it_in_the_swap_cache)
{
	struct bench b;

	set_up(&b, false);
	shrink(&b);
	cr_expect_eq(use(&b, 0, false), MM_USER_MINOR);
	cr_expect_eq(count_records(&b.rec, REC_READ), 0);
	cr_expect_eq(info_of(&b).anon, 1);
	cr_expect_eq(info_of(&b).swapped, 0);
	mm_write_done(b.mm, 0, b.page);
	cr_expect_eq(mm_vm_event(b.mm, MM_VM_PGROTATED), 0);
	cr_expect_eq(mm_swap_free_pages(b.mm), 4095);
	/* Used since, and then no more: without a second write. */
	cr_expect_eq(shrink(&b), 0);
	b.page->flags &= ~(uint64_t)PG_YOUNG;
	cr_expect_eq(shrink(&b), 1);
	cr_expect_eq(count_records(&b.rec, REC_WRITE), 1);
	tear_down(&b);
}

/* A store makes what is being written old: it is no candidate, and is written again. */
Test(user_swap, a_store_in_between_has_it_written_again)
{
	struct bench b;

	set_up(&b, false);
	shrink(&b);
	cr_expect_eq(use(&b, 0, true), MM_USER_MINOR);
	mm_write_done(b.mm, 0, b.page);
	cr_expect_eq(mm_vm_event(b.mm, MM_VM_PGROTATED), 0);
	b.page->flags &= ~(uint64_t)(PG_YOUNG | PG_REFERENCED);
	cr_expect_eq(shrink(&b), 0);
	cr_expect_eq(count_records(&b.rec, REC_WRITE), 2);
	mm_write_done(b.mm, 0, b.page);
	cr_expect_eq(shrink(&b), 1);
	tear_down(&b);
}

/* A store to it once it is written gives its place in swap back. */
Test(user_swap, a_store_gives_the_place_back)
{
	struct bench b;

	set_up(&b, false);
	shrink(&b);
	mm_write_done(b.mm, 0, b.page);
	cr_expect_eq(use(&b, 0, true), MM_USER_MINOR);
	cr_expect_eq(mm_swap_free_pages(b.mm), 4096);
	cr_expect(b.page->flags & PG_DIRTY);
	tear_down(&b);
}

/* The process ends while it is written: the page goes with the write. */
Test(user_swap, exit_leaves_it_to_the_write)
{
	struct bench b;

	set_up(&b, false);
	shrink(&b);
	mm_space_exit(b.mm, 0, b.space);
	must_verify(b.mm, "gone");
	cr_expect_eq(mm_swap_free_pages(b.mm), 4096);
	cr_expect_eq(b.page->refcount, 1);
	mm_write_done(b.mm, 0, b.page);
	cr_expect_eq(b.page->refcount, 0);
	must_verify(b.mm, "written");
	mm_destroy(b.mm);
	free(b.rec.records);
}

/* Of a huge page one part is used again. The others' places are the page's until it goes. */
Test(user_swap, a_part_of_a_huge_page_comes_back)
{
	struct bench b;

	set_up(&b, true);
	shrink(&b);
	cr_expect_eq(info_of(&b).swapped, 512);
	cr_expect_eq(use(&b, 7, true), MM_USER_MINOR);
	cr_expect_eq(info_of(&b).swapped, 511);
	cr_expect_eq(mm_swap_free_pages(b.mm), 4096 - 512);
	cr_expect_eq(mm_anon_huge_pages(b.mm, 0), 1);
	mm_write_done(b.mm, 0, b.page);
	b.page->flags &= ~(uint64_t)(PG_YOUNG | PG_REFERENCED);
	/* It is in swap as it was: written once more, and then all of it goes. */
	cr_expect_eq(shrink(&b), 0);
	cr_expect_eq(count_records(&b.rec, REC_WRITE), 2);
	mm_write_done(b.mm, 0, b.page);
	cr_expect_eq(shrink(&b), 512);
	cr_expect_eq(info_of(&b).swapped, 512);
	cr_expect_eq(mm_anon_huge_pages(b.mm, 0), 0);
	tear_down(&b);
}

/* A child has the same place: parent and child find the page, neither may write to it. */
Test(user_swap, a_child_shares_what_is_being_written)
{
	struct mm_space *child;
	struct bench b;
	phys_addr_t phys;

	set_up(&b, false);
	shrink(&b);
	cr_assert_eq(mm_space_fork(b.mm, 0, b.space, "child", &child), 0);
	must_verify(b.mm, "forked");
	cr_expect_eq(use(&b, 0, false), MM_USER_MINOR);
	/* The store is the child's own: it maps the page, and then copies it. */
	cr_expect_eq(mm_user_access(b.mm, 0, child, b.at, true, &phys), MM_USER_COPY);
	cr_expect_neq(phys, b.phys);
	must_verify(b.mm, "copied");
	mm_write_done(b.mm, 0, b.page);
	mm_space_exit(b.mm, 0, child);
	tear_down(&b);
}

/* Written, and gone. */
static void swap_out(struct bench *b)
{
	shrink(b);
	mm_write_done(b->mm, 0, b->page);
	cr_assert_eq(shrink(b), 1);
}

/* Read back, it is on the active list (a refault): made a candidate again. */
static void age(struct bench *b, phys_addr_t phys)
{
	b->page = mm_pfn_to_page(b->mm, MM_NO_CPU, phys / PAGE);
	mm_lru_drain(b->mm, 0);
	b->page->flags &= ~(uint64_t)(PG_YOUNG | PG_REFERENCED);
	if (b->page->flags & PG_ACTIVE) {
		mm_lru_lock(b->mm, 0, &b->mm->nodes[0]);
		mm_lru_unlink(b->mm, 0, b->page);
		b->page->flags &= ~(uint64_t)PG_ACTIVE;
		mm_lru_link(b->mm, 0, b->page, false);
		mm_lru_unlock(b->mm, 0, &b->mm->nodes[0]);
	}
}

/* Read back by a load it keeps its place, and goes again without being written. */
Test(user_swap, what_was_only_read_needs_no_second_write)
{
	phys_addr_t phys;
	struct bench b;

	set_up(&b, false);
	swap_out(&b);
	cr_expect_eq(mm_user_access(b.mm, 0, b.space, b.at, false, &phys), MM_USER_MAJOR);
	must_verify(b.mm, "read back");
	cr_expect_eq(mm_swap_free_pages(b.mm), 4095);
	age(&b, phys);
	cr_expect(b.page->flags & PG_SWAPCACHE);
	cr_expect_eq(shrink(&b), 1);
	cr_expect_eq(count_records(&b.rec, REC_WRITE), 1);
	cr_expect_eq(info_of(&b).swapped, 1);
	tear_down(&b);
}

/* A store to it afterwards is to a page of its own: nothing is copied, and it is written again. */
Test(user_swap, a_store_after_the_load_makes_it_dirty)
{
	phys_addr_t phys, again;
	struct bench b;

	set_up(&b, false);
	swap_out(&b);
	mm_user_access(b.mm, 0, b.space, b.at, false, &phys);
	cr_expect_eq(mm_user_access(b.mm, 0, b.space, b.at, true, &again), MM_USER_REUSE);
	cr_expect_eq(again, phys);
	age(&b, phys);
	cr_expect_eq(shrink(&b), 0);
	cr_expect_eq(count_records(&b.rec, REC_WRITE), 2);
	mm_write_done(b.mm, 0, b.page);
	tear_down(&b);
}

/* Read back by a store, or where more than half of swap is taken, it gives the place back. */
Test(user_swap, a_place_is_kept_only_where_it_is_of_use)
{
	phys_addr_t phys;
	struct bench b;

	set_up(&b, false);
	swap_out(&b);
	cr_expect_eq(mm_user_access(b.mm, 0, b.space, b.at, true, &phys), MM_USER_MAJOR);
	cr_expect_eq(mm_swap_free_pages(b.mm), 4096);
	age(&b, phys);
	cr_expect(b.page->flags & PG_DIRTY);
	tear_down(&b);

	set_up(&b, false);
	mm_set_swap(b.mm, 1);
	swap_out(&b);
	cr_expect_eq(mm_user_access(b.mm, 0, b.space, b.at, false, &phys), MM_USER_MAJOR);
	cr_expect_eq(mm_swap_free_pages(b.mm), 1);
	tear_down(&b);
}

/* Parent and child have the same place: the first reads, the second finds it, the page outlives the
 * first. */
Test(user_swap, what_one_has_read_others_find)
{
	struct mm_space *child;
	phys_addr_t phys, its;
	struct bench b;

	set_up(&b, false);
	swap_out(&b);
	cr_assert_eq(mm_space_fork(b.mm, 0, b.space, "child", &child), 0);
	cr_expect_eq(mm_user_access(b.mm, 0, child, b.at, false, &phys), MM_USER_MAJOR);
	cr_expect_eq(mm_swap_free_pages(b.mm), 4095);
	mm_space_exit(b.mm, 0, child);
	must_verify(b.mm, "the child is gone");
	cr_expect_eq(mm_user_access(b.mm, 0, b.space, b.at, false, &its), MM_USER_MINOR);
	cr_expect_eq(its, phys);
	must_verify(b.mm, "found");
	tear_down(&b);
}
