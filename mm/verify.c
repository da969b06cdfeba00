/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recomputes every invariant of the mm core from its lists and descriptors and compares: the
 * equations above struct mm_zone and struct page, zone by zone, and the sums over all of them.
 * Wants a quiet mm core: no CPU between two steps of an operation.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mm/alloc/pageblock.h"
#include "mm/hotplug/hotplug_state.h"
#include "mm/huge/huge_pool.h"
#include "mm/page_ext/page_ext_state.h"
#include "mm/reclaim/lru_lists.h"
#include "mm/slab/dcache.h"
#include "mm/slab/slub.h"
#include "mm/user/user.h"
#include "mm/vmalloc/kmap_state.h"
#include "mm/vmalloc/vmalloc_state.h"
#include "mm/zone_count.h"

struct report {
	const struct mm *mm;
	char *why;
	size_t size;
	uint64_t blocks_in_use;
	uint64_t numa_miss, numa_foreign;
	uint64_t lru[MM_NR_LRU]; /* pages of the zone that say they are on that list */
	uint64_t batched;        /* pages in all that say so */
	uint64_t zone_stats[MM_NR_ZONE_STATS]; /* what its counters should be, from its pages */
	uint64_t stats[MM_NR_NODE_STATS];      /* of the node */
	uint64_t pooled[MM_MAX_HUGE_SIZES];    /* of the node, blocks that say so, by size */
	uint64_t slabs;                        /* likewise, in all */
};

__attribute__((format(printf, 2, 3))) static int violated(struct report *r, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(r->why, r->size, fmt, args);
	va_end(args);
	return -EINVAL;
}

static bool in_zone(const struct mm_zone *zone, pfn_t pfn)
{
	return pfn >= zone->start_pfn && pfn - zone->start_pfn < zone->spanned;
}

static pfn_t pfn_of(const struct report *r, const struct page *page)
{
	return mm_pfn_of((struct mm *)r->mm, page);
}

/* One block on a list of its zone: marked so, aligned, within the zone, unreferenced. */
static int check_listed(struct report *r, const struct mm_zone *zone, const struct page_list *list,
			const struct page *page, unsigned order, uint64_t mark)
{
	pfn_t pfn = pfn_of(r, page), mask = (UINT64_C(1) << order) - 1;

	if ((page->flags & PG_STATE_MASK) != mark || page->refcount || page->order != order)
		return violated(r,
				"pfn 0x%" PRIx64 ": on a list of order %u, but flags 0x%" PRIx64
				", order %u, refcount %d",
				pfn, order, page->flags, page->order, page->refcount);
	if ((pfn & mask) || !in_zone(zone, pfn) || !in_zone(zone, pfn + mask))
		return violated(r, "pfn 0x%" PRIx64 ": block of order %u not aligned or beyond %s",
				pfn, order, zone->name);
	if (mm_page_zone(r->mm, page) != zone)
		return violated(r, "pfn 0x%" PRIx64 ": on a list of node %d %s, not its zone", pfn,
				zone->nid, zone->name);
	if ((page->next ? page->next->prev : list->tail) != page)
		return violated(r, "pfn 0x%" PRIx64 ": broken list", pfn);
	return 0;
}

/* Ranges of whole largest blocks, in ascending order, within the zone; counts their blocks. */
static int check_pristine(struct report *r, const struct mm_zone *zone, uint64_t *blocks)
{
	pfn_t last = 0;

	*blocks = 0;
	for (size_t i = zone->next_pristine; i < zone->nr_pristine; i++) {
		const struct mm_extent *e = &zone->pristine[i];

		if (e->start < last || e->start >= e->end ||
		    mm_round_block_down(e->start) != e->start ||
		    mm_round_block_down(e->end) != e->end || !in_zone(zone, e->start) ||
		    !in_zone(zone, e->end - 1))
			return violated(r,
					"node %d %s: pristine frames 0x%" PRIx64 " to 0x%" PRIx64,
					zone->nid, zone->name, e->start, e->end);
		last = e->end;
		*blocks += (e->end - e->start) >> MAX_PAGE_ORDER;
	}
	return 0;
}

