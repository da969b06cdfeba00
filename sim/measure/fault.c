/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault: the first CPU of each node stores to memory of its own that is not there yet, page by page
 * and bound to each node in turn: single pages, then huge ones. What it takes is the handling of
 * the fault, the page allocator's work, the zeroing, the page tables and the LRU lists.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "mm/user/user.h"
#include "sim/json.h"
#include "sim/measure.h"

#define SMALL_FAULTS 2048
#define HUGE_FAULTS  16

struct fault {
	const struct measure *m;
	uint64_t *small_ps, *huge_ps; /* [from * nr_nodes + to] */
	uint64_t huge_missed;         /* huge pages that were wanted and did not come */
	int err;
};

/* Store to the first page of each `step` bytes of a range of `nr` of them, all new. */
static int store_all(struct measure_team *t, int cpu, struct mm_space *space, uint64_t nr,
		     uint64_t step, uint64_t start)
{
	phys_addr_t at;

	for (uint64_t i = 0; i < nr; i++)
		if (mm_user_access(sim_mm(t->sim), cpu, space, start + i * step, true, &at) < 0)
			return -ENOSPC;
	return 0;
}

/* In picoseconds a fault. */
static uint64_t fault_in(struct measure_team *t, int cpu, const struct mm_policy *policy, bool huge)
{
	struct fault *f = t->arg;
	struct mm *mm = sim_mm(t->sim);
	const struct mm_arch *arch = mm_get_arch(mm);
	uint64_t nr = huge ? HUGE_FAULTS : SMALL_FAULTS, took_ps = 0, start;
	uint64_t step = UINT64_C(1) << (arch->page_shift + (huge ? arch->pageblock_order : 0));
	const struct mm_mmap_args args = {.bytes = nr * step, .advised = huge, .refused = !huge};
	struct mm_space_info info;
	struct mm_space *space;

	f->err = mm_space_new(mm, cpu, "fault", policy, &space);
	if (f->err)
		return 0;
	f->err = mm_mmap(mm, cpu, space, &args, &start);
	if (!f->err) {
		mm_space_run(mm, cpu, space);
		sim_settle(t->sim, cpu);
		took_ps = sim_now_ps(t->sim, cpu);
		f->err = store_all(t, cpu, space, nr, step, start);
		sim_settle(t->sim, cpu);
		took_ps = sim_now_ps(t->sim, cpu) - took_ps;
	}
	mm_space_info(mm, space, &info);
	f->huge_missed += huge ? info.zeroed : 0;
	mm_space_exit(mm, cpu, space);
	return took_ps / nr;
}

/* A phase is a pair of nodes. */
static bool joins(const struct measure_team *t, int cpu, int phase)
{
	const struct fault *f = t->arg;
	int nr = f->m->machine->mm.nr_nodes;

	return measure_is_first(f->m, cpu, phase / nr) && measure_to(f->m, phase % nr);
}

static void work(struct measure_team *t, int cpu, int phase)
{
	struct fault *f = t->arg;
	struct mm_policy policy = {.mode = MM_POLICY_BIND, .home_nid = MM_NO_NODE};

	if (f->err)
		return;
	mm_nodemask_set(&policy.nodes, phase % f->m->machine->mm.nr_nodes);
	f->small_ps[phase] = fault_in(t, cpu, &policy, false);
	f->huge_ps[phase] = fault_in(t, cpu, &policy, true);
}

static int run(const struct measure *m, json_t *doc)
{
	int nr = m->machine->mm.nr_nodes;
	size_t cells = (size_t)nr * (size_t)nr;
	struct fault f = {
		.m = m,
		.small_ps = calloc(cells, sizeof(*f.small_ps)),
		.huge_ps = calloc(cells, sizeof(*f.huge_ps)),
	};
	struct measure_team team = {
		.m = m, .nr_phases = nr * nr, .work = work, .joins = joins, .arg = &f};
	int err = f.small_ps && f.huge_ps ? sim_create(m->machine, m->costs, m->diag, &team.sim)
					  : -ENOMEM;

	if (!err)
		err = measure_team_run(&team);
	if (!err && f.err == -ENOSPC)
		err = diag_error(m->diag, f.err, m->machine->file, 0,
				 "its memory is too small to measure faults with");
	else if (!err)
		err = f.err;
	if (!err) {
		const struct mm_arch *arch = mm_get_arch(sim_mm(team.sim));

		json_put(doc, "page_bytes", UINT64_C(1) << arch->page_shift);
		json_put(doc, "huge_bytes",
			 UINT64_C(1) << (arch->page_shift + arch->pageblock_order));
		json_put(doc, "huge_missed", f.huge_missed);
		measure_put_matrix(m, doc, "fault_ps", f.small_ps);
		measure_put_matrix(m, doc, "huge_fault_ps", f.huge_ps);
	}
	sim_destroy(team.sim);
	free(f.small_ps);
	free(f.huge_ps);
	return err;
}

static void text(const json_t *doc, FILE *out)
{
	uint64_t missed = json_get(doc, "huge_missed");

	fprintf(out,
		"Page faults of %" PRIu64
		" KiB, from CPUs of each node to memory of each (in ns)\n",
		json_get(doc, "page_bytes") >> 10);
	measure_print_matrix(doc, "fault_ps", 1000, out);
	fprintf(out, "\nPage faults of %" PRIu64 " KiB\n", json_get(doc, "huge_bytes") >> 10);
	measure_print_matrix(doc, "huge_fault_ps", 1000, out);
	if (missed)
		fprintf(out, "Of these %" PRIu64 " found no huge page, and took a small one\n",
			missed);
}

static void csv(const json_t *doc, FILE *out)
{
	static const char *const keys[] = {"fault_ps", "huge_fault_ps", NULL};

	measure_csv_matrices(doc, keys, out);
}

const struct measure_kind measure_fault = {
	.name = "fault",
	.summary = "page faults from each node to each, of single and of huge pages",
	.run = run,
	.text = text,
	.csv = csv,
};
