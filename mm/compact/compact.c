/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compaction: pages in use move from a zone's start to free frames at its end, until there is a
 * block as large as is wanted, or the two scanners meet. This is one run from beginning to end, who
 * asks for one, and when it is left out because it failed of late.
 *
 * Follows Linux 6.1 mm/compaction.c (compact_zone, compact_finished, try_to_compact_pages).
 */
#include "mm/compact/compact_run.h"
#include "mm/compact/isolation.h"
#include "mm/reclaim/lru.h"

#define MOST_DEFER_SHIFT 6

struct page *mm_block_page(const struct mm_compact_run *run, pfn_t start, pfn_t end)
{
	struct mm *mm = run->mm;

	if (mm_zone_of_pfn(mm, start) != run->zone || mm_zone_of_pfn(mm, end - 1) != run->zone)
		return NULL;
	return mm->model->pfn_to_page(mm, MM_NO_CPU, start);
}

int mm_free_order(const struct mm_compact_run *run, const struct page *page, pfn_t pfn)
{
	if (page->flags & PG_BUDDY)
		return page->order;
	if (page->flags & PG_INIT)
		return -1;
	return mm_pristine_end(run->zone, pfn) && mm_round_block_down(pfn) == pfn ? MAX_PAGE_ORDER
										  : -1;
}

void mm_compact_look(struct mm_compact_run *run, const struct page *page)
{
	mm_work(run->mm, run->cpu, MM_SITE_COMPACT_SCAN, 1);
	mm_touch_page(run->mm, run->cpu, page, MM_READ);
}

void mm_compact_lock(struct mm_compact_run *run)
{
	if (run->mode == MM_MIGRATE_ASYNC && run->zone->lock.holder != MM_NO_CPU)
		run->contended = true;
	mm_zone_lock(run->mm, run->cpu, run->zone);
}

void mm_compact_defer(struct mm_zone *zone, int order)
{
	struct mm_compact_memory *c = &zone->compact;

	c->considered = 0;
	c->defer_shift += c->defer_shift < MOST_DEFER_SHIFT;
	if (order < c->order_failed)
		c->order_failed = order;
}

bool mm_compact_deferred(struct mm_zone *zone, int order)
{
	struct mm_compact_memory *c = &zone->compact;
	unsigned limit = 1u << c->defer_shift;

	if (order < c->order_failed)
		return false;
	if (++c->considered < limit)
		return true;
	c->considered = limit;
	return false;
}

void mm_compact_undefer(struct mm_zone *zone, int order)
{
	if (order >= zone->compact.order_failed)
		zone->compact.order_failed = order + 1;
}

void mm_compact_worked(struct mm_zone *zone, unsigned order)
{
	zone->compact.flush_skips = false;
	zone->compact.considered = 0;
	zone->compact.defer_shift = 0;
	mm_compact_undefer(zone, (int)order);
}

/* It is tried again though it was left out as often as can be. */
static bool is_restarting(const struct mm_zone *zone, int order)
{
	const struct mm_compact_memory *c = &zone->compact;

	return order >= c->order_failed && c->defer_shift == MOST_DEFER_SHIFT &&
	       c->considered >= 1u << MOST_DEFER_SHIFT;
}

/* Is there a block that an allocation of this mobility would take, and what is around it too? */
static bool has_block(const struct mm_compact_run *run)
{
	for (int order = run->order; order <= MAX_PAGE_ORDER; order++) {
		const uint64_t *nr = run->zone->free_area[order].nr_free;

		if (nr[run->type] || (run->type == MM_MOVABLE && nr[MM_CMA]))
			return true;
		if (mm_stealable_type(run->mm, run->zone, (unsigned)order, run->type) >= 0)
			return true;
	}
	return false;
}

/* The score down to which proactive runs go on; they begin ten above it. */
static unsigned low_score(const struct mm *mm)
{
	return mm->params.compaction_proactiveness < 95
		       ? 100 - (unsigned)mm->params.compaction_proactiveness
		       : 5;
}

unsigned mm_compact_high_score(const struct mm *mm)
{
	unsigned high = low_score(mm) + 10;

	return high < 100 ? high : 100;
}

static enum mm_compact_result proactive_finished(const struct mm_compact_run *run)
{
	const struct mm *mm = run->mm;