/* The blocks of one order and mobility. Adds their number to *total. */
static int check_free_list(struct report *r, const struct mm_zone *zone, unsigned order,
			   enum mm_migratetype type, uint64_t blocks, uint64_t *total)
{
	const struct mm_free_area *area = &zone->free_area[order];

	for (const struct page *p = area->lists[type].head; p; p = p->next) {
		int err = check_listed(r, zone, &area->lists[type], p, order, PG_BUDDY);

		if (err)
			return err;
		if (p->migratetype != type)
			return violated(r,
					"pfn 0x%" PRIx64 ": of mobility %u, on a list of mobility "
					"%d",
					pfn_of(r, p), p->migratetype, type);
		blocks++;
	}
	if (blocks != area->nr_free[type])
		return violated(
			r, "node %d %s order %u: %" PRIu64 " blocks listed, %" PRIu64 " counted",
			zone->nid, zone->name, order, blocks, area->nr_free[type]);
	*total += blocks;
	return 0;
}

/* What the zone's counter says and what CPUs hold back make up what is free. */
static int check_counter(struct report *r, const struct mm_zone *zone)
{
	int64_t diffs = 0;

	for (int cpu = 0; zone->pcp && cpu < r->mm->nr_cpus; cpu++) {
		int diff = zone->pcp[cpu].free_diff;

		if (diff > STAT_THRESHOLD_MOST || diff < -STAT_THRESHOLD_MOST)
			return violated(r, "node %d %s: CPU %d holds back %d pages of the counter",
					zone->nid, zone->name, cpu, diff);
		diffs += diff;
	}
	if (zone->free_counter + diffs != (int64_t)zone->nr_free)
		return violated(r,
				"node %d %s: %" PRIu64 " pages free, but the counter says %" PRId64
				" and CPUs hold back %" PRId64,
				zone->nid, zone->name, zone->nr_free, zone->free_counter, diffs);
	return 0;
}

static int check_free_lists(struct report *r, const struct mm_zone *zone)
{
	uint64_t pages = 0, pristine;
	int err = check_pristine(r, zone, &pristine);

	for (unsigned order = 0; order < NR_PAGE_ORDERS && !err; order++) {
		uint64_t blocks = 0;

		for (int type = 0; type < MM_NR_MIGRATETYPES && !err; type++) {
			bool largest = order == MAX_PAGE_ORDER && type == MM_MOVABLE;

			err = check_free_list(r, zone, order, (enum mm_migratetype)type,
					      largest ? pristine : 0, &blocks);
		}
		pages += blocks << order;
	}
	if (err)
		return err;
	if (pages != zone->nr_free)
		return violated(r, "node %d %s: %" PRIu64 " pages listed free, %" PRIu64 " counted",
				zone->nid, zone->name, pages, zone->nr_free);
	return check_counter(r, zone);
}

/* Page blocks set apart for highatomic are counted. */
static int check_page_blocks(struct report *r, const struct mm_zone *zone)
{
	uint64_t block = mm_pageblock_pages(r->mm), highatomic = 0;
	pfn_t end = zone->start_pfn + zone->spanned;

	for (pfn_t pfn = zone->start_pfn & ~(block - 1); pfn < end; pfn += block) {
		enum mm_migratetype type = mm_pageblock_type(r->mm, zone, pfn);

		if (type >= MM_NR_MIGRATETYPES)
			return violated(r, "pfn 0x%" PRIx64 ": page block of mobility %d", pfn,
					type);
		highatomic += type == MM_HIGHATOMIC ? block : 0;
	}
	if (highatomic != zone->nr_reserved_highatomic)
		return violated(r,
				"node %d %s: %" PRIu64 " pages in highatomic page blocks, %" PRIu64
				" counted",
				zone->nid, zone->name, highatomic, zone->nr_reserved_highatomic);
	return 0;
}

