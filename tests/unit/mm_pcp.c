/* SPDX-License-Identifier: Apache-2.0 */
/* Per-CPU lists: refilled and drained in batches, and only then is the zone locked. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "../mm_fixture.h"
#include "mm/kthread.h"

#define BATCH 7
#define HIGH  28

/* 16 MiB of ZONE_DMA for CPUs 0 and 1, with small lists. */
static struct mm_zone *set_up(struct recorder *rec)
{
	struct machine m = {.memory = {{0, 16 * MiB, 0}}, .cpus = {2}};
	struct mm *mm = boot_recorded(&m, rec);

	mm->nodes[0].zones[0].pcp_batch = BATCH;
	mm->nodes[0].zones[0].pcp_high = HIGH;
	return &mm->nodes[0].zones[0];
}

static void tear_down(struct recorder *rec)
{
	must_verify(rec->mm, "at the end");
	mm_destroy(rec->mm);
	free(rec->records);
}

static struct page *take(struct recorder *rec, unsigned order)
{
	struct page *page = alloc(rec->mm, 0, order, GFP_HIGHUSER_MOVABLE);

	cr_assert_not_null(page);
	return page;
}

static void give(struct recorder *rec, struct page *page, unsigned order)
{
	cr_assert_eq(mm_free_pages(rec->mm, 0, page, order), 0);
}

/* A batch from the zone, one of it handed out; the rest without the zone lock. */
Test(pcp, refill_takes_a_batch)
{
	struct recorder rec;
	struct mm_zone *zone = set_up(&rec);
	uint64_t free = zone->nr_free;

	for (unsigned i = 0; i < 2 * BATCH; i++) {
		cr_expect_eq(pfn_of(rec.mm, take(&rec, 0)), i); /* in ascending order */
		cr_expect_eq(mm_pcp_count(rec.mm, 0, 0, 0), BATCH - 1 - i % BATCH);
		cr_expect_eq(free - zone->nr_free, (1 + i / BATCH) * BATCH);
		cr_expect_eq(count_records(&rec, REC_LOCK), 1 + i / BATCH);
	}
	cr_expect_eq(zone->lock_acquired, 2);
	cr_expect_eq(rec.mm->counters.pcp_refills, 2);
	cr_expect_eq(mm_pcp_count(rec.mm, 0, 0, 1), 0);
	tear_down(&rec);
}

/*
 * max(batch >> order, 2) blocks: 7, 3, 2 (not 1), 2 (not 0). Huge pages have a list too, and take
 * two; a kernel's trace of touching memory with THP has them in pairs, percpu_refill=1. A batch of
 * 1, of a small zone, is 1 block of any order.
 */
Test(pcp, refill_of_higher_orders_takes_two_at_least)
{
	const struct {
		unsigned batch, order, blocks;
	} cases[] = {{7, 0, 7},  {7, 1, 3},  {7, 2, 2}, {7, 3, 2}, {7, 9, 2}, {63, 1, 31},
		     {63, 3, 7}, {63, 9, 2}, {1, 0, 1}, {1, 2, 1}, {1, 9, 1}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct recorder rec;
		struct mm_zone *zone = set_up(&rec);
		unsigned pages = cases[i].blocks << cases[i].order;
		uint64_t free = zone->nr_free;
		size_t events;

		zone->pcp_batch = cases[i].batch;
		take(&rec, cases[i].order);
		cr_expect_eq(free - zone->nr_free, pages, "batch %u, order %u: %lu pages",
			     cases[i].batch, cases[i].order, free - zone->nr_free);
		cr_expect_eq(mm_pcp_count(rec.mm, 0, 0, 0), pages - (1u << cases[i].order));
		events = count_events(&rec, MM_EVENT_ALLOC_ZONE_LOCKED);
		cr_expect_eq(events, cases[i].blocks);
		for (size_t e = 0; e < events; e++) {
			const struct mm_event *ev = &nth_record(&rec, REC_EVENT, e)->event;

			cr_expect(ev->percpu_refill && ev->order == cases[i].order &&
				  ev->pfn == e << cases[i].order);
		}
		tear_down(&rec);
	}
}

/* Orders 4 to 8 and 10 have no list: each goes to the zone, under its lock. */
Test(pcp, other_orders_go_to_the_zone)
{
	const unsigned orders[] = {4, 5, 6, 7, 8, 10};

	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		struct recorder rec;
		struct mm_zone *zone = set_up(&rec);
		uint64_t free = zone->nr_free;
		struct page *page = take(&rec, orders[i]);

		cr_expect_eq(free - zone->nr_free, UINT64_C(1) << orders[i]);
		cr_expect_eq(count_events(&rec, MM_EVENT_ALLOC_ZONE_LOCKED), 1);
		cr_expect_not(nth_record(&rec, REC_EVENT, 0)->event.percpu_refill);
		give(&rec, page, orders[i]);
		cr_expect_eq(zone->nr_free, free);
		cr_expect_eq(count_records(&rec, REC_LOCK), 2);
		cr_expect_eq(mm_pcp_count(rec.mm, 0, 0, 0), 0);
		tear_down(&rec);
	}
}