	if (!mm->nodes[run->zone->nid].kswapd.thread.asleep)
		return MM_COMPACT_PARTIAL_SKIPPED;
	return mm_fragmentation_score(mm, run->zone) > low_score(mm) ? MM_COMPACT_CONTINUE
								     : MM_COMPACT_SUCCESS;
}

/* CONTINUE, or what the run came to. */
static enum mm_compact_result finished(struct mm_compact_run *run)
{
	struct mm_zone *zone = run->zone;
	enum mm_compact_result result = MM_COMPACT_CONTINUE;

	if (mm_scanners_met(run)) {
		mm_compact_rewind(run->mm, zone);
		if (run->direct)
			zone->compact.flush_skips = true;
		return run->whole_zone ? MM_COMPACT_COMPLETE : MM_COMPACT_PARTIAL_SKIPPED;
	}
	if (run->proactive) {
		result = proactive_finished(run);
		if (result == MM_COMPACT_PARTIAL_SKIPPED)
			return result;
	} else if (run->order == MM_COMPACT_WHOLE) {
		return MM_COMPACT_CONTINUE;
	} else {
		/* A page block that was begun is freed as far as possible. */
		if (mm_pageblock_start(run->mm, run->migrate_pfn) != run->migrate_pfn)
			return MM_COMPACT_CONTINUE;
		if (has_block(run))
			return MM_COMPACT_SUCCESS;
	}
	return run->contended ? MM_COMPACT_CONTENDED : result;
}

/* Where the scanners begin: where the last run stopped, or at the zone's ends. */
static void place_scanners(struct mm_compact_run *run)
{
	struct mm_zone *zone = run->zone;
	struct mm_compact_memory *c = &zone->compact;
	pfn_t end = mm_zone_end(zone);

	if (run->whole_zone) {
		run->migrate_pfn = zone->start_pfn;
		run->free_pfn = mm_pageblock_start(run->mm, end - 1);
		return;
	}
	if (c->free_pfn < zone->start_pfn || c->free_pfn >= end)
		c->free_pfn = mm_pageblock_start(run->mm, end - 1);
	run->free_pfn = c->free_pfn;
	run->migrate_pfn = c->migrate_pfn[run->mode != MM_MIGRATE_ASYNC];
	if (run->migrate_pfn < zone->start_pfn || run->migrate_pfn >= end)
		run->migrate_pfn = c->migrate_pfn[0] = c->migrate_pfn[1] = zone->start_pfn;
	if (run->migrate_pfn <= c->init_migrate_pfn)
		run->whole_zone = true;
}

static struct page *get_target(struct mm *mm, struct mm_migration *m, const struct page *page)
{
	struct mm_compact_run *run = m->arg;
	struct page *target;

	(void)mm;
	(void)page;
	if (!run->free.head) {
		run->cpu = m->cpu;
		mm_isolate_freepages(run);
		m->cpu = run->cpu;
	}
	target = run->free.head;
	if (!target)
		return NULL;
	page_list_del(&run->free, target);
	run->nr_free--;
	return target;
}

static void put_target(struct mm *mm, struct mm_migration *m, struct page *target)
{
	struct mm_compact_run *run = m->arg;

	(void)mm;
	page_list_add_head(&run->free, target);
	run->nr_free++;
}

/* What is left of `pages` goes back. Returns as mm_migrate_list(). */
static int migrate(struct mm_compact_run *run)
{
	struct mm_migration m = {.cpu = run->cpu,
				 .mode = run->mode,
				 .reason = MM_MIGRATE_COMPACTION,
				 .get = get_target,
				 .put = put_target,
				 .arg = run};
	int failed = mm_migrate_list(run->mm, &m, &run->pages);

	run->cpu = m.cpu;
	run->nr_pages = 0;
	mm_putback_list(run->mm, run->cpu, &run->pages);
	return failed;
}

/* Frames that were not needed are freed; the next run begins above them. */
static void release_free(struct mm_compact_run *run)
{
	struct mm_compact_memory *c = &run->zone->compact;
	struct page *page;
	pfn_t high = 0;

	if (!run->nr_free)
		return;
	while ((page = run->free.head)) {
		pfn_t pfn = mm_pfn_of(run->mm, page);

		page_list_del(&run->free, page);
		high = pfn > high ? pfn : high;
		mm_free_block(run->mm, run->cpu, page, 0);
	}
	run->nr_free = 0;
	high = mm_pageblock_start(run->mm, high);
	if (high > c->free_pfn)
		c->free_pfn = high;
}