static int check_pcp(struct report *r, const struct mm_zone *zone, uint64_t *total)
{
	for (int cpu = 0; cpu < r->mm->nr_cpus; cpu++) {
		const struct mm_pcp *pcp = &zone->pcp[cpu];
		uint64_t pages = 0;

		for (unsigned i = 0; i < NR_PCP_LISTS; i++)
			for (const struct page *p = pcp->lists[i].head; p; p = p->next) {
				unsigned order = mm_pcp_list_order(r->mm, i);
				int err = check_listed(r, zone, &pcp->lists[i], p, order, PG_PCP);

				if (err)
					return err;
				if (!mm_pcp_holds(r->mm, order))
					return violated(r,
							"pfn 0x%" PRIx64 ": on list %u of CPU %d, "
							"which its kernel does not have",
							pfn_of(r, p), i, cpu);
				if (mm_pcp_list(order, (enum mm_migratetype)p->migratetype) != i)
					return violated(r,
							"pfn 0x%" PRIx64 ": of mobility %u, on "
							"list %u of CPU %d",
							pfn_of(r, p), p->migratetype, i, cpu);
				pages += UINT64_C(1) << order;
			}
		if (pages != pcp->count)
			return violated(
				r, "node %d %s CPU %d: %" PRIu64 " pages on its lists, %u counted",
				zone->nid, zone->name, cpu, pages, pcp->count);
		*total += pages;
	}
	return 0;
}

/*
 * A free block whose buddy is free too should have merged; but page blocks that are set apart do
 * not, and stay as they are when they no longer are.
 */
static int check_merged(struct report *r, const struct mm_zone *zone, const struct page *page,
			pfn_t pfn)
{
	const struct page *buddy;

	if (page->order == MAX_PAGE_ORDER ||
	    (zone->had_apart && page->order >= r->mm->arch->pageblock_order))
		return 0;
	buddy = page + ((int64_t)(pfn ^ (UINT64_C(1) << page->order)) - (int64_t)pfn);
	if ((buddy->flags & PG_BUDDY) && buddy->order == page->order &&
	    mm_page_zone(r->mm, buddy) == zone)
		return violated(r, "pfn 0x%" PRIx64 ": its buddy of order %u is free too", pfn,
				page->order);
	return 0;
}

struct census {
	uint64_t free, pcp, used, held;
	pfn_t block_end; /* frames below it belong to the block before */
	size_t extent;   /* the pristine range that comes next */
};

/* Counts the pristine range that begins at `pfn`, and returns its end; `pfn` where none does. */
static pfn_t count_pristine(const struct mm_zone *zone, pfn_t pfn, struct census *c)
{
	const struct mm_extent *e;

	if (c->extent == zone->nr_pristine || zone->pristine[c->extent].start != pfn)
		return pfn;
	e = &zone->pristine[c->extent];
	c->free += e->end - pfn;
	c->extent++;
	return c->block_end = e->end;
}

/* What zone and node count by what is known of the page: as mm_page_account() and others do. */
static void count_states(struct report *r, const struct page *page, uint64_t pages)
{
	uint64_t *stats = r->stats, *zone = r->zone_stats, flags = page->flags;
	bool file = !(flags & PG_SWAPBACKED), dirty = file && (flags & PG_DIRTY);
	bool swapcache = flags & PG_SWAPCACHE;
	bool anon = !file && !page->shmem;

	stats[MM_NS_ISOLATED_ANON + file] += flags & PG_ISOLATED ? pages : 0;
	stats[MM_NS_ANON_MAPPED] += anon && mm_counts_anon(page, flags) ? pages : 0;
	stats[MM_NS_FILE_MAPPED] += !anon && (flags & PG_MAPPED) ? pages : 0;
	stats[MM_NS_FILE_PAGES] += (page->cached + swapcache) * pages;
	stats[MM_NS_SHMEM] += page->shmem ? pages : 0;
	stats[MM_NS_SWAPCACHE] += swapcache ? pages : 0;
	stats[MM_NS_FILE_DIRTY] += dirty ? pages : 0;
	stats[MM_NS_WRITEBACK] += flags & PG_WRITEBACK ? pages : 0;
	zone[MM_ZS_WRITE_PENDING] += (dirty + !!(flags & PG_WRITEBACK)) * pages;
	zone[MM_ZS_MLOCK] += (flags & (PG_UNEVICTABLE | PG_HELD)) == PG_UNEVICTABLE ? pages : 0;
}

