/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kswapd: one a node, woken where an allocation finds too little above the low watermark, or has
 * raised the watermarks because page blocks get mixed. It frees memory until one zone that those
 * who woke it can use meets the high watermark; takes back what the watermarks were raised by; naps
 * for a tenth of a second, to be back at once if it is needed; then sleeps.
 *
 * Follows Linux 6.1 mm/vmscan.c (kswapd, balance_pgdat, wakeup_kswapd). mm_kthread_run() is its
 * loop from one sleep to the next: who runs it, and on which CPU, is the sink's business.
 */
#include "mm/compact/compact.h"
#include "mm/kthread.h"
#include "mm/reclaim/vmscan.h"
#include "mm/vmalloc/vmalloc_state.h"
#include "mm/zone_count.h"

#define NO_ZONE (-1) /* nobody has asked for anything */

static uint64_t run(struct mm *mm, struct mm_kthread *thread, int *cpu, bool woken);

void mm_kswapd_init(struct mm *mm)
{
	for (int n = 0; n < mm->nr_nodes; n++) {
		struct mm_kswapd *k = &mm->nodes[n].kswapd;

		k->thread = (struct mm_kthread){.name = "kswapd",
						.nid = n,
						.index = n,
						.cpu = MM_NO_CPU,
						.first_us = MM_KTHREAD_FOREVER,
						.run = run,
						.asleep = true};
		k->asked_highest = NO_ZONE;
		k->highest = mm->arch->nr_zones - 1;
	}
}

int mm_nr_kthreads(const struct mm *mm)
{
	return 2 * mm->nr_nodes + 3 + mm->nr_cpus;
}

struct mm_kthread *mm_kthread(struct mm *mm, int index)
{
	if (index < mm->nr_nodes)
		return &mm->nodes[index].kswapd.thread;
	index -= mm->nr_nodes;
	if (index < mm->nr_nodes)
		return &mm->nodes[index].kcompactd.thread;
	index -= mm->nr_nodes;
	if (index == 0)
		return &mm->vmstat_shepherd;
	if (index <= mm->nr_cpus)
		return &mm->vmstat_workers[index - 1].thread;
	return index == mm->nr_cpus + 1 ? &mm->vmalloc->worker : &mm->khugepaged_state.thread;
}

static uint64_t run_now(struct mm *mm, struct mm_kthread *thread, int *cpu, bool woken)
{
	uint64_t us;

	thread->asleep = false;
	us = thread->run(mm, thread, cpu, woken);
	thread->asleep = true;
	return us;
}

uint64_t mm_kthread_run(struct mm *mm, struct mm_kthread *thread, int *cpu, bool woken)
{
	/* It sees what there is when it gets to run, not when it was woken. */
	mm_work(mm, *cpu, MM_SITE_THREAD_SWITCH, 1);
	*cpu = mm_resched(mm, *cpu);
	return run_now(mm, thread, cpu, woken);
}

void mm_kthread_wake(struct mm *mm, int cpu, struct mm_kthread *thread)
{
	if (!thread->asleep)
		return;
	thread->asleep = false;
	if (!mm->ops.wake || !mm->ops.wake(mm->ctx, cpu, thread))
		run_now(mm, thread, &cpu, true);
}

/* Does any zone of the node, up to `highest`, hold enough? One is enough. */
static bool balanced(const struct mm *mm, const struct mm_node *node, unsigned order, int highest)
{
	bool any = false;

	for (int z = 0; z <= highest; z++) {
		const struct mm_zone *zone = &node->zones[z];

		if (!zone->managed)
			continue;
		any = true;
		if (mm_zone_watermark_ok_safe(mm, zone, order, mm_wmark(zone, MM_WMARK_HIGH),
					      highest))
			return true;
	}
	return !any;
}

static bool is_boosted(const struct mm_node *node, int highest)
{
	for (int z = 0; z <= highest; z++)
		if (node->zones[z].boost)
			return true;
	return false;
}

static bool is_hopeless(const struct mm_node *node)
{
	return node->kswapd.failures >= MAX_RECLAIM_RETRIES;
}

