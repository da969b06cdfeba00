/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page blocks: stretches of 2^pageblock_order frames (a huge page) whose pages are meant to be of
 * one mobility, so that movable ones can be moved out of each other's way and unmovable ones stand
 * together. A block's type says on which list a page goes that is freed in it.
 */
#ifndef MM_PAGEBLOCK_H
#define MM_PAGEBLOCK_H

#include "mm/internal.h"

/** At boot: all page blocks are movable, none is skipped. Returns 0 or -ENOMEM. */
int mm_pageblocks_init(struct mm *mm);
/**
 * The zone is about to span frames [start, end) too: their page blocks are movable, the others stay
 * as they are. 0 or -ENOMEM.
 */
int mm_pageblocks_cover(struct mm *mm, struct mm_zone *zone, pfn_t start, pfn_t end);

static inline uint64_t mm_pageblock_pages(const struct mm *mm)
{
	return UINT64_C(1) << mm->arch->pageblock_order;
}

/* Stored as the difference to movable, so that zeroes, which cost the host nothing, are that. */
static inline uint8_t *mm_pageblock_slot(const struct mm *mm, const struct mm_zone *zone, pfn_t pfn)
{
	return &zone->block_types[(pfn >> mm->arch->pageblock_order) - zone->blocks_first];
}

/** Type of the page block of a frame that the zone spans. */
static inline enum mm_migratetype mm_pageblock_type(const struct mm *mm, const struct mm_zone *zone,
						    pfn_t pfn)
{
	return (enum mm_migratetype)(*mm_pageblock_slot(mm, zone, pfn) ^ MM_MOVABLE);
}

/** Where pages are not grouped, the mobilities of requests are all unmovable. */
static inline void mm_pageblock_set_type(struct mm *mm, struct mm_zone *zone, pfn_t pfn,
					 enum mm_migratetype type)
{
	if (UNLIKELY(mm->ungrouped) && type < MM_NR_PCPTYPES)
		type = MM_UNMOVABLE;
	*mm_pageblock_slot(mm, zone, pfn) = (uint8_t)(type ^ MM_MOVABLE);
	zone->has_cma |= type == MM_CMA;
	zone->had_apart |= type >= MM_NR_PCPTYPES;
}

static inline pfn_t mm_pageblock_start(const struct mm *mm, pfn_t pfn)
{
	return pfn & ~(mm_pageblock_pages(mm) - 1);
}

/** The end of the page block that has `pfn` in it. */
static inline pfn_t mm_pageblock_end(const struct mm *mm, pfn_t pfn)
{
	return mm_pageblock_start(mm, pfn) + mm_pageblock_pages(mm);
}

/** Of a frame that the zone spans: is its page block not worth compaction's while of late? */
static inline bool *mm_pageblock_skip(const struct mm *mm, const struct mm_zone *zone, pfn_t pfn)
{
	return &zone->block_skips[(pfn >> mm->arch->pageblock_order) - zone->blocks_first];
}

#endif
