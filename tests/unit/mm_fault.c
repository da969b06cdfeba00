/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults on anonymous memory: what they allocate, in which order and with which flags. The orders
 * and flags are those of the reference captures of touching memory with transparent huge pages.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "../mm_fixture.h"
#include "mm/gfp.h"
#include "mm/huge/hugetlb.h"
#include "mm/huge/thp.h"
#include "mm/user/fault.h"
#include "mm/vm_event.h"

#define PAGE_GFP (GFP_HIGHUSER_MOVABLE | __GFP_COMP | __GFP_ZERO)
#define HERE     (__GFP_THISNODE | __GFP_NORETRY)

static const struct machine two = {
	.model = MM_SPARSE,
	.memory = {{0, 64 * MiB, 0}, {64 * MiB, 64 * MiB, 1}},
	.cpus = {1, 1},
};

static const struct mm_policy by_default = {.home_nid = MM_NO_NODE};

static struct mm_fault at(uint32_t offset)
{
	return (struct mm_fault){.policy = &by_default,
				 .offset = offset,
				 .tables = {.policy = &by_default},
				 .whole = true};
}

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

static int fault(struct mm *mm, const struct mm_fault *f, struct mm_fault_range *range)
{
	bool tables;

	return mm_fault(mm, f, range, &tables);
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
	struct mm_fault_range range = {0};
	struct mm_fault f = at(5);
	uint64_t zeroed = 0;
	uint32_t index;

	cr_assert_eq(fault(mm, &f, &range), MM_FAULT_HUGE);
	MUST_HAVE_ALLOCATED(&rec, {9, GFP_TRANSHUGE_LIGHT | HERE, 0}, {0, MM_PAGE_TABLE_GFP, 0});
	for (size_t i = 0; i < count_records(&rec, REC_ACCESS); i++)
		if (nth_record(&rec, REC_ACCESS, i)->how == MM_ZERO)
			zeroed += nth_record(&rec, REC_ACCESS, i)->bytes;
	cr_expect_eq(zeroed, 2 * MiB + 4 * KiB, "the page and the table");
	cr_expect_eq(mm_fault_page(mm, &range, 7, &index), range.huge);
	cr_expect_eq(index, 7);
	cr_expect_eq(mm_anon_huge_pages(mm, 0), 1);
	/* All 512 pages are there now. */
	f.offset = 511;
	cr_expect_eq(fault(mm, &f, &range), MM_FAULT_PRESENT);
	must_verify(mm, "mapped");
	cr_expect_eq(mm_fault_unmap(mm, 0, &range), 2);
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
	struct mm_fault_range range = {0};
	struct mm_fault f = at(512 + 3), again = at(512 + 9);
	uint32_t index;

	exhaust(mm, 0);
	record_from_here(&rec);
	cr_assert_eq(fault(mm, &f, &range), MM_FAULT_FALLBACK);
	cr_assert_eq(fault(mm, &again, &range), MM_FAULT_SMALL);
	cr_assert_eq(fault(mm, &f, &range), MM_FAULT_PRESENT);
	MUST_HAVE_ALLOCATED(&rec, {9, GFP_TRANSHUGE_LIGHT | HERE, MM_NO_NODE},
			    {0, MM_PAGE_TABLE_GFP, 0}, {0, PAGE_GFP, 0}, {0, PAGE_GFP, 0});
	cr_expect_eq(mm_vm_event(mm, MM_VM_THP_FAULT_FALLBACK), 1);
	cr_expect_eq(mm_vm_event(mm, MM_VM_PGFAULT), 2);
	cr_expect_not_null(mm_fault_page(mm, &range, 512 + 9, &index));
	cr_expect_null(mm_fault_page(mm, &range, 512 + 8, &index));
	cr_expect_eq(mm_fault_unmap(mm, 0, &range), 3);
	must_verify(mm, "unmapped");
	mm_destroy(mm);
	free(rec.records);
}

