/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of each page that reclaim has taken off a list: used since, it stays. Else it gets a
 * place in swap if it has no file, and is unmapped; dirty, it is written, and stays until that is
 * done, to be found by who comes back to it; clean, it is taken from its owner and freed. And the
 * writing itself, as far as reclaim starts it.
 *
 * Follows Linux 6.1 mm/vmscan.c (shrink_folio_list, folio_check_references, pageout). Not there:
 * demotion to slower memory, lazily freed pages.
 */
#include "mm/reclaim/lru.h"
#include "mm/reclaim/vmscan.h"
#include "mm/user/user.h"
#include "mm/zone_count.h"

#define FLUSH_MOST 1024 /* pages that one wake-up of the flusher writes: MAX_WRITEBACK_PAGES */

bool mm_page_referenced(struct page *page)
{
	bool young = page->flags & PG_YOUNG;

	page->flags &= ~(uint64_t)PG_YOUNG;
	return young;
}

enum reference { RECLAIM, RECLAIM_CLEAN, KEEP, ACTIVATE };

/* Two signs make it active: used through its mapping now, and marked the time before. */
static enum reference check_references(struct page *page)
{
	bool young = mm_page_referenced(page), marked = page->flags & PG_REFERENCED;

	page->flags &= ~(uint64_t)PG_REFERENCED;
	if (young) {
		page->flags |= PG_REFERENCED;
		return marked ? ACTIVATE : KEEP;
	}
	return marked && !(page->flags & PG_SWAPBACKED) ? RECLAIM_CLEAN : RECLAIM;
}

static enum mm_store store_of(const struct page *page)
{
	return page->flags & PG_SWAPBACKED ? MM_STORE_SWAP : MM_STORE_FILE;
}

/* Counted in KiB, whatever the name says. */
static void count_kib(struct mm *mm, int cpu, enum mm_vm_event what, uint64_t pages)
{
	mm_count(mm, cpu, what, pages << (mm->arch->page_shift - 10));
}

static void start_write(struct mm *mm, int cpu, struct page *page, bool may_wait)
{
	uint64_t flags = (page->flags & ~(uint64_t)PG_DIRTY) | PG_WRITEBACK;

	mm_page_account(mm, cpu, page, flags);
	page->refcount++;
	mm_work(mm, cpu, MM_SITE_IO_SUBMIT, 1);
	count_kib(mm, cpu, MM_VM_PGPGOUT, mm_page_pages(page));
	if (!mm->ops.write || cpu == MM_NO_CPU ||
	    !mm->ops.write(mm->ctx, cpu, page, mm_page_pages(page) << mm->arch->page_shift,
			   store_of(page), may_wait))
		mm_write_done(mm, cpu, page);
}

void mm_write_done(struct mm *mm, int cpu, struct page *page)
{
	struct mm_node *node = mm_page_node(mm, page);
	bool reclaim = page->flags & PG_RECLAIM;

	mm_page_account(mm, cpu, page, page->flags & ~(uint64_t)(PG_WRITEBACK | PG_RECLAIM));
	mm_mod_node_stat(mm, cpu, node, MM_NS_WRITTEN, (int64_t)mm_page_pages(page));
	if (page->flags & PG_SWAPBACKED)
		mm_count(mm, cpu, MM_VM_PSWPOUT, mm_page_pages(page));
	/* Reclaim waits for it: to the tail, to be next. */
	if (reclaim && (page->flags & PG_ON_LRU) && page->refcount > 1 &&
	    !(page->flags & PG_DIRTY)) {
		mm_lru_lock(mm, cpu, node);
		if ((page->flags & PG_ON_LRU) && !(page->flags & PG_UNEVICTABLE)) {
			mm_lru_unlink(mm, cpu, page);
			page->flags &= ~(uint64_t)PG_ACTIVE;
			mm_lru_link(mm, cpu, page, true);
			mm_count(mm, cpu, MM_VM_PGROTATED, mm_page_pages(page));
		}
		mm_lru_unlock(mm, cpu, node);
	}
	mm_throttle_written(mm, cpu, node, mm_page_pages(page));
	mm_put_page(mm, cpu, page);
}

void mm_write_interrupt(struct mm *mm, int cpu, struct page *page)
{
	mm->interrupted_cpu = cpu;
	mm_write_done(mm, MM_NO_CPU, page);
	mm->interrupted_cpu = MM_NO_CPU;
}

/*
 * Where to look on: behind the page that was written last, which is in its place as long as it is
 * being written. What is nearer to the tail is so, too, or was clean; from the tail again it would
 * take as long as there is under way.
 */
static struct page *flush_from(const struct mm *mm, const struct mm_node *node)
{
	struct page *last = node->flushed_last;

	if (last && (last->flags & PG_ON_LRU) && (last->flags & PG_WRITEBACK) &&
	    mm_page_node(mm, last) == node && mm_page_lru(last) == MM_LRU_INACTIVE_FILE)
		return last->prev;
	return node->lru[MM_LRU_INACTIVE_FILE].tail;
}

static bool is_unwritten(const struct page *page)
{
	return (page->flags & PG_DIRTY) && !(page->flags & PG_WRITEBACK) && page->refcount;
}

