/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mobility: where a request goes whose own lists are empty, what it takes with it, how the zone
 * answers, and the page blocks that are set apart.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "../mm_fixture.h"
#include "mm/alloc/pageblock.h"
#include "mm/zone_count.h"

#define BLOCK 512 /* pages of a page block */

/* ZONE_DMA of so many MiB, whose lists keep next to nothing: what is freed goes to the zone. */
static struct mm_zone *set_up(struct recorder *rec, uint64_t mib)
{
	struct machine m = {.model = MM_SPARSE,
			    .memory = {{0, mib * MiB, 0}},
			    .min_free_kbytes = 64,
			    .exact_counts = true};

	boot_recorded(&m, rec);
	rec->mm->nodes[0].zones[0].pcp_batch = 1;
	rec->mm->nodes[0].zones[0].pcp_high = 2;
	return &rec->mm->nodes[0].zones[0];
}

static void tear_down(struct recorder *rec)
{
	must_verify(rec->mm, "at the end");
	mm_destroy(rec->mm);
	free(rec->records);
}

static pfn_t take(struct recorder *rec, unsigned order, gfp_t gfp)
{
	struct page *page = alloc(rec->mm, 0, order, gfp);

	cr_assert_not_null(page);
	return pfn_of(rec->mm, page);
}

static void give(struct recorder *rec, pfn_t pfn, unsigned order)
{
	cr_assert_eq(mm_free_pages(rec->mm, 0, mm_pfn_to_page(rec->mm, MM_NO_CPU, pfn), order), 0);
}

static enum mm_migratetype type_of(struct recorder *rec, struct mm_zone *zone, pfn_t pfn)
{
	return mm_pageblock_type(rec->mm, zone, pfn);
}

static uint64_t free_of(const struct mm_zone *zone, enum mm_migratetype type)
{
	uint64_t pages = 0;

	for (unsigned o = 0; o < NR_PAGE_ORDERS; o++)
		pages += zone->free_area[o].nr_free[type] << o;
	return pages;
}

#define MOVABLE     GFP_HIGHUSER_MOVABLE
#define RECLAIMABLE (GFP_KERNEL | __GFP_RECLAIMABLE)

/* A fresh zone is all movable. The first kernel page claims the two page blocks of the largest. */
Test(fallback, the_largest_block_changes_sides_whole)
{
	struct recorder rec;
	struct mm_zone *zone = set_up(&rec, 16);
	const struct mm_event *ev;

	cr_expect_eq(take(&rec, 0, GFP_KERNEL), 0);
	cr_expect_eq(type_of(&rec, zone, 0), MM_UNMOVABLE);
	cr_expect_eq(type_of(&rec, zone, BLOCK), MM_UNMOVABLE);
	cr_expect_eq(type_of(&rec, zone, 2 * BLOCK), MM_MOVABLE);
	cr_expect_eq(free_of(zone, MM_UNMOVABLE), 1023);
	cr_expect_eq(free_of(zone, MM_MOVABLE), 3 * 1024);
	cr_assert_eq(count_events(&rec, MM_EVENT_EXTFRAG), 1);
	ev = &nth_record(&rec, REC_EVENT, 0)->event;
	cr_expect(ev->type == MM_EVENT_EXTFRAG && ev->pfn == 0 && ev->order == 0 &&
		  ev->fallback_order == 10 && ev->migratetype == MM_UNMOVABLE &&
		  ev->fallback_migratetype == MM_MOVABLE && ev->change_ownership);
	cr_expect_eq(zone->boost, 0, "no page block was mixed");

	/* The next ones stay there, movable ones go elsewhere, reclaimable ones claim their own. */
	cr_expect_eq(take(&rec, 3, GFP_KERNEL), 8);
	cr_expect_eq(take(&rec, 0, MOVABLE), 1024);
	cr_expect_eq(take(&rec, 0, RECLAIMABLE), 2048);
	cr_expect_eq(rec.mm->counters.steals, 2);
	tear_down(&rec);
}

/*
 * 8 MiB. An unmovable page claims page blocks 0 and 1; movable memory fills 2 and 3 up to 8 pages,
 * the last free ones: two blocks of order 2 that are not buddies, 2036 and 2044.
 */
static struct mm_zone *nearly_full(struct recorder *rec)
{
	struct mm_zone *zone = set_up(rec, 8);

