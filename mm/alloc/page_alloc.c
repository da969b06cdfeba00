/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The story of an allocation, from top to bottom: prepare the request, walk the zonelist with the
 * low watermark, and where that finds nothing, take the slow path (slow_path.c). In each zone a
 * small block comes from the CPU's own list, a large one from the buddy lists under the zone lock.
 * Freeing is the same way back.
 */
#include <errno.h>

#include "mm/alloc/alloc.h"
#include "mm/alloc/pageblock.h"
#include "mm/alloc/pcp.h"
#include "mm/page_ext/page_ext_state.h"
#include "mm/reclaim/lru_lists.h"
#include "mm/reclaim/vmscan.h"
#include "mm/warn.h"
#include "mm/zone_count.h"

#define NODE_RECLAIM_DISTANCE 30 /* nodes farther away are not reclaimed on first */

inline void mm_alloc_prepare(struct mm *mm, const struct mm_request *req, struct alloc_context *ac)
{
	const struct mm_node *node;

	ac->cpu = req->cpu;
	ac->order = req->order;
	ac->gfp = req->gfp;
	ac->migratetype = mm_request_type(mm, req->gfp);
	ac->nid = req->nid == MM_NO_NODE ? mm->cpu_nid[req->cpu] : req->nid;
	ac->highest = gfp_zone(mm->arch, req->gfp);
	node = &mm->nodes[ac->nid];
	ac->list = req->gfp & __GFP_THISNODE ? &node->thisnode : &node->fallback;
	ac->nodes = req->nodes;
	ac->req = req;
	ac->spread_dirty = req->gfp & __GFP_WRITE;
	ac->first = mm_next_zone(ac, 0);

	mm_work(mm, ac->cpu, MM_SITE_ALLOC_ENTRY, 1);
	mm_touch(mm, ac->cpu, node->at + MM_NODE_ZONELISTS + ac->first * MM_ZONEREF_BYTES,
		 MM_ZONEREF_BYTES, MM_READ);
}

/* From the buddy lists, under the zone lock. */
static NOINLINE struct page *rmqueue_buddy(struct mm *mm, struct mm_zone *zone,
					   const struct alloc_context *ac, unsigned alloc_flags)
{
	struct page *page = NULL;

	mm_zone_lock(mm, ac->cpu, zone);
	if (ac->order && (alloc_flags & ALLOC_HARDER))
		page = mm_buddy_take(mm, ac->cpu, zone, ac->order, MM_HIGHATOMIC);
	if (!page)
		page = mm_rmqueue(mm, ac->cpu, zone, ac->order, ac->migratetype, alloc_flags);
	if (page) {
		mm_count_free(mm, ac->cpu, zone, -(INT64_C(1) << ac->order));
		mm_emit_block(mm, ac->cpu, MM_EVENT_ALLOC_ZONE_LOCKED, page, 0);
	}
	mm_zone_unlock(mm, ac->cpu, zone);
	return page;
}

/*
 * From the zone itself: the CPU's list, or the buddy lists for what no list holds. CMA pages lie
 * among the movable ones of a list, so who may not have them goes past it. Where that had to mix
 * page blocks, kswapd is told.
 */
static ALWAYS_INLINE struct page *rmqueue(struct mm *mm, struct mm_zone *zone,
					  const struct alloc_context *ac, unsigned alloc_flags)
{
	bool listed = mm_pcp_holds(mm, ac->order) && (!zone->has_cma || (alloc_flags & ALLOC_CMA) ||
						      ac->migratetype != MM_MOVABLE);
	struct page *page = NULL;

	if (listed)
		page = mm_pcp_take(mm, ac->cpu, zone, ac->order, ac->migratetype,
				   alloc_flags | (ac->gfp & __GFP_COLD ? ALLOC_COLD : 0));
	if (!page)
		page = rmqueue_buddy(mm, zone, ac, alloc_flags);
	if ((alloc_flags & ALLOC_KSWAPD) && zone->boosted) {
		zone->boosted = false;
		mm_wake_kswapd(mm, ac->cpu, zone, 0, 0, zone->index);
	}
	return page;
}

/* The whole question. What cannot wait may ignore, for one page, that the watermark is raised. */
static NOINLINE bool watermark_allows(const struct mm_zone *zone, const struct alloc_context *ac,
				      unsigned alloc_flags)
{
	enum mm_wmark mark = alloc_flags & ALLOC_WMARK_MASK;

	if (mm_zone_watermark_ok(zone, ac->order, mm_wmark(zone, mark), ac->highest, alloc_flags))
		return true;
	return !ac->order && (ac->gfp & __GFP_ATOMIC) && zone->boost && mark == MM_WMARK_MIN &&
	       mm_zone_watermark_ok(zone, ac->order, zone->wmark[mark], ac->highest, alloc_flags);
}

