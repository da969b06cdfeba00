/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slow path of an allocation: wake kswapd, look again down to the minimum watermark and, for
 * those who may, below it; then, for those who may wait, free memory and make large blocks, over
 * and over as long as that helps. At the end there is no memory: what the kernel would kill
 * somebody for is an outcome here, with a report (oom.c).
 *
 * Follows Linux 6.1 mm/page_alloc.c (__alloc_pages_slowpath).
 */
#include "mm/alloc/alloc.h"
#include "mm/alloc/oom.h"
#include "mm/compact/compact.h"
#include "mm/kthread.h"
#include "mm/reclaim/vmscan.h"
#include "mm/zone_count.h"

#define MAX_COMPACT_RETRIES 16

/* What one allocation has been through. */
struct attempt {
	struct mm *mm;
	struct alloc_context *ac;
	unsigned alloc_flags;
	bool may_wait, costly;
	int no_progress_loops;
	enum mm_compact_priority priority;
	enum mm_compact_result compacted;
	int compactions; /* that went well, at this priority */
	bool progress;   /* of the last reclaim */
	bool spared;     /* the killer was called, but kills for nobody who may not write files */
	bool killed;     /* it was, and would have */
};

/* That of each node of the zonelist. */
static void wake_all_kswapds(const struct attempt *a)
{
	const struct alloc_context *ac = a->ac;
	int last = MM_NO_NODE;

	if (!(a->alloc_flags & ALLOC_KSWAPD))
		return;
	for (size_t i = ac->first; i < ac->list->nr; i++) {
		struct mm_zone *zone = ac->list->zones[i];

		if (!mm_zone_allowed(ac, zone) || !zone->managed || zone->nid == last)
			continue;
		last = zone->nid;
		mm_wake_kswapd(a->mm, ac->cpu, zone, ac->gfp, ac->order, ac->highest);
	}
}

/* What the flags allow below the low watermark. */
static unsigned flags_at_min(const struct alloc_context *ac)
{
	unsigned flags = MM_WMARK_MIN | mm_alloc_flags_common(ac);

	if (ac->gfp & __GFP_HIGH)
		flags |= ALLOC_HIGH;
	if ((ac->gfp & __GFP_ATOMIC) && !(ac->gfp & __GFP_NOMEMALLOC))
		flags |= ALLOC_HARDER;
	return flags;
}

/* Who frees memory with what he gets, or is about to end, may have all there is. */
static bool may_use_reserves(const struct alloc_context *ac)
{
	return !(ac->gfp & __GFP_NOMEMALLOC) &&
	       ((ac->gfp & __GFP_MEMALLOC) || ac->req->pf_memalloc);
}

static bool unreserve_highatomic(const struct attempt *a, bool force)
{
	const struct alloc_context *ac = a->ac;

	for (size_t i = ac->first; i < ac->list->nr; i++)
		if (mm_zone_allowed(ac, ac->list->zones[i]) &&
		    mm_unreserve_highatomic(a->mm, ac->cpu, ac->list->zones[i], ac->migratetype,
					    force))
			return true;
	return false;
}

/*
 * Reclaim that is told from outside was done before, or is yet to come: a page of it may be owed to
 * the request, from the first zone that has any. A large block is not made by reclaim alone.
 */
static struct page *take_owed(const struct attempt *a)
{
	struct page *page;

	if (!a->mm->reclaim_outside || a->costly)
		return NULL;
	page = mm_get_page_from_freelist(a->mm, a->ac,
					 ALLOC_NO_WATERMARKS | mm_alloc_flags_common(a->ac));
	if (page)
		a->mm->counters.owed += UINT64_C(1) << a->ac->order;
	return page;
}

/* What was freed may be on per-CPU lists, or kept for others: one more try without these. */
static struct page *direct_reclaim(struct attempt *a)
{
	const struct alloc_context *ac = a->ac;
	const struct mm_reclaim_request req = {.list = ac->list,
					       .nodes = ac->nodes,
					       .highest = ac->highest,
					       .order = ac->order,
					       .gfp = ac->gfp};
	struct page *page;

	mm_resched(a->mm, ac->cpu);
	a->progress = mm_try_to_free_pages(a->mm, ac->cpu, &req) > 0;
	mm_resched(a->mm, ac->cpu);
	if (a->mm->reclaim_outside)
		a->progress = ac->req->reclaimed;
	if (!a->progress)
		return NULL;
	page = mm_get_page_from_freelist(a->mm, ac, a->alloc_flags);
	if (page)
		return page;
	unreserve_highatomic(a, false);
	mm_pcp_drain_all(a->mm, ac->cpu);
	page = mm_get_page_from_freelist(a->mm, ac, a->alloc_flags);
	return page ? page : take_owed(a);
}

