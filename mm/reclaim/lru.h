/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User memory that reclaim may take back: which lists its pages are on, and what their owner says
 * about them. A page is followed from mm_lru_add() on. From then on reclaim may take it, and tells
 * the owner so by mm_ops.reclaimed(); who does not want that does not add it.
 *
 * Pages in use, as their owner has them: a call for another page is -EINVAL and changes nothing.
 * Simulated time may pass where it says so.
 */
#ifndef MM_LRU_H
#define MM_LRU_H

#include "mm/mm.h"
#include "mm/vm_event.h"

/* What a page holds. */
enum mm_page_kind {
	MM_PAGE_NONE,  /* the kernel's: not reclaimed */
	MM_PAGE_ANON,  /* anonymous memory of a process: clean or not, it has to go to swap */
	MM_PAGE_FILE,  /* page cache of a file or a disk: dropped if clean, else written */
	MM_PAGE_SHMEM, /* tmpfs and shared memory: a file that has to go to swap */
};

/**
 * What a kernel allocates with such flags, where nobody says so: movable user memory, and page
 * cache by the flags of read-ahead (__GFP_NORETRY | __GFP_NOWARN), of writing (__GFP_WRITE), or of
 * a block device, whose cache is GFP_USER. Anonymous memory comes zeroed, or as a huge page; what
 * else is movable is file memory, though copies on write and shmem look the same.
 */
enum mm_page_kind mm_page_kind_by_gfp(gfp_t gfp, unsigned order);

/**
 * Begin to follow a page: to the CPU's batch, and with that, once there are 15 or if the page is
 * large, to the inactive list of its kind. Time may pass. 0 or -EINVAL.
 */
int mm_lru_add(struct mm *mm, int cpu, struct page *page, enum mm_page_kind kind);
/**
 * Before that, a page whose content was reclaimed of late is told so by the shadow that
 * mm_ops.reclaimed() gave for it; 0: none. It is active then, if memory was only just too small.
 */
void mm_refault(struct mm *mm, int cpu, struct page *page, enum mm_page_kind kind, uint64_t shadow);
/**
 * At the start: a page that is held since before (PG_HELD, and on no list of held pages any more)
 * to the head of a list. Costs nothing. Reclaim frees it as any other, and tells nobody.
 */
void mm_lru_add_held(struct mm *mm, struct page *page, enum mm_lru lru);
/** What is in the CPU's batch goes to the lists. Time may pass. */
void mm_lru_drain(struct mm *mm, int cpu);

/** A read or write of page cache (mark_page_accessed): the second one makes it active. Time may
 * pass. */
int mm_page_accessed(struct mm *mm, int cpu, struct page *page);
/** A load or, with `write`, a store through a mapping; the page is mapped from then on. */
int mm_page_touched(struct mm *mm, int cpu, struct page *page, bool write);
/** Its content differs from what is on disk. */
int mm_page_dirty(struct mm *mm, int cpu, struct page *page);
/** Lock it in memory (mlock), or no longer. Time may pass. */
int mm_page_lock_in(struct mm *mm, int cpu, struct page *page, bool locked);
/** A write that mm_ops.write() has taken is done. Time may pass. */
void mm_write_done(struct mm *mm, int cpu, struct page *page);
/**
 * The same as an interrupt on `cpu`, whatever that CPU is at: no time passes, and nothing is
 * charged. Locks are not taken, since no edit is under way whenever others may run.
 */
void mm_write_interrupt(struct mm *mm, int cpu, struct page *page);
/** Read so many pages of page cache from their file, in one request. Simulated time passes. */
void mm_file_read(struct mm *mm, int cpu, uint64_t pages);

/** Pages of a zone on a list of its node. */
uint64_t mm_lru_size(const struct mm *mm, int nid, int zone, enum mm_lru lru);

/* Figures of a node, pages: with what CPUs hold back (stat.h). */
struct mm_lru_info {
	uint64_t lru[MM_NR_LRU];
	uint64_t isolated_anon, isolated_file;
	uint64_t dirty, writeback, file_mapped;
	unsigned kswapd_failures;
};
void mm_lru_info(const struct mm *mm, int nid, struct mm_lru_info *info);

/* Swap. */

/** Give the machine a swap device of so many pages; 0: none. Before anything is in it. 0 or
 * -ENOMEM.
 */
int mm_set_swap(struct mm *mm, uint64_t pages);
uint64_t mm_swap_free_pages(const struct mm *mm);
/**
 * Read 2^order pages back that reclaim has swapped: `page` is where they go. Their place in swap
 * becomes free. Simulated time passes.
 */
void mm_swap_in(struct mm *mm, int cpu, struct page *page);
/** Forget 2^order pages that are in swap: their owner is gone. */
void mm_swap_drop(struct mm *mm, unsigned order);

#endif
