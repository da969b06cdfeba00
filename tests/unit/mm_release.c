/* SPDX-License-Identifier: Apache-2.0 */
/* What is reserved, what the kernel gives back late, and where its own structures are. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../mm_fixture.h"

#define PAGE UINT64_C(4096)
enum { DMA, DMA32 };

/* 1 GiB with 64 MiB reserved at 512 MiB. */
static const struct machine taken = {
	.model = MM_SPARSE,
	.memory = {{0, GiB, 0}},
	.cpus = {2},
	.reserved = {{512 * MiB, 64 * MiB, MM_HOLDS_OTHER}},
};

static void same_figures(const struct mm *a, const struct mm *b)
{
	for (int z = DMA; z <= DMA32; z++) {
		struct mm_zone_info x = zone_info(a, 0, z), y = zone_info(b, 0, z);

		cr_expect(x.min == y.min && x.low == y.low && x.high == y.high, "%s", x.name);
		cr_expect_arr_eq(x.protection, y.protection, sizeof(x.protection));
		cr_expect_eq(x.pcp_high, y.pcp_high);
		cr_expect_eq(x.pcp_batch, y.pcp_batch);
	}
	cr_expect_eq(mm_min_free_kbytes(a), mm_min_free_kbytes(b));
}

/* 48 of the 64 MiB: 12288 pages more are managed and free; no figure notices. */
Test(release, late_pages_count_but_figures_stay)
{
	struct machine m = taken;
	struct mm *before = boot(&m), *mm;

	m.late[0] = (struct mm_release){512 * MiB, 48 * MiB, false};
	mm = boot(&m);
	cr_expect_eq(zone_info(mm, 0, DMA32).managed, zone_info(before, 0, DMA32).managed + 12288);
	cr_expect_eq(zone_info(mm, 0, DMA32).free, zone_info(before, 0, DMA32).free + 12288);
	same_figures(mm, before);
	mm_destroy(before);
	mm_destroy(mm);
}

/* As if they had never been reserved. */
Test(release, pages_given_back_before_the_initcalls_count_in_the_figures)
{
	struct machine m = taken;
	struct mm *less, *mm;

	m.reserved[0].start += 48 * MiB;
	m.reserved[0].bytes -= 48 * MiB;
	less = boot(&m);
	m = taken;
	m.late[0] = (struct mm_release){512 * MiB, 48 * MiB, true};
	mm = boot(&m);
	cr_expect_eq(zone_info(mm, 0, DMA32).managed, zone_info(less, 0, DMA32).managed);
	same_figures(mm, less);
	mm_destroy(less);
	mm_destroy(mm);
}

/* A page above what was free: they merge into the blocks that would be there without any of it. */
Test(release, late_pages_merge_with_what_is_free)
{
	struct machine m = taken;
	struct mm *mm, *never;

	m.late[0] = (struct mm_release){512 * MiB, 64 * MiB, false};
	mm = boot(&m);
	m = taken;
	m.reserved[0].bytes = 0;
	never = boot(&m);
	cr_expect_arr_eq(zone_info(mm, 0, DMA32).nr_free_blocks,
			 zone_info(never, 0, DMA32).nr_free_blocks,
			 sizeof(zone_info(mm, 0, DMA32).nr_free_blocks));
	mm_destroy(mm);
	mm_destroy(never);
}

/* 16 MiB is where DMA ends: 256 pages on either side. */
Test(release, late_pages_go_to_the_zones_they_are_in)
{
	struct machine m = {.model = MM_SPARSE, .memory = {{0, GiB, 0}}};
	struct mm *mm;

	m.reserved[0] = (struct mm_reservation){14 * MiB, 4 * MiB, MM_HOLDS_OTHER};
	m.late[0] = (struct mm_release){15 * MiB, 2 * MiB, false};
	mm = boot(&m);
	cr_expect_eq(zone_info(mm, 0, DMA).managed, 4096 - 256);
	cr_expect_eq(zone_info(mm, 0, DMA32).managed, 262144 - 4096 - 256);
	mm_destroy(mm);
}

/* `managed` is what the zone has in the end. */
Test(release, given_managed_pages_include_the_late_ones)
{
	struct machine m = taken;
	struct mm_refusal refusal;
	struct mm *mm;

	m.late[0] = (struct mm_release){512 * MiB, MiB, false};
	m.presets[m.nr_presets++] =
		(struct mm_zone_preset){.zone = DMA32, .has_managed = true, .managed = 1000};
	mm = boot(&m);
	cr_expect_eq(zone_info(mm, 0, DMA32).managed, 1000);
	mm_destroy(mm);
	m.presets[0].managed = 255;
	cr_expect_eq(boot_refused(&m, &refusal), -EINVAL);
	cr_expect_str_eq(refusal.why, "node 0, zone DMA32: managed = 255 pages, but 256 are given "
				      "back late");
}