void mm_wake_flusher(struct mm *mm, int cpu, struct mm_node *node)
{
	for (unsigned n = 0; n < FLUSH_MOST; n++) {
		struct page *page;

		/* Writing lets others edit the list. A kernel worker does it: nobody waits here. */
		mm_lru_lock(mm, cpu, node);
		page = flush_from(mm, node);
		while (page && !is_unwritten(page))
			page = page->prev;
		mm_lru_unlock(mm, cpu, node);
		if (!page || !is_unwritten(page))
			break;
		node->flushed_last = page;
		start_write(mm, cpu, page, false);
	}
}

enum verdict { FREE_IT, KEEP_IT, ACTIVATE_IT };

/* A page that is being written already. */
static enum verdict under_writeback(const struct mm_node *node, const struct mm_scan *sc,
				    struct page *page, struct mm_reclaim_stat *stat)
{
	if (sc->kswapd && (page->flags & PG_RECLAIM) && node->reclaim_writeback) {
		stat->immediate += mm_page_pages(page);
		return ACTIVATE_IT;
	}
	page->flags |= PG_RECLAIM;
	stat->writeback += mm_page_pages(page);
	return ACTIVATE_IT;
}

/* A dirty page: write it, if this reclaim may. */
static enum verdict page_out(struct mm *mm, const struct mm_node *node, const struct mm_scan *sc,
			     struct page *page, struct mm_reclaim_stat *stat,
			     enum reference references)
{
	bool file = !(page->flags & PG_SWAPBACKED);

	/* Files are written by their flusher, in long runs, except where that is not enough. */
	if (file && (!sc->kswapd || !(page->flags & PG_RECLAIM) || !node->reclaim_dirty)) {
		mm_mod_node_stat(mm, sc->cpu, &mm->nodes[node->nid], MM_NS_VMSCAN_IMMEDIATE,
				 (int64_t)mm_page_pages(page));
		page->flags |= PG_RECLAIM;
		return ACTIVATE_IT;
	}
	if (references == RECLAIM_CLEAN || !sc->may_writepage)
		return KEEP_IT;
	if (!(sc->gfp & __GFP_FS) && !((page->flags & PG_SWAPCACHE) && (sc->gfp & __GFP_IO)))
		return KEEP_IT;
	page->flags |= PG_RECLAIM;
	mm_mod_node_stat(mm, sc->cpu, &mm->nodes[node->nid], MM_NS_VMSCAN_WRITE,
			 (int64_t)mm_page_pages(page));
	if (page->order && page->order == mm->arch->pageblock_order)
		mm_count(mm, sc->cpu, MM_VM_THP_SWPOUT, 1);
	mm_emit_block(mm, sc->cpu, MM_EVENT_WRITEPAGE, page, 0);
	start_write(mm, sc->cpu, page, true);
	stat->pageout += mm_page_pages(page);
	if (page->flags & (PG_WRITEBACK | PG_DIRTY))
		return KEEP_IT;
	/* Others ran while the write was asked for, and one has come back to it. */
	return page->user && mm_user_is_mapped(mm, page) ? KEEP_IT : FREE_IT;
}

/*
 * A place in swap. A huge page of users that is in single entries already is split right away, as
 * perhaps some of its parts are mapped no more; another one where swap has no room for it in one
 * piece. Its parts are dealt with next.
 */
static bool add_to_swap(struct mm *mm, const struct mm_scan *sc, struct page *page,
			struct page_list *pages)
{
	bool huge = page->user && page->order;

	if (huge && page->refcount != 2)
		return false;
	if (huge && !mm_user_maps_whole(mm, page) && mm_user_split_page(mm, sc->cpu, page, pages))
		return false;
	if (page->flags & PG_DROPPED)
		return true; /* a part that nobody maps */
	if (mm_swap_take(mm, sc->cpu, page))
		return true;
	if (!huge || !page->order || mm_user_split_page(mm, sc->cpu, page, pages))
		return false;
	mm_count(mm, sc->cpu, MM_VM_THP_SWPOUT_FALLBACK, 1);
	return (page->flags & PG_DROPPED) || mm_swap_take(mm, sc->cpu, page);
}

/* Nobody has it mapped any more; who had may come back to it. No time passes. */
static void unmap(struct mm *mm, int cpu, struct page *page)
{
	if (page->user)
		mm_user_take(mm, cpu, page);
	if (page->flags & PG_MAPPED)
		mm_page_account(mm, cpu, page, page->flags & ~(uint64_t)PG_MAPPED);
}

static enum verdict decide(struct mm *mm, const struct mm_node *node, const struct mm_scan *sc,
			   struct page *page, struct page_list *rest, struct mm_reclaim_stat *stat)
{
	bool file = !(page->flags & PG_SWAPBACKED), writeback = page->flags & PG_WRITEBACK;
	uint64_t pages = mm_page_pages(page);
	enum reference references;

