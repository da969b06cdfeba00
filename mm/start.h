/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Beginning in a known state: what a kernel shows of its zones (/proc/zoneinfo, pagetypeinfo) while
 * it runs, put upon a freshly booted mm core.
 *
 * The figures come out as they were: managed pages, watermarks and boost, lowmem_reserve, per-CPU
 * counts, free blocks by order and mobility, page blocks by mobility. Which frames are free cannot
 * be known from them; a layout is made that has these counts, the same each time. Pages that are
 * neither free nor on a CPU's list are held: in use, by nobody we follow.
 */
#ifndef MM_START_H
#define MM_START_H

#include "mm/mm.h"

/*
 * Pages on a CPU's lists. What is known of single lists, by mm_pcp_list(), is never more than all
 * of them: sum of least[] <= count.
 */
struct mm_pcp_state {
	uint64_t count, high, batch;
	int stat_threshold;
	uint64_t least[NR_PCP_LISTS]; /* so many of them are on that list */
	uint32_t all_known;           /* by list, a bit: and no more */
};

/* One zone. All pages but where blocks are said. */
struct mm_zone_state {
	int nid;
	int zone; /* index among the architecture's zones */
	uint64_t managed;
	uint64_t min, low, high; /* in force, with the boost */
	uint64_t boost;
	uint64_t protection[MM_MAX_ZONES];
	uint64_t free_blocks[MM_NR_MIGRATETYPES][NR_PAGE_ORDERS];
	/* May be fewer than the zone has: a kernel counts those whose first frame is online and of
	 * the zone. The others are movable. */
	uint64_t page_blocks[MM_NR_MIGRATETYPES];
	uint64_t lru[MM_NR_LRU];
	int64_t held_back; /* pages in these blocks that the counter of free pages lacks */
	const struct mm_pcp_state *pcp; /* by CPU, mm_nr_cpus() of them */
};

/**
 * Bring an mm core that has just booted, and has done nothing yet, into this state. Zones that are
 * not named stay as they are. Costs no simulated time. Returns 0; -EINVAL with *refusal filled
 * (MM_ABOUT_STATE, index of the zone) where the state is not one of this machine or contradicts
 * itself; -ENOMEM. After an error only mm_destroy() may follow.
 */
int mm_start_from(struct mm *mm, const struct mm_zone_state *states, size_t nr,
		  struct mm_refusal *refusal);

/**
 * Free a block of pages that are held since before the start, in this zone and preferably in page
 * blocks of this mobility, as mm_free_pages() would. Simulated time may pass. Returns 0; -ENOENT
 * where the zone holds no block that large, -EINVAL where there is no such zone or order. Takes
 * time on the host in proportion to the number of orders and mobilities.
 */
int mm_free_held(struct mm *mm, int cpu, int nid, int zone, enum mm_migratetype type,
		 unsigned order);

/**
 * Have reclaim follow as many of the pages that are held as were on LRU lists in the state: single
 * movable pages, the lists filled in the order of the frames. Costs no simulated time.
 */
void mm_follow_held(struct mm *mm);

/** Pages of a zone that are held. */
uint64_t mm_held_pages(const struct mm *mm, int nid, int zone);

#endif
