/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults on anonymous memory: what they allocate, in which order and with which flags. The orders
 * and flags are those of the reference captures of touching memory with transparent huge pages. The
 * first fault of a space on x86_64 makes two tables between the topmost and what maps pages.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "../mm_fixture.h"
#include "mm/gfp.h"
#include "mm/huge/hugetlb.h"
#include "mm/huge/thp.h"
#include "mm/user/user.h"
#include "mm/vm_event.h"

#define TABLE_GFP (GFP_KERNEL_ACCOUNT | __GFP_ZERO)
#define PAGE_GFP  (GFP_HIGHUSER_MOVABLE | __GFP_COMP | __GFP_ZERO)
#define HERE      (__GFP_THISNODE | __GFP_NORETRY)

static const struct machine two = {
	.model = MM_SPARSE,
	.memory = {{0, 64 * MiB, 0}, {64 * MiB, 64 * MiB, 1}},
	.cpus = {1, 1},
};

static struct mm *boot_thp(struct recorder *rec, enum mm_thp_mode mode, enum mm_thp_defrag defrag)
{
	struct mm *mm = boot_recorded(&two, rec);

	mm->params.thp = mode;
	mm->params.thp_defrag = defrag;
	record_from_here(rec);
	return mm;
}

struct expected {
	unsigned order;
	gfp_t gfp;
	int nid; /* MM_NO_NODE: it failed */
};

/* The allocations since record_from_here(), all of them. */
static void must_have_allocated(const struct recorder *rec, const struct expected *want, size_t nr)
{
	size_t seen = 0;

	for (size_t i = 0; i < count_records(rec, REC_EVENT); i++) {
		const struct mm_event *ev = &nth_record(rec, REC_EVENT, i)->event;

		if (ev->type != MM_EVENT_PAGE_ALLOC)
			continue;
		cr_assert_lt(seen, nr, "more than %zu allocations", nr);
		cr_assert(ev->order == want[seen].order && ev->gfp == want[seen].gfp &&
				  (ev->page ? ev->nid : MM_NO_NODE) == want[seen].nid,
			  "allocation %zu: order %u gfp 0x%x node %d", seen, ev->order, ev->gfp,
			  ev->nid);
		seen++;
	}
	cr_assert_eq(seen, nr, "%zu allocations, not %zu", seen, nr);
}

#define MUST_HAVE_ALLOCATED(rec, ...)                                                              \
	must_have_allocated(rec, (const struct expected[]){__VA_ARGS__},                           \
			    sizeof((const struct expected[]){__VA_ARGS__}) /                       \
				    sizeof(struct expected))

#define UPPER                                                                                      \
	{0, TABLE_GFP, 0},                                                                         \
	{                                                                                          \
		0, TABLE_GFP, 0                                                                    \
	}

/* A space with one range. */
struct task {
	struct mm_space *space;
	uint64_t at;
};

static struct task task_of(struct mm *mm, struct recorder *rec, const struct mm_mmap_args *args)
{
	struct task t;

	cr_assert_eq(mm_space_new(mm, 0, "a", NULL, &t.space), 0);
	cr_assert_eq(mm_mmap(mm, 0, t.space, args, &t.at), 0);
	if (rec)
		record_from_here(rec);
	return t;
}

/* A store to a page of its range. An enum mm_user_result or an error. */
static int store(struct mm *mm, const struct task *t, uint64_t page, phys_addr_t *at)
{
	phys_addr_t phys;

	return mm_user_access(mm, 0, t->space, t->at + page * 4 * KiB, true, at ? at : &phys);
}

static struct mm_space_info info_of(const struct mm *mm, const struct task *t)
{
	struct mm_space_info info;

	mm_space_info(mm, t->space, &info);
	return info;
}

static int nid_of(struct mm *mm, phys_addr_t at)
{
	return mm_page_to_nid(mm, mm_pfn_to_page(mm, MM_NO_CPU, at >> 12));
}

/* Take all huge pages of a node. */
static void exhaust(struct mm *mm, int nid)
{
	while (alloc_on(mm, 0, nid, 9, GFP_TRANSHUGE_LIGHT | __GFP_THISNODE))
		;
}

