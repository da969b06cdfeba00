/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random caches, sizes, CPUs and nodes: objects do not overlap, are aligned and on the right node
 * where they have to be, and all invariants hold after each operation. With debugging and without.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../mm_fixture.h"
#include "mm/gfp.h"
#include "mm/slab/slub.h"

#define MAX_LIVE   600
#define MAX_CACHES 12

struct live {
	phys_addr_t at;
	uint64_t bytes;
	int cache; /* -1: kmalloc's */
};

struct play {
	struct mm *mm;
	uint64_t rng;
	struct live live[MAX_LIVE];
	unsigned nr;
	struct mm_kmem_cache *caches[MAX_CACHES];
	struct mm_cache_args args[MAX_CACHES];
	char names[MAX_CACHES][8];
	unsigned serial;
};

static struct mm_slab_request request(struct play *p)
{
	static const gfp_t flags[] = {GFP_KERNEL,
				      GFP_ATOMIC,
				      GFP_KERNEL | __GFP_ZERO,
				      GFP_KERNEL_ACCOUNT,
				      GFP_KERNEL | __GFP_RECLAIMABLE,
				      GFP_KERNEL | __GFP_THISNODE};

	return (struct mm_slab_request){
		.cpu = (int)random_below(&p->rng, (uint64_t)p->mm->nr_cpus),
		.gfp = flags[random_below(&p->rng, sizeof(flags) / sizeof(flags[0]))],
		.nid = random_below(&p->rng, 3)
			       ? MM_NO_NODE
			       : (int)random_below(&p->rng, (uint64_t)p->mm->nr_nodes),
	};
}

static void remember(struct play *p, phys_addr_t at, uint64_t bytes, int cache)
{
	for (unsigned i = 0; i < p->nr; i++)
		cr_assert(at + bytes <= p->live[i].at || p->live[i].at + p->live[i].bytes <= at,
			  "two objects overlap");
	p->live[p->nr++] = (struct live){at, bytes, cache};
}

static void alloc_one(struct play *p)
{
	struct mm_slab_request req = request(p);
	int c = (int)random_below(&p->rng, MAX_CACHES + 4);
	uint64_t bytes;
	phys_addr_t at;
	int err;

	if (p->nr == MAX_LIVE)
		return;
	if (c >= MAX_CACHES || !p->caches[c]) {
		c = -1;
		bytes = 1 + random_below(&p->rng, UINT64_C(1) << (3 + random_below(&p->rng, 13)));
		err = mm_kmalloc(p->mm, bytes, &req, &at);
	} else {
		bytes = p->args[c].size;
		err = mm_kmem_cache_alloc(p->mm, p->caches[c], &req, &at);
	}
	if (err) {
		cr_assert_eq(err, -ENOMEM);
		return;
	}
	if (req.nid != MM_NO_NODE && (req.gfp & __GFP_THISNODE) && mm_slab_node_has(p->mm, req.nid))
		cr_assert_eq(mm_slab_of(p->mm, at)->nid, req.nid);
	if (c >= 0 && p->args[c].align)
		cr_assert_eq(at % p->args[c].align, 0);
	remember(p, at, bytes, c);
}

static void free_at(struct play *p, unsigned i)
{
	int cpu = (int)random_below(&p->rng, (uint64_t)p->mm->nr_cpus);
	struct live l = p->live[i];

	p->live[i] = p->live[--p->nr];
	if (l.cache < 0)
		cr_assert_eq(mm_kfree(p->mm, cpu, l.at), 0);
	else
		cr_assert_eq(mm_kmem_cache_free(p->mm, cpu, p->caches[l.cache], l.at), 0);
	if (random_below(&p->rng, 16) == 0)
		cr_assert_eq(mm_kfree(p->mm, cpu, l.at), -EINVAL);
}

