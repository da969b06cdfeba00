/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses of pages, after Linux 6.1. The kernel reaches most memory by its direct mapping: the
 * address is an addition. What lies beyond it on i386 (high memory) has to be mapped first:
 *
 * - mm_kmap() maps into a window of 1024 pages (512 with PAE) that all CPUs share. A page stays
 *   mapped, and its entry goes to another page only once all entries are used up and all CPUs have
 *   flushed their TLBs. Where the window is full of pages in use, the caller sleeps.
 * - mm_kmap_local() (and kmap_atomic()) map into 16 slots of the CPU's own, the last one first to
 * go again. It never sleeps, and the address is of no use on another CPU.
 */
#ifndef MM_KMAP_H
#define MM_KMAP_H

#include "mm/mm.h"

/** Does the page lie beyond the direct mapping? */
bool mm_page_high(struct mm *mm, const struct page *page);

/** page_address(): where the kernel has the page mapped; 0: nowhere. */
uint64_t mm_page_address_of(struct mm *mm, int cpu, const struct page *page);

/**
 * Map a page for all CPUs; as often as it is unmapped. Simulated time passes. Returns 0 and
 * *address; -EPERM with a warning (warn.h) in atomic context; -EDEADLK, with a warning, where the
 * window is full and nobody is left who could unmap any of it.
 */
int mm_kmap(struct mm *mm, int cpu, struct page *page, bool atomic, uint64_t *address);
/** Undo one mapping. Returns 0; -EINVAL with a warning where the page has none. */
int mm_kunmap(struct mm *mm, int cpu, struct page *page);

/**
 * Map a page for this CPU alone. Never sleeps. Returns 0 and *address; -ENOSPC with a warning where
 * the CPU has 16 of them already.
 */
int mm_kmap_local(struct mm *mm, int cpu, struct page *page, uint64_t *address);
/**
 * Undo the last one, which is at `address` (anywhere in the page); nothing for an address of the
 * direct mapping. Returns 0; -EINVAL with a warning where another one is the last, or there is
 * none.
 */
int mm_kunmap_local(struct mm *mm, int cpu, uint64_t address);

/**
 * At the end: a warning for each page that is still mapped, by mm_kmap() or on a CPU. Returns how
 * many mappings that are.
 */
uint64_t mm_kmap_leaks(struct mm *mm);

/* Since boot, and as it is. */
struct mm_kmap_info {
	uint64_t entries;          /* of the window; 0: there is none, as there is no high memory */
	uint64_t mapped;           /* entries of pages that somebody has mapped */
	uint64_t stale;            /* entries of pages that nobody has, but TLBs may */
	uint64_t kmaps, kunmaps;   /* through the window */
	uint64_t hits;             /* of kmaps, those whose page was mapped already */
	uint64_t lowmem;           /* of pages in the direct mapping */
	uint64_t flushes, flushed; /* of the window, with all CPUs; entries that became free */
	uint64_t waits;            /* for an entry */
	uint64_t local;            /* mappings in CPUs' slots */
};
void mm_kmap_info(const struct mm *mm, struct mm_kmap_info *info);

#endif
