/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass of reclaim over a node: how much of each LRU list, in turns of 32 pages, until enough is
 * freed; whether for a large block it has to go on; and when reclaim has to wait.
 *
 * Follows Linux 6.1 mm/vmscan.c (shrink_lruvec, shrink_node, should_continue_reclaim,
 * reclaim_throttle).
 */
#include "mm/reclaim/vmscan.h"
#include "mm/compact/compact.h"
#include "mm/kthread.h"
#include "mm/zone_count.h"

/*
 * Enough is freed: the shorter of the two sorts is done, and of the longer one as large a part is
 * looked at as of that. `nr`: what is left to look at, `target`: what it was at first.
 */
static bool scale_down(uint64_t nr[MM_NR_LRU], const uint64_t target[MM_NR_LRU])
{
	uint64_t anon = nr[MM_LRU_INACTIVE_ANON] + nr[MM_LRU_ACTIVE_ANON];
	uint64_t file = nr[MM_LRU_INACTIVE_FILE] + nr[MM_LRU_ACTIVE_FILE];
	int small = file > anon ? MM_LRU_INACTIVE_ANON : MM_LRU_INACTIVE_FILE;
	int large = file > anon ? MM_LRU_INACTIVE_FILE : MM_LRU_INACTIVE_ANON;
	uint64_t of = target[small] + target[small + 1] + 1;
	uint64_t percent = (file > anon ? anon : file) * 100 / of;

	if (!file || !anon)
		return false;
	nr[small] = nr[small + 1] = 0;
	for (int lru = large; lru <= large + 1; lru++) {
		uint64_t done = target[lru] - nr[lru];

		nr[lru] = target[lru] * (100 - percent) / 100;
		nr[lru] -= nr[lru] < done ? nr[lru] : done;
	}
	return true;
}

static uint64_t shrink_lists(struct mm *mm, struct mm_node *node, struct mm_scan *sc)
{
	uint64_t nr[MM_NR_LRU], target[MM_NR_LRU], freed = 0;
	/* Who reclaims for itself at first does one round in full: kswapd does not keep up. */
	bool whole = !sc->kswapd && sc->priority == DEF_PRIORITY;

	mm_scan_count(mm, node, sc, target);
	for (int lru = 0; lru < MM_NR_LRU; lru++)
		nr[lru] = target[lru];
	while (nr[MM_LRU_INACTIVE_ANON] || nr[MM_LRU_ACTIVE_FILE] || nr[MM_LRU_INACTIVE_FILE]) {
		for (int lru = 0; lru < MM_LRU_UNEVICTABLE; lru++) {
			uint64_t batch = nr[lru] < SWAP_CLUSTER_MAX ? nr[lru] : SWAP_CLUSTER_MAX;

			nr[lru] -= batch;
			if (batch)
				freed += mm_shrink_list(mm, node, sc, (enum mm_lru)lru, batch);
		}
		sc->cpu = mm_resched(mm, sc->cpu);
		if (freed >= sc->nr_to_reclaim && !whole && !scale_down(nr, target))
			break;
	}
	return freed;
}

void mm_age_node(struct mm *mm, struct mm_node *node, struct mm_scan *sc)
{
	if (mm->swap_pages && mm_inactive_is_low(mm, node, MM_LRU_INACTIVE_ANON))
		mm_shrink_active_list(mm, node, sc, MM_LRU_ACTIVE_ANON, SWAP_CLUSTER_MAX);
}

/* For a large block, is there more to be got on this node? */
static bool should_continue(struct mm *mm, const struct mm_node *node, const struct mm_scan *sc,
			    uint64_t freed)
{
	uint64_t inactive = mm_node_lru(mm, node, MM_LRU_INACTIVE_FILE, MM_MAX_ZONES);

	if (!sc->order ||
	    (sc->order <= PAGE_ALLOC_COSTLY_ORDER && sc->priority >= DEF_PRIORITY - 2))
		return false;
	if (!freed)
		return false;
	for (int z = 0; z <= sc->reclaim_idx; z++) {
		enum mm_compact_result suitable;

		if (!node->zones[z].managed)
			continue;
		suitable = mm_compaction_suitable(mm, &node->zones[z], (int)sc->order, 0,
						  sc->reclaim_idx);
		if (suitable == MM_COMPACT_SUCCESS || suitable == MM_COMPACT_CONTINUE)
			return false;
	}
	if (mm_can_reclaim_anon(mm))
		inactive += mm_node_lru(mm, node, MM_LRU_INACTIVE_ANON, MM_MAX_ZONES);
	return inactive > mm_compact_gap(sc->order);
}

/* What kswapd saw on its way decides how it goes on: write itself, or wait. */
static void judge(struct mm *mm, struct mm_node *node, struct mm_scan *sc)
{
	const struct mm_scan_seen *seen = &sc->seen;

	if (sc->kswapd) {
		if (seen->writeback && seen->writeback == seen->taken)
			node->reclaim_writeback = true;
		if (seen->unqueued_dirty == seen->file_taken)
			node->reclaim_dirty = true;
		if (seen->immediate)
			mm_reclaim_throttle(mm, node, sc, MM_THROTTLE_WRITEBACK);
		if (seen->dirty && seen->dirty == seen->congested)
			node->reclaim_congested = true;
	} else if (node->reclaim_congested) {
		mm_reclaim_throttle(mm, node, sc, MM_THROTTLE_CONGESTED);
	}
}

