/* SPDX-License-Identifier: Apache-2.0 */
/* Per-CPU lists with a hot and a cold end, as kernels up to 4.14 had them. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "../pcp_single.h"
#include "mm/gfp.h"

static const struct mm_profile hot_cold = {
	.pcp = {.kind = "hot-cold", .high = 6, .batch_bytes = 512 * KiB}};
static const struct mm_profile with_low = {
	.pcp = {.kind = "hot-cold", .low = 2, .high = 6, .batch_bytes = 512 * KiB}};

static unsigned count(struct recorder *rec)
{
	return mm_pcp_count(rec->mm, 0, 0, 0);
}

/*
 * A quarter of 1/1024 of the zone, at most of 128 pages (512 KiB): 256 MiB are 65536 pages, of
 * which 64 / 4 = 16, and 2^4 - 1 = 15. 1 GiB and more has 2^5 - 1 = 31. `high` is six of them. With
 * a fraction of 8, 65536 / 8 = 8192 pages, and 12 * 8 = 96 of them a batch, the most there is.
 */
Test(pcp_hot_cold, sizes)
{
	struct machine m = {.model = MM_SPARSE_VMEMMAP,
			    .memory = {{4 * GiB, 256 * MiB, 0}, {5 * GiB, 2 * GiB, 1}},
			    .profile = &with_low};
	struct mm *mm = boot(&m);
	struct mm_zone_info z;

	z = zone_info(mm, 0, zone_of(mm, 0, MM_ZONE_NORMAL)->index);
	cr_expect_eq(z.pcp_batch, 15);
	cr_expect_eq(z.pcp_high, 90);
	cr_expect_eq(z.pcp_low, 30);
	z = zone_info(mm, 1, zone_of(mm, 1, MM_ZONE_NORMAL)->index);
	cr_expect_eq(z.pcp_batch, 31);
	cr_expect_eq(z.pcp_high, 186);
	cr_expect_eq(z.pcp_low, 62);
	mm_destroy(mm);

	m.high_fraction = 8;
	mm = boot(&m);
	z = zone_info(mm, 0, zone_of(mm, 0, MM_ZONE_NORMAL)->index);
	cr_expect_eq(z.pcp_high, 8192);
	cr_expect_eq(z.pcp_batch, 96);
	mm_destroy(mm);
}

/*
 * ZONE_DMA of 3 MiB: 768 / 1024 / 4 is less than one page, and 2^0 - 1 = 0, so that a CPU keeps
 * none. Rounded up as in 2.6.12 it is 2^1 - 1 = 1, and of 8192 pages (32 MiB) 8 / 4 = 2, 2 + 1 = 3,
 * 2^2 - 1 = 3 rather than 1.
 */
Test(pcp_hot_cold, sizes_of_small_zones)
{
	static const struct mm_profile up = {.pcp = {.kind = "hot-cold",
						     .low = 2,
						     .high = 6,
						     .batch_bytes = 256 * KiB,
						     .round_up = true}};
	struct machine m = {.model = MM_SPARSE_VMEMMAP,
			    .memory = {{MiB, 3 * MiB, 0}, {4 * GiB, 32 * MiB, 0}}};

	for (int rounds_up = 0; rounds_up < 2; rounds_up++) {
		struct mm_zone_info z;
		struct mm *mm;

		m.profile = rounds_up ? &up : &with_low;
		mm = boot(&m);
		z = zone_info(mm, 0, zone_of(mm, 0, MM_ZONE_DMA)->index);
		cr_expect_eq(z.pcp_batch, 1);
		cr_expect_eq(z.pcp_high, rounds_up ? 6 : 0);
		cr_expect_eq(z.pcp_low, rounds_up ? 2 : 0);
		z = zone_info(mm, 0, zone_of(mm, 0, MM_ZONE_NORMAL)->index);
		cr_expect_eq(z.pcp_batch, rounds_up ? 3 : 1);
		mm_destroy(mm);
	}
}

