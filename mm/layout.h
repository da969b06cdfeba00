/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layout of one zone's frames for given counts: which page blocks are of which mobility, and
 * where in them the free blocks lie. Only the start needs it (start.c).
 */
#ifndef MM_LAYOUT_H
#define MM_LAYOUT_H

#include "mm/internal.h"
#include "mm/start.h"

struct layout;

/* A block of 2^order frames, all of them managed. */
struct layout_block {
	pfn_t pfn;
	uint8_t order;
	uint8_t type; /* enum mm_migratetype: of the list it is for */
};

/**
 * Lay out the free blocks and page blocks that `want` counts, in the managed frames of
 * `ranges` (ascending, apart from each other). Sets the types of the zone's page blocks. Returns 0
 * and *out (free with layout_free()); -ENOMEM; -EINVAL with the reason in why[] where the counts
 * fit into no layout.
 */
int layout_make(struct mm *mm, struct mm_zone *zone, const struct mm_zone_state *want,
		const struct mm_extent *ranges, size_t nr_ranges, struct layout **out, char *why,
		size_t size);
void layout_free(struct layout *l);

/** The free blocks, largest order first; *nr of them. */
const struct layout_block *layout_free_blocks(const struct layout *l, size_t *nr);
/**
 * Take a block of pages that are not free from page blocks of that type, from the smallest piece
 * that is large enough. Returns 0 and *pfn; -ENOENT where there is none; -ENOMEM.
 */
int layout_take_block(struct layout *l, enum mm_migratetype type, unsigned order, pfn_t *pfn);
/** Take all else that is not free, a piece a call, largest first; false where nothing is left. */
bool layout_take_used(struct layout *l, struct layout_block *block);

#endif
