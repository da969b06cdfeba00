/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reclaim by who needs memory: over the nodes of its zonelist, from a 4096th of each list up to all
 * of them, until 32 pages are free; and, where zone_reclaim_mode says so, on one node before the
 * allocation goes to another.
 *
 * Follows Linux 6.1 mm/vmscan.c (try_to_free_pages, shrink_zones, node_reclaim).
 */
#include "mm/compact/compact.h"
#include "mm/kthread.h"
#include "mm/reclaim/vmscan.h"
#include "mm/zone_count.h"

#define RECLAIM_WRITE         2 /* of zone_reclaim_mode */
#define RECLAIM_UNMAP         4
#define NODE_RECLAIM_PRIORITY 4

/* It makes so little progress that it should wait for those who write. */
static void consider_throttle(struct mm *mm, struct mm_node *node, struct mm_scan *sc)
{
	if (sc->nr_reclaimed > sc->nr_scanned >> 3) {
		mm_throttle_wake(mm, sc->cpu, node, MM_THROTTLE_NOPROGRESS);
		return;
	}
	if (sc->priority == 1 && !sc->nr_reclaimed)
		mm_reclaim_throttle(mm, node, sc, MM_THROTTLE_NOPROGRESS);
}

/* Each node of the list once. */
static void shrink_nodes(struct mm *mm, const struct mm_reclaim_request *req, struct mm_scan *sc)
{
	struct mm_node *first = NULL, *last = NULL;

	for (size_t i = 0; i < req->list->nr; i++) {
		struct mm_zone *zone = req->list->zones[i];
		struct mm_node *node = &mm->nodes[zone->nid];

		if (zone->index > sc->reclaim_idx ||
		    (req->nodes && !mm_nodemask_has(req->nodes, zone->nid)))
			continue;
		/* Where enough is free, a large block is compaction's to make. */
		if (sc->order > PAGE_ALLOC_COSTLY_ORDER &&
		    mm_compaction_ready(mm, zone, sc->order, sc->reclaim_idx)) {
			sc->compaction_ready = true;
			continue;
		}
		if (node == last)
			continue;
		last = node;
		if (!first)
			first = node;
		mm_shrink_node(mm, node, sc);
	}
	if (first)
		consider_throttle(mm, first, sc);
}

static void snapshot(struct mm *mm, const struct mm_reclaim_request *req, const struct mm_scan *sc)
{
	for (size_t i = 0; i < req->list->nr; i++)
		if (req->list->zones[i]->index <= sc->reclaim_idx &&
		    (!req->nodes || mm_nodemask_has(req->nodes, req->list->zones[i]->nid)))
			mm_snapshot_refaults(&mm->nodes[req->list->zones[i]->nid]);
}

static uint64_t reclaim(struct mm *mm, const struct mm_reclaim_request *req, struct mm_scan *sc)
{
	for (;;) {
		mm->allocstall[sc->reclaim_idx]++;
		for (sc->priority = DEF_PRIORITY; sc->priority >= 0; sc->priority--) {
			sc->nr_scanned = 0;
			shrink_nodes(mm, req, sc);
			if (sc->nr_reclaimed >= sc->nr_to_reclaim || sc->compaction_ready)
				break;
			if (sc->priority < DEF_PRIORITY - 2)
				sc->may_writepage = true;
		}
		snapshot(mm, req, sc);
		if (sc->nr_reclaimed)
			return sc->nr_reclaimed;
		if (sc->compaction_ready)
			return 1;
		if (!sc->skipped_deactivate)
			return 0;
		/* Active pages were spared for the sake of a balance that does not help here. */
		sc->force_deactivate = true;
		sc->skipped_deactivate = false;
	}
}

bool mm_direct_reclaim_allowed(struct mm *mm, int cpu, struct mm_node *node)
{
	int normal = mm_arch_zone_index(mm->arch, MM_ZONE_NORMAL);
	struct mm_kswapd *k = &node->kswapd;
	uint64_t kept = 0;
	int64_t free = 0;

	if (k->failures >= MAX_RECLAIM_RETRIES)
		return true;
	for (int z = 0; z <= normal; z++) {
		const struct mm_zone *zone = &node->zones[z];

		if (!zone->managed || !mm_zone_reclaimable(mm, zone))
			continue;
		kept += mm_wmark(zone, MM_WMARK_MIN);
		free += zone->free_counter;
	}
	if (!kept || free > (int64_t)(kept / 2))
		return true;
	if (k->thread.asleep) {
		if (k->asked_highest > normal)
			k->asked_highest = normal;
		mm_kthread_wake(mm, cpu, &k->thread);
	}
	return false;
}

void mm_direct_reclaim_wake(struct mm *mm, int cpu, struct mm_node *node, bool anyway)
{
	if (node->nr_waiting && mm->ops.wakeup &&
	    (anyway || mm_direct_reclaim_allowed(mm, cpu, node)))
		mm->ops.wakeup(mm->ctx, cpu, &node->nr_waiting);
}

/* The first node whose memory is the kernel's, too. */
static struct mm_node *first_usable(struct mm *mm, const struct mm_reclaim_request *req)
{
	int normal = mm_arch_zone_index(mm->arch, MM_ZONE_NORMAL);

	for (size_t i = 0; i < req->list->nr; i++) {
		const struct mm_zone *zone = req->list->zones[i];

		if (zone->index <= req->highest && zone->index <= normal &&
		    (!req->nodes || mm_nodemask_has(req->nodes, zone->nid)))
			return &mm->nodes[zone->nid];
	}
	return NULL;
}

