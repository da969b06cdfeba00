/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory comes and goes at random among allocations, on machines of both sparse models, all of it
 * verified after each step: a refusal changes nothing, what is allocated is memory that is online,
 * and what has moved is where its owner was told. In the end all that was added goes again.
 *
 * NUMASIM_SEED and NUMASIM_OPS (operations a machine) come from the environment, if they are there.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../mm_fixture.h"
#include "mm/compact/compact.h"
#include "mm/hotplug/hotplug.h"

#define BLOCKS 2048 /* in use at a time, at most */
#define MEMORY 24   /* memory blocks of 128 MiB, from address 0, that there can be */

struct block {
	struct page *page;
	unsigned order;
};

struct run {
	struct mm *mm;
	uint64_t rng;
	struct block blocks[BLOCKS];
	size_t nr_blocks;
	uint64_t done, refused, migrated;
};

/* The second has a node that has no memory at first, and one that begins within the first's. */
static const struct machine machines[] = {
	{.model = MM_SPARSE_VMEMMAP,
	 .memory = {{0, 256 * MiB, 0}},
	 .cpus = {2},
	 .hotplug_end = MEMORY * 128 * MiB,
	 .min_free_kbytes = 2048},
	{.model = MM_SPARSE,
	 .memory = {{0, 300 * MiB, 0}, {384 * MiB, 128 * MiB, 1}},
	 .cpus = {1, 1},
	 .nodes = 3,
	 .hotplug_end = MEMORY * 128 * MiB,
	 .min_free_kbytes = 2048},
	{.model = MM_SPARSE_VMEMMAP,
	 .memory = {{0, 256 * MiB, 0}, {384 * MiB, 128 * MiB, 1}},
	 .cpus = {1, 1},
	 .nodes = 3,
	 .hotplug_end = MEMORY * 128 * MiB,
	 .kernelcore_bytes = 128 * MiB,
	 .min_free_kbytes = 2048},
	{.model = MM_SPARSE_VMEMMAP,
	 .memory = {{0, 512 * MiB, 0}},
	 .cpus = {2},
	 .hotplug_end = MEMORY * 128 * MiB,
	 .memory_block_bytes = 256 * MiB,
	 .hot_cold = true,
	 .min_free_kbytes = 2048},
};

static uint64_t below(struct run *r, uint64_t n)
{
	return random_below(&r->rng, n);
}

static void allocate(struct run *r)
{
	static const gfp_t flags[] = {GFP_HIGHUSER_MOVABLE, GFP_HIGHUSER_MOVABLE, GFP_KERNEL,
				      GFP_ATOMIC};

	for (uint64_t n = below(r, 200); n && r->nr_blocks < BLOCKS; n--) {
		struct block *b = &r->blocks[r->nr_blocks];
		struct mm_request req = {
			.cpu = (int)below(r, (uint64_t)mm_nr_cpus(r->mm)),
			.nid = (int)below(r, (uint64_t)mm_nr_nodes(r->mm)),
			.order = (unsigned)(below(r, 3) ? below(r, 3) : below(r, NR_PAGE_ORDERS)),
			.gfp = flags[below(r, below(r, 4) ? 2 : 4)]};

		if (mm_alloc_pages(r->mm, &req, &b->page))
			continue;
		b->order = req.order;
		for (pfn_t p = pfn_of(r->mm, b->page), i = 0; i < UINT64_C(1) << b->order; i++)
			cr_assert(memblock_is_memory(&r->mm->memblock, (p + i) * 4096));
		r->nr_blocks++;
	}
}

static void give_back(struct run *r)
{
	for (uint64_t n = below(r, 200); n && r->nr_blocks; n--) {
		size_t i = below(r, r->nr_blocks);

		cr_assert_eq(mm_free_pages(r->mm, 0, r->blocks[i].page, r->blocks[i].order), 0);
		r->blocks[i] = r->blocks[--r->nr_blocks];
	}
}

static void note_moved(void *ctx, int cpu, struct page *from, struct page *to)
{
	struct run *r = ctx;

	(void)cpu;
	for (size_t i = 0; i < r->nr_blocks; i++)
		if (r->blocks[i].page == from) {
			cr_assert_eq(to->order, r->blocks[i].order);
			r->blocks[i].page = to;
			return;
		}
	cr_assert_fail("a page moved that nobody has");
}

static void take(struct run *r, const struct mm_hotplug_step *step)
{
	struct mm_hotplug_done done;
	struct mm_refusal refusal = {0};
	int cpu = (int)below(r, (uint64_t)mm_nr_cpus(r->mm) + 1) - 1; /* MM_NO_CPU: -1 */
	int err = mm_hotplug(r->mm, cpu, step, &done, &refusal);

	cr_assert(!err || refusal.why[0], "op %d refused with %d and no reason", step->op, err);
	r->done += !err;
	r->refused += err != 0;
	r->migrated += done.migrated;
}

