/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where per-CPU areas lie: units of one node's CPUs together, as many an allocation of 2 MiB as
 * waste allows on x86_64; pages that no unit needs are free.
 */
#include <criterion/criterion.h>

#include "../mm_fixture.h"

#define AREA (62 * 4096) /* of x86_64; a unit of it fits eight times into 2 MiB */

/* Their distances from the first one. */
static void must_lie(const struct mm *mm, int nr, const uint64_t *at)
{
	for (int cpu = 0; cpu < nr; cpu++)
		cr_expect_eq(mm->percpu_at[cpu] - mm->percpu_at[0], at[cpu], "CPU %d: %#lx", cpu,
			     mm->percpu_at[cpu] - mm->percpu_at[0]);
}

/* [at, at + AREA) is reserved, what follows up to the end of the unit is not. */
static void must_be_trimmed(const struct mm *mm, int nr, uint64_t unit)
{
	for (int cpu = 0; cpu < nr; cpu++) {
		phys_addr_t at = mm->percpu_at[cpu];

		cr_expect_eq(memblock_reserved_in(&mm->memblock, at, at + AREA), AREA);
		cr_expect_eq(memblock_reserved_in(&mm->memblock, at + AREA, at + unit), 0);
	}
}

/*
 * Eight CPUs of one node fill an allocation: units of 256 KiB. With seven one of eight units is
 * left over, which is less than a third of 7. Two would leave six: with four, two left, with two
 * none, and each takes one allocation, so units are of 1 MiB.
 */
Test(percpu, units_share_allocations_of_2_mib)
{
	static const uint64_t eight[] = {0, 1, 2, 3, 4, 5, 6, 7};
	uint64_t at[8];

	for (int cpus = 7; cpus <= 8; cpus++) {
		struct mm *mm = boot(&(struct machine){
			.memory = {{0, 256 * MiB, 0}}, .cpus = {cpus}, .homes = true});

		for (int i = 0; i < 8; i++)
			at[i] = eight[i] * 256 * KiB;
		must_lie(mm, cpus, at);
		must_be_trimmed(mm, cpus, 256 * KiB);
		cr_expect_eq(mm->percpu_at[0] % (2 * MiB), 0);
		mm_destroy(mm);
	}
	struct mm *mm =
		boot(&(struct machine){.memory = {{0, 256 * MiB, 0}}, .cpus = {2}, .homes = true});

	must_lie(mm, 2, (uint64_t[]){0, MiB});
	must_be_trimmed(mm, 2, MiB);
	mm_destroy(mm);
}

/*
 * Two CPUs on node 0 and one on node 1. Units of 1 MiB would leave one of four over, a third of 3,
 * which is allowed, and take one allocation a node. With two on node 0 and one each on three others
 * three of eight would be left over of 5 CPUs: units of 2 MiB then, five allocations.
 */
Test(percpu, groups_are_of_a_node)
{
	struct mm *mm =
		boot(&(struct machine){.model = MM_SPARSE,
				       .memory = {{0, 256 * MiB, 0}, {256 * MiB, 256 * MiB, 1}},
				       .cpus = {2, 1},
				       .homes = true});

	cr_expect_eq(mm->percpu_at[1] - mm->percpu_at[0], MiB);
	cr_expect(mm->percpu_at[0] < 256 * MiB && mm->percpu_at[2] >= 256 * MiB);
	must_be_trimmed(mm, 3, MiB);
	mm_destroy(mm);
	mm = boot(&(struct machine){.model = MM_SPARSE,
				    .memory = {{0, 256 * MiB, 0},
					       {256 * MiB, 256 * MiB, 1},
					       {512 * MiB, 256 * MiB, 2},
					       {768 * MiB, 256 * MiB, 3}},
				    .cpus = {2, 1, 1, 1},
				    .homes = true});
	cr_expect_eq(mm->percpu_at[1] - mm->percpu_at[0], 2 * MiB);
	for (int cpu = 2; cpu < 5; cpu++)
		cr_expect_eq(mm->percpu_at[cpu] / (256 * MiB), (uint64_t)cpu - 1);
	must_be_trimmed(mm, 5, 2 * MiB);
	mm_destroy(mm);
}

/* A node without memory: its CPU's area is on the highest that has room. */
Test(percpu, of_a_node_without_memory_is_elsewhere)
{
	struct mm *mm =
		boot(&(struct machine){.model = MM_SPARSE,
				       .memory = {{0, 256 * MiB, 0}, {256 * MiB, 256 * MiB, 2}},
				       .cpus = {1, 1, 1},
				       .homes = true});

	cr_expect(mm->percpu_at[0] < 256 * MiB);
	cr_expect(mm->percpu_at[1] >= 256 * MiB);
	must_be_trimmed(mm, 3, 2 * MiB);
	mm_destroy(mm);
}

/* On i386 they are taken by the page: areas of 33 pages, one behind the other. */
Test(percpu, on_i386_nothing_is_left_between)
{
	struct mm *mm = boot(&(struct machine){
		.arch = MM_I386, .memory = {{0, 256 * MiB, 0}}, .cpus = {3}, .homes = true});

	must_lie(mm, 3, (uint64_t[]){0, 33 * 4096, 66 * 4096});
	mm_destroy(mm);
}
