/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random allocations and frees on small machines of every memory model, of all orders, mobilities,
 * CPUs and NUMA policies, everything verified after each: no page is handed out twice, none from
 * outside the policy, and when all is given back, all is as it was. Meanwhile movable pages move,
 * for large allocations, between nodes and for whole zones, and are where their owner was told.
 *
 * NUMASIM_SEED and NUMASIM_OPS (operations a machine) come from the environment, if they are there.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../mm_fixture.h"
#include "mm/alloc/contig.h"
#include "mm/compact/compact.h"
#include "mm/compact/migrate.h"
#include "mm/mempolicy.h"
#include "mm/zone_count.h"

#define FRAMES 8192 /* of a machine, at most, with its holes */
#define BLOCKS 512  /* in use at a time, at most */

struct block {
	struct page *page;
	pfn_t pfn;
	unsigned order;
};

struct run {
	struct mm *mm;
	uint64_t rng;
	struct block blocks[BLOCKS];
	size_t nr_blocks;
	bool in_use[FRAMES];
	uint64_t allocs, refused, failed, moved, contig;
};

/* One node with a hole and ragged ends: 1531 pages. */
#define UMA                                                                                        \
	.memory = {{0, 2 * MiB + 12 * KiB, 0}, {4 * MiB + 8 * KiB, 4 * MiB - 36 * KiB, 0}},        \
	.cpus = {2}, .min_free_kbytes = 64
/* Two nodes, the second between two ranges of the first, and a node that has but a CPU. */
#define INTERLEAVED                                                                                \
	.memory = {{0, 4 * MiB, 0}, {4 * MiB, 4 * MiB, 1}, {8 * MiB, MiB, 0}}, .cpus = {1, 2, 1},  \
	.min_free_kbytes = 64

static const struct machine machines[] = {
	{.model = MM_FLAT, UMA},
	{.model = MM_DISCONTIG, UMA},
	{.model = MM_SPARSE, UMA},
	{.model = MM_SPARSE_VMEMMAP, UMA},
	{.model = MM_SPARSE_VMEMMAP, UMA, .hot_cold = true},
	{.model = MM_FLAT, UMA, .by_mobility = true},
	{.model = MM_DISCONTIG, INTERLEAVED},
	{.model = MM_SPARSE, INTERLEAVED},
	{.model = MM_SPARSE_VMEMMAP, INTERLEAVED},
	/* Nodes that meet within a 4 MiB block, and 128 KiB of ZONE_DMA above them on node 1. */
	{.model = MM_SPARSE,
	 .memory = {{15 * MiB, MiB - 64 * KiB, 0}, {16 * MiB - 64 * KiB, 2 * MiB, 1}},
	 .cpus = {1, 1},
	 .min_free_kbytes = 64},
	/* The upper half is ZONE_MOVABLE. */
	{.model = MM_SPARSE_VMEMMAP,
	 .memory = {{0, 8 * MiB, 0}},
	 .cpus = {2},
	 .min_free_kbytes = 64,
	 .kernelcore_bytes = 4 * MiB},
	/* Six page blocks, as scanners need some way to go until they meet. */
	{.model = MM_SPARSE, .memory = {{0, 12 * MiB, 0}}, .cpus = {2}, .min_free_kbytes = 64},
	/* A quarter is CMA. */
	{.model = MM_SPARSE_VMEMMAP,
	 .memory = {{0, 16 * MiB, 0}},
	 .cpus = {2},
	 .min_free_kbytes = 64,
	 .cma_bytes = 4 * MiB},
};

static const gfp_t flags[] = {
	GFP_KERNEL,
	GFP_HIGHUSER_MOVABLE,
	GFP_ATOMIC,
	GFP_NOWAIT | __GFP_RECLAIMABLE,
	GFP_KERNEL | GFP_DMA,
	GFP_DMA32 | GFP_KERNEL,
	GFP_KERNEL | __GFP_THISNODE,
	GFP_TRANSHUGE_LIGHT | __GFP_THISNODE,
	GFP_KERNEL | __GFP_MEMALLOC | __GFP_ZERO,
};

static uint64_t below(struct run *r, uint64_t n)
{
	return random_below(&r->rng, n);
}

/* Mostly small, as in life. */
static unsigned random_order(struct run *r)
{
	return (unsigned)(below(r, 4) ? below(r, 4) : below(r, NR_PAGE_ORDERS));
}

