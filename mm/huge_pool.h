/* SPDX-License-Identifier: Apache-2.0 */
/* The pool of huge pages, for the rest of the mm core. */
#ifndef MM_HUGE_POOL_H
#define MM_HUGE_POOL_H

#include "mm/internal.h"

/** At boot, once there are watermarks: the pages that the command line asks for. */
void mm_hugetlb_boot(struct mm *mm, const struct mm_config *c);
/** Free all pages of the pool, which costs nothing; none of them is in use. */
void mm_hugetlb_forget(struct mm *mm);
/** A sysctl has changed how many there shall be: mm->hugetlb.wanted. */
void mm_hugetlb_written(struct mm *mm);

#endif
