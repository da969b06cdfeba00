/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The LRU lists of a node: inactive and active, of anonymous and of file memory, and what cannot be
 * evicted. The classic two lists of Linux 6.1 (mm/swap.c); multi-gen LRU is off on the captured
 * kernels. New pages wait in a batch of their CPU, so that the node's lock is taken once for 15.
 *
 * Owns the lists, their counts by zone and the flags of pages that say where they are. Which pages
 * leave a list under pressure is vmscan.c's business.
 */
#include "mm/reclaim/lru.h"

#include <errno.h>

#include "mm/reclaim/lru_lists.h"
#include "mm/reclaim/vmscan.h"
#include "mm/zone_count.h"

/* Huge pages of a fault do without reserves, those of a hugetlb pool do not say so. */
enum mm_page_kind mm_page_kind_by_gfp(gfp_t gfp, unsigned order)
{
	if (!(gfp & __GFP_HARDWALL) || (gfp & __GFP_ACCOUNT))
		return MM_PAGE_NONE;
	if (gfp & __GFP_WRITE)
		return MM_PAGE_FILE;
	if (!(gfp & __GFP_MOVABLE))
		return gfp & (__GFP_ZERO | __GFP_HIGHMEM) ? MM_PAGE_NONE : MM_PAGE_FILE;
	if (order > PAGE_ALLOC_COSTLY_ORDER)
		return gfp & __GFP_NOMEMALLOC ? MM_PAGE_ANON : MM_PAGE_NONE;
	return gfp & __GFP_ZERO ? MM_PAGE_ANON : MM_PAGE_FILE;
}

void mm_lru_lock(struct mm *mm, int cpu, struct mm_node *node)
{
	mm_work(mm, cpu, MM_SITE_LOCK, 1);
	mm_touch(mm, cpu, node->lru_lock.at, 8, MM_WRITE);
	if (mm->ops.lock && cpu != MM_NO_CPU)
		mm->ops.lock(mm->ctx, cpu, &node->lru_lock);
	node->lru_lock.holder = cpu;
}

void mm_lru_unlock(struct mm *mm, int cpu, struct mm_node *node)
{
	node->lru_lock.holder = MM_NO_CPU;
	if (mm->ops.unlock && cpu != MM_NO_CPU)
		mm->ops.unlock(mm->ctx, cpu, &node->lru_lock);
}

enum mm_lru mm_page_lru(const struct page *page)
{
	enum mm_lru lru;

	if (page->flags & PG_UNEVICTABLE)
		return MM_LRU_UNEVICTABLE;
	lru = page->flags & PG_SWAPBACKED ? MM_LRU_INACTIVE_ANON : MM_LRU_INACTIVE_FILE;
	return page->flags & PG_ACTIVE ? lru + 1 : lru;
}

static phys_addr_t list_at(const struct mm *mm, const struct page *page)
{
	return mm_page_node(mm, page)->lru_lock.at + MM_NODE_LRU_LISTS + mm_page_lru(page) * 16;
}

/* What an edit of a list touches: its head, the page, the page beside it. */
static void touch_links(struct mm *mm, int cpu, const struct page *page)
{
	mm_touch(mm, cpu, list_at(mm, page), 16, MM_WRITE);
	mm_touch_page(mm, cpu, page, MM_WRITE);
	if (page->next)
		mm_touch_page(mm, cpu, page->next, MM_WRITE);
	if (page->prev)
		mm_touch_page(mm, cpu, page->prev, MM_WRITE);
}

/* LRU lists come first among the counters of zones and of nodes. */
static void count_on_list(struct mm *mm, int cpu, const struct page *page, enum mm_lru lru,
			  int64_t pages)
{
	struct mm_zone *zone = mm_page_zone(mm, page);

	zone->nr_lru[lru] += (uint64_t)pages;
	mm_mod_node_stat(mm, cpu, &mm->nodes[zone->nid], (enum mm_node_stat)lru, pages);
	mm_mod_zone_stat(mm, cpu, zone, (enum mm_zone_stat)lru, pages);
}

void mm_lru_link(struct mm *mm, int cpu, struct page *page, bool to_tail)
{
	enum mm_lru lru = mm_page_lru(page);
	struct page_list *list = &mm_page_node(mm, page)->lru[lru];

	if (to_tail)
		page_list_add_tail(list, page);
	else
		page_list_add_head(list, page);
	page->flags |= PG_ON_LRU;
	count_on_list(mm, cpu, page, lru, (int64_t)mm_page_pages(page));
	touch_links(mm, cpu, page);
}