static struct page *direct_compact(struct attempt *a, enum mm_compact_priority priority)
{
	const struct alloc_context *ac = a->ac;
	const struct mm_compact_request req = {.list = ac->list,
					       .first = ac->first,
					       .nodes = ac->nodes,
					       .highest = ac->highest,
					       .order = ac->order,
					       .gfp = ac->gfp,
					       .alloc_flags = a->alloc_flags,
					       .priority = priority};
	struct page *page;

	if (!ac->order)
		return NULL;
	a->compacted = mm_compact_direct(a->mm, ac->cpu, &req, &page);
	if (a->compacted == MM_COMPACT_SKIPPED)
		return NULL;
	mm_count(a->mm, a->ac->cpu, MM_VM_COMPACT_STALL, 1);
	if (!page)
		page = mm_get_page_from_freelist(a->mm, ac, a->alloc_flags);
	if (page) {
		mm_compact_worked(mm_page_zone(a->mm, page), ac->order);
		mm_count(a->mm, a->ac->cpu, MM_VM_COMPACT_SUCCESS, 1);
	} else {
		mm_count(a->mm, a->ac->cpu, MM_VM_COMPACT_FAIL, 1);
		mm_resched(a->mm, ac->cpu);
	}
	return page;
}

/* Would it succeed if all that can be reclaimed were? */
static bool reclaim_could(const struct attempt *a)
{
	const struct alloc_context *ac = a->ac;

	for (size_t i = ac->first; i < ac->list->nr; i++) {
		const struct mm_zone *zone = ac->list->zones[i];
		uint64_t pages = mm_zone_reclaimable(a->mm, zone);

		if (mm_zone_allowed(ac, zone) &&
		    mm_zone_watermark_ok_with(zone, ac->order, mm_wmark(zone, MM_WMARK_MIN),
					      ac->highest, a->alloc_flags, zone->nr_free + pages))
			return true;
	}
	return false;
}

/*
 * As long as that could help, and there was progress of late. Progress of a large request is not
 * that it comes any closer. At the end, what is kept for others goes.
 */
static bool should_reclaim_again(struct attempt *a)
{
	if (a->progress && !a->costly)
		a->no_progress_loops = 0;
	else
		a->no_progress_loops++;
	if (a->no_progress_loops <= MAX_RECLAIM_RETRIES && reclaim_could(a)) {
		mm_resched(a->mm, a->ac->cpu);
		return true;
	}
	return unreserve_highatomic(a, true);
}

/* Some zone would have room to compact in, if it were reclaimed. */
static bool compaction_could(const struct attempt *a)
{
	const struct alloc_context *ac = a->ac;

	for (size_t i = ac->first; i < ac->list->nr; i++) {
		const struct mm_zone *zone = ac->list->zones[i];
		uint64_t pages = mm_zone_reclaimable(a->mm, zone) / ac->order + zone->nr_free;

		if (mm_zone_allowed(ac, zone) &&
		    mm_compaction_possible(zone, ac->order, a->alloc_flags, ac->highest, pages))
			return true;
	}
	return false;
}

/*
 * Short of memory: reclaim, then compact. What made a block that somebody else took is tried again
 * some times; what did not, or did not get to it, only harder.
 */
static bool should_compact_again(struct attempt *a)
{
	enum mm_compact_priority hardest = a->costly ? MM_COMPACT_SYNC_LIGHT : MM_COMPACT_SYNC_FULL;
	int most = a->costly ? MAX_COMPACT_RETRIES / 4 : MAX_COMPACT_RETRIES;

	if (!a->ac->order || !a->progress)
		return false;
	if (a->compacted == MM_COMPACT_SKIPPED)
		return compaction_could(a);
	if (a->compacted == MM_COMPACT_SUCCESS && ++a->compactions <= most)
		return true;
	if (a->priority <= hardest)
		return false;
	a->priority--;
	a->compactions = 0;
	return true;
}

/* The last look before somebody would be killed: somebody else may just have freed a lot. */
static struct page *look_once_more(const struct attempt *a)
{
	struct alloc_context ac = *a->ac;

	ac.gfp = (ac.gfp | __GFP_HARDWALL) & ~__GFP_DIRECT_RECLAIM;
	return mm_get_page_from_freelist(a->mm, &ac, MM_WMARK_HIGH);
}

/* For whom the kernel kills: not for large blocks, nor for who can do without or wants one node. */
static bool would_kill(const struct attempt *a)
{
	const struct alloc_context *ac = a->ac;
	int normal = mm_arch_zone_index(a->mm->arch, MM_ZONE_NORMAL);

	return !a->costly && !(ac->gfp & (__GFP_RETRY_MAYFAIL | __GFP_THISNODE)) &&
	       ac->highest >= normal;
}

/* One round of the loop. Sets *again where another one may help. */
static struct page *one_round(struct attempt *a, bool *again)
{
	const gfp_t gfp = a->ac->gfp;
	struct page *page;

