/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User memory is of three sorts here: followed by reclaim, so on a list of its node; held since
 * before the start, so on a list of its zone; or just known to be movable, and on none. All three
 * are isolated alike, and `unlisted` tells the last two.
 *
 *	nr_isolated of a node = its pages with PG_ISOLATED
 */
#include "mm/compact/isolation.h"

#include "mm/alloc/held.h"
#include "mm/zone_count.h"

bool mm_can_isolate(const struct mm *mm, const struct page *page, bool batched)
{
	uint64_t busy = PG_BUDDY | PG_PCP | PG_ISOLATED | PG_WRITEBACK | PG_DROPPED | PG_HUGETLB;

	if (!(page->flags & PG_INIT) || !(page->flags & PG_LRU) || page->refcount != 1 ||
	    page->locked)
		return false;
	/* Its owner could not be told. */
	if (!(page->flags & PG_HELD) && !page->user &&
	    (!mm->ops.moved || (mm->ops.may_move && !mm->ops.may_move(mm->ctx, page))))
		return false;
	if (page->flags & (busy | (batched ? 0 : PG_BATCHED)))
		return false;
	return !(page->flags & PG_HELD) || (page->flags & PG_ON_LRU) ||
	       mm_page_zone(mm, page)->held_lists;
}

static void count_isolated(struct mm *mm, int cpu, const struct page *page, int64_t pages)
{
	mm_mod_node_stat(mm, cpu, mm_page_node(mm, page),
			 MM_NS_ISOLATED_ANON + !(page->flags & PG_SWAPBACKED), pages);
}

void mm_isolate(struct mm *mm, int cpu, struct page *page)
{
	mm_work(mm, cpu, MM_SITE_ISOLATE, 1);
	if (page->flags & PG_BATCHED) {
		mm_lru_unbatch(page);
	} else if (page->flags & PG_ON_LRU) {
		mm_lru_unlink(mm, cpu, page);
	} else {
		page->unlisted = true;
		if (page->flags & PG_HELD)
			mm_held_take(mm, mm_page_zone(mm, page), page);
		mm_touch_page(mm, cpu, page, MM_WRITE);
	}
	page->flags |= PG_ISOLATED;
	page->refcount++;
	count_isolated(mm, cpu, page, (int64_t)mm_page_pages(page));
}

/* With the lock. */
static void to_its_list(struct mm *mm, int cpu, struct page *page, bool listed)
{
	if (listed)
		mm_lru_link(mm, cpu, page, false);
	else if (page->flags & PG_HELD)
		mm_held_return(mm, mm_page_zone(mm, page), page);
}

void mm_putback(struct mm *mm, int cpu, struct page *page)
{
	struct mm_node *node = mm_page_node(mm, page);
	bool listed = !page->unlisted, abandoned;

	mm_lru_lock(mm, cpu, node);
	count_isolated(mm, cpu, page, -(int64_t)mm_page_pages(page));
	page->flags &= ~(uint64_t)PG_ISOLATED;
	page->unlisted = false;
	abandoned = mm_is_abandoned(page);
	if (!abandoned) {
		page->refcount--;
		to_its_list(mm, cpu, page, listed);
	}
	mm_lru_unlock(mm, cpu, node);
	if (abandoned)
		mm_put_page(mm, cpu, page);
}

void mm_putback_list(struct mm *mm, int cpu, struct page_list *pages)
{
	struct page *page;

	while ((page = pages->head)) {
		page_list_del(pages, page);
		mm_putback(mm, cpu, page);
	}
}

/* What goes with the content. Counted: what nodes count pages by. */
#define COUNTED ((uint64_t)(PG_DIRTY | PG_MAPPED | PG_UNEVICTABLE | PG_SWAPCACHE))
#define MOVES                                                                                      \
	((uint64_t)(PG_HELD | PG_LRU | PG_ISOLATED | PG_ACTIVE | PG_REFERENCED | PG_YOUNG |        \
		    PG_SWAPBACKED))

void mm_take_over(struct mm *mm, int cpu, struct page *from, struct page *to)
{
	uint64_t pages = mm_page_pages(from), counted = from->flags & COUNTED;

	to->order = from->order;
	to->comp = from->comp;
	to->migratetype = from->migratetype;
	to->refcount = from->refcount;
	to->flags |= from->flags & MOVES;
	to->unlisted = from->unlisted;
	to->workingset = from->workingset;
	from->workingset = false;
	from->unlisted = false;
	to->user = from->user; /* about to be known there: what it counts as goes by it */
	mm_page_cached(mm, cpu, to, from->cached, from->shmem);
	mm_page_account(mm, cpu, to, to->flags | counted);
	count_isolated(mm, cpu, to, (int64_t)pages);
	count_isolated(mm, cpu, from, -(int64_t)pages);
	if (from->flags & PG_HELD) {
		mm_page_zone(mm, from)->held -= pages;
		mm_page_zone(mm, to)->held += pages;
	}
	mm_page_account(mm, cpu, from, from->flags & ~(uint64_t)(PG_USE_MASK | PG_HELD));
	mm_page_cached(mm, cpu, from, false, false);
	from->refcount = 1;
}
