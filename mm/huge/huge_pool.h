/* SPDX-License-Identifier: Apache-2.0 */
/* The pools of huge pages, for the rest of the mm core. */
#ifndef MM_HUGE_POOL_H
#define MM_HUGE_POOL_H

#include "mm/huge/hugetlb.h"
#include "mm/internal.h"

/* hugetlb_boot.c */
/** Which sizes there are. -EINVAL where the configuration asks for another one. */
int mm_hugetlb_init(struct mm *mm, const struct mm_config *c, struct mm_refusal *r);
/** While memblock has memory: the gigantic pages that the command line asks for. -ENOMEM. */
int mm_hugetlb_reserve_boot(struct mm *mm, const struct mm_config *c);
/** Pages of those that are in a zone, by where they begin, until they are gathered. */
uint64_t mm_hugetlb_boot_pages(const struct mm *mm, const struct mm_zone *zone);
/** What one of them takes. */
static inline uint64_t mm_hugetlb_boot_bytes(const struct mm *mm)
{
	return UINT64_C(1) << (mm->arch->gigantic_order + mm->arch->page_shift);
}
/**
 * Once there are page descriptors and the first watermarks: they go to their pools, and count as
 * managed from now on.
 */
void mm_hugetlb_gather(struct mm *mm);
/** At boot, once there are watermarks: the other pages that the command line asks for. */
void mm_hugetlb_boot(struct mm *mm, const struct mm_config *c);
/** What boot takes has been taken before anybody counts. */
void mm_forget_counts(struct mm *mm);
/** Free all pages of the pools, which costs nothing; none of them is in use. */
void mm_hugetlb_forget(struct mm *mm);

/* hugetlb.c */
/** Which size a page of a pool has. */
unsigned mm_hugetlb_size_of(const struct mm *mm, const struct page *page);
/** A page that used up a reservation is not needed: it is free, and reserved as before. */
void mm_hugetlb_put_back(struct mm *mm, struct page *page);
/** A page that belongs to the pool, in nobody's hands yet, is free there. */
void mm_hugetlb_enqueue(struct mm *mm, struct page *page);
/** The newest free page of a node, in the caller's hands; NULL. */
struct page *mm_hugetlb_dequeue(struct mm *mm, unsigned size, int nid);
/** The node whose turn it is among `nodes`, and whose it will be then. */
int mm_hugetlb_turn(const struct mm *mm, const struct mm_nodemask *nodes, int *turn);
/** Those with memory: returns how many. */
int mm_hugetlb_nodes(const struct mm *mm, struct mm_nodemask *nodes);
/** More than the buddy lists have in one piece? */
static inline bool mm_hugetlb_is_gigantic(const struct mm_hstate *h)
{
	return h->order > MAX_PAGE_ORDER;
}

/** The huge page of a pool, free or not, that frame `pfn` is in; NULL. */
struct page *mm_hugetlb_head(const struct mm *mm, pfn_t pfn);
/** Is it free in the pool, and promised to nobody? Then memory that goes offline may have it. */
bool mm_hugetlb_is_spare(const struct mm *mm, const struct page *page);
/** Give up those of the pools in frames [start, end) that are, whole ones. Time may pass. */
void mm_hugetlb_dissolve(struct mm *mm, int cpu, pfn_t start, pfn_t end);

/* hugetlb_files.c */
/** Is that a name of a file of a pool? */
bool mm_hugetlb_is_file(const char *key);
/** mm_sysctl() of such a one: errors as there. `value` NULL: nothing is written. */
int mm_hugetlb_write(struct mm *mm, const char *key, const char *value, struct mm_refusal *r);
/** What one of /proc/sys/vm holds. */
uint64_t mm_hugetlb_read(const struct mm *mm, const char *key);

/* gigantic.c */
/** A page in nobody's hands, and in no pool. NULL where no range can be emptied for it. */
struct page *mm_gigantic_alloc(struct mm *mm, const struct mm_request *req, unsigned order);
/** One that is in no pool any more goes back to the page allocator, page by page. */
void mm_gigantic_free(struct mm *mm, int cpu, struct page *page);

#endif
