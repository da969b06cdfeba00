/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of an address space: what splits, what merges, and whose turn a page is. */
#include <criterion/criterion.h>

#include "sim/policy/vmas.h"

#define PAGE UINT64_C(4096)

static void map(struct vmas **m, uint64_t start, uint64_t pages)
{
	const struct vma vma = {
		.start = start * PAGE,
		.end = (start + pages) * PAGE,
		.pgoff = start,
		.private_anon = true,
	};

	cr_assert_eq(vmas_map(m, &vma), 0);
}

static void set_policy(struct vma *vma, void *arg)
{
	vma->policy = *(const uint16_t *)arg;
}

static void bind(struct vmas **m, uint64_t start, uint64_t pages, uint16_t policy)
{
	cr_assert_eq(vmas_change(m, start * PAGE, (start + pages) * PAGE, set_policy, &policy), 0);
}

/* The range of page `at` is [start, start + pages) with that policy. */
static void must_be(const struct vmas *m, uint64_t at, uint64_t start, uint64_t pages,
		    uint16_t policy)
{
	const struct vma *vma = vmas_find(m, at * PAGE);

	cr_assert_not_null(vma, "page %lu", (unsigned long)at);
	cr_expect_eq(vma->start, start * PAGE, "page %lu: from page %lu", (unsigned long)at,
		     (unsigned long)(vma->start / PAGE));
	cr_expect_eq(vma->end, (start + pages) * PAGE, "page %lu: up to page %lu",
		     (unsigned long)at, (unsigned long)(vma->end / PAGE));
	cr_expect_eq(vma->policy, policy);
	cr_expect_eq(vma->pgoff, start);
}

Test(vmas, neighbours_merge_and_policies_split)
{
	struct vmas *m = vmas_new();

	map(&m, 100, 10);
	map(&m, 90, 10);
	must_be(m, 95, 90, 20, 0);
	bind(&m, 95, 5, 3);
	must_be(m, 94, 90, 5, 0);
	must_be(m, 95, 95, 5, 3);
	must_be(m, 100, 100, 10, 0);
	bind(&m, 95, 5, 0);
	must_be(m, 100, 90, 20, 0);
	vmas_unmap(&m, 92 * PAGE, 108 * PAGE);
	must_be(m, 90, 90, 2, 0);
	cr_expect_null(vmas_find(m, 92 * PAGE));
	cr_expect_null(vmas_find(m, 107 * PAGE));
	must_be(m, 108, 108, 2, 0);
	vmas_put(m);
}

/* mbind() over a hole that the trace never saw mapped: it must have been there. */
Test(vmas, policies_reach_what_no_trace_told)
{
	struct vmas *m = vmas_new();

	map(&m, 10, 2);
	map(&m, 14, 2);
	bind(&m, 8, 10, 1);
	must_be(m, 8, 8, 10, 1);
	bind(&m, 30, 1, 2);
	must_be(m, 30, 30, 1, 2);
	cr_expect_null(vmas_find(m, 29 * PAGE));
	vmas_put(m);
}

Test(vmas, a_fork_has_its_own_from_the_first_change)
{
	struct vmas *parent = vmas_new(), *child;

	map(&parent, 10, 4);
	child = vmas_share(parent);
	bind(&child, 10, 4, 5);
	must_be(parent, 10, 10, 4, 0);
	must_be(child, 10, 10, 4, 5);
	vmas_put(parent);
	must_be(child, 10, 10, 4, 5);
	vmas_put(child);
}

/* Offsets move along where pages had been, and start anew where there had been none. */
Test(vmas, mremap_keeps_the_offset_of_what_was_touched)
{
	struct vmas *m = vmas_new();

	map(&m, 101, 4);
	map(&m, 201, 4);
	cr_assert_eq(vmas_touch(&m, 102 * PAGE), 0);
	vmas_move(&m, 101 * PAGE, 4 * PAGE, 1000 * PAGE, 8 * PAGE, false);
	vmas_move(&m, 201 * PAGE, 4 * PAGE, 2000 * PAGE, 2 * PAGE, false);
	cr_expect_null(vmas_find(m, 101 * PAGE));
	cr_expect_eq(vma_turn(vmas_find(m, 1000 * PAGE), 1000 * PAGE, 0), 101);
	cr_expect_eq(vma_turn(vmas_find(m, 1007 * PAGE), 1007 * PAGE, 0), 108);
	cr_expect_eq(vma_turn(vmas_find(m, 2001 * PAGE), 2001 * PAGE, 0), 2001);
	cr_expect_null(vmas_find(m, 2002 * PAGE));
	vmas_put(m);
}

/*
 * 2 MiB blocks of a range from page 512 * 3 on count 3, 4, ...; of one from page 512 * 3 + 1 on,
 * whose first whole block is at 512 * 4, too: (1537 >> 9) + ((2048 - 1537) >> 9) = 3 + 0.
 */
Test(vmas, turns_of_huge_pages_count_from_the_beginning_of_the_range)
{
	struct vmas *m = vmas_new();

	map(&m, 512 * 3, 2048);
	cr_expect_eq(vma_turn(vmas_find(m, 512 * 4 * PAGE), (512 * 4 + 7) * PAGE, 9), 4);
	cr_expect_eq(vma_turn(vmas_find(m, 512 * 4 * PAGE), (512 * 4 + 7) * PAGE, 0), 512 * 4 + 7);
	vmas_unmap(&m, 512 * 3 * PAGE, (512 * 3 + 1) * PAGE);
	cr_expect_eq(vma_turn(vmas_find(m, 512 * 4 * PAGE), 512 * 4 * PAGE, 9), 3);
	cr_expect_eq(vma_turn(NULL, UINT64_C(0x7fffffffe) * PAGE, 0), 0xfffffffe);
	vmas_put(m);
}
