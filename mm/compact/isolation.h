/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking user memory in use aside, to be moved: off its list, with a reference, so that its owner
 * may free it meanwhile but not reclaim take it. Within the mm core.
 */
#ifndef MM_ISOLATION_H
#define MM_ISOLATION_H

#include "mm/reclaim/lru_lists.h"

/**
 * Can it be moved, as far as can be seen? A block of user memory in use that nobody else has a hold
 * of; one on its way to a list in some CPU's batch only with `batched`.
 */
bool mm_can_isolate(const struct mm *mm, const struct page *page, bool batched);
/**
 * Isolate a page that can be. The caller has the lock of its node's lists. Of a block held since
 * before the start one page is taken, as such blocks are single pages that lie together.
 */
void mm_isolate(struct mm *mm, int cpu, struct page *page);
/** Isolated pages go back to where they were; those that were freed meanwhile are. Time may pass.
 */
void mm_putback(struct mm *mm, int cpu, struct page *page);
void mm_putback_list(struct mm *mm, int cpu, struct page_list *pages);
/** Its owner has freed it since: nobody else has a reference. */
static inline bool mm_is_abandoned(const struct page *page)
{
	return page->refcount == 1;
}

/**
 * Whoever owns `from`, which is isolated, owns `to` from now on, a block of the same order that is
 * in no place. `to` is isolated then, and what is left of `from` is the isolation's reference.
 */
void mm_take_over(struct mm *mm, int cpu, struct page *from, struct page *to);

#endif