/* A page that reclaim follows: in one place only, with a reference for each who has one. */
static int count_user_page(struct report *r, pfn_t pfn, const struct page *page)
{
	uint64_t place = page->flags & PG_PLACE_MASK, pages = UINT64_C(1) << page->order;
	bool dropped = page->flags & PG_DROPPED;
	int refs = !dropped + !!(place & PG_ISOLATED) + !!(page->flags & PG_WRITEBACK);

	if ((place & (place - 1)) || page->refcount != refs)
		return violated(r,
				"pfn 0x%" PRIx64 ": in more than one place: flags 0x%" PRIx64
				", refcount %d, expected %d",
				pfn, page->flags, page->refcount, refs);
	if (place & PG_ON_LRU)
		r->lru[mm_page_lru(page)] += pages;
	r->batched += place & PG_BATCHED ? 1 : 0;
	count_states(r, page, pages);
	return 0;
}

static int count_frame(struct report *r, const struct mm_zone *zone, pfn_t pfn, struct census *c)
{
	const struct page *page = r->mm->model->pfn_to_page((struct mm *)r->mm, MM_NO_CPU, pfn);
	uint64_t state = page->flags & PG_STATE_MASK;
	uint64_t pages = UINT64_C(1) << page->order;

	if (!state && !page->refcount)
		return 0;
	if (pfn < c->block_end)
		return violated(r, "pfn 0x%" PRIx64 ": heads a block inside another", pfn);
	if (pfn_of(r, page) != pfn || mm_page_zone(r->mm, page) != zone)
		return violated(r, "pfn 0x%" PRIx64 ": descriptor names another frame or zone",
				pfn);
	if (r->mm->flags.section_width &&
	    mm_page_section(r->mm, page) !=
		    pfn >> (r->mm->arch->section_bits - r->mm->arch->page_shift))
		return violated(r, "pfn 0x%" PRIx64 ": descriptor names another section", pfn);
	c->block_end = pfn + pages;
	if ((page->flags & (PG_USE_MASK & ~PG_LRU)) && (state & (PG_BUDDY | PG_PCP)))
		return violated(r, "pfn 0x%" PRIx64 ": free, but with flags 0x%" PRIx64, pfn,
				page->flags & PG_USE_MASK);
	if (state != PG_BUDDY && state != PG_PCP && count_user_page(r, pfn, page))
		return -EINVAL;
	if (state == PG_BUDDY) {
		c->free += pages;
		return check_merged(r, zone, page, pfn);
	}
	if (state == PG_PCP) {
		c->pcp += pages;
	} else if (state == PG_HELD && page->refcount > 0) {
		c->held += pages;
	} else if (state == 0 && page->refcount > 0) {
		c->used += pages;
		r->blocks_in_use += !(page->flags & PG_DROPPED);
		if (page->flags & PG_HUGETLB)
			r->pooled[mm_hugetlb_size_of(r->mm, page)]++;
		r->slabs += page->slab;
	} else {
		return violated(r,
				"pfn 0x%" PRIx64 ": in more than one place: flags 0x%" PRIx64
				", refcount %d",
				pfn, page->flags, page->refcount);
	}
	return 0;
}

