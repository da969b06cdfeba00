/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an allocation and a free count and report: NUMA statistics, events, accesses, and that
 * everything is whole whenever another CPU may run.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "../mm_fixture.h"
#include "mm/kthread.h"

/* Two nodes of 4096 pages in one zone each (DMA, DMA32), two CPUs; watermarks of 8 and 10. */
static const struct machine two_nodes = {
	.model = MM_SPARSE,
	.memory = {{0, 16 * MiB, 0}, {16 * MiB, 16 * MiB, 1}},
	.cpus = {1, 1},
	.min_free_kbytes = 64,
	.no_reserve = true,
};

/* The node's only zone: DMA of node 0, DMA32 of node 1. */
static struct mm_zone_info info(const struct mm *mm, int nid)
{
	return zone_info(mm, nid, nid);
}

static void exhaust(struct mm *mm, int nid)
{
	while (alloc_on(mm, 0, nid, 0, GFP_KERNEL | __GFP_THISNODE))
		;
}

/*
 * numa_hit or numa_miss by the node that was wanted (foreign there, if missed), local or other by
 * the node of the CPU: all eight ways in which CPU, wanted and serving node can be.
 */
Test(reports, numa_counters_count_as_linux_does)
{
	for (int way = 0; way < 8; way++) {
		int cpu = way & 1, wanted = way >> 1 & 1, serving = way >> 2 & 1;
		struct mm *mm = boot(&two_nodes);
		struct mm_zone_info before[2], served, want;

		if (serving != wanted)
			exhaust(mm, wanted);
		before[0] = info(mm, 0);
		before[1] = info(mm, 1);
		cr_assert_eq(mm_page_to_nid(mm, alloc_on(mm, cpu, wanted, 0, GFP_KERNEL)), serving);
		served = info(mm, serving);
		want = info(mm, wanted);
		cr_expect_eq(served.numa_hit - before[serving].numa_hit, serving == wanted);
		cr_expect_eq(served.numa_miss - before[serving].numa_miss, serving != wanted);
		cr_expect_eq(want.numa_foreign - before[wanted].numa_foreign, serving != wanted);
		cr_expect_eq(served.numa_local - before[serving].numa_local, serving == cpu);
		cr_expect_eq(served.numa_other - before[serving].numa_other, serving != cpu);
		cr_expect_eq(served.alloc_pages - before[serving].alloc_pages, 1);
		must_verify(mm, "after");
		mm_destroy(mm);
	}
}

/* Each request counts once in the NUMA counters, and with all its pages in alloc_pages. */
Test(reports, blocks_count_once_pages_each)
{
	struct mm *mm = boot(&two_nodes);

	for (unsigned order = 0; order <= MAX_PAGE_ORDER; order++)
		cr_assert_not_null(alloc(mm, 0, order, GFP_KERNEL));
	cr_expect_eq(info(mm, 0).numa_hit, NR_PAGE_ORDERS);
	cr_expect_eq(info(mm, 0).alloc_pages, (1u << NR_PAGE_ORDERS) - 1);
	cr_expect_eq(mm->counters.allocs, NR_PAGE_ORDERS);
	mm_destroy(mm);
}

/* Nothing is counted where nothing was found. */
Test(reports, failures_are_no_misses)
{
	struct mm *mm = boot(&two_nodes);

	exhaust(mm, 0);
	cr_expect_eq(info(mm, 0).numa_miss + info(mm, 1).numa_miss, 0);
	cr_expect_eq(info(mm, 0).numa_foreign, 0);
	mm_destroy(mm);
}

/* A node without memory wants what its zonelist begins with: a hit there, as in Linux. */
Test(reports, a_node_without_memory_wants_its_neighbour)
{
	struct machine m = two_nodes;
	struct mm *mm;

	m.cpus[2] = 1;
	mm = boot(&m);
	cr_expect_eq(mm_page_to_nid(mm, alloc(mm, 2, 0, GFP_KERNEL)), 0);
	cr_expect_eq(info(mm, 0).numa_hit, 1);
	cr_expect_eq(info(mm, 0).numa_other, 1);
	cr_expect_eq(info(mm, 0).numa_miss, 0);
	mm_destroy(mm);
}

/* With discontig, ranges of a UMA machine are nodes, but nothing is remote. */
Test(reports, ranges_of_one_node_are_all_local)
{
	struct machine m = {.model = MM_DISCONTIG,
			    .memory = {{0, 4 * MiB, 0}, {8 * MiB, 8 * MiB, 0}},
			    .min_free_kbytes = 64};
	struct mm *mm = boot(&m);
	uint64_t allocated = 0, hit = 0, local = 0;

	while (alloc(mm, 0, 0, GFP_KERNEL))
		allocated++;
	for (int n = 0; n < 2; n++) {
		struct mm_zone_info zone = zone_info(mm, n, 0);

		hit += zone.numa_hit;
		local += zone.numa_local;
		cr_expect_eq(zone.numa_miss + zone.numa_foreign + zone.numa_other, 0);
		cr_expect_gt(zone.numa_hit, 0, "nothing came from range %d", n);
	}
	cr_expect(hit == allocated && local == allocated);
	mm_destroy(mm);
}

