/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The counter of free pages, what CPUs hold back of it, and what they do each second. The machine
 * has two nodes of 64 MiB, one with two CPUs, one with one: three CPUs have fls(3) = 2, and a zone
 * of less than 128 MiB fls(0) = 0, so each CPU holds back up to 2 * 2 * (1 + 0) = 4 pages.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "../mm_fixture.h"
#include "mm/kthread.h"
#include "mm/start.h"
#include "mm/zone_count.h"

#define DMA32 1

static const struct machine machine = {
	.model = MM_SPARSE_VMEMMAP,
	.memory = {{0, 64 * MiB, 0}, {64 * MiB, 64 * MiB, 1}},
	.cpus = {2, 1},
	.min_free_kbytes = 1024,
};

static struct mm_zone *dma32(struct mm *mm, int nid)
{
	return &mm->nodes[nid].zones[DMA32];
}

/* Changes of so many pages each; the counter, and what the CPU holds back, after each. */
Test(zone_count, a_cpu_passes_on_what_is_beyond_its_threshold)
{
	static const struct {
		int64_t change, counter;
		int held_back;
	} steps[] = {
		{-1, 0, -1},    {-3, 0, -4}, {-1, -5, 0}, {4, -5, 4},  {-8, -5, -4},
		{9, -5 + 5, 0}, {3, 0, 3},   {2, 5, 0},   {63, 68, 0},
	};
	struct mm *mm = boot(&machine);
	struct mm_zone *zone = dma32(mm, 0);
	int64_t before = zone->free_counter;

	cr_assert_eq(zone->stat_threshold, 4);
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		mm_count_free(mm, 1, zone, steps[i].change);
		cr_expect(zone->free_counter - before == steps[i].counter &&
				  zone->pcp[1].free_diff == steps[i].held_back,
			  "step %zu: counter %ld, held back %d", i, zone->free_counter - before,
			  zone->pcp[1].free_diff);
	}
	cr_expect_eq(zone->pcp[0].free_diff, 0);
	mm_destroy(mm);
}

/* A refill is one change: 3 pages stay held back, 63 do not. Each page given back is one of its
 * own: of 63, 12 times 5 are passed on, and 3 are not. */
Test(zone_count, a_refill_counts_once_a_drain_page_by_page)
{
	struct mm *mm = boot(&machine);
	struct mm_zone *zone = dma32(mm, 0);
	uint64_t exact = zone->nr_free;
	struct page *page;

	cr_assert_eq(zone->pcp_batch, 3);
	page = alloc(mm, 0, 0, GFP_HIGHUSER_MOVABLE);
	cr_expect(zone->nr_free == exact - 3 && zone_info(mm, 0, DMA32).free_counter == exact &&
		  zone->pcp[0].free_diff == -3);
	cr_expect_eq(zone_info(mm, 0, DMA32).free, exact - 3);
	cr_expect_eq(mm_zone_free_exactly(mm, zone), exact - 3);
	mm_free_pages(mm, 0, page, 0);
	mm_vmstat_update(mm, 0);
	zone->pcp_batch = 63;
	page = alloc(mm, 0, 1, GFP_HIGHUSER_MOVABLE); /* 31 pairs */
	cr_expect_eq(zone->pcp[0].free_diff, 0);
	cr_expect_eq(mm_zone_free(zone), exact - 65);
	mm_free_pages(mm, 0, page, 1);
	mm_pcp_drain_all(mm, 0);
	/* Pairs first: +2 +2 +2 = 6 > 4 each third time; 31 pairs pass on 60 and keep 2. Then 3
	 * pages: 2 + 1, + 1, + 1 = 5 > 4: passed on. */
	cr_expect_eq(zone->nr_free, exact);
	cr_expect_eq(mm_zone_free(zone) + (uint64_t)zone->pcp[0].free_diff, exact);
	must_verify(mm, "drained");
	mm_destroy(mm);
}

/* Watermarks go by the counter: at low + 1 pages one more is given, though none is left to give
 * above it; the CPU that holds it back does not matter. */
Test(zone_count, watermarks_go_by_the_counter)
{
	struct mm *mm = boot(&machine);
	struct mm_zone *zone = dma32(mm, 0);
	uint64_t low;

	zone->wmark[MM_WMARK_LOW] = low = zone->nr_free - 1;
	for (int i = 0; i < 2; i++)
		cr_expect(mm_zone_watermark_ok(zone, 0, low, DMA32, 0));
	zone->nr_free -= 4;
	mm_count_free(mm, 1, zone, -4);
	cr_expect(mm_zone_watermark_ok(zone, 0, low, DMA32, 0));
	/* kswapd is more careful where it could matter: below the mark it asks all CPUs. */
	zone->drift_mark = 0;
	cr_expect(mm_zone_watermark_ok_safe(mm, zone, 0, low, DMA32));
	zone->drift_mark = zone->nr_free + 5;
	cr_expect_not(mm_zone_watermark_ok_safe(mm, zone, 0, low, DMA32));
	mm_count_free(mm, 1, zone, -1);
	zone->nr_free--;
	cr_expect_not(mm_zone_watermark_ok(zone, 0, low, DMA32, 0));
	mm_destroy(mm);
}