/* Where the fault may wait, a second attempt follows on all nodes. */
Test(fault, advised_memory_may_come_from_another_node)
{
	struct recorder rec = {0};
	struct mm *mm = boot_thp(&rec, MM_THP_MADVISE, MM_DEFRAG_MADVISE);
	struct mm_fault_range range = {0};
	struct mm_fault f = at(0);

	exhaust(mm, 0);
	record_from_here(&rec);
	f.advised = true;
	cr_assert_eq(fault(mm, &f, &range), MM_FAULT_HUGE);
	MUST_HAVE_ALLOCATED(&rec, {9, GFP_TRANSHUGE | HERE, MM_NO_NODE}, {9, GFP_TRANSHUGE, 1},
			    {0, MM_PAGE_TABLE_GFP, 0});
	mm_fault_unmap(mm, 0, &range);
	mm_destroy(mm);
	free(rec.records);
}

Test(fault, whether_a_huge_page_is_tried)
{
	static const struct {
		enum mm_thp_mode mode;
		bool advised, whole, huge;
	} cases[] = {
		{MM_THP_ALWAYS, false, true, true},  {MM_THP_ALWAYS, false, false, false},
		{MM_THP_ALWAYS, true, false, false}, {MM_THP_MADVISE, false, true, false},
		{MM_THP_MADVISE, true, true, true},  {MM_THP_NEVER, false, true, false},
		{MM_THP_NEVER, true, true, false},
	};
	struct mm *mm = boot(&two);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mm_fault_range range = {0};
		struct mm_fault f = at(0);

		mm->params.thp = cases[i].mode;
		f.advised = cases[i].advised;
		f.whole = cases[i].whole;
		cr_expect_eq(fault(mm, &f, &range), cases[i].huge ? MM_FAULT_HUGE : MM_FAULT_SMALL,
			     "case %zu", i);
		mm_fault_unmap(mm, 0, &range);
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

/* Offset 512 is the second huge page and the 513th page: turns 1 and 512. */
Test(fault, interleaving_goes_by_the_offset)
{
	const struct mm_policy in_turn = {
		.mode = MM_POLICY_INTERLEAVE, .home_nid = MM_NO_NODE, .nodes.bits = {3}};
	struct mm *mm = boot(&two);
	struct mm_fault_range range = {0};
	struct mm_fault f = at(512);

	f.policy = &in_turn;
	cr_assert_eq(fault(mm, &f, &range), MM_FAULT_HUGE);
	cr_expect_eq(mm_page_to_nid(mm, range.huge), 1);
	cr_expect_eq(mm_page_to_nid(mm, range.table), 0, "the task's policy");
	mm_fault_unmap(mm, 0, &range);
	mm->params.thp = MM_THP_NEVER;
	for (uint32_t i = 0; i < 4; i++) {
		f.offset = 512 + i;
		cr_assert_eq(fault(mm, &f, &range), MM_FAULT_SMALL);
		cr_expect_eq(mm_page_to_nid(mm, range.pages[i]), (int)(i % 2));
	}
	mm_fault_unmap(mm, 0, &range);
	must_verify(mm, "all gone");
	mm_destroy(mm);
}

Test(fault, pages_of_the_pool)
{
	struct mm *mm = boot(&two);
	struct mm_fault_range ranges[2] = {{0}};
	struct mm_hugetlb_info info;
	struct mm_fault f = at(0);

	mm_hugetlb_resize(mm, 0, MM_NO_NODE, NULL, 1);
	cr_assert_eq(mm_hugetlb_reserve(mm, 0, 1), 0);
	f.hugetlb = f.reserved = true;
	cr_assert_eq(fault(mm, &f, &ranges[0]), MM_FAULT_HUGE);
	f.reserved = false;
	cr_assert_eq(fault(mm, &f, &ranges[1]), MM_FAULT_OOM);
	cr_expect_eq(mm_anon_huge_pages(mm, MM_NO_NODE), 0);
	must_verify(mm, "mapped");
	cr_expect_eq(mm_fault_unmap(mm, 0, &ranges[0]), 1);
	cr_expect_eq(mm_fault_unmap(mm, 0, &ranges[1]), 0);
	mm_hugetlb_info(mm, MM_NO_NODE, &info);
	cr_expect(info.total == 1 && info.free == 1 && info.reserved == 0);
	mm_destroy(mm);
}
