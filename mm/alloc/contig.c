/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A range of frames is emptied: its page blocks are isolated, so that nothing is allocated there
 * any more; what is on CPUs' lists goes back; what is in use moves to other frames; then all of it
 * is free, and is taken.
 *
 * Follows Linux 6.1 mm/page_alloc.c (alloc_contig_range, alloc_contig_pages) and
 * mm/page_isolation.c. What is free in isolated page blocks still counts as free here. Pages of the
 * pool of huge pages are not replaced.
 */
#include <errno.h>

#include "mm/alloc/contig.h"
#include "mm/alloc/pageblock.h"
#include "mm/compact/isolation.h"
#include "mm/compact/migrate.h"
#include "mm/huge/huge_pool.h"
#include "mm/page_ext/page_ext_state.h"

#define MOST_TRIES 5
/* Linux goes on until a signal comes: here it is given up after a tenth of a second without. */
#define OFFLINE_TRIES    100
#define OFFLINE_PAUSE_US 1000

struct contig {
	struct mm *mm;
	int cpu;
	struct mm_zone *zone;
	pfn_t start, end;
	enum mm_migratetype type;  /* of their page blocks, before and after */
	bool offline;              /* for good: nobody will own the frames */
	unsigned order;            /* of the block that is made of them all; 0: single pages */
	struct mm_nodemask others; /* offline: the nodes to move to */
	uint64_t migrated;         /* pages */
	pfn_t stuck;               /* the first frame that is in the way */
};

static struct page *page_at(const struct contig *c, pfn_t pfn)
{
	return c->mm->model->pfn_to_page(c->mm, MM_NO_CPU, pfn);
}

static pfn_t zone_end(const struct mm_zone *zone)
{
	return zone->start_pfn + zone->spanned;
}

/* The page blocks that the range touches, as far as the zone has them. */
static pfn_t blocks_start(const struct contig *c)
{
	pfn_t pfn = mm_pageblock_start(c->mm, c->start);

	return pfn < c->zone->start_pfn ? c->zone->start_pfn : pfn;
}

static pfn_t blocks_end(const struct contig *c)
{
	pfn_t pfn = mm_pageblock_end(c->mm, c->end - 1);

	return pfn > zone_end(c->zone) ? zone_end(c->zone) : pfn;
}

/* The free block that has `pfn` in it but does not begin there; NULL. */
static struct page *free_across(const struct contig *c, pfn_t pfn)
{
	for (unsigned order = 1; order <= MAX_PAGE_ORDER; order++) {
		pfn_t head = pfn >> order << order;
		struct page *page;

		if (head == pfn || head < c->zone->start_pfn ||
		    mm_zone_of_pfn(c->mm, head) != c->zone)
			continue;
		page = page_at(c, head);
		if ((page->flags & PG_BUDDY) && head + (UINT64_C(1) << page->order) > pfn)
			return page;
	}
	return NULL;
}

/* A free block of more than a page block becomes several, where the range begins or ends in it. */
static void cut_at(struct contig *c, pfn_t pfn)
{
	struct page *page = free_across(c, pfn);
	unsigned order = c->mm->arch->pageblock_order, whole;
	enum mm_migratetype type;
	pfn_t head;

	if (!page || page->order <= order)
		return;
	whole = page->order;
	head = mm_pfn_of(c->mm, page);
	type = (enum mm_migratetype)page->migratetype;
	mm_buddy_pull(c->mm, c->cpu, c->zone, page);
	for (uint64_t i = 0; i < UINT64_C(1) << whole; i += UINT64_C(1) << order)
		mm_buddy_add(c->mm, c->cpu, c->zone, page + i, head + i, order, type);
}

/* In a page of a pool that can be given up? It may begin before. */
static bool is_spare(const struct contig *c, pfn_t pfn)
{
	const struct page *page = mm_hugetlb_head(c->mm, pfn);

	return page && mm_hugetlb_is_spare(c->mm, page);
}

/* A frame that is looked at. */
static void look(const struct contig *c, pfn_t pfn)
{
	mm_work(c->mm, c->cpu, MM_SITE_BLOCK_SCAN, 1);
	mm_touch_page(c->mm, c->cpu, page_at(c, pfn), MM_READ);
}

