/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pagealloc: what LLFree's benchmarks of page allocators do. On 1, 2, 4, ... CPUs at once, each
 *
 *   bulk    takes many blocks, far beyond the per-CPU lists, and frees them in that order;
 *   repeat  takes a block and frees it, over and over: a pair is one operation;
 *   random  takes more, and frees them in an order of its own.
 *
 * Blocks of all CPUs together hold twice as many frames as the largest cache has lines, so that
 * page descriptors are cold when they are freed at random.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/json.h"
#include "sim/measure.h"
#include "sim/rng.h"

#define MOST_BLOCKS   (UINT64_C(1) << 22)
#define LEAST_BLOCKS  32768 /* of a CPU */
#define REPEATS       4096
#define WARM_REPEATS  512
#define LARGEST_ORDER 4
#define STEP          4096 /* operations between two looks at how much is done */

enum { BULK, REPEAT, RANDOM, NR_TESTS };
static const char *const test_names[] = {"bulk", "repeat", "random"};

struct row {
	int test, nr_cpus;
	unsigned order;
	uint64_t alloc_ps, free_ps, ops; /* sums over CPUs; repeat: of pairs, in alloc_ps */
};

struct pagealloc {
	const struct measure *m;
	struct row *rows;
	int nr_rows;
	uint64_t blocks_in_all;
	struct page ***blocks; /* by CPU, while a row is measured */
	int err;
};

static struct page *take(struct measure_team *t, int cpu, unsigned order)
{
	const struct mm_request req = {
		.cpu = cpu, .nid = MM_NO_NODE, .order = order, .gfp = GFP_KERNEL};
	struct page *page;

	return mm_alloc_pages(sim_mm(t->sim), &req, &page) ? NULL : page;
}

static uint64_t now(struct measure_team *t, int cpu)
{
	sim_settle(t->sim, cpu);
	return sim_now_ps(t->sim, cpu);
}

/*
 * A machine that has run for a while has free blocks of each order, whose buddies are in use. So
 * each CPU holds one block of each while it measures.
 */
struct held {
	struct page *pages[MAX_PAGE_ORDER];
};

static void hold(struct measure_team *t, int cpu, struct held *h)
{
	for (unsigned order = 0; order < MAX_PAGE_ORDER; order++)
		h->pages[order] = take(t, cpu, order);
}

static void drop(struct measure_team *t, int cpu, const struct held *h)
{
	for (unsigned order = 0; order < MAX_PAGE_ORDER; order++)
		if (h->pages[order])
			mm_free_pages(sim_mm(t->sim), cpu, h->pages[order], order);
}

static void repeat(struct measure_team *t, int cpu, struct row *r)
{
	uint64_t start_ps = 0;
	struct held held;

	hold(t, cpu, &held);

	for (int i = 0; i < WARM_REPEATS + REPEATS; i++) {
		struct page *page;

		if (i == WARM_REPEATS)
			start_ps = now(t, cpu);
		page = take(t, cpu, r->order);
		if (page)
			mm_free_pages(sim_mm(t->sim), cpu, page, r->order);
	}
	r->alloc_ps += now(t, cpu) - start_ps;
	r->ops += REPEATS;
	measure_step(t, WARM_REPEATS + REPEATS);
	drop(t, cpu, &held);
}

static void shuffle(struct page **blocks, uint64_t nr, uint64_t seed)
{
	struct rng rng = {seed};

	for (uint64_t i = nr; i > 1; i--) {
		uint64_t j = rng_below(&rng, i);
		struct page *page = blocks[j];

		blocks[j] = blocks[i - 1];
		blocks[i - 1] = page;
	}
}

static uint64_t blocks_of(const struct pagealloc *p, const struct row *r)
{
	uint64_t nr = p->blocks_in_all / (uint64_t)r->nr_cpus;

	return r->test == BULK || nr < LEAST_BLOCKS ? LEAST_BLOCKS : nr;
}

