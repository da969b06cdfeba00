/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ZONE_MOVABLE of what firmware says of memory: that can be unplugged (movable_node), or that is
 * not mirrored (kernelcore=mirror).
 */
#include <criterion/criterion.h>

#include "../mm_fixture.h"

enum { DMA, DMA32, NORMAL, MOVABLE };

/* Spans [start, end), and of that `present` bytes. */
static void must_span(const struct mm *mm, int nid, int zone, phys_addr_t start, phys_addr_t end,
		      uint64_t present)
{
	struct mm_zone_info info = zone_info(mm, nid, zone);

	cr_expect_eq(info.present, present / 4096, "node %d %s has %lu MiB", nid, info.name,
		     info.present >> 8);
	cr_expect_eq(info.spanned, (end - start) / 4096, "node %d %s spans %lu MiB", nid, info.name,
		     info.spanned >> 8);
	if (present)
		cr_expect_eq(info.start_pfn, start / 4096, "node %d %s", nid, info.name);
}

/* The image is on node 0. Node 1 can be unplugged, and the upper half of node 2. */
static const struct machine pluggable = {
	.model = MM_SPARSE_VMEMMAP,
	.memory = {{0, 2 * GiB, 0}, {4 * GiB, 2 * GiB, 1}, {6 * GiB, 2 * GiB, 2}},
	.cpus = {1, 1, 1},
	.reserved = {{16 * MiB, 32 * MiB, MM_HOLDS_OTHER}},
	.hotpluggable = {{0, 2 * GiB, 0}, {4 * GiB, 2 * GiB, 0}, {7 * GiB, GiB, 0}},
	.movable_node = true,
	.homes = true,
};

/* Node 0 too, says firmware; but the kernel's image is there. */
Test(movable_node, is_what_can_be_unplugged)
{
	struct mm *mm = boot(&pluggable);

	must_span(mm, 0, DMA32, 16 * MiB, 2 * GiB, 2 * GiB - 16 * MiB);
	must_span(mm, 0, MOVABLE, 0, 0, 0);
	must_span(mm, 1, NORMAL, 0, 0, 0);
	must_span(mm, 1, MOVABLE, 4 * GiB, 6 * GiB, 2 * GiB);
	must_span(mm, 2, NORMAL, 6 * GiB, 7 * GiB, GiB);
	must_span(mm, 2, MOVABLE, 7 * GiB, 8 * GiB, GiB);
	mm_destroy(mm);
}

/* All of it is free: node 1's descriptor and its CPU's area are elsewhere, its memmap too. */
Test(movable_node, holds_nothing_of_the_kernels)
{
	struct mm *mm = boot(&pluggable);

	cr_expect_eq(zone_info(mm, 1, MOVABLE).managed, 2 * GiB / 4096);
	cr_expect_eq(zone_info(mm, 2, MOVABLE).managed, GiB / 4096);
	cr_expect(mm->nodes[1].at >= 6 * GiB && mm->nodes[1].at < 7 * GiB);
	cr_expect(mm->percpu_at[1] >= 6 * GiB && mm->percpu_at[1] < 7 * GiB);
	mm_destroy(mm);
}

Test(movable_node, makes_the_sizes_ineffective)
{
	struct machine m = pluggable;
	struct mm *mm;

	m.kernelcore_bytes = GiB;
	m.movablecore_bytes = GiB;
	mm = boot(&m);
	must_span(mm, 1, MOVABLE, 4 * GiB, 6 * GiB, 2 * GiB);
	must_span(mm, 0, MOVABLE, 0, 0, 0);
	mm_destroy(mm);
}

/* numa=off does not ask SRAT. Without the parameter, it is told in vain. */
Test(movable_node, wants_srat_and_the_parameter)
{
	struct machine m = pluggable;
	struct mm *mm;

	m.numa_off = true;
	mm = boot(&m);
	must_span(mm, 0, MOVABLE, 0, 0, 0);
	mm_destroy(mm);
	m = pluggable;
	m.movable_node = false;
	mm = boot(&m);
	must_span(mm, 1, NORMAL, 4 * GiB, 6 * GiB, 2 * GiB);
	mm_destroy(mm);
}

