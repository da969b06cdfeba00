/* SPDX-License-Identifier: Apache-2.0 */
/* Which neighbours are read back from swap with a page, by what was of use before. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "../mm_fixture.h"
#include "mm/huge/thp.h"
#include "mm/reclaim/lru.h"
#include "mm/reclaim/lru_lists.h"
#include "mm/reclaim/swap.h"
#include "mm/reclaim/vmscan.h"
#include "mm/user/user.h"

#define PAGE  UINT64_C(4096)
#define PAGES 64

static const struct machine one = {
	.model = MM_SPARSE_VMEMMAP,
	.memory = {{0, 64 * MiB, 0}},
	.cpus = {1},
};

struct bench {
	struct recorder rec;
	struct mm *mm;
	struct mm_space *space;
	uint64_t at;
};

static int use(struct bench *b, uint64_t page)
{
	phys_addr_t phys;

	return mm_user_access(b->mm, 0, b->space, b->at + page * PAGE, false, &phys);
}

/* What came back is active. */
static void deactivate(struct bench *b)
{
	struct mm_node *node = &b->mm->nodes[0];
	struct page *page;

	mm_lru_lock(b->mm, 0, node);
	while ((page = node->lru[MM_LRU_ACTIVE_ANON].tail)) {
		mm_lru_unlink(b->mm, 0, page);
		page->flags &= ~(uint64_t)(PG_ACTIVE | PG_REFERENCED);
		mm_lru_link(b->mm, 0, page, false);
	}
	mm_lru_unlock(b->mm, 0, node);
}

/* All that the process has is in swap. */
static void shrink(struct bench *b)
{
	struct mm_scan sc = {.cpu = 0,
			     .kswapd = true,
			     .gfp = GFP_KERNEL,
			     .reclaim_idx = 3,
			     .nr_to_reclaim = PAGES,
			     .may_unmap = true,
			     .may_swap = true,
			     .may_writepage = true};

	for (struct page *p = b->mm->nodes[0].lru[MM_LRU_INACTIVE_ANON].tail; p; p = p->prev)
		p->flags &= ~(uint64_t)PG_YOUNG;
	while (mm_shrink_list(b->mm, &b->mm->nodes[0], &sc, MM_LRU_INACTIVE_ANON, PAGES))
		;
}

static void set_up(struct bench *b)
{
	phys_addr_t phys;

	*b = (struct bench){0};
	b->mm = boot_recorded(&one, &b->rec);
	b->mm->params.thp = MM_THP_NEVER;
	mm_set_swap(b->mm, 4096);
	cr_assert_eq(mm_space_new(b->mm, 0, "a", NULL, &b->space), 0);
	cr_assert_eq(
		mm_mmap(b->mm, 0, b->space, &(struct mm_mmap_args){.bytes = PAGES * PAGE}, &b->at),
		0);
	for (uint64_t i = 0; i < PAGES; i++)
		cr_assert_eq(mm_user_access(b->mm, 0, b->space, b->at + i * PAGE, true, &phys),
			     MM_USER_SMALL);
	mm_lru_drain(b->mm, 0);
	shrink(b);
	cr_assert_eq(mm_swap_free_pages(b->mm), 4096 - PAGES);
	must_verify(b->mm, "all is in swap");
	b->rec.nr = 0;
}

static void tear_down(struct bench *b)
{
	mm_space_exit(b->mm, 0, b->space);
	must_verify(b->mm, "gone");
	cr_expect_eq(mm_swap_free_pages(b->mm), b->mm->swap_pages, "swap leaks");
	mm_destroy(b->mm);
	free(b->rec.records);
}

