/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an allocation does when memory is short: kswapd, direct reclaim, reserves, failure. The
 * machine has one node of 64 MiB; with 1024 KiB to be kept free, DMA (4096 pages) has min 64, low
 * 80 and high 96, DMA32 (12288) 192, 240 and 288, and DMA keeps 48 from who could have DMA32.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../mm_fixture.h"
#include "mm/kthread.h"
#include "mm/reclaim/lru.h"
#include "mm/reclaim/vmscan.h"

#define GFP_CACHE  (GFP_NOFS | __GFP_HARDWALL) /* of a block device: unmovable */
#define DMA32_ZONE 1
#define MAX_PAGES  16384

static const struct machine small = {
	.model = MM_SPARSE_VMEMMAP,
	.memory = {{0, 64 * MiB, 0}},
	.cpus = {2},
	.min_free_kbytes = 1024,
	.exact_counts = true,
};

static struct mm_zone *dma32(struct mm *mm)
{
	return &mm->nodes[0].zones[DMA32_ZONE];
}

static struct mm_zone *dma(struct mm *mm)
{
	return &mm->nodes[0].zones[0];
}

/* Ends kswapd's nap, so that it can be woken again; it is left asleep. */
static void let_kswapd_run(struct mm *mm)
{
	struct mm_kthread *kswapd = mm_kthread(mm, 0);
	int cpu = 1;

	mm_kthread_run(mm, kswapd, &cpu, true);
}

/* Down to so many free pages in both zones, with nobody woken; `cache`: by page cache. */
static void fill_with(struct mm *mm, uint64_t free_dma, uint64_t free_dma32, bool cache)
{
	for (int z = 1; z >= 0; z--) {
		struct mm_zone *zone = &mm->nodes[0].zones[z];

		while (zone->nr_free > (z ? free_dma32 : free_dma)) {
			gfp_t gfp = __GFP_MEMALLOC | (z ? 0 : GFP_DMA);
			struct page *page;

			/* Not by way of the slow path, which would wake kswapd. */
			zone->pcp_batch = 1;
			zone->wmark[0] = zone->wmark[1] = 0;
			zone->lowmem_reserve[2] = zone->lowmem_reserve[3] = 0;
			page = alloc(mm, 0, 0, gfp);
			cr_assert_not_null(page);
			cr_assert_eq(mm_page_zone(mm, page), zone);
			if (cache)
				cr_assert_eq(mm_lru_add(mm, 0, page, MM_PAGE_FILE), 0);
		}
	}
	mm_lru_drain(mm, 0);
	mm_watermarks_setup(mm);
	mm_lowmem_reserve_setup(mm);
	mm->counters.slow_path = 0;
}

static void fill(struct mm *mm, uint64_t free_dma, uint64_t free_dma32)
{
	fill_with(mm, free_dma, free_dma32, true);
}

/* No more than is free, by who may wait or not. */
static uint64_t take_all(struct mm *mm, gfp_t gfp)
{
	uint64_t nr = 0;

	while (alloc(mm, 0, 0, gfp))
		nr++;
	return nr;
}

/*
 * kswapd wakes where neither zone has more than its low watermark, 240 and 80 + 48, and is content
 * once one has more than its high one: 288. What it frees goes to CPU 1's list first, which it
 * limits to 4 batches of 3 pages meanwhile. The passes look at 16000 >> 12 = 3 pages, then at 7,
 * 15, 31 and 62 more; with 225 free after a refill, those of 118 pages do. Nobody frees without
 * having been counted.
 */
Test(slow_path, kswapd_is_content_with_one_zone_at_its_high_watermark)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&small, &rec);
	uint64_t file, expected = 0;

	rec.hold_threads = true;
	fill(mm, 100, 240);
	drain_all(mm);
	fill(mm, 100, 240);
	file = mm_node_lru(mm, &mm->nodes[0], MM_LRU_INACTIVE_FILE, MM_MAX_ZONES);
	cr_assert_not_null(alloc(mm, 0, 0, GFP_CACHE));
	cr_assert_eq(mm->counters.kswapd_wakeups, 1);
	let_kswapd_run(mm);
	for (int priority = 12; priority >= 8; priority--)
		expected += (file - expected) >> priority;
	cr_expect_eq(mm_vm_event(mm, MM_VM_PGSTEAL_KSWAPD), expected, "%lu of %lu",
		     mm_vm_event(mm, MM_VM_PGSTEAL_KSWAPD), expected);
	cr_expect_eq(count_records(&rec, REC_RECLAIMED), expected);
	cr_expect_gt(dma32(mm)->nr_free, 288);
	cr_expect_leq(mm_pcp_count(mm, 0, DMA32_ZONE, 1), 4 * dma32(mm)->pcp_batch);
	cr_expect_eq(mm_vm_event(mm, MM_VM_PAGEOUTRUN), 1);
	cr_expect_eq(count_events(&rec, MM_EVENT_KSWAPD_WAKE), 1);
	must_verify(mm, "balanced");
	mm_destroy(mm);
	free(rec.records);
}

