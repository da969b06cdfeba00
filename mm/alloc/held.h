/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages in use since before the start, by nobody we follow: lists of them by order and by the
 * mobility of their page block, from which they can be freed. Within the mm core.
 */
#ifndef MM_HELD_H
#define MM_HELD_H

#include "mm/internal.h"

/* Blocks with PG_HELD of one zone. The sum of their pages is the zone's `held`. */
struct mm_held {
	struct page_list lists[MM_NR_MIGRATETYPES][NR_PAGE_ORDERS];
	uint64_t lru[MM_NR_LRU]; /* pages that were on LRU lists */
};

/** Make the zone's lists, empty. Returns 0 or -ENOMEM; freed with the mm core. */
int mm_held_init(struct mm_zone *zone);
/** A block that is in no place yet is held; `user`: it can be moved or reclaimed. */
void mm_held_put(struct mm *mm, struct mm_zone *zone, pfn_t pfn, unsigned order,
		 enum mm_migratetype type, bool user);

/**
 * One page from the bottom of a block of user memory that is held, off the lists but still held;
 * the others stay on them.
 */
void mm_held_take(struct mm *mm, struct mm_zone *zone, struct page *page);
/** Back to the lists: the one for its page block. */
void mm_held_return(struct mm *mm, struct mm_zone *zone, struct page *page);

#endif
