/* SPDX-License-Identifier: Apache-2.0 */
/* A page descriptor, for people: what it says and what its frame is used for. Costs nothing. */
#ifndef MM_PAGE_INFO_H
#define MM_PAGE_INFO_H

#include "mm/mm.h"

struct mm_page_info {
	uint64_t flags;  /* page->flags of Linux 6.1: section, node, zone, and the flags' bits */
	phys_addr_t at;  /* of the descriptor, in simulated memory */
	int nid, zone;   /* MM_NO_NODE, -1: the frame is no memory */
	int64_t section; /* -1: the memory model has none */
	int refcount, mapcount;
	unsigned order;      /* of the block that it heads */
	int block_type;      /* mobility of its page block; -1: none */
	pfn_t head;          /* of the block that the frame is in; itself where in none */
	const char *use;     /* "free", "per-cpu", "in use", "held", "hugetlb", "kmalloc" (whole
				pages, no slab), "reserved", "hole" */
	const char *mapping; /* of a user's page: "anon", "file" or "shmem"; NULL: of none */
	uint64_t index;      /* where in it, in pages */
	const char *slab;    /* name of the cache whose slab the frame is in; NULL: of none */
};

/** Returns 0; -ENOENT where the frame has no descriptor. */
int mm_page_info(struct mm *mm, pfn_t pfn, struct mm_page_info *info);

/**
 * Two lines of people: "page: pfn:0x1000 refcount:1 ..." and "flags: 0x...(slab|node=0|zone=...)".
 * Return `text`.
 */
const char *mm_page_info_counts(const struct mm_page_info *info, pfn_t pfn, char *text,
				size_t size);
const char *mm_page_info_flags(const struct mm *mm, const struct mm_page_info *info, char *text,
			       size_t size);

/** The name of bit `bit` of page->flags ("lru"); NULL beyond those that Linux 6.1 always has. */
const char *mm_page_flag_name(unsigned bit);

#endif