	rec->mm->params.watermark_boost_factor = 0;
	zone->wmark[MM_WMARK_MIN] = zone->wmark[MM_WMARK_LOW] = zone->wmark[MM_WMARK_HIGH] = 0;
	cr_assert_eq(take(rec, 9, GFP_KERNEL), 0);
	cr_assert_eq(take(rec, 9, GFP_KERNEL), BLOCK);
	for (pfn_t pfn = 1024; pfn < 2048; pfn += 4)
		cr_assert_eq(take(rec, 2, MOVABLE), pfn);
	give(rec, 2036, 2);
	give(rec, 2044, 2);
	record_from_here(rec);
	return zone;
}

/*
 * An unmovable page takes one of them and with it what else is free in the page block; the block
 * stays movable, because most of it is in use for movable memory.
 */
Test(fallback, unmovable_takes_what_is_free_in_the_page_block)
{
	struct recorder rec;
	struct mm_zone *zone = nearly_full(&rec);
	const struct mm_event *ev;

	take(&rec, 0, GFP_KERNEL);
	ev = &nth_record(&rec, REC_EVENT, 0)->event;
	cr_assert_eq(ev->type, MM_EVENT_EXTFRAG);
	cr_expect(ev->fallback_order == 2 && !ev->change_ownership);
	cr_expect_eq(type_of(&rec, zone, 2044), MM_MOVABLE);
	cr_expect_eq(free_of(zone, MM_UNMOVABLE), 7);
	cr_expect_eq(free_of(zone, MM_MOVABLE), 0);
	cr_expect_eq(count_work(&rec, MM_SITE_BLOCK_SCAN), BLOCK);
	tear_down(&rec);
}

/* A page that was freed to its list by mobility goes back to that of its page block. */
Test(fallback, frees_go_by_the_page_block)
{
	struct recorder rec;
	struct mm_zone *zone = nearly_full(&rec);
	pfn_t pfn = take(&rec, 2, GFP_KERNEL);

	cr_expect_eq(type_of(&rec, zone, pfn), MM_MOVABLE);
	zone->pcp_high = 100;
	give(&rec, pfn, 2);
	cr_expect_eq(pfn_of(rec.mm, zone->pcp[0].lists[2 * MM_NR_PCPTYPES + MM_MOVABLE].head), pfn);
	cr_expect_eq(take(&rec, 2, MOVABLE), pfn);
	tear_down(&rec);
}

/*
 * With 256 of its 512 pages free the page block changes sides, with 252 not: 8 are free in it, and
 * 62 or 61 blocks of 4 pages are freed besides. Unmovable neighbours count like free ones.
 */
Test(fallback, half_a_page_block_makes_it_change_sides)
{
	const struct {
		unsigned freed, kernel;
		enum mm_migratetype becomes;
	} cases[] = {{62, 0, MM_UNMOVABLE}, {61, 0, MM_MOVABLE}, {61, 1, MM_UNMOVABLE}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct recorder rec;
		struct mm_zone *zone = nearly_full(&rec);

		for (unsigned n = 0; n < cases[i].freed; n++)
			give(&rec, 1536 + 4 * n, 2);
		if (cases[i].kernel) /* a block that looks like kernel memory */
			mm_pfn_to_page(rec.mm, MM_NO_CPU, 2000)->flags &= ~(uint64_t)PG_LRU;
		take(&rec, 0, GFP_KERNEL);
		cr_expect_eq(type_of(&rec, zone, 1536), cases[i].becomes, "case %zu", i);
		cr_expect_eq(free_of(zone, MM_UNMOVABLE), 4 * cases[i].freed + 8 - 1);
		tear_down(&rec);
	}
}

/*
 * A movable page takes the smallest block that fits, and nothing with it: its pages can move away.
 * Only from half a page block's order on (4) does it claim more.
 */
