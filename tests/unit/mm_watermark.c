/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watermarks, lowmem_reserve, sizes of per-CPU lists, in closed form. That they are those of real
 * kernels is in mm_reference.c.
 */
#include <criterion/criterion.h>

#include "../mm_fixture.h"
#include "mm/zone_count.h"

/*
 * 1 GiB: DMA has 4096 pages, DMA32 258048, 262144 in all; min_free_kbytes = 4096 is 1024 pages.
 * DMA: min = 1024 * 4096 / 262144 = 16; step = max(16 / 4, 4096 * 10 / 10000) = 4.
 * DMA32: min = 1024 * 258048 / 262144 = 1008; step = max(252, 258) = 258.
 * DMA keeps 258048 / 256 = 1008 pages from requests that may use DMA32.
 */
static const struct machine gib = {
	.memory = {{0, GiB, 0}}, .cpus = {1, 1}, .nodes = 2, .min_free_kbytes = 4096};

Test(watermark, follows_its_formula)
{
	struct machine m = gib;
	struct mm_zone_info dma, dma32;
	struct mm *mm;

	m.model = MM_SPARSE;
	mm = boot(&m);
	dma = zone_info(mm, 0, 0);
	dma32 = zone_info(mm, 0, 1);
	cr_expect_eq(mm_min_free_kbytes(mm), 4096);
	cr_expect(dma.min == 16 && dma.low == 20 && dma.high == 24);
	cr_expect(dma32.min == 1008 && dma32.low == 1266 && dma32.high == 1524);
	cr_expect(dma.protection[0] == 0 && dma.protection[1] == 1008);
	cr_expect_eq(dma32.protection[1], 0);
	mm_destroy(mm);
}

/*
 * isqrt(16 * lowmem kB): 1 MiB is isqrt(16 * 1024) = 128, the least; 4 MiB is 256; 256 MiB is 2048;
 * more than 4 TiB is 262144, the most. Such memory is not booted but put into the zone's books.
 */
Test(watermark, min_free_kbytes_is_a_root_within_bounds)
{
	const struct {
		uint64_t bytes, kbytes;
	} cases[] = {{512 * KiB, 128},
		     {MiB, 128},
		     {4 * MiB, 256},
		     {256 * MiB, 2048},
		     {5120 * GiB, 262144}};
	struct machine m = {.model = MM_SPARSE, .memory = {{0, 4 * MiB, 0}}, .no_thp = true};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mm *mm = boot(&m);
		struct mm_zone *zone = zone_of(mm, 0, MM_ZONE_DMA);

		zone->managed = cases[i].bytes / 4096;
		zone->wmark[MM_WMARK_HIGH] = 0;
		mm_watermarks_init(mm);
		cr_expect_eq(mm_min_free_kbytes(mm), cases[i].kbytes, "%lu bytes: %lu",
			     cases[i].bytes, mm_min_free_kbytes(mm));
		mm_destroy(mm);
	}
}

/*
 * From 512 MiB on, with huge pages off, the root is taken a second time, now of what is above the
 * high watermarks. 1 GiB: isqrt(16 * 1048576) = 4096, so the high watermarks are those above, 24
 * and 1524; 262144 - 1548 = 260596 pages are 1042384 kB, isqrt(16 * 1042384) = 4083. A real kernel
 * with transparent_hugepage=never has such a figure.
 */
Test(watermark, without_huge_pages_the_root_is_of_what_is_above_high)
{
	struct machine m = gib;
	struct mm *mm;

	m.model = MM_SPARSE;
	m.min_free_kbytes = 0;
	m.no_thp = true;
	mm = boot(&m);
	cr_expect_eq(mm_min_free_kbytes(mm), 4083);
	/* 4083 / 4 = 1020 pages; 1020 * 4096 / 262144 = 15 of them are DMA's. */
	cr_expect_eq(zone_info(mm, 0, 0).min, 15);
	mm_destroy(mm);
}

/*
 * A quarter of min(managed / 1024, 1 MiB), to the next power of two, less one: 64 MiB is 16 / 4 =
 * 4, 4 + 2 = 6, 4 - 1 = 3. From 1 GiB on 256 / 4 = 64, 96, 64 - 1 = 63. At least 1. The threshold
 * of 2 CPUs is 2 * fls(2) * (1 + fls(units of 128 MiB)): 4 * 1, 4 * (1 + 4) for 8. 16 GiB is 128
 * units: 4 * (1 + 8) = 36. high = max(4 * batch, low / CPUs), with low given.
 */
Test(watermark, per_cpu_lists_grow_with_the_zone)
{
	const struct {
		uint64_t bytes;
		unsigned batch, high;
		int threshold;
	} cases[] = {{4 * KiB, 1, 4, 4},
		     {64 * MiB, 3, 640, 4},
		     {GiB, 63, 640, 20},
		     {16 * GiB, 63, 252, 36}};
	struct machine m = {.model = MM_SPARSE, .memory = {{0, 4 * MiB, 0}}, .cpus = {2}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mm *mm = boot(&m);
		struct mm_zone *zone = zone_of(mm, 0, MM_ZONE_DMA);

		zone->managed = cases[i].bytes / 4096;
		zone->wmark[MM_WMARK_LOW] = i == 0 ? 2 : i == 3 ? 503 : 1280;
		mm_pcp_sizes_setup(mm);
		mm_stat_thresholds_init(mm);
		cr_expect(zone->pcp_batch == cases[i].batch && zone->pcp_high == cases[i].high &&
				  zone->stat_threshold == cases[i].threshold,
			  "%lu bytes: batch %u, high %u, threshold %d", cases[i].bytes,
			  zone->pcp_batch, zone->pcp_high, zone->stat_threshold);
		mm_destroy(mm);
	}
}
