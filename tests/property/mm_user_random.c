/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random processes on small machines that they overfill: fork, exec, exit, mmap of memory and
 * files, loads and stores, mlock, mbind, munmap, reads and writes of files, and reclaim and threads
 * of the kernel between them. Everything is verified after each operation; once all are gone,
 * memory and swap are free.
 *
 * NUMASIM_SEED and NUMASIM_OPS (operations a machine) come from the environment, if they are there.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../mm_fixture.h"
#include "mm/kthread.h"
#include "mm/reclaim/lru.h"
#include "mm/user/user.h"
#include "mm/vm_event.h"

#define SPACES 6
#define RANGES 8
#define FILES  3
#define PAGE   UINT64_C(4096)
#define SWAP   2000

struct range {
	uint64_t at, pages; /* 0: none */
};

struct run {
	struct recorder rec;
	struct mm *mm;
	uint64_t rng;
	struct mm_space *spaces[SPACES];
	struct range ranges[SPACES][RANGES];
	struct mm_file *files[FILES];
	uint64_t failed;
};

static const struct machine machines[] = {
	{.model = MM_FLAT, .memory = {{0, 8 * MiB, 0}}, .cpus = {2}, .min_free_kbytes = 256},
	{.model = MM_SPARSE,
	 .memory = {{0, 16 * MiB, 0}, {16 * MiB, 16 * MiB, 1}},
	 .cpus = {1, 2},
	 .min_free_kbytes = 512},
	{.model = MM_SPARSE_VMEMMAP,
	 .memory = {{0, 8 * MiB, 0}, {8 * MiB, 8 * MiB, 1}},
	 .cpus = {1, 1},
	 .min_free_kbytes = 512,
	 .no_thp = true},
};

static uint64_t below(struct run *r, uint64_t n)
{
	return random_below(&r->rng, n);
}

static int any_cpu(struct run *r)
{
	return (int)below(r, (uint64_t)mm_nr_cpus(r->mm));
}

static void note(struct run *r, int64_t err)
{
	cr_assert(err >= 0 || err == -ENOMEM, "error %ld", err);
	r->failed += err < 0;
}

static void map(struct run *r, int s)
{
	struct mm_mmap_args args = {
		.bytes = (1 + below(r, below(r, 3) ? 300 : 1500)) * PAGE,
		.shared = !below(r, 3),
		.advised = below(r, 2),
		.file = below(r, 3) ? NULL : r->files[below(r, FILES)],
	};
	struct range *range = &r->ranges[s][below(r, RANGES)];

	if (range->pages)
		return;
	note(r, mm_mmap(r->mm, any_cpu(r), r->spaces[s], &args, &range->at));
	range->pages = args.bytes / PAGE;
}

static struct range *any_range(struct run *r, int s)
{
	struct range *range = &r->ranges[s][below(r, RANGES)];

	return range->pages ? range : NULL;
}

static void use(struct run *r, int s)
{
	struct range *range = any_range(r, s);
	uint64_t first, nr;
	bool write = below(r, 3);

	if (!range)
		return;
	first = below(r, range->pages);
	nr = below(r, 4) ? below(r, 20) : range->pages;
	for (uint64_t i = 0; i < nr; i++) {
		phys_addr_t at;
		int err = mm_user_access(r->mm, any_cpu(r), r->spaces[s],
					 range->at + (first + i) % range->pages * PAGE, write, &at);

		note(r, err == -EFAULT ? 0 : err); /* a hole of munmap */
	}
}

static void part(struct run *r, const struct range *range, uint64_t *at, uint64_t *bytes)
{
	uint64_t first = below(r, range->pages);

	*at = range->at + first * PAGE;
	*bytes = (1 + below(r, range->pages - first)) * PAGE;
}

static void change(struct run *r, int s)
{
	struct range *range = any_range(r, s);
	struct mm_policy policy = {.mode = MM_POLICY_PREFERRED, .home_nid = MM_NO_NODE};
	uint64_t at, bytes;

	if (!range)
		return;
	part(r, range, &at, &bytes);
	mm_nodemask_set(&policy.nodes, (int)below(r, (uint64_t)mm_nr_nodes(r->mm)));
	switch (below(r, 6)) {
	case 0:
		note(r, mm_munmap(r->mm, any_cpu(r), r->spaces[s], at, bytes));
		break;
	case 1:
		note(r, mm_munmap(r->mm, any_cpu(r), r->spaces[s], range->at, range->pages * PAGE));
		range->pages = 0;
		break;
	case 2:
		if (bytes < 60 * PAGE)
			note(r, mm_mlock(r->mm, any_cpu(r), r->spaces[s], at, bytes, true));
		break;
	case 3:
		note(r, mm_mlock(r->mm, any_cpu(r), r->spaces[s], range->at, range->pages * PAGE,
				 false));
		break;
	case 4:
		note(r, mm_mbind(r->mm, any_cpu(r), r->spaces[s], at, bytes, &policy, below(r, 2)));
		break;
	default:
		note(r, mm_space_migrate(r->mm, any_cpu(r), r->spaces[s],
					 (int)below(r, (uint64_t)mm_nr_nodes(r->mm))));
	}
}

