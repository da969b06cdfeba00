/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel takes by its profile: how much, from which zone, and when not. */
#include <criterion/criterion.h>
#include <errno.h>

#include "../mm_fixture.h"

#define PAGE UINT64_C(4096)
enum { DMA, DMA32, NORMAL };
enum { I386_NORMAL = 1, I386_HIGHMEM };

/* Pages that the zone of `m` has less with the profile than without. */
static uint64_t taken(const struct machine *m, int nid, int zone)
{
	struct machine without = *m;
	struct mm *with = boot(m), *mm;
	uint64_t pages;

	without.profile = NULL;
	mm = boot(&without);
	pages = zone_info(mm, nid, zone).managed - zone_info(with, nid, zone).managed;
	cr_assert_eq(zone_info(mm, nid, zone).present, zone_info(with, nid, zone).present);
	must_verify(with, "with a profile");
	mm_destroy(with);
	mm_destroy(mm);
	return pages;
}

static struct machine machine(const struct mm_profile *profile, uint64_t bytes)
{
	return (struct machine){
		.model = MM_SPARSE,
		.memory = {{0, bytes, 0}},
		.cpus = {1},
		.homes = true,
		.profile = profile,
	};
}

/*
 * One bucket of 8 bytes for each 8 KiB of memory that is not memmap (63/64 of it), rounded up to a
 * power of two: 1 GiB gives 129024 of them, so 131072, which are 1 MiB; 1280 MiB gives 2 MiB.
 */
Test(profile, hash_tables_grow_by_powers_of_two)
{
	static const struct mm_profile p = {.hash_tables = {{8, 8 * KiB}}, .nr_hash_tables = 1};
	struct machine m = machine(&p, GiB);

	cr_expect_eq(taken(&m, 0, DMA32), MiB / PAGE);
	m = machine(&p, 1280 * MiB);
	cr_expect_eq(taken(&m, 0, DMA32), 2 * MiB / PAGE);
}

/*
 * Beyond 64 GiB four times the memory has twice the buckets: 96 GiB less memmap are 94.5 GiB, with
 * 16 KiB a bucket 6193152, so 8388608 of 8 bytes: 64 MiB, where 8 KiB a bucket would give 128.
 */
Test(profile, hash_tables_grow_slower_on_large_machines)
{
	static const struct mm_profile p = {.hash_tables = {{8, 8 * KiB}}, .nr_hash_tables = 1};
	struct machine m = machine(&p, 96 * GiB);

	cr_expect_eq(taken(&m, 0, NORMAL), 64 * MiB / PAGE);
}

/*
 * No more than 1/16 of memory less memmap, and a power of two: of 1008 MiB 63, so 32 MiB, where 8
 * bytes for each 16 would be 512.
 */
Test(profile, a_hash_table_takes_a_sixteenth_at_most)
{
	static const struct mm_profile p = {.hash_tables = {{8, 16}}, .nr_hash_tables = 1};
	struct machine m = machine(&p, GiB);

	cr_expect_eq(taken(&m, 0, DMA32), 32 * MiB / PAGE);
}

/* Of memory below HighMem only, about 860 MiB: between 65536 and 131072 buckets of 8 KiB. */
Test(profile, hash_tables_of_i386_go_by_low_memory)
{
	static const struct mm_profile p = {.hash_tables = {{4, 8 * KiB}}, .nr_hash_tables = 1};
	struct machine m = machine(&p, 4 * GiB);

	m.arch = MM_I386;
	m.model = MM_FLAT;
	cr_expect_eq(taken(&m, 0, I386_NORMAL), 512 * KiB / PAGE);
	cr_expect_eq(taken(&m, 0, I386_HIGHMEM), 0);
}

/* Two nodes have memory: vmalloc() takes the tables later, from the page allocator. */
Test(profile, spread_hash_tables_are_not_reserved_on_several_nodes)
{
	static const struct mm_profile spread = {
		.hash_tables = {{8, 8 * KiB}}, .nr_hash_tables = 1, .hash_tables_spread = true};
	struct machine m = machine(&spread, GiB);

	m.nodes = 2;
	cr_expect_eq(taken(&m, 0, DMA32), MiB / PAGE, "the other node has none");
	m.memory[1] = (struct mm_range){GiB, GiB, 1};
	cr_expect_eq(taken(&m, 0, DMA32), 0);
	cr_expect_eq(taken(&m, 1, DMA32), 0);
}

