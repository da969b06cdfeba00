/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of frames, for the rest of the mm core. */
#ifndef MM_CONTIG_RANGE_H
#define MM_CONTIG_RANGE_H

#include "mm/contig.h"
#include "mm/internal.h"

/** Frames and what they become: single pages, or one block of all of them. */
struct mm_contig {
	struct mm *mm;
	int cpu;
	struct mm_zone *zone;
	pfn_t start, end;
	enum mm_migratetype type; /* of their page blocks, before and after */
	bool whole;
};
/** As mm_alloc_contig_range(). */
int mm_contig_take(struct mm_contig *c);
/** The first range of `nr` frames of the node's zones up to `highest`; c->zone is set. */
int mm_contig_find(struct mm_contig *c, int nid, int highest, uint64_t nr);

/* cma.c */
/** At boot, before structures are placed: set the area apart. 0, or -ENOMEM. */
int mm_cma_reserve(struct mm *mm, uint64_t bytes);
/** Once memory is released: its page blocks are CMA, and free. 0, or -ENOMEM. */
int mm_cma_activate(struct mm *mm);

#endif
