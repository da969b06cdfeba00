/* SPDX-License-Identifier: Apache-2.0 */
/* Refaults: which pages that come back are made active (6.1 mm/workingset.c). */
#include <criterion/criterion.h>

#include "../mm_fixture.h"
#include "mm/reclaim/lru.h"
#include "mm/reclaim/vmscan.h"

#define NR_ACTIVE 10

static const struct machine small = {
	.model = MM_SPARSE_VMEMMAP,
	.memory = {{0, 64 * MiB, 0}},
	.cpus = {1},
	.min_free_kbytes = 1024,
};

static uint64_t count(const struct mm *mm, enum mm_vm_event event)
{
	return mm_vm_event(mm, event);
}

static struct page *add(struct mm *mm, enum mm_page_kind kind)
{
	struct page *page = alloc(mm, 0, 0, GFP_HIGHUSER_MOVABLE);

	cr_assert_eq(mm_lru_add(mm, 0, page, kind), 0);
	mm_lru_drain(mm, 0);
	return page;
}

/* Ten active pages of files, each of which aged its node by one as it was used again. */
static struct mm *machine_with_active_pages(void)
{
	struct mm *mm = boot(&small);

	for (int i = 0; i < NR_ACTIVE; i++) {
		struct page *page = add(mm, MM_PAGE_FILE);

		mm_page_accessed(mm, 0, page);
		mm_page_accessed(mm, 0, page);
	}
	cr_assert_eq(mm_node_lru(mm, &mm->nodes[0], MM_LRU_ACTIVE_FILE, MM_MAX_ZONES), NR_ACTIVE);
	cr_assert_eq(mm->nodes[0].nonresident_age, NR_ACTIVE);
	return mm;
}

/* As many pages as are active have gone since, itself among them: it would have stayed. */
Test(workingset, what_was_only_just_reclaimed_is_active)
{
	struct mm *mm = machine_with_active_pages();
	struct page *page = alloc(mm, 0, 0, GFP_HIGHUSER_MOVABLE);
	uint64_t shadow = mm_workingset_eviction(mm, add(mm, MM_PAGE_FILE));

	for (int i = 1; i < NR_ACTIVE; i++)
		mm_workingset_eviction(mm, page);
	mm_refault(mm, 0, page, MM_PAGE_FILE, shadow);
	cr_assert_eq(mm_lru_add(mm, 0, page, MM_PAGE_FILE), 0);
	mm_lru_drain(mm, 0);
	cr_assert_eq(mm_node_lru(mm, &mm->nodes[0], MM_LRU_ACTIVE_FILE, MM_MAX_ZONES),
		     NR_ACTIVE + 1);
	cr_assert_eq(count(mm, MM_VM_WORKINGSET_REFAULT_FILE), 1);
	cr_assert_eq(count(mm, MM_VM_WORKINGSET_ACTIVATE_FILE), 1);
	cr_assert_eq(count(mm, MM_VM_WORKINGSET_RESTORE_FILE), 0);
	must_verify(mm, "refault");
	mm_destroy(mm);
}

/* One more, and it is no better than a new page. */
Test(workingset, what_was_reclaimed_long_ago_is_not)
{
	struct mm *mm = machine_with_active_pages();
	struct page *page = alloc(mm, 0, 0, GFP_HIGHUSER_MOVABLE);
	uint64_t shadow = mm_workingset_eviction(mm, add(mm, MM_PAGE_FILE));

	for (int i = 0; i < NR_ACTIVE; i++)
		mm_workingset_eviction(mm, page);
	mm_refault(mm, 0, page, MM_PAGE_FILE, shadow);
	cr_assert_not(page->flags & PG_ACTIVE);
	cr_assert_eq(count(mm, MM_VM_WORKINGSET_REFAULT_FILE), 1);
	cr_assert_eq(count(mm, MM_VM_WORKINGSET_ACTIVATE_FILE), 0);
	/* Without a shadow it has never been there. */
	mm_refault(mm, 0, page, MM_PAGE_FILE, 0);
	cr_assert_eq(count(mm, MM_VM_WORKINGSET_REFAULT_FILE), 1);
	mm_destroy(mm);
}

/* Anonymous pages compete with all pages of files; swap makes room for those of others, too. */
Test(workingset, anonymous_pages_compete_with_page_cache)
{
	struct mm *mm = machine_with_active_pages();
	struct page *page = alloc(mm, 0, 0, GFP_HIGHUSER_MOVABLE);
	uint64_t shadow;

	for (int i = 0; i < 5; i++)
		add(mm, MM_PAGE_FILE);
	shadow = mm_workingset_eviction(mm, page);
	for (int i = 1; i < NR_ACTIVE + 5; i++)
		mm_workingset_eviction(mm, page);
	mm_refault(mm, 0, page, MM_PAGE_ANON, shadow);
	cr_assert(page->flags & PG_ACTIVE);
	cr_assert_eq(count(mm, MM_VM_WORKINGSET_ACTIVATE_ANON), 1);
	mm_destroy(mm);
}

/* It had been active: that is remembered, and weighs as much as writing it would. */
Test(workingset, what_was_active_before_counts_as_cost)
{
	struct mm *mm = machine_with_active_pages();
	struct page *page = alloc(mm, 0, 0, GFP_HIGHUSER_MOVABLE);
	struct mm_scan sc = {.cpu = 0, .kswapd = true, .reclaim_idx = 3, .may_unmap = true};
	struct page *oldest = mm->nodes[0].lru[MM_LRU_ACTIVE_FILE].tail;
	uint64_t shadow;

	mm_shrink_active_list(mm, &mm->nodes[0], &sc, MM_LRU_ACTIVE_FILE, 1);
	cr_assert(oldest->workingset);
	shadow = mm_workingset_eviction(mm, oldest);
	mm_refault(mm, 0, page, MM_PAGE_FILE, shadow);
	cr_assert(page->flags & PG_ACTIVE);
	cr_assert(page->workingset);
	cr_assert_eq(count(mm, MM_VM_WORKINGSET_RESTORE_FILE), 1);
	cr_assert_eq(mm->nodes[0].file_cost, 1);
	mm_destroy(mm);
}

/* While pages come back to the active list, the next pass may deactivate, whatever the balance. */
Test(workingset, refaults_let_active_pages_be_looked_at)
{
	struct mm *mm = machine_with_active_pages();
	struct mm_node *node = &mm->nodes[0];
	struct page *page = alloc(mm, 0, 0, GFP_HIGHUSER_MOVABLE);
	struct mm_scan sc = {.cpu = 0};

	for (int i = 0; i < 2 * NR_ACTIVE; i++)
		add(mm, MM_PAGE_FILE);
	mm_prepare_scan(mm, node, &sc);
	cr_assert_not(sc.may_deactivate[1]);
	mm_refault(mm, 0, page, MM_PAGE_FILE, mm_workingset_eviction(mm, page));
	mm_prepare_scan(mm, node, &sc);
	cr_assert(sc.may_deactivate[1]);
	mm_snapshot_refaults(node);
	mm_prepare_scan(mm, node, &sc);
	cr_assert_not(sc.may_deactivate[1]);
	mm_destroy(mm);
}