/* Above the watermark? For one page that is mostly told by what is free and what is kept. */
static inline bool zone_has_room(const struct mm_zone *zone, const struct alloc_context *ac,
				 unsigned alloc_flags)
{
	enum mm_wmark mark = alloc_flags & ALLOC_WMARK_MASK;
	uint64_t kept = mm_wmark(zone, mark) + zone->lowmem_reserve[ac->highest] +
			zone->nr_reserved_highatomic;

	if (UNLIKELY(ac->order || zone->has_cma))
		return watermark_allows(zone, ac, alloc_flags);
	if (zone->free_counter > (int64_t)kept)
		return true;
	if (mark != MM_WMARK_MIN && !(alloc_flags & (ALLOC_HARDER | ALLOC_HIGH)))
		return false;
	return watermark_allows(zone, ac, alloc_flags);
}

/* Before it goes to another node: room from this one's page cache, where that is wanted. */
static NOINLINE bool reclaim_on_node(struct mm *mm, const struct alloc_context *ac,
				     struct mm_zone *zone, unsigned alloc_flags)
{
	const struct mm_zone *preferred = ac->list->zones[ac->first];
	const struct mm_reclaim_request req = {
		.highest = gfp_zone(mm->arch, ac->gfp), .order = ac->order, .gfp = ac->gfp};

	if (mm->distance[preferred->nid * mm->nr_nodes + zone->nid] > NODE_RECLAIM_DISTANCE)
		return false;
	if (mm_node_reclaim(mm, ac->cpu, &mm->nodes[zone->nid], &req, ac->req->pf_memalloc) <
	    MM_NODE_RECLAIM_SOME)
		return false;
	return mm_zone_watermark_ok(zone, ac->order, mm_wmark(zone, alloc_flags & ALLOC_WMARK_MASK),
				    ac->highest, alloc_flags);
}

static NOINLINE void count_fallback(struct mm *mm, const struct mm_zone *preferred,
				    struct mm_zone *zone)
{
	zone->fallbacks++;
	if (zone->nid != preferred->nid)
		mm->counters.fallback_node++;
	else
		mm->counters.fallback_zone++;
}

/* Would it have got nothing there without the reserves? */
static bool uses_reserves(const struct mm_zone *zone, const struct alloc_context *ac,
			  unsigned alloc_flags)
{
	return (alloc_flags & (ALLOC_NO_WATERMARKS | ALLOC_HIGH | ALLOC_HARDER)) &&
	       !mm_zone_watermark_ok(zone, ac->order, mm_wmark(zone, MM_WMARK_MIN), ac->highest,
				     alloc_flags & ALLOC_CMA);
}

/* One walk of the zonelist. Page blocks are not kept apart at the price of another node. */
static ALWAYS_INLINE struct page *walk(struct mm *mm, const struct alloc_context *ac,
				       unsigned alloc_flags)
{
	struct mm_zone *preferred = ac->first < ac->list->nr ? ac->list->zones[ac->first] : NULL;

	for (size_t i = ac->first; i < ac->list->nr; i = mm_next_zone(ac, i + 1)) {
		struct mm_zone *zone = ac->list->zones[i];
		struct page *page;
		bool reserves;

		if (ac->spread_dirty && !mm_node_dirty_ok(mm, &mm->nodes[zone->nid]))
			continue;
		if (zone->nid != preferred->nid && (alloc_flags & ALLOC_NOFRAGMENT))
			return NULL;
		mm_charge_zone_check(mm, ac->cpu, zone);
		if (!(alloc_flags & ALLOC_NO_WATERMARKS) && !zone_has_room(zone, ac, alloc_flags) &&
		    !(mm->params.zone_reclaim_mode && reclaim_on_node(mm, ac, zone, alloc_flags)))
			continue;
		reserves = UNLIKELY(uses_reserves(zone, ac, alloc_flags));
		page = rmqueue(mm, zone, ac, alloc_flags);
		if (UNLIKELY(!page))
			continue;
		if (reserves)
			mm->counters.from_reserves++;
		if (ac->order && (alloc_flags & ALLOC_HARDER))
			mm_reserve_highatomic(mm, ac->cpu, zone, page);
		if (UNLIKELY(zone != preferred))
			count_fallback(mm, preferred, zone);
		mm_zone_statistics(mm, ac->cpu, preferred, zone);
		return page;
	}
	return NULL;
}

/* Local memory in mixed page blocks is better than none, and better than remote memory. */
static ALWAYS_INLINE struct page *
get_page_from_freelist(struct mm *mm, const struct alloc_context *ac, unsigned alloc_flags)
{
	for (;;) {
		struct page *page = walk(mm, ac, alloc_flags);

		if (page || !(alloc_flags & ALLOC_NOFRAGMENT))
			return page;
		alloc_flags &= ~ALLOC_NOFRAGMENT;
	}
}

