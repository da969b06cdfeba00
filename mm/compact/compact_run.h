/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of compaction over a zone: two scanners that come towards each other, one from the zone's
 * start that finds pages to move, one from its end that finds free frames for them. Within the mm
 * core.
 *
 *	compact.c: runs, when they end and whether they begin
 *	migrate_scan.c, free_scan.c: the scanners; skips.c: which page blocks they pass over
 */
#ifndef MM_COMPACT_RUN_H
#define MM_COMPACT_RUN_H

#include "mm/alloc/pageblock.h"
#include "mm/compact/compact.h"
#include "mm/compact/migrate.h"

#define MM_COMPACT_CLUSTER 32         /* pages that are isolated at a time */
#define MM_NO_FAST_START   UINT64_MAX /* it has been gone on from */

/*
 * nr_pages = length of pages; nr_free = length of free
 * Frames on `free` are in no place.
 */
struct mm_compact_run {
	struct mm *mm;
	struct mm_zone *zone;
	int cpu; /* changes where it gives way */
	int order;
	gfp_t gfp;
	enum mm_migratetype type;
	unsigned alloc_flags;
	int highest;
	enum mm_migrate_mode mode;
	bool direct;       /* for an allocation that waits */
	bool proactive;    /* until the zone is less fragmented */
	bool whole_zone;   /* from its start to its end */
	bool ignore_skips; /* page blocks that were of no use of late too */
	bool any_target;   /* page blocks of any mobility are moved to */
	bool rescan;       /* finish the page block */
	bool contended;    /* others hold the locks, so an asynchronous run gives up */
	pfn_t migrate_pfn, free_pfn;
	pfn_t fast_start_pfn; /* lowest that was found on the free lists; MM_NO_FAST_START */
	int search_order;     /* where the search of the free lists goes on */
	unsigned fast_fails;
	struct page_list pages, free;
	uint64_t nr_pages, nr_free;
	uint64_t migrate_scanned, free_scanned;
	struct mm_capture capture; /* of a direct run */
};

static inline pfn_t mm_zone_end(const struct mm_zone *zone)
{
	return zone->start_pfn + zone->spanned;
}

/** The fragmentation score of a node above which kcompactd does not wait to be asked. */
unsigned mm_compact_high_score(const struct mm *mm);

/** Both scanners are in one page block, or past each other. */
static inline bool mm_scanners_met(const struct mm_compact_run *run)
{
	unsigned order = run->mm->arch->pageblock_order;

	return run->free_pfn >> order <= run->migrate_pfn >> order;
}

/** Pages of a free list that a search looks at: fewer the more often it was in vain. */
static inline unsigned mm_search_limit(const struct mm_compact_run *run)
{
	return run->fast_fails > 5 ? 1 : (MM_COMPACT_CLUSTER >> run->fast_fails) + 1;
}

/**
 * The first page of [start, end) of a page block; NULL unless both ends are memory of the zone, as
 * in a block that lies in two zones or a hole.
 */
struct page *mm_block_page(const struct mm_compact_run *run, pfn_t start, pfn_t end);
/** The page is a free block's head: its order. -1 where it is not. */
int mm_free_order(const struct mm_compact_run *run, const struct page *page, pfn_t pfn);
/** It is looked at. */
void mm_compact_look(struct mm_compact_run *run, const struct page *page);
/** Take the zone's lock; an asynchronous run that has to wait for it will give up. */
void mm_compact_lock(struct mm_compact_run *run);

enum mm_isolate_result { MM_ISOLATE_ABORT, MM_ISOLATE_NONE, MM_ISOLATE_SUCCESS };
/* migrate_scan.c */
/** Isolate pages of the next page block to `pages`. Time may pass. */
enum mm_isolate_result mm_isolate_migratepages(struct mm_compact_run *run);

/* free_scan.c */
/** Isolate free frames, single ones, to `free`: as many as there are pages to move. */
void mm_isolate_freepages(struct mm_compact_run *run);

/* skips.c */
/** Forget where scanners have been, and which page blocks were of no use. */
void mm_compact_reset(struct mm *mm, int cpu, struct mm_zone *zone);
/** Runs begin at the zone's ends again. */
void mm_compact_rewind(struct mm *mm, struct mm_zone *zone);

#endif