/* Blocks handed out before a test of freeing, with the CPU's lists empty again. */
static void take_many(struct recorder *rec, struct page **pages, unsigned nr, unsigned order)
{
	for (unsigned i = 0; i < nr; i++)
		pages[i] = take(rec, order);
	cr_assert_eq(mm_pcp_count(rec->mm, 0, 0, 0), 0, "choose a multiple of the refill");
	record_from_here(rec);
}

/* What was freed last, and is likely still in the cache, is used first. */
Test(pcp, the_last_freed_is_the_first_used)
{
	struct page *pages[BATCH];
	struct recorder rec;

	set_up(&rec);
	take_many(&rec, pages, BATCH, 0);
	give(&rec, pages[2], 0);
	give(&rec, pages[5], 0);
	cr_expect_eq(take(&rec, 0), pages[5]);
	cr_expect_eq(take(&rec, 0), pages[2]);
	cr_expect_eq(count_records(&rec, REC_LOCK), 0);
	tear_down(&rec);
}

/* The oldest batch goes when the list is `high` long: 28 - 7 stay. */
Test(pcp, drains_the_oldest_at_high)
{
	struct page *pages[HIGH];
	struct recorder rec;

	set_up(&rec);
	take_many(&rec, pages, HIGH, 0);
	for (unsigned i = 0; i < HIGH - 1; i++)
		give(&rec, pages[i], 0);
	cr_expect_eq(count_records(&rec, REC_LOCK), 0);
	cr_expect_eq(mm_pcp_count(rec.mm, 0, 0, 0), HIGH - 1);
	record_from_here(&rec);
	give(&rec, pages[HIGH - 1], 0);
	cr_expect_eq(count_records(&rec, REC_LOCK), 1);
	cr_expect_eq(mm_pcp_count(rec.mm, 0, 0, 0), HIGH - BATCH);
	cr_expect_eq(rec.mm->counters.pcp_drains, 1);
	cr_assert_eq(count_events(&rec, MM_EVENT_PCPU_DRAIN), BATCH);
	for (unsigned i = 0; i < BATCH; i++) /* after the event of the free itself */
		cr_expect_eq(nth_record(&rec, REC_EVENT, 1 + i)->event.page, pages[i]);
	tear_down(&rec);
}

/* How many pages the next free drains; 0: none. */
static unsigned drained_by_next_free(struct recorder *rec, struct page *page, unsigned order)
{
	record_from_here(rec);
	give(rec, page, order);
	return (unsigned)count_events(rec, MM_EVENT_PCPU_DRAIN);
}

/* Frees until something is drained. */
static unsigned next_drain(struct recorder *rec, struct page ***next)
{
	unsigned drained;

	do
		drained = drained_by_next_free(rec, *(*next)++, 0);
	while (!drained);
	return drained;
}

/*
 * While only frees come, each drain is twice the one before: 7, 14, then 28, but a batch stays:
 * 28 - 7 = 21. One allocation halves it: 14.
 */
Test(pcp, the_drain_doubles_while_only_frees_come)
{
	struct page *pages[20 * BATCH], **next = pages;
	struct recorder rec;

	set_up(&rec);
	take_many(&rec, pages, 20 * BATCH, 0);
	cr_expect_eq(next_drain(&rec, &next), 7);
	cr_expect_eq(next_drain(&rec, &next), 14);
	cr_expect_eq(next_drain(&rec, &next), 21);
	cr_expect_eq(next_drain(&rec, &next), 21);
	take(&rec, 0);
	cr_expect_eq(next_drain(&rec, &next), 14);
	cr_expect_eq(next_drain(&rec, &next), 21);
	tear_down(&rec);
}

/* Six drains, of 1, 2, 4, ... 32 batches of a page; then they grow no more, though lists are long.
 */
Test(pcp, the_drain_doubles_five_times)
{
	struct page *pages[300], **next = pages;
	struct recorder rec;
	struct mm_zone *zone;

	zone = set_up(&rec);
	zone->pcp_batch = 1;
	zone->pcp_high = 100;
	take_many(&rec, pages, 300, 0);
	for (unsigned pages_drained = 1; pages_drained <= 32; pages_drained *= 2)
		cr_expect_eq(next_drain(&rec, &next), pages_drained);
	cr_expect_eq(next_drain(&rec, &next), 32);
	cr_expect_eq(next_drain(&rec, &next), 32);
	tear_down(&rec);
}

/*
 * After a drain, with no allocation since, a block of a higher order takes everything with it:
 * first what is on its own list, then the others'.
 */
