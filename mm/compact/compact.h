/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compaction as its callers see it: whether it could make a large block of a zone's free pages, and
 * what an attempt came to. Within the mm core.
 */
#ifndef MM_COMPACT_H
#define MM_COMPACT_H

#include "mm/internal.h"

/* In the kernel's order: of several zones the last one that came up tells most. */
enum mm_compact_result {
	MM_COMPACT_NOT_SUITABLE,    /* too little is free, rather than in too small pieces */
	MM_COMPACT_SKIPPED,         /* not enough is free to move pages to: reclaim first */
	MM_COMPACT_DEFERRED,        /* it failed of late, so it is not tried */
	MM_COMPACT_NO_SUITABLE,     /* there is no such block yet */
	MM_COMPACT_CONTINUE,        /* worth trying */
	MM_COMPACT_COMPLETE,        /* all of the zone was gone through, without success */
	MM_COMPACT_PARTIAL_SKIPPED, /* all that had not been of late */
	MM_COMPACT_CONTENDED,       /* given up, as others hold the locks */
	MM_COMPACT_SUCCESS,         /* a block that large is free */
};

/** As the tracepoints name it: "partial_skipped". Static storage. */
const char *mm_compact_result_name(enum mm_compact_result result);

/* How hard direct compaction tries, the hardest first. */
enum mm_compact_priority {
	MM_COMPACT_SYNC_FULL,
	MM_COMPACT_SYNC_LIGHT,
	MM_COMPACT_ASYNC,
};

#define MM_COMPACT_WHOLE (-1) /* instead of an order: as much as can be had */

/** Twice the block: the pages that move and where they move to. */
static inline uint64_t mm_compact_gap(unsigned order)
{
	return UINT64_C(2) << order;
}

/* fragmentation.c */
/**
 * Why an allocation of that order fails: from 0, too little is free, to 1000, it is in too small
 * pieces; -1000 where there is such a block.
 */
int mm_fragmentation_index(const struct mm_zone *zone, unsigned order);
/** How much of what is free is in pieces smaller than a page block: percent, of a zone; of a node,
 * whose zones count by their size. */
unsigned mm_fragmentation_score(const struct mm *mm, const struct mm_zone *zone);
unsigned mm_fragmentation_score_node(const struct mm *mm, const struct mm_node *node);

/**
 * Should the zone be compacted for such a block? SUCCESS where it has one above the watermark,
 * SKIPPED where too little is free, CONTINUE.
 */
enum mm_compact_result mm_compaction_suitable(const struct mm *mm, const struct mm_zone *zone,
					      int order, unsigned alloc_flags, int highest);
/** Could it be worth it, if so many pages were free? The index does not count. */
bool mm_compaction_possible(const struct mm_zone *zone, unsigned order, unsigned alloc_flags,
			    int highest, uint64_t nr_free);
/** Need nothing be reclaimed for such a block, as it is there or enough is free to make it? */
bool mm_compaction_ready(const struct mm *mm, const struct mm_zone *zone, unsigned order,
			 int highest);

/* kcompactd.c */
/** A node's kcompactd has something to do, if that could help. */
void mm_wake_kcompactd(struct mm *mm, int cpu, struct mm_node *node, unsigned order, int highest);

/* compact.c */
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
 * Without success: DEFERRED or SKIPPED where that is all that the zones said. *captured is a block
 * that it freed itself, which is in no place and the caller's, or NULL.
 */
enum mm_compact_result mm_compact_direct(struct mm *mm, int cpu,
					 const struct mm_compact_request *req,
					 struct page **captured);
/** An allocation got a block that large from the zone: compaction works there. */
void mm_compact_worked(struct mm_zone *zone, unsigned order);

/* What kcompactd does to a zone. */
struct mm_compact_background {
	int order; /* MM_COMPACT_WHOLE: to lower the fragmentation score */
	int highest;
	uint64_t migrate_scanned, free_scanned; /* out */
};
/** Compact a zone in the background. *cpu changes where it gives way. Time passes. */
enum mm_compact_result mm_compact_zone(struct mm *mm, int *cpu, struct mm_zone *zone,
				       struct mm_compact_background *b);
/** All zones as far as possible, as a write to compact_memory does. `cpu` may be MM_NO_CPU: then it
 * takes no time. */
void mm_compact_all(struct mm *mm, int cpu);

/* Having failed, it is tried less often. */
void mm_compact_defer(struct mm_zone *zone, int order);
/** Is it left out this time? Counts. */
bool mm_compact_deferred(struct mm_zone *zone, int order);
/** It went well, if nobody has taken the block meanwhile. */
void mm_compact_undefer(struct mm_zone *zone, int order);

/* skips.c */
/** Where a run has come to the zone's end of late, page blocks may be looked at again. */
void mm_compact_flush_skips(struct mm *mm, int cpu, struct mm_node *node);

#endif
