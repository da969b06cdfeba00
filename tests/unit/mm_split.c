/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks in use that become several: each part is freed by itself, and no figure changes. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "../mm_fixture.h"
#include "mm/compact/migrate.h"
#include "mm/huge/hugetlb.h"
#include "mm/reclaim/lru.h"
#include "mm/reclaim/lru_lists.h"

#define MOVABLE GFP_HIGHUSER_MOVABLE

static const struct machine small = {
	.model = MM_SPARSE_VMEMMAP,
	.memory = {{0, 64 * MiB, 0}},
	.cpus = {1},
	.min_free_kbytes = 512,
	.no_reserve = true,
	.exact_counts = true,
};

/* alloc_pages_exact() of five pages: the last three of eight go back at once. */
Test(split, parts_are_freed_by_themselves)
{
	struct mm *mm = boot(&small);
	uint64_t before = zone_info(mm, 0, 1).free;
	struct page *page = alloc(mm, 0, 3, GFP_KERNEL);

	cr_assert_eq(mm_split_page(mm, 0, page, 0), 0);
	must_verify(mm, "split");
	for (int i = 5; i < 8; i++)
		cr_assert_eq(mm_free_pages(mm, 0, page + i, 0), 0);
	drain_all(mm);
	cr_expect_eq(zone_info(mm, 0, 1).free, before - 5);
	must_verify(mm, "the rest given back");
	for (int i = 0; i < 5; i++)
		cr_assert_eq(mm_free_pages(mm, 0, page + i, 0), 0);
	drain_all(mm);
	cr_expect_eq(zone_info(mm, 0, 1).free, before);
	must_verify(mm, "all given back");
	mm_destroy(mm);
}

/* Into parts of any order below its own. */
Test(split, into_any_smaller_order)
{
	struct mm *mm = boot(&small);
	struct page *page = alloc(mm, 0, 5, GFP_KERNEL);

	cr_assert_eq(mm_split_page(mm, 0, page, 3), 0);
	cr_expect_eq(mm_free_pages(mm, 0, page, 5), -EINVAL);
	cr_assert_eq(mm_split_page(mm, 0, page + 8, 2), 0);
	cr_expect_eq(mm_free_pages(mm, 0, page, 3), 0);
	cr_expect_eq(mm_free_pages(mm, 0, page + 8, 2), 0);
	cr_expect_eq(mm_free_pages(mm, 0, page + 12, 2), 0);
	cr_expect_eq(mm_free_pages(mm, 0, page + 16, 3), 0);
	cr_expect_eq(mm_free_pages(mm, 0, page + 24, 3), 0);
	must_verify(mm, "given back");
	mm_destroy(mm);
}

/*
 * A huge page that reclaim follows: its 512 parts are on its list, as many pages as before, and the
 * first is nearest to the tail, where reclaim begins.
 */
Test(split, a_huge_page_stays_on_its_list)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&small, &rec);
	struct page *page = alloc(mm, 0, 9, GFP_TRANSHUGE), *other = alloc(mm, 0, 0, MOVABLE);
	const struct page_list *list = &mm->nodes[0].lru[MM_LRU_INACTIVE_ANON];
	const struct page *at;

	cr_assert_eq(mm_lru_add(mm, 0, page, MM_PAGE_ANON), 0);
	cr_assert_eq(mm_lru_add(mm, 0, other, MM_PAGE_ANON), 0);
	mm_lru_drain(mm, 0);
	cr_expect_eq(mm_lru_size(mm, 0, 1, MM_LRU_INACTIVE_ANON), 513);
	record_from_here(&rec);
	cr_assert_eq(mm_split_page(mm, 0, page, 0), 0);
	cr_expect_eq(count_records(&rec, REC_LOCK), 1);
	cr_expect_eq(count_work(&rec, MM_SITE_PREP_PAGE), 512);
	cr_expect_eq(mm_lru_size(mm, 0, 1, MM_LRU_INACTIVE_ANON), 513);
	cr_expect_eq(mm_vm_event(mm, MM_VM_THP_SPLIT_PAGE), 1);
	at = list->tail;
	for (int i = 0; i < 512; i++, at = at->prev)
		cr_assert_eq(at, page + i, "part %d", i);
	cr_expect_eq(at, other);
	must_verify(mm, "on its list");
	for (int i = 0; i < 512; i++)
		cr_assert_eq(mm_free_pages(mm, 0, page + i, 0), 0);
	cr_expect_eq(mm_lru_size(mm, 0, 1, MM_LRU_INACTIVE_ANON), 1);
	must_verify(mm, "gone");
	free(rec.records);
	mm_destroy(mm);
}

/* Not while somebody else holds it, nor of the pool, nor of what is no such block. */
Test(split, is_refused)
{
	struct mm *mm = boot(&small);
	struct page *page = alloc(mm, 0, 3, MOVABLE), *pool;
	const struct mm_policy policy = {.mode = MM_POLICY_DEFAULT};
	const struct mm_policy_use use = {.policy = &policy};

	cr_expect_eq(mm_split_page(mm, 0, page, 3), -EINVAL);
	cr_expect_eq(mm_split_page(mm, 0, page + 1, 0), -EINVAL);
	cr_assert_eq(mm_lru_add(mm, 0, page, MM_PAGE_FILE), 0);
	page->refcount++;
	cr_expect_eq(mm_split_page(mm, 0, page, 0), -EBUSY);
	page->refcount--;
	cr_expect_eq(mm_free_pages(mm, 0, page, 3), 0);
	cr_expect_eq(mm_split_page(mm, 0, page, 0), -EINVAL);
	mm_hugetlb_resize(mm, 0, 0, MM_NO_NODE, NULL, 1);
	cr_assert_eq(mm_hugetlb_alloc(mm, 0, 0, &use, false, &pool), 0);
	cr_expect_eq(mm_split_page(mm, 0, pool, 0), -EINVAL);
	must_verify(mm, "all refused");
	mm_destroy(mm);
}