Test(release, only_what_is_reserved_memory_can_be_given_back)
{
	const struct mm_release wrong[] = {
		{1023 * MiB, 2 * MiB, false}, {510 * MiB, 4 * MiB, false}, {MiB, 4096, true}};
	struct mm_refusal refusal;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct machine m = taken;

		m.late[0] = wrong[i];
		cr_expect_eq(boot_refused(&m, &refusal), -EINVAL);
		cr_expect_eq(refusal.about, MM_ABOUT_LATE);
		cr_expect(strstr(refusal.why, i ? "not all of it is reserved, or it is given back "
						  "twice"
						: "not all of it is memory"));
	}
}

/*
 * The zone has 262144 - 4096 = 258048 pages beyond the first 16 MiB; 64 MiB less is managed. More
 * than that given as managed is taken back from what is reserved, up to all the zone has, but late
 * pages count once.
 */
Test(release, given_managed_pages_overrule_reservations)
{
	struct machine m = taken;
	struct mm_refusal refusal;
	char why[256] = "";

	m.late[0] = (struct mm_release){512 * MiB, MiB, false};
	m.nr_presets = 1;
	m.presets[0] = (struct mm_zone_preset){.nid = 0, .zone = DMA32, .has_managed = true};
	for (uint64_t more = 0; more <= 16384; more += 4096) {
		struct mm *mm;

		m.presets[0].managed = GiB / PAGE - 4096 - 16384 + more;
		mm = boot(&m);
		cr_expect_eq(zone_info(mm, 0, DMA32).managed, m.presets[0].managed);
		cr_expect_eq(mm_verify(mm, why, sizeof(why)), 0, "%s", why);
		mm_destroy(mm);
	}
	m.presets[0].managed = GiB / PAGE - 4096 + 1;
	cr_expect_eq(boot_refused(&m, &refusal), -EINVAL);
	cr_expect_str_eq(refusal.why,
			 "node 0, zone DMA32: managed = 258049 pages, but the zone has "
			 "258048");
}

/*
 * Bytes 0x10800 to 0x11900 with a neighbour up to 0x11a00, and a third in the page of its own:
 * pages 0x10, 0x11 and 0x20 of 1024.
 */
Test(release, a_page_reserved_in_part_is_reserved_once)
{
	struct machine m = {.model = MM_SPARSE, .memory = {{0, 4 * MiB, 0}}};
	struct mm *mm;

	m.reserved[0] = (struct mm_reservation){0x10800, 0x1100, MM_HOLDS_OTHER};
	m.reserved[1] = (struct mm_reservation){0x11900, 0x100, MM_HOLDS_OTHER};
	m.reserved[2] = (struct mm_reservation){0x20100, 8, MM_HOLDS_OTHER};
	mm = boot(&m);
	cr_expect_eq(zone_info(mm, 0, DMA).managed, 1024 - 3);
	mm_destroy(mm);
}

/*
 * Two nodes of 256 MiB, two sections of 128 MiB each, whose descriptors take 2 MiB a section. Each
 * structure is where the reservations say, in order of address, and nothing else is taken.
 */
static const struct machine complete = {
	.model = MM_SPARSE_VMEMMAP,
	.memory = {{0, 256 * MiB, 0}, {256 * MiB, 256 * MiB, 1}},
	.cpus = {2, 1},
	.homes = true,
	.reservations_complete = true,
	.reserved = {{500 * MiB, 4 * MiB, MM_HOLDS_MEMMAP},
		     {230 * MiB, 2 * MiB, MM_HOLDS_MEMMAP},
		     {220 * MiB, 2 * MiB, MM_HOLDS_MEMMAP},
		     {200 * MiB, 176128, MM_HOLDS_NODE_DESCRIPTOR},
		     {400 * MiB, 176128, MM_HOLDS_NODE_DESCRIPTOR},
		     {190 * MiB, 253952, MM_HOLDS_PER_CPU},
		     {191 * MiB, 253952, MM_HOLDS_PER_CPU},
		     {480 * MiB, 253952, MM_HOLDS_PER_CPU},
		     {410 * MiB, 2 * MiB, MM_HOLDS_SECTION_TABLE},
		     {180 * MiB, 4096, MM_HOLDS_SECTION_TABLE},
		     {20 * MiB, 8 * MiB, MM_HOLDS_OTHER}},
};

static phys_addr_t descriptor_of(struct mm *mm, phys_addr_t at)
{
	return mm->model->descriptor_at(mm, mm_pfn_to_page(mm, MM_NO_CPU, at / PAGE), NULL);
}

