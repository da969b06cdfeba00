/* SPDX-License-Identifier: Apache-2.0 */
/* What memory and nodes the kernel has, by its parameters: mem, memmap, numa_off, numa_fake. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../reference/reference.h"

enum { DMA, DMA32, NORMAL };

static void must_have(const struct mm *mm, const struct mm_range *want, size_t nr)
{
	const struct memblock_list *memory = &mm->memblock.memory;

	cr_expect_eq(memory->nr, nr, "%zu ranges, not %zu", memory->nr, nr);
	for (size_t i = 0; i < memory->nr && i < nr; i++) {
		const struct memblock_region *r = &memory->regions[i];

		cr_expect(r->start == want[i].start && r->end == want[i].start + want[i].bytes &&
				  r->nid == want[i].nid,
			  "range %zu: 0x%lx to 0x%lx on node %d", i, r->start, r->end, r->nid);
	}
}

#define MUST_HAVE(mm, ...)                                                                         \
	must_have(mm, (const struct mm_range[]){__VA_ARGS__},                                      \
		  sizeof((const struct mm_range[]){__VA_ARGS__}) / sizeof(struct mm_range))

/* The memory of a captured machine whose kernel was given memmap= or numa=fake=. */
static size_t captured_memory(const char *name, const struct mm_range **memory)
{
	size_t nr = 0;

	for (size_t i = 0; i < NR_REFERENCE_SHAPES; i++) {
		if (strcmp(reference_shapes[i].name, name) != 0)
			continue;
		*memory = reference_shapes[i].machine.memory;
		while ((*memory)[nr].bytes)
			nr++;
		return nr;
	}
	cr_assert_fail("there is no %s", name);
	return 0;
}

/* 2 GiB as the firmware of the captured machines gives it. */
static const struct machine two_gib = {.model = MM_SPARSE_VMEMMAP,
				       .memory = {{0x1000, 0x9e000, 0}, {MiB, 0x7fedd000, 0}},
				       .cpus = {2}};

/* memmap=256M$0x20000000 memmap=64M$0x50000000 memmap=1M$0x60700000 memmap=12K$0x61234000 */
Test(nodes, memmap_leaves_the_holes_of_a_captured_boot)
{
	struct machine m = two_gib;
	const struct mm_range *memory;
	size_t nr = captured_memory("k_uma2g_holes", &memory);
	struct mm *mm;

	m.memmap[0] = (struct mm_range){0x20000000, 256 * MiB, 0};
	m.memmap[1] = (struct mm_range){0x50000000, 64 * MiB, 0};
	m.memmap[2] = (struct mm_range){0x60700000, MiB, 0};
	m.memmap[3] = (struct mm_range){0x61234010, 8 * KiB + 1, 0};
	mm = boot(&m);
	must_have(mm, memory, nr);
	mm_destroy(mm);
}

/* numa=fake=4 */
Test(nodes, fake_nodes_are_those_of_a_captured_boot)
{
	struct machine m = two_gib;
	const struct mm_range *memory;
	size_t nr = captured_memory("m_uma2g_fake4", &memory);
	struct mm *mm;

	m.numa_fake = 4;
	mm = boot(&m);
	must_have(mm, memory, nr);
	cr_expect_eq(mm_nr_nodes(mm), 4);
	for (int n = 0; n < 4; n++)
		cr_expect_eq(mm_node_home(mm, n), 0);
	for (int i = 0; i < 16; i++)
		cr_expect_eq(mm->distance[i], 10);
	mm_destroy(mm);
}

/*
 * Two nodes of 1 GiB make four of 512 MiB in turn, so 0 and 2 are on node 0. CPUs are on the first
 * of these, and both nodes of a home share its CPUs: node 1 has two, so has node 3.
 */
