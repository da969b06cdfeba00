/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One reclaim, by kswapd or by who needs memory, and the steps its files share. Within the mm core.
 *
 *	kswapd.c, direct_reclaim.c: how often, which nodes
 *	vmscan.c: one pass over a node; scan_count.c: how much of each list
 *	shrink_lists.c: from the tails of the lists; shrink_pages.c: what becomes of each page
 */
#ifndef MM_VMSCAN_H
#define MM_VMSCAN_H

#include "mm/reclaim/lru_lists.h"

#define SWAP_CLUSTER_MAX    32 /* pages of a batch */
#define DEF_PRIORITY        12 /* a pass looks at 2^-priority of each list */
#define MAX_RECLAIM_RETRIES 16

/* What a pass came by, in pages. */
struct mm_scan_seen {
	uint64_t dirty, unqueued_dirty, congested, writeback, immediate, file_taken, taken;
};

struct mm_scan {
	int cpu; /* that it runs on; changes where it gives way */
	bool kswapd;
	gfp_t gfp;
	unsigned order;
	int reclaim_idx; /* highest zone whose pages are of use */
	uint64_t nr_to_reclaim;
	int priority;
	bool may_writepage, may_swap, may_unmap;
	bool may_deactivate[2]; /* anonymous, file */
	bool force_deactivate;
	bool skipped_deactivate; /* out: active pages were spared */
	bool cache_trim_mode, file_is_tiny;
	bool compaction_ready;
	uint64_t anon_cost, file_cost;
	uint64_t nr_scanned, nr_reclaimed; /* pages, so far */
	struct mm_scan_seen seen;          /* in this pass */
};

/* scan_count.c */
/** Is the inactive list too short for its active one? */
bool mm_inactive_is_low(const struct mm *mm, const struct mm_node *node, enum mm_lru inactive);
/** Look at the node before a pass: what may be deactivated, which lists are worth it. */
void mm_prepare_scan(const struct mm *mm, const struct mm_node *node, struct mm_scan *sc);
/** How many pages of each list the pass is to look at. */
void mm_scan_count(const struct mm *mm, const struct mm_node *node, const struct mm_scan *sc,
		   uint64_t nr[MM_NR_LRU]);
/** Could anonymous pages be reclaimed: is there room in swap? */
static inline bool mm_can_reclaim_anon(const struct mm *mm)
{
	return mm->swap_free > 0;
}

/* shrinker.c */
/** Have the kernel's caches shrink on a node, as far as the pass goes. Returns pages of slabs that
 * this freed; time may pass. */
uint64_t mm_shrink_slab(struct mm *mm, const struct mm_node *node, struct mm_scan *sc);

/* shrink_lists.c: each returns pages freed; time may pass. */
uint64_t mm_shrink_list(struct mm *mm, struct mm_node *node, struct mm_scan *sc, enum mm_lru lru,
			uint64_t nr_to_scan);
void mm_shrink_active_list(struct mm *mm, struct mm_node *node, struct mm_scan *sc, enum mm_lru lru,
			   uint64_t nr_to_scan);

/* What became of a list of isolated pages. */
struct mm_reclaim_stat {
	uint64_t dirty, unqueued_dirty, congested, writeback, immediate, pageout, ref_keep;
	uint64_t activated[2]; /* anonymous, file */
};
/* shrink_pages.c */
/**
 * Decide on isolated pages, oldest at the list's tail: some are freed, the others are left on the
 * list in the order in which they go back to theirs. Returns how many were freed; time may pass.
 */
uint64_t mm_shrink_pages(struct mm *mm, struct mm_node *node, struct mm_scan *sc,
			 struct page_list *pages, struct mm_reclaim_stat *stat);
/** Read from a disk. Simulated time passes. */
void mm_read_in(struct mm *mm, int cpu, uint64_t pages, enum mm_store from);
/** The same of page cache, beside who asks: mm_ops.read_ahead(). Returns whether it is begun. */
bool mm_read_ahead(struct mm *mm, int cpu, uint64_t pages, struct mm_read *read);
/** Has it been used since last looked at? Forgets that it was. */
bool mm_page_referenced(struct page *page);
/** Begin to write the dirty file pages at the tail of the node's inactive list. */
void mm_wake_flusher(struct mm *mm, int cpu, struct mm_node *node);

/** Pages of one sort have cost I/O: the next pass weighs that. */
void mm_note_cost(const struct mm *mm, struct mm_node *node, bool file, uint64_t pages);

/* workingset.c */
/** Has the node less than its share (dirty_ratio) of dirty pages, written ones included? */
bool mm_node_dirty_ok(const struct mm *mm, const struct mm_node *node);

/** A page is reclaimed: the shadow that its owner gets, see mm_refault(). */
uint64_t mm_workingset_eviction(const struct mm *mm, const struct page *page);
/** So many pages of a node were used for the second time. */
void mm_workingset_age(struct mm_node *node, uint64_t pages);
/** Reclaim of a node ends: what came back is told from what comes back later. */
static inline void mm_snapshot_refaults(struct mm_node *node)
{
	node->refaults_seen[0] = node->refaults[0];
	node->refaults_seen[1] = node->refaults[1];
}

/* vmscan.c */
/** One pass over a node. Time may pass. */
void mm_shrink_node(struct mm *mm, struct mm_node *node, struct mm_scan *sc);
/** Age the anonymous lists a little, where there is swap. */
void mm_age_node(struct mm *mm, struct mm_node *node, struct mm_scan *sc);
/** Sleep because reclaim is going too fast. Time passes. */
void mm_reclaim_throttle(struct mm *mm, struct mm_node *node, struct mm_scan *sc,
			 enum mm_throttle why);
/** Those who sleep for that reason look again. */
void mm_throttle_wake(struct mm *mm, int cpu, struct mm_node *node, enum mm_throttle why);
/** So many pages are written: enough for those who sleep for that? */
void mm_throttle_written(struct mm *mm, int cpu, struct mm_node *node, uint64_t pages);
/** Pages of a zone that reclaim could get at. */
uint64_t mm_zone_reclaimable(const struct mm *mm, const struct mm_zone *zone);

/* direct_reclaim.c */
/**
 * Is more than half of the minimum watermarks free on the node, of zones for the kernel that have
 * anything to reclaim? Wakes its kswapd where not. True also where that has given up.
 */
bool mm_direct_reclaim_allowed(struct mm *mm, int cpu, struct mm_node *node);
/** Those who wait for that look again, if it is so or `anyway`. */
void mm_direct_reclaim_wake(struct mm *mm, int cpu, struct mm_node *node, bool anyway);
/* For what pages are to be freed. */
struct mm_reclaim_request {
	const struct mm_zonelist *list;
	const struct mm_nodemask *nodes; /* NULL: all */
	int highest;
	unsigned order;
	gfp_t gfp;
};
/** Reclaim for an allocation that may wait, on its own CPU. Returns pages freed; time passes. */
uint64_t mm_try_to_free_pages(struct mm *mm, int cpu, const struct mm_reclaim_request *req);

/* What a node reclaim before going to another node came to. */
enum mm_node_reclaim {
	MM_NODE_RECLAIM_NOSCAN,
	MM_NODE_RECLAIM_FULL,
	MM_NODE_RECLAIM_SOME,
	MM_NODE_RECLAIM_SUCCESS
};
/** Where zone_reclaim_mode says so. `pf_memalloc`: the task is a reclaimer itself. */
enum mm_node_reclaim mm_node_reclaim(struct mm *mm, int cpu, struct mm_node *node,
				     const struct mm_reclaim_request *req, bool pf_memalloc);

#endif