struct page *mm_get_page_from_freelist(struct mm *mm, const struct alloc_context *ac,
				       unsigned alloc_flags)
{
	return get_page_from_freelist(mm, ac, alloc_flags);
}

/*
 * Page blocks of ZONE_NORMAL are kept apart as long as there is a zone below it, DMA32, to go to
 * first; where there are several nodes it has to be the node's own.
 */
static unsigned nofragment_flag(const struct mm *mm, const struct alloc_context *ac)
{
	const struct mm_zone *preferred;

	if (mm_arch_zone_index(mm->arch, MM_ZONE_DMA32) < 0 || ac->first == ac->list->nr)
		return 0;
	preferred = ac->list->zones[ac->first];
	if (preferred->index != mm_arch_zone_index(mm->arch, MM_ZONE_NORMAL))
		return 0;
	if (mm->nr_nodes > 1 && !mm_zone_populated(preferred - 1))
		return 0;
	return ALLOC_NOFRAGMENT;
}

static unsigned fast_alloc_flags(const struct mm *mm, const struct alloc_context *ac)
{
	return MM_WMARK_LOW | mm_alloc_flags_common(ac) | nofragment_flag(mm, ac);
}

/* Make the block its user's: count it, reference it, clear it where asked. */
inline void mm_prep_new_page(struct mm *mm, const struct alloc_context *ac, struct page *page)
{
	struct mm_zone *zone = mm_page_zone(mm, page);
	uint64_t nr_pages = UINT64_C(1) << ac->order;

	page->refcount = 1;
	if (ac->gfp & __GFP_MOVABLE) {
		page->flags |= PG_LRU;
		zone->pcp[ac->cpu].stat_changed = true;
	}
	page->order = (uint8_t)ac->order;
	if (ac->order)
		page->comp = ac->gfp & __GFP_COMP;
	page->migratetype = (uint8_t)ac->migratetype;
	zone->alloc_pages += nr_pages;
	mm->counters.allocs++;

	mm_work(mm, ac->cpu, MM_SITE_PREP_PAGE, 1);
	mm_touch_page(mm, ac->cpu, page, MM_WRITE);
	if (ac->gfp & __GFP_ZERO) {
		mm_work(mm, ac->cpu, MM_SITE_ZERO, (uint32_t)nr_pages);
		mm_touch(mm, ac->cpu, mm_page_address(mm, page), nr_pages << mm->arch->page_shift,
			 MM_ZERO);
	}
	if (UNLIKELY(mm->page_ext != NULL))
		mm_page_owner_set(mm, ac->cpu, page, ac->order, ac->gfp);
}

/* What failed is traced too: an allocation of no page. */
static NOINLINE void emit_failure(struct mm *mm, const struct alloc_context *ac)
{
	mm_emit(mm, ac->cpu,
		&(struct mm_event){.type = MM_EVENT_PAGE_ALLOC,
				   .order = ac->order,
				   .migratetype = ac->migratetype,
				   .gfp = ac->gfp,
				   .nid = MM_NO_NODE,
				   .zone = -1});
}

int mm_alloc_pages(struct mm *mm, const struct mm_request *req, struct page **out)
{
	struct alloc_context ac;
	struct page *page;

	if (req->order > MAX_PAGE_ORDER)
		return -EINVAL;
	if (req->atomic && mm_sleeps_in_atomic(mm, "alloc_pages", req))
		return -EWOULDBLOCK;
	mm_alloc_prepare(mm, req, &ac);
	page = get_page_from_freelist(mm, &ac, fast_alloc_flags(mm, &ac));
	if (!page)
		page = mm_alloc_slow_path(mm, &ac);
	*out = page;
	if (!page) {
		mm->counters.failed++;
		emit_failure(mm, &ac);
		return -ENOMEM;
	}
	mm_prep_new_page(mm, &ac, page);
	mm_emit_block(mm, ac.cpu, MM_EVENT_PAGE_ALLOC, page, req->gfp);
	return 0;
}

static bool is_block_in_use(const struct page *page, unsigned order)
{
	return (page->flags & PG_INIT) && !(page->flags & (PG_STATE_MASK | PG_DROPPED)) &&
	       !page->slab && page->refcount > 0 && page->order == order;
}

/* How a page comes to be freed. */
enum free_how { FREE_HOT = 0, FREE_COLD = 1, FREE_LISTED = 2 /* told of already */ };

