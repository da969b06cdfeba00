/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block in use in parts that are freed one by one: what split_page() does to a block of the
 * kernel's, and split_huge_page() to a huge page. Nothing moves; each part gets what the whole one
 * was, and stands beside it on its list.
 *
 * Follows Linux 6.1 mm/page_alloc.c (split_page), mm/huge_memory.c (__split_huge_page): the parts
 * come in front of the head, which reclaim gets to first.
 */
#include <errno.h>

#include "mm/page_ext/page_ext_state.h"
#include "mm/reclaim/lru_lists.h"

static bool is_in_use(const struct page *page)
{
	return (page->flags & PG_INIT) &&
	       !(page->flags & (PG_STATE_MASK | PG_DROPPED | PG_HUGETLB)) && page->refcount > 0;
}

/* Somebody else than its owner has a hold of it. */
static bool is_busy(const struct page *page)
{
	return page->refcount != 1 || page->flags & (PG_ISOLATED | PG_BATCHED | PG_WRITEBACK);
}

static void insert_before(struct page_list *list, struct page *page, struct page *next)
{
	page->next = next;
	page->prev = next->prev;
	*(next->prev ? &next->prev->next : &list->head) = page;
	next->prev = page;
}

/* What nodes and zones count are pages, so no figure changes. */
void mm_make_parts(struct mm *mm, int cpu, struct page *page, unsigned order)
{
	struct mm_zone *zone = mm_page_zone(mm, page);
	uint64_t nr = UINT64_C(1) << page->order, step = UINT64_C(1) << order;
	pfn_t pfn = mm_pfn_of(mm, page);

	for (uint64_t i = nr - step; i; i -= step) {
		struct page *part = page + i;

		mm_page_init(mm, part, pfn + i, zone);
		part->flags |= page->flags & PG_USE_MASK;
		part->refcount = 1;
		part->order = (uint8_t)order;
		part->comp = page->comp;
		part->migratetype = page->migratetype;
		part->workingset = page->workingset;
		part->cached = page->cached;
		part->shmem = page->shmem;
		if (page->flags & PG_ON_LRU)
			insert_before(&mm->nodes[zone->nid].lru[mm_page_lru(page)], part, page);
		mm->counters.parts++;
		mm_touch_page(mm, cpu, part, MM_WRITE);
	}
	page->order = (uint8_t)order;
	mm_touch_page(mm, cpu, page, MM_WRITE);
	if (mm->page_ext)
		mm_page_owner_split(mm, cpu, page, nr, order);
}

int mm_split_page(struct mm *mm, int cpu, struct page *page, unsigned order)
{
	struct mm_node *node;
	bool listed;

	if (!is_in_use(page) || page->order <= order)
		return -EINVAL;
	listed = page->flags & PG_ON_LRU;
	node = &mm->nodes[mm_page_to_nid(mm, page)];
	if (listed)
		mm_lru_lock(mm, cpu, node);
	if (is_busy(page)) {
		if (listed)
			mm_lru_unlock(mm, cpu, node);
		return -EBUSY;
	}
	if ((page->flags & PG_LRU) && page->order == mm->arch->pageblock_order)
		mm_count(mm, cpu, MM_VM_THP_SPLIT_PAGE, 1);
	mm_work(mm, cpu, MM_SITE_PREP_PAGE, UINT32_C(1) << (page->order - order));
	mm_make_parts(mm, cpu, page, order);
	if (listed)
		mm_lru_unlock(mm, cpu, node);
	return 0;
}
