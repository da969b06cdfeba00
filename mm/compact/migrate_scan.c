/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The migrate scanner: from where it stopped, or a page block that the free lists say is partly
 * free already, it goes on until it has a cluster of pages to move. It sets page blocks to be
 * skipped that had none.
 *
 * Follows Linux 6.1 mm/compaction.c (isolate_migratepages, isolate_migratepages_block,
 * fast_find_migrateblock), as far as pages can be isolated here.
 */
#include "mm/compact/compact_run.h"
#include "mm/compact/isolation.h"
#include "mm/reclaim/vmscan.h"
#include "mm/zone_count.h"

#define MOST_WAITS 50 /* for others to put back what they have isolated, 20 ms each */

/* The scanner within one page block. */
struct scan {
	struct mm_compact_run *run;
	struct mm_node *node;
	pfn_t pfn, end;
	bool locked;        /* the node's lists are */
	bool skip_checked;  /* this pass has seen the block's first page */
	bool skip_marked;   /* or has had the lock */
	bool give_up_early; /* what cannot be moved spoils the block of the order that is wanted */
	pfn_t next;         /* where the next such block begins */
	uint64_t scanned, isolated;
};

static pfn_t order_end(pfn_t pfn, int order)
{
	return ((pfn >> order) + 1) << order;
}

static void leave_lock(struct scan *s)
{
	if (s->locked)
		mm_lru_unlock(s->run->mm, s->run->cpu, s->node);
	s->locked = false;
}

static void take_lock(struct scan *s)
{
	struct mm_compact_run *run = s->run;

	if (run->mode == MM_MIGRATE_ASYNC && s->node->lru_lock.holder != MM_NO_CPU)
		run->contended = true;
	mm_lru_lock(run->mm, run->cpu, s->node);
	s->locked = true;
}

static void update_cached(struct mm_compact_run *run, pfn_t pfn)
{
	struct mm_compact_memory *c = &run->zone->compact;

	pfn = mm_pageblock_end(run->mm, pfn);
	if (c->migrate_pfn[0] < pfn)
		c->migrate_pfn[0] = pfn;
	if (run->mode != MM_MIGRATE_ASYNC && c->migrate_pfn[1] < pfn)
		c->migrate_pfn[1] = pfn;
}

static bool is_marked(const struct mm_compact_run *run, pfn_t pfn)
{
	return !run->ignore_skips && *mm_pageblock_skip(run->mm, run->zone, pfn);
}

static bool at_block_start(const struct mm_compact_run *run, pfn_t pfn)
{
	return mm_pageblock_start(run->mm, pfn) == pfn;
}

/*
 * More are taken off the lists than left on them. Where nobody follows pages there are no lists,
 * and nothing to compare with.
 */
static bool too_many_isolated(const struct mm *mm, const struct mm_node *node)
{
	uint64_t listed = 0;

	(void)mm;
	for (int lru = 0; lru < MM_LRU_UNEVICTABLE; lru++)
		listed += mm_node_stat(node, (enum mm_node_stat)lru);
	return listed &&
	       mm_node_stat(node, MM_NS_ISOLATED_ANON) + mm_node_stat(node, MM_NS_ISOLATED_FILE) >
		       listed / 2;
}

/*
 * Let the others put some back first. False where an asynchronous run gives up instead; and after a
 * second, where the kernel waits until somebody kills the task: it may be that who waits has
 * isolated them himself, to move them, and is looking for a place where they go.
 */
static bool wait_for_others(struct mm_compact_run *run, struct mm_node *node)
{
	for (int waits = 0; too_many_isolated(run->mm, node); waits++) {
		struct mm_scan sc = {.cpu = run->cpu};

		if (run->nr_pages || run->mode == MM_MIGRATE_ASYNC || !run->mm->ops.sleep ||
		    run->cpu == MM_NO_CPU || waits == MOST_WAITS)
			return false;
		mm_reclaim_throttle(run->mm, node, &sc, MM_THROTTLE_ISOLATED);
		run->cpu = sc.cpu;
	}
	return true;
}

/* Pages of huge pages stay together; those of a block held since before the start are single. */
static bool is_single(const struct page *page)
{
	return !page->order || (page->flags & PG_HELD);
}

/* Who may not enter a file system leaves alone what has a mapping: page cache, what is in swap. */
static bool can_move(const struct mm_compact_run *run, const struct page *page)
{
	bool anonymous = (page->flags & (PG_SWAPBACKED | PG_SWAPCACHE)) == PG_SWAPBACKED;

	if (!(run->gfp & __GFP_FS) && (page->flags & PG_ON_LRU) && !anonymous)
		return false;
	if ((page->flags & PG_UNEVICTABLE) && !run->mm->params.compact_unevictable_allowed)
		return false;
	return mm_can_isolate(run->mm, page, false) && is_single(page);
}

enum step { NEXT, TAKEN, FAILED, ABORT };

/* Isolate the page, if it can be. Others may run: what was seen before the lock may not hold. */
static enum step take(struct scan *s, struct page *page)
{
	struct mm_compact_run *run = s->run;