void mm_wake_kswapd(struct mm *mm, int cpu, struct mm_zone *zone, gfp_t gfp, unsigned order,
		    int highest)
{
	struct mm_node *node = &mm->nodes[zone->nid];
	struct mm_kswapd *k = &node->kswapd;

	if (!zone->managed)
		return;
	if (k->asked_highest < highest)
		k->asked_highest = highest;
	if (k->asked_order < order)
		k->asked_order = order;
	if (!k->thread.asleep)
		return;
	if (is_hopeless(node) ||
	    (balanced(mm, node, order, highest) && !is_boosted(node, highest))) {
		/* Enough is free, but perhaps in too small pieces. */
		if (!(gfp & __GFP_DIRECT_RECLAIM))
			mm_wake_kcompactd(mm, cpu, node, order, highest);
		return;
	}
	mm->counters.kswapd_wakeups++;
	mm_emit(mm, cpu,
		&(struct mm_event){.type = MM_EVENT_WAKE_KSWAPD,
				   .order = order,
				   .gfp = gfp,
				   .nid = zone->nid,
				   .zone = highest});
	mm_kthread_wake(mm, cpu, &k->thread);
}

/* Full per-CPU lists are kept shorter meanwhile. */
static void set_reclaim_active(struct mm_node *node, int highest, bool active)
{
	for (int z = 0; z <= highest; z++)
		if (node->zones[z].managed)
			node->zones[z].reclaim_active = active;
}

/*
 * One pass, which looks for as many pages as the high watermarks of all zones come to. Returns
 * whether it looked at that many: then there is no need to look harder.
 */
static bool shrink(struct mm *mm, struct mm_node *node, struct mm_scan *sc)
{
	sc->nr_scanned = sc->nr_to_reclaim = 0;
	for (int z = 0; z <= sc->reclaim_idx; z++) {
		uint64_t high = mm_wmark(&node->zones[z], MM_WMARK_HIGH);

		if (node->zones[z].managed)
			sc->nr_to_reclaim += high > SWAP_CLUSTER_MAX ? high : SWAP_CLUSTER_MAX;
	}
	mm_shrink_node(mm, node, sc);
	node->kswapd.passes++;
	mm_direct_reclaim_wake(mm, sc->cpu, node, false);
	/* It is not going to find a large block by freeing ever more small ones. */
	if (sc->order && sc->nr_reclaimed >= mm_compact_gap(sc->order))
		sc->order = 0;
	return sc->nr_scanned >= sc->nr_to_reclaim;
}

/* What the watermarks were raised by when it began goes. */
static void take_back_boosts(struct mm *mm, int cpu, struct mm_node *node, int highest,
			     const uint64_t *boosts)
{
	for (int z = 0; z <= highest; z++) {
		struct mm_zone *zone = &node->zones[z];

		if (!boosts[z] || zone->boost_held)
			continue;
		mm_zone_lock(mm, cpu, zone);
		zone->boost -= zone->boost < boosts[z] ? zone->boost : boosts[z];
		mm_zone_unlock(mm, cpu, zone);
	}
}

/*
 * Free memory until the node is balanced, or, where that is the case and only the watermarks are
 * raised, until as much is freed as they are raised by; without writing or swapping then, and not
 * beyond what comes easily.
 */
static void make_room(struct mm *mm, struct mm_node *node, struct mm_scan *sc, uint64_t boost)
{
	int highest = sc->reclaim_idx;

	sc->priority = DEF_PRIORITY;
	do {
		uint64_t before = sc->nr_reclaimed, freed;
		bool harder = true, enough = balanced(mm, node, sc->order, highest);

		if (!enough && boost) {
			boost = 0;
			sc->priority = DEF_PRIORITY;
			continue;
		}
		if (!boost && enough)
			return;
		if (boost && sc->priority == DEF_PRIORITY - 2)
			harder = false;
		sc->may_writepage = !boost;
		sc->may_swap = !boost;
		mm_age_node(mm, node, sc);
		if (sc->priority < DEF_PRIORITY - 2)
			sc->may_writepage = true;
		if (shrink(mm, node, sc))
			harder = false;
		freed = sc->nr_reclaimed - before;
		boost -= boost < freed ? boost : freed;
		if (boost && !freed)
			break;
		if (harder || !freed)
			sc->priority--;
	} while (sc->priority >= 1);
	if (!sc->nr_reclaimed && !mm->reclaim_outside)
		node->kswapd.failures++;
}

/* Returns the order that it came down to. */
static unsigned balance(struct mm *mm, struct mm_node *node, int *cpu, unsigned order, int highest)
{
	struct mm_scan sc = {
		.cpu = *cpu,
		.kswapd = true,
		.gfp = GFP_KERNEL,
		.order = order,
		.reclaim_idx = highest,
		.may_unmap = true,
	};
	uint64_t boosts[MM_MAX_ZONES] = {0}, boost = 0;

	mm_count(mm, *cpu, MM_VM_PAGEOUTRUN, 1);
	for (int z = 0; z <= highest; z++)
		boost += boosts[z] = node->zones[z].boost;
	set_reclaim_active(node, highest, true);
	make_room(mm, node, &sc, boost);
	set_reclaim_active(node, highest, false);
	mm_snapshot_refaults(node);
	if (boost) {
		take_back_boosts(mm, sc.cpu, node, highest, boosts);
		mm_wake_kcompactd(mm, sc.cpu, node, mm->arch->pageblock_order, highest);
	}
	*cpu = sc.cpu;
	return sc.order;
}