	if ((page->flags & PG_UNEVICTABLE) || page->locked)
		return KEEP_IT;
	/* No flusher writes what has no file, so nobody has to wait for one. */
	if (file && (writeback || (page->flags & PG_DIRTY)))
		stat->dirty += pages;
	if (file && !writeback && (page->flags & PG_DIRTY))
		stat->unqueued_dirty += pages;
	if (file && writeback && (page->flags & PG_RECLAIM))
		stat->congested += pages;
	if (writeback)
		return under_writeback(node, sc, page, stat);
	references = check_references(page);
	if (references == ACTIVATE)
		return ACTIVATE_IT;
	if (references == KEEP) {
		stat->ref_keep += pages;
		return KEEP_IT;
	}
	if (!file && !(page->flags & PG_SWAPCACHE)) {
		if (!(sc->gfp & __GFP_IO))
			return KEEP_IT;
		if (!add_to_swap(mm, sc, page, rest))
			return ACTIVATE_IT;
		if (page->flags & PG_DROPPED)
			return FREE_IT;
	}
	unmap(mm, sc->cpu, page);
	if (page->flags & PG_DIRTY)
		return page_out(mm, node, sc, page, stat, references);
	return FREE_IT;
}

/* Its owner loses it, unless he has given it up himself. Only the isolation's reference is left. */
static void take_away(struct mm *mm, int cpu, struct page *page)
{
	bool swapped = page->flags & PG_SWAPCACHE;
	uint64_t shadow;

	if (page->flags & PG_DROPPED)
		return;
	shadow = mm_workingset_eviction(mm, page);
	page->refcount--;
	page->flags |= PG_DROPPED;
	if (page->flags & PG_HELD) {
		mm_page_zone(mm, page)->held -= mm_page_pages(page);
		page->flags &= ~(uint64_t)PG_HELD;
		return;
	}
	mm->counters.reclaimed++;
	if (!mm->ops.reclaimed && !page->user)
		return;
	/* Its place in swap is the owner's now. */
	mm_page_account(mm, cpu, page, page->flags & ~(uint64_t)PG_SWAPCACHE);
	if (page->user) {
		mm_user_reclaimed(mm, cpu, page, shadow);
		return;
	}
	mm->ops.reclaimed(mm->ctx, cpu, page, swapped, shadow);
}

static void activate(struct mm *mm, int cpu, struct page *page, struct mm_reclaim_stat *stat)
{
	/* It is used: a place in swap is kept for it only while there are plenty. */
	if (mm_swap_full(mm) || (page->flags & PG_UNEVICTABLE))
		mm_swap_try_free(mm, cpu, page);
	stat->activated[!(page->flags & PG_SWAPBACKED)] += mm_page_pages(page);
	page->flags |= PG_ACTIVE;
	mm_count(mm, cpu, MM_VM_PGACTIVATE, mm_page_pages(page));
}

uint64_t mm_shrink_pages(struct mm *mm, struct mm_node *node, struct mm_scan *sc,
			 struct page_list *pages, struct mm_reclaim_stat *stat)
{
	struct page_list kept = {0}, freed = {0};
	uint64_t nr_freed = 0;
	struct page *page;

	while ((page = pages->tail)) {
		enum verdict verdict;
		uint64_t before;

		page_list_del(pages, page);
		sc->nr_scanned += mm_page_pages(page);
		mm_work(mm, sc->cpu, MM_SITE_RECLAIM_PAGE, 1);
		mm_touch_page(mm, sc->cpu, page, MM_WRITE);
		before = mm_page_pages(page);
		verdict = decide(mm, node, sc, page, pages, stat);
		/* Its parts are looked at by themselves. */
		sc->nr_scanned -= before - mm_page_pages(page);
		if (verdict == FREE_IT) {
			nr_freed += mm_page_pages(page);
			take_away(mm, sc->cpu, page);
			page_list_add_head(&freed, page);
			continue;
		}
		if (verdict == ACTIVATE_IT)
			activate(mm, sc->cpu, page, stat);
		page_list_add_head(&kept, page);
	}
	for (page = freed.head; page; page = page->next)
		page->flags &= ~(uint64_t)PG_ISOLATED;
	mm_free_list(mm, sc->cpu, &freed);
	*pages = kept;
	return nr_freed;
}

void mm_read_in(struct mm *mm, int cpu, uint64_t pages, enum mm_store from)
{
	mm_work(mm, cpu, MM_SITE_IO_SUBMIT, 1);
	count_kib(mm, cpu, MM_VM_PGPGIN, pages);
	if (mm->ops.read && cpu != MM_NO_CPU)
		mm->ops.read(mm->ctx, cpu, pages << mm->arch->page_shift, from);
}

bool mm_read_ahead(struct mm *mm, int cpu, uint64_t pages, struct mm_read *read)
{
	if (cpu == MM_NO_CPU)
		return false;
	mm_work(mm, cpu, MM_SITE_IO_SUBMIT, 1);
	if (!mm->ops.read_ahead(mm->ctx, cpu, pages << mm->arch->page_shift, MM_STORE_FILE, read))
		return false;
	count_kib(mm, cpu, MM_VM_PGPGIN, pages);
	return true;
}

void mm_file_read(struct mm *mm, int cpu, uint64_t pages)
{
	mm_read_in(mm, cpu, pages, MM_STORE_FILE);
}