/* Every frame of the zone that is memory, counted by where it is. */
static int take_census(struct report *r, const struct mm_zone *zone, struct census *c)
{
	const struct memblock_list *memory = &r->mm->memblock.memory;

	for (size_t i = 0; i < memory->nr; i++) {
		pfn_t pfn = memory->regions[i].start >> r->mm->arch->page_shift;
		pfn_t end = memory->regions[i].end >> r->mm->arch->page_shift;

		if (memory->regions[i].nid != zone->nid ||
		    !mm_zone_takes(r->mm, zone, memory->regions[i].flags))
			continue;
		for (; pfn < end; pfn++) {
			int err = 0;

			if (pfn >= c->block_end)
				pfn = count_pristine(zone, pfn, c);
			if (pfn < end && in_zone(zone, pfn))
				err = count_frame(r, zone, pfn, c);
			if (err)
				return err;
		}
	}
	return 0;
}

/* What the counters of the zone say and what CPUs hold back make up what there is. */
static int check_zone_stats(struct report *r, const struct mm_zone *zone)
{
	uint64_t cma = 0;

	for (int l = 0; l < MM_NR_LRU; l++)
		r->stats[l] += r->zone_stats[l] = zone->nr_lru[l];
	for (unsigned o = 0; o < NR_PAGE_ORDERS; o++)
		cma += zone->free_area[o].nr_free[MM_CMA] << o;
	r->zone_stats[MM_ZS_FREE_CMA] = cma;
	for (int i = 0; i < MM_NR_ZONE_STATS; i++) {
		int64_t counted = mm_zone_counter_exactly(r->mm, zone->nid, zone->index,
							  (enum mm_zone_stat)i);

		if (counted != (int64_t)r->zone_stats[i])
			return violated(r, "node %d %s: %s is %" PRId64 ", not %" PRIu64, zone->nid,
					zone->name, mm_zone_stat_name((enum mm_zone_stat)i),
					counted, r->zone_stats[i]);
	}
	return 0;
}

/* Of nodes those that follow from the pages there are. */
static int check_node_stats(struct report *r, const struct mm_node *node)
{
	static const enum mm_node_stat items[] = {
		MM_NS_INACTIVE_ANON, MM_NS_ACTIVE_ANON,   MM_NS_INACTIVE_FILE, MM_NS_ACTIVE_FILE,
		MM_NS_UNEVICTABLE,   MM_NS_ISOLATED_ANON, MM_NS_ISOLATED_FILE, MM_NS_ANON_MAPPED,
		MM_NS_FILE_MAPPED,   MM_NS_FILE_PAGES,    MM_NS_FILE_DIRTY,    MM_NS_WRITEBACK,
		MM_NS_SHMEM,         MM_NS_SWAPCACHE};

	for (size_t i = 0; i < sizeof(items) / sizeof(*items); i++) {
		int64_t counted = mm_node_counter_exactly(r->mm, node->nid, items[i]);

		if (counted != (int64_t)r->stats[items[i]])
			return violated(r, "node %d: %s is %" PRId64 ", not %" PRIu64, node->nid,
					mm_node_stat_name(items[i]), counted, r->stats[items[i]]);
	}
	return 0;
}

/* What is said of the zone's user pages by their flags, and by its counters. */
static int check_lru_counts(struct report *r, const struct mm_zone *zone)
{
	for (int l = 0; l < MM_NR_LRU; l++)
		if (r->lru[l] != zone->nr_lru[l])
			return violated(r,
					"node %d %s: %" PRIu64 " pages of LRU list %d, %" PRIu64
					" counted",
					zone->nid, zone->name, r->lru[l], l, zone->nr_lru[l]);
	return check_zone_stats(r, zone);
}

