/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any state that the mm core gets into is one that it can begin in: after random work the counts
 * are taken, as a capture has them, put upon a machine that has just booted, and come out the same;
 * and what is done from there holds up too, frees of held pages among it.
 *
 * NUMASIM_SEED and NUMASIM_ROUNDS come from the environment, if they are there.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../mm_fixture.h"
#include "mm/alloc/pageblock.h"
#include "mm/start.h"

#define BLOCKS    4096
#define MAX_ZONES 8
#define CPUS      4

static const struct machine machines[] = {
	{.model = MM_SPARSE_VMEMMAP, .memory = {{0, 32 * MiB, 0}}, .cpus = {2}},
	/* Holes and reserved pages, so that page blocks are not whole. */
	{.model = MM_SPARSE_VMEMMAP,
	 .memory = {{4 * KiB, 13 * MiB, 0}, {16 * MiB, 40 * MiB, 0}, {56 * MiB, 33 * MiB, 1}},
	 .reserved = {{640 * KiB, 384 * KiB, MM_HOLDS_OTHER}, {20 * MiB, 3 * MiB, MM_HOLDS_OTHER}},
	 .cpus = {2, 2}},
	{.model = MM_SPARSE,
	 .arch = MM_I386,
	 .memory = {{0, 64 * MiB, 0}},
	 .cpus = {1},
	 .min_free_kbytes = 256},
};

struct state {
	struct mm_zone_state zones[MAX_ZONES];
	struct mm_pcp_state pcp[MAX_ZONES][CPUS];
	size_t nr;
};

static void take_zone(struct mm *mm, const struct mm_zone *zone, struct state *s)
{
	struct mm_zone_state *z = &s->zones[s->nr];
	struct mm_zone_info info;

	mm_zone_info(mm, zone->nid, zone->index, &info);
	*z = (struct mm_zone_state){.nid = zone->nid,
				    .zone = zone->index,
				    .managed = info.managed,
				    .min = info.min,
				    .low = info.low,
				    .high = info.high,
				    .boost = info.boost,
				    .pcp = s->pcp[s->nr]};
	memcpy(z->protection, info.protection, sizeof(z->protection));
	memcpy(z->free_blocks, info.nr_free_by_type, sizeof(z->free_blocks));
	mm_zone_pageblocks(mm, zone->nid, zone->index, z->page_blocks);
	for (int cpu = 0; cpu < mm->nr_cpus; cpu++)
		s->pcp[s->nr][cpu] = (struct mm_pcp_state){
			.count = mm_pcp_count(mm, zone->nid, zone->index, cpu),
			.high = info.pcp_high,
			.batch = info.pcp_batch,
			.stat_threshold = info.stat_threshold};
	s->nr++;
}

static void take_state(struct mm *mm, struct state *s)
{
	s->nr = 0;
	for (int n = 0; n < mm->nr_nodes; n++)
		for (int z = 0; z < mm->arch->nr_zones; z++)
			if (mm->nodes[n].zones[z].managed)
				take_zone(mm, &mm->nodes[n].zones[z], s);
}

static void expect_same(const struct state *a, const struct state *b, int nr_cpus)
{
	cr_assert_eq(a->nr, b->nr);
	for (size_t i = 0; i < a->nr; i++) {
		const struct mm_zone_state x = a->zones[i], y = b->zones[i];

		for (int t = 0; t < MM_NR_MIGRATETYPES; t++) {
			cr_assert_eq(x.page_blocks[t], y.page_blocks[t],
				     "zone %zu: page blocks of type %d", i, t);
			for (unsigned o = 0; o < NR_PAGE_ORDERS; o++)
				cr_assert_eq(x.free_blocks[t][o], y.free_blocks[t][o],
					     "zone %zu: order %u of type %d", i, o, t);
		}
		cr_assert_eq(x.managed, y.managed, "zone %zu", i);
		cr_assert_eq(x.min, y.min, "zone %zu", i);
		cr_assert_eq(x.low, y.low, "zone %zu", i);
		cr_assert_eq(x.high, y.high, "zone %zu", i);
		cr_assert_eq(x.boost, y.boost, "zone %zu", i);
		for (int cpu = 0; cpu < nr_cpus; cpu++)
			cr_assert_eq(a->pcp[i][cpu].count, b->pcp[i][cpu].count, "zone %zu, CPU %d",
				     i, cpu);
	}
}