Test(fallback, movable_takes_the_smallest)
{
	struct recorder rec;
	struct mm_zone *zone = set_up(&rec, 8);

	zone->wmark[MM_WMARK_MIN] = zone->wmark[MM_WMARK_LOW] = zone->wmark[MM_WMARK_HIGH] = 0;
	rec.mm->params.watermark_boost_factor = 0;
	cr_assert_eq(take(&rec, 10, MOVABLE), 0);
	for (pfn_t pfn = 1024; pfn < 2048; pfn += 8)
		cr_assert_eq(take(&rec, 3, GFP_KERNEL), pfn);
	give(&rec, 1024, 3);
	give(&rec, 1040 + 8, 3);
	give(&rec, 1040, 3); /* one of order 3, one of order 4 */
	cr_expect_eq(zone->free_area[4].nr_free[MM_UNMOVABLE], 1);
	/* Order 4 is enough to claim: the block of order 4 is taken, and all free pages with it. */
	take(&rec, 0, MOVABLE);
	cr_expect_eq(free_of(zone, MM_UNMOVABLE), 0);
	cr_expect_eq(free_of(zone, MM_MOVABLE), 23);
	tear_down(&rec);

	zone = nearly_full(&rec);
	give(&rec, 0, 9); /* unmovable: claims nothing below order 4 */
	for (int i = 0; i < 2; i++)
		take(&rec, 2, MOVABLE);
	for (int i = 0; i < 63; i++)
		take(&rec, 3, GFP_KERNEL);
	cr_expect_eq(free_of(zone, MM_UNMOVABLE), 8);
	take(&rec, 0, GFP_KERNEL);
	cr_expect_eq(free_of(zone, MM_UNMOVABLE), 7); /* orders 2, 1 and 0 */
	record_from_here(&rec);
	take(&rec, 0, MOVABLE);
	cr_expect_eq(nth_record(&rec, REC_EVENT, 0)->event.fallback_order, 0);
	cr_expect_eq(free_of(zone, MM_UNMOVABLE), 6);
	tear_down(&rec);
}

/* Reclaimable before movable for unmovable pages, unmovable before movable for reclaimable ones. */
Test(fallback, the_nearest_mobility_comes_first)
{
	struct recorder rec;
	struct mm_zone *zone = set_up(&rec, 16);

	take(&rec, 10, RECLAIMABLE);
	give(&rec, 0, 10);
	cr_expect_eq(free_of(zone, MM_RECLAIMABLE), 1024);
	cr_expect_eq(take(&rec, 0, GFP_KERNEL), 0);
	cr_expect_eq(free_of(zone, MM_MOVABLE), 3 * 1024);
	cr_expect_eq(take(&rec, 9, RECLAIMABLE), 1024, "the largest block goes before the nearest");
	tear_down(&rec);
}

/*
 * Each mixed page block raises the watermarks by 512 pages, up to 150 % of the high one, or to 512
 * where that is less; and kswapd is told.
 */
Test(fallback, mixing_raises_the_watermarks)
{
	struct recorder rec;
	struct mm_zone *zone = nearly_full(&rec);
	struct mm_zone_info info;

	rec.mm->params.watermark_boost_factor = 15000;
	zone->wmark[MM_WMARK_HIGH] = 400;
	mm_buddy_take(rec.mm, MM_NO_CPU, zone, 0, MM_MOVABLE)->refcount = 1; /* nobody's yet */
	mm_count_free(rec.mm, 0, zone, -1);
	rec.mm->counters.allocs++;
	mm_rmqueue(rec.mm, 0, zone, 0, MM_UNMOVABLE, ALLOC_KSWAPD)->refcount = 1;
	mm_count_free(rec.mm, 0, zone, -1);
	rec.mm->counters.allocs++;
	cr_expect_eq(zone->boost, 512);
	cr_expect(zone->boosted);
	mm_zone_info(rec.mm, 0, 0, &info);
	cr_expect(info.boost == 512 && info.high == 912 && info.min == 512);

	zone->boost = 500;
	zone->wmark[MM_WMARK_HIGH] = 600;
	mm_rmqueue(rec.mm, 0, zone, 0, MM_RECLAIMABLE, 0)->refcount = 1;
	mm_count_free(rec.mm, 0, zone, -1);
	rec.mm->counters.allocs++;
	cr_expect_eq(zone->boost, 900);
	must_verify(rec.mm, "boosted");
	zone->boost = 0;
	zone->managed = 4 * BLOCK - 1; /* too small a zone for it */
	mm_rmqueue(rec.mm, 0, zone, 0, MM_UNMOVABLE, 0)->refcount = 1;
	cr_expect_eq(zone->boost, 0);
	mm_destroy(rec.mm);
	free(rec.records);
}

/* An allocation that mixed a block wakes kswapd, if it may, although there is enough free. */
Test(fallback, kswapd_is_told_once)
{
	const gfp_t gfps[] = {GFP_KERNEL, GFP_KERNEL & ~__GFP_KSWAPD_RECLAIM};

	for (size_t i = 0; i < 2; i++) {
		struct recorder rec;

		nearly_full(&rec)->wmark[MM_WMARK_HIGH] = 1;
		rec.mm->params.watermark_boost_factor = 15000;
		take(&rec, 0, gfps[i]);
		cr_expect_eq(count_events(&rec, MM_EVENT_WAKE_KSWAPD), 1 - i);
		take(&rec, 0, GFP_KERNEL | __GFP_MEMALLOC);
		cr_expect_eq(count_events(&rec, MM_EVENT_WAKE_KSWAPD), 1);
		cr_expect_eq(count_events(&rec, MM_EVENT_EXTFRAG), 1);
		tear_down(&rec);
	}
}

