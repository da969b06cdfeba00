/* SPDX-License-Identifier: Apache-2.0 */
/* The walk of an allocation: which zone gives, when a zone is left, what fails, what is reported.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../mm_fixture.h"

/*
 * Node 0: DMA and DMA32 with 4096 pages each; node 1: DMA32 with 8192. min_free_kbytes = 1024 is
 * 256 pages, shared by size: 64, 64 and 128; low = min + min / 4: 80, 80, 160. DMA keeps 4096 / 256
 * = 16 from those that may use DMA32. All batches are 1, so each order-0 page leaves its zone when
 * it is handed out.
 */
static const struct machine two_nodes = {
	.model = MM_SPARSE,
	.memory = {{0, 32 * MiB, 0}, {32 * MiB, 32 * MiB, 1}},
	.cpus = {1, 1},
	.min_free_kbytes = 1024,
	.exact_counts = true,
};
enum { DMA, DMA32, NORMAL };

struct place {
	int nid, zone;
	unsigned pages;
};

/* Allocations of order 0 come from these places, so many from each, one after the other. */
static void must_come_from(struct mm *mm, int cpu, gfp_t gfp, size_t nr, const struct place *places)
{
	for (size_t i = 0; i < nr; i++)
		for (unsigned n = 0; n < places[i].pages; n++) {
			struct page *page = alloc(mm, cpu, 0, gfp);

			cr_assert_not_null(page, "place %zu, page %u", i, n);
			cr_assert(mm_page_to_nid(mm, page) == places[i].nid &&
					  mm_page_zonenum(mm, page) == places[i].zone,
				  "place %zu, page %u: from node %d, zone %d", i, n,
				  mm_page_to_nid(mm, page), mm_page_zonenum(mm, page));
		}
}

#define MUST_COME_FROM(mm, cpu, gfp, ...)                                                          \
	must_come_from(mm, cpu, gfp, sizeof((struct place[]){__VA_ARGS__}) / sizeof(struct place), \
		       (struct place[]){__VA_ARGS__})

/*
 * Down to low + lowmem_reserve in each zone, DMA before the other node; then once more to
 * min + reserve; then nothing. GFP_ATOMIC may go below: half of min, and a quarter of that less:
 * 64 - 32 = 32, 32 - 8 = 24; 128: 48.
 */
Test(page_alloc, leaves_a_zone_at_its_watermark)
{
	struct mm *mm = boot(&two_nodes);
	struct page *page = NULL;
	struct mm_request kernel = {.nid = MM_NO_NODE, .gfp = GFP_KERNEL};
	struct mm_counters counters;

	MUST_COME_FROM(mm, 0, GFP_KERNEL, {0, DMA32, 4096 - 80}, {0, DMA, 4096 - 80 - 16},
		       {1, DMA32, 8192 - 160});
	mm_counters(mm, &counters);
	cr_expect_eq(counters.slow_path, 0);
	cr_expect_eq(counters.fallback_zone, 4000);
	cr_expect_eq(counters.fallback_node, 8032);
	MUST_COME_FROM(mm, 0, GFP_KERNEL, {0, DMA32, 80 - 64}, {0, DMA, 80 - 64},
		       {1, DMA32, 160 - 128});
	cr_expect_eq(mm_alloc_pages(mm, &kernel, &page), -ENOMEM);
	cr_expect_null(page);
	mm_counters(mm, &counters);
	cr_expect_eq(counters.slow_path, 16 + 16 + 32 + 1);
	cr_expect_eq(counters.failed, 1);
	cr_expect_eq(counters.allocs, 4096 + 4096 + 8192 - 64 - 80 - 128);
	must_verify(mm, "down to min");

	MUST_COME_FROM(mm, 0, GFP_ATOMIC, {0, DMA32, 64 - 24}, {0, DMA, 80 - 24 - 16},
		       {1, DMA32, 128 - 48});
	cr_expect_null(alloc(mm, 0, 0, GFP_ATOMIC));
	/* __GFP_HIGH alone is half; __GFP_MEMALLOC has no watermark at all, __GFP_NOMEMALLOC
	 * forbids. */
	cr_expect_null(alloc(mm, 0, 0, GFP_KERNEL | __GFP_HIGH));
	cr_expect_null(alloc(mm, 0, 0, GFP_KERNEL | __GFP_MEMALLOC | __GFP_NOMEMALLOC));
	MUST_COME_FROM(mm, 0, GFP_KERNEL | __GFP_MEMALLOC, {0, DMA32, 24}, {0, DMA, 24 + 16},
		       {1, DMA32, 48});
	cr_expect_null(alloc(mm, 0, 0, GFP_KERNEL | __GFP_MEMALLOC));
	must_verify(mm, "down to nothing");
	mm_destroy(mm);
}

