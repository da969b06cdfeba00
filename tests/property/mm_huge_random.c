/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random work on huge pages of users: whole and in part unmapped, shared by fork, copied, locked,
 * swapped whole and split, collapsed, under reclaim of any priority. Everything is verified after
 * each operation; once all are gone, memory and swap are free.
 *
 * NUMASIM_SEED and NUMASIM_OPS come from the environment, if they are there.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../mm_fixture.h"
#include "mm/kthread.h"
#include "mm/reclaim/lru.h"
#include "mm/reclaim/vmscan.h"
#include "mm/user/user.h"

#define SPACES 4
#define PAGE   UINT64_C(4096)
#define RANGE  (5 * 512) /* pages */
#define SWAP   3000

static const struct machine two = {
	.model = MM_SPARSE_VMEMMAP,
	.memory = {{0, 32 * MiB, 0}, {32 * MiB, 16 * MiB, 1}},
	.cpus = {1, 1},
	.min_free_kbytes = 512,
};

struct run {
	struct mm *mm;
	uint64_t rng, at;
	struct mm_space *spaces[SPACES];
};

static uint64_t below(struct run *r, uint64_t n)
{
	return random_below(&r->rng, n);
}

static void note(int64_t err)
{
	cr_assert(err >= 0 || err == -ENOMEM || err == -EFAULT, "error %ld", err);
}

/* From a boundary of a huge page on or not. */
static void part(struct run *r, uint64_t *page, uint64_t *nr)
{
	*page = below(r, 2) ? below(r, RANGE / 512) * 512 : below(r, RANGE);
	*nr = 1 + below(r, below(r, 2) ? 40 : RANGE - *page);
	if (*nr > RANGE - *page)
		*nr = RANGE - *page;
}

static void live(struct run *r, int s)
{
	int parent = (int)below(r, SPACES), cpu = (int)below(r, 2);
	struct mm_space **space = &r->spaces[s];
	uint64_t at;

	if (*space) {
		mm_space_exit(r->mm, cpu, *space);
		*space = NULL;
	} else if (r->spaces[parent]) {
		if (mm_space_fork(r->mm, cpu, r->spaces[parent], "child", space))
			*space = NULL;
	} else if (!mm_space_new(r->mm, cpu, "new", NULL, space)) {
		cr_assert_eq(mm_mmap(r->mm, cpu, *space,
				     &(struct mm_mmap_args){.bytes = RANGE * PAGE}, &at),
			     0);
		cr_assert(!r->at || r->at == at);
		r->at = at;
	}
}

static void use(struct run *r, struct mm_space *space)
{
	bool write = below(r, 3);
	uint64_t page, nr;
	phys_addr_t phys;

	part(r, &page, &nr);
	for (uint64_t i = 0; i < nr; i += 1 + below(r, 100))
		note(mm_user_access(r->mm, (int)below(r, 2), space, r->at + (page + i) * PAGE,
				    write, &phys));
}

static void change(struct run *r, struct mm_space *space)
{
	uint64_t page, nr, what = below(r, 5);
	int cpu = (int)below(r, 2);

	part(r, &page, &nr);
	if (what < 3)
		note(mm_munmap(r->mm, cpu, space, r->at + page * PAGE, nr * PAGE));
	else if (what == 3)
		note(mm_mlock(r->mm, cpu, space, r->at + page * PAGE, (nr < 600 ? nr : 600) * PAGE,
			      below(r, 2)));
	else
		note(mm_space_migrate(r->mm, cpu, space, (int)below(r, 2)));
}

static void reclaim(struct run *r)
{
	struct mm_scan sc = {.cpu = (int)below(r, 2),
			     .kswapd = below(r, 2),
			     .gfp = GFP_KERNEL,
			     .priority = below(r, 2) ? 0 : (int)below(r, 5),
			     .reclaim_idx = 3,
			     .nr_to_reclaim = 1 + below(r, 2000),
			     .may_unmap = true,
			     .may_swap = below(r, 2),
			     .may_writepage = true};

	mm_shrink_node(r->mm, &r->mm->nodes[below(r, 2)], &sc);
}

static void step(struct run *r)
{
	int s = (int)below(r, SPACES);
	uint64_t what = below(r, 24);
	int cpu = (int)below(r, 2);

	if (!r->spaces[s] || what < 2)
		live(r, s);
	else if (what < 12)
		use(r, r->spaces[s]);
	else if (what < 17)
		change(r, r->spaces[s]);
	else if (what < 23)
		reclaim(r);
	else
		mm_kthread_run(r->mm, mm_kthread(r->mm, mm_nr_kthreads(r->mm) - 1), &cpu, false);
}

static uint64_t in_use(struct mm *mm)
{
	uint64_t pages = 0;

	drain_all(mm);
	for (int n = 0; n < mm_nr_nodes(mm); n++)
		for (int z = 0; z < mm_get_arch(mm)->nr_zones; z++)
			pages += zone_info(mm, n, z).managed - zone_info(mm, n, z).free;
	return pages;
}

Test(random_huge, everything_holds_after_each_operation)
{
	static const enum mm_vm_event must[] = {
		MM_VM_THP_FAULT_ALLOC,   MM_VM_THP_SPLIT_PAGE, MM_VM_THP_DEFERRED_SPLIT_PAGE,
		MM_VM_THP_SWPOUT,        MM_VM_SLABS_SCANNED,  MM_VM_THP_SWPOUT_FALLBACK,
		MM_VM_THP_COLLAPSE_ALLOC};
	struct run r = {.rng = random_seed(2310)};
	uint64_t ops = number_from_env("NUMASIM_OPS", 4000), before;
	char where[64];

	r.mm = boot(&two);
	r.mm->params.thp = MM_THP_ALWAYS;
	mm_set_swap(r.mm, SWAP);
	mm_sysctl(r.mm, "swappiness", "200", NULL);
	before = in_use(r.mm);
	for (uint64_t i = 0; i < ops; i++) {
		step(&r);
		snprintf(where, sizeof(where), "operation %lu", i);
		must_verify(r.mm, where);
	}
	for (size_t i = 0; i < sizeof(must) / sizeof(must[0]); i++)
		cr_expect(mm_vm_event(r.mm, must[i]) > 3, "%s is %lu: a test of too little",
			  mm_vm_event_name(must[i]), mm_vm_event(r.mm, must[i]));
	for (int s = 0; s < SPACES; s++)
		if (r.spaces[s])
			mm_space_exit(r.mm, 0, r.spaces[s]);
	must_verify(r.mm, "all gone");
	cr_expect_eq(in_use(r.mm), before, "%lu pages are in use, %lu before", in_use(r.mm),
		     before);
	cr_expect_eq(mm_swap_free_pages(r.mm), SWAP, "swap leaks");
	mm_destroy(r.mm);
}