/*
 * Half of what is kept below the watermarks is gone: what is left is for those who free memory. All
 * others wait until kswapd has freed some, a second at most who may hold a lock of a file system.
 * The kernel waits for ever where kswapd does not get to run; here that is no wait for a second.
 */
static void wait_for_reserves(struct mm *mm, struct mm_scan *sc,
			      const struct mm_reclaim_request *req)
{
	struct mm_node *node = first_usable(mm, req);
	uint64_t passes;

	if (!node || mm->reclaim_outside || mm_direct_reclaim_allowed(mm, sc->cpu, node))
		return;
	mm_count(mm, sc->cpu, MM_VM_PGSCAN_DIRECT_THROTTLE, 1);
	if (!mm->ops.sleep)
		return;
	do {
		passes = node->kswapd.passes;
		node->nr_waiting++;
		sc->cpu = mm->ops.sleep(mm->ctx, sc->cpu, MM_SECOND_US, &node->nr_waiting);
		node->nr_waiting--;
	} while ((req->gfp & __GFP_FS) && node->kswapd.passes != passes &&
		 !mm_direct_reclaim_allowed(mm, sc->cpu, node));
}

static void emit(struct mm *mm, int cpu, enum mm_event_type type,
		 const struct mm_reclaim_request *req, int nid, uint64_t freed)
{
	mm_emit(mm, cpu,
		&(struct mm_event){.type = type,
				   .nid = nid,
				   .zone = req->highest,
				   .order = req->order,
				   .gfp = req->gfp,
				   .scan = {.reclaimed = freed}});
}

uint64_t mm_try_to_free_pages(struct mm *mm, int cpu, const struct mm_reclaim_request *req)
{
	struct mm_scan sc = {
		.cpu = cpu,
		.gfp = req->gfp,
		.order = req->order,
		.reclaim_idx = req->highest,
		.nr_to_reclaim = SWAP_CLUSTER_MAX,
		.may_writepage = true,
		.may_swap = true,
		.may_unmap = true,
	};
	uint64_t freed;

	wait_for_reserves(mm, &sc, req);
	emit(mm, cpu, MM_EVENT_DIRECT_BEGIN, req, MM_NO_NODE, 0);
	freed = reclaim(mm, req, &sc);
	emit(mm, cpu, MM_EVENT_DIRECT_END, req, MM_NO_NODE, freed);
	return freed;
}

/* Page cache that a node reclaim could get at. */
static uint64_t node_page_cache(const struct mm *mm, const struct mm_node *node)
{
	uint64_t file =
		mm_node_stat(node, MM_NS_INACTIVE_FILE) + mm_node_stat(node, MM_NS_ACTIVE_FILE);
	uint64_t not = 0;

	if (!(mm->params.zone_reclaim_mode & RECLAIM_UNMAP))
		not += mm_node_stat(node, MM_NS_FILE_MAPPED);
	if (!(mm->params.zone_reclaim_mode & RECLAIM_WRITE))
		not += mm_node_stat(node, MM_NS_FILE_DIRTY);
	return file > not ? file - not : 0;
}

/* Enough of it, or of slabs that can be shrunk. */
static bool worth_it(const struct mm *mm, const struct mm_node *node)
{
	uint64_t managed = 0;

	for (int z = 0; z < mm->arch->nr_zones; z++)
		managed += node->zones[z].managed;
	return node_page_cache(mm, node) > managed * mm->params.min_unmapped_ratio / 100 ||
	       mm_node_stat(node, MM_NS_SLAB_RECLAIMABLE) >
		       managed * mm->params.min_slab_ratio / 100;
}

/* The CPU's own node, or one whose CPUs there are none of. */
static bool may_reclaim_node(const struct mm *mm, int cpu, const struct mm_node *node)
{
	if (mm->cpu_nid[cpu] == node->nid)
		return true;
	for (int c = 0; c < mm->nr_cpus; c++)
		if (mm->cpu_nid[c] == node->nid)
			return false;
	return true;
}

enum mm_node_reclaim mm_node_reclaim(struct mm *mm, int cpu, struct mm_node *node,
				     const struct mm_reclaim_request *req, bool pf_memalloc)
{
	uint64_t wanted = UINT64_C(1) << req->order, mode = mm->params.zone_reclaim_mode;
	struct mm_scan sc = {
		.cpu = cpu,
		.gfp = req->gfp,
		.order = req->order,
		.reclaim_idx = req->highest,
		.nr_to_reclaim = wanted > SWAP_CLUSTER_MAX ? wanted : SWAP_CLUSTER_MAX,
		.priority = NODE_RECLAIM_PRIORITY,
		.may_writepage = mode & RECLAIM_WRITE,
		.may_unmap = mode & RECLAIM_UNMAP,
		.may_swap = true,
	};

	if (!worth_it(mm, node))
		return MM_NODE_RECLAIM_FULL;
	if (!(req->gfp & __GFP_DIRECT_RECLAIM) || pf_memalloc || !may_reclaim_node(mm, cpu, node) ||
	    node->reclaim_locked)
		return MM_NODE_RECLAIM_NOSCAN;
	node->reclaim_locked = true;
	emit(mm, cpu, MM_EVENT_NODE_BEGIN, req, node->nid, 0);
	do {
		mm_shrink_node(mm, node, &sc);
	} while (sc.nr_reclaimed < wanted && --sc.priority >= 0);
	emit(mm, cpu, MM_EVENT_NODE_END, req, node->nid, sc.nr_reclaimed);
	node->reclaim_locked = false;
	if (sc.nr_reclaimed >= wanted)
		return MM_NODE_RECLAIM_SUCCESS;
	mm_count(mm, cpu, MM_VM_ZONE_RECLAIM_FAILED, 1);
	return MM_NODE_RECLAIM_SOME;
}
