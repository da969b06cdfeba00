/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames one after the other, more than a block of the buddy lists has, or at a place that is
 * given: what is in use there moves away. And the area that is kept for such allocations (cma=),
 * whose page blocks movable memory has the use of meanwhile.
 *
 * Simulated time passes in all of these.
 */
#ifndef MM_CONTIG_H
#define MM_CONTIG_H

#include "mm/mm.h"

/**
 * Take frames [start, end), which lie in one zone, as single pages of the caller's; `cma` says that
 * their page blocks are those of the area. Returns 0; -EINVAL where there are no such frames of a
 * zone; -EBUSY where something there cannot be moved, be it for want of room; -ENOMEM.
 */
int mm_alloc_contig_range(struct mm *mm, int cpu, pfn_t start, pfn_t end, bool cma);
/**
 * The first `nr` frames at a multiple of `nr` (a power of two) that can be had, of the zones that
 * the request may have, nearest node first; its order is not looked at. As single pages. Returns
 * 0, or -ENOMEM.
 */
int mm_alloc_contig_pages(struct mm *mm, const struct mm_request *req, uint64_t nr,
			  struct page **first);
/** The same 2^order frames as one block in use, of however many pages. */
int mm_alloc_contig_block(struct mm *mm, const struct mm_request *req, unsigned order,
			  struct page **page);
/** Free them, one by one. */
void mm_free_contig_range(struct mm *mm, int cpu, struct page *first, uint64_t nr);

/** Pages of the area (CmaTotal), those that are free (CmaFree), and where it begins. */
struct mm_cma_info {
	uint64_t total, free;
	pfn_t start;
};
void mm_cma_info(const struct mm *mm, struct mm_cma_info *info);
/** Pages of a zone in it: "cma" in /proc/zoneinfo. */
uint64_t mm_cma_pages(const struct mm *mm, int nid, int zone);
/** Of these, those that are free: nr_free_cma. */
uint64_t mm_cma_free(const struct mm *mm, int nid, int zone);
/**
 * `nr` frames of the area, from a multiple of 2^align_order. Returns 0; -ENOMEM where there is no
 * such run that is not allocated, or can be emptied.
 */
int mm_cma_alloc(struct mm *mm, int cpu, uint64_t nr, unsigned align_order, struct page **first);
/** -EINVAL where they are not all allocated from the area; then nothing has changed. */
int mm_cma_release(struct mm *mm, int cpu, struct page *first, uint64_t nr);

/* Within the mm core: a range of whole page blocks of one zone is to be no memory any more. */
struct mm_emptying {
	int cpu; /* in and out: it changes where the caller gives way */
	struct mm_zone *zone;
	pfn_t start, end;
	uint64_t migrated; /* out: pages that were moved away */
	pfn_t stuck;       /* out: on failure the first frame that could not be emptied */
};
/**
 * Empty frames [start, end), which are all memory, and take them off the free lists: nobody has
 * them then, and their descriptors are all zero. What moves goes to other nodes, if there are any.
 * Returns 0; -EBUSY where something stays, and then nothing has changed but what has moved; -ENOMEM
 * where the host has none left.
 */
int mm_empty_range(struct mm *mm, struct mm_emptying *e);

#endif