/* Might it be emptied? Nothing of the kernel's in it, nor what boot has reserved. */
static bool is_movable(struct contig *c)
{
	struct mm *mm = c->mm;

	for (pfn_t pfn = c->start; pfn < c->end;) {
		const struct page *page;
		pfn_t pristine = mm_pristine_end(c->zone, pfn);

		c->stuck = pfn;
		if (mm_zone_of_pfn(mm, pfn) != c->zone)
			return false;
		look(c, pfn);
		if (pristine) {
			pfn = mm_round_block_up(pfn + 1);
			pfn = pfn < pristine ? pfn : pristine;
			continue;
		}
		page = page_at(c, pfn);
		if (pfn == c->start && free_across(c, pfn))
			page = free_across(c, pfn);
		if (!(page->flags & (PG_BUDDY | PG_PCP)) &&
		    (!page->refcount || !(page->flags & PG_LRU)) &&
		    !(c->offline && is_spare(c, pfn)))
			return false;
		pfn = mm_pfn_of(mm, page) + (UINT64_C(1) << page->order);
	}
	return true;
}

static void set_blocks(struct contig *c, enum mm_migratetype type)
{
	struct mm *mm = c->mm;

	for (pfn_t pfn = blocks_start(c); pfn < blocks_end(c); pfn = mm_pageblock_end(mm, pfn)) {
		enum mm_migratetype old = mm_pageblock_type(mm, c->zone, pfn);

		mm_pageblock_set_type(mm, c->zone, pfn, type);
		c->zone->nr_isolated_blocks += (type == MM_ISOLATE) - (old == MM_ISOLATE);
		if (old == MM_HIGHATOMIC)
			c->zone->nr_reserved_highatomic -= mm_pageblock_pages(mm);
		mm_move_free_pages(mm, c->cpu, c->zone, page_at(c, pfn), pfn, type);
	}
}

/* What is highatomic just stops being so when it goes offline. */
static bool is_apart(const struct contig *c, enum mm_migratetype type)
{
	return type == MM_ISOLATE || (type == MM_HIGHATOMIC && !c->offline) ||
	       (type == MM_CMA) != (c->type == MM_CMA);
}

/* With the zone's lock. */
static int isolate(struct contig *c)
{
	struct mm *mm = c->mm;

	for (pfn_t pfn = blocks_start(c); pfn < blocks_end(c); pfn = mm_pageblock_end(mm, pfn)) {
		c->stuck = pfn;
		if (is_apart(c, mm_pageblock_type(mm, c->zone, pfn)))
			return -EBUSY;
	}
	if (mm_buddy_unfold(mm, c->zone, blocks_start(c), blocks_end(c)))
		return -ENOMEM;
	if (!is_movable(c))
		return -EBUSY;
	cut_at(c, blocks_start(c));
	cut_at(c, blocks_end(c));
	set_blocks(c, MM_ISOLATE);
	return 0;
}

/* Whole page blocks merge across their ends again. */
static void undo(struct contig *c)
{
	struct mm *mm = c->mm;
	unsigned order = mm->arch->pageblock_order;

	set_blocks(c, c->type);
	for (pfn_t pfn = blocks_start(c); pfn < blocks_end(c); pfn = mm_pageblock_end(mm, pfn)) {
		struct page *page = page_at(c, pfn);

		if (!(page->flags & PG_BUDDY) || page->order != order || order == MAX_PAGE_ORDER)
			continue;
		mm_buddy_pull(mm, c->cpu, c->zone, page);
		mm_buddy_give(mm, c->cpu, c->zone, page, pfn, order, c->type);
	}
}

/* Kernel: alloc_migration_target(), near the zone but on any node. */
static struct page *allocate_target(struct mm *mm, struct mm_migration *m, const struct page *page)
{
	const struct contig *c = m->arg;
	struct mm_request req = {.cpu = m->cpu,
				 .nid = c->zone->nid,
				 .order = page->order,
				 .gfp = GFP_USER | __GFP_MOVABLE | __GFP_RETRY_MAYFAIL};
	enum mm_zone_type type = mm->arch->zones[c->zone->index].type;
	struct page *target;