static void random_step(struct run *r)
{
	static const enum mm_hotplug_op ops[] = {
		MM_HOTPLUG_ADD,     MM_HOTPLUG_ONLINE,  MM_HOTPLUG_ONLINE_KERNEL,
		MM_HOTPLUG_OFFLINE, MM_HOTPLUG_OFFLINE, MM_HOTPLUG_ONLINE_MOVABLE,
		MM_HOTPLUG_ADD,     MM_HOTPLUG_ONLINE,  MM_HOTPLUG_REMOVE_BLOCKS,
		MM_HOTPLUG_DEVICE,  MM_HOTPLUG_PARAM,   MM_HOTPLUG_DEVICE_REMOVE,
		MM_HOTPLUG_ADD_KMEM};
	uint64_t block = mm_memory_block_bytes(r->mm);
	struct mm_hotplug_step s = {.op = ops[below(r, sizeof(ops) / sizeof(*ops))],
				    .nid = (int)below(r, (uint64_t)mm_nr_nodes(r->mm)),
				    .on_device = below(r, 2)};

	s.first = s.last = below(r, MEMORY * 128 * MiB / block + 1);
	s.last += !below(r, 8);
	s.start = s.first * block + (below(r, 8) ? 0 : 2 * MiB);
	s.bytes = block * (1 + below(r, 2)) - (below(r, 8) ? 0 : 4 * MiB);
	s.param = (enum mm_hotplug_param)below(r, MM_NR_HOTPLUG_PARAMS);
	s.value = s.param == MM_HOTPLUG_AUTO_ONLINE ? below(r, 4) : below(r, 2);
	take(r, &s);
}

/* All that was added: offline, then gone. What user memory it holds was freed before. */
static void take_all_away(struct run *r)
{
	struct mm_hotplug_step s = {0};
	struct mm_memory_block_info info;
	struct mm_range range;
	bool kmem;

	while (r->nr_blocks)
		give_back(r);
	while (mm_hotplug_range(r->mm, true, 0, &range, &kmem)) {
		s = (struct mm_hotplug_step){
			.op = MM_HOTPLUG_DEVICE_REMOVE, .start = range.start, .bytes = range.bytes};
		take(r, &s);
		must_verify(r->mm, "a device is gone");
	}
	/* Descriptors of one may be in another: as often as there are ranges. */
	for (int pass = 0; pass < MEMORY; pass++)
		for (uint64_t n = 0; mm_memory_block(r->mm, n, &info); n = info.number + 1) {
			s.first = s.last = info.number;
			s.start = info.number * mm_memory_block_bytes(r->mm);
			if (!mm_hotplug_range(r->mm, false, 0, &range, &kmem))
				return;
			s.op = MM_HOTPLUG_OFFLINE;
			if (info.online)
				take(r, &s);
			s.op = MM_HOTPLUG_REMOVE_BLOCKS;
			take(r, &s);
			must_verify(r->mm, "a block is gone");
		}
}

ParameterizedTestParameters(hotplug_random, steps_keep_everything_whole)
{
	return cr_make_param_array(struct machine, (void *)machines,
				   sizeof(machines) / sizeof(*machines));
}

ParameterizedTest(struct machine *m, hotplug_random, steps_keep_everything_whole)
{
	static const struct mm_ops ops = {.moved = note_moved};
	struct run *r = calloc(1, sizeof(*r));
	uint64_t nr_ops = number_from_env("NUMASIM_OPS", 250);
	struct mm_range range;
	bool kmem;

	r->rng = random_seed(20261122);
	r->mm = boot_with(m, &ops, r);
	for (uint64_t i = 0; i < nr_ops; i++) {
		switch (below(r, 5)) {
		case 0:
			allocate(r);
			break;
		case 1:
			give_back(r);
			break;
		case 2:
			if (!below(r, 8))
				mm_compact_all(r->mm, 0);
			break;
		default:
			random_step(r);
		}
		must_verify(r->mm, "an operation");
	}
	cr_expect_gt(r->done, nr_ops / 32, "%lu steps taken", (unsigned long)r->done);
	cr_expect_gt(r->refused, nr_ops / 16);
	take_all_away(r);
	cr_expect(!mm_hotplug_range(r->mm, false, 0, &range, &kmem),
		  "what was added from 0x%lx on cannot go", (unsigned long)range.start);
	mm_destroy(r->mm);
	free(r);
}