/* A nap that nobody ends becomes a sleep; one that is ended early is counted. */
Test(slow_path, kswapd_naps_before_it_sleeps)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&small, &rec);
	struct mm_kthread *kswapd = mm_kthread(mm, 0);
	int cpu = 1;

	cr_expect_eq(mm_kthread_run(mm, kswapd, &cpu, true), MM_KSWAPD_NAP_US);
	cr_expect_eq(mm_kthread_run(mm, kswapd, &cpu, true), MM_KSWAPD_NAP_US);
	cr_expect_eq(mm_vm_event(mm, MM_VM_KSWAPD_LOW_WMARK_HIT_QUICKLY), 1);
	cr_expect_eq(mm_kthread_run(mm, kswapd, &cpu, false), MM_KTHREAD_FOREVER);
	cr_expect_eq(count_events(&rec, MM_EVENT_KSWAPD_SLEEP), 1);
	cr_expect_eq(mm_vm_event(mm, MM_VM_PAGEOUTRUN), 2);
	mm_destroy(mm);
	free(rec.records);
}

/* Watermarks raised by 512 pages: as many are freed, then they are as before. Writing and swapping
 * are not for that. */
Test(slow_path, a_boost_is_worked_off)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&small, &rec);
	uint64_t stolen;

	fill(mm, 2000, 8000);
	dma32(mm)->boost = 512;
	rec.hold_threads = true;
	mm_wake_kswapd(mm, 0, dma32(mm), 0, 0, DMA32_ZONE);
	cr_assert_eq(count_events(&rec, MM_EVENT_WAKE_KSWAPD), 1);
	cr_expect_eq(dma32(mm)->boost, 512, "it stays until kswapd is done");
	let_kswapd_run(mm);
	stolen = mm_vm_event(mm, MM_VM_PGSTEAL_KSWAPD);
	cr_expect_eq(dma32(mm)->boost, 0);
	/* At priority 10, the highest for a boost, a pass is 6384 / 1024 = 6 pages or less. */
	cr_expect(stolen >= 512 && stolen < 512 + 6, "%lu", stolen);
	must_verify(mm, "boost gone");
	mm_destroy(mm);
	free(rec.records);
}

/* With nothing to free, a boost ends at once. After 16 such runs kswapd has given up, and is woken
 * no more; a page reclaimed by someone else gives it hope. */
Test(slow_path, kswapd_gives_up_and_takes_heart)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&small, &rec);
	struct mm_scan sc = {.cpu = 0,
			     .gfp = GFP_KERNEL,
			     .reclaim_idx = 3,
			     .may_unmap = true,
			     .nr_to_reclaim = 32};
	struct page *page;

	for (int i = 0; i < 16; i++) {
		dma32(mm)->boost = 100;
		mm_wake_kswapd(mm, 0, dma32(mm), 0, 0, DMA32_ZONE);
		cr_expect_eq(dma32(mm)->boost, 0, "wake-up %d", i);
	}
	cr_expect_eq(count_events(&rec, MM_EVENT_WAKE_KSWAPD), 16);
	dma32(mm)->boost = 100;
	mm_wake_kswapd(mm, 0, dma32(mm), 0, 0, DMA32_ZONE);
	cr_expect_eq(count_events(&rec, MM_EVENT_WAKE_KSWAPD), 16);
	cr_expect_eq(dma32(mm)->boost, 100);

	page = alloc(mm, 0, 0, GFP_CACHE);
	mm_lru_add(mm, 0, page, MM_PAGE_FILE);
	mm_lru_drain(mm, 0);
	mm_shrink_node(mm, &mm->nodes[0], &sc);
	mm_wake_kswapd(mm, 0, dma32(mm), 0, 0, DMA32_ZONE);
	cr_expect_eq(count_events(&rec, MM_EVENT_WAKE_KSWAPD), 17);
	mm_destroy(mm);
	free(rec.records);
}

