/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random allocations that fill small machines over and over with pages that reclaim follows, while
 * they are used, dirtied, locked, written and freed; everything verified after each operation. A
 * page that reclaim takes belongs to nobody, one that it has not taken is still there.
 *
 * NUMASIM_SEED and NUMASIM_OPS (operations a machine) come from the environment, if they are there.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../mm_fixture.h"
#include "mm/kthread.h"
#include "mm/reclaim/lru.h"

#define BLOCKS 4096
#define WRITES 4096

struct block {
	struct page *page;
	unsigned order;
};

struct run {
	struct recorder rec;
	struct mm *mm;
	uint64_t rng;
	struct block blocks[BLOCKS];
	size_t nr_blocks;
	uint64_t in_swap; /* pages */
	uint64_t reclaimed, swapped, written, failed, moved;
	size_t seen; /* records looked at */
	struct page *writes[WRITES];
	size_t nr_writes;
};

static const struct machine machines[] = {
	{.model = MM_FLAT, .memory = {{0, 6 * MiB, 0}}, .cpus = {2}, .min_free_kbytes = 128},
	{.model = MM_SPARSE_VMEMMAP,
	 .memory = {{0, 4 * MiB, 0}, {4 * MiB, 4 * MiB, 1}, {8 * MiB, MiB, 0}},
	 .cpus = {1, 2, 1},
	 .min_free_kbytes = 128},
	{.model = MM_SPARSE_VMEMMAP,
	 .memory = {{12 * MiB, 8 * MiB, 0}},
	 .cpus = {2},
	 .kernelcore_bytes = 3 * MiB,
	 .min_free_kbytes = 128},
};

static const gfp_t flags[] = {
	GFP_KERNEL,
	GFP_HIGHUSER_MOVABLE,
	GFP_HIGHUSER_MOVABLE | __GFP_ZERO,
	GFP_NOFS | __GFP_HARDWALL | __GFP_NORETRY,
	GFP_ATOMIC,
	GFP_NOWAIT,
	GFP_NOIO,
	GFP_KERNEL | GFP_DMA,
	GFP_KERNEL | __GFP_RETRY_MAYFAIL,
	GFP_KERNEL | __GFP_NOFAIL,
	GFP_KERNEL | __GFP_MEMALLOC,
};

static uint64_t below(struct run *r, uint64_t n)
{
	return random_below(&r->rng, n);
}

static int any_cpu(struct run *r)
{
	return (int)below(r, (uint64_t)mm_nr_cpus(r->mm));
}

/* Returns its order: the page may be another's by now. */
static unsigned forget(struct run *r, const struct page *page)
{
	size_t i = 0;
	unsigned order;

	while (i < r->nr_blocks && r->blocks[i].page != page)
		i++;
	cr_assert_lt(i, r->nr_blocks, "a page of nobody was reclaimed");
	order = r->blocks[i].order;
	r->blocks[i] = r->blocks[--r->nr_blocks];
	return order;
}

static void moved(struct run *r, const struct page *from, struct page *to)
{
	size_t i = 0;

	while (i < r->nr_blocks && r->blocks[i].page != from)
		i++;
	cr_assert_lt(i, r->nr_blocks, "a page of nobody was moved");
	r->blocks[i].page = to;
	r->moved++;
}

/* What the recorder was told in the last operation, in its order. */
static void catch_up(struct run *r)
{
	for (; r->seen < r->rec.nr; r->seen++) {
		const struct record *rec = &r->rec.records[r->seen];
		unsigned order;

		if (rec->kind == REC_WRITE && r->rec.hold_writes) {
			cr_assert_lt(r->nr_writes, WRITES);
			r->writes[r->nr_writes++] = rec->page;
		}
		if (rec->kind == REC_WRITE)
			r->written++;
		if (rec->kind == REC_MOVED)
			moved(r, rec->page, rec->to);
		if (rec->kind != REC_RECLAIMED)
			continue;
		order = forget(r, rec->page);
		r->reclaimed++;
		if (rec->swapped) {
			r->swapped++;
			r->in_swap += UINT64_C(1) << order;
		}
	}
	record_from_here(&r->rec);
	r->seen = 0;
}

static void random_alloc(struct run *r)
{
	struct mm_request req = {
		.cpu = any_cpu(r),
		.nid = MM_NO_NODE,
		.order = below(r, 8) ? 0 : (unsigned)below(r, 5),
		.gfp = flags[below(r, sizeof(flags) / sizeof(flags[0]))],
		.pf_memalloc = !below(r, 20),
	};
	struct page *page;

	if (r->nr_blocks == BLOCKS)
		return;
	if (mm_alloc_pages(r->mm, &req, &page)) {
		r->failed++;
		catch_up(r);
		return;
	}
	catch_up(r);
	r->blocks[r->nr_blocks++] = (struct block){page, req.order};
	if (below(r, 8))
		cr_assert_eq(mm_lru_add(r->mm, req.cpu, page, (enum mm_page_kind)(1 + below(r, 3))),
			     0);
}