/*
 * 1024 KiB = 256 pages are 128 a node, by size: DMA32 of node 0 (12288 of 32768 pages) has 96, its
 * low watermark 24 more. Three CPUs with 4 each could be 12 pages off, which do not matter; but
 * when the third came up no watermark was set yet, so the zone has a mark of 12, and under pressure
 * each may hold back 24 / 3 = 8.
 */
Test(zone_count, a_waking_kswapd_sets_thresholds_by_the_watermarks)
{
	struct mm *mm = boot(&machine);
	struct mm_zone *zone = dma32(mm, 0);

	cr_assert_eq(zone->wmark[MM_WMARK_LOW] - zone->wmark[MM_WMARK_MIN], 24);
	cr_expect_eq(zone->drift_mark, 12);
	mm_stat_thresholds_set(mm, &mm->nodes[0], true);
	cr_expect_eq(zone->stat_threshold, 8);
	zone->wmark[MM_WMARK_LOW] = zone->wmark[MM_WMARK_MIN] + 8; /* 12 > 8; 8 / 3 = 2 */
	mm_stat_thresholds_init(mm);
	cr_expect_eq(zone->drift_mark, zone->wmark[MM_WMARK_HIGH] + 12);
	mm_stat_thresholds_set(mm, &mm->nodes[0], true);
	cr_expect_eq(zone->stat_threshold, 2);
	zone->wmark[MM_WMARK_LOW] = zone->wmark[MM_WMARK_MIN];
	mm_stat_thresholds_set(mm, &mm->nodes[0], true);
	cr_expect_eq(zone->stat_threshold, 1);
	mm_stat_thresholds_set(mm, &mm->nodes[0], false);
	cr_expect_eq(zone->stat_threshold, 4);
	mm_destroy(mm);
}

/* With one CPU none comes up later: 2 * fls(1) * (1 + 0) = 2 pages held back do not matter. */
Test(zone_count, a_lone_cpu_keeps_its_threshold)
{
	struct machine lone = machine;
	struct mm_zone *zone;
	struct mm *mm;

	lone.cpus[0] = 1;
	lone.cpus[1] = 0;
	mm = boot(&lone);
	zone = dma32(mm, 0);
	cr_expect_eq(zone->drift_mark, 0);
	mm_stat_thresholds_set(mm, &mm->nodes[0], true);
	cr_expect_eq(zone->stat_threshold, 2);
	mm_destroy(mm);
}

/*
 * CPU 0 has used pages of node 1. What it held back is passed on in the first second; in the third
 * a batch of what is left on its list goes; that is a change, so three more seconds later the next.
 * Its list of its own node stays.
 */
Test(zone_count, unused_lists_of_other_nodes_shrink)
{
	struct mm *mm = boot(&machine);
	struct mm_zone *here = dma32(mm, 0), *there = &mm->nodes[1].zones[DMA32];
	struct page *pages[6];
	unsigned batch = there->pcp_batch, count;

	for (int i = 0; i < 6; i++)
		pages[i] = alloc_on(mm, 0, 1, 0, GFP_HIGHUSER_MOVABLE);
	for (int i = 0; i < 6; i++)
		mm_free_pages(mm, 0, pages[i], 0);
	mm_free_pages(mm, 0, alloc(mm, 0, 0, GFP_HIGHUSER_MOVABLE), 0);
	cr_assert_eq(batch, 3);
	count = there->pcp[0].count;
	cr_assert_eq(count, 6);
	for (unsigned second = 1; second <= 7; second++) {
		unsigned left = second < 3 ? 6 : second < 6 ? 3 : 0;

		cr_expect(mm_vmstat_update(mm, 0) || second == 7, "second %u", second);
		cr_expect_eq(there->pcp[0].count, left, "second %u: %u pages", second,
			     there->pcp[0].count);
		must_verify(mm, "a second");
	}
	cr_expect_eq(here->pcp[0].count, 3);
	/* The last batch: three pages held back, passed on in the seventh second, and then rest. */
	cr_expect_not(mm_vmstat_update(mm, 0));
	cr_expect_eq(mm_zone_free(there), there->nr_free);
	mm_destroy(mm);
}

/* The shepherd wakes those CPUs only that have anything to pass on. */
Test(zone_count, shepherd_wakes_who_has_something)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&machine, &rec);
	struct mm_kthread *shepherd = mm_kthread(mm, 2 * mm->nr_nodes);
	int cpu = 0;

	rec.hold_threads = true;
	record_from_here(&rec);
	cr_expect_eq(mm_kthread_run(mm, shepherd, &cpu, false), 1000000);
	cr_expect_eq(count_records(&rec, REC_WAKE), 0);
	mm_free_pages(mm, 2, alloc(mm, 2, 0, GFP_KERNEL), 0);
	mm_kthread_run(mm, shepherd, &cpu, false);
	cr_expect_eq(count_records(&rec, REC_WAKE), 1);
	record_from_here(&rec);
	cr_expect_eq(mm_kthread_run(mm, mm_kthread(mm, 2 * mm->nr_nodes + 1 + 2), &cpu, true),
		     MM_KTHREAD_FOREVER);
	cr_expect(cpu == 2 && count_work(&rec, MM_SITE_VMSTAT) == 1);
	cr_expect_eq(mm_zone_free(&mm->nodes[1].zones[DMA32]), mm->nodes[1].zones[DMA32].nr_free);
	mm_destroy(mm);
	free(rec.records);
}