static ALWAYS_INLINE void free_block(struct mm *mm, int cpu, struct page *page, unsigned order,
				     unsigned how)
{
	struct mm_zone *zone = mm_page_zone(mm, page);
	enum mm_migratetype type;
	pfn_t pfn;

	page->refcount = 0;
	zone->freed_pages += UINT64_C(1) << order;
	if (page->flags & PG_LRU) {
		page->flags &= ~(uint64_t)PG_LRU;
		if (cpu != MM_NO_CPU)
			zone->pcp[cpu].stat_changed = true;
	}
	mm_work(mm, cpu, MM_SITE_FREE_ENTRY, 1);
	mm_touch_page(mm, cpu, page, MM_WRITE);
	pfn = mm_is_watched(mm) ? mm->model->page_to_pfn(mm, cpu, page) : mm_pfn_of(mm, page);
	if (!(how & FREE_LISTED))
		mm_emit_block(mm, cpu, MM_EVENT_PAGE_FREE, page, 0);
	if (UNLIKELY(mm->page_ext != NULL))
		mm_page_owner_reset(mm, cpu, page, order);
	type = mm_pageblock_type(mm, zone, pfn);
	if (cpu != MM_NO_CPU && mm_pcp_holds(mm, order) && type != MM_ISOLATE) {
		if (how & FREE_LISTED)
			mm_emit_block(mm, cpu, MM_EVENT_FREE_BATCHED, page, 0);
		mm_pcp_give(mm, cpu, zone, page, order, type, how & FREE_COLD);
		return;
	}
	mm_zone_lock(mm, cpu, zone);
	mm_buddy_give(mm, cpu, zone, page, pfn, order, mm_pageblock_type(mm, zone, pfn));
	mm_zone_unlock(mm, cpu, zone);
}

void mm_free_block(struct mm *mm, int cpu, struct page *page, unsigned order)
{
	free_block(mm, cpu, page, order, FREE_HOT);
}

static ALWAYS_INLINE void put_page(struct mm *mm, int cpu, struct page *page, unsigned how)
{
	if (--page->refcount)
		return;
	if (page->flags & (PG_USE_MASK & ~PG_LRU))
		mm_lru_release(mm, cpu, page);
	free_block(mm, cpu, page, page->order, how);
}

void mm_put_page(struct mm *mm, int cpu, struct page *page)
{
	put_page(mm, cpu, page, FREE_HOT);
}

/* free_unref_page_list(): tracepoints of all pages, then each goes to the CPU's list. */
static void tell_listed(struct mm *mm, int cpu, const struct page *page)
{
	if (!page->order)
		mm_emit_block(mm, cpu, MM_EVENT_PAGE_FREE, page, 0);
}

static void put_listed(struct mm *mm, int cpu, struct page *page, unsigned how)
{
	put_page(mm, cpu, page, how | (page->order ? 0 : FREE_LISTED));
}

void mm_free_list(struct mm *mm, int cpu, struct page_list *pages)
{
	struct page *page;

	for (page = pages->tail; page && mm_tells(mm, MM_EVENT_PAGE_FREE); page = page->prev)
		tell_listed(mm, cpu, page);
	while ((page = pages->tail)) {
		page_list_del(pages, page);
		put_listed(mm, cpu, page, FREE_COLD);
	}
}

void mm_free_gathered(struct mm *mm, int cpu, struct page *const *pages, unsigned nr)
{
	for (unsigned i = nr; i-- > 0 && mm_tells(mm, MM_EVENT_PAGE_FREE);)
		tell_listed(mm, cpu, pages[i]);
	for (unsigned i = nr; i-- > 0;) {
		pages[i]->refcount = 1;
		put_listed(mm, cpu, pages[i], FREE_HOT);
	}
}

bool mm_drop_page(struct mm *mm, struct page *page)
{
	mm->counters.frees++;
	page->flags |= page->flags & PG_PLACE_MASK || page->refcount > 1 ? PG_DROPPED : 0;
	return --page->refcount == 0;
}

void mm_put_cold_page(struct mm *mm, int cpu, struct page *page)
{
	put_page(mm, cpu, page, FREE_COLD);
}

void mm_free_dropped(struct mm *mm, int cpu, struct page *page)
{
	page->refcount = 1;
	mm_put_page(mm, cpu, page);
}

/* Reclaim, or the disk, may have a reference: then the last of them frees it. */
int mm_free_pages(struct mm *mm, int cpu, struct page *page, unsigned order)
{
	if (order > MAX_PAGE_ORDER || !is_block_in_use(page, order))
		return -EINVAL;
	mm->counters.frees++;
	if ((page->flags & PG_PLACE_MASK) || page->refcount > 1)
		page->flags |= PG_DROPPED;
	put_page(mm, cpu, page, FREE_HOT);
	return 0;
}