Test(fault, huge_page_then_its_table)
{
	struct recorder rec = {0};
	struct mm *mm = boot_thp(&rec, MM_THP_ALWAYS, MM_DEFRAG_MADVISE);
	struct task t = task_of(mm, &rec, &(struct mm_mmap_args){.bytes = 2 * MiB});
	phys_addr_t first, seventh;
	uint64_t zeroed = 0;

	cr_assert_eq(store(mm, &t, 5, &first), MM_USER_HUGE);
	MUST_HAVE_ALLOCATED(&rec, UPPER, {9, GFP_TRANSHUGE_LIGHT | HERE, 0}, {0, TABLE_GFP, 0});
	for (size_t i = 0; i < count_records(&rec, REC_ACCESS); i++)
		if (nth_record(&rec, REC_ACCESS, i)->how == MM_ZERO)
			zeroed += nth_record(&rec, REC_ACCESS, i)->bytes;
	cr_expect_eq(zeroed, 2 * MiB + 3 * 4 * KiB, "the page and the tables");
	cr_expect_eq(store(mm, &t, 7, &seventh), MM_USER_PRESENT);
	cr_expect_eq(seventh - first, 2 * 4 * KiB);
	cr_expect_eq(mm_anon_huge_pages(mm, 0), 1);
	/* All 512 pages are there now. */
	cr_expect_eq(store(mm, &t, 511, NULL), MM_USER_PRESENT);
	must_verify(mm, "mapped");
	mm_space_exit(mm, 0, t.space);
	cr_expect_eq(mm_anon_huge_pages(mm, MM_NO_NODE), 0);
	must_verify(mm, "unmapped");
	mm_destroy(mm);
	free(rec.records);
}

/* The table comes once, and with it no huge page is tried any more. */
Test(fault, single_pages_where_there_is_no_huge_one)
{
	struct recorder rec = {0};
	struct mm *mm = boot_thp(&rec, MM_THP_ALWAYS, MM_DEFRAG_MADVISE);
	struct task t = task_of(mm, &rec, &(struct mm_mmap_args){.bytes = 2 * MiB});

	exhaust(mm, 0);
	record_from_here(&rec);
	cr_assert_eq(store(mm, &t, 3, NULL), MM_USER_SMALL);
	cr_assert_eq(store(mm, &t, 9, NULL), MM_USER_SMALL);
	cr_assert_eq(store(mm, &t, 3, NULL), MM_USER_PRESENT);
	MUST_HAVE_ALLOCATED(&rec, UPPER, {9, GFP_TRANSHUGE_LIGHT | HERE, MM_NO_NODE},
			    {0, TABLE_GFP, 0}, {0, PAGE_GFP, 0}, {0, PAGE_GFP, 0});
	cr_expect_eq(mm_vm_event(mm, MM_VM_THP_FAULT_FALLBACK), 1);
	cr_expect_eq(info_of(mm, &t).fallback, 1);
	cr_expect_eq(mm_vm_event(mm, MM_VM_PGFAULT), 2);
	mm_space_exit(mm, 0, t.space);
	must_verify(mm, "unmapped");
	mm_destroy(mm);
	free(rec.records);
}

/* Where the fault may wait, a second attempt follows on all nodes. */
Test(fault, advised_memory_may_come_from_another_node)
{
	struct recorder rec = {0};
	struct mm *mm = boot_thp(&rec, MM_THP_MADVISE, MM_DEFRAG_MADVISE);
	struct task t =
		task_of(mm, &rec, &(struct mm_mmap_args){.bytes = 2 * MiB, .advised = true});

	exhaust(mm, 0);
	record_from_here(&rec);
	cr_assert_eq(store(mm, &t, 0, NULL), MM_USER_HUGE);
	MUST_HAVE_ALLOCATED(&rec, UPPER, {9, GFP_TRANSHUGE | HERE, MM_NO_NODE},
			    {9, GFP_TRANSHUGE, 1}, {0, TABLE_GFP, 0});
	mm_space_exit(mm, 0, t.space);
	mm_destroy(mm);
	free(rec.records);
}

Test(fault, whether_a_huge_page_is_tried)
{
	static const struct {
		enum mm_thp_mode mode;
		bool advised, refused, whole, huge;
	} cases[] = {
		{MM_THP_ALWAYS, false, false, true, true},
		{MM_THP_ALWAYS, false, false, false, false},
		{MM_THP_ALWAYS, false, true, true, false},
		{MM_THP_ALWAYS, true, false, false, false},
		{MM_THP_MADVISE, false, false, true, false},
		{MM_THP_MADVISE, true, false, true, true},
		{MM_THP_NEVER, false, false, true, false},
		{MM_THP_NEVER, true, false, true, false},
	};
	struct mm *mm = boot(&two);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct mm_mmap_args args = {.bytes = cases[i].whole ? 2 * MiB : 1 * MiB,
						  .advised = cases[i].advised,
						  .refused = cases[i].refused};
		struct task t = task_of(mm, NULL, &args);

		mm->params.thp = cases[i].mode;
		cr_expect_eq(store(mm, &t, 0, NULL), cases[i].huge ? MM_USER_HUGE : MM_USER_SMALL,
			     "case %zu", i);
		mm_space_exit(mm, 0, t.space);
	}
	must_verify(mm, "all gone");
	mm_destroy(mm);
}

