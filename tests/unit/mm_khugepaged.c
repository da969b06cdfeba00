/* SPDX-License-Identifier: Apache-2.0 */
/*
 * khugepaged: what it collapses and what not, by its settings; what that allocates, copies, frees.
 * MADV_COLLAPSE: the same for who asks for it.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "../mm_fixture.h"
#include "mm/gfp.h"
#include "mm/huge/thp.h"
#include "mm/kthread.h"
#include "mm/reclaim/lru.h"
#include "mm/reclaim/vmscan.h"
#include "mm/user/khugepaged.h"
#include "mm/user/user.h"

#define PAGE UINT64_C(4096)

static const struct machine two = {
	.model = MM_SPARSE_VMEMMAP,
	.memory = {{0, 64 * MiB, 0}, {64 * MiB, 64 * MiB, 1}},
	.cpus = {1, 1},
};

struct bench {
	struct recorder rec;
	struct mm *mm;
	struct mm_space *space;
	uint64_t at;
};

/* A range of `huge` times 2 MiB, of which zero pages are mapped: so no store gets a huge page. */
static void set_up(struct bench *b, unsigned huge)
{
	const struct mm_mmap_args args = {.bytes = huge * 2 * MiB};
	phys_addr_t phys;

	*b = (struct bench){0};
	b->mm = boot_recorded(&two, &b->rec);
	b->mm->params.thp = MM_THP_ALWAYS;
	cr_assert_eq(mm_space_new(b->mm, 0, "a", NULL, &b->space), 0);
	cr_assert_eq(mm_mmap(b->mm, 0, b->space, &args, &b->at), 0);
	for (unsigned i = 0; i < huge; i++)
		mm_user_access(b->mm, 0, b->space, b->at + i * 2 * MiB, false, &phys);
}

static void tear_down(struct bench *b)
{
	must_verify(b->mm, "at the end");
	mm_space_exit(b->mm, 0, b->space);
	must_verify(b->mm, "gone");
	mm_destroy(b->mm);
	free(b->rec.records);
}

static void store(struct bench *b, int cpu, uint64_t first, uint64_t nr)
{
	phys_addr_t phys;

	for (uint64_t i = first; i < first + nr; i++)
		cr_assert_geq(mm_user_access(b->mm, cpu, b->space, b->at + i * PAGE, true, &phys),
			      0);
}

/* Returns how long it sleeps then, ms. */
static uint64_t run(struct bench *b)
{
	struct mm_kthread *thread = mm_kthread(b->mm, mm_nr_kthreads(b->mm) - 1);
	int cpu = 0;
	uint64_t us;

	record_from_here(&b->rec);
	us = mm_kthread_run(b->mm, thread, &cpu, false);
	must_verify(b->mm, "after a scan");
	return us == MM_KTHREAD_FOREVER ? us : us / 1000;
}

static uint64_t collapsed(const struct bench *b)
{
	struct mm_khugepaged_info info;

	mm_khugepaged_info(b->mm, &info);
	return info.pages_collapsed;
}

static struct mm_space_info info_of(const struct bench *b)
{
	struct mm_space_info info;

	mm_space_info(b->mm, b->space, &info);
	return info;
}