	if (c->offline)
		req.nodes = &c->others;
	if (page->order)
		req.gfp = (req.gfp & ~__GFP_RECLAIM) | GFP_TRANSHUGE;
	if (type == MM_ZONE_HIGHMEM || type == MM_ZONE_MOVABLE)
		req.gfp |= __GFP_HIGHMEM;
	return mm_alloc_pages(mm, &req, &target) ? NULL : target;
}

static void free_target(struct mm *mm, struct mm_migration *m, struct page *target)
{
	mm_free_pages(mm, m->cpu, target, target->order);
}

/* The target was an allocation of its own, so the old block is freed. */
static void note_moved(struct mm *mm, struct mm_migration *m, struct page *from, struct page *to)
{
	struct contig *c = m->arg;

	(void)from;
	c->migrated += UINT64_C(1) << to->order;
	mm->counters.frees++;
}

/* All that is in use there. Returns whether there is anything that is not free. */
static bool isolate_pages(struct contig *c, struct page_list *pages)
{
	struct mm *mm = c->mm;
	struct mm_node *node = &mm->nodes[c->zone->nid];
	bool any = false;

	mm_lru_lock(mm, c->cpu, node);
	for (pfn_t pfn = c->start; pfn < c->end;) {
		struct page *page = page_at(c, pfn);

		if (page->refcount && mm_can_isolate(mm, page, true)) {
			mm_isolate(mm, c->cpu, page);
			page_list_add_tail(pages, page);
		}
		if (page->refcount && !any)
			c->stuck = pfn;
		any |= page->refcount > 0;
		pfn += page->refcount || page->flags & PG_BUDDY ? UINT64_C(1) << page->order : 1;
	}
	mm_lru_unlock(mm, c->cpu, node);
	return any;
}

/* Who goes offline waits for those who write a page, or free memory. */
static void give_way(struct contig *c, int failed)
{
	if (!c->offline)
		mm_resched(c->mm, c->cpu);
	else if (failed && c->mm->ops.sleep)
		c->cpu = c->mm->ops.sleep(c->mm->ctx, c->cpu, OFFLINE_PAUSE_US, NULL);
	else
		c->cpu = mm_resched(c->mm, c->cpu);
}

static int move_away(struct contig *c)
{
	int tries = c->offline && c->mm->ops.sleep ? OFFLINE_TRIES : MOST_TRIES;

	for (int i = 0; i < tries; i++) {
		struct page_list pages = {0};
		struct mm_migration m = {.cpu = c->cpu,
					 .mode = MM_MIGRATE_SYNC,
					 .reason = c->offline ? MM_MIGRATE_MEMORY_HOTPLUG
							      : MM_MIGRATE_CONTIG_RANGE,
					 .get = allocate_target,
					 .put = free_target,
					 .moved = note_moved,
					 .arg = c};
		int failed = 0;

		if (!isolate_pages(c, &pages))
			return 0;
		if (pages.head)
			failed = mm_migrate_list(c->mm, &m, &pages);
		mm_putback_list(c->mm, c->cpu, &pages);
		if (failed == -ENOMEM && !c->offline)
			return -ENOMEM;
		give_way(c, failed);
	}
	return -EBUSY;
}

/* The block that frame `pfn` is in, which is free in an isolated page block; NULL. */
static struct page *isolated_block(const struct contig *c, pfn_t pfn)
{
	struct page *page = page_at(c, pfn);

	if (!(page->flags & PG_BUDDY))
		page = free_across(c, pfn);
	return page && page->migratetype == MM_ISOLATE ? page : NULL;
}

static bool all_isolated(struct contig *c)
{
	c->stuck = c->start;
	for (pfn_t pfn = c->start; pfn < c->end;) {
		const struct page *page = isolated_block(c, pfn);

		if (!page)
			return false;
		pfn = mm_pfn_of(c->mm, page) + (UINT64_C(1) << page->order);
		c->stuck = pfn;
	}
	return true;
}

static void own(struct contig *c, pfn_t pfn)
{
	struct page *page = page_at(c, pfn);

	mm_page_init(c->mm, page, pfn, c->zone);
	page->refcount = 1;
	page->order = 0;
	page->migratetype = (uint8_t)c->type;
	c->mm->counters.allocs++;
}

