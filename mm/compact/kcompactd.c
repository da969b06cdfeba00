/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kcompactd: one a node, woken where enough is free but in too small pieces, by kswapd or by who
 * may not compact himself. Twice a second it also looks whether the node is so fragmented that it
 * had better be compacted before anybody asks.
 *
 * Follows Linux 6.1 mm/compaction.c (kcompactd, wakeup_kcompactd, kcompactd_do_work).
 */
#include "mm/compact/compact_run.h"
#include "mm/kthread.h"

#define CHECK_US    500000 /* HPAGE_FRAG_CHECK_INTERVAL_MSEC */
#define DEFER_SHIFT 6      /* so much longer where it did not help */

static uint64_t run(struct mm *mm, struct mm_kthread *thread, int *cpu, bool woken);

static uint64_t check_interval(const struct mm *mm)
{
	if (mm->reclaim_outside || !mm->params.compaction_proactiveness)
		return MM_KTHREAD_FOREVER;
	return CHECK_US;
}

static int highest_zone(const struct mm *mm, const struct mm_node *node)
{
	int z = mm->arch->nr_zones - 1;

	while (z > 0 && !mm_zone_populated(&node->zones[z]))
		z--;
	return z;
}

void mm_kcompactd_init(struct mm *mm)
{
	for (int n = 0; n < mm->nr_nodes; n++) {
		struct mm_kcompactd *k = &mm->nodes[n].kcompactd;

		k->thread = (struct mm_kthread){.name = "kcompactd",
						.nid = n,
						.index = mm->nr_nodes + n,
						.run = run,
						.cpu = MM_NO_CPU,
						.asleep = true,
						.first_us = check_interval(mm)};
		k->asked_highest = highest_zone(mm, &mm->nodes[n]);
	}
}

void mm_kcompactd_setup(struct mm *mm)
{
	for (int n = 0; n < mm->nr_nodes; n++) {
		struct mm_kcompactd *k = &mm->nodes[n].kcompactd;

		k->thread.first_us = k->look_now && !mm->reclaim_outside ? 0 : check_interval(mm);
	}
}

void mm_kcompactd_written(struct mm *mm)
{
	for (int n = 0; n < mm->nr_nodes; n++)
		mm->nodes[n].kcompactd.look_now = mm->params.compaction_proactiveness > 0;
	mm_kcompactd_setup(mm);
}

static bool could_help(const struct mm *mm, const struct mm_node *node)
{
	const struct mm_kcompactd *k = &node->kcompactd;

	for (int z = 0; z <= k->asked_highest; z++)
		if (mm_zone_populated(&node->zones[z]) &&
		    mm_compaction_suitable(mm, &node->zones[z], (int)k->asked_order, 0,
					   k->asked_highest) == MM_COMPACT_CONTINUE)
			return true;
	return false;
}

void mm_wake_kcompactd(struct mm *mm, int cpu, struct mm_node *node, unsigned order, int highest)
{
	struct mm_kcompactd *k = &node->kcompactd;

	if (!order || mm->reclaim_outside)
		return;
	if (k->asked_order < order)
		k->asked_order = order;
	if (k->asked_highest > highest)
		k->asked_highest = highest;
	if (k->thread.asleep && could_help(mm, node))
		mm_kthread_wake(mm, cpu, &k->thread);
}

static void compact_zone(struct mm *mm, int *cpu, struct mm_zone *zone,
			 struct mm_compact_background *b)
{
	enum mm_compact_result result = mm_compact_zone(mm, cpu, zone, b);

	if (result == MM_COMPACT_SUCCESS) {
		mm_compact_undefer(zone, b->order);
	} else if (result == MM_COMPACT_COMPLETE || result == MM_COMPACT_PARTIAL_SKIPPED) {
		/* Perhaps what would merge is on lists of CPUs. */
		mm_pcp_drain_zone(mm, *cpu, zone);
		mm_compact_defer(zone, b->order);
	}
	mm_count(mm, *cpu, MM_VM_COMPACT_DAEMON_MIGRATE_SCANNED, b->migrate_scanned);
	mm_count(mm, *cpu, MM_VM_COMPACT_DAEMON_FREE_SCANNED, b->free_scanned);
}

/* What it was asked for, once: who needs more asks again. */
static void do_work(struct mm *mm, struct mm_node *node, int *cpu)
{
	struct mm_kcompactd *k = &node->kcompactd;
	struct mm_compact_background b = {.order = (int)k->asked_order,
					  .highest = k->asked_highest};

	mm_count(mm, *cpu, MM_VM_COMPACT_DAEMON_WAKE, 1);
	for (int z = 0; z <= b.highest; z++) {
		struct mm_zone *zone = &node->zones[z];

		if (!mm_zone_populated(zone) || mm_compact_deferred(zone, b.order) ||
		    mm_compaction_suitable(mm, zone, b.order, 0, z) != MM_COMPACT_CONTINUE)
			continue;
		compact_zone(mm, cpu, zone, &b);
	}
	if ((int)k->asked_order <= b.order)
		k->asked_order = 0;
	if (k->asked_highest >= b.highest)
		k->asked_highest = highest_zone(mm, node);
}

/* Before anybody asks. Returns when to look again. */
static uint64_t work_ahead(struct mm *mm, struct mm_node *node, int *cpu)
{
	unsigned before = mm_fragmentation_score_node(mm, node);

	if (!mm->params.compaction_proactiveness || !node->kswapd.thread.asleep ||
	    before <= mm_compact_high_score(mm))
		return check_interval(mm);
	for (int z = 0; z < mm->arch->nr_zones; z++) {
		struct mm_compact_background b = {.order = MM_COMPACT_WHOLE};

		if (mm_zone_populated(&node->zones[z]))
			mm_compact_zone(mm, cpu, &node->zones[z], &b);
	}
	if (mm_fragmentation_score_node(mm, node) >= before)
		return (uint64_t)CHECK_US << DEFER_SHIFT;
	return check_interval(mm);
}

static uint64_t run(struct mm *mm, struct mm_kthread *thread, int *cpu, bool woken)
{
	struct mm_node *node = &mm->nodes[thread->nid];
	uint64_t next_us;

	if (mm->reclaim_outside)
		return MM_KTHREAD_FOREVER;
	next_us = check_interval(mm);
	if (node->kcompactd.look_now || (!woken && !node->kcompactd.asked_order))
		next_us = work_ahead(mm, node, cpu);
	node->kcompactd.look_now = false;
	while (node->kcompactd.asked_order) {
		do_work(mm, node, cpu);
		next_us = check_interval(mm);
	}
	return next_us;
}