/* Where nobody has asked for anything else, as before. */
static int asked_highest(const struct mm_kswapd *k)
{
	return k->asked_highest == NO_ZONE ? k->highest : k->asked_highest;
}

static bool may_sleep(struct mm *mm, struct mm_node *node, int cpu)
{
	const struct mm_kswapd *k = &node->kswapd;

	mm_direct_reclaim_wake(mm, cpu, node, true); /* nobody waits for who sleeps */
	if (is_hopeless(node) || mm->reclaim_outside)
		return true;
	if (!balanced(mm, node, k->reclaim_order, k->highest))
		return false;
	node->reclaim_congested = node->reclaim_dirty = node->reclaim_writeback = false;
	return true;
}

/* From a nap or a sleep. Returns whether it is to go on sleeping. */
static bool goes_on_sleeping(struct mm *mm, struct mm_node *node, int cpu, bool woken)
{
	struct mm_kswapd *k = &node->kswapd;

	if (!k->napping)
		return false;
	k->napping = false;
	if (woken) {
		k->asked_highest = asked_highest(k);
		if (k->asked_order < k->reclaim_order)
			k->asked_order = k->reclaim_order;
		mm_count(mm, cpu, MM_VM_KSWAPD_LOW_WMARK_HIT_QUICKLY, 1);
		return false;
	}
	if (may_sleep(mm, node, cpu)) {
		mm_emit(mm, cpu,
			&(struct mm_event){.type = MM_EVENT_KSWAPD_SLEEP, .nid = node->nid});
		return true;
	}
	mm_count(mm, cpu, MM_VM_KSWAPD_HIGH_WMARK_HIT_QUICKLY, 1);
	return false;
}

static uint64_t run(struct mm *mm, struct mm_kthread *thread, int *cpu, bool woken)
{
	struct mm_node *node = &mm->nodes[thread->nid];
	struct mm_kswapd *k = &node->kswapd;

	/* Asleep for long, it leaves the CPUs' counts as inexact as they are cheap. */
	if (!k->napping)
		mm_stat_thresholds_set(mm, node, true);
	if (goes_on_sleeping(mm, node, *cpu, woken)) {
		mm_stat_thresholds_set(mm, node, false);
		return MM_KTHREAD_FOREVER;
	}
	for (;;) {
		k->alloc_order = k->asked_order;
		k->highest = asked_highest(k);
		k->asked_order = 0;
		k->asked_highest = NO_ZONE;
		mm_emit(mm, *cpu,
			&(struct mm_event){.type = MM_EVENT_KSWAPD_WAKE,
					   .order = k->alloc_order,
					   .zone = k->highest,
					   .nid = node->nid});
		k->reclaim_order = balance(mm, node, cpu, k->alloc_order, k->highest);
		/* It goes by what has been asked for since, unless it had to lower its sights. */
		if (k->reclaim_order >= k->alloc_order) {
			k->alloc_order = k->reclaim_order = k->asked_order;
			k->highest = asked_highest(k);
		}
		if (may_sleep(mm, node, *cpu)) {
			mm_compact_flush_skips(mm, *cpu, node);
			mm_wake_kcompactd(mm, *cpu, node, k->alloc_order, k->highest);
			k->napping = true;
			return MM_KSWAPD_NAP_US;
		}
		mm_count(mm, *cpu, MM_VM_KSWAPD_HIGH_WMARK_HIT_QUICKLY, 1);
		*cpu = mm_resched(mm, *cpu);
	}
}

void mm_set_kswapd_outside(struct mm *mm, int nid, bool active)
{
	set_reclaim_active(&mm->nodes[nid], mm->arch->nr_zones - 1, active);
}

void mm_set_reclaim_outside(struct mm *mm, bool outside)
{
	mm->reclaim_outside = outside;
	mm_kcompactd_setup(mm);
}

void mm_hold_boost(struct mm *mm, int cpu, int nid, int zone, bool held)
{
	struct mm_node *node = &mm->nodes[nid];
	uint64_t boosts[MM_MAX_ZONES] = {0};

	node->zones[zone].boost_held = held;
	boosts[zone] = held ? 0 : node->zones[zone].boost;
	take_back_boosts(mm, cpu, node, zone, boosts);
}