/*
 * Tables of the firmware behind the last range of a node are no memory, but of the node, which
 * cannot be unplugged then; in the next MiB they are not.
 */
Test(movable_node, firmware_tables_hold_a_node)
{
	struct machine m = pluggable;
	struct mm *mm;

	m.memory[1].bytes -= 132 * KiB;
	m.reserved[1] = (struct mm_reservation){6 * GiB - 100 * KiB, 4 * KiB, MM_HOLDS_OTHER};
	mm = boot(&m);
	must_span(mm, 1, MOVABLE, 0, 0, 0);
	mm_destroy(mm);
	m.memory[1].bytes = GiB;
	mm = boot(&m);
	must_span(mm, 1, MOVABLE, 4 * GiB, 5 * GiB, GiB);
	mm_destroy(mm);
}

/* A complete list has what was taken before the nodes were known, and what after. */
Test(movable_node, later_allocations_hold_no_node)
{
	struct machine m = pluggable;
	struct mm *mm;

	m.reservations_complete = true;
	m.reserved[1] = (struct mm_reservation){6 * GiB + MiB, 16 * MiB, MM_HOLDS_MEMMAP};
	m.reserved[2] = (struct mm_reservation){6 * GiB + 32 * MiB, MiB, MM_HOLDS_ALLOCATED};
	mm = boot(&m);
	must_span(mm, 2, MOVABLE, 7 * GiB, 8 * GiB, GiB);
	mm_destroy(mm);
	m.reserved[2].holds = MM_HOLDS_OTHER;
	mm = boot(&m);
	must_span(mm, 2, MOVABLE, 0, 0, 0);
	mm_destroy(mm);
}

/*
 * Before SRAT is read, from the bottom up: at 1 MiB, which is ZONE_DMA's. Without movable_node from
 * the top down: a page of the last node's.
 */
Test(movable_node, early_allocations_go_bottom_up)
{
	static const struct mm_profile p = {
		.takes = {{.bytes = 4096, .align = 4096, .early = true, .if_bottom_up = true},
			  {.bytes = 8192, .align = 4096, .early = true, .if_top_down = true},
			  {.bytes_per_distance = 1000,
			   .align = 4096,
			   .early = true,
			   .if_bottom_up = true}},
		.nr_takes = 3};
	struct machine m = pluggable;
	struct mm *mm;
	uint64_t normal;

	m.hotpluggable[0] = (struct mm_range){4 * GiB, 2 * GiB, 0};
	mm = boot(&m);
	normal = zone_info(mm, 2, NORMAL).managed;
	mm_destroy(mm);
	m.profile = &p;
	mm = boot(&m);
	cr_expect_eq(memblock_reserved_in(&mm->memblock, MiB, MiB + 8 * KiB), 4 * KiB);
	cr_expect_eq(zone_info(mm, 0, DMA).managed, 15 * MiB / 4096 - 1);
	cr_expect_eq(zone_info(mm, 2, NORMAL).managed, normal);
	mm_destroy(mm);
	/* Where firmware says that node 0 can be unplugged: the next is node 2. */
	m.hotpluggable[0] = (struct mm_range){0, 6 * GiB, 0};
	mm = boot(&m);
	cr_expect_eq(zone_info(mm, 0, DMA).managed, 15 * MiB / 4096);
	cr_expect_eq(memblock_reserved_in(&mm->memblock, 6 * GiB, 6 * GiB + 4 * KiB), 4 * KiB);
	mm_destroy(mm);
	m.hotpluggable[0] = (struct mm_range){4 * GiB, 2 * GiB, 0};
	/* Nine distances that are not the default ones: 9000 bytes, three pages. */
	m.distance[0][1] = 17;
	mm = boot(&m);
	cr_expect_eq(zone_info(mm, 0, DMA).managed, 15 * MiB / 4096 - 4);
	mm_destroy(mm);
	m.movable_node = false;
	mm = boot(&m);
	cr_expect_eq(zone_info(mm, 0, DMA).managed, 15 * MiB / 4096);
	cr_expect_eq(memblock_reserved_in(&mm->memblock, 8 * GiB - 8 * KiB, 8 * GiB), 8 * KiB);
	mm_destroy(mm);
}