/*
 * Nobody frees but who allocates: passes at 2^-12, 2^-11 ... of the list until 32 pages are free,
 * then the allocation succeeds. 4 + 8 + 16 + 32 pages of a list of 16384 would be 60; here the list
 * is some hundred shorter, so that each is a little less.
 */
Test(slow_path, direct_reclaim_frees_a_cluster)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&small, &rec);
	uint64_t file, expected = 0;

	rec.hold_threads = true;
	fill(mm, 60, 190);
	drain_all(mm);
	fill(mm, 60, 190);
	file = mm_node_lru(mm, &mm->nodes[0], MM_LRU_INACTIVE_FILE, MM_MAX_ZONES);
	for (int priority = 12; expected < 32; priority--)
		expected += (file - expected) >> priority;
	cr_expect_not_null(alloc(mm, 0, 0, GFP_KERNEL));
	cr_expect_eq(mm_vm_event(mm, MM_VM_PGSTEAL_DIRECT), expected);
	cr_expect_eq(mm_vm_event(mm, MM_VM_PGSCAN_DIRECT), expected);
	cr_expect_eq(mm_allocstall(mm, gfp_zone(mm->arch, GFP_KERNEL)), 1);
	cr_expect_eq(count_records(&rec, REC_RECLAIMED), expected);
	cr_expect_eq(count_events(&rec, MM_EVENT_DIRECT_BEGIN), 1);
	must_verify(mm, "reclaimed");
	mm_destroy(mm);
	free(rec.records);
}

/* Those who may not wait do not, however much there is to reclaim: no sleep, no reclaim. They have
 * what their flags give them of the minimum watermark: half for __GFP_HIGH, a quarter less for
 * __GFP_ATOMIC of that. */
Test(slow_path, who_cannot_wait_does_not)
{
	static const gfp_t flags[] = {GFP_NOWAIT, GFP_ATOMIC, __GFP_HIGH, 0};
	/* Of 192: all; 192 - 96 - 24 = 72; 96; all. */
	static const uint64_t left[] = {192, 72, 96, 192};

	for (size_t i = 0; i < 4; i++) {
		struct recorder rec;
		struct mm *mm = boot_recorded(&small, &rec);

		rec.hold_threads = true;
		fill(mm, 0, 241);
		dma32(mm)->pcp_batch = 1;
		drain_all(mm);
		fill(mm, 0, 241);
		dma32(mm)->pcp_batch = 1;
		record_from_here(&rec);
		take_all(mm, flags[i]);
		cr_expect_eq(dma32(mm)->nr_free, left[i], "%zu: %lu", i, dma32(mm)->nr_free);
		cr_expect_eq(count_records(&rec, REC_SLEEP), 0);
		cr_expect_eq(count_records(&rec, REC_RECLAIMED), 0);
		cr_expect_eq(count_events(&rec, MM_EVENT_DIRECT_BEGIN), 0);
		cr_expect_eq(count_records(&rec, REC_WAKE),
			     flags[i] & __GFP_KSWAPD_RECLAIM ? 1 : 0);
		mm_destroy(mm);
		free(rec.records);
	}
}

/* All there is, for who frees memory with it, and he does not reclaim. */
Test(slow_path, reclaimers_have_all_and_do_not_recurse)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&small, &rec);
	struct mm_request req = {.nid = MM_NO_NODE, .gfp = GFP_KERNEL, .pf_memalloc = true};
	struct page *page;

	rec.hold_threads = true;
	fill(mm, 0, 100);
	while (!mm_alloc_pages(mm, &req, &page))
		;
	cr_expect_eq(dma32(mm)->nr_free + dma(mm)->nr_free, 0);
	cr_expect_eq(count_events(&rec, MM_EVENT_DIRECT_BEGIN), 0);
	req.gfp |= __GFP_NOMEMALLOC;
	cr_expect_eq(mm_alloc_pages(mm, &req, &page), -ENOMEM);
	mm_destroy(mm);
	free(rec.records);
}

