/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How hardware gets from an address to memory: how large the page is that maps it, and which
 * entries of page tables it reads on the way. For a sink that knows of TLBs; at no cost, nothing is
 * changed.
 */
#ifndef MM_WALK_H
#define MM_WALK_H

#include "mm/types.h"

struct mm;
struct mm_space;

#define MM_WALK_MOST 5 /* levels of page tables */

struct mm_walk_entry {
	phys_addr_t at; /* in simulated memory */
	unsigned shift; /* log2 of what it maps, by itself or by the tables below it */
};

struct mm_walk {
	unsigned shift;       /* log2 of the page; 0: nothing is mapped there */
	unsigned entry_bytes; /* of each entry */
	/* Entries that are read, the topmost first; the last one maps the page. Of the direct
	 * mapping none is known: its tables have no home in simulated memory. */
	unsigned nr;
	struct mm_walk_entry entries[MM_WALK_MOST];
};

/* Memory that the kernel has mapped for good: the first `bytes` of it, one after the other. */
struct mm_direct_map {
	uint64_t start; /* the address of physical address 0 */
	uint64_t bytes; /* UINT64_MAX: all there is, and what is added later */
};

/** The kernel's direct mapping; constant after boot. */
struct mm_direct_map mm_direct_map(const struct mm *mm);
/** The address of memory in the kernel's direct mapping; 0: it is not there (high memory). */
uint64_t mm_direct_address(const struct mm *mm, phys_addr_t at);
/** Of an address of the kernel: direct mapping, vmemmap, vmalloc area, windows of kmap. */
void mm_kernel_walk(const struct mm *mm, uint64_t address, struct mm_walk *walk);
/** Of an address of a space. */
void mm_user_walk(const struct mm *mm, const struct mm_space *space, uint64_t address,
		  struct mm_walk *walk);

#endif