void mm_lru_unlink(struct mm *mm, int cpu, struct page *page)
{
	enum mm_lru lru = mm_page_lru(page);

	touch_links(mm, cpu, page);
	page_list_del(&mm_page_node(mm, page)->lru[lru], page);
	page->flags &= ~(uint64_t)PG_ON_LRU;
	count_on_list(mm, cpu, page, lru, -(int64_t)mm_page_pages(page));
}

/* Pages of the batch in its order; the lock is taken again where the node changes. */
void mm_lru_drain(struct mm *mm, int cpu)
{
	struct mm_lru_batch *batch = &mm->lru_batches[cpu];

	while (batch->nr) {
		struct mm_node *node = mm_page_node(mm, batch->pages[0]);
		unsigned kept = 0;

		mm_lru_lock(mm, cpu, node);
		for (unsigned i = 0; i < batch->nr; i++) {
			struct page *page = batch->pages[i];

			if (mm_page_node(mm, page) != node) {
				batch->pages[kept++] = page;
				continue;
			}
			page->flags &= ~(uint64_t)PG_BATCHED;
			mm_work(mm, cpu, MM_SITE_LRU_ADD, 1);
			mm_lru_link(mm, cpu, page, false);
		}
		batch->nr = kept;
		mm_lru_unlock(mm, cpu, node);
	}
}

static bool is_followed(const struct page *page)
{
	return (page->flags & PG_PLACE_MASK) && !(page->flags & PG_DROPPED) && !page->unlisted;
}

static bool is_in_use(const struct page *page)
{
	return (page->flags & PG_INIT) && !(page->flags & (PG_STATE_MASK | PG_DROPPED)) &&
	       page->refcount > 0;
}

static void count_page(struct mm *mm, int cpu, const struct page *page, enum mm_node_stat item,
		       bool more)
{
	int64_t pages = (int64_t)mm_page_pages(page);

	mm_mod_node_stat(mm, cpu, mm_page_node(mm, page), item, more ? pages : -pages);
}

/* Whether it counts as a file's page changes. */
void mm_page_cached(struct mm *mm, int cpu, struct page *page, bool cached, bool shmem)
{
	if (cached != page->cached)
		count_page(mm, cpu, page, MM_NS_FILE_PAGES, cached);
	if (shmem != page->shmem)
		count_page(mm, cpu, page, MM_NS_SHMEM, shmem);
	page->cached = cached;
	page->shmem = shmem;
}

int mm_lru_add(struct mm *mm, int cpu, struct page *page, enum mm_page_kind kind)
{
	struct mm_lru_batch *batch = &mm->lru_batches[cpu];

	if (kind == MM_PAGE_NONE || !is_in_use(page) || (page->flags & PG_PLACE_MASK))
		return -EINVAL;
	page->flags |= PG_LRU | PG_BATCHED;
	/* What was read from swap is there as it is. */
	if (kind != MM_PAGE_FILE)
		page->flags |= PG_SWAPBACKED | (page->flags & PG_SWAPCACHE ? 0 : PG_DIRTY);
	mm_page_cached(mm, cpu, page, kind != MM_PAGE_ANON, kind == MM_PAGE_SHMEM);
	/* A page fault maps it, and the mapping is made young; if it was not read ahead. */
	if (kind == MM_PAGE_ANON && !(page->flags & PG_SWAPCACHE))
		mm_page_account(mm, cpu, page, page->flags | PG_MAPPED | PG_YOUNG);
	page->next = (struct page *)(void *)batch;
	mm_work(mm, cpu, MM_SITE_LRU_ADD, 1);
	batch->pages[batch->nr++] = page;
	if (batch->nr == MM_LRU_BATCH || page->order)
		mm_lru_drain(mm, cpu);
	return 0;
}

