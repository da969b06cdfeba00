/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault: the first CPU of each node stores to memory of its own that is not there yet, page by page
 * and bound to each node in turn: single pages, then huge ones. What it takes is the handling of
 * the fault, the page allocator's work, the zeroing, the page tables and the LRU lists. Each figure
 * is measured on the machine as it has booted, so none hangs on those before it: what another node
 * has written would have to come from there.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "mm/user/user.h"
#include "sim/json.h"
#include "sim/measure_apart.h"

#define SMALL_FAULTS 2048
#define HUGE_FAULTS  16

enum { SMALL, HUGE, NR_SIZES };
static const char *const keys[NR_SIZES + 1] = {"fault_ps", "huge_fault_ps", NULL};

/* A figure, in a process of its own. */
struct part {
	int size, from, to;
	uint64_t ps;     /* a fault; MEASURE_NONE: it could not be measured */
	uint64_t missed; /* of huge ones: those that took a small page */
};

struct fault {
	const struct measure *m;
	struct part *parts, *part;
	int nr_parts;
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

static int fault_in(struct measure_team *t, int cpu, const struct mm_policy *policy, struct part *p)
{
	struct mm *mm = sim_mm(t->sim);
	const struct mm_arch *arch = mm_get_arch(mm);
	bool huge = p->size == HUGE;
	uint64_t nr = huge ? HUGE_FAULTS : SMALL_FAULTS, start;
	uint64_t step = UINT64_C(1) << (arch->page_shift + (huge ? arch->pageblock_order : 0));
	const struct mm_mmap_args args = {.bytes = nr * step, .advised = huge, .refused = !huge};
	struct mm_space_info info;
	struct mm_space *space;
	int err = mm_space_new(mm, cpu, "fault", policy, &space);

	if (err)
		return err;
	err = mm_mmap(mm, cpu, space, &args, &start);
	if (!err) {
		uint64_t start_ps;

		mm_space_run(mm, cpu, space);
		sim_settle(t->sim, cpu);
		start_ps = sim_now_ps(t->sim, cpu);
		err = store_all(t, cpu, space, nr, step, start);
		sim_settle(t->sim, cpu);
		p->ps = (sim_now_ps(t->sim, cpu) - start_ps) / nr;
	}
	mm_space_info(mm, space, &info);
	p->missed = huge ? info.zeroed : 0;
	mm_space_exit(mm, cpu, space);
	return err;
}

static bool joins(const struct measure_team *t, int cpu, int phase)
{
	const struct fault *f = t->arg;

	(void)phase;
	return measure_is_first(f->m, cpu, f->part->from);
}

static void work(struct measure_team *t, int cpu, int phase)
{
	struct fault *f = t->arg;
	struct mm_policy policy = {.mode = MM_POLICY_BIND, .home_nid = MM_NO_NODE};

	(void)phase;
	mm_nodemask_set(&policy.nodes, f->part->to);
	f->err = fault_in(t, cpu, &policy, f->part);
	measure_step(t, 1);
}

/* A node without the memory for it has no figure; nor what took small pages for huge ones. */
static int run_part(void *arg, int nr, const struct measure *mine, json_t *rows)
{
	struct fault *f = arg;
	struct measure_team team = {.sim = f->m->sim,
				    .m = mine,
				    .nr_phases = 1,
				    .total = 1,
				    .work = work,
				    .joins = joins,
				    .arg = f};
	json_t *row;
	int err;

	f->part = &f->parts[nr];
	err = measure_team_run(&team);
	if (!err && f->err != -ENOSPC)
		err = f->err;
	if (err)
		return err;
	row = json_append_object(rows);
	if (!f->err && !f->part->missed)
		json_put(row, "ps", f->part->ps);
	json_put(row, "missed", f->part->missed);
	return 0;
}

static int plan(struct fault *f)
{
	int nr = f->m->nr_nodes;

	f->parts = calloc((size_t)nr * (size_t)nr * NR_SIZES, sizeof(*f->parts));
	if (!f->parts)
		return -ENOMEM;
	for (int i = 0; i < nr * nr * NR_SIZES; i++) {
		struct part p = {.size = i % NR_SIZES,
				 .from = i / NR_SIZES / nr,
				 .to = i / NR_SIZES % nr,
				 .ps = MEASURE_NONE};

		if (measure_from(f->m, p.from) && measure_to(f->m, p.to))
			f->parts[f->nr_parts++] = p;
	}
	return 0;
}

/* All of them, into f->parts. */
static int run_parts(struct fault *f)
{
	struct measure alone = *f->m;
	struct measure_apart apart = {.m = &alone,
				      .nr_parts = f->nr_parts,
				      .total = (uint64_t)f->nr_parts,
				      .run = run_part,
				      .arg = f};
	json_t *rows = json_array(), *row;
	bool any = false;
	size_t i;
	int err;

	/* These are no rows of what is printed. */
	alone.row = NULL;
	err = rows ? measure_apart(&apart, NULL, rows) : -ENOMEM;
	json_array_foreach (rows, i, row) {
		f->parts[i].missed = json_get(row, "missed");
		if (json_object_get(row, "ps"))
			f->parts[i].ps = json_get(row, "ps");
		any = any || f->parts[i].ps != MEASURE_NONE;
	}
	json_decref(rows);
	if (!err && !any)
		err = diag_error(f->m->diag, -ENOSPC, f->m->machine->file, 0,
				 "its memory is too small to measure faults with");
	return err;
}

static int put_matrix(const struct fault *f, int size, json_t *doc)
{
	size_t nr = (size_t)f->m->nr_nodes;
	uint64_t *cells = calloc(nr * nr, sizeof(*cells));

	if (!cells)
		return -ENOMEM;
	for (int i = 0; i < f->nr_parts; i++) {
		const struct part *p = &f->parts[i];

		if (p->size == size)
			cells[(size_t)p->from * nr + (size_t)p->to] = p->ps;
	}
	measure_put_matrix(f->m, doc, keys[size], cells);
	free(cells);
	return 0;
}

static int put(const struct fault *f, json_t *doc)
{
	const struct mm_arch *arch = mm_get_arch(sim_mm(f->m->sim));
	uint64_t missed = 0;
	int err = 0;

	for (int i = 0; i < f->nr_parts; i++)
		missed += f->parts[i].missed;
	json_put(doc, "page_bytes", UINT64_C(1) << arch->page_shift);
	json_put(doc, "huge_bytes", UINT64_C(1) << (arch->page_shift + arch->pageblock_order));
	json_put(doc, "huge_missed", missed);
	for (int size = 0; size < NR_SIZES && !err; size++)
		err = put_matrix(f, size, doc);
	return err;
}

static int run(const struct measure *m, json_t *doc)
{
	struct fault f = {.m = m};
	int err = plan(&f);

	if (!err)
		err = run_parts(&f);
	if (!err)
		err = put(&f, doc);
	free(f.parts);
	return err;
}

static void text(const json_t *doc, FILE *out)
{
	uint64_t missed = json_get(doc, "huge_missed");

	fprintf(out,
		"Page faults of %" PRIu64
		" KiB, from CPUs of each node to memory of each (in ns)\n",
		json_get(doc, "page_bytes") >> 10);
	measure_print_matrix(doc, keys[SMALL], 1000, out);
	fprintf(out, "\nPage faults of %" PRIu64 " KiB\n", json_get(doc, "huge_bytes") >> 10);
	measure_print_matrix(doc, keys[HUGE], 1000, out);
	if (missed)
		fprintf(out, "%" PRIu64 " faults found no huge page, and took a small one\n",
			missed);
}

static void csv(const json_t *doc, FILE *out)
{
	measure_csv_matrices(doc, keys, out);
}

const struct measure_kind measure_fault = {
	.name = "fault",
	.summary = "page faults from each node to each, of single and of huge pages",
	.run = run,
	.text = text,
	.csv = csv,
};