/*
 * x86_64 with DMA32 and Normal: a kernel page would rather claim a whole block of DMA32 than mix
 * one of Normal; but not one of another node.
 */
Test(fallback, page_blocks_of_normal_are_kept_apart)
{
	struct machine m = {.model = MM_SPARSE,
			    .memory = {{0, 64 * MiB, 0}, {4 * GiB, 8 * MiB, 0}},
			    .min_free_kbytes = 64};
	struct recorder rec;
	struct mm *mm = boot_recorded(&m, &rec);
	struct mm_zone *normal = zone_of(mm, 0, MM_ZONE_NORMAL);
	pfn_t first = 4 * GiB / 4096;

	normal->pcp_batch = normal->pcp_high = 2;
	take(&rec, 0, MOVABLE); /* both largest blocks of Normal are movable and not whole */
	take(&rec, 10, MOVABLE);
	for (int i = 0; i < 1; i++)
		take(&rec, 9, MOVABLE);
	cr_expect_eq(mm_page_zone(mm, alloc(mm, 0, 0, GFP_KERNEL)), zone_of(mm, 0, MM_ZONE_DMA32));
	cr_expect_eq(type_of(&rec, normal, first), MM_MOVABLE);
	tear_down(&rec);

	/* Node 1 has the only DMA32: then Normal is mixed. */
	m.memory[0].nid = 1;
	m.cpus[0] = m.cpus[1] = 1;
	mm = boot_recorded(&m, &rec);
	normal = zone_of(mm, 0, MM_ZONE_NORMAL);
	normal->pcp_batch = normal->pcp_high = 2;
	take(&rec, 0, MOVABLE);
	take(&rec, 10, MOVABLE);
	take(&rec, 9, MOVABLE);
	cr_expect_eq(mm_page_zone(mm, alloc(mm, 0, 0, GFP_KERNEL)), normal);
	tear_down(&rec);
}

/*
 * An atomic allocation of several pages sets its page block apart; other requests leave what is
 * free there alone, as if it were not, and other atomic ones have it.
 */
Test(fallback, highatomic_blocks_are_kept)
{
	struct recorder rec;
	struct mm_zone *zone = set_up(&rec, 8);
	pfn_t pfn, other;

	rec.mm->params.watermark_boost_factor = 0;
	zone->wmark[MM_WMARK_LOW] = zone->wmark[MM_WMARK_HIGH] =
		2048; /* all that there is: only the slow path gives */
	pfn = take(&rec, 2, GFP_ATOMIC);
	cr_expect_eq(type_of(&rec, zone, pfn), MM_HIGHATOMIC);
	cr_expect_eq(zone->nr_reserved_highatomic, BLOCK);
	cr_expect_eq(free_of(zone, MM_HIGHATOMIC), BLOCK - 4);
	other = take(&rec, 2, GFP_KERNEL);
	cr_expect_neq(type_of(&rec, zone, other), MM_HIGHATOMIC);

	zone->wmark[MM_WMARK_MIN] = zone->wmark[MM_WMARK_LOW] = 0;
	while (alloc(rec.mm, 0, 0, GFP_NOWAIT))
		;
	cr_expect_eq(free_of(zone, MM_HIGHATOMIC), BLOCK - 4);
	cr_expect_eq(zone->nr_free, BLOCK, "the whole page block counts as unusable");
	for (int i = 0; i < 4; i++)
		take(&rec, 0, GFP_KERNEL | __GFP_MEMALLOC);
	cr_expect_null(alloc(rec.mm, 0, 2, GFP_NOWAIT));
	record_from_here(&rec);
	other = take(&rec, 2, GFP_ATOMIC);
	cr_expect_eq(type_of(&rec, zone, other), MM_HIGHATOMIC);

	/* Freed, they are the page block's again. */
	zone->pcp_high = 2;
	give(&rec, other, 2);
	cr_expect_eq(free_of(zone, MM_HIGHATOMIC), BLOCK - 4);

	/* The last one is given up only when there is no other way. */
	cr_expect(!mm_unreserve_highatomic(rec.mm, 0, zone, MM_MOVABLE, false));
	cr_expect(mm_unreserve_highatomic(rec.mm, 0, zone, MM_MOVABLE, true));
	cr_expect_eq(zone->nr_reserved_highatomic, 0);
	cr_expect_eq(type_of(&rec, zone, pfn), MM_MOVABLE);
	cr_expect_eq(free_of(zone, MM_HIGHATOMIC), 0);
	tear_down(&rec);
}