/* A batch comes in the order of its frames, to the head, whether the first is taken hot or cold. */
Test(pcp_hot_cold, refill_is_in_order_for_either_end)
{
	static const gfp_t gfps[] = {GFP_HIGHUSER_MOVABLE, GFP_HIGHUSER_MOVABLE | __GFP_COLD};

	for (int i = 0; i < 2; i++) {
		struct recorder rec;
		struct mm_zone *zone = set_up(&rec, &hot_cold);

		for (unsigned n = 0; n < 2 * BATCH; n++) {
			cr_expect_eq(pfn_of(rec.mm, take(&rec, gfps[i])), n);
			cr_expect_eq(count(&rec), BATCH - 1 - n % BATCH);
		}
		cr_expect_eq(zone->lock_acquired, 2);
		tear_down(&rec);
	}
}

/* Freed last, taken first; a cold request gets what has lain there longest. */
Test(pcp_hot_cold, hot_is_the_last_freed_and_cold_the_first)
{
	struct recorder rec;
	struct page *pages[BATCH];

	set_up(&rec, &hot_cold);
	for (unsigned i = 0; i < BATCH; i++)
		pages[i] = take(&rec, GFP_HIGHUSER_MOVABLE);
	give(&rec, pages[2]);
	give(&rec, pages[5]);
	give(&rec, pages[1]);
	cr_expect_eq(take(&rec, GFP_HIGHUSER_MOVABLE), pages[1]);
	cr_expect_eq(take(&rec, GFP_HIGHUSER_MOVABLE | __GFP_COLD), pages[2]);
	cr_expect_eq(take(&rec, GFP_HIGHUSER_MOVABLE | __GFP_COLD), pages[5]);
	cr_expect_eq(count(&rec), 0);
	tear_down(&rec);
}

/* What reclaim frees goes behind all that is hot. */
Test(pcp_hot_cold, a_cold_free_is_taken_last)
{
	struct recorder rec;
	struct page *pages[BATCH];

	set_up(&rec, &hot_cold);
	for (unsigned i = 0; i < BATCH; i++)
		pages[i] = take(&rec, GFP_HIGHUSER_MOVABLE);
	give(&rec, pages[0]);
	mm_put_cold_page(rec.mm, 0, pages[1]);
	rec.mm->counters.reclaimed++; /* what else counts it, as mm_verify() wants */
	give(&rec, pages[2]);
	cr_expect_eq(take(&rec, GFP_HIGHUSER_MOVABLE), pages[2]);
	cr_expect_eq(take(&rec, GFP_HIGHUSER_MOVABLE), pages[0]);
	cr_expect_eq(take(&rec, GFP_HIGHUSER_MOVABLE), pages[1]);
	tear_down(&rec);
}

/* Two pages and a huge one: each from the buddy lists, under the lock, and back there. */
Test(pcp_hot_cold, larger_blocks_have_no_lists)
{
	static const unsigned orders[] = {1, 3, 9};

	for (size_t i = 0; i < 3; i++) {
		struct recorder rec;
		struct mm_zone *zone = set_up(&rec, &hot_cold);
		uint64_t free = zone->nr_free;
		struct page *page = alloc(rec.mm, 0, orders[i], GFP_KERNEL);

		cr_assert_not_null(page);
		cr_expect_eq(zone->nr_free, free - (1u << orders[i]));
		cr_assert_eq(mm_free_pages(rec.mm, 0, page, orders[i]), 0);
		cr_expect_eq(zone->nr_free, free);
		cr_expect_eq(zone->lock_acquired, 2);
		cr_expect_eq(count(&rec), 0);
		tear_down(&rec);
	}
}

/* HIGH pages of which `nr[type]` come from each mobility; the last one drains a batch. */
static void drain_of_mix(const unsigned nr[MM_NR_PCPTYPES], const unsigned left[MM_NR_PCPTYPES])
{
	static const gfp_t gfps[] = {
		[MM_UNMOVABLE] = GFP_KERNEL,
		[MM_MOVABLE] = GFP_HIGHUSER_MOVABLE,
		[MM_RECLAIMABLE] = GFP_KERNEL | __GFP_RECLAIMABLE,
	};
	struct page *pages[HIGH];
	struct recorder rec;
	struct mm_zone *zone = set_up(&rec, &hot_cold);
	unsigned all = 0;

	/* One at a time, so that nothing stays on the lists. */
	zone->pcp_batch = 1;
	for (unsigned type = 0; type < MM_NR_PCPTYPES; type++)
		for (unsigned i = 0; i < nr[type]; i++)
			pages[all++] = take(&rec, gfps[type]);
	cr_assert_eq(all, HIGH);
	cr_assert_eq(count(&rec), 0);
	zone->pcp_batch = BATCH;
	for (unsigned i = 0; i < HIGH; i++)
		give(&rec, pages[i]);
	cr_expect_eq(count(&rec), HIGH - BATCH);
	for (unsigned type = 0; type < MM_NR_PCPTYPES; type++) {
		unsigned found = 0;

		for (const struct page *p = zone->pcp[0].lists[type].head; p; p = p->next)
			found++;
		cr_expect_eq(found, left[type], "mobility %u: %u left", type, found);
	}
	tear_down(&rec);
}