Test(pcp, higher_orders_are_not_kept_while_only_frees_come)
{
	struct page *pages[HIGH], *pairs[3];
	struct recorder rec;

	set_up(&rec);
	take_many(&rec, pages, HIGH, 0);
	take_many(&rec, pairs, 3, 1);
	for (unsigned i = 0; i < HIGH; i++)
		give(&rec, pages[i], 0);
	cr_assert_eq(mm_pcp_count(rec.mm, 0, 0, 0), HIGH - BATCH);
	cr_expect_eq(drained_by_next_free(&rec, pairs[0], 1), 1 + HIGH - BATCH);
	cr_expect_eq(nth_record(&rec, REC_EVENT, 1)->event.page, pairs[0]);
	cr_expect_eq(nth_record(&rec, REC_EVENT, 2)->event.page, pages[BATCH]);
	cr_expect_eq(mm_pcp_count(rec.mm, 0, 0, 0), 0);

	/* An allocation says that blocks are wanted: then they are kept again. */
	take(&rec, 1);
	give(&rec, pairs[1], 1);
	cr_expect_eq(count_events(&rec, MM_EVENT_PCPU_DRAIN), 1 + HIGH - BATCH);
	tear_down(&rec);
}

/* 512 pages at once are more than `high`, so a huge page goes back at once. */
Test(pcp, a_huge_page_fills_the_list)
{
	struct page *pages[2];
	struct recorder rec;
	struct mm_zone *zone = set_up(&rec);

	take_many(&rec, pages, 2, 9);
	cr_expect_eq(drained_by_next_free(&rec, pages[0], 9), 1);
	cr_expect_eq(mm_pcp_count(rec.mm, 0, 0, 0), 0);
	zone->pcp_high = 1024;
	cr_expect_eq(drained_by_next_free(&rec, pages[1], 9), 0);
	cr_expect_eq(mm_pcp_count(rec.mm, 0, 0, 0), 512);
	cr_expect_eq(take(&rec, 9), pages[1]);
	tear_down(&rec);
}

/* Each CPU has lists of its own: what CPU 1 frees, CPU 0 does not find. */
/*
 * Lists hold 100 pages, and 4 * 7 while kswapd is at work: 60 pages are 9 batches, of which 3 are
 * left. 40 frees all stay; then each one gives back a batch at least, until 28 are not reached.
 */
Test(pcp, a_kswapd_outside_keeps_lists_short)
{
	struct recorder rec;
	struct mm_zone *zone = set_up(&rec);
	struct page *pages[60];
	unsigned count;

	zone->pcp_high = 100;
	for (unsigned i = 0; i < 60; i++)
		pages[i] = take(&rec, 0);
	for (unsigned i = 0; i < 40; i++)
		give(&rec, pages[i], 0);
	cr_expect_eq(mm_pcp_count(rec.mm, 0, 0, 0), 43);
	mm_set_kswapd_outside(rec.mm, 0, true);
	for (unsigned i = 40; i < 50; i++)
		give(&rec, pages[i], 0);
	count = mm_pcp_count(rec.mm, 0, 0, 0);
	cr_expect_lt(count, 4 * BATCH);
	mm_set_kswapd_outside(rec.mm, 0, false);
	for (unsigned i = 50; i < 60; i++)
		give(&rec, pages[i], 0);
	cr_expect_eq(mm_pcp_count(rec.mm, 0, 0, 0), count + 10);
	tear_down(&rec);
}

Test(pcp, lists_are_private)
{
	struct page *page;
	struct recorder rec;

	set_up(&rec);
	page = take(&rec, 0);
	cr_assert_eq(mm_free_pages(rec.mm, 1, page, 0), 0);
	cr_expect_eq(mm_pcp_count(rec.mm, 0, 0, 0), BATCH - 1);
	cr_expect_eq(mm_pcp_count(rec.mm, 0, 0, 1), 1);
	cr_expect_neq(take(&rec, 0), page);
	cr_expect_eq(alloc(rec.mm, 1, 0, GFP_HIGHUSER_MOVABLE), page);
	tear_down(&rec);
}

/* The list's own memory is touched, in the area of the CPU that uses it. */
Test(pcp, touches_the_cpus_own_area)
{
	struct recorder rec;
	struct mm_zone *zone = set_up(&rec);
	phys_addr_t at[2];

	for (int cpu = 0; cpu < 2; cpu++) {
		size_t touched = 0;

		at[cpu] = rec.mm->percpu_at[cpu] + zone->pcp_offset;
		record_from_here(&rec);
		cr_assert_not_null(alloc(rec.mm, cpu, 0, GFP_HIGHUSER_MOVABLE));
		for (size_t i = 0; i < rec.nr; i++) {
			const struct record *r = &rec.records[i];

			touched += r->kind == REC_ACCESS && r->site == MM_SITE_PCP_ALLOC &&
				   r->at >= at[cpu] && r->at + r->bytes <= at[cpu] + MM_PCP_STRIDE;
		}
		cr_expect_eq(touched, 3); /* the counts, the list's head, the zone statistics */
	}
	cr_expect_geq(at[1] - at[0], rec.mm->arch->percpu_bytes);
	tear_down(&rec);
}
