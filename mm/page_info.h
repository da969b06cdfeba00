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
	unsigned order;  /* of the block that it heads */
	int block_type;  /* mobility of its page block; -1: none */
	pfn_t head;      /* of the block that the frame is in; itself where in none */
	const char *use; /* "free", "per-cpu", "in use", "held", "reserved", "hole" */
};

/** Returns 0; -ENOENT where the frame has no descriptor. */
int mm_page_info(struct mm *mm, pfn_t pfn, struct mm_page_info *info);

/** The name of bit `bit` of page->flags ("lru"); NULL beyond those that Linux 6.1 always has. */
const char *mm_page_flag_name(unsigned bit);

#endif
