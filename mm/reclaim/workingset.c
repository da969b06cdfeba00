/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refaults: a page that comes back after it was reclaimed. Its owner kept a shadow in its place,
 * which tells how much its node has let go of and made active since. What would have stayed in
 * memory, had the inactive list been longer by the active pages, is made active at once.
 *
 * Follows Linux 6.1 mm/workingset.c, without memory control groups; of a 32-bit kernel's shadows,
 * which have no room for all of the age, none of the rounding.
 */
#include "mm/reclaim/lru.h"
#include "mm/reclaim/vmscan.h"
#include "mm/zone_count.h"

/* A shadow is age, node, whether it was of the working set before, and a 1: 0 is none. */
#define SHADOW_WORKINGSET 2u
#define SHADOW_NID_SHIFT  2
#define SHADOW_NID_MASK   0x3fffu
#define SHADOW_AGE_SHIFT  16

void mm_workingset_age(struct mm_node *node, uint64_t pages)
{
	node->nonresident_age += pages;
}

uint64_t mm_workingset_eviction(const struct mm *mm, const struct page *page)
{
	struct mm_node *node = mm_page_node(mm, page);
	uint64_t age = node->nonresident_age;

	mm_workingset_age(node, mm_page_pages(page));
	return age << SHADOW_AGE_SHIFT | (uint64_t)node->nid << SHADOW_NID_SHIFT |
	       (page->workingset ? SHADOW_WORKINGSET : 0) | 1;
}

static uint64_t size_of_list(const struct mm *mm, const struct mm_node *node, enum mm_lru lru)
{
	return mm_node_lru(mm, node, lru, MM_MAX_ZONES);
}

/* What it competes with: all but the inactive list that it would be on. */
static uint64_t workingset_size(const struct mm *mm, const struct mm_node *node, bool file)
{
	uint64_t pages = size_of_list(mm, node, MM_LRU_ACTIVE_FILE);

	if (!file)
		pages += size_of_list(mm, node, MM_LRU_INACTIVE_FILE);
	if (mm_can_reclaim_anon(mm)) {
		pages += size_of_list(mm, node, MM_LRU_ACTIVE_ANON);
		if (file)
			pages += size_of_list(mm, node, MM_LRU_INACTIVE_ANON);
	}
	return pages;
}

void mm_refault(struct mm *mm, int cpu, struct page *page, enum mm_page_kind kind, uint64_t shadow)
{
	bool file = kind == MM_PAGE_FILE;
	uint64_t pages = mm_page_pages(page), age = shadow >> SHADOW_AGE_SHIFT;
	const struct mm_node *from;
	struct mm_node *node = mm_page_node(mm, page);

	if (!shadow)
		return;
	from = &mm->nodes[shadow >> SHADOW_NID_SHIFT & SHADOW_NID_MASK];
	mm_mod_node_stat(mm, cpu, node, MM_NS_WORKINGSET_REFAULT_ANON + file, (int64_t)pages);
	if (from->nonresident_age - age > workingset_size(mm, from, file))
		return;
	page->flags |= PG_ACTIVE;
	mm_workingset_age(node, pages);
	node->refaults[file] += pages;
	mm_mod_node_stat(mm, cpu, node, MM_NS_WORKINGSET_ACTIVATE_ANON + file, (int64_t)pages);
	if (!(shadow & SHADOW_WORKINGSET))
		return;
	page->workingset = true;
	mm_note_cost(mm, node, file, pages);
	mm_mod_node_stat(mm, cpu, node, MM_NS_WORKINGSET_RESTORE_ANON + file, (int64_t)pages);
}