	if (!s->locked) {
		take_lock(s);
		if (!s->skip_marked && !run->ignore_skips && at_block_start(run, s->pfn)) {
			bool *skip = mm_pageblock_skip(run->mm, run->zone, s->pfn);

			/* Some other run came first. */
			if (*skip)
				return ABORT;
			*skip = true;
		}
		s->skip_marked = true;
		if (!can_move(run, page))
			return FAILED;
	}
	mm_isolate(run->mm, run->cpu, page);
	page_list_add_head(&run->pages, page);
	run->nr_pages++;
	s->isolated++;
	return TAKEN;
}

/* One page, or the whole of a free or huge block, which leaves `pfn` at its last page. */
static enum step step(struct scan *s, struct page *page)
{
	struct mm_compact_run *run = s->run;
	pfn_t pristine = page->flags & PG_INIT ? 0 : mm_pristine_end(run->zone, s->pfn);

	s->scanned++;
	mm_compact_look(run, page);
	if (!s->skip_checked && at_block_start(run, s->pfn)) {
		if (is_marked(run, s->pfn)) {
			s->pfn = s->end;
			return ABORT;
		}
		s->skip_checked = true;
	}
	if (pristine) {
		s->pfn = pristine - 1;
		return NEXT;
	}
	if (page->flags & PG_BUDDY) {
		s->pfn += (UINT64_C(1) << page->order) - 1;
		return NEXT;
	}
	if (page->refcount && !is_single(page)) {
		s->pfn += (UINT64_C(1) << page->order) - 1;
		return FAILED;
	}
	return can_move(run, page) ? take(s, page) : FAILED;
}

/* Nothing of the block of the wanted order is worth moving then. */
static void skip_order(struct scan *s)
{
	struct mm_compact_run *run = s->run;

	if (s->isolated) {
		leave_lock(s);
		mm_putback_list(run->mm, run->cpu, &run->pages);
		run->nr_pages = 0;
		s->isolated = 0;
	}
	if (s->pfn < s->next) {
		s->pfn = s->next - 1;
		s->next += UINT64_C(1) << run->order;
	}
}

/* Returns whether the block was left because it is marked. */
static bool scan_pages(struct scan *s, struct page *first, pfn_t start)
{
	struct mm_compact_run *run = s->run;

	for (; s->pfn < s->end; s->pfn++) {
		enum step result;

		if (s->give_up_early && s->pfn >= s->next) {
			if (s->isolated)
				return false;
			s->next = order_end(s->pfn, run->order);
		}
		if (s->pfn % MM_COMPACT_CLUSTER == 0) {
			leave_lock(s);
			run->cpu = mm_resched(run->mm, run->cpu);
		}
		result = step(s, first + (s->pfn - start));
		if (result == ABORT)
			return true;
		if (result == TAKEN && run->nr_pages >= MM_COMPACT_CLUSTER && !run->rescan &&
		    !run->contended) {
			s->pfn++;
			return false;
		}
		if (result == FAILED && s->give_up_early)
			skip_order(s);
	}
	return false;
}

/* From `pfn` on, within one page block. Returns false where the run has to end. */
static bool isolate_block(struct mm_compact_run *run, struct page *page, pfn_t pfn, pfn_t end)
{
	struct scan s = {.run = run,
			 .node = &run->mm->nodes[run->zone->nid],
			 .pfn = pfn,
			 .end = end,
			 .give_up_early = run->direct && run->mode == MM_MIGRATE_ASYNC};

	run->migrate_pfn = pfn;
	if (!wait_for_others(run, s.node))
		return false;
	run->cpu = mm_resched(run->mm, run->cpu);
	if (s.give_up_early)
		s.next = order_end(pfn, run->order);
	scan_pages(&s, page, pfn);
	leave_lock(&s);
	if (s.pfn > end)
		s.pfn = end;
	/* Moved or not, there is no point in coming back soon. */
	if (s.pfn == end && (!s.isolated || run->rescan)) {
		if (s.skip_checked && !s.skip_marked && !run->ignore_skips)
			*mm_pageblock_skip(run->mm, run->zone, pfn) = true;
		update_cached(run, s.pfn);
	}
	run->migrate_scanned += s.scanned;
	mm_count(run->mm, run->cpu, MM_VM_COMPACT_ISOLATED, s.isolated);
	run->migrate_pfn = s.pfn;
	return true;
}

/*
 * An asynchronous run for somebody who waits moves what is of his own mobility only: that may do,
 * and takes little. A huge page is never moved.
 */
static bool is_source(const struct mm_compact_run *run, const struct page *page, pfn_t pfn)
{
	enum mm_migratetype type = mm_pageblock_type(run->mm, run->zone, pfn);

	if (page->refcount && !(page->flags & PG_HELD) &&
	    page->order >= run->mm->arch->pageblock_order)
		return false;
	if (run->mode != MM_MIGRATE_ASYNC || !run->direct)
		return true;
	return type == run->type || (run->type == MM_MOVABLE && type == MM_CMA);
}