/* 512 copies, 512 pages free; the table is laid aside, so there are as many. */
Test(khugepaged, single_pages_become_a_huge_one)
{
	uint64_t tables, freed = 0;
	struct bench b;

	set_up(&b, 1);
	store(&b, 0, 0, 512);
	tables = info_of(&b).tables;
	cr_expect_eq(run(&b), 10000);
	cr_expect_eq(collapsed(&b), 1);
	cr_expect_eq(count_work(&b.rec, MM_SITE_COPY), 512);
	for (size_t i = 0; i < count_records(&b.rec, REC_EVENT); i++) {
		const struct mm_event *ev = &nth_record(&b.rec, REC_EVENT, i)->event;

		freed += ev->type == MM_EVENT_PAGE_FREE;
		if (ev->type == MM_EVENT_PAGE_ALLOC)
			cr_expect(ev->order == 9 && ev->gfp == GFP_TRANSHUGE && ev->nid == 0,
				  "order %u gfp 0x%x node %d", ev->order, ev->gfp, ev->nid);
	}
	cr_expect_eq(freed, 512);
	cr_expect_eq(info_of(&b).huge, 1);
	cr_expect_eq(info_of(&b).anon, 512);
	cr_expect_eq(info_of(&b).tables, tables);
	cr_expect_eq(mm_vm_event(b.mm, MM_VM_THP_COLLAPSE_ALLOC), 1);
	run(&b);
	cr_expect_eq(collapsed(&b), 1, "there is nothing more");
	tear_down(&b);
}

Test(khugepaged, so_many_may_be_missing)
{
	struct bench b;

	set_up(&b, 1);
	b.mm->params.khugepaged.max_ptes_none = 10;
	store(&b, 0, 0, 501);
	run(&b);
	cr_expect_eq(collapsed(&b), 0, "11 are missing");
	cr_expect_eq(mm_vm_event(b.mm, MM_VM_THP_COLLAPSE_ALLOC), 0);
	store(&b, 0, 501, 1);
	run(&b);
	cr_expect_eq(collapsed(&b), 1);
	cr_expect_eq(count_work(&b.rec, MM_SITE_COPY), 502);
	cr_expect_eq(count_work(&b.rec, MM_SITE_ZERO), 10);
	tear_down(&b);
}

/* 1024 pages are two places; the third is next time's, and then it begins again. */
Test(khugepaged, a_scan_has_an_end)
{
	struct mm_khugepaged_info info;
	struct bench b;

	set_up(&b, 3);
	store(&b, 0, 0, 3 * 512);
	b.mm->params.khugepaged.pages_to_scan = 1024;
	run(&b);
	cr_expect_eq(collapsed(&b), 2);
	run(&b);
	cr_expect_eq(collapsed(&b), 3);
	mm_khugepaged_info(b.mm, &info);
	cr_expect_eq(info.full_scans, 1);
	tear_down(&b);
}

/* Most of them are on node 1, where CPU 1 is. */
Test(khugepaged, it_goes_where_most_pages_are)
{
	struct bench b;

	set_up(&b, 1);
	store(&b, 0, 0, 200);
	store(&b, 1, 200, 312);
	run(&b);
	cr_expect_eq(mm_anon_huge_pages(b.mm, 1), 1);
	cr_expect_eq(mm_anon_huge_pages(b.mm, 0), 0);
	tear_down(&b);
}

/* As many on either: the first one has no huge page left, the other one has. */
Test(khugepaged, nodes_with_as_many_pages_are_as_good)
{
	struct bench b;

	set_up(&b, 1);
	store(&b, 0, 0, 256);
	store(&b, 1, 256, 256);
	while (alloc_on(b.mm, 0, 0, 9, GFP_TRANSHUGE_LIGHT | __GFP_THISNODE))
		;
	run(&b);
	cr_expect_eq(mm_anon_huge_pages(b.mm, 1), 1);
	tear_down(&b);
}

/* Who shares them keeps his; more than 256 shared ones are too many. */
Test(khugepaged, shared_pages_are_copied)
{
	struct mm_space *child;
	struct bench b;

	set_up(&b, 1);
	store(&b, 0, 0, 512);
	cr_assert_eq(mm_space_fork(b.mm, 0, b.space, "child", &child), 0);
	store(&b, 0, 0, 255);
	run(&b);
	cr_expect_eq(collapsed(&b), 0, "257 are shared, and of the child all");
	store(&b, 0, 255, 1);
	run(&b);
	cr_expect_eq(collapsed(&b), 1);
	cr_expect_eq(info_of(&b).huge, 1);
	mm_space_exit(b.mm, 0, child);
	tear_down(&b);
}