void mm_shrink_node(struct mm *mm, struct mm_node *node, struct mm_scan *sc)
{
	bool progress = false;
	uint64_t freed;

	do {
		mm_work(mm, sc->cpu, MM_SITE_SHRINK_NODE, 1);
		sc->seen = (struct mm_scan_seen){0};
		mm_prepare_scan(mm, node, sc);
		freed = shrink_lists(mm, node, sc);
		mm_age_node(mm, node, sc);
		freed += mm_shrink_slab(mm, node, sc);
		sc->nr_reclaimed += freed;
		progress |= freed > 0;
		judge(mm, node, sc);
	} while (should_continue(mm, node, sc, freed));
	if (progress)
		node->kswapd.failures = 0;
}

uint64_t mm_zone_reclaimable(const struct mm *mm, const struct mm_zone *zone)
{
	uint64_t pages = zone->nr_lru[MM_LRU_INACTIVE_FILE] + zone->nr_lru[MM_LRU_ACTIVE_FILE];

	/* The kernel asks all CPUs (zone_page_state_snapshot()): that is what is exact here. */
	if (mm_can_reclaim_anon(mm))
		pages += zone->nr_lru[MM_LRU_INACTIVE_ANON] + zone->nr_lru[MM_LRU_ACTIVE_ANON];
	return pages;
}

/* Nothing to wait for: kswapd has given up, or nothing is being written that could help. */
static bool waiting_helps(const struct mm *mm, const struct mm_node *node)
{
	uint64_t reclaimable = 0, pending = 0;

	if (node->kswapd.failures >= MAX_RECLAIM_RETRIES)
		return false;
	for (int z = 0; z < mm->arch->nr_zones; z++) {
		reclaimable += mm_zone_reclaimable(mm, &node->zones[z]);
		pending += mm_zone_stat_exactly(mm, &node->zones[z], MM_ZS_WRITE_PENDING);
	}
	return 2 * pending > reclaimable;
}

/* The kernel's clock there, jiffies; 0 where nobody wants to know, or nobody tells. */
static uint64_t ticks_of(struct mm *mm, int cpu)
{
	struct mm_who who = {0};

	if (mm_tells(mm, MM_EVENT_THROTTLED) && mm->ops.who && cpu != MM_NO_CPU)
		mm->ops.who(mm->ctx, cpu, &who);
	return who.ns / (MM_TICK_US * 1000);
}

/* What it says of the time comes once it is over. */
void mm_reclaim_throttle(struct mm *mm, struct mm_node *node, struct mm_scan *sc,
			 enum mm_throttle why)
{
	uint64_t us = MM_TICK_US, ticks, delayed;

	switch (why) {
	case MM_THROTTLE_WRITEBACK:
		us = 100000;
		break;
	case MM_THROTTLE_ISOLATED:
		us = 20000;
		break;
	case MM_THROTTLE_CONGESTED:
	case MM_THROTTLE_NOPROGRESS:
		if (waiting_helps(mm, node))
			break;
		sc->cpu = mm_resched(mm, sc->cpu);
		return;
	}
	ticks = ticks_of(mm, sc->cpu);
	if (mm->ops.sleep && sc->cpu != MM_NO_CPU) {
		if (!node->nr_throttled[why]++ && why == MM_THROTTLE_WRITEBACK)
			node->throttled_from = node->vm_stat[MM_NS_THROTTLED_WRITTEN];
		sc->cpu = mm->ops.sleep(mm->ctx, sc->cpu, us, &node->nr_throttled[why]);
		node->nr_throttled[why]--;
	}
	delayed = (ticks_of(mm, sc->cpu) - ticks) * MM_TICK_US;
	mm_emit(mm, sc->cpu,
		&(struct mm_event){.type = MM_EVENT_THROTTLED,
				   .nid = node->nid,
				   .scan = {.throttle = why,
					    .timeout_us = us,
					    .delayed_us = delayed < us ? delayed : us}});
}

void mm_throttle_wake(struct mm *mm, int cpu, struct mm_node *node, enum mm_throttle why)
{
	if (node->nr_throttled[why] && mm->ops.wakeup)
		mm->ops.wakeup(mm->ctx, cpu, &node->nr_throttled[why]);
}

void mm_throttle_written(struct mm *mm, int cpu, struct mm_node *node, uint64_t pages)
{
	unsigned sleepers = node->nr_throttled[MM_THROTTLE_WRITEBACK];

	if (!sleepers)
		return;
	/* What CPUs have not told yet may keep them asleep for longer. */
	mm_mod_node_stat(mm, cpu, node, MM_NS_THROTTLED_WRITTEN, (int64_t)pages);
	if (node->vm_stat[MM_NS_THROTTLED_WRITTEN] - node->throttled_from >
	    (int64_t)SWAP_CLUSTER_MAX * sleepers)
		mm_throttle_wake(mm, cpu, node, MM_THROTTLE_WRITEBACK);
}
