/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reclaim by who needs memory: over the nodes of its zonelist, from a 4096th of each list up to all
 * of them, until 32 pages are free; and, where zone_reclaim_mode says so, on one node before the
 * allocation goes to another.
 *
 * Follows Linux 6.1 mm/vmscan.c (try_to_free_pages, shrink_zones, node_reclaim).
 */
#include "mm/compact/compact.h"
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

static bool worth_it(const struct mm *mm, const struct mm_node *node)
{
	uint64_t managed = 0;

	for (int z = 0; z < mm->arch->nr_zones; z++)
		managed += node->zones[z].managed;
	return node_page_cache(mm, node) > managed * mm->params.min_unmapped_ratio / 100;
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