/* Of 512 pages that were stored to as many are in swap as it has places, after some passes. */
static void swap_out(struct bench *b, uint64_t places, int passes)
{
	struct mm_scan sc = {.cpu = 0,
			     .kswapd = true,
			     .gfp = GFP_KERNEL,
			     .reclaim_idx = 3,
			     .nr_to_reclaim = 1000,
			     .may_unmap = true,
			     .may_swap = true,
			     .may_writepage = true};

	mm_set_swap(b->mm, places);
	store(b, 0, 0, 512);
	for (int i = 0; i < passes; i++)
		mm_shrink_node(b->mm, &b->mm->nodes[0], &sc);
}

/* 64 may be in swap, and are read back. */
Test(khugepaged, swapped_pages_come_back)
{
	struct bench b;

	set_up(&b, 1);
	swap_out(&b, 40, 3);
	cr_assert_eq(info_of(&b).swapped, 40);
	run(&b);
	cr_expect_eq(collapsed(&b), 0, "nobody uses them");
	store(&b, 0, 100, 400);
	cr_assert(info_of(&b).swapped > 20, "%lu", info_of(&b).swapped);
	run(&b);
	cr_expect_eq(collapsed(&b), 1);
	cr_expect_eq(mm_swap_free_pages(b.mm), 40);
	tear_down(&b);
}

Test(khugepaged, without_a_huge_page_it_sleeps_longer)
{
	struct bench b;

	set_up(&b, 1);
	store(&b, 0, 0, 512);
	for (int n = 0; n < 2; n++)
		while (alloc_on(b.mm, 0, n, 9, GFP_TRANSHUGE_LIGHT | __GFP_THISNODE))
			;
	cr_expect_eq(run(&b), 60000);
	cr_expect_eq(mm_vm_event(b.mm, MM_VM_THP_COLLAPSE_ALLOC_FAILED), 1);
	cr_expect_eq(collapsed(&b), 0);
	tear_down(&b);
}

Test(khugepaged, only_where_huge_pages_are_wanted)
{
	struct bench b;

	set_up(&b, 1);
	store(&b, 0, 0, 512);
	b.mm->params.thp = MM_THP_MADVISE;
	run(&b);
	cr_expect_eq(collapsed(&b), 0);
	b.mm->params.thp = MM_THP_NEVER;
	cr_expect_eq(run(&b), MM_KTHREAD_FOREVER);
	tear_down(&b);
}

static int advise(struct bench *b, uint64_t from, uint64_t bytes, enum mm_advice advice)
{
	int err;

	record_from_here(&b->rec);
	err = mm_madvise(b->mm, 0, b->space, b->at + from, bytes, advice);
	must_verify(b->mm, "after madvise()");
	return err;
}

/*
 * Neither `enabled` nor khugepaged's own settings count: one page of 512 is there, and nobody has
 * used it of late. It is not khugepaged that has done it.
 */
Test(collapse, whatever_the_settings_are)
{
	struct bench b;

	set_up(&b, 2);
	b.mm->params.thp = MM_THP_NEVER;
	b.mm->params.khugepaged.max_ptes_none = 0;
	b.mm->params.khugepaged.max_ptes_shared = 0;
	store(&b, 0, 0, 1);
	store(&b, 0, 512, 512);
	cr_expect_eq(advise(&b, 0, 4 * MiB, MM_ADVICE_COLLAPSE), 0);
	cr_expect_eq(info_of(&b).huge, 2);
	cr_expect_eq(count_work(&b.rec, MM_SITE_COPY), 513);
	cr_expect_eq(count_work(&b.rec, MM_SITE_ZERO), 511);
	cr_expect_eq(mm_vm_event(b.mm, MM_VM_THP_COLLAPSE_ALLOC), 2);
	cr_expect_eq(collapsed(&b), 0);
	cr_expect_eq(advise(&b, 0, 4 * MiB, MM_ADVICE_COLLAPSE), 0, "they are huge already");
	cr_expect_eq(count_work(&b.rec, MM_SITE_COPY), 0);
	tear_down(&b);
}