void mm_lru_add_held(struct mm *mm, struct page *page, enum mm_lru lru)
{
	page->flags |= PG_LRU;
	if (lru == MM_LRU_UNEVICTABLE)
		page->flags |= PG_UNEVICTABLE | PG_SWAPBACKED;
	if (lru == MM_LRU_INACTIVE_ANON || lru == MM_LRU_ACTIVE_ANON) {
		page->flags |= PG_SWAPBACKED | PG_DIRTY;
		mm_page_account(mm, MM_NO_CPU, page, page->flags | PG_MAPPED | PG_YOUNG);
	} else {
		mm_page_cached(mm, MM_NO_CPU, page, true, false);
	}
	if (lru == MM_LRU_ACTIVE_ANON || lru == MM_LRU_ACTIVE_FILE)
		page->flags |= PG_ACTIVE;
	mm_lru_link(mm, MM_NO_CPU, page, false);
}

/* It is small. */
void mm_lru_unbatch(struct page *page)
{
	struct mm_lru_batch *batch = (struct mm_lru_batch *)(void *)page->next;
	unsigned at = 0;

	while (batch->pages[at] != page)
		at++;
	for (batch->nr--; at < batch->nr; at++)
		batch->pages[at] = batch->pages[at + 1];
	page->flags &= ~(uint64_t)PG_BATCHED;
}

/*
 * Before a page is freed, and nobody has a reference: off its list. Whoever waits for the lock may
 * not isolate it any more, as it has none to take.
 */
void mm_lru_release(struct mm *mm, int cpu, struct page *page)
{
	struct mm_node *node = mm_page_node(mm, page);

	if (page->flags & PG_BATCHED) {
		mm_lru_unbatch(page);
	} else if (page->flags & PG_ON_LRU) {
		mm_lru_lock(mm, cpu, node);
		mm_work(mm, cpu, MM_SITE_LRU_DEL, 1);
		mm_lru_unlink(mm, cpu, page);
		mm_lru_unlock(mm, cpu, node);
	}
	if (page->flags & PG_SWAPCACHE)
		mm_swap_forget(mm, cpu, page);
	mm_page_account(mm, cpu, page, page->flags & ~(uint64_t)PG_USE_MASK);
	mm_page_cached(mm, cpu, page, false, false);
	page->flags &= ~(uint64_t)PG_USE_MASK;
	page->workingset = false;
}

static void count_of_zone(struct mm *mm, int cpu, const struct page *page, enum mm_zone_stat item,
			  bool more)
{
	int64_t pages = (int64_t)mm_page_pages(page);

	mm_mod_zone_stat(mm, cpu, mm_page_zone(mm, page), item, more ? pages : -pages);
}

/*
 * Counters that follow from flags; the page gets `flags`. Of what is held since before the start it
 * is not told whether it is locked in memory or just cannot be evicted.
 */
void mm_page_account(struct mm *mm, int cpu, struct page *page, uint64_t flags)
{
	uint64_t old = page->flags, changed = old ^ flags;
	bool file = !(old & PG_SWAPBACKED), anon = !file && !page->shmem;

	if (file && changed & PG_DIRTY) {
		count_page(mm, cpu, page, MM_NS_FILE_DIRTY, flags & PG_DIRTY);
		count_of_zone(mm, cpu, page, MM_ZS_WRITE_PENDING, flags & PG_DIRTY);
	}
	if (changed & PG_WRITEBACK) {
		count_page(mm, cpu, page, MM_NS_WRITEBACK, flags & PG_WRITEBACK);
		count_of_zone(mm, cpu, page, MM_ZS_WRITE_PENDING, flags & PG_WRITEBACK);
	}
	if (!anon && changed & PG_MAPPED)
		count_page(mm, cpu, page, MM_NS_FILE_MAPPED, flags & PG_MAPPED);
	if (anon && mm_counts_anon(page, old) != mm_counts_anon(page, flags))
		count_page(mm, cpu, page, MM_NS_ANON_MAPPED, mm_counts_anon(page, flags));
	if (changed & PG_SWAPCACHE) {
		count_page(mm, cpu, page, MM_NS_FILE_PAGES, flags & PG_SWAPCACHE);
		count_page(mm, cpu, page, MM_NS_SWAPCACHE, flags & PG_SWAPCACHE);
	}
	if (changed & PG_UNEVICTABLE && !(old & PG_HELD))
		count_of_zone(mm, cpu, page, MM_ZS_MLOCK, flags & PG_UNEVICTABLE);
	page->flags = flags;
}

