/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watermarks, lowmem_reserve, sizes of per-CPU lists: against what real kernels computed for
 * machines of known shape, and in closed form where no capture reaches.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "../reference/reference.h"

/* A zone of exactly the pages that were managed when the kernel did its sums. */
static struct mm *boot_shape(const struct reference_shape *shape)
{
	struct machine m = shape->machine;

	for (const struct reference_zone *z = shape->zones; z->name; z++)
		m.presets[m.nr_presets++] = (struct mm_zone_preset){
			.nid = z->nid,
			.zone = mm_arch_zone_by_name(mm_arch(m.arch), z->name),
			.has_managed = true,
			.managed = z->managed_then};
	return boot(&m);
}

#define SAME(is, want)                                                                             \
	cr_expect((uint64_t)(is) == (uint64_t)(want), "%s node %d %s: " #is " is %llu, not %llu",  \
		  name, z->nid, z->name, (unsigned long long)(is), (unsigned long long)(want))

static void compare_zone(const struct mm *mm, const char *name, const struct reference_zone *z)
{
	int index = mm_arch_zone_by_name(mm_get_arch(mm), z->name);
	struct mm_zone_info info = zone_info(mm, z->nid, index);

	SAME(info.managed, z->managed_then);
	SAME(info.min, z->min);
	SAME(info.low, z->low);
	SAME(info.high, z->high);
	SAME(info.pcp_high, z->pcp_high);
	SAME(info.pcp_batch, z->pcp_batch);
	SAME(info.stat_threshold, z->stat_threshold);
	for (int i = 0; i < mm_get_arch(mm)->nr_zones; i++)
		SAME(info.protection[i], z->protection[i]);
}

/* Every figure of every zone of every capture, the empty zones too. */
Test(watermark, agrees_with_captures_of_linux)
{
	for (size_t i = 0; i < NR_REFERENCE_SHAPES; i++) {
		const struct reference_shape *shape = &reference_shapes[i];
		struct mm *mm = boot_shape(shape);

		cr_expect_eq(mm_min_free_kbytes(mm), shape->min_free_kbytes,
			     "%s: min_free_kbytes is %lu, not %lu", shape->name,
			     mm_min_free_kbytes(mm), shape->min_free_kbytes);
		for (const struct reference_zone *z = shape->zones; z->name; z++)
			compare_zone(mm, shape->name, z);
		mm_destroy(mm);
	}
}

/* Each sysctl that the mm core has as a parameter, at values from one end to the other. */
Test(watermark, agrees_with_captures_after_sysctls)
{
	for (size_t i = 0; i < NR_REFERENCE_STEPS; i++) {
		const struct reference_step *step = &reference_steps[i];
		struct machine m = {
			.model = MM_SPARSE_VMEMMAP,
			.memory = {{0x1000, 0x9e000, 0},
				   {0x100000, 0xbfedd000, 0},
				   {0x100000000, 0xc0000000, 0}},
			.cpus = {4},
			.min_free_kbytes = step->min_free_kbytes,
			.watermark_scale_factor = step->watermark_scale_factor,
			.high_fraction = step->high_fraction,
		};
		struct mm *mm;

		memcpy(m.reserve_ratio, step->lowmem_reserve_ratio,
		       sizeof(step->lowmem_reserve_ratio));
		m.no_reserve = !step->lowmem_reserve_ratio[0];
		for (int z = 0; step->zones[z].name; z++)
			m.presets[m.nr_presets++] = (struct mm_zone_preset){
				.zone = z, .has_managed = true, .managed = step->zones[z].managed};
		mm = boot(&m);
		for (int z = 0; step->zones[z].name; z++)
			compare_zone(mm, step->name, &step->zones[z]);
		mm_destroy(mm);
	}
}

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
 * isqrt(16 * lowmem kB): 1 MiB is isqrt(16 * 1024) = 128, the least; 4 MiB is 256; 4 GiB is 8192;
 * 4 TiB is 262144, the most. Such memory is not booted but put into the zone's books.
 */
Test(watermark, min_free_kbytes_is_a_root_within_bounds)
{
	const struct {
		uint64_t bytes, kbytes;
	} cases[] = {{512 * KiB, 128}, {MiB, 128},           {4 * MiB, 256},
		     {4 * GiB, 8192},  {4096 * GiB, 262144}, {5120 * GiB, 262144}};
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
		mm_pcp_sizes_init(mm);
		cr_expect(zone->pcp_batch == cases[i].batch && zone->pcp_high == cases[i].high &&
				  zone->stat_threshold == cases[i].threshold,
			  "%lu bytes: batch %u, high %u, threshold %d", cases[i].bytes,
			  zone->pcp_batch, zone->pcp_high, zone->stat_threshold);
		mm_destroy(mm);
	}
}
