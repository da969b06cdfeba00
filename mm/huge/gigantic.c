/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Huge pages of more than the buddy lists have in one piece. One is made of a range of frames that
 * is emptied for it, and becomes one block in use; it goes back page by page.
 *
 * Follows Linux 6.1 mm/hugetlb.c (alloc_gigantic_page, prep_compound_gigantic_page,
 * destroy_compound_gigantic_page, free_gigantic_page).
 */
#include "mm/alloc/contig.h"
#include "mm/huge/huge_pool.h"

/* Each of its descriptors is written: that it belongs to the page, or no longer does. */
static void write_descriptors(struct mm *mm, int cpu, const struct page *page)
{
	uint64_t nr = UINT64_C(1) << page->order;

	mm_work(mm, cpu, MM_SITE_PREP_PAGE, (uint32_t)nr);
	mm_touch_pages(mm, cpu, page, nr, MM_WRITE);
}

struct page *mm_gigantic_alloc(struct mm *mm, const struct mm_request *req, unsigned order)
{
	struct page *page;

	if (mm_alloc_contig_block(mm, req, order, &page))
		return NULL;
	write_descriptors(mm, req->cpu, page);
	return page;
}

void mm_gigantic_free(struct mm *mm, int cpu, struct page *page)
{
	struct mm_zone *first = mm_page_zone(mm, page);
	uint64_t nr = UINT64_C(1) << page->order;
	pfn_t pfn = mm_pfn_of(mm, page);

	write_descriptors(mm, cpu, page);
	page->order = 0;
	for (uint64_t i = 1; i < nr; i++) {
		struct mm_zone *zone = mm_zone_of_pfn(mm, pfn + i);

		mm_page_init(mm, page + i, pfn + i, zone);
		page[i].refcount = 1;
		page[i].order = 0;
		page[i].migratetype = page->migratetype;
		/* One of boot may lie across zones: the first one's manages all of it till then. */
		if (zone != first) {
			first->managed--;
			zone->managed++;
		}
	}
	mm->counters.parts += nr - 1;
	mm_free_contig_range(mm, cpu, page, nr);
}