/* How often the slow path reclaims before it gives up, with nothing to reclaim: once where it is
 * told not to retry, or a large block is not worth it; once, too, where even all that could be
 * reclaimed would not do. */
Test(slow_path, failure_is_an_outcome_with_a_report)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&small, &rec);
	const char *report;

	rec.hold_threads = true;
	cr_expect_null(mm_oom_report(mm));
	take_all(mm, GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	cr_expect_null(mm_oom_report(mm));
	cr_expect_null(mm_failure_report(mm), "nobody wants to know");
	record_from_here(&rec);
	memset(mm->vm_events, 0, 3 * sizeof(*mm->vm_events)); /* two CPUs, and none */
	cr_expect_null(alloc(mm, 0, 0, GFP_KERNEL));
	cr_expect_eq(count_events(&rec, MM_EVENT_DIRECT_BEGIN), 1);
	cr_expect_eq(mm_vm_event(mm, MM_VM_OOM_KILL), 1);
	report = mm_oom_report(mm);
	cr_assert_not_null(report);
	cr_expect(strstr(report, "cpu0 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, "
				 "oom_score_adj=0\n"),
		  "%s", report);
	cr_expect(strstr(report, "\nNode 0 DMA32 free:768kB boost:0kB min:768kB low:960kB "
				 "high:1152kB reserved_highatomic:0KB"),
		  "%s", report);
	cr_expect(strstr(report, "\nlowmem_reserve[]: 0 48 48 48 48\n"), "%s", report);
	cr_expect(strstr(report, "*4kB"), "%s", report);
	cr_expect(strstr(report, "16384 pages RAM"), "%s", report);
	cr_expect_null(mm_failure_report(mm), "where a kernel kills, the allocation does not fail");

	/* No process is killed for a large block, or one that may fail. */
	cr_expect_null(alloc(mm, 0, 4, GFP_KERNEL));
	cr_assert_not_null(mm_failure_report(mm));
	cr_expect(strstr(mm_failure_report(mm), "cpu0: page allocation failure: order:4, "), "%s",
		  mm_failure_report(mm));
	cr_expect_null(alloc(mm, 0, 0, GFP_KERNEL | __GFP_NORETRY));
	cr_expect_null(alloc(mm, 0, 0, GFP_KERNEL | __GFP_RETRY_MAYFAIL));
	cr_expect_eq(mm_vm_event(mm, MM_VM_OOM_KILL), 1);
	must_verify(mm, "all failed");
	mm_destroy(mm);
	free(rec.records);
}

/* Dirty pages that a disk never takes: reclaim makes no progress, 16 times and once more, though
 * all would fit if they went. */
Test(slow_path, no_progress_is_tried_sixteen_times)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&small, &rec);

	rec.hold_threads = rec.hold_writes = true;
	fill(mm, 0, 100);
	for (struct page *p = mm->nodes[0].lru[MM_LRU_INACTIVE_FILE].head; p; p = p->next)
		mm_page_dirty(mm, 0, p);
	record_from_here(&rec);
	cr_expect_null(alloc(mm, 0, 0, GFP_KERNEL));
	cr_expect_eq(count_events(&rec, MM_EVENT_DIRECT_BEGIN), 17);
	cr_expect_gt(count_records(&rec, REC_SLEEP), 0, "who may wait does");
	must_verify(mm, "no progress");
	/* Who must not fail has what is kept for others. */
	cr_expect_not_null(alloc(mm, 0, 0, GFP_KERNEL | __GFP_NOFAIL));
	mm_destroy(mm);
	free(rec.records);
}

/* With both zones at their minimum: 192, and 64 + 48 that DMA keeps. */
static int ask(struct mm *mm, gfp_t gfp, unsigned order, bool reclaimed, struct page **page)
{
	struct mm_request req = {
		.nid = MM_NO_NODE, .order = order, .gfp = gfp, .reclaimed = reclaimed};

	return mm_alloc_pages(mm, &req, page);
}

/*
 * Where others free memory, they have done so for who may wait, or will: he gets a page of the zone
 * that he would rather have. Who cannot wait, or asks for more than small pieces, does not, nor
 * whom it is told that it did not help.
 */
