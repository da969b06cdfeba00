/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page faults on anonymous memory: a huge page where the settings want one (thp.h), else a single
 * page; and the page tables that map them.
 */
#ifndef MM_FAULT_H
#define MM_FAULT_H

#include "mm/mempolicy.h"

#define MM_PAGE_TABLE_GFP (GFP_KERNEL_ACCOUNT | __GFP_ZERO)

/*
 * What one entry of an upper page table maps: as much address space as a huge page has, by a huge
 * page, or by a table of single pages. All zeroes: nothing yet.
 *
 * `table` is there as soon as anything is. With a huge page it lies aside, for the day on which the
 * huge page is taken apart.
 */
struct mm_fault_range {
	struct page *huge;
	struct page *table;
	struct page **pages; /* those of the table, or NULL; the range's own array */
	bool hugetlb;        /* `huge` is the pool's, and has no table */
};

struct mm_fault {
	int cpu;
	const struct mm_policy *policy; /* of the memory */
	uint32_t offset;                /* of the page in its mapping, pages */
	struct mm_policy_use tables;    /* the task's, for a page table */
	bool advised;                   /* madvise(MADV_HUGEPAGE) */
	bool whole;    /* the mapping has all of the range: else no huge page fits */
	bool hugetlb;  /* a mapping of the pool's pages */
	bool reserved; /* of these, one that has been set apart */
};

/* How a fault went. */
enum mm_fault_result {
	MM_FAULT_PRESENT, /* the page was there: no fault at all */
	MM_FAULT_SMALL,   /* a single page came */
	MM_FAULT_HUGE,
	MM_FAULT_FALLBACK, /* a single page came, where a huge one was wanted */
	MM_FAULT_OOM,      /* none did */
};

/**
 * A store to the page at f->offset; the mapping begins on a boundary of a huge page. Simulated time
 * passes. What came stays in *range. `*tables` is set to whether a page table was allocated: a turn
 * of the task's policy. -ENOMEM where the host has no memory, else an enum mm_fault_result.
 */
int mm_fault(struct mm *mm, const struct mm_fault *f, struct mm_fault_range *range, bool *tables);

/** The page that maps the offset, and where in it: pages from its head. NULL: none. */
struct page *mm_fault_page(const struct mm *mm, const struct mm_fault_range *range, uint32_t offset,
			   uint32_t *index);

/** Unmap all of the range, and free what it had. Returns how many blocks. Simulated time passes. */
uint64_t mm_fault_unmap(struct mm *mm, int cpu, struct mm_fault_range *range);

#endif