/* The list then begins behind `page`, which is its last. */
static void rotate_behind(struct page_list *list, struct page *page)
{
	if (list->tail == page)
		return;
	list->tail->next = list->head;
	list->head->prev = list->tail;
	list->head = page->next;
	list->head->prev = NULL;
	list->tail = page;
	page->next = NULL;
}

/* The first free block of the list below `high` in a page block that is not marked. */
static struct page *search_list(struct mm_compact_run *run, struct page_list *list, pfn_t high,
				unsigned *scanned)
{
	unsigned limit = mm_search_limit(run);

	for (struct page *page = list->head; page; page = page->next) {
		pfn_t pfn = mm_pfn_of(run->mm, page);

		mm_compact_look(run, page);
		if ((*scanned)++ >= limit) {
			rotate_behind(list, page);
			return NULL;
		}
		if (pfn >= high || *mm_pageblock_skip(run->mm, run->zone, pfn))
			continue;
		rotate_behind(list, page);
		return page;
	}
	return NULL;
}

/* Where a search of the free lists makes sense: for large blocks, at a page block's start. */
static bool may_search(const struct mm_compact_run *run)
{
	if (run->ignore_skips || run->order <= PAGE_ALLOC_COSTLY_ORDER)
		return false;
	if (run->migrate_pfn != run->zone->start_pfn && !at_block_start(run, run->migrate_pfn))
		return false;
	return !run->direct || run->type == MM_MOVABLE;
}

/* A page block near the migrate scanner that is partly free, so that less has to be moved. */
static struct page *search_lists(struct mm_compact_run *run)
{
	struct mm_zone *zone = run->zone;
	unsigned limit = mm_search_limit(run), scanned = 0;
	pfn_t distance = (run->free_pfn - run->migrate_pfn) / 2, high;
	struct page *page = NULL;

	/* Later on it had better not be one that pages have just been moved to. */
	if (run->migrate_pfn != zone->start_pfn)
		distance /= 4;
	high = mm_pageblock_start(run->mm, run->migrate_pfn + distance);
	for (int order = run->order - 1;
	     order >= PAGE_ALLOC_COSTLY_ORDER && !page && scanned < limit; order--) {
		if (!zone->free_area[order].lists[MM_MOVABLE].head)
			continue;
		mm_zone_lock(run->mm, run->cpu, zone);
		page = search_list(run, &zone->free_area[order].lists[MM_MOVABLE], high, &scanned);
		if (page) {
			pfn_t pfn = mm_pfn_of(run->mm, page);

			if (run->fast_start_pfn != MM_NO_FAST_START &&
			    (!run->fast_start_pfn || pfn < run->fast_start_pfn))
				run->fast_start_pfn = pfn;
			*mm_pageblock_skip(run->mm, zone, pfn) = true;
		}
		mm_zone_unlock(run->mm, run->cpu, zone);
	}
	run->migrate_scanned += scanned;
	return page;
}

static pfn_t find_block(struct mm_compact_run *run)
{
	struct page *page;
	pfn_t pfn;

	if (!may_search(run))
		return run->migrate_pfn;
	page = search_lists(run);
	if (page) {
		run->fast_fails = 0;
		pfn = mm_pageblock_start(run->mm, mm_pfn_of(run->mm, page));
		return pfn < run->zone->start_pfn ? run->zone->start_pfn : pfn;
	}
	run->fast_fails++;
	/* On from the lowest that was found. */
	if (run->fast_start_pfn && run->fast_start_pfn != MM_NO_FAST_START) {
		run->migrate_pfn = run->fast_start_pfn;
		run->fast_start_pfn = MM_NO_FAST_START;
	}
	return run->migrate_pfn;
}

enum mm_isolate_result mm_isolate_migratepages(struct mm_compact_run *run)
{
	struct mm *mm = run->mm;
	pfn_t pfn = find_block(run), start = mm_pageblock_start(mm, pfn);
	pfn_t end = mm_pageblock_end(mm, pfn);
	bool found = pfn != run->migrate_pfn && !run->fast_fails;

	if (start < run->zone->start_pfn)
		start = run->zone->start_pfn;
	for (; end <= run->free_pfn;
	     found = false, run->migrate_pfn = pfn = start = end, end += mm_pageblock_pages(mm)) {
		struct page *page;

		if (pfn % (MM_COMPACT_CLUSTER * mm_pageblock_pages(mm)) == 0)
			run->cpu = mm_resched(mm, run->cpu);
		page = mm_block_page(run, start, end);
		if (!page)
			continue;
		if (at_block_start(run, pfn) && !found && is_marked(run, pfn))
			continue;
		if (!is_source(run, page, start)) {
			update_cached(run, end);
			continue;
		}
		if (!isolate_block(run, page + (pfn - start), pfn, end))
			return MM_ISOLATE_ABORT;
		break;
	}
	return run->nr_pages ? MM_ISOLATE_SUCCESS : MM_ISOLATE_NONE;
}
