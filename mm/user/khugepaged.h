/* SPDX-License-Identifier: Apache-2.0 */
/*
 * khugepaged: collapses single pages of processes into huge ones. It is a thread of the kernel
 * (mm/kthread.h, the last one) that looks at so many pages of all spaces in turn, then sleeps.
 * A task may do the same to its own (MADV_COLLAPSE).
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
/**
 * MADV_COLLAPSE of [start, end), which lies in one range: each place in it that has room for a huge
 * page becomes one now, whatever the settings are. Simulated time passes. 0; -EINVAL where the
 * range cannot have huge pages, or some of it cannot be collapsed as it is; -EAGAIN where somebody
 * had a hold of a page; -ENOMEM without a huge page. The others are collapsed all the same, up to
 * where there is no memory.
 */
int mm_user_collapse(struct mm *mm, int cpu, struct mm_space *space, uint64_t start, uint64_t end);
/** The space is about to go. */
void mm_khugepaged_forget(struct mm *mm, const struct mm_space *space);

#endif