static struct block *any_block(struct run *r)
{
	return &r->blocks[below(r, r->nr_blocks)];
}

static void random_use(struct run *r)
{
	struct page *page = any_block(r)->page;
	bool followed = page->flags & PG_PLACE_MASK;
	int err;

	switch (below(r, 5)) {
	case 0:
		err = mm_page_accessed(r->mm, any_cpu(r), page);
		break;
	case 1:
		err = mm_page_touched(r->mm, 0, page, below(r, 2));
		break;
	case 2:
		err = mm_page_dirty(r->mm, 0, page);
		break;
	case 3:
		err = mm_page_lock_in(r->mm, any_cpu(r), page, !below(r, 4));
		break;
	default:
		mm_lru_drain(r->mm, any_cpu(r));
		err = followed ? 0 : -EINVAL;
	}
	cr_assert_eq(err, followed ? 0 : -EINVAL);
}

static void random_free(struct run *r)
{
	struct block *b = any_block(r), gone = *b;

	*b = r->blocks[--r->nr_blocks];
	cr_assert_eq(mm_free_pages(r->mm, any_cpu(r), gone.page, gone.order), 0);
	cr_assert_eq(mm_free_pages(r->mm, any_cpu(r), gone.page, gone.order), -EINVAL);
}

static void random_end_of_write(struct run *r)
{
	size_t i = below(r, r->nr_writes);
	struct page *page = r->writes[i];

	r->writes[i] = r->writes[--r->nr_writes];
	mm_write_done(r->mm, any_cpu(r), page);
}

static void run_a_thread(struct run *r)
{
	struct mm_kthread *thread =
		mm_kthread(r->mm, (int)below(r, (uint64_t)mm_nr_kthreads(r->mm)));
	int cpu = any_cpu(r);

	mm_kthread_run(r->mm, thread, &cpu, below(r, 2));
}

static void step(struct run *r)
{
	uint64_t what = below(r, 40);

	r->rec.hold_writes = below(r, 2);
	r->rec.hold_threads = below(r, 2);
	if (what == 0)
		run_a_thread(r);
	else if (what < 4 && r->in_swap)
		mm_swap_drop(r->mm, 0), r->in_swap--;
	else if (what < 12 && r->nr_writes)
		random_end_of_write(r);
	else if (what < 20 && r->nr_blocks)
		random_use(r);
	else if (what < 23 && r->nr_blocks)
		random_free(r);
	else
		random_alloc(r);
	catch_up(r);
}

ParameterizedTestParameters(random_reclaim, everything_holds_after_each_operation)
{
	return cr_make_param_array(struct machine, (struct machine *)machines,
				   sizeof(machines) / sizeof(machines[0]));
}

ParameterizedTest(struct machine *m, random_reclaim, everything_holds_after_each_operation)
{
	static struct run r;
	uint64_t ops = number_from_env("NUMASIM_OPS", 5000);
	char where[64];

	r.rng = random_seed(4711);
	r.mm = boot_recorded(m, &r.rec);
	mm_set_swap(r.mm, 300);
	mm_sysctl(r.mm, "zone_reclaim_mode", "7", NULL);
	for (uint64_t i = 0; i < ops; i++) {
		step(&r);
		snprintf(where, sizeof(where), "operation %lu", i);
		must_verify(r.mm, where);
		cr_assert_leq(mm_swap_free_pages(r.mm) + r.in_swap, 300, "%s", where);
	}
	while (r.nr_writes)
		random_end_of_write(&r);
	while (r.nr_blocks)
		random_free(&r);
	drain_all(r.mm);
	must_verify(r.mm, "all given back");
	cr_expect_eq(mm_swap_free_pages(r.mm) + r.in_swap, 300, "swap leaks");
	for (int n = 0; n < mm_nr_nodes(r.mm); n++)
		for (int z = 0; z < mm_get_arch(r.mm)->nr_zones; z++)
			cr_expect_eq(zone_info(r.mm, n, z).free, zone_info(r.mm, n, z).managed);
	/* Whether 5000 operations run out of memory depends on the seed; that of the suite does. */
	cr_expect(r.reclaimed > ops / 20 && r.swapped && r.written > 50 &&
			  (r.failed || getenv("NUMASIM_SEED")),
		  "%lu pages reclaimed, %lu swapped, %lu written, %lu allocations failed: a test "
		  "of too little",
		  r.reclaimed, r.swapped, r.written, r.failed);
	mm_destroy(r.mm);
	free(r.rec.records);
}