/* Pages of the CPU's own that are on their way to lists: so that what is free can merge. */
static void flush(struct mm_compact_run *run, bool lists_too)
{
	if (run->cpu != MM_NO_CPU)
		mm_lru_drain(run->mm, run->cpu);
	if (lists_too)
		mm_pcp_drain_own(run->mm, run->cpu, run->zone);
}

/* Where in the zone it last moved pages from, and has not flushed since. 0: nowhere. */
static void flush_behind(struct mm_compact_run *run, pfn_t *last)
{
	if (run->order <= 0 || !*last || *last >= run->migrate_pfn >> run->order << run->order)
		return;
	flush(run, true);
	*last = 0;
}

/* The scanners until they meet, or one of the ends that finished() knows. */
static enum mm_compact_result scan(struct mm_compact_run *run)
{
	pfn_t *cached = run->zone->compact.migrate_pfn, last = 0;
	bool follow = run->mode == MM_MIGRATE_ASYNC && cached[0] == cached[1];
	enum mm_compact_result result;

	while ((result = finished(run)) == MM_COMPACT_CONTINUE) {
		pfn_t from = run->migrate_pfn;
		int failed;

		run->rescan =
			mm_pageblock_start(run->mm, last) == mm_pageblock_start(run->mm, from);
		switch (mm_isolate_migratepages(run)) {
		case MM_ISOLATE_ABORT:
			mm_putback_list(run->mm, run->cpu, &run->pages);
			run->nr_pages = 0;
			return MM_COMPACT_CONTENDED;
		case MM_ISOLATE_NONE:
			if (follow)
				cached[1] = cached[0];
			break;
		case MM_ISOLATE_SUCCESS:
			follow = false;
			last = from;
			failed = migrate(run);
			if (failed < 0 && !mm_scanners_met(run))
				return MM_COMPACT_CONTENDED;
			/* One page that stays spoils the block of that order. */
			if (failed && run->direct && run->mode == MM_MIGRATE_ASYNC) {
				run->migrate_pfn = (((run->migrate_pfn - 1) >> run->order) + 1)
						   << run->order;
				last = 0;
			}
		}
		flush_behind(run, &last);
		if (run->capture.page)
			return MM_COMPACT_SUCCESS;
	}
	return result;
}

static void emit(const struct mm_compact_run *run, enum mm_event_type type,
		 enum mm_compact_result result)
{
	mm_emit(run->mm, run->cpu,
		&(struct mm_event){.type = type,
				   .nid = run->zone->nid,
				   .zone = run->zone->index,
				   .compact = {.zone_start = run->zone->start_pfn,
					       .migrate_pfn = run->migrate_pfn,
					       .free_pfn = run->free_pfn,
					       .zone_end = mm_zone_end(run->zone),
					       .sync = run->mode != MM_MIGRATE_ASYNC,
					       .result = result}});
}

/* One run. */
static enum mm_compact_result compact(struct mm_compact_run *run)
{
	enum mm_compact_result result;

	run->type = mm_request_type(run->mm, run->gfp);
	run->search_order = run->order;
	result = mm_compaction_suitable(run->mm, run->zone, run->order, run->alloc_flags,
					run->highest);
	if (result == MM_COMPACT_SUCCESS || result == MM_COMPACT_SKIPPED)
		return result;
	if (is_restarting(run->zone, run->order))
		mm_compact_reset(run->mm, run->cpu, run->zone);
	place_scanners(run);
	emit(run, MM_EVENT_COMPACT_BEGIN, result);
	flush(run, false);
	result = scan(run);
	release_free(run);
	mm_count(run->mm, run->cpu, MM_VM_COMPACT_MIGRATE_SCANNED, run->migrate_scanned);
	mm_count(run->mm, run->cpu, MM_VM_COMPACT_FREE_SCANNED, run->free_scanned);
	emit(run, MM_EVENT_COMPACT_END, result);
	return result;
}