	*again = false;
	wake_all_kswapds(a);
	if (may_use_reserves(a->ac))
		a->alloc_flags = ALLOC_NO_WATERMARKS | mm_alloc_flags_common(a->ac);
	if (may_use_reserves(a->ac) || (gfp & __GFP_ATOMIC)) {
		a->ac->nodes = NULL; /* better elsewhere than nowhere */
		a->ac->first = mm_next_zone(a->ac, 0);
	}
	page = mm_get_page_from_freelist(a->mm, a->ac, a->alloc_flags);
	/* Nobody reclaims who cannot wait, nor who reclaims already. */
	if (page || !a->may_wait || a->ac->req->pf_memalloc)
		return page;
	page = direct_reclaim(a);
	if (!page)
		page = direct_compact(a, a->priority);
	if (page || (gfp & __GFP_NORETRY) || (a->costly && !(gfp & __GFP_RETRY_MAYFAIL)))
		return page;
	*again = should_reclaim_again(a) || should_compact_again(a);
	if (*again)
		return NULL;
	page = look_once_more(a);
	if (page || !would_kill(a))
		return page;
	a->spared = !(gfp & __GFP_FS);
	a->killed = !a->spared;
	if (a->killed)
		mm_out_of_memory(a->mm, a->ac);
	return NULL;
}

/*
 * Large blocks are rather compacted than reclaimed for. Sets *give_up where it is not worth more
 * to the caller.
 */
static struct page *compact_first(struct attempt *a, bool *give_up)
{
	const struct alloc_context *ac = a->ac;
	struct page *page;

	*give_up = false;
	if (!a->may_wait || may_use_reserves(ac) ||
	    !(a->costly || (ac->order && ac->migratetype != MM_MOVABLE)))
		return NULL;
	page = direct_compact(a, MM_COMPACT_ASYNC);
	if (page || !a->costly || !(ac->gfp & __GFP_NORETRY))
		return page;
	*give_up = a->compacted == MM_COMPACT_SKIPPED || a->compacted == MM_COMPACT_DEFERRED;
	a->priority = MM_COMPACT_ASYNC;
	return NULL;
}

/* Who must not fail gets what is kept for others, and where somebody would be killed, all there is.
 */
static struct page *last_resort(struct attempt *a)
{
	struct page *page = mm_get_page_from_freelist(a->mm, a->ac, MM_WMARK_MIN | ALLOC_HARDER);

	if (!page && would_kill(a))
		page = mm_get_page_from_freelist(a->mm, a->ac, ALLOC_NO_WATERMARKS);
	return page;
}

/*
 * Who must not fail, or for whom nobody is killed as he may not write files, begins again, for
 * ever. Where nothing can change any more, the former is an error of who has nobody left to free
 * memory: he fails after all, and says so; but for reclaim from outside that has helped, of which
 * there is just nothing left here.
 */
static struct page *begin_again(struct attempt *a)
{
	bool owed = a->mm->reclaim_outside && a->ac->req->reclaimed, again;
	bool never = a->ac->gfp & __GFP_NOFAIL;
	struct page *page;

	while (!(page = never ? last_resort(a) : NULL)) {
		if (owed)
			return NULL;
		if (!a->mm->ops.starve || !a->mm->ops.starve(a->mm->ctx, a->ac->cpu, MM_TICK_US)) {
			a->mm->counters.nofail_stuck += never;
			return NULL;
		}
		a->no_progress_loops = 0;
		for (again = true; !page && again;)
			page = one_round(a, &again);
		if (page)
			break;
	}
	return page;
}

struct page *mm_alloc_slow_path(struct mm *mm, struct alloc_context *ac)
{
	struct attempt a = {.mm = mm,
			    .ac = ac,
			    .may_wait = ac->gfp & __GFP_DIRECT_RECLAIM,
			    .costly = ac->order > PAGE_ALLOC_COSTLY_ORDER,
			    .priority = MM_COMPACT_SYNC_LIGHT,
			    .compacted = MM_COMPACT_SKIPPED};
	struct page *page;
	bool again;

	mm_work(mm, ac->cpu, MM_SITE_SLOW_PATH, 1);
	mm->counters.slow_path++;
	ac->spread_dirty = false;        /* better there than nowhere */
	if (ac->first == ac->list->nr) { /* no zone, so nothing to reclaim either */
		mm_warn_alloc(mm, ac);
		return NULL;
	}
	if (a.may_wait)
		ac->gfp &= ~__GFP_ATOMIC; /* who can wait has no claim on reserves */
	a.alloc_flags = flags_at_min(ac);
	wake_all_kswapds(&a);
	page = mm_get_page_from_freelist(mm, ac, a.alloc_flags);
	if (page)
		return page;
	page = compact_first(&a, &again);
	again = !again;
	while (!page && again)
		page = one_round(&a, &again);
	if (!page && a.may_wait && ((ac->gfp & __GFP_NOFAIL) || a.spared))
		page = begin_again(&a);
	/* Where somebody is killed, the kernel tells that and has the page in the end. */
	if (!page && !a.killed)
		mm_warn_alloc(mm, ac);
	return page;
}
