/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a kind of per-CPU page lists is: kernels have had several. Each mm/alloc/pcplists/NAME.c
 * defines `const struct mm_pcp_kind pcp_NAME`, and the build makes a table of them; a kernel
 * profile names one. Lists are numbered by mm_pcp_list(), whatever the kind: those that it does not
 * have are empty. A list is edited by its own CPU only, or by a drain while that is in no edit.
 */
#ifndef MM_PCP_H
#define MM_PCP_H

#include "mm/internal.h"

struct mm_pcp_kind {
	const char *name;
	unsigned rules;    /* what of struct mm_pcp_rule it goes by: enum mm_pcp_rules, or'ed */
	bool cold_at_tail; /* what is not in the CPU's caches lies at the tails of lists */
	/** The orders that there are lists of, a bit each. Constant. */
	unsigned (*orders)(const struct mm *mm);
	/** Set the zone's pcp_batch, pcp_high and pcp_low, at boot and when a sysctl changes. */
	void (*set_sizes)(const struct mm *mm, struct mm_zone *zone);
	/**
	 * The list of that order and mobility is empty, or the lists together hold pcp_low pages at
	 * most: take more from the zone. `alloc_flags` may have ALLOC_COLD.
	 */
	void (*refill)(struct mm *mm, int cpu, struct mm_zone *zone, unsigned order,
		       enum mm_migratetype type, unsigned alloc_flags);
	/**
	 * A block has come to `list`: if the lists are too long by now, give back what is too much.
	 * Not called for a single page while the lists hold less than pcp_high pages and nobody
	 * reclaims.
	 */
	void (*trim)(struct mm *mm, int cpu, struct mm_zone *zone, unsigned order, unsigned list);
	/** Give back so many pages of the lists of CPU `owner`, beginning with `list`. */
	void (*drain)(struct mm *mm, int cpu, struct mm_zone *zone, int owner, unsigned list,
		      int nr_pages);
};

extern const struct mm_pcp_kind *const pcp_kinds[]; /* ends with NULL */

/* What the kinds share. */

/** Pages of a batch by the zone's size, of which `most_bytes` / 4 at most; 0 of a small zone. */
unsigned mm_pcp_batch(const struct mm *mm, const struct mm_zone *zone, uint64_t most_bytes,
		      bool round_up);
/* Where a list is filled, from its head on: with the first block first, or behind the last. */
enum mm_pcp_end { PCP_HEAD, PCP_TAIL, PCP_TAIL_REVERSED };

/** Take up to `blocks` blocks from the zone, under its lock. */
void mm_pcp_fill(struct mm *mm, int cpu, struct mm_zone *zone, unsigned order,
		 enum mm_migratetype type, unsigned alloc_flags, unsigned blocks,
		 enum mm_pcp_end end);
/** Report the edit that put a block on an end of a list, or took it from there. */
void mm_pcp_charge(struct mm *mm, int cpu, const struct mm_zone *zone, unsigned list,
		   const struct page *page, enum mm_site site);

/** Take the block at the tail of a list of CPU `owner` off, which is to be given back. */
struct page *mm_pcp_take_off(struct mm *mm, struct mm_zone *zone, int owner, unsigned list);
/** Give a block that is off its list back to the zone, whose lock is held. */
void mm_pcp_give_back(struct mm *mm, int cpu, struct mm_zone *zone, struct page *page);

/* What all kinds do alike. */

/**
 * Take one block from the CPU's list, refilling it; NULL where the zone has none. One of many at
 * once: it says nothing of how busy the lists are.
 */
static inline struct page *mm_pcp_take_one(struct mm *mm, int cpu, struct mm_zone *zone,
					   unsigned order, enum mm_migratetype type,
					   unsigned alloc_flags)
{
	struct mm_pcp *pcp = &zone->pcp[cpu];
	unsigned list = mm_pcp_list(order, type);
	struct page_list *l = &pcp->lists[list];
	struct page *page;

	if (UNLIKELY(!l->head || pcp->count <= zone->pcp_low))
		mm->pcp_kind->refill(mm, cpu, zone, order, type, alloc_flags);
	page = (alloc_flags & ALLOC_COLD) && mm->pcp_kind->cold_at_tail ? l->tail : l->head;
	if (UNLIKELY(!page))
		return NULL;
	page_list_del(l, page);
	page->flags &= ~(uint64_t)PG_PCP;
	pcp->count -= 1u << order;
	if (mm_is_watched(mm))
		mm_pcp_charge(mm, cpu, zone, list, page, MM_SITE_PCP_ALLOC);
	return page;
}

/** The same for a request of its own. */
static inline struct page *mm_pcp_take(struct mm *mm, int cpu, struct mm_zone *zone, unsigned order,
				       enum mm_migratetype type, unsigned alloc_flags)
{
	zone->pcp[cpu].free_factor >>= 1;
	return mm_pcp_take_one(mm, cpu, zone, order, type, alloc_flags);
}

/**
 * Put one block on the CPU's list; `type` is that of its page block, and not isolated. `cold`: it
 * is not likely to be in the CPU's caches.
 */
static inline void mm_pcp_give(struct mm *mm, int cpu, struct mm_zone *zone, struct page *page,
			       unsigned order, enum mm_migratetype type, bool cold)
{
	struct mm_pcp *pcp = &zone->pcp[cpu];
	unsigned list = mm_pcp_list(order, type);

	page->flags |= PG_PCP;
	page->order = (uint8_t)order;
	page->migratetype = (uint8_t)type;
	if (cold && mm->pcp_kind->cold_at_tail)
		page_list_add_tail(&pcp->lists[list], page);
	else
		page_list_add_head(&pcp->lists[list], page);
	pcp->count += 1u << order;
	if (mm_is_watched(mm))
		mm_pcp_charge(mm, cpu, zone, list, page, MM_SITE_PCP_FREE);
	if (order || zone->reclaim_active || pcp->count >= zone->pcp_high)
		mm->pcp_kind->trim(mm, cpu, zone, order, list);
}

#endif