Test(nodes, fake_nodes_are_taken_in_turn)
{
	struct machine m = {.model = MM_SPARSE,
			    .memory = {{0, GiB, 0}, {GiB, GiB, 1}},
			    .cpus = {1, 2},
			    .numa_fake = 4,
			    .min_free_kbytes = 65536};
	struct mm *mm = boot(&m);

	MUST_HAVE(mm, {0, 512 * MiB, 0}, {512 * MiB, 512 * MiB, 2}, {GiB, 512 * MiB, 1},
		  {1536 * MiB, 512 * MiB, 3});
	cr_expect(mm_cpu_to_node(mm, 0) == 0 && mm_cpu_to_node(mm, 1) == 1 &&
		  mm_cpu_to_node(mm, 2) == 1);
	cr_expect_eq(mm_node_home(mm, 3), 1);
	cr_expect_eq(mm->distance[0 * 4 + 2], 10);
	cr_expect_eq(mm->distance[0 * 4 + 3], 20);
	for (int n = 0; n < 4; n++)
		cr_expect_eq(zone_info(mm, n, DMA32).pcp_high,
			     zone_info(mm, n, DMA32).low / (n % 2 ? 2 : 1), "node %d", n);
	mm_destroy(mm);
}

/* 32 MiB is the least: 10 nodes of 256 MiB are 25.6, 8 are just enough. */
Test(nodes, fake_nodes_have_a_least_size)
{
	struct machine m = {.model = MM_SPARSE, .memory = {{0, 256 * MiB, 0}}, .numa_fake = 8};
	struct mm_refusal refusal;
	struct mm *mm = boot(&m);

	cr_expect_eq(mm_nr_nodes(mm), 8);
	mm_destroy(mm);
	m.numa_fake = 10;
	cr_expect_eq(boot_refused(&m, &refusal), -EINVAL);
	cr_expect_str_eq(refusal.why, "numa_fake: no 32 MiB of memory for each of 10 nodes");
}

/*
 * numa=fake=300M: 288 MiB, the next lower multiple of 32, of each node in turn. After two of them
 * 448 MiB are left, too few for two more: one node of 448.
 */
Test(nodes, fake_nodes_of_a_size)
{
	struct machine m = {.model = MM_SPARSE,
			    .memory = {{0, GiB, 0}, {GiB, GiB, 1}},
			    .cpus = {1, 1},
			    .numa_fake_bytes = 300 * MiB};
	struct mm *mm = boot(&m);

	MUST_HAVE(mm, {0, 288 * MiB, 0}, {288 * MiB, 288 * MiB, 2}, {576 * MiB, 448 * MiB, 4},
		  {GiB, 288 * MiB, 1}, {1312 * MiB, 288 * MiB, 3}, {1600 * MiB, 448 * MiB, 5});
	cr_expect(mm_node_home(mm, 4) == 0 && mm_node_home(mm, 5) == 1);
	cr_expect(mm_cpu_to_node(mm, 0) == 0 && mm_cpu_to_node(mm, 1) == 1);
	mm_destroy(mm);
	/* At least 32 MiB, and so large that 1024 of them are enough. */
	m.numa_fake_bytes = MiB;
	mm = boot(&m);
	cr_expect_eq(mm_nr_nodes(mm), 64);
	mm_destroy(mm);
	m.memory[1].bytes = 63 * GiB;
	mm = boot(&m);
	cr_expect_eq(mm_nr_nodes(mm), 1024);
	mm_destroy(mm);
}

/*
 * numa=fake=3U: 1 GiB / 3 is 341.3, so 352 MiB each and a last one of 320; 768 MiB are three times
 * 256. With 2U, what node 0 has above 4 GiB is in pieces of half of what it has below: one more
 * node, before those of node 1. 128 MiB are no five nodes.
 */
Test(nodes, fake_nodes_of_each_node)
{
	struct machine m = {.model = MM_SPARSE,
			    .memory = {{0, GiB, 0}, {GiB, 768 * MiB, 1}},
			    .cpus = {1, 1},
			    .numa_fake_each = 3};
	struct mm_refusal refusal;
	struct mm *mm = boot(&m);

	MUST_HAVE(mm, {0, 352 * MiB, 0}, {352 * MiB, 352 * MiB, 1}, {704 * MiB, 320 * MiB, 2},
		  {GiB, 256 * MiB, 3}, {1280 * MiB, 256 * MiB, 4}, {1536 * MiB, 256 * MiB, 5});
	cr_expect(mm_cpu_to_node(mm, 0) == 0 && mm_cpu_to_node(mm, 1) == 3);
	cr_expect_eq(mm->distance[0 * 6 + 2], 10);
	cr_expect_eq(mm->distance[2 * 6 + 3], 20);
	mm_destroy(mm);
	m.memory[2] = (struct mm_range){4 * GiB, 512 * MiB, 0};
	m.numa_fake_each = 2;
	mm = boot(&m);
	MUST_HAVE(mm, {0, 512 * MiB, 0}, {512 * MiB, 512 * MiB, 1}, {GiB, 384 * MiB, 3},
		  {1408 * MiB, 384 * MiB, 4}, {4 * GiB, 512 * MiB, 2});
	mm_destroy(mm);
	m = (struct machine){.memory = {{0, 128 * MiB, 0}}, .numa_fake_each = 5};
	cr_expect_eq(boot_refused(&m, &refusal), -EINVAL);
	cr_expect_str_eq(refusal.why, "numa_fake: node 0 has 32 MiB for 4 nodes, not for 5: the "
				      "kernel would go on without");
}