Test(homes, are_where_the_reservations_hold_them)
{
	struct mm *mm = boot(&complete);

	cr_expect_eq(mm->nodes[0].at, 200 * MiB);
	cr_expect_eq(mm->nodes[1].at, 400 * MiB);
	cr_expect_eq(mm->percpu_at[0], 190 * MiB);
	cr_expect_eq(mm->percpu_at[1], 191 * MiB);
	cr_expect_eq(mm->percpu_at[2], 480 * MiB);
	/* No range of node 0 holds both sections: one each. Node 1 has one for both. */
	cr_expect_eq(descriptor_of(mm, 0), 220 * MiB);
	cr_expect_eq(descriptor_of(mm, 128 * MiB), 230 * MiB);
	cr_expect_eq(descriptor_of(mm, 256 * MiB), 500 * MiB);
	cr_expect_eq(descriptor_of(mm, 384 * MiB), 502 * MiB);
	mm_destroy(mm);
}

/* 512 MiB less 4 + 2 + 2 + 2 + 8 MiB, two times 43 pages, three times 62, and one. */
Test(homes, take_nothing_where_reservations_are_complete)
{
	struct mm *mm = boot(&complete);
	uint64_t managed = 0;

	for (int n = 0; n < 2; n++)
		for (int z = DMA; z <= DMA32; z++)
			managed += zone_info(mm, n, z).managed;
	cr_expect_eq(managed, (512 - 18) * 256 - 2 * 43 - 3 * 62 - 1);
	mm_destroy(mm);
}

/*
 * Where nothing is said, addresses are those of the largest range that is reserved for something
 * else, and does not come free: of the node's, or of any node.
 */
Test(homes, borrow_from_what_is_reserved)
{
	struct machine m = complete;
	struct mm *mm;

	memset(m.reserved, 0, sizeof(m.reserved));
	m.reserved[0] = (struct mm_reservation){20 * MiB, 8 * MiB, MM_HOLDS_OTHER};
	m.reserved[1] = (struct mm_reservation){40 * MiB, 4 * MiB, MM_HOLDS_OTHER};
	m.late[0] = (struct mm_release){20 * MiB, 7 * MiB, false};
	mm = boot(&m);
	for (int n = 0; n < 2; n++)
		cr_expect(mm->nodes[n].at >= 40 * MiB && mm->nodes[n].at < 44 * MiB);
	for (int cpu = 0; cpu < 3; cpu++)
		cr_expect(mm->percpu_at[cpu] >= 40 * MiB && mm->percpu_at[cpu] < 44 * MiB);
	mm_destroy(mm);
}

/* Flat memory of 8 GiB has 128 MiB of descriptors, and no range is so large: still memory. */
Test(homes, are_in_memory_whatever_is_reserved)
{
	struct machine m = {.model = MM_FLAT,
			    .memory = {{0, 3 * GiB, 0}, {4 * GiB, 5 * GiB, 0}},
			    .homes = true,
			    .reservations_complete = true};
	struct mm *mm = boot(&m);

	for (phys_addr_t at = 0; at < 9 * GiB; at += 64 * MiB)
		cr_expect(memblock_is_memory(&mm->memblock, descriptor_of(mm, at)));
	cr_expect(memblock_is_memory(&mm->memblock, mm->nodes[0].at));
	mm_destroy(mm);
}

/* On i386 they are below the limit of the direct mapping. */
Test(homes, are_in_low_memory)
{
	struct machine m = {.arch = MM_I386,
			    .memory = {{0, 2 * GiB, 0}},
			    .homes = true,
			    .reservations_complete = true,
			    .reserved = {{MiB, MiB, MM_HOLDS_OTHER},
					 {GiB, 64 * MiB, MM_HOLDS_OTHER},
					 {800 * MiB, 21 * MiB, MM_HOLDS_MEMMAP}}};
	struct mm *mm = boot(&m);

	cr_expect_eq(descriptor_of(mm, 0), 800 * MiB);
	cr_expect(mm->nodes[0].at >= MiB && mm->nodes[0].at < 2 * MiB);
	mm_destroy(mm);
}

/* Without being complete, what is held is used and the rest is taken. */
Test(homes, are_taken_where_nothing_holds_them)
{
	struct machine m = complete;
	struct mm *mm;

	m.reservations_complete = false;
	memset(&m.reserved[3], 0, sizeof(m.reserved[0]) * 8);
	mm = boot(&m);
	cr_expect_eq(descriptor_of(mm, 256 * MiB), 500 * MiB);
	cr_expect_eq(memblock_reserved_in(&mm->memblock, mm->nodes[1].at, mm->nodes[1].at + 176128),
		     176128);
	cr_expect_neq(mm->nodes[1].at, 400 * MiB);
	mm_destroy(mm);
}