Test(page_alloc, high_priority_goes_to_half_of_min)
{
	struct mm *mm = boot(&two_nodes);

	MUST_COME_FROM(mm, 0, GFP_KERNEL | __GFP_HIGH | __GFP_THISNODE, {0, DMA32, 4096 - 80},
		       {0, DMA, 4096 - 96}, {0, DMA32, 80 - 32}, {0, DMA, 96 - 32 - 16});
	cr_expect_null(alloc(mm, 0, 0, GFP_KERNEL | __GFP_HIGH | __GFP_THISNODE));
	mm_destroy(mm);
}

Test(page_alloc, thisnode_fails_rather_than_fall_back)
{
	struct mm *mm = boot(&two_nodes);

	MUST_COME_FROM(mm, 1, GFP_KERNEL | __GFP_THISNODE, {1, DMA32, 8192 - 128});
	cr_expect_null(alloc(mm, 1, 0, GFP_KERNEL | __GFP_THISNODE));
	MUST_COME_FROM(mm, 1, GFP_KERNEL, {0, DMA32, 1});
	mm_destroy(mm);
}

/*
 * What stays must be more than low: all but one of a block's pages are taken off first. Of 4096
 * pages, the k-th block of order 8 is given while 4096 - 256 (k - 1) - 255 > 80, so k <= 15.
 */
Test(page_alloc, a_block_must_leave_the_watermark_whole)
{
	struct mm *mm = boot(&two_nodes);

	for (int i = 0; i < 15; i++)
		cr_assert_eq(mm_page_zonenum(mm, alloc(mm, 0, 8, GFP_KERNEL)), DMA32, "block %d",
			     i);
	cr_expect_eq(zone_info(mm, 0, DMA32).free, 256);
	cr_expect_eq(mm_page_zonenum(mm, alloc(mm, 0, 8, GFP_KERNEL)), DMA);
	mm_destroy(mm);
}

/* Enough pages are free, but no two of them side by side. */
Test(page_alloc, a_block_must_be_there)
{
	struct mm *mm = boot(&two_nodes);
	static struct page *pages[4096];
	uint64_t locked;
	unsigned nr = 0;

	while (nr < 4000)
		pages[nr++] = alloc(mm, 0, 0, GFP_KERNEL);
	for (unsigned i = 0; i < 4000; i += 2)
		cr_assert_eq(mm_free_pages(mm, 0, pages[i], 0), 0);
	cr_expect_gt(zone_info(mm, 0, DMA32).nr_free_blocks[0], 1000);
	/* 96 pages were never handed out: 3 blocks of order 5. */
	for (int i = 0; i < 3; i++)
		cr_expect_eq(mm_page_zonenum(mm, alloc(mm, 0, 5, GFP_KERNEL)), DMA32);
	locked = zone_info(mm, 0, DMA32).lock_acquired;
	cr_expect_eq(mm_page_zonenum(mm, alloc(mm, 0, 5, GFP_KERNEL)), DMA);
	cr_expect_eq(zone_info(mm, 0, DMA32).lock_acquired, locked, "searched in vain");
	must_verify(mm, "after");
	mm_destroy(mm);
}

