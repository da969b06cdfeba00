/* SPDX-License-Identifier: Apache-2.0 */
/* The pool of huge pages, for the rest of the mm core. */
#ifndef MM_HUGE_POOL_H
#define MM_HUGE_POOL_H

#include "mm/internal.h"

/** At boot, once there are watermarks: the pages that the command line asks for. */
void mm_hugetlb_boot(struct mm *mm, const struct mm_config *c);
/** Free all pages of the pool, which costs nothing; none of them is in use. */
void mm_hugetlb_forget(struct mm *mm);
/** A page that used up a reservation is not needed: it is free, and reserved as before. */
void mm_hugetlb_put_back(struct mm *mm, struct page *page);
/** A sysctl has changed how many there shall be: mm->hugetlb.wanted. */
void mm_hugetlb_written(struct mm *mm);

/** Is it free in the pool, and promised to nobody? Then memory that goes offline may have it. */
bool mm_hugetlb_is_spare(const struct mm *mm, const struct page *page);
/** Give up those of the pool in frames [start, end) that are. Time may pass. */
void mm_hugetlb_dissolve(struct mm *mm, int cpu, pfn_t start, pfn_t end);

#endif