Test(slow_path, reclaim_outside_owes_a_page)
{
	struct mm *mm = boot(&small);
	struct page *page;

	mm_set_reclaim_outside(mm, true);
	fill_with(mm, 112, 192, false);
	drain_all(mm);
	fill_with(mm, 112, 192, false);
	cr_expect_eq(ask(mm, GFP_NOWAIT, 0, true, &page), -ENOMEM);
	cr_expect_eq(ask(mm, GFP_HIGHUSER_MOVABLE, 0, false, &page), -ENOMEM);
	cr_expect_eq(ask(mm, GFP_HIGHUSER_MOVABLE, 4, true, &page), -ENOMEM);
	cr_expect_eq(dma32(mm)->nr_free, 192);
	cr_assert_eq(ask(mm, GFP_HIGHUSER_MOVABLE, 0, true, &page), 0);
	cr_expect_eq(mm_page_zone(mm, page), dma32(mm));
	cr_expect_lt(dma32(mm)->nr_free, 192);
	cr_expect_eq(dma(mm)->nr_free, 112);
	must_verify(mm, "with a page owed");
	mm_destroy(mm);
}

/* What watermarks were raised by stays until it is told that it goes. */
Test(slow_path, a_held_boost_outlives_kswapds_run)
{
	struct mm *mm = boot(&small);
	struct mm_zone *zone = dma32(mm);
	struct page *page;

	mm_set_reclaim_outside(mm, true);
	for (int held = 0; held < 2; held++) {
		mm_hold_boost(mm, 0, 0, zone->index, held);
		zone->boost = 512;
		mm_kthread_wake(mm, 0, mm_kthread(mm, 0));
		cr_expect_eq(zone->boost, held ? 512 : 0);
	}
	mm_hold_boost(mm, 0, 0, zone->index, false);
	cr_expect_eq(zone->boost, 0);

	/* A frame for a page that is moved comes from its zone, whatever the watermark says. */
	zone->wmark[MM_WMARK_MIN] = zone->wmark[MM_WMARK_LOW] = UINT32_MAX;
	cr_assert_eq(mm_take_target(mm, 0, 0, zone->index, 0, &page), 0);
	cr_expect_eq(mm_page_zone(mm, page), zone);
	cr_expect_eq(mm->counters.allocs, 0);
	cr_expect_eq(mm_take_target(mm, 0, 1, zone->index, 0, &page), -EINVAL);
	cr_expect_eq(mm_take_target(mm, 0, 0, zone->index, 11, &page), -EINVAL);
	mm_watermarks_setup(mm);
	must_verify(mm, "with a target");
	mm_free_pages(mm, 0, page, 0);
	cr_expect_gt(zone->pcp[0].count, 0);
	mm_moved_block(mm, 0, 0, zone->index);
	cr_expect_eq(zone->pcp[0].count, 0, "so that it may merge");
	must_verify(mm, "without");
	mm_destroy(mm);
}

/* The last highatomic page block goes before an allocation fails. */
Test(slow_path, highatomic_goes_before_failure)
{
	struct mm *mm = boot(&small);
	struct page *page = alloc(mm, 0, 1, GFP_ATOMIC), *p;

	/* With ALLOC_HARDER, order 1: its page block is set apart. */
	dma32(mm)->wmark[1] = UINT32_MAX;
	dma(mm)->wmark[1] = UINT32_MAX;
	cr_assert_not_null(p = alloc(mm, 0, 1, GFP_ATOMIC));
	mm_watermarks_setup(mm);
	cr_expect_eq(dma32(mm)->nr_reserved_highatomic, 512);
	take_all(mm, GFP_KERNEL);
	cr_expect_eq(dma32(mm)->nr_reserved_highatomic, 0);
	cr_expect_leq(dma32(mm)->nr_free, 192);
	must_verify(mm, "all taken");
	(void)page;
	mm_destroy(mm);
}

/* Two nodes of 64 MiB: the first keeps its page cache and lets allocations go to the other, unless
 * zone_reclaim_mode says to look for room first. */