static void mark(struct run *r, const struct block *b, bool use)
{
	for (pfn_t pfn = b->pfn; pfn < b->pfn + (UINT64_C(1) << b->order); pfn++) {
		phys_addr_t at = pfn * 4096;

		cr_assert_lt(pfn, FRAMES);
		cr_assert(memblock_is_memory(&r->mm->memblock, at), "pfn 0x%lx is no memory", pfn);
		cr_assert_eq(r->in_use[pfn], !use, "pfn 0x%lx was %sin use", pfn,
			     use ? "" : "not ");
		r->in_use[pfn] = use;
	}
}

/* Any mode and any nodes, also none, and some that the machine does not have. */
static void random_policy(struct run *r, struct mm_policy *p)
{
	memset(p, 0, sizeof(*p));
	p->mode = (uint8_t)below(r, MM_NR_POLICY_MODES);
	p->relative = !below(r, 4);
	p->home_nid = (int16_t)((int)below(r, 4) - 1);
	p->nodes.bits[0] = below(r, 16);
}

/* Does the mask name a node with memory, and is all memory in a zone that policies are about? */
static bool must_bind(const struct run *r, const struct mm_policy *p)
{
	bool any = false;

	if (p->mode != MM_POLICY_BIND || p->relative)
		return false;
	for (int n = 0; n < mm_nr_nodes(r->mm); n++) {
		any |= mm_nodemask_has(&p->nodes, n) && r->mm->nodes[n].present;
		for (int z = 1; z < mm_get_arch(r->mm)->nr_zones; z++)
			if (r->mm->nodes[n].zones[z].managed)
				return false;
	}
	return any && !r->mm->ranges_are_nodes;
}

static int policy_alloc(struct run *r, const struct mm_request *req, struct page **page)
{
	struct mm_policy policy;
	struct mm_policy_use use = {.policy = &policy, .turn = (uint32_t)random_next(&r->rng)};
	int err;

	random_policy(r, &policy);
	use.huge = req->order == mm_get_arch(r->mm)->pageblock_order;
	err = mm_alloc_pages_policy(r->mm, req, &use, page);
	if (!err && must_bind(r, &policy) && !(req->gfp & (__GFP_THISNODE | __GFP_MEMALLOC)))
		cr_assert(mm_nodemask_has(&policy.nodes, mm_page_to_nid(r->mm, *page)));
	return err;
}

static void random_alloc(struct run *r)
{
	struct mm_request req = {
		.cpu = (int)below(r, (uint64_t)mm_nr_cpus(r->mm)),
		.nid = (int)below(r, (uint64_t)mm_nr_nodes(r->mm) + 1) - 1, /* MM_NO_NODE: -1 */
		.order = random_order(r),
		.gfp = flags[below(r, sizeof(flags) / sizeof(flags[0]))],
	};
	int wanted = req.nid == MM_NO_NODE ? mm_cpu_to_node(r->mm, req.cpu) : req.nid;
	struct block *b = &r->blocks[r->nr_blocks];
	bool by_policy = below(r, 2);
	int err =
		by_policy ? policy_alloc(r, &req, &b->page) : mm_alloc_pages(r->mm, &req, &b->page);

	r->failed += err != 0;
	if (err) {
		cr_assert(err == -ENOMEM && !b->page);
		return;
	}
	b->order = req.order;
	b->pfn = pfn_of(r->mm, b->page);
	cr_assert_eq(b->pfn % (UINT64_C(1) << b->order), 0, "pfn 0x%lx, order %u", b->pfn,
		     b->order);
	cr_assert_leq(mm_page_zonenum(r->mm, b->page), gfp_zone(mm_get_arch(r->mm), req.gfp));
	if ((req.gfp & __GFP_THISNODE) && !by_policy)
		cr_assert_eq(mm_page_to_nid(r->mm, b->page), wanted);
	mark(r, b, true);
	r->nr_blocks++;
	r->allocs++;
}

static void free_block(struct run *r, size_t i)
{
	struct block b = r->blocks[i];
	int cpu = (int)below(r, (uint64_t)mm_nr_cpus(r->mm));

	mark(r, &b, false);
	cr_assert_eq(mm_free_pages(r->mm, cpu, b.page, b.order), 0);
	r->blocks[i] = r->blocks[--r->nr_blocks];
}

