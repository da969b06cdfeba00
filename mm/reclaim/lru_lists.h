/* SPDX-License-Identifier: Apache-2.0 */
/* The steps that lru.c offers to the other files of reclaim. */
#ifndef MM_LRU_LISTS_H
#define MM_LRU_LISTS_H

#include "mm/internal.h"

static inline struct mm_node *mm_page_node(const struct mm *mm, const struct page *page)
{
	return &mm->nodes[mm_page_to_nid(mm, page)];
}

static inline uint64_t mm_page_pages(const struct page *page)
{
	return UINT64_C(1) << page->order;
}

static inline bool mm_lru_is_file(enum mm_lru lru)
{
	return lru == MM_LRU_INACTIVE_FILE || lru == MM_LRU_ACTIVE_FILE;
}

static inline bool mm_lru_is_active(enum mm_lru lru)
{
	return lru == MM_LRU_ACTIVE_ANON || lru == MM_LRU_ACTIVE_FILE;
}

/** The lock of a node's lists. Others may run before it returns; cpu may be MM_NO_CPU. */
void mm_lru_lock(struct mm *mm, int cpu, struct mm_node *node);
void mm_lru_unlock(struct mm *mm, int cpu, struct mm_node *node);

/** The list that a page's flags put it on. */
enum mm_lru mm_page_lru(const struct page *page);
/* With the lock: */
void mm_lru_link(struct mm *mm, int cpu, struct page *page, bool to_tail);
void mm_lru_unlink(struct mm *mm, int cpu, struct page *page);

/**
 * Does an anonymous page with such flags count as mapped? One that nobody's page tables are known
 * of is not while it has a place in swap: it is unmapped before it is written.
 */
static inline bool mm_counts_anon(const struct page *page, uint64_t flags)
{
	return (flags & PG_MAPPED) && (page->user || !(flags & PG_SWAPCACHE));
}

/** Give a page other flags, and keep what node and zone count by them. */
void mm_page_account(struct mm *mm, int cpu, struct page *page, uint64_t flags);
/** Whether a page counts as a file's, and as one of tmpfs, changes. */
void mm_page_cached(struct mm *mm, int cpu, struct page *page, bool cached, bool shmem);
/** Out of the batch of whichever CPU it is in. */
void mm_lru_unbatch(struct page *page);
/** Forget all about a page that has no reference left. Time may pass. */
void mm_lru_release(struct mm *mm, int cpu, struct page *page);
/** Pages of a node on a list, of zones up to `highest`. */
uint64_t mm_node_lru(const struct mm *mm, const struct mm_node *node, enum mm_lru lru, int highest);

#endif