/* A fault that reads so many pages in one request. */
static void must_read(struct bench *b, uint64_t page, uint64_t pages)
{
	uint64_t before = mm_vm_event(b->mm, MM_VM_PSWPIN);
	size_t requests = count_records(&b->rec, REC_READ);

	cr_expect_eq(use(b, page), MM_USER_MAJOR, "page %d", (int)page);
	cr_expect_eq(count_records(&b->rec, REC_READ), requests + 1);
	cr_expect_eq(mm_vm_event(b->mm, MM_VM_PSWPIN) - before, pages, "page %d: %d are read",
		     (int)page, (int)(mm_vm_event(b->mm, MM_VM_PSWPIN) - before));
	must_verify(b->mm, "read back");
}

/* At first 8, 3 of them before it: none of the range has been of use or not, and 4 + 2 rounds up.
 */
Test(swap_readahead, neighbours_come_with_a_page)
{
	struct bench b;

	set_up(&b);
	must_read(&b, 10, 8);
	cr_expect_eq(mm_vm_event(b.mm, MM_VM_SWAP_RA), 7);
	for (uint64_t i = 7; i < 15; i++)
		cr_expect_eq(use(&b, i), i == 10 ? MM_USER_PRESENT : MM_USER_MINOR);
	cr_expect_eq(mm_vm_event(b.mm, MM_VM_SWAP_RA_HIT), 7);
	must_verify(b.mm, "mapped");
	tear_down(&b);
}

/* The next goes on from there: 4 were of use, 6 round up to 8; then 7, and 8 are the most. */
Test(swap_readahead, a_stream_is_read_ahead)
{
	struct bench b;

	set_up(&b);
	must_read(&b, 10, 8);
	for (uint64_t i = 11; i < 15; i++)
		use(&b, i);
	must_read(&b, 15, 8);
	for (uint64_t i = 16; i < 23; i++)
		cr_expect_eq(use(&b, i), MM_USER_MINOR);
	must_read(&b, 23, 8);
	cr_expect_eq(use(&b, 30), MM_USER_MINOR);
	tear_down(&b);
}

/* And down: from where it was last to what is before it. */
Test(swap_readahead, a_stream_may_go_down)
{
	struct bench b;

	set_up(&b);
	must_read(&b, 40, 8);
	for (uint64_t i = 39; i > 36; i--)
		cr_expect_eq(use(&b, i), MM_USER_MINOR);
	must_read(&b, 36, 8);
	cr_expect_eq(use(&b, 29), MM_USER_MINOR);
	tear_down(&b);
}

/* What is read for nothing halves the window each time, down to one page; two in a row are two. */
Test(swap_readahead, no_use_makes_it_small)
{
	struct bench b;

	set_up(&b);
	must_read(&b, 8, 8);
	must_read(&b, 24, 4);
	must_read(&b, 32, 2);
	must_read(&b, 40, 1);
	must_read(&b, 50, 1);
	must_read(&b, 51, 2);
	tear_down(&b);
}

/* Not beyond the range's ends, nor what is there already. */
Test(swap_readahead, it_ends_where_the_range_does)
{
	struct bench b;

	set_up(&b);
	must_read(&b, 0, 5);
	must_read(&b, PAGES - 1, 2);
	must_read(&b, 6, 2);
	tear_down(&b);
}

/* page-cluster=0: by itself. */
Test(swap_readahead, it_can_be_off)
{
	struct mm_refusal refusal;
	struct bench b;

	set_up(&b);
	cr_assert_eq(mm_sysctl(b.mm, "page-cluster", "0", &refusal), 0);
	must_read(&b, 10, 1);
	must_read(&b, 11, 1);
	cr_expect_eq(mm_vm_event(b.mm, MM_VM_SWAP_RA), 0);
	tear_down(&b);
}

/* What nobody comes for is reclaimed without a write, and its place is still good. */
Test(swap_readahead, what_was_of_no_use_goes_again)
{
	struct bench b;

	set_up(&b);
	must_read(&b, 10, 8);
	deactivate(&b);
	shrink(&b);
	cr_expect_eq(count_records(&b.rec, REC_WRITE), 0);
	must_verify(b.mm, "gone again");
	cr_expect_eq(use(&b, 11), MM_USER_MAJOR);
	tear_down(&b);
}