static const struct mm_event *event(const struct recorder *rec, size_t i)
{
	return &nth_record(rec, REC_EVENT, i)->event;
}

/* A batch leaves the zone, one page of it is handed out; the free is told before what it drains. */
Test(reports, events_come_in_order)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&two_nodes, &rec);
	struct mm_zone *zone = &mm->nodes[0].zones[0];
	struct page *page, *others[3];

	zone->pcp_batch = 3;
	zone->pcp_high = 6;
	page = alloc(mm, 0, 0, GFP_HIGHUSER_MOVABLE);
	cr_assert_eq(count_records(&rec, REC_EVENT), 4);
	for (size_t i = 0; i < 3; i++) {
		cr_expect_eq(event(&rec, i)->type, MM_EVENT_ALLOC_ZONE_LOCKED);
		cr_expect(event(&rec, i)->pfn == i && event(&rec, i)->percpu_refill);
		cr_expect(event(&rec, i)->nid == 0 && event(&rec, i)->zone == 0);
		cr_expect_eq(event(&rec, i)->migratetype, MM_MOVABLE);
	}
	cr_expect_eq(event(&rec, 3)->type, MM_EVENT_PAGE_ALLOC);
	cr_expect(event(&rec, 3)->page == page && event(&rec, 3)->pfn == 0);
	cr_expect_eq(event(&rec, 3)->gfp, GFP_HIGHUSER_MOVABLE);
	cr_expect_eq(event(&rec, 3)->migratetype, MM_MOVABLE);

	/* Two refills, four of six in use: the fourth free makes the list 6 long, and 3 leave it.
	 */
	for (int i = 0; i < 3; i++)
		others[i] = alloc(mm, 0, 0, GFP_KERNEL);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(mm_free_pages(mm, 0, others[i], 0), 0);
	record_from_here(&rec);
	cr_assert_eq(mm_free_pages(mm, 0, page, 0), 0);
	cr_assert_eq(count_records(&rec, REC_EVENT), 1 + 3);
	cr_expect_eq(event(&rec, 0)->type, MM_EVENT_PAGE_FREE);
	cr_expect(event(&rec, 0)->page == page && event(&rec, 0)->pfn == 0);
	for (size_t i = 1; i < 4; i++)
		cr_expect_eq(event(&rec, i)->type, MM_EVENT_PCPU_DRAIN);
	mm_destroy(mm);
	free(rec.records);
}

/* kswapd is woken where the flags say so, and the failure is told, without a page. */
Test(reports, a_failure_is_an_event_too)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&two_nodes, &rec);
	gfp_t gfp = __GFP_DIRECT_RECLAIM | __GFP_THISNODE;

	rec.hold_threads = true;
	exhaust(mm, 1);
	/* As if kswapd had gone to sleep again. */
	mm_kthread(mm, 1)->asleep = true;
	record_from_here(&rec);
	cr_expect_null(alloc_on(mm, 0, 1, 0, GFP_NOWAIT | __GFP_THISNODE));
	cr_assert_eq(count_records(&rec, REC_EVENT), 2);
	cr_expect_eq(event(&rec, 0)->type, MM_EVENT_WAKE_KSWAPD);
	cr_expect(event(&rec, 0)->nid == 1 && event(&rec, 0)->order == 0);
	cr_expect_eq(event(&rec, 1)->type, MM_EVENT_PAGE_ALLOC);
	cr_expect_null(event(&rec, 1)->page);

	record_from_here(&rec);
	cr_expect_null(alloc_on(mm, 0, 1, 0, gfp));
	cr_expect_eq(count_events(&rec, MM_EVENT_WAKE_KSWAPD), 0);
	cr_expect_eq(count_events(&rec, MM_EVENT_DIRECT_BEGIN), 1);
	cr_expect_eq(count_events(&rec, MM_EVENT_DIRECT_END), 1);
	cr_expect_eq(event(&rec, count_records(&rec, REC_EVENT) - 1)->type, MM_EVENT_PAGE_ALLOC);
	mm_destroy(mm);
	free(rec.records);
}

/* Where no zone could give (Linux: no preferred zone), kswapd has nothing to do either. */
Test(reports, an_empty_zonelist_wakes_nobody)
{
	struct machine m = two_nodes;
	struct recorder rec;
	struct mm *mm;

	m.cpus[2] = 1;
	mm = boot_recorded(&m, &rec);
	cr_expect_null(alloc(mm, 2, 0, GFP_KERNEL | __GFP_THISNODE));
	cr_assert_eq(count_records(&rec, REC_EVENT), 1);
	cr_expect_eq(event(&rec, 0)->type, MM_EVENT_PAGE_ALLOC);
	cr_expect_eq(mm->counters.kswapd_wakeups, 0);
	cr_expect_eq(mm->counters.failed, 1);
	mm_destroy(mm);
	free(rec.records);
}