/* The lists of a node hold as many pages as its zones count, each where its flags say. */
static int check_lru_lists(struct report *r, const struct mm_node *node)
{
	for (int l = 0; l < MM_NR_LRU; l++) {
		uint64_t pages = 0;

		for (const struct page *p = node->lru[l].head; p; p = p->next) {
			if (!(p->flags & PG_ON_LRU) || mm_page_lru(p) != (enum mm_lru)l ||
			    mm_page_node(r->mm, p) != node ||
			    (p->next ? p->next->prev : node->lru[l].tail) != p)
				return violated(r,
						"pfn 0x%" PRIx64
						": on LRU list %d of node %d with flags 0x%" PRIx64,
						pfn_of(r, p), l, node->nid, p->flags & PG_USE_MASK);
			pages += UINT64_C(1) << p->order;
		}
		if (pages != mm_node_lru(r->mm, node, (enum mm_lru)l, MM_MAX_ZONES))
			return violated(r,
					"node %d: %" PRIu64 " pages on LRU list %d, not %" PRIu64,
					node->nid, pages, l,
					mm_node_lru(r->mm, node, (enum mm_lru)l, MM_MAX_ZONES));
	}
	return check_node_stats(r, node);
}

/* A pool of huge pages: the node's, each of the right size, those on the list and others. */
static int check_pool(struct report *r, const struct mm_node *node, unsigned size)
{
	const struct mm_huge_pool *pool = &node->huge[size];
	uint64_t nr = 0;

	for (const struct page *p = pool->free.head; p; p = p->next, nr++)
		if (!(p->flags & PG_HUGETLB) || p->order != r->mm->hugetlb.sizes[size].order ||
		    mm_page_to_nid(r->mm, p) != node->nid ||
		    (p->next ? p->next->prev : pool->free.tail) != p)
			return violated(
				r, "pfn 0x%" PRIx64 ": in the pool of node %d, flags 0x%" PRIx64,
				pfn_of(r, p), node->nid, p->flags);
	if (nr != pool->nr_free || r->pooled[size] != pool->nr || nr > pool->nr ||
	    pool->nr_surplus > pool->nr)
		return violated(r,
				"node %d: pool of %" PRIu64 " huge pages of order %u, %" PRIu64
				" listed free; counted %" PRIu64 ", %" PRIu64 ", surplus %" PRIu64,
				node->nid, r->pooled[size], r->mm->hugetlb.sizes[size].order, nr,
				pool->nr, pool->nr_free, pool->nr_surplus);
	return 0;
}

static int check_pools(struct report *r, const struct mm_node *node)
{
	int err = 0;

	for (unsigned size = 0; size < r->mm->hugetlb.nr && !err; size++)
		err = check_pool(r, node, size);
	return err;
}

/* What is on its way to the lists. */
static int check_batches(struct report *r)
{
	uint64_t batched = 0;

	for (int cpu = 0; cpu < r->mm->nr_cpus; cpu++)
		batched += r->mm->lru_batches[cpu].nr;
	if (batched != r->batched)
		return violated(r, "%" PRIu64 " pages in batches; counted %" PRIu64, r->batched,
				batched);
	return 0;
}

static int check_zone(struct report *r, const struct mm_zone *zone)
{
	struct census c = {.extent = zone->next_pristine};
	uint64_t pcp = 0, numa[MM_NR_NUMA_EVENTS];
	int err = check_page_blocks(r, zone);

	memset(r->lru, 0, sizeof(r->lru));
	memset(r->zone_stats, 0, sizeof(r->zone_stats));
	if (!err)
		err = check_free_lists(r, zone);
	if (!err)
		err = check_pcp(r, zone, &pcp);
	if (!err)
		err = take_census(r, zone, &c);
	if (!err)
		err = check_lru_counts(r, zone);
	if (err)
		return err;
	if (zone->lock.holder != MM_NO_CPU)
		return violated(r, "node %d %s: lock held by CPU %d", zone->nid, zone->name,
				zone->lock.holder);
	if (c.free != zone->nr_free || c.pcp != pcp || c.held != zone->held)
		return violated(r,
				"node %d %s: frames free %" PRIu64 ", on lists of CPUs %" PRIu64
				", held %" PRIu64 "; counted %" PRIu64 ", %" PRIu64 ", %" PRIu64,
				zone->nid, zone->name, c.free, c.pcp, c.held, zone->nr_free, pcp,
				zone->held);
	if (c.free + c.pcp + c.held + c.used != zone->managed)
		return violated(r,
				"node %d %s: free %" PRIu64 " + pcp %" PRIu64 " + held %" PRIu64
				" + used %" PRIu64 " is not managed %" PRIu64,
				zone->nid, zone->name, c.free, c.pcp, c.held, c.used,
				zone->managed);
	if (zone->managed > zone->present || zone->present > zone->spanned)
		return violated(r, "node %d %s: managed <= present <= spanned does not hold",
				zone->nid, zone->name);
	if (zone->wmark[MM_WMARK_MIN] > zone->wmark[MM_WMARK_LOW] ||
	    zone->wmark[MM_WMARK_LOW] > zone->wmark[MM_WMARK_HIGH])
		return violated(r, "node %d %s: min <= low <= high does not hold", zone->nid,
				zone->name);
	for (int i = 0; i < MM_NR_NUMA_EVENTS; i++)
		numa[i] = mm_zone_numa_events(r->mm, zone, (enum mm_numa_event)i);
	if (numa[MM_NUMA_HIT] + numa[MM_NUMA_MISS] != numa[MM_NUMA_LOCAL] + numa[MM_NUMA_OTHER])
		return violated(r, "node %d %s: numa_hit + numa_miss is not local + other",
				zone->nid, zone->name);
	return 0;
}