/*
 * The watermark is looked at before the list, as in Linux 6.1: a trace of memory touched on a full
 * node has the CPU go on to the next zone with 30 pages of its last batch of 31 still on the list.
 */
Test(page_alloc, leaves_a_zone_with_pages_still_on_the_list)
{
	struct mm *mm = boot(&two_nodes);
	struct mm_zone *zone = zone_of(mm, 0, MM_ZONE_DMA32);

	zone->pcp_batch = 31;
	/* Refills come at 4096 - 31 n free pages, the last one while 4096 - 31 n > 80: n = 129. */
	MUST_COME_FROM(mm, 0, GFP_KERNEL, {0, DMA32, 129 * 31 + 1}, {0, DMA, 1});
	cr_expect_eq(zone->nr_free, 4096 - 130 * 31);
	cr_expect_eq(mm_pcp_count(mm, 0, DMA32, 0), 30);
	mm_destroy(mm);
}

Test(page_alloc, orders_that_do_not_exist_are_refused)
{
	struct mm *mm = boot(&two_nodes);
	struct mm_request req = {.nid = MM_NO_NODE, .order = MAX_PAGE_ORDER + 1, .gfp = GFP_KERNEL};
	struct page *page = NULL;

	cr_expect_eq(mm_alloc_pages(mm, &req, &page), -EINVAL);
	cr_expect_null(page);
	for (req.order = 0; req.order <= MAX_PAGE_ORDER; req.order++) {
		cr_assert_eq(mm_alloc_pages(mm, &req, &page), 0, "order %u", req.order);
		cr_expect_eq(pfn_of(mm, page) % (UINT64_C(1) << req.order), 0);
		cr_expect_eq(mm_free_pages(mm, 0, page, req.order), 0);
	}
	must_verify(mm, "after");
	mm_destroy(mm);
}

/* Which zone comes first by the flags, on an architecture with each. */
Test(page_alloc, flags_choose_the_highest_zone)
{
	struct machine x86 = {.model = MM_SPARSE,
			      .memory = {{0, GiB, 0}, {4 * GiB, 256 * MiB, 0}},
			      .movablecore_bytes = 64 * MiB};
	struct machine i386 = {.arch = MM_I386, .memory = {{0, GiB, 0}}};
	const struct {
		gfp_t gfp;
		const char *on_x86, *on_i386;
	} cases[] = {
		{GFP_KERNEL, "Normal", "Normal"},
		{GFP_KERNEL | GFP_DMA, "DMA", "DMA"},
		{GFP_KERNEL | GFP_DMA32, "DMA32", "Normal"},
		{GFP_HIGHUSER, "Normal", "HighMem"},
		{GFP_HIGHUSER_MOVABLE, "Movable", "HighMem"},
		{GFP_KERNEL | __GFP_MOVABLE, "Normal", "Normal"},
	};
	struct mm *a = boot(&x86), *b = boot(&i386);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int on_a = mm_page_zonenum(a, alloc(a, 0, 0, cases[i].gfp));
		int on_b = mm_page_zonenum(b, alloc(b, 0, 0, cases[i].gfp));

		cr_expect_str_eq(zone_info(a, 0, on_a).name, cases[i].on_x86, "case %zu", i);
		cr_expect_str_eq(zone_info(b, 0, on_b).name, cases[i].on_i386, "case %zu", i);
	}
	/* The zone that the flags ask for is the preferred one, so nothing fell back. */
	cr_expect(a->counters.fallback_zone == 0 && b->counters.fallback_zone == 0);
	mm_destroy(a);
	mm_destroy(b);
}

/* All that a refused call must leave alone. */
struct snapshot {
	struct mm_counters counters;
	struct mm_zone_info zones[2][2];
	unsigned pcp[2][2];
};

static struct snapshot look(const struct mm *mm)
{
	struct snapshot s;

