/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page_ext: what is kept of each frame beside its descriptor, for those who ask for it on the
 * command line: page_owner (who has it) and page_table_check. It takes memory of the simulated
 * machine: a section's at a time, or with flat and discontig a node's; nothing where nobody asks.
 */
#ifndef MM_PAGE_EXT_H
#define MM_PAGE_EXT_H

#include "mm/mm.h"

/** Bytes of all arrays; 0: nobody has asked. What a kernel's "allocated N bytes of page_ext" says.
 */
uint64_t mm_page_ext_bytes(const struct mm *mm);
/** Of that, for one frame. */
unsigned mm_page_ext_entry_bytes(const struct mm *mm);

/* Who has a frame, as /sys/kernel/debug/page_owner tells. */
struct mm_page_owner {
	unsigned order; /* of the block that was asked for */
	gfp_t gfp;
	int pid;          /* of who asked */
	const char *comm; /* lives as long as the mm core */
	uint64_t ns,
		free_ns; /* when it was allocated, and last freed before that; simulated time */
	const char *migrated; /* why it last moved here; NULL: it did not */
};

/** Is page_owner on? */
bool mm_has_page_owner(const struct mm *mm);
/**
 * The owner of a frame in use. What was in use before page_owner was is order 0 of the first task,
 * without flags, as in the kernel. Returns 0; -ENOENT where it is nobody's or page_owner is off.
 */
int mm_page_owner(struct mm *mm, pfn_t pfn, struct mm_page_owner *owner);
/**
 * The first frame from *pfn on that begins a block which has an owner; moves *pfn to it. False past
 * the last. Takes time on the host in proportion to the frames that are passed.
 */
bool mm_page_owner_next(struct mm *mm, pfn_t *pfn, struct mm_page_owner *owner);

#endif