/*
 * Node 0 is mirrored but for its second GiB above 4; what lies below 4 GiB does not count. Zones
 * overlap, and each has its own pages.
 */
static const struct machine mirrored = {
	.model = MM_SPARSE,
	.memory = {{0, 2 * GiB, 0}, {4 * GiB, 3 * GiB, 0}, {8 * GiB, 2 * GiB, 1}},
	.cpus = {1, 1},
	.mirrored = {{4 * GiB, GiB, 0}, {6 * GiB, GiB, 0}, {8 * GiB, GiB, 0}},
	.kernelcore_mirror = true,
};

static int zone_at(struct mm *mm, phys_addr_t at)
{
	return mm_page_zonenum(mm, mm_pfn_to_page(mm, MM_NO_CPU, at / 4096));
}

Test(mirror, is_normal_and_the_rest_movable)
{
	struct mm *mm = boot(&mirrored);

	must_span(mm, 0, DMA32, 16 * MiB, 4 * GiB, 2 * GiB - 16 * MiB);
	must_span(mm, 0, NORMAL, 4 * GiB, 7 * GiB, 2 * GiB);
	must_span(mm, 0, MOVABLE, 5 * GiB, 7 * GiB, GiB);
	must_span(mm, 1, NORMAL, 8 * GiB, 10 * GiB, GiB);
	must_span(mm, 1, MOVABLE, 9 * GiB, 10 * GiB, GiB);
	cr_expect_eq(zone_info(mm, 0, NORMAL).free, 2 * GiB / 4096);
	cr_expect_eq(zone_info(mm, 0, MOVABLE).free, GiB / 4096);
	cr_expect_eq(zone_at(mm, 4 * GiB), NORMAL);
	cr_expect_eq(zone_at(mm, 5 * GiB), MOVABLE);
	cr_expect_eq(zone_at(mm, 6 * GiB), NORMAL);
	mm_destroy(mm);
}

/* Where a node's first memory above 4 GiB is not mirrored, it has no Normal, and loses what is. */
Test(mirror, behind_what_is_not_is_nobodys)
{
	struct machine m = mirrored;
	struct mm *mm;

	m.mirrored[2] = (struct mm_range){9 * GiB, GiB, 0};
	mm = boot(&m);
	must_span(mm, 1, NORMAL, 0, 0, 0);
	must_span(mm, 1, MOVABLE, 8 * GiB, 10 * GiB, GiB);
	mm_destroy(mm);
}

/* The kernel's own structures are in mirrored memory, of another node if need be. */
Test(mirror, holds_what_is_the_kernels)
{
	struct machine m = mirrored;
	struct mm *mm;

	m.homes = true;
	m.mirrored[2].bytes = 0;
	mm = boot(&m);
	cr_expect(mm->nodes[1].at >= 6 * GiB && mm->nodes[1].at < 7 * GiB);
	cr_expect(mm->nodes[0].at >= 6 * GiB && mm->nodes[0].at < 7 * GiB);
	mm_destroy(mm);
}

/* Pages of both zones, allocated and given back: blocks do not merge across them. */
Test(mirror, zones_that_overlap_do_not_mix)
{
	struct machine m = {.model = MM_SPARSE,
			    .memory = {{4 * GiB, 64 * MiB, 0}},
			    .mirrored = {{4 * GiB, 33 * MiB, 0}, {4 * GiB + 49 * MiB, MiB, 0}},
			    .kernelcore_mirror = true};
	struct mm *mm = boot(&m);
	struct page *pages[64];

	for (int i = 0; i < 64; i++) {
		pages[i] = alloc(mm, 0, 0, i % 2 ? GFP_KERNEL : GFP_HIGHUSER_MOVABLE);
		cr_assert_not_null(pages[i]);
		cr_expect_eq(mm_page_zonenum(mm, pages[i]), i % 2 ? NORMAL : MOVABLE);
	}
	for (int i = 0; i < 64; i++)
		cr_assert_eq(mm_free_pages(mm, 0, pages[i], 0), 0);
	drain_all(mm);
	must_verify(mm, "with all given back");
	mm_destroy(mm);
}