static void take_all(struct measure_team *t, int cpu, struct row *r, struct page ***out)
{
	struct pagealloc *p = t->arg;
	uint64_t nr = blocks_of(p, r), got = 0, start_ps = now(t, cpu);
	struct page **blocks = calloc(nr, sizeof(struct page *));

	*out = blocks;
	if (!blocks) {
		p->err = -ENOMEM;
		return;
	}
	while (got < nr && (blocks[got] = take(t, cpu, r->order)))
		if (++got % STEP == 0)
			measure_step(t, STEP);
	if (got < nr)
		p->err = -ENOSPC;
	r->alloc_ps += now(t, cpu) - start_ps;
	r->ops += got;
	if (r->test == RANDOM)
		shuffle(blocks, got, p->m->seed + (uint64_t)cpu);
}

static void free_all(struct measure_team *t, int cpu, struct row *r, struct page **blocks)
{
	uint64_t nr = blocks_of(t->arg, r), start_ps = now(t, cpu);

	for (uint64_t i = 0; blocks && i < nr && blocks[i]; i++) {
		mm_free_pages(sim_mm(t->sim), cpu, blocks[i], r->order);
		if (i % STEP == STEP - 1)
			measure_step(t, STEP);
	}
	r->free_ps += now(t, cpu) - start_ps;
	free(blocks);
}

/* Two phases a row: take, and free. */
static void work(struct measure_team *t, int cpu, int phase)
{
	struct pagealloc *p = t->arg;
	struct row *r = &p->rows[phase / 2];
	int first = p->m->from == MM_NO_NODE ? 0 : measure_first_cpu(p->m->machine, p->m->from);

	if (cpu < first || cpu >= first + r->nr_cpus || p->err)
		return;
	if (r->test == REPEAT && phase % 2 == 0)
		repeat(t, cpu, r);
	if (r->test == REPEAT)
		return;
	if (phase % 2 == 0) {
		take_all(t, cpu, r, &p->blocks[cpu]);
	} else {
		free_all(t, cpu, r, p->blocks[cpu]);
		p->blocks[cpu] = NULL;
	}
}

/* Rows of the test that is wanted, or all: moved to the front. Returns their number. */
static int only_test(const struct pagealloc *p)
{
	int kept = 0;

	for (int i = 0; i < p->nr_rows; i++)
		if (p->m->test == MEASURE_ALL_TESTS || p->m->test == p->rows[i].test + 1)
			p->rows[kept++] = p->rows[i];
	return kept;
}

/* Operations of all rows. */
static uint64_t nr_steps(const struct pagealloc *p)
{
	uint64_t nr = 0;

	for (int i = 0; i < p->nr_rows; i++) {
		const struct row *r = &p->rows[i];

		nr += (uint64_t)r->nr_cpus *
		      (r->test == REPEAT ? WARM_REPEATS + REPEATS : 2 * blocks_of(p, r));
	}
	return nr;
}

/* Bulk and random of order 0, repeat of the smaller orders, on ever more CPUs of the first node. */
static int plan(struct pagealloc *p)
{
	const struct machine *m = p->m->machine;
	int nid = p->m->from == MM_NO_NODE ? m->cpus[0].nid : p->m->from, most = 0;
	int first = measure_first_cpu(m, nid), least = 1;

	while (first + most < m->mm.nr_cpus && m->cpus[first + most].nid == nid)
		most++;
	if (p->m->nr_cpus > most)
		return diag_error(p->m->diag, -EINVAL, m->file, 0,
				  "--cpus: node %d has %d CPUs, not %d", nid, most, p->m->nr_cpus);
	if (p->m->nr_cpus)
		least = most = p->m->nr_cpus;
	p->rows = calloc((size_t)(most + 1) * (NR_TESTS + LARGEST_ORDER), sizeof(*p->rows));
	p->blocks = calloc((size_t)m->mm.nr_cpus, sizeof(*p->blocks));
	if (!p->rows || !p->blocks)
		return -ENOMEM;
	for (int test = 0; test < NR_TESTS; test++)
		for (unsigned order = 0; order <= (test == REPEAT ? LARGEST_ORDER : 0); order++)
			for (int nr = least; nr <= most;
			     nr = nr < most && 2 * nr > most ? most : 2 * nr)
				p->rows[p->nr_rows++] =
					(struct row){.test = test, .nr_cpus = nr, .order = order};
	p->nr_rows = only_test(p);
	p->blocks_in_all = measure_beyond_caches(m) / m->cache_line_bytes;
	if (p->blocks_in_all > MOST_BLOCKS)
		p->blocks_in_all = MOST_BLOCKS;
	return 0;
}

