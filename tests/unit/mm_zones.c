/* SPDX-License-Identifier: Apache-2.0 */
/* Which frames are which zone's: against captures of real kernels, and at the limits. */
#include <criterion/criterion.h>
#include <string.h>

#include "../reference/reference.h"

#define SAME(is, want)                                                                             \
	cr_expect((is) == (want), "%s node %d %s: " #is " is %llu, not %llu", shape->name, z->nid, \
		  z->name, (unsigned long long)(is), (unsigned long long)(want))

/* ZONE_MOVABLE of kernelcore= among them: h1, h3, h5 and h7. */
Test(zones, spans_are_those_of_captures)
{
	for (size_t i = 0; i < NR_REFERENCE_SHAPES; i++) {
		const struct reference_shape *shape = &reference_shapes[i];
		struct mm *mm = boot(&shape->machine);

		for (const struct reference_zone *z = shape->zones; z->name; z++) {
			int index = mm_arch_zone_by_name(mm_get_arch(mm), z->name);
			struct mm_zone_info info = zone_info(mm, z->nid, index);

			cr_expect_str_eq(info.name, z->name);
			SAME(info.start_pfn, z->start_pfn);
			SAME(info.spanned, z->spanned);
			SAME(info.present, z->present);
		}
		mm_destroy(mm);
	}
}
