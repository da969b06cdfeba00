/* SPDX-License-Identifier: Apache-2.0 */
/* Many single pages at once. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "../mm_fixture.h"

#define NR 40

static const struct machine two = {
	.model = MM_SPARSE,
	.memory = {{0, 32 * MiB, 0}, {32 * MiB, 32 * MiB, 1}},
	.cpus = {1, 1},
};

static struct mm_request on(int nid)
{
	return (struct mm_request){.nid = nid, .gfp = GFP_KERNEL};
}

/* Prepared once; no tracepoint; each page is counted as if it came alone. */
Test(bulk, prepared_once)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&two, &rec);
	struct mm_request req = on(MM_NO_NODE);
	struct page *pages[NR] = {NULL};
	struct mm_numastat stat;

	record_from_here(&rec);
	cr_assert_eq(mm_alloc_pages_bulk(mm, &req, NR, pages), NR);
	cr_expect_eq(count_work(&rec, MM_SITE_ALLOC_ENTRY), 1);
	cr_expect_eq(count_work(&rec, MM_SITE_ZONE_CHECK), 1);
	cr_expect_eq(count_work(&rec, MM_SITE_PCP_ALLOC), NR);
	cr_expect_eq(count_events(&rec, MM_EVENT_PAGE_ALLOC), 0);
	mm_node_numastat(mm, 0, &stat);
	cr_expect_eq(stat.numa_hit, NR);
	must_verify(mm, "in bulk");
	for (int i = 0; i < NR; i++)
		cr_expect_eq(mm_free_pages(mm, 0, pages[i], 0), 0);
	must_verify(mm, "freed");
	mm_destroy(mm);
	free(rec.records);
}

/* What is there stays and counts. One missing page is asked for the ordinary way. */
Test(bulk, fills_what_is_missing)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&two, &rec);
	struct mm_request req = on(MM_NO_NODE);
	struct page *mine = alloc(mm, 0, 0, GFP_KERNEL), *pages[4] = {NULL, mine, NULL, mine};

	cr_expect_eq(mm_alloc_pages_bulk(mm, &req, 4, pages), 4);
	cr_expect(pages[0] && pages[2] && pages[1] == mine && pages[3] == mine);
	record_from_here(&rec);
	cr_expect_eq(mm_alloc_pages_bulk(mm, &req, 4, pages), 4, "nothing to do");
	cr_expect_eq(count_records(&rec, REC_WORK), 0);
	pages[3] = NULL;
	cr_expect_eq(mm_alloc_pages_bulk(mm, &req, 4, pages), 4);
	cr_expect_eq(count_events(&rec, MM_EVENT_PAGE_ALLOC), 1);
	mm_destroy(mm);
	free(rec.records);
}

/* Neither accounted pages nor those of another node come in bulk: one, and the caller goes on. */
Test(bulk, one_page_where_there_is_no_short_way)
{
	struct mm *mm = boot(&two);
	struct mm_request req = on(0);
	struct page *pages[NR] = {NULL};

	req.gfp = GFP_KERNEL_ACCOUNT;
	cr_expect_eq(mm_alloc_pages_bulk(mm, &req, NR, pages), 1);
	req.gfp = GFP_KERNEL;
	while (alloc_on(mm, 0, 0, 0, GFP_KERNEL | __GFP_THISNODE | __GFP_NORETRY | __GFP_NOWARN))
		;
	pages[0] = NULL;
	cr_expect_eq(mm_alloc_pages_bulk(mm, &req, NR, pages), 1, "node 0 is full");
	cr_expect_eq(mm_page_to_nid(mm, pages[0]), 1);
	must_verify(mm, "full");
	mm_destroy(mm);
}

/* What a zone keeps from higher ones counts by the preferred zone, not by the highest allowed. */
Test(bulk, watermark_is_by_the_preferred_zone)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&two, &rec);
	struct mm_request req = {.nid = 1, .gfp = GFP_HIGHUSER_MOVABLE};
	struct page *pages[NR] = {NULL};
	struct mm_zone *zone = mm->nodes[1].fallback.zones[0];

	cr_assert_lt(zone->index, gfp_zone(mm->arch, req.gfp));
	zone->lowmem_reserve[gfp_zone(mm->arch, req.gfp)] = UINT32_MAX;
	record_from_here(&rec);
	cr_expect_eq(mm_alloc_pages_bulk(mm, &req, NR, pages), NR);
	cr_expect_eq(count_events(&rec, MM_EVENT_PAGE_ALLOC), 0);
	zone->lowmem_reserve[zone->index] = UINT32_MAX;
	cr_expect_eq(mm_alloc_pages_bulk(mm, &req, NR, (struct page *[NR]){NULL}), 1);
	cr_expect_eq(count_events(&rec, MM_EVENT_PAGE_ALLOC), 1, "one by one");
	mm_destroy(mm);
	free(rec.records);
}
