/* SPDX-License-Identifier: Apache-2.0 */
/* Per-CPU lists of single pages by mobility, as kernels from 4.15 to 5.13 had them. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "../pcp_single.h"
#include "mm/gfp.h"

static const struct mm_profile old = {
	.pcp = {.kind = "by-mobility", .high = 6, .batch_bytes = 512 * KiB}};
static const struct mm_profile gathers = {
	.pcp = {.kind = "by-mobility", .high = 6, .batch_bytes = MiB, .gather = true}};

/*
 * Of 2 GiB (524288 pages, 512 by 1024) a batch is a quarter of 128 pages (512 KiB) or 256 (1 MiB):
 * 32 and 64, 31 and 63. Of 256 MiB a quarter of 64, 15 by either. Of 3 MiB in ZONE_DMA (768 pages)
 * nothing is left: 2^0 - 1 = 0, so a CPU keeps none, and takes them one by one.
 */
Test(pcp_by_mobility, sizes)
{
	struct machine m = {
		.model = MM_SPARSE_VMEMMAP,
		.memory = {{MiB, 3 * MiB, 0}, {4 * GiB, 256 * MiB, 0}, {5 * GiB, 2 * GiB, 1}}};

	for (int newer = 0; newer < 2; newer++) {
		struct mm_zone_info z;
		struct mm *mm;

		m.profile = newer ? &gathers : &old;
		mm = boot(&m);
		z = zone_info(mm, 0, zone_of(mm, 0, MM_ZONE_NORMAL)->index);
		cr_expect(z.pcp_batch == 15 && z.pcp_high == 90);
		z = zone_info(mm, 1, zone_of(mm, 1, MM_ZONE_NORMAL)->index);
		cr_expect_eq(z.pcp_batch, newer ? 63 : 31);
		cr_expect_eq(z.pcp_high, newer ? 378 : 186);
		z = zone_info(mm, 0, zone_of(mm, 0, MM_ZONE_DMA)->index);
		cr_expect(z.pcp_batch == 1 && z.pcp_high == 0);
		mm_destroy(mm);
	}
}

/* With `high` 0 each page that comes back goes on to the zone, under its lock. */
Test(pcp_by_mobility, a_small_zone_keeps_nothing)
{
	struct recorder rec;
	struct mm_zone *zone = set_up(&rec, &gathers);
	struct page *page;

	zone->pcp_batch = 1;
	zone->pcp_high = 0;
	page = take(&rec, GFP_KERNEL);
	cr_expect_eq(mm_pcp_count(rec.mm, 0, 0, 0), 0);
	give(&rec, page);
	cr_expect_eq(mm_pcp_count(rec.mm, 0, 0, 0), 0);
	cr_expect_eq(zone->lock_acquired, 2);
	tear_down(&rec);
}

/* There is no cold end: reclaim's frees go to the head, too, and __GFP_COLD means nothing. */
Test(pcp_by_mobility, last_freed_is_first_taken_whoever_frees_or_takes)
{
	struct page *pages[BATCH];
	struct recorder rec;

	set_up(&rec, &gathers);
	for (unsigned i = 0; i < BATCH; i++) {
		pages[i] = take(&rec, GFP_HIGHUSER_MOVABLE);
		cr_expect_eq(pfn_of(rec.mm, pages[i]), i);
	}
	give(&rec, pages[4]);
	mm_put_cold_page(rec.mm, 0, pages[2]);
	rec.mm->counters.reclaimed++; /* what else counts it, as mm_verify() wants */
	cr_expect_eq(take(&rec, GFP_HIGHUSER_MOVABLE | __GFP_COLD), pages[2]);
	cr_expect_eq(take(&rec, GFP_HIGHUSER_MOVABLE), pages[4]);
	tear_down(&rec);
}

/* Two pages, eight and a huge one: from the buddy lists, under the lock, and back there. */
Test(pcp_by_mobility, larger_blocks_have_no_lists)
{
	static const unsigned orders[] = {1, 3, 9};

	for (size_t i = 0; i < 3; i++) {
		struct recorder rec;
		struct mm_zone *zone = set_up(&rec, &gathers);
		struct page *page = alloc(rec.mm, 0, orders[i], GFP_KERNEL);

		cr_assert_not_null(page);
		cr_assert_eq(mm_free_pages(rec.mm, 0, page, orders[i]), 0);
		cr_expect_eq(zone->lock_acquired, 2);
		cr_expect_eq(mm_pcp_count(rec.mm, 0, 0, 0), 0);
		tear_down(&rec);
	}
}

/* HIGH pages, alternately of two mobilities; the last one that comes back drains a batch. */
static void fill_up(struct recorder *rec, struct mm_zone *zone, struct page *pages[HIGH])
{
	zone->pcp_batch = 1; /* nothing else stays on the lists */
	for (unsigned i = 0; i < HIGH; i++)
		pages[i] = take(rec, i % 2 ? GFP_HIGHUSER_MOVABLE : GFP_KERNEL);
	zone->pcp_batch = BATCH;
	for (unsigned i = 0; i < HIGH - 1; i++)
		give(rec, pages[i]);
	record_from_here(rec);
	give(rec, pages[HIGH - 1]);
}

/*
 * The lists in turn: movable has the odd ones, reclaimable none, so unmovable gives two each time:
 * movable 1, unmovable 2, 1, 2, 1, the oldest first.
 */