static void put_rows(const struct pagealloc *p, json_t *doc)
{
	json_t *rows = json_put_array(doc, "pagealloc");

	for (int i = 0; i < p->nr_rows; i++) {
		const struct row *r = &p->rows[i];
		json_t *row = json_append_object(rows);

		json_put_string(row, "test", test_names[r->test]);
		json_put(row, "order", r->order);
		json_put(row, "cpus", (uint64_t)r->nr_cpus);
		if (r->test == REPEAT) {
			json_put(row, "pair_ps", r->alloc_ps / r->ops);
			continue;
		}
		json_put(row, "alloc_ps", r->alloc_ps / r->ops);
		json_put(row, "free_ps", r->free_ps / r->ops);
	}
}

static int run(const struct measure *m, json_t *doc)
{
	struct pagealloc p = {.m = m};
	struct measure_team team = {.work = work, .arg = &p, .m = m};
	int err = m->machine->cache_line_bytes
			  ? plan(&p)
			  : diag_error(m->diag, -EINVAL, m->machine->file, 0,
				       "pagealloc is about caches, and the machine has none");

	team.nr_phases = 2 * p.nr_rows;
	team.total = nr_steps(&p);
	if (!err)
		err = sim_create(m->machine, m->costs, m->diag, &team.sim);
	if (!err)
		err = measure_team_run(&team);
	if (!err && p.err == -ENOSPC)
		err = diag_error(m->diag, p.err, m->machine->file, 0,
				 "its memory is too small to measure page allocation with");
	else if (!err)
		err = p.err;
	if (!err)
		put_rows(&p, doc);
	for (int cpu = 0; p.blocks && cpu < m->machine->mm.nr_cpus; cpu++)
		free(p.blocks[cpu]);
	sim_destroy(team.sim);
	free(p.blocks);
	free(p.rows);
	return err;
}

static void text(const json_t *doc, FILE *out)
{
	const json_t *row;
	size_t i;

	fputs("Page allocator, ns an operation\n"
	      "test    order  CPUs     alloc      free      pair\n",
	      out);
	json_array_foreach (json_object_get(doc, "pagealloc"), i, row) {
		fprintf(out, "%-6s  %5" PRIu64 "  %4" PRIu64, json_get_string(row, "test"),
			json_get(row, "order"), json_get(row, "cpus"));
		if (json_object_get(row, "pair_ps"))
			fprintf(out, "  %8s  %8s  %8s\n", "-", "-",
				measure_decimal(json_get(row, "pair_ps"), 1000).text);
		else
			fprintf(out, "  %8s  %8s  %8s\n",
				measure_decimal(json_get(row, "alloc_ps"), 1000).text,
				measure_decimal(json_get(row, "free_ps"), 1000).text, "-");
	}
}

static void csv(const json_t *doc, FILE *out)
{
	const json_t *row;
	size_t i;

	fputs("test,order,cpus,alloc_ps,free_ps,pair_ps\n", out);
	json_array_foreach (json_object_get(doc, "pagealloc"), i, row)
		fprintf(out, "%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\n",
			json_get_string(row, "test"), json_get(row, "order"), json_get(row, "cpus"),
			json_get(row, "alloc_ps"), json_get(row, "free_ps"),
			json_get(row, "pair_ps"));
}

const struct measure_kind measure_pagealloc = {
	.name = "pagealloc",
	.summary = "page allocator: bulk, repeat and random, by order and number of CPUs",
	.run = run,
	.text = text,
	.csv = csv,
};
