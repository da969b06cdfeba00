/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts a zone's frames, as boot left them, where a running kernel had as many: on the free lists,
 * on CPUs' lists, and the rest in use by nobody we follow (held.c). Where exactly is layout.c's
 * business.
 */
#include "mm/start.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "mm/alloc/held.h"
#include "mm/alloc/pageblock.h"
#include "mm/huge/huge_pool.h"
#include "mm/layout.h"
#include "mm/page_ext/page_ext_state.h"
#include "mm/zone_count.h"

struct starter {
	struct mm *mm;
	struct mm_zone *zone;
	const struct mm_zone_state *want;
	size_t index;
	struct mm_refusal *r;
	struct mm_extent *ranges; /* managed frames, ascending */
	size_t nr, room;
	uint64_t managed; /* their sum */
};

static int add_range(struct starter *s, pfn_t start, pfn_t end)
{
	if (s->nr == s->room) {
		size_t room = s->room ? 2 * s->room : 64;
		struct mm_extent *grown = realloc(s->ranges, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		s->ranges = grown;
		s->room = room;
	}
	s->ranges[s->nr++] = (struct mm_extent){start, end};
	s->managed += end - start;
	return 0;
}

static int by_start(const void *a, const void *b)
{
	const struct mm_extent *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static void merge_ranges(struct starter *s)
{
	size_t last = 0;

	if (!s->nr)
		return;
	qsort(s->ranges, s->nr, sizeof(*s->ranges), by_start);
	for (size_t i = 1; i < s->nr; i++) {
		if (s->ranges[i].start == s->ranges[last].end)
			s->ranges[last].end = s->ranges[i].end;
		else
			s->ranges[++last] = s->ranges[i];
	}
	s->nr = last + 1;
}

/* Take all frames off the lists of a zone that nobody has allocated from. */
static int empty_lists(struct starter *s)
{
	struct mm_zone *zone = s->zone;
	int err = 0;

	for (unsigned order = 0; order < NR_PAGE_ORDERS && !err; order++)
		for (int t = 0; t < MM_NR_MIGRATETYPES && !err; t++) {
			struct page_list *list = &zone->free_area[order].lists[t];
			struct page *page;

			while ((page = list->head) && !err) {
				pfn_t pfn = mm_pfn_of(s->mm, page);

				page_list_del(list, page);
				page->flags &= ~(uint64_t)PG_STATE_MASK;
				err = add_range(s, pfn, pfn + (UINT64_C(1) << order));
			}
			zone->free_area[order].nr_free[t] = 0;
		}
	for (size_t i = zone->next_pristine; i < zone->nr_pristine && !err; i++)
		err = add_range(s, zone->pristine[i].start, zone->pristine[i].end);
	zone->nr_pristine = zone->next_pristine = 0;
	zone->nr_free = 0;
	mm_zone_fold(s->mm, zone);
	zone->free_counter = 0;
	zone->vm_stat[MM_ZS_FREE_CMA] = 0;
	merge_ranges(s);
	return err;
}

static uint64_t pages_free(const struct mm_zone_state *want)
{
	uint64_t pages = 0;

	for (int t = 0; t < MM_NR_MIGRATETYPES; t++)
		for (unsigned o = 0; o < NR_PAGE_ORDERS; o++)
			pages += want->free_blocks[t][o] << o;
	return pages;
}

static uint64_t pages_on_lists(const struct mm *mm, const struct mm_zone_state *want)
{
	uint64_t pages = 0;

	for (int cpu = 0; cpu < mm->nr_cpus; cpu++)
		pages += want->pcp[cpu].count;
	return pages;
}

/* What is on lists is not more than there is. */
static int check_zone(const struct starter *s)
{
	uint64_t free = pages_free(s->want), listed = pages_on_lists(s->mm, s->want);
	uint64_t least = s->managed < s->want->managed ? s->managed : s->want->managed;

	if (s->want->boost > s->want->min || s->want->min > s->want->low ||
	    s->want->low > s->want->high)
		return mm_refuse(s->r, MM_ABOUT_STATE, s->index,
				 "node %d, zone %s: boost <= min <= low <= high does not hold",
				 s->zone->nid, s->zone->name);
	if (free <= least && listed <= least - free)
		return 0;
	return mm_refuse(s->r, MM_ABOUT_STATE, s->index,
			 "node %d, zone %s: %" PRIu64 " pages free and %" PRIu64
			 " on lists of CPUs, but %" PRIu64 " are managed",
			 s->zone->nid, s->zone->name, free, listed, least);
}

/* Blocks of the largest order in ascending order first: those may stay untouched. */
static int put_free(struct starter *s, const struct layout *l)
{
	size_t nr;
	const struct layout_block *blocks = layout_free_blocks(l, &nr);
	int err = 0;

	for (size_t i = nr; i-- > 0 && !err;)
		if (blocks[i].order == MAX_PAGE_ORDER && blocks[i].type == MM_MOVABLE)
			err = mm_buddy_release(s->mm, s->zone, blocks[i].pfn,
					       blocks[i].pfn + (UINT64_C(1) << MAX_PAGE_ORDER));
	for (size_t i = 0; i < nr && !err; i++)
		if (blocks[i].order != MAX_PAGE_ORDER || blocks[i].type != MM_MOVABLE)
			mm_buddy_put(s->mm, s->zone, blocks[i].pfn, blocks[i].order,
				     (enum mm_migratetype)blocks[i].type);
	return err;
}

/* A list may hold what was taken from page blocks of another mobility, when its own had no more. */
static int take_for_list(struct layout *l, unsigned order, enum mm_migratetype type, pfn_t *pfn)
{
	int err = layout_take_block(l, type, order, pfn);

	for (int t = 0; t < MM_NR_PCPTYPES && err == -ENOENT; t++)
		if (t != (int)type)
			err = layout_take_block(l, (enum mm_migratetype)t, order, pfn);
	return err;
}

static int put_on_list(struct starter *s, struct layout *l, int cpu, unsigned order,
		       enum mm_migratetype type)
{
	struct mm_pcp *pcp = &s->zone->pcp[cpu];
	struct page *page;
	pfn_t pfn;
	int err = take_for_list(l, order, type, &pfn);

	if (err)
		return err;
	page = s->mm->model->pfn_to_page(s->mm, MM_NO_CPU, pfn);
	mm_page_init(s->mm, page, pfn, s->zone);
	page->flags |= PG_PCP;
	page->order = (uint8_t)order;
	page->migratetype = (uint8_t)type;
	page_list_add_tail(&pcp->lists[mm_pcp_list(order, type)], page);
	pcp->count += 1u << order;
	return 0;
}

/* Lists that are mostly in use: the kernel's own small blocks, and user memory. */
static const struct {
	unsigned order;
	enum mm_migratetype type;
} lists_in_use[] = {
	{3, MM_UNMOVABLE}, {2, MM_UNMOVABLE}, {1, MM_UNMOVABLE}, {0, MM_UNMOVABLE}, {0, MM_MOVABLE},
};
#define NR_LISTS_IN_USE (sizeof(lists_in_use) / sizeof(*lists_in_use))

/* That it is not there is known of a list, too. */
static bool is_all_known(const struct starter *s, int cpu, unsigned order, enum mm_migratetype type)
{
	return !mm_pcp_holds(s->mm, order) ||
	       s->want->pcp[cpu].all_known & 1u << mm_pcp_list(order, type);
}

/* Of the `*left` pages at most `pages`, as far as there are blocks. */
static int put_pages(struct starter *s, struct layout *l, int cpu, unsigned order,
		     enum mm_migratetype type, uint64_t pages, uint64_t *left)
{
	uint64_t block = UINT64_C(1) << order;
	int err = 0;

	for (; !err && pages >= block && *left >= block; pages -= block) {
		err = put_on_list(s, l, cpu, order, type);
		*left -= err ? 0 : block;
	}
	return err == -ENOENT ? 0 : err;
}

/* A single page, rather on a list that may hold more than is known. */
static int put_any(struct starter *s, struct layout *l, int cpu)
{
	for (int t = 0; t < MM_NR_PCPTYPES; t++)
		if (!is_all_known(s, cpu, 0, (enum mm_migratetype)t))
			return put_on_list(s, l, cpu, 0, (enum mm_migratetype)t);
	return put_on_list(s, l, cpu, 0, MM_UNMOVABLE);
}

/* What is known to have been on the lists. */
static int put_known(struct starter *s, struct layout *l, int cpu, uint64_t *left)
{
	const struct mm_pcp_state *want = &s->want->pcp[cpu];
	int err = 0;

	for (unsigned list = 0; list < NR_PCP_LISTS && !err; list++) {
		unsigned order = mm_pcp_list_order(s->mm, list);
		enum mm_migratetype type =
			order > PAGE_ALLOC_COSTLY_ORDER ? MM_MOVABLE : list % MM_NR_PCPTYPES;

		if (mm_pcp_holds(s->mm, order))
			err = put_pages(s, l, cpu, order, type, want->least[list], left);
	}
	return err;
}

/*
 * Of the others it is not told of which order and mobility they are. As many as a huge page has are
 * one: that many single pages rarely come together. The rest is spread evenly over lists that may
 * hold more than is known, since a list is filled with so many pages, whatever the size of its
 * blocks, and used up before it is filled again.
 */
static int put_listed_by(struct starter *s, struct layout *l, int cpu)
{
	const struct mm_pcp_state *want = &s->want->pcp[cpu];
	unsigned huge = s->mm->arch->pageblock_order, open = 0;
	uint64_t left = want->count, share;
	int err = put_known(s, l, cpu, &left);

	if (!err && !is_all_known(s, cpu, huge, MM_MOVABLE))
		err = put_pages(s, l, cpu, huge, MM_MOVABLE, left, &left);
	for (size_t i = 0; i < NR_LISTS_IN_USE; i++)
		open += !is_all_known(s, cpu, lists_in_use[i].order, lists_in_use[i].type);
	share = open ? (left + open - 1) / open : 0;
	for (size_t i = 0; i < NR_LISTS_IN_USE && !err; i++)
		if (!is_all_known(s, cpu, lists_in_use[i].order, lists_in_use[i].type))
			err = put_pages(s, l, cpu, lists_in_use[i].order, lists_in_use[i].type,
					share, &left);
	for (; left && !err; left--)
		err = put_any(s, l, cpu);
	if (err != -ENOENT)
		return err;
	return mm_refuse(s->r, MM_ABOUT_STATE, s->index,
			 "node %d, zone %s: no page left for the list of CPU %d", s->zone->nid,
			 s->zone->name, cpu);
}

static int put_listed(struct starter *s, struct layout *l)
{
	int err = 0;

	for (int cpu = 0; cpu < s->mm->nr_cpus && !err; cpu++)
		err = put_listed_by(s, l, cpu);
	return err;
}

/*
 * The rest is held. Where the machine manages more than the real one did, what is over is no longer
 * managed.
 */
static int put_held(struct starter *s, struct layout *l)
{
	uint64_t over = s->managed > s->want->managed ? s->managed - s->want->managed : 0;
	uint64_t lru = 0;
	struct layout_block block;
	int err;

	for (int i = 0; i < MM_NR_LRU; i++)
		lru += s->want->lru[i];
	for (int t = 0; t < MM_NR_PCPTYPES; t++)
		for (pfn_t pfn; over && !layout_take_block(l, (enum mm_migratetype)t, 0, &pfn);) {
			over--;
			s->managed--;
		}
	err = mm_held_init(s->zone);
	for (int i = 0; i < MM_NR_LRU && !err; i++)
		s->zone->held_lists->lru[i] = s->want->lru[i];
	while (!err && layout_take_used(l, &block)) {
		uint64_t pages = UINT64_C(1) << block.order;
		bool user = block.type == MM_MOVABLE && lru >= pages;

		mm_held_put(s->mm, s->zone, block.pfn, block.order, (enum mm_migratetype)block.type,
			    user);
		lru -= user ? pages : 0;
	}
	s->zone->managed = s->managed;
	return err;
}

/*
 * What the counter lacks CPUs hold back, and it is not told which: the first ones, each as much as
 * it may. Lists of other nodes' pages are used until the contrary shows.
 */
static void put_held_back(struct starter *s)
{
	int64_t left = s->want->held_back, most = s->zone->stat_threshold;

	for (int cpu = 0; cpu < s->mm->nr_cpus; cpu++) {
		struct mm_pcp *pcp = &s->zone->pcp[cpu];
		int64_t part = left > most ? most : left < -most ? -most : left;

		pcp->free_diff = (int16_t)part;
		pcp->stat_changed = true;
		s->zone->free_counter -= part;
		left -= part;
	}
}

static void set_figures(struct starter *s)
{
	const struct mm_zone_state *want = s->want;
	struct mm_zone *zone = s->zone;

	zone->boost = want->boost;
	zone->wmark[MM_WMARK_MIN] = want->min - want->boost;
	zone->wmark[MM_WMARK_LOW] = want->low - want->boost;
	zone->wmark[MM_WMARK_HIGH] = want->high - want->boost;
	for (int z = 0; z < s->mm->arch->nr_zones; z++)
		zone->lowmem_reserve[z] = want->protection[z];
	zone->pcp_high = (unsigned)want->pcp[0].high;
	zone->pcp_batch = (unsigned)want->pcp[0].batch;
	zone->stat_threshold = want->pcp[0].stat_threshold;
	put_held_back(s);
	zone->nr_reserved_highatomic = want->page_blocks[MM_HIGHATOMIC] * mm_pageblock_pages(s->mm);
}

static int start_zone(struct starter *s)
{
	struct layout *l = NULL;
	char why[200];
	int err = empty_lists(s);

	if (!err)
		err = check_zone(s);
	if (err)
		return err;
	err = layout_make(s->mm, s->zone, s->want, s->ranges, s->nr, &l, why, sizeof(why));
	if (err == -EINVAL)
		return mm_refuse(s->r, MM_ABOUT_STATE, s->index, "%s", why);
	if (!err)
		err = put_free(s, l);
	if (!err)
		err = put_listed(s, l);
	if (!err)
		err = put_held(s, l);
	if (!err)
		set_figures(s);
	layout_free(l);
	return err;
}

int mm_start_from(struct mm *mm, const struct mm_zone_state *states, size_t nr,
		  struct mm_refusal *refusal)
{
	uint64_t min = 0;

	/* Their pages are among those that the state has in use. */
	mm_hugetlb_forget(mm);
	if (mm_page_ext_forget(mm, refusal))
		return -EINVAL;
	for (size_t i = 0; i < nr; i++) {
		struct starter s = {.mm = mm, .want = &states[i], .index = i, .r = refusal};
		int err;

		if (states[i].nid < 0 || states[i].nid >= mm->nr_nodes || states[i].zone < 0 ||
		    states[i].zone >= mm->arch->nr_zones ||
		    !mm_zone_populated(&mm->nodes[states[i].nid].zones[states[i].zone]))
			return mm_refuse(refusal, MM_ABOUT_STATE, i,
					 "node %d has no zone %d with memory", states[i].nid,
					 states[i].zone);
		s.zone = &mm->nodes[states[i].nid].zones[states[i].zone];
		if (s.zone->held)
			return mm_refuse(refusal, MM_ABOUT_STATE, i,
					 "node %d, zone %s: pages are in use already", s.zone->nid,
					 s.zone->name);
		err = start_zone(&s);
		free(s.ranges);
		if (err)
			return err;
		if (mm->arch->zones[s.zone->index].type != MM_ZONE_HIGHMEM)
			min += s.zone->wmark[MM_WMARK_MIN];
	}
	mm->min_free_kbytes = (min << mm->arch->page_shift) / 1024;
	return 0;
}