/* It asks as hard as madvise() does in faults, whatever `defrag` says. */
Test(collapse, allocates_with_gfp_transhuge)
{
	struct bench b;
	unsigned nr = 0;

	set_up(&b, 1);
	b.mm->params.khugepaged.defrag = false;
	b.mm->params.thp_defrag = MM_DEFRAG_NEVER;
	store(&b, 0, 0, 512);
	cr_expect_eq(advise(&b, 0, 2 * MiB, MM_ADVICE_COLLAPSE), 0);
	for (size_t i = 0; i < count_records(&b.rec, REC_EVENT); i++) {
		const struct mm_event *ev = &nth_record(&b.rec, REC_EVENT, i)->event;

		if (ev->type != MM_EVENT_PAGE_ALLOC)
			continue;
		nr++;
		cr_expect(ev->order == 9 && ev->gfp == GFP_TRANSHUGE);
	}
	cr_expect_eq(nr, 1);
	tear_down(&b);
}

/* NOHUGEPAGE is no setting of the machine; HUGEPAGE takes it back. */
Test(collapse, not_where_the_task_refused)
{
	struct bench b;

	set_up(&b, 2);
	store(&b, 0, 0, 1024);
	cr_expect_eq(advise(&b, 0, 2 * MiB, MM_ADVICE_NOHUGEPAGE), 0);
	cr_expect_eq(advise(&b, 0, 2 * MiB, MM_ADVICE_COLLAPSE), -EINVAL);
	cr_expect_eq(advise(&b, 2 * MiB, 2 * MiB, MM_ADVICE_COLLAPSE), 0);
	cr_expect_eq(info_of(&b).huge, 1);
	cr_expect_eq(advise(&b, 0, 2 * MiB, MM_ADVICE_HUGEPAGE), 0);
	cr_expect_eq(advise(&b, 0, 2 * MiB, MM_ADVICE_COLLAPSE), 0);
	cr_expect_eq(info_of(&b).huge, 2);
	tear_down(&b);
}

/* What cannot be one does not keep those behind it from becoming one. */
Test(collapse, the_others_are_collapsed_all_the_same)
{
	struct bench b;

	set_up(&b, 3); /* of the second only zero pages are mapped */
	store(&b, 0, 0, 512);
	store(&b, 0, 1024, 512);
	cr_expect_eq(advise(&b, 0, 6 * MiB, MM_ADVICE_COLLAPSE), -EINVAL);
	cr_expect_eq(info_of(&b).huge, 2);
	tear_down(&b);
}

/* Only whole places: an empty part is done at once, less than one between two is none. */
Test(collapse, parts_of_places_are_none)
{
	struct bench b;

	set_up(&b, 2);
	store(&b, 0, 0, 1024);
	cr_expect_eq(advise(&b, 0, 0, MM_ADVICE_COLLAPSE), 0);
	cr_expect_eq(advise(&b, 0, MiB, MM_ADVICE_COLLAPSE), 0, "from 0 to 0 there are none");
	cr_expect_eq(advise(&b, 64 * PAGE, MiB, MM_ADVICE_COLLAPSE), -EINVAL);
	cr_expect_eq(advise(&b, 1, 2 * MiB, MM_ADVICE_COLLAPSE), -EINVAL);
	cr_expect_eq(info_of(&b).huge, 0);
	cr_expect_eq(advise(&b, MiB, 3 * MiB, MM_ADVICE_COLLAPSE), 0);
	cr_expect_eq(info_of(&b).huge, 1);
	tear_down(&b);
}