/* One access for the whole block, at its address, and one unit of work a page. */
Test(reports, zeroing_reports_the_block)
{
	for (unsigned order = 0; order <= MAX_PAGE_ORDER; order++) {
		struct recorder rec;
		struct mm *mm = boot_recorded(&two_nodes, &rec);
		struct page *page = alloc_on(mm, 0, 1, order, GFP_KERNEL | __GFP_ZERO);
		size_t zeroed = 0;

		cr_assert_eq(mm_page_to_nid(mm, page), 1);
		for (size_t i = 0; i < rec.nr; i++) {
			const struct record *r = &rec.records[i];

			if (r->kind != REC_ACCESS || r->how != MM_ZERO)
				continue;
			zeroed++;
			cr_expect_eq(r->at, pfn_of(mm, page) * 4096);
			cr_expect_eq(r->bytes, UINT64_C(4096) << order);
			cr_expect_eq(r->site, MM_SITE_ZERO);
		}
		cr_expect_eq(zeroed, 1);
		cr_expect_eq(count_work(&rec, MM_SITE_ZERO), 1u << order);
		record_from_here(&rec);
		alloc_on(mm, 0, 0, order, GFP_KERNEL);
		cr_expect_eq(count_work(&rec, MM_SITE_ZERO), 0);
		mm_destroy(mm);
		free(rec.records);
	}
}

/* Each step opens with work, every access has bytes, locks pair up, and the CPU is the one asked.
 */
Test(reports, steps_are_well_formed)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&two_nodes, &rec);
	phys_addr_t held = 0;

	for (unsigned order = 0; order <= MAX_PAGE_ORDER; order++) {
		struct page *page = alloc(mm, 1, order, GFP_KERNEL | __GFP_ZERO);

		cr_assert_eq(mm_free_pages(mm, 1, page, order), 0);
	}
	cr_assert_eq(rec.records[0].kind, REC_WORK);
	for (size_t i = 0; i < rec.nr; i++) {
		const struct record *r = &rec.records[i];

		cr_assert_eq(r->cpu, 1);
		switch (r->kind) {
		case REC_WORK:
			cr_assert(r->nr > 0 && r->site < MM_NR_SITES);
			break;
		case REC_ACCESS:
			cr_assert_gt(r->bytes, 0);
			break;
		case REC_LOCK:
			cr_assert_eq(held, 0);
			held = r->at;
			break;
		case REC_UNLOCK:
			cr_assert_eq(held, r->at);
			held = 0;
			break;
		default:
			break;
		}
	}
	cr_expect_eq(held, 0);
	mm_destroy(mm);
	free(rec.records);
}

/*
 * Other CPUs run at lock(), before the lock is taken, and at unlock(), after it is left. All must
 * verify then, but for the block on its way between its zone and its user: no list has it yet, or
 * any more. The test puts it in use while it looks.
 */
static void verify_around(struct recorder *rec, bool locking, int cpu)
{
	struct mm *mm = rec->mm;
	const struct mm_event *ev = NULL;
	struct page *page = NULL;
	bool freeing;

	(void)cpu;
	for (size_t i = 0; i < rec->nr; i++)
		if (rec->records[i].kind == REC_EVENT)
			ev = &rec->records[i].event; /* the last one of this operation */
	freeing = ev && ev->type == MM_EVENT_PAGE_FREE;
	if (ev && !mm_pcp_holds(mm, ev->order) && freeing == locking)
		page = (struct page *)ev->page;
	if (page) {
		page->refcount = 1;
		mm->counters.frees -= freeing;
		mm->counters.allocs += !freeing;
	}
	must_verify(mm, locking ? "at lock()" : "at unlock()");
	if (page) {
		page->refcount = 0;
		mm->counters.frees += freeing;
		mm->counters.allocs -= !freeing;
	}
}

Test(reports, everything_is_whole_when_others_may_run)
{
	struct machine m = two_nodes;
	static struct page *pages[NR_PAGE_ORDERS][40];
	struct recorder rec;
	struct mm *mm;
	unsigned calls = 0;

	m.memory[0].bytes = m.memory[1].bytes = 4 * MiB; /* small, so that verifying is quick */
	m.memory[1].start = 4 * MiB;
	mm = boot_recorded(&m, &rec);
	rec.at_lock = verify_around;
	for (int n = 0; n < 2; n++)
		mm->nodes[n].zones[0].pcp_batch = 3;
	for (unsigned order = 0; order < NR_PAGE_ORDERS; order++)
		for (int i = 0; i < 40; i++) {
			record_from_here(&rec);
			pages[order][i] = alloc(mm, i & 1, order, GFP_KERNEL);
			calls += count_records(&rec, REC_LOCK) + count_records(&rec, REC_UNLOCK);
		}
	for (unsigned order = 0; order < NR_PAGE_ORDERS; order++)
		for (int i = 0; i < 40; i++)
			if (pages[order][i]) {
				record_from_here(&rec);
				cr_assert_eq(mm_free_pages(mm, i & 1, pages[order][i], order), 0);
				calls += count_records(&rec, REC_LOCK);
			}
	cr_expect_gt(calls, 100, "too few chances to find anything");
	must_verify(mm, "at the end");
	mm_destroy(mm);
	free(rec.records);
}
