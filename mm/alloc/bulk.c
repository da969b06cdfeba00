/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many single pages at once, as Linux 6.1's __alloc_pages_bulk(): the request is prepared and the
 * watermark looked at once, for all of them; then they come from the CPU's list. What has no room
 * that way, or is one page only, goes the ordinary way, for one page: who wants more asks again.
 */
#include "mm/alloc/alloc.h"
#include "mm/alloc/pcp.h"
#include "mm/warn.h"
#include "mm/zone_count.h"

/*
 * The first zone that has room for all; none beyond the preferred one's node. What it keeps back is
 * as for requests that the preferred zone is the highest of.
 */
static struct mm_zone *find_zone(struct mm *mm, const struct alloc_context *ac, unsigned flags,
				 uint64_t nr)
{
	const struct mm_zone *preferred;

	if (ac->first == ac->list->nr)
		return NULL;
	preferred = ac->list->zones[ac->first];
	for (size_t i = ac->first; i < ac->list->nr; i++) {
		struct mm_zone *zone = ac->list->zones[i];

		if (!mm_zone_allowed(ac, zone))
			continue;
		if (zone->nid != preferred->nid)
			return NULL;
		mm_charge_zone_check(mm, ac->cpu, zone);
		if (mm_zone_watermark_ok(zone, 0, mm_wmark(zone, MM_WMARK_LOW) + nr,
					 preferred->index, flags))
			return zone;
	}
	return NULL;
}

/* Entries that are there already are not asked for. */
static uint64_t skip_present(struct page *const *pages, uint64_t i, uint64_t nr)
{
	while (i < nr && pages[i])
		i++;
	return i;
}

static uint64_t one_page(struct mm *mm, const struct mm_request *req, uint64_t i, uint64_t nr,
			 struct page **pages)
{
	if (mm_alloc_pages(mm, req, &pages[i])) {
		pages[i] = NULL;
		return i;
	}
	return skip_present(pages, i + 1, nr);
}

uint64_t mm_alloc_pages_bulk(struct mm *mm, const struct mm_request *req, uint64_t nr,
			     struct page **pages)
{
	uint64_t i = skip_present(pages, 0, nr);
	struct alloc_context ac;
	struct mm_zone *zone, *preferred;
	unsigned flags;
	bool any = false;

	if (i == nr)
		return nr;
	if (req->atomic && mm_sleeps_in_atomic(mm, "alloc_pages_bulk", req))
		return i;
	/* One page gains nothing; what is accounted to a group is charged one by one. */
	if (nr - i == 1 || (req->gfp & __GFP_ACCOUNT))
		return one_page(mm, req, i, nr, pages);
	mm_alloc_prepare(mm, req, &ac);
	flags = MM_WMARK_LOW | mm_alloc_flags_common(&ac);
	zone = find_zone(mm, &ac, flags, nr);
	if (!zone)
		return one_page(mm, req, i, nr, pages);
	preferred = ac.list->zones[ac.first];
	while (i < nr) {
		struct page *page = mm_pcp_take_one(mm, ac.cpu, zone, 0, ac.migratetype, flags);

		if (!page)
			break;
		any = true;
		mm_prep_new_page(mm, &ac, page);
		mm_zone_statistics(mm, ac.cpu, preferred, zone);
		pages[i] = page;
		i = skip_present(pages, i + 1, nr);
	}
	return any ? i : one_page(mm, req, i, nr, pages);
}