/* They become one block. */
static void own_block(struct contig *c)
{
	struct page *page = page_at(c, c->start);

	own(c, c->start);
	page->order = (uint8_t)c->order;
}

/* All of it off the lists; what lies beyond its ends goes back. With the zone's lock. */
static void take(struct contig *c)
{
	struct mm *mm = c->mm;

	for (pfn_t pfn = c->start; pfn < c->end;) {
		struct page *page = isolated_block(c, pfn);
		pfn_t head = mm_pfn_of(mm, page), end = head + (UINT64_C(1) << page->order);

		mm_buddy_pull(mm, c->cpu, c->zone, page);
		for (pfn_t p = head; p < end; p++) {
			if (p >= c->start && p < c->end) {
				if (!c->order)
					own(c, p);
				continue;
			}
			mm_page_init(mm, page_at(c, p), p, c->zone);
			mm_buddy_give(mm, c->cpu, c->zone, page_at(c, p), p, 0, MM_ISOLATE);
		}
		pfn = end;
	}
	if (c->order)
		own_block(c);
	c->zone->alloc_pages += c->end - c->start;
}

/* With the zone's lock: off the lists, and the page blocks are as those of a zone that is new. */
static void retire(struct contig *c)
{
	struct mm *mm = c->mm;

	for (pfn_t pfn = c->start; pfn < c->end;) {
		struct page *page = isolated_block(c, pfn);

		pfn = mm_pfn_of(mm, page) + (UINT64_C(1) << page->order);
		mm_buddy_pull(mm, c->cpu, c->zone, page);
	}
	mm_map_clear(page_at(c, c->start), c->end - c->start);
	set_blocks(c, MM_MOVABLE);
	c->zone->managed -= c->end - c->start;
}

static int empty_and_take(struct contig *c)
{
	struct mm *mm = c->mm;
	int err;

	mm_zone_lock(mm, c->cpu, c->zone);
	err = isolate(c);
	mm_zone_unlock(mm, c->cpu, c->zone);
	if (err)
		return err;
	mm_pcp_drain_zone(mm, c->cpu, c->zone);
	if (c->offline)
		mm_hugetlb_dissolve(mm, c->cpu, c->start, c->end);
	err = move_away(c);
	/* What has moved was freed, or is in somebody's hands still. */
	mm_pcp_drain_zone(mm, c->cpu, c->zone);
	mm_zone_lock(mm, c->cpu, c->zone);
	if (!err && !all_isolated(c))
		err = -EBUSY;
	if (!err && c->offline)
		retire(c);
	else if (!err)
		take(c);
	if (err || !c->offline)
		undo(c);
	mm_zone_unlock(mm, c->cpu, c->zone);
	for (pfn_t pfn = c->start; mm->page_ext && !err && !c->offline && pfn < c->end; pfn++)
		mm_page_owner_set(mm, c->cpu, page_at(c, pfn), 0, __GFP_MOVABLE);
	return err;
}

int mm_alloc_contig_range(struct mm *mm, int cpu, pfn_t start, pfn_t end, bool cma)
{
	struct contig c = {.mm = mm,
			   .cpu = cpu,
			   .start = start,
			   .end = end,
			   .type = cma ? MM_CMA : MM_MOVABLE};

	c.zone = start < end ? mm_zone_of_pfn(mm, start) : NULL;
	if (!c.zone || mm_zone_of_pfn(mm, end - 1) != c.zone)
		return -EINVAL;
	return empty_and_take(&c);
}

/* Kernel: do_migrate_range(): to other nodes, unless there is none. */
static void find_others(struct contig *c)
{
	bool any = false;

	for (int n = 0; n < c->mm->nr_nodes; n++)
		if (n != c->zone->nid && c->mm->nodes[n].present) {
			mm_nodemask_set(&c->others, n);
			any = true;
		}
	if (!any)
		mm_nodemask_set(&c->others, c->zone->nid);
}

int mm_empty_range(struct mm *mm, struct mm_emptying *e)
{
	struct contig c = {.mm = mm,
			   .cpu = e->cpu,
			   .zone = e->zone,
			   .start = e->start,
			   .end = e->end,
			   .type = MM_MOVABLE,
			   .offline = true};
	int err;

	find_others(&c);
	err = empty_and_take(&c);
	e->cpu = c.cpu;
	e->migrated = c.migrated;
	e->stuck = c.stuck;
	return err;
}

