/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's page tables for what is not its direct mapping, built in simulated memory: the
 * topmost table is part of the kernel's image, those below it are pages of the page allocator,
 * taken when something is first mapped there and kept for good. Each entry that is read on the way
 * or written is an access at its address.
 */
#ifndef MM_PGTABLE_H
#define MM_PGTABLE_H

#include "mm/ops.h"
#include "mm/vmalloc/vm_map.h"
#include "mm/walk.h"

struct mm_table;

struct mm_pgtable {
	const struct mm_vm_map *map;
	struct mm_table *root;
	struct mm_lock lock;        /* init_mm's page_table_lock: who adds a table */
	uint64_t nr_tables;         /* pages, the topmost apart */
	uint64_t nr_small, nr_huge; /* entries that map a page, a huge page */
};

/** 0 or -ENOMEM. */
int mm_pgtable_init(struct mm *mm, struct mm_pgtable *t);
void mm_pgtable_clear(struct mm_pgtable *t);

/**
 * Map `nr` pages of 2^order frames each, one after the other, from `address` on; order 0, or that
 * of a huge page. Simulated time may pass. Returns 0; -ENOMEM where there is no room for a table;
 * -EBUSY where something is mapped there. What has been mapped by then stays.
 */
int mm_pgtable_map(struct mm *mm, int cpu, struct mm_pgtable *t, uint64_t address,
		   struct page *const *pages, uint64_t nr, unsigned order);
/** Clear what is mapped in [start, end). Returns how many entries were. Flushes nothing. */
uint64_t mm_pgtable_unmap(struct mm *mm, int cpu, struct mm_pgtable *t, uint64_t start,
			  uint64_t end);
/** The page that is mapped at the address, and how large: NULL where none is. */
struct page *mm_pgtable_walk(struct mm *mm, int cpu, const struct mm_pgtable *t, uint64_t address,
			     unsigned *order);

/** The entries on the way to the address, and the size of the page that is there; at no cost. */
void mm_pgtable_path(const struct mm_pgtable *t, uint64_t address, struct mm_walk *walk);
/** The topmost of them: of tables that are not built here, too. */
struct mm_walk_entry mm_pgtable_top(const struct mm_pgtable *t, uint64_t address);

/** Do its counts agree with its entries? Fills why[]. */
bool mm_pgtable_holds(struct mm *mm, const struct mm_pgtable *t, char *why, size_t size);

#endif