/* A range without pages of its own has none, and one that is too small no room. */
Test(collapse, ranges_without_pages_or_room)
{
	const struct mm_mmap_args small = {.bytes = MiB};
	struct bench b;
	uint64_t at;
	phys_addr_t phys;

	set_up(&b, 1);
	cr_expect_eq(advise(&b, 0, 2 * MiB, MM_ADVICE_COLLAPSE), -EINVAL, "zero pages only");
	cr_assert_eq(mm_mmap(b.mm, 0, b.space, &small, &at), 0);
	mm_user_access(b.mm, 0, b.space, at, true, &phys);
	cr_expect_eq(mm_madvise(b.mm, 0, b.space, at, MiB, MM_ADVICE_COLLAPSE), -EINVAL);
	tear_down(&b);
}

/* What is mapped behind a hole is done, and the hole is told. */
Test(collapse, a_hole_is_told_at_the_end)
{
	struct bench b;

	set_up(&b, 3);
	store(&b, 0, 0, 3 * 512);
	cr_assert_eq(mm_munmap(b.mm, 0, b.space, b.at + 2 * MiB, 2 * MiB), 0);
	cr_expect_eq(advise(&b, 0, 6 * MiB, MM_ADVICE_COLLAPSE), -ENOMEM);
	cr_expect_eq(info_of(&b).huge, 2);
	tear_down(&b);
}

/* The kernel has a hold of one page, as for I/O: later it may be done. */
Test(collapse, held_pages_are_for_later)
{
	struct bench b;
	struct page *p;
	phys_addr_t phys;

	set_up(&b, 1);
	store(&b, 0, 0, 512);
	cr_assert_geq(mm_user_access(b.mm, 0, b.space, b.at + 7 * PAGE, false, &phys), 0);
	p = b.mm->model->pfn_to_page(b.mm, MM_NO_CPU, phys / PAGE);
	p->refcount++;
	cr_expect_eq(mm_madvise(b.mm, 0, b.space, b.at, 2 * MiB, MM_ADVICE_COLLAPSE), -EAGAIN);
	p->refcount--;
	cr_expect_eq(advise(&b, 0, 2 * MiB, MM_ADVICE_COLLAPSE), 0);
	tear_down(&b);
}

/* Nowhere is a huge page: the first place ends it. */
Test(collapse, without_a_huge_page_it_ends)
{
	struct bench b;

	set_up(&b, 2);
	store(&b, 0, 0, 1024);
	for (int n = 0; n < 2; n++)
		while (alloc_on(b.mm, 0, n, 9, GFP_TRANSHUGE_LIGHT | __GFP_THISNODE))
			;
	cr_expect_eq(advise(&b, 0, 4 * MiB, MM_ADVICE_COLLAPSE), -ENOMEM);
	cr_expect_eq(mm_vm_event(b.mm, MM_VM_THP_COLLAPSE_ALLOC_FAILED), 1);
	tear_down(&b);
}

/* All of it is in swap but a page, and is read back: nobody has to have used it. */
Test(collapse, swapped_pages_come_back)
{
	struct bench b;

	set_up(&b, 1);
	swap_out(&b, 300, 6);
	cr_assert(info_of(&b).swapped > 64, "%lu", info_of(&b).swapped);
	cr_expect_eq(advise(&b, 0, 2 * MiB, MM_ADVICE_COLLAPSE), 0);
	cr_expect_eq(info_of(&b).huge, 1);
	cr_expect_eq(info_of(&b).swapped, 0);
	tear_down(&b);
}

/* What is locked in memory stays so. */
Test(khugepaged, locked_memory_stays_locked)
{
	struct bench b;

	set_up(&b, 1);
	cr_assert_eq(mm_mlock(b.mm, 0, b.space, b.at, 2 * MiB, true), 0);
	store(&b, 0, 0, 512);
	run(&b);
	cr_expect_eq(collapsed(&b), 1);
	cr_expect_eq(info_of(&b).locked, 512);
	tear_down(&b);
}
