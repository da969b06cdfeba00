/* SPDX-License-Identifier: Apache-2.0 */
/* Which frames are which zone's: against captures of real kernels, and at the limits. */
#include <criterion/criterion.h>
#include <errno.h>
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

/* The table by type says what the table by address says, and -1 of all other types. */
Test(zones, index_by_type_is_that_of_the_table)
{
	for (int id = 0; id < MM_NR_ARCHS; id++) {
		const struct mm_arch *arch = mm_arch((enum mm_arch_id)id);

		for (int type = 0; type < MM_NR_ZONE_TYPES; type++) {
			int want = -1;

			for (int z = 0; z < arch->nr_zones; z++)
				if (arch->zones[z].type == (enum mm_zone_type)type)
					want = z;
			cr_expect_eq(mm_arch_zone_index(arch, (enum mm_zone_type)type), want,
				     "%s, type %d", arch->name, type);
		}
	}
}

static void must_span(const struct mm *mm, int nid, enum mm_zone_type type, phys_addr_t start,
		      phys_addr_t end, uint64_t absent)
{
	int index = mm_arch_zone_index(mm_get_arch(mm), type);
	struct mm_zone_info info = zone_info(mm, nid, index);

	cr_expect_eq(info.start_pfn, start / 4096, "node %d %s starts at 0x%lx", nid, info.name,
		     info.start_pfn * 4096);
	cr_expect_eq(info.spanned, (end - start) / 4096, "node %d %s spans %lu KiB", nid, info.name,
		     info.spanned * 4);
	cr_expect_eq(info.present, (end - start - absent) / 4096, "node %d %s has %lu KiB", nid,
		     info.name, info.present * 4);
}

/* DMA below 16 MiB, DMA32 below 4 GiB, Normal above; the PCI hole counts in DMA32's span. */
Test(zones, limits_of_x86_64)
{
	struct machine m = {.model = MM_SPARSE,
			    .memory = {{MiB, 3 * GiB - MiB, 0}, {4 * GiB, GiB, 0}}};
	struct mm *mm = boot(&m);

	must_span(mm, 0, MM_ZONE_DMA, MiB, 16 * MiB, 0);
	must_span(mm, 0, MM_ZONE_DMA32, 16 * MiB, 4 * GiB, GiB);
	must_span(mm, 0, MM_ZONE_NORMAL, 4 * GiB, 5 * GiB, 0);
	must_span(mm, 0, MM_ZONE_MOVABLE, 0, 0, 0);
	mm_destroy(mm);
}

/* Low memory ends at 0x36ffe000, as the captures of the PAE kernel have it. */
Test(zones, limits_of_i386)
{
	struct machine m = {.arch = MM_I386, .memory = {{0, GiB, 0}}};
	struct mm *mm = boot(&m);

	must_span(mm, 0, MM_ZONE_DMA, 0, 16 * MiB, 0);
	must_span(mm, 0, MM_ZONE_NORMAL, 16 * MiB, 0x36ffe000, 0);
	must_span(mm, 0, MM_ZONE_HIGHMEM, 0x36ffe000, GiB, 0);
	mm_destroy(mm);
}

/* Without PAE at 0x36bfe000: "low ram: 0 - 36bfe000" of a captured machine with 2 GiB. */
Test(zones, limits_of_i386_without_pae)
{
	struct machine m = {.arch = MM_I386_NOPAE, .memory = {{0, 4 * GiB, 0}}};
	struct mm_refusal refusal = {.why = ""};
	struct mm *mm = boot(&m);

	must_span(mm, 0, MM_ZONE_DMA, 0, 16 * MiB, 0);
	must_span(mm, 0, MM_ZONE_NORMAL, 16 * MiB, 0x36bfe000, 0);
	must_span(mm, 0, MM_ZONE_HIGHMEM, 0x36bfe000, 4 * GiB, 0);
	mm_destroy(mm);
	m.memory[1] = (struct mm_range){4 * GiB, MiB, 0};
	cr_expect_eq(boot_refused(&m, &refusal), -EINVAL);
	cr_expect_str_eq(refusal.why,
			 "memory beyond the 32 bits of physical addresses of i386-nopae");
}

/* ZONE_DMA is all that 32 bits reach, so DMA32 is empty (arch/arm64/mm/init.c). */
Test(zones, limits_of_arm64)
{
	struct machine m = {.arch = MM_ARM64, .model = MM_SPARSE, .memory = {{GiB, 5 * GiB, 0}}};
	struct mm *mm = boot(&m);

	must_span(mm, 0, MM_ZONE_DMA, GiB, 4 * GiB, 0);
	must_span(mm, 0, MM_ZONE_DMA32, 0, 0, 0);
	must_span(mm, 0, MM_ZONE_NORMAL, 4 * GiB, 6 * GiB, 0);
	mm_destroy(mm);
}

