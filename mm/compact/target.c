/* SPDX-License-Identifier: Apache-2.0 */
/* Frames for pages that somebody outside moves, as kcompactd of a trace does. */
#include <errno.h>

#include "mm/internal.h"
#include "mm/kthread.h"
#include "mm/page_ext/page_ext_state.h"
#include "mm/zone_count.h"

int mm_take_target(struct mm *mm, int cpu, int nid, int index, unsigned order, struct page **out)
{
	struct mm_zone *zone;
	struct page *page;

	if (nid < 0 || nid >= mm->nr_nodes || index < 0 || index >= mm->arch->nr_zones ||
	    order > MAX_PAGE_ORDER)
		return -EINVAL;
	zone = &mm->nodes[nid].zones[index];
	if (!zone->managed)
		return -EINVAL;
	mm_zone_lock(mm, cpu, zone);
	page = mm_buddy_take(mm, cpu, zone, order, MM_MOVABLE);
	if (page)
		mm_count_free(mm, cpu, zone, -(INT64_C(1) << order));
	mm_zone_unlock(mm, cpu, zone);
	if (!page)
		return -ENOMEM;
	page->refcount = 1;
	page->flags |= PG_LRU;
	page->comp = order > 0;
	page->migratetype = MM_MOVABLE;
	zone->pcp[cpu].stat_changed = true;
	mm->counters.targets++;
	mm_touch_page(mm, cpu, page, MM_WRITE);
	if (mm->page_ext)
		mm_page_owner_set(mm, cpu, page, order, __GFP_MOVABLE);
	*out = page;
	return 0;
}

void mm_moved_block(struct mm *mm, int cpu, int nid, int index)
{
	mm_pcp_drain_own(mm, cpu, &mm->nodes[nid].zones[index]);
}