/* One page block and a hundredth of the zone, at most: 512 + 40 pages: two blocks. */
Test(fallback, highatomic_is_bounded)
{
	struct recorder rec;
	struct mm_zone *zone = set_up(&rec, 16);

	zone->wmark[MM_WMARK_LOW] = zone->wmark[MM_WMARK_HIGH] = 4096;
	for (int i = 0; i < 6; i++)
		take(&rec, 8, GFP_ATOMIC);
	cr_expect_eq(zone->nr_reserved_highatomic, 2 * BLOCK);
	tear_down(&rec);
}

/* CMA page blocks serve movable pages, first where most of what is free is there; no others. */
Test(fallback, cma_is_for_movable_pages)
{
	struct recorder rec;
	struct mm_zone *zone = set_up(&rec, 8);
	struct page *page = mm_buddy_take(rec.mm, MM_NO_CPU, zone, 10, MM_MOVABLE);
	pfn_t cma = mm_pfn_of(rec.mm, page);

	mm_count_free(rec.mm, MM_NO_CPU, zone, -1024);
	for (pfn_t pfn = cma; pfn < cma + 1024; pfn += BLOCK)
		mm_pageblock_set_type(rec.mm, zone, pfn, MM_CMA);
	mm_buddy_give(rec.mm, MM_NO_CPU, zone, page, cma, 10, MM_CMA);
	cr_expect_eq(mm_zone_free_cma(zone), 1024);
	cr_expect_neq(type_of(&rec, zone, take(&rec, 5, MOVABLE)), MM_CMA); /* half is not most */
	cr_expect_eq(type_of(&rec, zone, take(&rec, 5, MOVABLE)), MM_CMA);
	while ((page = alloc(rec.mm, 0, 0, GFP_KERNEL)))
		cr_assert_neq(type_of(&rec, zone, pfn_of(rec.mm, page)), MM_CMA);
	cr_expect_geq(mm_zone_free_cma(zone), 512);
	page = alloc(rec.mm, 0, 0, MOVABLE);
	cr_expect_eq(type_of(&rec, zone, pfn_of(rec.mm, page)), MM_CMA);
	tear_down(&rec);
}

/* What is on its way out is neither given nor kept on lists. */
Test(fallback, isolated_page_blocks_give_nothing)
{
	struct recorder rec;
	struct mm_zone *zone = set_up(&rec, 8);
	pfn_t pfn = take(&rec, 0, MOVABLE);

	for (pfn_t p = 0; p < 1024; p += BLOCK)
		mm_pageblock_set_type(rec.mm, zone, p, MM_ISOLATE);
	zone->pcp_high = 100;
	give(&rec, pfn, 0);
	cr_expect_eq(zone->pcp[0].count, 0);
	cr_expect_eq(free_of(zone, MM_ISOLATE), 1024, "it merges with what is free around it");
	tear_down(&rec);
}

/*
 * Node 1 lies between two ranges of node 0, whose zone so spans all of the page block that they
 * share: of its 512 frames only the 256 from 21 MiB on are the zone's.
 */
Test(fallback, a_page_block_of_two_nodes_gives_only_the_zones_own)
{
	struct mm *mm = boot(&(struct machine){
		.model = MM_SPARSE_VMEMMAP,
		.memory = {{16 * MiB, 3 * MiB, 0}, {19 * MiB, 2 * MiB, 1}, {21 * MiB, MiB, 0}},
		.cpus = {1, 1},
		.min_free_kbytes = 64});
	struct mm_zone *zone = zone_of(mm, 0, MM_ZONE_DMA32),
		       *other = zone_of(mm, 1, MM_ZONE_DMA32);
	pfn_t pfn = 21 * MiB / 4096;
	struct page *page = mm_pfn_to_page(mm, MM_NO_CPU, pfn);

	cr_assert_eq(mm_page_zone(mm, page), zone);
	cr_assert_eq(free_of(other, MM_MOVABLE), 512);
	cr_expect_eq(mm_move_free_pages(mm, MM_NO_CPU, zone, page, pfn, MM_UNMOVABLE), 256);
	cr_expect_eq(free_of(zone, MM_UNMOVABLE), 256);
	cr_expect_eq(free_of(other, MM_MOVABLE), 512);
	must_verify(mm, "at the end");
	mm_destroy(mm);
}