/* A block that he frees on the way is his at once. */
static enum mm_compact_result compact_for(struct mm *mm, int cpu,
					  const struct mm_compact_request *req,
					  struct mm_zone *zone, struct page **captured)
{
	bool hardest = req->priority == MM_COMPACT_SYNC_FULL;
	struct mm_compact_run run = {
		.mm = mm,
		.zone = zone,
		.cpu = cpu,
		.order = (int)req->order,
		.gfp = req->gfp,
		.alloc_flags = req->alloc_flags,
		.highest = req->highest,
		.mode = req->priority == MM_COMPACT_ASYNC ? MM_MIGRATE_ASYNC
							  : MM_MIGRATE_SYNC_LIGHT,
		.direct = true,
		.whole_zone = hardest,
		.ignore_skips = hardest,
		.any_target = hardest,
		.capture = {.order = req->order},
	};
	enum mm_compact_result result;

	zone->pcp[cpu].capture = &run.capture;
	result = compact(&run);
	zone->pcp[cpu].capture = NULL;
	*captured = run.capture.page;
	return *captured ? MM_COMPACT_SUCCESS : result;
}

/* By others, as a trace tells: then it is not tried here, and was deferred where it would be. */
static enum mm_compact_result outside(const struct mm *mm, const struct mm_compact_request *req,
				      const struct mm_zone *zone)
{
	enum mm_compact_result result =
		mm_compaction_suitable(mm, zone, (int)req->order, req->alloc_flags, req->highest);

	return result == MM_COMPACT_SKIPPED ? MM_COMPACT_SKIPPED : MM_COMPACT_DEFERRED;
}

static enum mm_compact_result try_zone(struct mm *mm, int cpu, const struct mm_compact_request *req,
				       struct mm_zone *zone, struct page **captured)
{
	enum mm_compact_result result;

	if (mm->reclaim_outside)
		return outside(mm, req, zone);
	if (req->priority > MM_COMPACT_SYNC_FULL && mm_compact_deferred(zone, (int)req->order))
		return MM_COMPACT_DEFERRED;
	result = compact_for(mm, cpu, req, zone, captured);
	if (result == MM_COMPACT_SUCCESS)
		mm_compact_undefer(zone, (int)req->order);
	else if (req->priority != MM_COMPACT_ASYNC &&
		 (result == MM_COMPACT_COMPLETE || result == MM_COMPACT_PARTIAL_SKIPPED))
		mm_compact_defer(zone, (int)req->order);
	return result;
}

/* Moving pages may take I/O, which not everybody may wait for. */
enum mm_compact_result mm_compact_direct(struct mm *mm, int cpu,
					 const struct mm_compact_request *req,
					 struct page **captured)
{
	enum mm_compact_result best = MM_COMPACT_SKIPPED;

	*captured = NULL;
	if (!(req->gfp & __GFP_IO))
		return MM_COMPACT_SKIPPED;
	for (size_t i = req->first; i < req->list->nr && best != MM_COMPACT_SUCCESS; i++) {
		struct mm_zone *zone = req->list->zones[i];
		enum mm_compact_result result;

		if (zone->index > req->highest ||
		    (req->nodes && !mm_nodemask_has(req->nodes, zone->nid)))
			continue;
		result = try_zone(mm, cpu, req, zone, captured);
		best = result > best ? result : best;
	}
	return best;
}

enum mm_compact_result mm_compact_zone(struct mm *mm, int *cpu, struct mm_zone *zone,
				       struct mm_compact_background *b)
{
	struct mm_compact_run run = {
		.mm = mm,
		.zone = zone,
		.cpu = *cpu,
		.order = b->order,
		.gfp = GFP_KERNEL,
		.highest = b->highest,
		.mode = MM_MIGRATE_SYNC_LIGHT,
		.proactive = b->order == MM_COMPACT_WHOLE,
		.whole_zone = b->order == MM_COMPACT_WHOLE,
		.ignore_skips = b->order == MM_COMPACT_WHOLE,
	};
	enum mm_compact_result result = compact(&run);

	*cpu = run.cpu;
	b->migrate_scanned = run.migrate_scanned;
	b->free_scanned = run.free_scanned;
	return result;
}

void mm_compact_all(struct mm *mm, int cpu)
{
	for (int n = 0; n < mm->nr_nodes; n++)
		for (int z = 0; z < mm->arch->nr_zones; z++) {
			struct mm_compact_run run = {
				.mm = mm,
				.zone = &mm->nodes[n].zones[z],
				.cpu = cpu,
				.order = MM_COMPACT_WHOLE,
				.gfp = GFP_KERNEL,
				.mode = MM_MIGRATE_SYNC,
				.whole_zone = true,
				.ignore_skips = true,
			};

			if (mm_zone_populated(run.zone))
				compact(&run);
		}
}