static void activate(struct mm *mm, int cpu, struct page *page)
{
	struct mm_node *node = mm_page_node(mm, page);

	if (page->flags & PG_BATCHED) {
		page->flags |= PG_ACTIVE;
		return;
	}
	mm_lru_lock(mm, cpu, node);
	if ((page->flags & PG_ON_LRU) && !(page->flags & (PG_ACTIVE | PG_UNEVICTABLE))) {
		mm_lru_unlink(mm, cpu, page);
		page->flags |= PG_ACTIVE;
		mm_lru_link(mm, cpu, page, false);
		mm_count(mm, cpu, MM_VM_PGACTIVATE, mm_page_pages(page));
	}
	mm_lru_unlock(mm, cpu, node);
}

int mm_page_accessed(struct mm *mm, int cpu, struct page *page)
{
	if (!is_followed(page))
		return -EINVAL;
	mm_touch_page(mm, cpu, page, MM_WRITE);
	if (!(page->flags & PG_REFERENCED)) {
		page->flags |= PG_REFERENCED;
	} else if (!(page->flags & (PG_ACTIVE | PG_UNEVICTABLE))) {
		page->flags &= ~(uint64_t)PG_REFERENCED;
		activate(mm, cpu, page);
		mm_workingset_age(mm_page_node(mm, page), mm_page_pages(page));
	}
	return 0;
}

int mm_page_touched(struct mm *mm, int cpu, struct page *page, bool write)
{
	if (!is_followed(page))
		return -EINVAL;
	mm_page_account(mm, cpu, page, page->flags | PG_MAPPED | PG_YOUNG);
	return write ? mm_page_dirty(mm, cpu, page) : 0;
}

int mm_page_dirty(struct mm *mm, int cpu, struct page *page)
{
	if (!is_followed(page))
		return -EINVAL;
	if (!(page->flags & (PG_DIRTY | PG_SWAPBACKED)))
		count_page(mm, cpu, page, MM_NS_DIRTIED, true);
	mm_page_account(mm, cpu, page, page->flags | PG_DIRTY);
	return 0;
}

int mm_page_lock_in(struct mm *mm, int cpu, struct page *page, bool locked)
{
	struct mm_node *node = mm_page_node(mm, page);
	enum mm_vm_event what = locked ? MM_VM_UNEVICTABLE_MLOCKED : MM_VM_UNEVICTABLE_MUNLOCKED;
	bool linked;

	if (!is_followed(page))
		return -EINVAL;
	if (locked == !!(page->flags & PG_UNEVICTABLE))
		return 0;
	mm_lru_lock(mm, cpu, node);
	if (!is_followed(page)) {
		mm_lru_unlock(mm, cpu, node);
		return -EINVAL;
	}
	linked = page->flags & PG_ON_LRU;
	if (linked)
		mm_lru_unlink(mm, cpu, page);
	page->flags &= ~(uint64_t)PG_ACTIVE;
	mm_page_account(mm, cpu, page, page->flags ^ PG_UNEVICTABLE);
	if (linked)
		mm_lru_link(mm, cpu, page, false);
	mm_count(mm, cpu, what, mm_page_pages(page));
	mm_lru_unlock(mm, cpu, node);
	return 0;
}

uint64_t mm_lru_size(const struct mm *mm, int nid, int zone, enum mm_lru lru)
{
	return mm->nodes[nid].zones[zone].nr_lru[lru];
}

uint64_t mm_node_lru(const struct mm *mm, const struct mm_node *node, enum mm_lru lru, int highest)
{
	uint64_t pages = 0;

	for (int z = 0; z <= highest && z < mm->arch->nr_zones; z++)
		pages += node->zones[z].nr_lru[lru];
	return pages;
}

void mm_lru_info(const struct mm *mm, int nid, struct mm_lru_info *info)
{
	const struct mm_node *node = &mm->nodes[nid];

	*info = (struct mm_lru_info){
		.isolated_anon = mm_node_stat_exactly(mm, node, MM_NS_ISOLATED_ANON),
		.isolated_file = mm_node_stat_exactly(mm, node, MM_NS_ISOLATED_FILE),
		.dirty = mm_node_stat_exactly(mm, node, MM_NS_FILE_DIRTY),
		.writeback = mm_node_stat_exactly(mm, node, MM_NS_WRITEBACK),
		.file_mapped = mm_node_stat_exactly(mm, node, MM_NS_FILE_MAPPED),
		.kswapd_failures = node->kswapd.failures,
	};
	for (int l = 0; l < MM_NR_LRU; l++)
		info->lru[l] = mm_node_lru(mm, node, (enum mm_lru)l, MM_MAX_ZONES);
}
