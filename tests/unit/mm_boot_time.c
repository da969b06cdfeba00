/* SPDX-License-Identifier: Apache-2.0 */
/* Which CPU initialises which part of a node's deferred page descriptors. */
#include <criterion/criterion.h>

#include "tests/mm_fixture.h"

#include "mm/boot/boot_time.h"

/* Two nodes with two CPUs each, a third with none, a fourth without memory; 1 GiB each. */
static const struct machine four = {
	.model = MM_SPARSE_VMEMMAP,
	.memory = {{4 * GiB, GiB, 0}, {5 * GiB, GiB, 1}, {6 * GiB, GiB, 2}},
	.cpus = {2, 2, 0, 2},
	.nodes = 4,
};

static struct mm *boot_as(enum mm_arch_id arch)
{
	struct machine m = four;

	m.arch = arch;
	return boot(&m);
}

/* CPUs that have a part of the node, as bits; `of` of them, each another one. */
static unsigned who(const struct mm *mm, int nid, unsigned threads, unsigned of)
{
	unsigned cpus = 0, shares = 0;

	for (int cpu = 0; cpu < mm_nr_cpus(mm); cpu++) {
		struct mm_boot_part part;

		if (!mm_boot_part_of(mm, cpu, nid, threads, &part))
			continue;
		cr_expect_eq(part.nid, nid);
		cr_expect_eq(part.of, of, "node %d has %u threads", nid, part.of);
		cpus |= 1u << cpu;
		shares |= 1u << part.share;
	}
	cr_expect_eq(shares, (1u << of) - 1, "node %d: parts %#x", nid, shares);
	return cpus;
}

/* x86: as many as the node has CPUs, one for a node without. That is on a CPU with nothing to do.
 */
Test(boot_time, x86_has_a_thread_a_cpu)
{
	struct mm *mm = boot_as(MM_X86_64);

	cr_expect_eq(who(mm, 0, 0, 2), 0x3);
	cr_expect_eq(who(mm, 1, 0, 2), 0xc);
	cr_expect_eq(who(mm, 2, 0, 1), 0x10);
	cr_expect_eq(who(mm, 3, 0, 0), 0);
	mm_destroy(mm);
}

/* Elsewhere: one a node. The third's is on the first CPU that has none, CPU 1. */
Test(boot_time, arm64_has_one_thread_a_node)
{
	struct mm *mm = boot_as(MM_ARM64);

	cr_expect_eq(who(mm, 0, 0, 1), 0x1);
	cr_expect_eq(who(mm, 1, 0, 1), 0x4);
	cr_expect_eq(who(mm, 2, 0, 1), 0x2);
	mm_destroy(mm);
}

/* As many as one says, where there are CPUs for them; of a node without, all are. */
Test(boot_time, as_many_as_are_asked_for)
{
	struct mm *mm = boot_as(MM_ARM64);

	cr_expect_eq(who(mm, 0, 5, 2), 0x3);
	cr_expect_eq(who(mm, 2, 3, 3), 0x31, "4 and 5 have nothing to do, then 0 comes");
	mm_destroy(mm);
}

/* Each page is done by one of them: 1 GiB less the first section, which is not deferred. */
Test(boot_time, the_parts_make_the_whole)
{
	struct mm *mm = boot_as(MM_X86_64);

	cr_expect_eq(mm_boot_deferred_pages(mm, 2), (GiB - 128 * MiB) / 4096);
	cr_expect_eq(mm_boot_deferred_pages(mm, MM_NO_NODE), 3 * (GiB - 128 * MiB) / 4096);
	mm_destroy(mm);
}
