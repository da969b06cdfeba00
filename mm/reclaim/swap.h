/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places in swap, within the mm core. What matters of a place is its cluster, as many pages as a
 * huge page has: a huge page is swapped whole only to a cluster with nothing in it.
 *
 *	swap_pages - swap_free = sum of used[]
 *	used[] >= lent[], which are places that owners behind mm_ops have
 */
#ifndef MM_SWAP_H
#define MM_SWAP_H

#include "mm/page.h"

struct mm;

struct mm_swap {
	uint64_t nr_clusters, nr_empty;
	uint16_t *used, *lent; /* by cluster: pages */
	uint32_t *current;     /* by CPU: where it takes single places */
	uint64_t next;         /* where to look for a cluster next */
	uint64_t top;          /* no cluster above it is lent */
};

/**
 * A place for a page in use, all of its frames in one cluster; it gets PG_SWAPCACHE. False where
 * there is no room for it in one piece.
 */
bool mm_swap_take(struct mm *mm, int cpu, struct page *page);
/** The page needs its place no more, and nobody refers to it. */
void mm_swap_forget(struct mm *mm, int cpu, struct page *page);
/** The same as far as nobody refers to it and it is not being written: then its content is here
 * only. */
void mm_swap_try_free(struct mm *mm, int cpu, struct page *page);
/** Is more than half of it taken? Then places are not kept for pages that are in use. */
bool mm_swap_full(const struct mm *mm);
/** So many places of a cluster are free. */
void mm_swap_put(struct mm *mm, uint32_t cluster, uint64_t pages);
/** Read so many pages in one request, and free no place. Simulated time passes. */
void mm_swap_read(struct mm *mm, int cpu, uint64_t pages);
/** Do the equations above hold? 0, or -EINVAL and why. */
int mm_swap_verify(const struct mm *mm, char *why, size_t size);
void mm_swap_destroy(struct mm *mm);

#endif
