/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pagealloc: what LLFree's benchmarks of page allocators do. On 1, 2, 4, ... CPUs at once, each
 *
 *   bulk    takes many blocks, far beyond the per-CPU lists, and frees them in that order;
 *   repeat  takes a block and frees it, over and over: a pair is one operation;
 *   random  takes more, and frees them in an order of its own.
 *
 * Where they are freed at random, blocks of all CPUs together are four times as many as the largest
 * cache has lines, so that page descriptors are cold. CPUs are those of one node, then those of the
 * nodes behind it; with --to all take their blocks from that node, so that they meet at its zone's
 * lock. Each test on so many CPUs begins on a machine that has just booted; orders of
 * repeat come one after the other there.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mm/gfp.h"
#include "sim/json.h"
#include "sim/measure_apart.h"
#include "sim/rng.h"

#define MOST_BLOCKS   (UINT64_C(1) << 22)
#define BULK_BLOCKS   32768 /* of a CPU, but fewer where all together take more than these: */
#define BULK_IN_ALL   (UINT64_C(1) << 19)
#define LEAST_BLOCKS  2048
#define REPEATS       4096 /* of a CPU, likewise */
#define REPEAT_IN_ALL (UINT64_C(1) << 15)
#define LEAST_REPEATS 256
#define LARGEST_ORDER 4
#define STEP          4096 /* operations between two looks at how much is done */

enum { BULK, REPEAT, RANDOM, NR_TESTS };
static const char *const test_names[] = {"bulk", "repeat", "random"};

struct row {
	int test, nr_cpus;
	unsigned order;
	uint64_t blocks;                 /* of each CPU; not of repeat */
	uint64_t alloc_ps, free_ps, ops; /* sums over CPUs; repeat: of pairs, in alloc_ps */
};

struct pagealloc {
	const struct measure *m;
	struct row *rows;
	struct row *part; /* rows that are measured in this process */
	int nr_rows;
	uint64_t blocks_in_all;
	struct page ***blocks; /* by CPU, while a row is measured */
	int *order;            /* of nodes: room for all of them */
	int err;
};