/* With no memory that 32 bits reach, all of it is ZONE_DMA (max_zone_phys() there). */
Test(zones, arm64_without_low_memory_is_all_dma)
{
	struct machine m = {.arch = MM_ARM64, .model = MM_SPARSE, .memory = {{4 * GiB, GiB, 0}}};
	struct mm *mm = boot(&m);

	must_span(mm, 0, MM_ZONE_DMA, 4 * GiB, 5 * GiB, 0);
	must_span(mm, 0, MM_ZONE_DMA32, 0, 0, 0);
	must_span(mm, 0, MM_ZONE_NORMAL, 0, 0, 0);
	mm_destroy(mm);
}

/* A node's zones begin and end with its memory; the hole between nodes is nobody's. */
Test(zones, are_cut_by_node)
{
	struct machine m = {.model = MM_SPARSE,
			    .memory = {{0, GiB, 0}, {2 * GiB, 3 * GiB, 1}},
			    .cpus = {1, 1, 1}};
	struct mm *mm = boot(&m);

	must_span(mm, 0, MM_ZONE_DMA32, 16 * MiB, GiB, 0);
	must_span(mm, 0, MM_ZONE_NORMAL, 0, 0, 0);
	must_span(mm, 1, MM_ZONE_DMA, 0, 0, 0);
	must_span(mm, 1, MM_ZONE_DMA32, 2 * GiB, 4 * GiB, 0);
	must_span(mm, 1, MM_ZONE_NORMAL, 4 * GiB, 5 * GiB, 0);
	for (int type = 0; type < MM_ZONE_DEVICE; type++)
		if (mm_arch_zone_index(mm_get_arch(mm), (enum mm_zone_type)type) >= 0)
			must_span(mm, 2, (enum mm_zone_type)type, 0, 0, 0);
	mm_destroy(mm);
}

/* 500 MiB and a page round up to 504 MiB (blocks of 4 MiB), the top of 2 GiB. */
Test(zones, movablecore_takes_the_top)
{
	struct machine m = {.model = MM_SPARSE,
			    .memory = {{0, 2 * GiB, 0}},
			    .movablecore_bytes = 500 * MiB + 4 * KiB};
	struct mm *mm = boot(&m);

	must_span(mm, 0, MM_ZONE_DMA32, 16 * MiB, 2 * GiB - 504 * MiB, 0);
	must_span(mm, 0, MM_ZONE_MOVABLE, 2 * GiB - 504 * MiB, 2 * GiB, 0);
	mm_destroy(mm);
}

/*
 * 512 MiB are 256 MiB for each of two nodes. Node 1 has but 128, so all of it is the kernel's, and
 * the other 128 come from node 0 in a second round: 384 MiB there.
 */
Test(zones, kernelcore_goes_on_where_a_node_is_too_small)
{
	struct machine m = {.model = MM_SPARSE,
			    .memory = {{0, GiB, 0}, {GiB, 128 * MiB, 1}},
			    .kernelcore_bytes = 512 * MiB};
	struct mm *mm = boot(&m);

	must_span(mm, 0, MM_ZONE_DMA32, 16 * MiB, 384 * MiB, 0);
	must_span(mm, 0, MM_ZONE_MOVABLE, 384 * MiB, GiB, 0);
	must_span(mm, 1, MM_ZONE_DMA32, GiB, GiB + 128 * MiB, 0);
	must_span(mm, 1, MM_ZONE_MOVABLE, 0, 0, 0);
	mm_destroy(mm);
}

/* The share is found in the first range; ZONE_MOVABLE begins there, not at the next range. */
Test(zones, kernelcore_ends_within_a_range)
{
	struct machine m = {.model = MM_SPARSE,
			    .memory = {{0, GiB, 0}, {2 * GiB, GiB, 0}},
			    .kernelcore_bytes = 512 * MiB};
	struct mm *mm = boot(&m);

	must_span(mm, 0, MM_ZONE_DMA32, 16 * MiB, 512 * MiB, 0);
	must_span(mm, 0, MM_ZONE_MOVABLE, 512 * MiB, 3 * GiB, GiB);
	mm_destroy(mm);
}

Test(zones, kernelcore_of_all_memory_leaves_no_movable)
{
	struct machine m = {.model = MM_SPARSE, .memory = {{0, GiB, 0}}, .kernelcore_bytes = GiB};
	struct mm *mm = boot(&m);

	must_span(mm, 0, MM_ZONE_DMA32, 16 * MiB, GiB, 0);
	must_span(mm, 0, MM_ZONE_MOVABLE, 0, 0, 0);
	mm_destroy(mm);
}