/*
 * Seven go. From full lists one each in turn, beginning with movable: movable 3, reclaimable 2,
 * unmovable 2. Where reclaimable is empty, unmovable gives two each time: movable 1, unmovable 2,
 * 1, 2, 1. Of one list all seven come.
 */
Test(pcp_hot_cold, a_drain_takes_lists_in_turn)
{
	drain_of_mix((const unsigned[]){14, 14, 14}, (const unsigned[]){12, 11, 12});
	drain_of_mix((const unsigned[]){21, 21, 0}, (const unsigned[]){17, 18, 0});
	drain_of_mix((const unsigned[]){0, 42, 0}, (const unsigned[]){0, 35, 0});
}

/* The coldest go: those that were freed first. */
Test(pcp_hot_cold, a_drain_takes_from_the_cold_end)
{
	struct page *pages[HIGH];
	struct recorder rec;

	set_up(&rec, &hot_cold);
	for (unsigned i = 0; i < HIGH; i++)
		pages[i] = take(&rec, GFP_HIGHUSER_MOVABLE);
	for (unsigned i = 0; i < HIGH - 1; i++)
		give(&rec, pages[i]);
	record_from_here(&rec);
	give(&rec, pages[HIGH - 1]);
	cr_expect_eq(count_records(&rec, REC_LOCK), 1);
	cr_assert_eq(count_events(&rec, MM_EVENT_PCPU_DRAIN), BATCH);
	for (unsigned i = 0; i < BATCH; i++) /* after the event of the free itself */
		cr_expect_eq(nth_record(&rec, REC_EVENT, 1 + i)->event.page, pages[i]);
	tear_down(&rec);
}

/*
 * With low = 14 a batch of 7 comes as long as no more than 14 are left: 0 + 7 - 1 = 6, 12, 18; then
 * down to 14 without, and 14 + 7 - 1 = 20.
 */
Test(pcp_hot_cold, low_is_where_it_fills_again)
{
	static const unsigned counts[] = {6, 12, 18, 17, 16, 15, 14, 20, 19};
	struct recorder rec;

	set_up(&rec, &with_low);
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		take(&rec, GFP_HIGHUSER_MOVABLE);
		cr_expect_eq(count(&rec), counts[i], "page %zu: %u", i, count(&rec));
	}
	cr_expect_eq(rec.mm->counters.pcp_refills, 4);
	tear_down(&rec);
}

/* New pages come before those that were there, so that what a drain takes is what is oldest. */
Test(pcp_hot_cold, filled_above_low_goes_to_the_head)
{
	struct recorder rec;
	struct mm_zone *zone = set_up(&rec, &with_low);
	pfn_t first = pfn_of(rec.mm, take(&rec, GFP_HIGHUSER_MOVABLE));

	cr_expect_eq(pfn_of(rec.mm, take(&rec, GFP_HIGHUSER_MOVABLE)), first + BATCH);
	cr_expect_eq(pfn_of(rec.mm, zone->pcp[0].lists[MM_MOVABLE].tail), first + BATCH - 1);
	tear_down(&rec);
}

Test(pcp_hot_cold, an_unknown_kind_is_refused)
{
	static const struct mm_profile wrong = {.pcp = {.kind = "lukewarm"}};
	struct machine m = {.memory = {{0, 16 * MiB, 0}}, .profile = &wrong};
	struct mm_refusal refusal;

	cr_assert_neq(boot_refused(&m, &refusal), 0);
	cr_assert_str_eq(refusal.why, "no per-CPU lists are called 'lukewarm'");
}