static struct page *take(struct measure_team *t, int cpu, unsigned order)
{
	const struct pagealloc *p = t->arg;
	const struct mm_request req = {.cpu = cpu,
				       .nid = p->m->to,
				       .order = order,
				       .gfp = GFP_KERNEL |
					      (p->m->to == MM_NO_NODE ? 0 : __GFP_THISNODE)};
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
 * each CPU holds one block of each while it measures, but not of those that are on its own lists:
 * a huge page more there, and each free would find them too long.
 */
struct held {
	struct page *pages[MAX_PAGE_ORDER];
};

static void hold(struct measure_team *t, int cpu, struct held *h)
{
	*h = (struct held){0};
	for (unsigned order = 0; order < MAX_PAGE_ORDER; order++)
		if (!mm_cpus_have_lists(sim_mm(t->sim), order))
			h->pages[order] = take(t, cpu, order);
}

static void drop(struct measure_team *t, int cpu, const struct held *h)
{
	for (unsigned order = 0; order < MAX_PAGE_ORDER; order++)
		if (h->pages[order])
			mm_free_pages(sim_mm(t->sim), cpu, h->pages[order], order);
}

/* What each CPU does `most` times, if all together do it no more than so often, or `least`. */
static uint64_t share(uint64_t in_all, const struct row *r, uint64_t least, uint64_t most)
{
	uint64_t nr = in_all / (uint64_t)r->nr_cpus;

	return nr < least ? least : nr > most ? most : nr;
}

static uint64_t repeats_of(const struct row *r)
{
	return share(REPEAT_IN_ALL, r, LEAST_REPEATS, REPEATS);
}

static void repeat(struct measure_team *t, int cpu, struct row *r)
{
	uint64_t start_ps = 0, nr = repeats_of(r), warm = nr / 8;
	struct held held;

	hold(t, cpu, &held);

	for (uint64_t i = 0; i < warm + nr; i++) {
		struct page *page;

		if (i == warm)
			start_ps = now(t, cpu);
		page = take(t, cpu, r->order);
		if (page)
			mm_free_pages(sim_mm(t->sim), cpu, page, r->order);
	}
	r->alloc_ps += now(t, cpu) - start_ps;
	r->ops += nr;
	measure_step(t, warm + nr);
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

/* What a CPU would take if there was memory for it. */
static uint64_t blocks_wanted(const struct pagealloc *p, const struct row *r)
{
	uint64_t bulk = share(BULK_IN_ALL, r, LEAST_BLOCKS, BULK_BLOCKS);

	return r->test == BULK ? bulk : share(p->blocks_in_all, r, bulk, MOST_BLOCKS);
}

static int first_cpu(const struct pagealloc *p)
{
	return p->m->from == MM_NO_NODE ? 0 : p->m->nodes[p->m->from].first_cpu;
}

/* The node that a CPU takes blocks of: its own, or where that has no memory the one behind it. */
static int taken_from(const struct pagealloc *p, int cpu)
{
	if (p->m->to != MM_NO_NODE)
		return p->m->to;
	mm_node_order(sim_mm(p->m->sim), mm_cpu_to_node(sim_mm(p->m->sim), cpu), p->order);
	return p->order[0];
}

/* The most that each can take of `nid`, if they take three quarters of what is free there and is
 * for the kernel. */
static uint64_t room_on(const struct pagealloc *p, const struct row *r, int nid)
{
	struct mm *mm = sim_mm(p->m->sim);
	int highest = gfp_zone(mm_get_arch(mm), GFP_KERNEL), nr_cpus = 0;
	uint64_t pages = 0, free, boost;

	for (int zone = 0; zone <= highest; zone++) {
		mm_zone_room(mm, nid, zone, &free, &boost);
		pages += free;
	}
	for (int i = 0; i < r->nr_cpus; i++)
		nr_cpus += taken_from(p, first_cpu(p) + i) == nid;
	return (pages * 3 / 4 >> r->order) / (uint64_t)nr_cpus;
}

/* Of each CPU: as many as the fullest node that is taken from has room for. */
static uint64_t blocks_of(const struct pagealloc *p, const struct row *r)
{
	uint64_t nr = blocks_wanted(p, r);

	for (int i = 0, last = MM_NO_NODE; i < r->nr_cpus; i++) {
		int nid = taken_from(p, first_cpu(p) + i);
		uint64_t room = nid == last ? nr : room_on(p, r, nid);

		last = nid;
		nr = room < nr ? room : nr;
	}
	return nr;
}

static void take_all(struct measure_team *t, int cpu, struct row *r, struct page ***out)
{
	struct pagealloc *p = t->arg;
	uint64_t nr = r->blocks, got = 0, start_ps = now(t, cpu);
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
	uint64_t nr = r->blocks, start_ps = now(t, cpu);

	for (uint64_t i = 0; blocks && i < nr && blocks[i]; i++) {
		mm_free_pages(sim_mm(t->sim), cpu, blocks[i], r->order);
		if (i % STEP == STEP - 1)
			measure_step(t, STEP);
	}
	r->free_ps += now(t, cpu) - start_ps;
	free(blocks);
}

/* A phase a row; two where all are taken, and then freed. */
static struct row *row_of(const struct pagealloc *p, int phase)
{
	return &p->part[p->part->test == REPEAT ? phase : phase / 2];
}

static bool joins(const struct measure_team *t, int cpu, int phase)
{
	const struct pagealloc *p = t->arg;
	int first = first_cpu(p);

	return cpu >= first && cpu < first + row_of(p, phase)->nr_cpus;
}

static void work(struct measure_team *t, int cpu, int phase)
{
	struct pagealloc *p = t->arg;
	struct row *r = row_of(p, phase);

	if (p->err)
		return;
	if (r->test == REPEAT) {
		repeat(t, cpu, r);
	} else if (phase % 2 == 0) {
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

/* Operations of a row. */
static uint64_t steps_of(const struct row *r)
{
	return (uint64_t)r->nr_cpus *
	       (r->test == REPEAT ? repeats_of(r) / 8 + repeats_of(r) : 2 * r->blocks);
}

/* Rows of a test: on 1, 2, 4, ... CPUs, or those asked for; frees at random, which take longest, on
 * one and on all of them. */
static void plan_rows(struct pagealloc *p, int test, int least, int most)
{
	int times = test == RANDOM && most > 2 ? most : 2;

	for (int nr = least; nr <= most; nr = nr < most && times * nr > most ? most : times * nr)
		for (unsigned order = 0; order <= (test == REPEAT ? LARGEST_ORDER : 0); order++)
			p->rows[p->nr_rows++] =
				(struct row){.test = test, .nr_cpus = nr, .order = order};
}

/* CPUs of a node, or of it and those behind it. */
static int nr_cpus_from(const struct measure *m, int nid, bool and_behind)
{
	int first = m->nodes[nid].first_cpu, nr = 0;

	while (first + nr < m->machine->mm.nr_cpus &&
	       (and_behind || measure_has_cpu(m, nid, first + nr)))
		nr++;
	return nr;
}

/* Bulk and random of order 0, repeat of the smaller orders, on ever more CPUs of a node. */
static int plan(struct pagealloc *p)
{
	const struct machine *m = p->m->machine;
	int nid = measure_node_of(p->m, first_cpu(p)), least = 1;
	int most = nr_cpus_from(p->m, nid, p->m->from == MM_NO_NODE && p->m->nr_cpus);

	if (p->m->nr_cpus > most)
		return diag_error(p->m->diag, -EINVAL, m->file, 0,
				  "--cpus: node %d has %d CPUs, not %d", nid, most, p->m->nr_cpus);
	if (p->m->nr_cpus)
		least = most = p->m->nr_cpus;
	p->rows = calloc((size_t)(most + 1) * (NR_TESTS + LARGEST_ORDER), sizeof(*p->rows));
	p->blocks = calloc((size_t)m->mm.nr_cpus, sizeof(*p->blocks));
	p->order = calloc((size_t)mm_nr_nodes(sim_mm(p->m->sim)), sizeof(*p->order));
	if (!p->rows || !p->blocks || !p->order)
		return -ENOMEM;
	for (int test = 0; test < NR_TESTS; test++)
		plan_rows(p, test, least, most);
	p->nr_rows = only_test(p);
	p->blocks_in_all = measure_beyond_caches(m) / m->cache_line_bytes;
	if (p->blocks_in_all > MOST_BLOCKS)
		p->blocks_in_all = MOST_BLOCKS;
	return 0;
}

/* How many blocks each row is about; a machine that has not enough for cold descriptors is said. */
static uint64_t count_blocks(struct pagealloc *p)
{
	uint64_t steps = 0;
	bool less = false;

	for (int i = 0; i < p->nr_rows; i++) {
		struct row *r = &p->rows[i];

		if (r->test != REPEAT) {
			r->blocks = blocks_of(p, r);
			less = less || r->blocks < blocks_wanted(p, r);
		}
		steps += steps_of(r);
	}
	if (less)
		diag_warn(p->m->diag, p->m->machine->file, 0,
			  "its memory is small for its caches: fewer blocks are taken than would "
			  "make page descriptors cold");
	return steps;
}

static void put_row(const struct row *r, json_t *rows)
{
	json_t *row = json_append_object(rows);

	json_put_string(row, "test", test_names[r->test]);
	json_put(row, "order", r->order);
	json_put(row, "cpus", (uint64_t)r->nr_cpus);
	if (r->test == REPEAT) {
		json_put(row, "pair_ps", r->alloc_ps / r->ops);
		return;
	}
	json_put(row, "blocks", r->blocks);
	json_put(row, "alloc_ps", r->alloc_ps / r->ops);
	json_put(row, "free_ps", r->free_ps / r->ops);
}

static bool same_part(const struct row *a, const struct row *b)
{
	return a->test == b->test && a->nr_cpus == b->nr_cpus;
}

/* The rows of a part: the first of them, and how many. */
static struct row *part_of(const struct pagealloc *p, int part, int *nr)
{
	struct row *first = p->rows, *end = p->rows + p->nr_rows, *r;

	for (;; first = r) {
		for (r = first; r < end && same_part(first, r); r++)
			;
		if (part-- == 0) {
			*nr = (int)(r - first);
			return first;
		}
	}
}

static int count_parts(const struct pagealloc *p)
{
	int nr = 0;

	for (int i = 0; i < p->nr_rows; i++)
		nr += i == 0 || !same_part(&p->rows[i - 1], &p->rows[i]);
	return nr;
}

/* In a process of its own. */
static int run_part(void *arg, int nr, const struct measure *mine, json_t *rows)
{
	struct pagealloc *p = arg;
	struct measure_team team = {.work = work, .joins = joins, .arg = p, .m = mine};
	int nr_rows, err;

	p->m = mine;
	p->part = part_of(p, nr, &nr_rows);
	for (int i = 0; i < nr_rows; i++) {
		if (p->part[i].test != REPEAT && !p->part[i].blocks)
			return -ENOSPC;
		team.total += steps_of(&p->part[i]);
	}
	team.sim = p->m->sim;
	team.nr_phases = p->part->test == REPEAT ? nr_rows : 2 * nr_rows;
	err = measure_team_run(&team);
	if (err || p->err)
		return err ? err : p->err;
	for (int i = 0; i < nr_rows; i++)
		put_row(&p->part[i], rows);
	return 0;
}

static int run(const struct measure *m, json_t *doc)
{
	struct pagealloc p = {.m = m};
	struct measure_apart apart = {.m = m, .run = run_part, .arg = &p};
	int err = m->machine->cache_line_bytes
			  ? plan(&p)
			  : diag_error(m->diag, -EINVAL, m->machine->file, 0,
				       "pagealloc is about caches, and the machine has none");

	if (!err) {
		apart.nr_parts = count_parts(&p);
		apart.total = count_blocks(&p);
		err = measure_apart(&apart, doc, json_put_array(doc, "pagealloc"));
	}
	if (err == -ENOSPC)
		diag_error(m->diag, err, m->machine->file, 0,
			   "its memory is too small to measure page allocation with");
	free(p.order);
	free(p.blocks);
	free(p.rows);
	return err;
}

static const char *const figures[] = {"alloc_ps", "free_ps", "pair_ps", NULL};

static void text(const json_t *doc, FILE *out)
{
	(void)doc;
	fputs("Page allocator, ns an operation\n"
	      "test    order  CPUs     alloc      free      pair\n",
	      out);
}

static void text_row(const json_t *row, FILE *out)
{
	fprintf(out, "%-6s  %5" PRIu64 "  %4" PRIu64, json_get_string(row, "test"),
		json_get(row, "order"), json_get(row, "cpus"));
	for (int k = 0; figures[k]; k++)
		fprintf(out, "  %8s", measure_value(json_object_get(row, figures[k]), 1000).text);
	fputc('\n', out);
}

static void csv(const json_t *doc, FILE *out)
{
	(void)doc;
	fputs("test,order,cpus,alloc_ps,free_ps,pair_ps\n", out);
}

static void csv_row(const json_t *row, FILE *out)
{
	fprintf(out, "%s,%" PRIu64 ",%" PRIu64, json_get_string(row, "test"),
		json_get(row, "order"), json_get(row, "cpus"));
	for (int k = 0; figures[k]; k++)
		measure_csv_value(json_object_get(row, figures[k]), out);
	fputc('\n', out);
}

const struct measure_kind measure_pagealloc = {
	.name = "pagealloc",
	.summary = "page allocator: bulk, repeat and random, by order and number of CPUs",
	.allocates = true,
	.run = run,
	.text = text,
	.csv = csv,
	.rows = "pagealloc",
	.text_row = text_row,
	.csv_row = csv_row,
};