/* The head of the block that a frame is in, free or in use; NULL: boot has reserved the frame. */
static const struct page *block_of(const struct contig *c, pfn_t pfn)
{
	for (unsigned order = 0; order <= MAX_PAGE_ORDER; order++) {
		pfn_t head = pfn >> order << order;
		const struct page *page;

		if (mm_zone_of_pfn(c->mm, head) != c->zone)
			return NULL;
		page = page_at(c, head);
		if (((page->flags & (PG_BUDDY | PG_PCP)) || page->refcount) &&
		    head + (UINT64_C(1) << page->order) > pfn)
			return page;
	}
	return NULL;
}

/*
 * Is there any point in trying? Not where boot has reserved a frame, or a page of a pool is in the
 * way. Kernel: pfn_range_valid_contig(), which looks at one frame after the other.
 */
static bool is_worth_it(const struct contig *c)
{
	struct mm *mm = c->mm;
	pfn_t pfn = c->start, bad = c->end;

	while (pfn < bad) {
		pfn_t pristine = mm_pristine_end(c->zone, pfn);
		const struct page *page = pristine ? NULL : block_of(c, pfn);

		if (pristine)
			pfn = pristine;
		else if (page && !mm_hugetlb_head(mm, pfn))
			pfn = mm_pfn_of(mm, page) + (UINT64_C(1) << page->order);
		else
			bad = pfn;
	}
	mm_work(mm, c->cpu, MM_SITE_BLOCK_SCAN, (uint32_t)(bad - c->start + (bad < c->end)));
	if (bad > c->start)
		mm_touch_pages(mm, c->cpu, page_at(c, c->start), bad - c->start, MM_READ);
	return bad == c->end;
}

static int find_in_zone(struct contig *c, uint64_t nr)
{
	struct mm *mm = c->mm;
	pfn_t pfn = (c->zone->start_pfn + nr - 1) & ~(nr - 1);

	mm_zone_lock(mm, c->cpu, c->zone);
	for (; pfn + nr <= zone_end(c->zone); pfn += nr) {
		int err;

		c->start = pfn;
		c->end = pfn + nr;
		if (!is_worth_it(c))
			continue;
		mm_zone_unlock(mm, c->cpu, c->zone);
		err = empty_and_take(c);
		if (!err)
			return 0;
		mm_zone_lock(mm, c->cpu, c->zone);
	}
	mm_zone_unlock(mm, c->cpu, c->zone);
	return -ENOMEM;
}

static int find(struct contig *c, const struct mm_request *req, uint64_t nr, struct page **first)
{
	struct mm *mm = c->mm;
	int nid = req->nid == MM_NO_NODE ? mm->cpu_nid[req->cpu] : req->nid;
	const struct mm_zonelist *list =
		req->gfp & __GFP_THISNODE ? &mm->nodes[nid].thisnode : &mm->nodes[nid].fallback;

	for (size_t i = 0; i < list->nr; i++) {
		c->zone = list->zones[i];
		if (c->zone->index > gfp_zone(mm->arch, req->gfp) ||
		    (req->nodes && !mm_nodemask_has(req->nodes, c->zone->nid)))
			continue;
		if (find_in_zone(c, nr))
			continue;
		*first = page_at(c, c->start);
		return 0;
	}
	*first = NULL;
	return -ENOMEM;
}

int mm_alloc_contig_pages(struct mm *mm, const struct mm_request *req, uint64_t nr,
			  struct page **first)
{
	struct contig c = {.mm = mm, .cpu = req->cpu, .type = MM_MOVABLE};

	return find(&c, req, nr, first);
}

int mm_alloc_contig_block(struct mm *mm, const struct mm_request *req, unsigned order,
			  struct page **page)
{
	struct contig c = {.mm = mm, .cpu = req->cpu, .type = MM_MOVABLE, .order = order};

	return find(&c, req, UINT64_C(1) << order, page);
}

void mm_free_contig_range(struct mm *mm, int cpu, struct page *first, uint64_t nr)
{
	for (uint64_t i = 0; i < nr; i++)
		mm_free_pages(mm, cpu, first + i, 0);
}