Test(pcp_by_mobility, a_drain_takes_the_oldest_of_each_list_in_turn)
{
	static const unsigned order[BATCH] = {1, 0, 2, 3, 4, 6, 5};
	static const struct mm_profile *const both[] = {&old, &gathers};

	for (int p = 0; p < 2; p++) {
		struct page *pages[HIGH];
		struct recorder rec;

		fill_up(&rec, set_up(&rec, both[p]), pages);
		cr_expect_eq(mm_pcp_count(rec.mm, 0, 0, 0), HIGH - BATCH);
		cr_assert_eq(count_events(&rec, MM_EVENT_PCPU_DRAIN), BATCH);
		for (unsigned i = 0; i < BATCH; i++) /* after the event of the free itself */
			cr_expect_eq(nth_record(&rec, REC_EVENT, 1 + i)->event.page,
				     pages[order[i]], "%d: %u", p, i);
		tear_down(&rec);
	}
}

/* Accesses of that kind to descriptors before the lock is taken, or all. */
static unsigned count_accesses(const struct recorder *rec, enum mm_access how, bool before_lock)
{
	unsigned nr = 0;

	for (size_t i = 0; i < rec->nr; i++) {
		if (before_lock && rec->records[i].kind == REC_LOCK)
			break;
		nr += rec->records[i].kind == REC_ACCESS && rec->records[i].how == how;
	}
	return nr;
}

/*
 * From 4.17 on a batch is taken off the lists, and the descriptors of its buddies prefetched,
 * before the lock; a batch at most is, where more is drained.
 */
Test(pcp_by_mobility, what_goes_back_is_gathered_before_the_lock)
{
	struct page *pages[HIGH];
	struct recorder rec;
	unsigned written;

	fill_up(&rec, set_up(&rec, &old), pages);
	written = count_accesses(&rec, MM_WRITE, true);
	cr_expect_eq(count_accesses(&rec, MM_PREFETCH, false), 0);
	tear_down(&rec);

	fill_up(&rec, set_up(&rec, &gathers), pages);
	cr_expect_eq(count_accesses(&rec, MM_WRITE, true), written + BATCH);
	cr_expect_eq(count_accesses(&rec, MM_PREFETCH, true), BATCH);
	cr_expect_eq(count_accesses(&rec, MM_PREFETCH, false), BATCH);
	record_from_here(&rec);
	mm_pcp_drain_zone(rec.mm, 0, &rec.mm->nodes[0].zones[0]);
	cr_expect_eq(count_events(&rec, MM_EVENT_PCPU_DRAIN), HIGH - BATCH);
	cr_expect_eq(count_accesses(&rec, MM_PREFETCH, false), BATCH);
	tear_down(&rec);
}

/* What is gathered is nobody's while its CPU waits for the lock: others drain what is left. */
static void drain_meanwhile(struct recorder *rec, bool locking, int cpu)
{
	(void)cpu;
	rec->at_lock = NULL;
	if (locking) {
		cr_expect_eq(mm_pcp_count(rec->mm, 0, 0, 0), HIGH - BATCH);
		mm_pcp_drain_all(rec->mm, 0);
	}
}

Test(pcp_by_mobility, others_drain_while_a_batch_is_off_its_lists)
{
	struct machine m = {.memory = {{0, 16 * MiB, 0}}, .profile = &gathers};
	struct page *pages[HIGH];
	struct recorder rec;
	struct mm *mm = boot_recorded(&m, &rec);
	struct mm_zone *zone = &mm->nodes[0].zones[0];
	uint64_t free = zone->nr_free;

	zone->pcp_high = HIGH;
	zone->pcp_batch = 1;
	for (unsigned i = 0; i < HIGH; i++)
		pages[i] = take(&rec, GFP_KERNEL);
	zone->pcp_batch = BATCH;
	for (unsigned i = 0; i < HIGH - 1; i++)
		give(&rec, pages[i]);
	rec.at_lock = drain_meanwhile;
	give(&rec, pages[HIGH - 1]);
	cr_expect_eq(zone->nr_free, free);
	cr_expect_eq(mm_pcp_count(mm, 0, 0, 0), 0);
	tear_down(&rec);
}

/* percpu_pagelist_fraction, which 5.14 renamed: of 65536 pages 8192, and at most 12 * 8 a batch. */
Test(pcp_by_mobility, the_fraction_has_its_old_name)
{
	struct machine m = {.model = MM_SPARSE_VMEMMAP, .memory = {{4 * GiB, 256 * MiB, 0}}};
	struct mm_refusal refusal = {.why = ""};
	struct mm_zone_info z;
	char text[32];
	struct mm *mm;

	m.profile = &gathers;
	mm = boot(&m);
	cr_expect_eq(mm_sysctl(mm, "percpu_pagelist_high_fraction", "8", &refusal), -ENODEV);
	cr_expect_str_eq(refusal.why, "a kernel with its per-CPU lists has no sysctl "
				      "'percpu_pagelist_high_fraction', but "
				      "'percpu_pagelist_fraction'");
	cr_expect_eq(mm_sysctl(mm, "percpu_pagelist_fraction", "7", &refusal), -EINVAL);
	cr_expect_eq(mm_sysctl(mm, "percpu_pagelist_fraction", "8", &refusal), 0);
	cr_expect_eq(mm_sysctl_text(mm, "percpu_pagelist_fraction", text, sizeof(text)), 0);
	cr_expect_str_eq(text, "8");
	z = zone_info(mm, 0, zone_of(mm, 0, MM_ZONE_NORMAL)->index);
	cr_expect(z.pcp_high == 8192 && z.pcp_batch == 96);
	mm_destroy(mm);

	m.profile = NULL;
	mm = boot(&m);
	cr_expect_eq(mm_sysctl_text(mm, "percpu_pagelist_fraction", text, sizeof(text)), -ENODEV);
	cr_expect_eq(mm_sysctl(mm, "percpu_pagelist_fraction", "8", &refusal), -ENODEV);
	cr_expect_eq(mm_sysctl(mm, "percpu_pagelist_high_fraction", "8", &refusal), 0);
	mm_destroy(mm);
}
