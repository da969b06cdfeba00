/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compaction as its callers see it: whether it could make a large block of a zone's free pages, and
 * what an attempt came to. Within the mm core.
 */
#ifndef MM_COMPACT_H
#define MM_COMPACT_H

#include "mm/internal.h"

enum mm_compact_result {
	MM_COMPACT_SKIPPED,  /* not enough is free to move pages to: reclaim first */
	MM_COMPACT_DEFERRED, /* it failed of late, so it is not tried */
	MM_COMPACT_CONTINUE, /* worth trying */
	MM_COMPACT_COMPLETE, /* all of the zone was gone through, without success */
	MM_COMPACT_SUCCESS,  /* a block that large is free */
};

/* How hard direct compaction tries, the hardest first. */
enum mm_compact_priority {
	MM_COMPACT_SYNC_FULL,
	MM_COMPACT_SYNC_LIGHT,
	MM_COMPACT_ASYNC,
};

/** Twice the block: the pages that move and where they move to. */
static inline uint64_t mm_compact_gap(unsigned order)
{
	return UINT64_C(2) << order;
}

/**
 * Should the zone be compacted for such a block? SUCCESS where it has one above the watermark,
 * SKIPPED where too little is free, CONTINUE.
 */
enum mm_compact_result mm_compaction_suitable(const struct mm_zone *zone, unsigned order,
					      unsigned alloc_flags, int highest);
/** A node's kcompactd has something to do. Does not wait. */
void mm_wake_kcompactd(struct mm *mm, int cpu, struct mm_node *node, unsigned order, int highest);

/* What direct compaction is asked for. */
struct mm_compact_request {
	const struct mm_zonelist *list;
	size_t first; /* where in it to begin */
	const struct mm_nodemask *nodes;
	int highest;
	unsigned order;
	gfp_t gfp;
	unsigned alloc_flags;
	enum mm_compact_priority priority;
};
/**
 * Compact the zones of the list, one after the other, until one has such a block. Time passes.
 * Without success: DEFERRED or SKIPPED where that is all that the zones said.
 */
enum mm_compact_result mm_compact_direct(struct mm *mm, int cpu,
					 const struct mm_compact_request *req);

#endif