/* The kernel's table: Documentation/admin-guide/mm/transhuge.rst. */
Test(fault, flags_by_defrag)
{
	const gfp_t light = GFP_TRANSHUGE_LIGHT, wait = __GFP_DIRECT_RECLAIM;
	const gfp_t wake = __GFP_KSWAPD_RECLAIM;
	const struct {
		enum mm_thp_defrag defrag;
		gfp_t plain, advised;
	} cases[] = {
		{MM_DEFRAG_NEVER, light, light},
		{MM_DEFRAG_MADVISE, light, light | wait},
		{MM_DEFRAG_DEFER_MADVISE, light | wake, light | wait},
		{MM_DEFRAG_DEFER, light | wake, light | wake},
		{MM_DEFRAG_ALWAYS, light | wait | __GFP_NORETRY, light | wait},
	};
	struct mm *mm = boot(&two);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		mm->params.thp_defrag = cases[i].defrag;
		cr_expect_eq(mm_thp_gfp(mm, false), cases[i].plain, "case %zu", i);
		cr_expect_eq(mm_thp_gfp(mm, true), cases[i].advised, "case %zu", i);
	}
	mm_destroy(mm);
}

/* By the address: in huge pages, and in single ones. Tables follow the task's policy. */
Test(fault, interleaving_goes_by_the_address)
{
	const struct mm_policy in_turn = {
		.mode = MM_POLICY_INTERLEAVE, .home_nid = MM_NO_NODE, .nodes.bits = {3}};
	const struct mm_mmap_args args = {.bytes = 4 * MiB, .policy = &in_turn};
	struct recorder rec = {0};
	struct mm *mm = boot_thp(&rec, MM_THP_ALWAYS, MM_DEFRAG_MADVISE);
	struct task t = task_of(mm, &rec, &args);
	phys_addr_t at;

	for (uint32_t i = 0; i < 2; i++) {
		cr_assert_eq(store(mm, &t, i * UINT64_C(512), &at), MM_USER_HUGE);
		cr_expect_eq(nid_of(mm, at), (int)(((t.at >> 21) + i) % 2));
	}
	for (size_t i = 0; i < count_records(&rec, REC_EVENT); i++) {
		const struct mm_event *ev = &nth_record(&rec, REC_EVENT, i)->event;

		if (ev->type == MM_EVENT_PAGE_ALLOC && ev->order == 0)
			cr_expect_eq(ev->nid, 0, "a table");
	}
	mm_space_exit(mm, 0, t.space);
	mm->params.thp = MM_THP_NEVER;
	t = task_of(mm, NULL, &args);
	for (uint32_t i = 0; i < 4; i++) {
		cr_assert_eq(store(mm, &t, 512 + i, &at), MM_USER_SMALL);
		cr_expect_eq(nid_of(mm, at), (int)(((t.at >> 12) + i) % 2));
	}
	mm_space_exit(mm, 0, t.space);
	must_verify(mm, "all gone");
	mm_destroy(mm);
	free(rec.records);
}

/* What was not set apart has the pool's pages as long as there are any that nobody has reserved. */
Test(fault, pages_of_the_pool)
{
	const struct mm_mmap_args reserved = {.bytes = 2 * MiB, .hugetlb = true};
	const struct mm_mmap_args unreserved = {
		.bytes = 4 * MiB, .hugetlb = true, .noreserve = true};
	struct mm *mm = boot(&two);
	struct mm_hugetlb_info info;
	struct task has, has_not;

	mm_hugetlb_resize(mm, 0, 0, MM_NO_NODE, NULL, 2);
	has = task_of(mm, NULL, &reserved);
	has_not = task_of(mm, NULL, &unreserved);
	cr_assert_eq(store(mm, &has_not, 0, NULL), MM_USER_HUGE);
	cr_assert_eq(store(mm, &has_not, 512, NULL), -ENOMEM);
	cr_assert_eq(store(mm, &has, 0, NULL), MM_USER_HUGE);
	cr_expect_eq(mm_anon_huge_pages(mm, MM_NO_NODE), 0);
	must_verify(mm, "mapped");
	mm_space_exit(mm, 0, has.space);
	mm_space_exit(mm, 0, has_not.space);
	mm_hugetlb_info(mm, 0, MM_NO_NODE, &info);
	cr_expect(info.total == 2 && info.free == 2 && info.reserved == 0);
	must_verify(mm, "unmapped");
	mm_destroy(mm);
}
