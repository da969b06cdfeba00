/* SPDX-License-Identifier: Apache-2.0 */
/*
 * khugepaged: collapses single pages of processes into huge ones. It is a thread of the kernel
 * (mm/kthread.h, the last one) that looks at so many pages of all spaces in turn, then sleeps.
 */
#ifndef MM_KHUGEPAGED_H
#define MM_KHUGEPAGED_H

#include "mm/mm.h"

/** There will be processes: it runs, first after its sleep, unless huge pages are switched off. */
void mm_khugepaged_start(struct mm *mm);

struct mm_khugepaged_info {
	uint64_t pages_collapsed; /* huge pages */
	uint64_t full_scans;      /* times that all spaces were gone through */
};
void mm_khugepaged_info(const struct mm *mm, struct mm_khugepaged_info *info);

/* Within the mm core. */
struct mm_space;
void mm_khugepaged_init(struct mm *mm);
/** The space is about to go. */
void mm_khugepaged_forget(struct mm *mm, const struct mm_space *space);

#endif