static void create(struct play *p, int c)
{
	static const unsigned flags[] = {0,
					 MM_SLAB_HWCACHE_ALIGN,
					 MM_SLAB_RCU,
					 MM_SLAB_CTOR,
					 MM_SLAB_RECLAIM_ACCOUNT,
					 MM_SLAB_ACCOUNT};

	snprintf(p->names[c], sizeof(p->names[c]), "c%u", p->serial++ % 10000);
	p->args[c] = (struct mm_cache_args){
		.name = p->names[c],
		.size = 1 + (uint32_t)random_below(&p->rng,
						   UINT64_C(1) << (1 + random_below(&p->rng, 13))),
		.align = random_below(&p->rng, 3) ? 0 : 1u << random_below(&p->rng, 8),
		.flags = flags[random_below(&p->rng, sizeof(flags) / sizeof(flags[0]))],
	};
	if (mm_kmem_cache_create(p->mm, 0, &p->args[c], &p->caches[c]))
		p->caches[c] = NULL;
}

/* Merged caches go one by one; the last of them only when its objects are gone. */
static void destroy(struct play *p, int c)
{
	bool shared = p->caches[c]->refs > 1;
	uint64_t used = 0, left;

	for (unsigned i = 0; i < p->nr; i++)
		used += p->live[i].cache == c;
	if (shared && used)
		return;
	if (mm_kmem_cache_destroy(p->mm, 0, p->caches[c], &left) == 0) {
		cr_assert(!used);
		p->caches[c] = NULL;
	} else {
		cr_assert_eq(left, used);
	}
}

static void step(struct play *p)
{
	int c = (int)random_below(&p->rng, MAX_CACHES);
	uint64_t what = random_below(&p->rng, 100);

	if (what < 50)
		alloc_one(p);
	else if (what < 90 && p->nr)
		free_at(p, (unsigned)random_below(&p->rng, p->nr));
	else if (what < 92 && p->caches[c])
		mm_kmem_cache_shrink(p->mm, 0, p->caches[c]);
	else if (what < 95 && p->caches[c])
		destroy(p, c);
	else if (what < 98 && !p->caches[c])
		create(p, c);
	else if (what == 99)
		while (p->nr > MAX_LIVE / 2)
			free_at(p, (unsigned)random_below(&p->rng, p->nr));
}

static void play(struct machine *m, uint64_t seed, uint64_t steps)
{
	struct play *p = calloc(1, sizeof(*p));

	p->mm = boot(m);
	p->rng = seed;
	for (uint64_t i = 0; i < steps; i++) {
		step(p);
		if (i % 8 == 0)
			must_verify(p->mm, "in a random run");
	}
	while (p->nr)
		free_at(p, p->nr - 1);
	for (int c = 0; c < MAX_CACHES; c++)
		if (p->caches[c])
			cr_assert_eq(mm_kmem_cache_destroy(p->mm, 0, p->caches[c], NULL), 0);
	must_verify(p->mm, "at the end");
	mm_destroy(p->mm);
	free(p);
}

static struct machine machine(uint64_t *rng)
{
	/* Node 2 has no memory, node 3 no CPU. */
	struct machine m = {
		.memory = {{0, 8 * MiB, 0}, {8 * MiB, 4 * MiB, 1}, {12 * MiB, 4 * MiB, 3}},
		.cpus = {2, 1, 1}};

	m.slab_nomerge = random_below(rng, 2);
	m.arch = random_below(rng, 4) ? MM_X86_64 : MM_I386;
	if (m.arch == MM_I386)
		m.model = MM_SPARSE;
	else
		m.model = MM_SPARSE_VMEMMAP;
	return m;
}

Test(slab_random, all_invariants_hold)
{
	uint64_t seed = random_seed(20221211), steps = number_from_env("NUMASIM_STEPS", 3000);

	for (int run = 0; run < 4; run++) {
		struct machine m = machine(&seed);

		play(&m, random_next(&seed), steps);
	}
}

Test(slab_random, all_invariants_hold_with_debugging)
{
	uint64_t seed = random_seed(61), steps = number_from_env("NUMASIM_STEPS", 3000);

	for (int run = 0; run < 3; run++) {
		struct machine m = machine(&seed);

		m.slab_debug = 1 + (unsigned)random_below(&seed, MM_SLAB_DEBUG);
		play(&m, random_next(&seed), steps);
	}
}