int mm_verify(const struct mm *mm, char *why, size_t size)
{
	struct report r = {.mm = mm, .why = why, .size = size};
	uint64_t at_boot = mm->hugetlb.at_boot + (mm->page_ext ? mm->page_ext->blocks : 0);
	uint64_t owned = at_boot + mm->counters.allocs + mm->counters.targets + mm->counters.parts -
			 mm->counters.frees - mm->counters.reclaimed;
	int err = 0;

	for (int n = 0; n < mm->nr_nodes && !err; n++) {
		memset(r.pooled, 0, sizeof(r.pooled));
		memset(r.stats, 0, sizeof(r.stats));
		for (int z = 0; z < mm->arch->nr_zones && !err; z++) {
			const struct mm_zone *zone = &mm->nodes[n].zones[z];

			if (mm_zone_populated(zone))
				err = check_zone(&r, zone);
			/* Also of what is offline by now. */
			r.numa_miss += mm_zone_numa_events(mm, zone, MM_NUMA_MISS);
			r.numa_foreign += mm_zone_numa_events(mm, zone, MM_NUMA_FOREIGN);
		}
		if (!err)
			err = check_lru_lists(&r, &mm->nodes[n]);
		if (!err)
			err = check_pools(&r, &mm->nodes[n]);
	}
	if (!err)
		err = check_batches(&r);
	if (!err)
		err = mm_vmalloc_verify(mm, why, size);
	if (!err)
		err = mm_kmap_verify(mm, why, size);
	if (!err)
		err = mm_hotplug_verify(mm, why, size);
	if (!err)
		err = mm_user_verify(mm, why, size);
	if (!err)
		err = mm_swap_verify(mm, why, size);
	if (!err)
		err = mm_dcache_verify(mm, why, size);
	if (!err)
		err = mm_page_ext_verify(mm, why, size);
	if (err)
		return err;
	if (r.numa_miss != r.numa_foreign)
		return violated(&r, "numa_miss %" PRIu64 " in all is not numa_foreign %" PRIu64,
				r.numa_miss, r.numa_foreign);
	if (r.blocks_in_use != owned)
		return violated(&r,
				"%" PRIu64 " blocks in use, but %" PRIu64 " allocated, %" PRIu64
				" freed and %" PRIu64 " reclaimed",
				r.blocks_in_use, mm->counters.allocs, mm->counters.frees,
				mm->counters.reclaimed);
	if (r.slabs != (mm->slab ? mm->slab->nr_slabs : 0))
		return violated(&r, "%" PRIu64 " blocks are slabs, but %" PRIu64 " are known",
				r.slabs, mm->slab ? mm->slab->nr_slabs : 0);
	return mm_slab_verify(mm, why, size);
}