Test(slow_path, zone_reclaim_mode_stays_on_the_node)
{
	struct machine m = {.model = MM_SPARSE_VMEMMAP,
			    .memory = {{4096 * MiB, 64 * MiB, 0}, {4160 * MiB, 64 * MiB, 1}},
			    .cpus = {1, 1},
			    .min_free_kbytes = 1024};

	for (int mode = 0; mode < 2; mode++) {
		struct mm *mm = boot(&m);
		struct page *page = NULL;

		cr_assert_eq(mm_sysctl(mm, "zone_reclaim_mode", mode ? "1" : "0", NULL), 0);
		for (int i = 0; i < 17000; i++) {
			page = alloc(mm, 0, 0, GFP_HIGHUSER_MOVABLE);
			cr_assert_eq(mm_lru_add(mm, 0, page, MM_PAGE_FILE), 0);
		}
		cr_expect_eq(mm_page_to_nid(mm, page), mode ? 0 : 1);
		cr_expect_eq(mm_vm_event(mm, MM_VM_PGSTEAL_DIRECT) > 0, mode);
		/* What is freed goes to the CPU's list first, which does not help the watermark. */
		cr_expect(mode ? mm->counters.fallback_node < 50 : mm->counters.fallback_node > 500,
			  "%lu", mm->counters.fallback_node);
		must_verify(mm, "filled");
		mm_destroy(mm);
	}
}

/* Where min_unmapped_ratio finds too little page cache, slabs above min_slab_ratio are reason
 * enough. */
Test(slow_path, zone_reclaim_is_for_slabs_too)
{
	struct mm *mm = boot(&small);
	struct mm_node *node = &mm->nodes[0];
	const struct mm_reclaim_request req = {.highest = 3, .gfp = GFP_KERNEL};
	uint64_t managed = 0;

	for (int z = 0; z < mm->arch->nr_zones; z++)
		managed += node->zones[z].managed;
	cr_assert_eq(mm_sysctl(mm, "min_slab_ratio", "10", NULL), 0);
	node->vm_stat[MM_NS_SLAB_RECLAIMABLE] = (int64_t)(managed / 10);
	cr_expect_eq(mm_node_reclaim(mm, 0, node, &req, false), MM_NODE_RECLAIM_FULL);
	node->vm_stat[MM_NS_SLAB_RECLAIMABLE]++;
	cr_expect_eq(mm_node_reclaim(mm, 0, node, &req, false), MM_NODE_RECLAIM_SOME);
	cr_expect_eq(mm_node_reclaim(mm, 0, node, &req, true), MM_NODE_RECLAIM_NOSCAN);
	mm_destroy(mm);
}

/*
 * Below half of both minimum watermarks, (64 + 192) / 2, who would reclaim waits for kswapd first;
 * a second at most without __GFP_FS, and where kswapd does not get to run. Not where there is
 * nothing to reclaim, nor once kswapd has given up.
 */
Test(slow_path, reserves_are_waited_for)
{
	static const gfp_t flags[] = {GFP_KERNEL, GFP_NOFS};

	for (size_t i = 0; i < 2; i++) {
		struct recorder rec;
		struct mm *mm = boot_recorded(&small, &rec);

		rec.hold_threads = true;
		fill(mm, 28, 100);
		mm->nodes[0].kswapd.thread.asleep = true;
		record_from_here(&rec);
		cr_expect_not_null(alloc(mm, 0, 0, flags[i]));
		cr_expect_eq(mm_vm_event(mm, MM_VM_PGSCAN_DIRECT_THROTTLE), 1);
		cr_expect_eq(count_records(&rec, REC_SLEEP), 1);
		cr_expect_geq(count_records(&rec, REC_WAKE), 1, "kswapd is awake then");
		cr_expect_eq(mm->nodes[0].nr_waiting, 0);
		must_verify(mm, "waited");
		mm_destroy(mm);
		free(rec.records);
	}
}

Test(slow_path, what_is_free_of_the_reserves_decides)
{
	struct mm *mm = boot(&small);
	struct mm_node *node = &mm->nodes[0];

	fill(mm, 28, 100);
	cr_expect_not(mm_direct_reclaim_allowed(mm, 0, node));
	node->kswapd.failures = MAX_RECLAIM_RETRIES;
	cr_expect(mm_direct_reclaim_allowed(mm, 0, node), "nobody to wait for");
	mm_destroy(mm);
	mm = boot(&small);
	fill(mm, 29, 100);
	cr_expect(mm_direct_reclaim_allowed(mm, 0, &mm->nodes[0]), "129 of 256");
	mm_destroy(mm);
	mm = boot(&small);
	fill_with(mm, 28, 100, false);
	cr_expect(mm_direct_reclaim_allowed(mm, 0, &mm->nodes[0]), "nothing to reclaim");
	mm_destroy(mm);
}
