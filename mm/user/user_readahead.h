/* SPDX-License-Identifier: Apache-2.0 */
/* Readahead, for the files of user memory. Pages of files by their number in the file. */
#ifndef MM_USER_READAHEAD_H
#define MM_USER_READAHEAD_H

#include "mm/user/user_state.h"

/* Of a space that reads a file: the kernel's file_ra_state. */
struct mm_ra {
	uint64_t space; /* its id */
	uint64_t start, size, async_size;
	uint64_t prev; /* where the last read() ended */
	unsigned mmap_misses;
	struct mm_ra *next;
};

/* A request that a disk is at, of pages [first, first + nr). */
struct mm_read {
	struct mm_file *file;
	uint64_t first, nr;
	struct mm_read *next;
};

/** Made at first; NULL where the host has no memory. */
struct mm_ra *mm_ra_of(struct mm_file *file, const struct mm_space *space);
/** The space is gone. */
void mm_ra_forget(struct mm *mm, const struct mm_space *space);
/** read_ahead_kb in pages. */
uint64_t mm_ra_pages(const struct mm *mm);

/* Simulated time passes in these. Pages may be gone again when they return. */

/**
 * read() misses a page: have it, and what goes with it, read, `most` pages; 0: nothing is.
 */
void mm_ra_miss(struct mm *mm, int cpu, struct mm_space *space, struct mm_file *file,
		uint64_t index, uint64_t most);
/** The same where a fault misses it: pages around it. */
void mm_ra_fault(struct mm *mm, int cpu, struct mm_space *space, struct mm_file *file,
		 uint64_t index);
/** `asked` pages from a marked one on are wanted, which is there: what comes next is begun. */
void mm_ra_mark(struct mm *mm, int cpu, struct mm_space *space, struct mm_file *file,
		uint64_t index, uint64_t asked, uint64_t most);
/** Wait until no disk fills the page any more. */
void mm_page_wait(struct mm *mm, int cpu, struct mm_file *file, uint64_t index);

#endif