/* A block in use becomes two, or as many as it has pages. */
static void split_block(struct run *r, size_t i)
{
	struct block *b = &r->blocks[i];
	unsigned order = b->order;
	bool singles = order < 4 && below(r, 2);
	uint64_t parts = singles ? UINT64_C(1) << order : 2;

	if (!order || r->nr_blocks + parts > BLOCKS)
		return;
	order = singles ? 0 : order - 1;
	cr_assert_eq(mm_split_page(r->mm, 0, b->page, order), 0);
	cr_assert_eq(mm_split_page(r->mm, 0, b->page, order), -EINVAL);
	b->order = order;
	for (uint64_t p = 1; p < parts; p++)
		r->blocks[r->nr_blocks++] =
			(struct block){b->page + (p << order), b->pfn + (p << order), order};
}

/* From the sink: the owner looks for his page. */
static void note_moved(void *ctx, int cpu, struct page *from, struct page *to)
{
	struct run *r = ctx;

	(void)cpu;
	for (size_t i = 0; i < r->nr_blocks; i++) {
		struct block *b = &r->blocks[i];

		if (b->page != from)
			continue;
		cr_assert_eq(to->order, b->order);
		mark(r, b, false);
		b->page = to;
		b->pfn = pfn_of(r->mm, to);
		mark(r, b, true);
		r->moved++;
		return;
	}
	cr_assert_fail("a page moved that nobody has");
}

/* Some blocks to a node, or to any of two. */
static void migrate(struct run *r)
{
	struct mm_nodemask mask = {.bits = {1 + below(r, 7)}};
	const struct mm_migrate_request req = {.cpu = (int)below(r, (uint64_t)mm_nr_cpus(r->mm)),
					       .nid = (int)below(r, (uint64_t)mm_nr_nodes(r->mm)),
					       .nodes = below(r, 2) ? &mask : NULL,
					       .reason = MM_MIGRATE_SYSCALL};
	struct page *pages[16], *before[16];
	size_t nr = 0, first = below(r, r->nr_blocks);
	uint64_t moved = r->moved;

	for (size_t i = first; i < r->nr_blocks && nr < 16; i++, nr++)
		pages[nr] = before[nr] = r->blocks[i].page;
	mm_migrate_pages(r->mm, &req, pages, nr);
	for (size_t i = 0; i < nr; i++)
		moved += pages[i] != before[i];
	/* Making room for targets may compact, which moves blocks that stay, or that came before.
	 */
	for (size_t i = 0; i < nr && r->moved == moved; i++)
		cr_assert_eq(pages[i], r->blocks[first + i].page);
}

/* Any frame with any order: refused, unless it happens to be right. */
static void wrong_free(struct run *r)
{
	pfn_t pfn = below(r, FRAMES);
	unsigned order = random_order(r);
	struct page *page = mm_pfn_to_page(r->mm, MM_NO_CPU, pfn);

	if (!page)
		return;
	for (size_t i = 0; i < r->nr_blocks; i++)
		if (r->blocks[i].pfn == pfn && r->blocks[i].order == order)
			return;
	cr_assert_eq(mm_free_pages(r->mm, 0, page, order), -EINVAL, "pfn 0x%lx, order %u", pfn,
		     order);
	r->refused++;
}

/* Single movable pages, every other of which goes, then all are moved together, and go. */
static void compact(struct run *r)
{
	size_t first = r->nr_blocks;

	while (r->nr_blocks < BLOCKS && r->nr_blocks < first + 128) {
		struct block *b = &r->blocks[r->nr_blocks];
		struct mm_request req = {.nid = MM_NO_NODE,
					 .gfp = (GFP_HIGHUSER_MOVABLE | __GFP_NORETRY) &
						~__GFP_RECLAIM};

		if (mm_alloc_pages(r->mm, &req, &b->page))
			break;
		b->order = 0;
		b->pfn = pfn_of(r->mm, b->page);
		mark(r, b, true);
		r->nr_blocks++;
	}
	for (size_t i = r->nr_blocks; i-- > first; i -= i > first)
		free_block(r, i);
	mm_compact_all(r->mm, below(r, 2) ? MM_NO_CPU : 0);
	must_verify(r->mm, "compacted");
	while (r->nr_blocks > first)
		free_block(r, r->nr_blocks - 1);
}

