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