	memset(&s, 0, sizeof(s));
	mm_counters(mm, &s.counters);
	for (int n = 0; n < 2; n++)
		for (int z = 0; z < 2; z++) {
			mm_zone_info(mm, n, z, &s.zones[n][z]);
			s.pcp[n][z] = mm_pcp_count(mm, n, z, 0);
		}
	return s;
}

static void must_refuse(struct recorder *rec, struct page *page, unsigned order, const char *what)
{
	struct snapshot before = look(rec->mm), after;

	record_from_here(rec);
	cr_expect_eq(mm_free_pages(rec->mm, 0, page, order), -EINVAL, "%s", what);
	after = look(rec->mm);
	cr_expect_eq(memcmp(&before, &after, sizeof(before)), 0, "%s changed something", what);
	cr_expect_eq(rec->nr, 0, "%s was reported", what);
	must_verify(rec->mm, what);
}

Test(page_alloc, wrong_frees_are_refused)
{
	struct machine m = two_nodes;
	struct page *one, *four, *huge;
	struct recorder rec;
	struct mm *mm;

	m.reserved[0] = (struct mm_reservation){48 * MiB, 4096, 0};
	m.presets[m.nr_presets++] = (struct mm_zone_preset){
		.zone = DMA, .has_free = true, .free = 4095}; /* one page is held */
	mm = boot_recorded(&m, &rec);
	one = alloc(mm, 0, 0, GFP_KERNEL);
	four = alloc(mm, 0, 2, GFP_KERNEL);
	huge = alloc(mm, 0, 9, GFP_KERNEL);

	must_refuse(&rec, four, 1, "a smaller order");
	must_refuse(&rec, four, 3, "a larger order");
	must_refuse(&rec, four, 11, "an order that does not exist");
	must_refuse(&rec, four + 1, 0, "a page inside the block");
	must_refuse(&rec, huge + 256, 8, "half of a block");
	must_refuse(&rec, mm_pfn_to_page(mm, MM_NO_CPU, 48 * MiB / 4096), 0, "a reserved page");
	must_refuse(&rec, mm_pfn_to_page(mm, MM_NO_CPU, 40 * MiB / 4096), 10, "a free block");
	must_refuse(&rec, mm_pfn_to_page(mm, MM_NO_CPU, 40 * MiB / 4096 + 5), 0, "a free page");
	for (pfn_t pfn = 0; pfn < 4096; pfn++)
		if (mm_pfn_to_page(mm, MM_NO_CPU, pfn)->flags & PG_HELD)
			must_refuse(&rec, mm_pfn_to_page(mm, MM_NO_CPU, pfn), 0, "a held page");
	cr_expect_eq(mm_free_pages(mm, 0, one, 0), 0);
	must_refuse(&rec, one, 0, "the same page again, now on the CPU's list");
	cr_expect_eq(mm_free_pages(mm, 0, four, 2), 0);
	cr_expect_eq(mm_free_pages(mm, 0, huge, 9), 0);
	must_refuse(&rec, huge, 9, "the same block again, now in the zone");
	mm_destroy(mm);
	free(rec.records);
}

/* What a machine has in use from the start is nobody's to free. */
Test(page_alloc, held_pages_make_up_what_is_not_free)
{
	struct machine m = two_nodes;
	struct mm *mm;
	unsigned held = 0;

	m.presets[m.nr_presets++] =
		(struct mm_zone_preset){.zone = DMA, .has_free = true, .free = 1000};
	mm = boot(&m);
	cr_expect_eq(zone_info(mm, 0, DMA).free, 1000);
	for (pfn_t pfn = 0; pfn < 4096; pfn++) {
		struct page *page = mm_pfn_to_page(mm, MM_NO_CPU, pfn);

		if (page->flags & PG_HELD) {
			held += 1u << page->order;
			cr_expect_eq(mm_free_pages(mm, 0, page, page->order), -EINVAL);
		}
	}
	cr_expect_eq(held, 3096);
	mm_destroy(mm);
}