/* Frames anywhere, or of the area that is kept for such: what is in use there moves away. */
static void contig(struct run *r)
{
	pfn_t start = below(r, FRAMES);
	uint64_t nr = 1 + below(r, below(r, 8) ? 32 : 600);
	struct page *first = NULL;
	struct mm_cma_info cma;
	int cpu = (int)below(r, (uint64_t)mm_nr_cpus(r->mm));

	mm_cma_info(r->mm, &cma);
	if (cma.total && below(r, 2)) {
		if (mm_cma_alloc(r->mm, cpu, nr, (unsigned)below(r, 4), &first))
			return;
	} else if (!mm_alloc_contig_range(r->mm, cpu, start, start + nr, false)) {
		first = mm_pfn_to_page(r->mm, MM_NO_CPU, start);
	} else {
		return;
	}
	must_verify(r->mm, "emptied");
	for (uint64_t i = 0; i < nr; i++) {
		struct block b = {first + i, pfn_of(r->mm, first + i), 0};

		mark(r, &b, true);
		mark(r, &b, false);
	}
	if (cma.total && pfn_of(r->mm, first) >= cma.start)
		cr_assert_eq(mm_cma_release(r->mm, cpu, first, nr), 0);
	else
		mm_free_contig_range(r->mm, cpu, first, nr);
	r->contig++;
}

static void step(struct run *r)
{
	uint64_t what = below(r, 20);

	if (what == 0 && !below(r, 4))
		compact(r);
	else if (what == 0)
		wrong_free(r);
	else if (what == 1 && r->nr_blocks)
		migrate(r);
	else if (what == 3 && !below(r, 4))
		contig(r);
	else if (what == 2 && r->nr_blocks)
		split_block(r, below(r, r->nr_blocks));
	else if (what == 19 && !below(r, 8))
		mm_vmstat_update(r->mm, (int)below(r, (uint64_t)mm_nr_cpus(r->mm)));
	else if (r->nr_blocks < BLOCKS && (what < 11 || !r->nr_blocks))
		random_alloc(r);
	else
		free_block(r, below(r, r->nr_blocks));
}

/* Free blocks by node, zone and order up to that of page blocks. */
struct blocks {
	uint64_t nr[MACHINE_NODES][MM_MAX_ZONES][NR_PAGE_ORDERS];
};

static void count_blocks(const struct mm *mm, struct blocks *blocks)
{
	memset(blocks, 0, sizeof(*blocks));
	for (int n = 0; n < mm_nr_nodes(mm); n++)
		for (int z = 0; z < mm_get_arch(mm)->nr_zones; z++) {
			struct mm_zone_info info = zone_info(mm, n, z);

			memcpy(blocks->nr[n][z], info.nr_free_blocks, sizeof(info.nr_free_blocks));
			/* Those that were set apart have not merged. */
			for (unsigned o = MAX_PAGE_ORDER; o > mm_get_arch(mm)->pageblock_order;
			     o--) {
				blocks->nr[n][z][o - 1] += 2 * blocks->nr[n][z][o];
				blocks->nr[n][z][o] = 0;
			}
		}
}

/* Two page blocks of a zone are too few for compaction, and one node for other moves. */
static bool can_move(const struct run *r)
{
	return mm_nr_nodes(r->mm) > 1 || r->mm->end_pfn > 2048;
}

ParameterizedTestParameters(random, everything_holds_after_each_operation)
{
	return cr_make_param_array(struct machine, (struct machine *)machines,
				   sizeof(machines) / sizeof(machines[0]));
}

ParameterizedTest(struct machine *m, random, everything_holds_after_each_operation)
{
	static struct blocks before, after;
	static const struct mm_ops ops = {.moved = note_moved};
	static struct run r;
	uint64_t nr_ops = number_from_env("NUMASIM_OPS", 5000);
	char where[64];

	r.rng = random_seed(20221);
	r.mm = boot_with(m, &ops, &r);
	count_blocks(r.mm, &before);
	for (uint64_t i = 0; i < nr_ops; i++) {
		step(&r);
		snprintf(where, sizeof(where), "operation %lu", i);
		must_verify(r.mm, where);
	}
	while (r.nr_blocks)
		free_block(&r, r.nr_blocks - 1);
	drain_all(r.mm);
	must_verify(r.mm, "all given back");
	count_blocks(r.mm, &after);
	cr_expect_eq(memcmp(&before, &after, sizeof(before)), 0, "not all blocks came back");
	cr_expect(r.allocs > nr_ops / 4 && r.refused > 0 && r.failed > 0 &&
			  (r.moved > 0 || !can_move(&r) || nr_ops < 20000),
		  "%lu allocations, %lu failed, %lu frees refused, %lu moves: a test of too little",
		  r.allocs, r.failed, r.refused, r.moved);
	mm_destroy(r.mm);
}