static void file_io(struct run *r, int s)
{
	bool write = below(r, 2);
	phys_addr_t at;

	note(r, mm_file_access(r->mm, any_cpu(r), r->spaces[s], r->files[below(r, FILES)],
			       below(r, 800), (unsigned)below(r, 16), write, write, &at));
	if (!below(r, 40))
		mm_file_drop(r->mm, any_cpu(r), r->files[below(r, FILES)]);
}

static void forget(struct run *r, int s)
{
	for (int i = 0; i < RANGES; i++)
		r->ranges[s][i].pages = 0;
}

static void live(struct run *r, int s)
{
	struct mm_space **space = &r->spaces[s];
	int parent = (int)below(r, SPACES);

	if (!*space && r->spaces[parent]) {
		int err = mm_space_fork(r->mm, any_cpu(r), r->spaces[parent], "child", space);

		note(r, err);
		for (int i = 0; i < RANGES && !err; i++)
			r->ranges[s][i] = r->ranges[parent][i];
		if (err)
			*space = NULL;
	} else if (!*space) {
		note(r, mm_space_new(r->mm, any_cpu(r), "new", NULL, space));
	} else if (!below(r, 3)) {
		int err = mm_space_exec(r->mm, any_cpu(r), *space);

		note(r, err);
		if (!err)
			forget(r, s);
	} else {
		mm_space_exit(r->mm, any_cpu(r), *space);
		*space = NULL;
		forget(r, s);
	}
}

static void step(struct run *r)
{
	int s = (int)below(r, SPACES), cpu = any_cpu(r);
	uint64_t what = below(r, 40);

	r->rec.hold_threads = below(r, 2);
	if (what == 0) {
		mm_kthread_run(r->mm,
			       mm_kthread(r->mm, (int)below(r, (uint64_t)mm_nr_kthreads(r->mm))),
			       &cpu, below(r, 2));
	} else if (!r->spaces[s] || what == 1) {
		live(r, s);
	} else if (what < 8) {
		map(r, s);
	} else if (what < 13) {
		change(r, s);
	} else if (what < 20) {
		file_io(r, s);
	} else {
		mm_space_run(r->mm, cpu, r->spaces[s]);
		use(r, s);
	}
	record_from_here(&r->rec);
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

static void end(struct run *r)
{
	for (int s = 0; s < SPACES; s++)
		if (r->spaces[s])
			mm_space_exit(r->mm, 0, r->spaces[s]);
	for (int i = 0; i < FILES; i++)
		mm_file_drop(r->mm, 0, r->files[i]);
}

ParameterizedTestParameters(random_user, everything_holds_after_each_operation)
{
	return cr_make_param_array(struct machine, (struct machine *)machines,
				   sizeof(machines) / sizeof(machines[0]));
}

ParameterizedTest(struct machine *m, random_user, everything_holds_after_each_operation)
{
	static struct run r;
	uint64_t ops = number_from_env("NUMASIM_OPS", 2500), before;
	char where[64];

	r.rng = random_seed(815);
	r.mm = boot_recorded(m, &r.rec);
	r.mm->params.thp = m->no_thp ? MM_THP_NEVER : MM_THP_ALWAYS;
	mm_set_swap(r.mm, SWAP);
	mm_sysctl(r.mm, "swappiness", "180", NULL);
	before = in_use(r.mm);
	r.files[0] = mm_file_open(r.mm, "/data/a", false);
	r.files[1] = mm_file_open(r.mm, "/data/b", false);
	r.files[2] = mm_file_open(r.mm, "/dev/shm/c", true);
	for (uint64_t i = 0; i < ops; i++) {
		step(&r);
		snprintf(where, sizeof(where), "operation %lu", i);
		must_verify(r.mm, where);
	}
	cr_expect(mm_vm_event(r.mm, MM_VM_PSWPOUT) && mm_vm_event(r.mm, MM_VM_PSWPIN) &&
			  mm_vm_event(r.mm, MM_VM_PGMAJFAULT) &&
			  mm_vm_event(r.mm, MM_VM_PGSTEAL_FILE) &&
			  mm_vm_event(r.mm, MM_VM_UNEVICTABLE_MLOCKED),
		  "%lu swapped, %lu back, %lu major faults, %lu of files: a test of too little",
		  mm_vm_event(r.mm, MM_VM_PSWPOUT), mm_vm_event(r.mm, MM_VM_PSWPIN),
		  mm_vm_event(r.mm, MM_VM_PGMAJFAULT), mm_vm_event(r.mm, MM_VM_PGSTEAL_FILE));
	end(&r);
	must_verify(r.mm, "all gone");
	cr_expect_eq(in_use(r.mm), before, "%lu pages are in use, %lu before", in_use(r.mm),
		     before);
	cr_expect_eq(mm_swap_free_pages(r.mm), SWAP, "swap leaks");
	mm_destroy(r.mm);
	free(r.rec.records);
}