static struct page *blocks[BLOCKS];
static size_t nr_blocks;

static void step(struct mm *mm, uint64_t *rng)
{
	static const gfp_t flags[] = {GFP_KERNEL, GFP_HIGHUSER_MOVABLE,
				      GFP_KERNEL | __GFP_RECLAIMABLE, GFP_ATOMIC, GFP_USER};
	int cpu = (int)random_below(rng, (uint64_t)mm->nr_cpus);
	size_t i = nr_blocks ? random_below(rng, nr_blocks) : 0;

	if (nr_blocks < BLOCKS && random_below(rng, 100) < 55) {
		unsigned order = (unsigned)(random_below(rng, 8) ? random_below(rng, 3)
								 : random_below(rng, 11));
		struct page *page = alloc(mm, cpu, order, flags[random_below(rng, 5)]);

		if (page)
			blocks[nr_blocks++] = page;
	} else if (nr_blocks) {
		cr_assert_eq(mm_free_pages(mm, cpu, blocks[i], blocks[i]->order), 0);
		blocks[i] = blocks[--nr_blocks];
	}
}

static void free_a_held(struct mm *mm, uint64_t *rng)
{
	int nid = (int)random_below(rng, (uint64_t)mm->nr_nodes);
	int zone = (int)random_below(rng, (uint64_t)mm->arch->nr_zones);
	int cpu = (int)random_below(rng, (uint64_t)mm->nr_cpus);
	unsigned order = (unsigned)random_below(rng, 4);
	uint64_t held = mm_held_pages(mm, nid, zone);
	int err = mm_free_held(mm, cpu, nid, zone,
			       (enum mm_migratetype)random_below(rng, MM_NR_PCPTYPES), order);

	cr_assert(err == 0 || err == -ENOENT);
	cr_assert_eq(mm_held_pages(mm, nid, zone), held - (err ? 0 : UINT64_C(1) << order));
	/* One page is there as long as any is. */
	cr_assert(err == 0 || order || !held);
}

/* The machine again, in that state; then on from there. */
static void begin_in(const struct machine *m, const struct state *wanted, uint64_t *rng)
{
	struct mm_refusal refusal = {0};
	struct mm *mm = boot(m);
	struct state found;

	cr_assert_eq(mm_start_from(mm, wanted->zones, wanted->nr, &refusal), 0, "%s", refusal.why);
	must_verify(mm, "at the start");
	take_state(mm, &found);
	expect_same(wanted, &found, mm->nr_cpus);
	nr_blocks = 0;
	for (int i = 0; i < 300; i++) {
		if (random_below(rng, 3))
			step(mm, rng);
		else
			free_a_held(mm, rng);
		must_verify(mm, "after a step from the start");
	}
	mm_destroy(mm);
}

Test(mm_start, every_state_can_be_begun_in)
{
	uint64_t rng = random_seed(20260801), rounds = number_from_env("NUMASIM_ROUNDS", 10);

	for (size_t m = 0; m < sizeof(machines) / sizeof(*machines); m++)
		for (uint64_t round = 0; round < rounds; round++) {
			struct mm *mm = boot(&machines[m]);
			uint64_t steps = random_below(&rng, 3 * BLOCKS);
			struct state s;

			nr_blocks = 0;
			for (uint64_t i = 0; i < steps; i++)
				step(mm, &rng);
			take_state(mm, &s);
			mm_destroy(mm);
			begin_in(&machines[m], &s, &rng);
		}
}