/* Bounce buffers: below 4 GiB, though there is room above; none where memory ends there. */
Test(profile, pieces_have_limits_and_conditions)
{
	static const struct mm_profile p = {
		.takes = {{.bytes = 64 * MiB,
			   .align = PAGE,
			   .below = 4 * GiB,
			   .if_possible_above = 4 * GiB}},
		.nr_takes = 1,
	};
	struct machine m = machine(&p, 4 * GiB);

	cr_expect_eq(taken(&m, 0, DMA32), 0, "nothing is above 4 GiB");
	m.possible_end = 5 * GiB;
	cr_expect_eq(taken(&m, 0, DMA32), 64 * MiB / PAGE, "something may be");
	m.numa_off = true;
	cr_expect_eq(taken(&m, 0, DMA32), 0, "the kernel does not read what may be");
	m = machine(&p, 5 * GiB);
	cr_expect_eq(taken(&m, 0, DMA32), 64 * MiB / PAGE);
	cr_expect_eq(taken(&m, 0, NORMAL), 0);
	m.memory[0] = (struct mm_range){4 * GiB, GiB, 0};
	cr_expect_eq(taken(&m, 0, NORMAL), 0, "no room below: the kernel does without");
}

/* What can be plugged in is not there yet. */
Test(profile, some_pieces_go_by_memory_that_is_there)
{
	static const struct mm_profile p = {
		.takes = {{.bytes = 2 * PAGE, .align = PAGE, .if_memory_above = 4 * GiB}},
		.nr_takes = 1,
	};
	struct machine m = machine(&p, 4 * GiB);

	m.possible_end = 5 * GiB;
	cr_expect_eq(taken(&m, 0, DMA32), 0);
	m = machine(&p, 5 * GiB);
	cr_expect_eq(taken(&m, 0, NORMAL), 2);
}

/* Sections have 128 MiB: 8 of them on node 0, 4 on node 1, half a page each. */
Test(profile, pieces_by_section_are_on_their_node)
{
	static const struct mm_profile p = {
		.takes = {{.bytes_per_section = PAGE / 2, .align = PAGE}}, .nr_takes = 1};
	struct machine m = machine(&p, GiB);

	m.memory[1] = (struct mm_range){GiB, 512 * MiB, 1};
	cr_expect_eq(taken(&m, 0, DMA32), 4);
	cr_expect_eq(taken(&m, 1, DMA32), 2);
}

static const struct mm_profile crash = {
	.crash = {.align = 16 * MiB, .below = 4 * GiB, .anywhere = true, .low_bytes = 256 * MiB}};

/* Below 4 GiB where that has room; else anywhere, and 256 MiB below. */
Test(profile, crash_kernel_is_low_or_has_a_low_part)
{
	struct machine m = machine(&crash, 8 * GiB);

	m.crashkernel_bytes = GiB;
	cr_expect_eq(taken(&m, 0, DMA32), GiB / PAGE);
	cr_expect_eq(taken(&m, 0, NORMAL), 0);
	m.crashkernel_bytes = 4 * GiB;
	m.memory[0].bytes = 10 * GiB;
	cr_expect_eq(taken(&m, 0, DMA32), 256 * MiB / PAGE);
	cr_expect_eq(taken(&m, 0, NORMAL), 4 * GiB / PAGE);
}

Test(profile, a_crash_kernel_without_room_is_left_out)
{
	struct machine m = machine(&crash, GiB);

	m.crashkernel_bytes = 2 * GiB;
	cr_expect_eq(taken(&m, 0, DMA32), 0);
}

/* A complete list has it all. */
Test(profile, complete_reservations_leave_nothing_to_take)
{
	static const struct mm_profile p = {
		.hash_tables = {{8, 8 * KiB}},
		.nr_hash_tables = 1,
		.takes = {{.bytes = MiB, .align = PAGE}},
		.nr_takes = 1,
	};
	struct machine m = machine(&p, GiB);

	m.reserved[0] = (struct mm_reservation){0, MiB, MM_HOLDS_OTHER};
	m.reservations_complete = true;
	cr_expect_eq(taken(&m, 0, DMA32), 0);
}