/* No SRAT tells where the CPUs of a machine of one node are: the kernel deals them out. */
Test(nodes, fake_nodes_of_one_node_get_cpus_in_turn)
{
	struct machine m = {
		.model = MM_SPARSE, .memory = {{0, GiB, 0}}, .cpus = {5}, .numa_fake = 3};
	struct mm *mm = boot(&m);

	for (int cpu = 0; cpu < 5; cpu++)
		cr_expect_eq(mm_cpu_to_node(mm, cpu), cpu % 3);
	mm_destroy(mm);
}

/* A page that node 1 has is local to its neighbour's, and not counted as a miss. */
Test(nodes, numa_off_is_one_node)
{
	struct machine m = {.model = MM_FLAT,
			    .memory = {{0, GiB, 0}, {GiB, GiB, 1}},
			    .cpus = {1, 1},
			    .numa_off = true};
	struct mm *mm = boot(&m);

	MUST_HAVE(mm, {0, 2 * GiB, 0});
	cr_expect_eq(mm_nr_nodes(mm), 1);
	cr_expect_eq(mm_cpu_to_node(mm, 1), 0);
	cr_expect_not_null(alloc(mm, 1, 0, GFP_KERNEL));
	mm_destroy(mm);
}

/* On x86 mem= is an address; the last, partial page goes. On arm64 it is how much there is. */
Test(nodes, mem_leaves_the_rest_alone)
{
	struct machine m = {.model = MM_SPARSE,
			    .memory = {{0, GiB, 0}, {2 * GiB, GiB, 1}},
			    .mem_bytes = 2 * GiB + 64 * MiB + 100};
	struct mm *mm = boot(&m);

	MUST_HAVE(mm, {0, GiB, 0}, {2 * GiB, 64 * MiB, 1});
	cr_expect_eq(mm->end_pfn, (2 * GiB + 64 * MiB) / 4096);
	mm_destroy(mm);
	m.arch = MM_ARM64;
	m.mem_bytes = GiB + 64 * MiB;
	mm = boot(&m);
	MUST_HAVE(mm, {0, GiB, 0}, {2 * GiB, 64 * MiB, 1});
	mm_destroy(mm);
	m.mem_bytes = 8 * GiB;
	mm = boot(&m);
	MUST_HAVE(mm, {0, GiB, 0}, {2 * GiB, GiB, 1});
	mm_destroy(mm);
}

Test(nodes, no_memory_is_refused)
{
	struct machine m = {.model = MM_SPARSE, .memory = {{GiB, GiB, 0}}, .mem_bytes = GiB};
	struct mm_refusal refusal;

	cr_expect_eq(boot_refused(&m, &refusal), -EINVAL);
	cr_expect_str_eq(refusal.why, "mem and memmap leave the kernel no memory");
}

/* With fewer nodes than the presets name. */
Test(nodes, presets_are_of_nodes_that_are_there)
{
	struct machine m = {.model = MM_SPARSE,
			    .memory = {{0, GiB, 0}, {GiB, GiB, 1}},
			    .presets = {{.nid = 1, .zone = DMA32, .has_free = true, .free = 1}},
			    .nr_presets = 1};
	struct mm_refusal refusal;
	struct mm *mm = boot(&m);

	mm_destroy(mm);
	m.numa_off = true;
	cr_expect_eq(boot_refused(&m, &refusal), -EINVAL);
	cr_expect_eq(refusal.about, MM_ABOUT_PRESET);
}
