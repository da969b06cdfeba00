/* SPDX-License-Identifier: Apache-2.0 */
/* One allocation on its way: what page_alloc.c and slow_path.c share. Within the mm core. */
#ifndef MM_ALLOC_H
#define MM_ALLOC_H

#include "mm/internal.h"

struct alloc_context {
	int cpu;
	unsigned order;
	gfp_t gfp;
	enum mm_migratetype migratetype;
	int nid;                         /* preferred node */
	int highest;                     /* highest zone index that the flags allow */
	const struct mm_zonelist *list;  /* of the preferred node */
	const struct mm_nodemask *nodes; /* allowed nodes; NULL: all */
	size_t first;                    /* first entry of the list that the request may use */
	const struct mm_request *req;
	bool spread_dirty; /* not from a node that has its share of dirty pages */
};

/** The request's context: node, zonelist, mobility, what follows from its flags. */
void mm_alloc_prepare(struct mm *mm, const struct mm_request *req, struct alloc_context *ac);
/** Make a block that was taken from a zone its user's: count it, reference it, clear it if asked.
 */
void mm_prep_new_page(struct mm *mm, const struct alloc_context *ac, struct page *page);
/** May the request be served from this zone at all? */
static inline bool mm_zone_allowed(const struct alloc_context *ac, const struct mm_zone *zone)
{
	return zone->index <= ac->highest && (!ac->nodes || mm_nodemask_has(ac->nodes, zone->nid));
}

/** The entry of the list from the i-th on that the request may use; list->nr: there is none. */
static inline size_t mm_next_zone(const struct alloc_context *ac, size_t i)
{
	while (i < ac->list->nr && !mm_zone_allowed(ac, ac->list->zones[i]))
		i++;
	return i;
}

/** What looking at a zone's watermark touches. */
static inline void mm_charge_zone_check(struct mm *mm, int cpu, const struct mm_zone *zone)
{
	if (!mm_is_watched(mm))
		return;
	mm_work(mm, cpu, MM_SITE_ZONE_CHECK, 1);
	mm_touch(mm, cpu, zone->at + MM_ZONE_WATERMARKS, 64, MM_READ);
	mm_touch(mm, cpu, zone->at + MM_ZONE_VMSTAT, 8, MM_READ);
}

/** What flags allow at any watermark. */
static inline unsigned mm_alloc_flags_common(const struct alloc_context *ac)
{
	return (ac->gfp & __GFP_KSWAPD_RECLAIM ? ALLOC_KSWAPD : 0) |
	       (ac->migratetype == MM_MOVABLE ? ALLOC_CMA : 0);
}

/** Walk the zonelist. NULL where no zone has room, or what is asked for. Time may pass. */
struct page *mm_get_page_from_freelist(struct mm *mm, const struct alloc_context *ac,
				       unsigned alloc_flags);
/** After the first walk found nothing. NULL where the allocation fails. Time may pass. */
struct page *mm_alloc_slow_path(struct mm *mm, struct alloc_context *ac);

#endif
