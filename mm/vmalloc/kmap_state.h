/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of kmap() share. Within the mm core.
 *
 * Invariants: an entry's count is 0 and it has no page; or 1, the page is mapped and nobody uses
 * it; or 1 + its users. A page of the window is in the chain of its hash exactly once, at its
 * entry.
 */
#ifndef MM_KMAP_STATE_H
#define MM_KMAP_STATE_H

#include "mm/internal.h"
#include "mm/vmalloc/kmap.h"

#define PA_HASH_BITS 7 /* page_address_htable has 128 slots */
#define NO_ENTRY     (-1)

struct mm_kmap_entry {
	struct page *page;
	unsigned count; /* pkmap_count */
	int next;       /* in the chain of its hash; NO_ENTRY */
};

struct mm_kmap_local {
	struct page *pages[MM_KMAP_SLOTS];
	unsigned nr;
};

struct mm_kmap {
	unsigned nr_entries; /* a power of two, or 0 */
	struct mm_kmap_entry *entries;
	unsigned last;                 /* last_pkmap_nr: where the search goes on */
	int chains[1 << PA_HASH_BITS]; /* by the page's hash */
	struct mm_lock lock;           /* kmap_lock */
	struct mm_waitq wait;          /* pkmap_map_wait */
	struct mm_kmap_local *local;   /* by CPU */
	phys_addr_t counts_at, table_at, hash_at, maps_at, slots_at; /* of the kernel's image */
	struct mm_kmap_info info;
};

/** 0 or -ENOMEM. */
int mm_kmap_init(struct mm *mm);
void mm_kmap_destroy(struct mm *mm);
/** Its part of mm_verify(). */
int mm_kmap_verify(const struct mm *mm, char *why, size_t size);

/** Address of a page of the direct mapping, at its cost. */
uint64_t mm_lowmem_address(struct mm *mm, int cpu, const struct page *page);

#endif
