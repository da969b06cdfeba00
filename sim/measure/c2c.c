/* SPDX-License-Identifier: Apache-2.0 */
/*
 * c2c: lines go from core to core. The first CPU of a node, or the second one where that is the
 * reader's own node, writes lines; then the first CPU of another reads them, each load after the
 * one before it, and finds them modified in the writer's caches (HITM). Their memory is the
 * writer's node's, then the reader's. Last the writer only reads them (HIT). Where a node has no
 * other core, or no memory for them, nothing is measured.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "sim/json.h"
#include "sim/measure.h"

#define LINES 64 /* within a first level */
#define STEP  37 /* between those read, of which LINES has no factor */
/* Lines from one to the next: so many that no prefetcher follows them, and odd, that they fall into
 * all sets of a cache alike. */
#define APART 23

enum home { HOME_WRITER, HOME_READER, CLEAN, FAR, NR_HOMES };
static const char *const keys[NR_HOMES + 1] = {"hitm_home_writer_ps", "hitm_home_reader_ps",
					       "hit_ps", "hitm_far_ps", NULL};

struct c2c {
	const struct measure *m;
	struct measure_buffer *buffers;
	int nr_homes;           /* without FAR where no node has several caches of the last level */
	int *domains;           /* by CPU, of these */
	uint64_t *ps[NR_HOMES]; /* [reader's node * nr_nodes + writer's node] */
};

/* The CPU of that node that writes for a reader; MM_NO_CPU where there is none. One that does not
 * share its last cache, or one as it comes. */
static int writer_of(const struct c2c *c, int nid, int reader, bool far)
{
	const struct measure *m = c->m;
	const struct machine_cpu *cpus = m->machine->cpus;

	for (int cpu = m->nodes[nid].first_cpu; cpu < m->machine->mm.nr_cpus; cpu++)
		if (measure_has_cpu(m, nid, cpu) && cpus[cpu].core != cpus[reader].core &&
		    (!far || c->domains[cpu] != c->domains[reader]))
			return cpu;
	return MM_NO_CPU;
}

/* Two phases, a write and a read, for each home of each pair. */
struct step {
	int home, pair, from, to;
	int nid; /* whose memory it is */
	bool reads;
};

/* Lines of a cell begin so many bytes into the buffer. Those that were written by others are not
 * clean, so each reader has its own. */
static uint64_t start_of(const struct machine *m, int home, int reader_nid)
{
	int slot = home == CLEAN ? reader_nid + 1 : 0;

	return (uint64_t)slot * LINES * APART * m->cache_line_bytes;
}

static phys_addr_t byte_at(const struct measure_buffer *b, uint64_t at)
{
	return b->blocks[at / b->block_bytes % b->nr] + at % b->block_bytes;
}

static void write_lines(struct measure_team *t, int cpu, const struct measure_buffer *b,
			const struct step *s)
{
	const struct machine *m = sim_machine(t->sim);
	uint64_t start = start_of(m, s->home, s->from), line = m->cache_line_bytes;

	for (uint64_t i = 0; i < LINES; i++)
		sim_touch(t->sim, cpu, byte_at(b, start + i * APART * line), line,
			  s->home != CLEAN);
}

/* The TLB has the pages of [start, end) by now, as MLC has its huge pages: from a line of each that
 * is not among those measured, which are at multiples of APART. */
static void fill_tlb(struct measure_team *t, int cpu, const struct measure_buffer *b,
		     uint64_t start, uint64_t end)
{
	uint64_t page_bytes = UINT64_C(1) << mm_get_arch(sim_mm(t->sim))->page_shift;
	uint64_t line = sim_machine(t->sim)->cache_line_bytes;

	for (uint64_t at = start / page_bytes * page_bytes; at < end; at += page_bytes)
		sim_chase(t->sim, cpu, byte_at(b, at / line % APART ? at : at + line));
	sim_settle(t->sim, cpu);
}

static uint64_t read_lines(struct measure_team *t, int cpu, const struct measure_buffer *b,
			   const struct step *s)
{
	const struct machine *m = sim_machine(t->sim);
	uint64_t start = start_of(m, s->home, s->from), apart = APART * m->cache_line_bytes;
	uint64_t start_ps;

	fill_tlb(t, cpu, b, start, start + LINES * apart);
	start_ps = sim_now_ps(t->sim, cpu);
	for (uint64_t i = 0; i < LINES; i++)
		sim_chase(t->sim, cpu, byte_at(b, start + i * STEP % LINES * apart));
	sim_settle(t->sim, cpu);
	return (sim_now_ps(t->sim, cpu) - start_ps) / LINES;
}

static struct step step_of(const struct c2c *c, int phase)
{
	int nr = c->m->nr_nodes;
	struct step s = {
		.home = phase / 2 % c->nr_homes,
		.pair = phase / 2 / c->nr_homes,
		.reads = phase % 2,
	};

	s.from = s.pair / nr;
	s.to = s.pair % nr;
	s.nid = s.home == HOME_READER ? s.from : s.to;
	return s;
}

static bool joins(const struct measure_team *t, int cpu, int phase)
{
	const struct c2c *c = t->arg;
	const struct step s = step_of(c, phase);
	int reader = c->m->nodes[s.from].first_cpu, writer;

	if ((s.home == FAR && s.from != s.to) ||
	    (s.reads ? cpu != reader : !measure_has_cpu(c->m, s.to, cpu)) ||
	    !measure_from(c->m, s.from) || !measure_to(c->m, s.to) || !c->buffers[s.nid].nr)
		return false;
	writer = writer_of(c, s.to, reader, s.home == FAR);
	return writer != MM_NO_CPU && (s.reads || cpu == writer);
}

static void work(struct measure_team *t, int cpu, int phase)
{
	struct c2c *c = t->arg;
	const struct step s = step_of(c, phase);

	if (s.reads)
		c->ps[s.home][s.pair] = read_lines(t, cpu, &c->buffers[s.nid], &s);
	else
		write_lines(t, cpu, &c->buffers[s.nid], &s);
}

/* Which CPUs have a last cache in common, if a node has several. Returns 0 or -ENOMEM. */
static int find_domains(struct c2c *c)
{
	const struct machine *m = c->m->machine;
	const struct machine_cache *last = &m->caches[m->nr_caches - 1];
	int err;

	c->nr_homes = last->nr_cpus ? NR_HOMES : FAR;
	c->domains = calloc((size_t)m->mm.nr_cpus, sizeof(*c->domains));
	if (!c->domains)
		return -ENOMEM;
	err = machine_cache_domains(m, last, c->domains);
	return err < 0 ? err : 0;
}

static int run(const struct measure *m, json_t *doc)
{
	size_t nr = (size_t)m->nr_nodes;
	struct measure all = *m;
	struct c2c c = {.m = m};
	struct measure_team team = {.sim = m->sim, .m = m, .work = work, .joins = joins, .arg = &c};
	int err;

	if (!m->machine->nr_caches)
		return diag_error(m->diag, -EINVAL, m->machine->file, 0,
				  "the machine has no caches, which lines could come from");
	err = find_domains(&c);
	team.nr_phases = (int)(nr * nr) * c.nr_homes * 2;
	/* Lines may be at home where only the reader is. */
	all.to = all.from = MM_NO_NODE;
	all.to_cpus = false;
	for (int home = 0; home < c.nr_homes; home++) {
		c.ps[home] = calloc(nr * nr, sizeof(**c.ps));
		if (!c.ps[home])
			err = -ENOMEM;
		for (size_t i = 0; c.ps[home] && i < nr * nr; i++)
			c.ps[home][i] = MEASURE_NONE;
	}
	if (!err)
		err = measure_buffers(
			&all, (uint64_t)(nr + 1) * LINES * APART * m->machine->cache_line_bytes,
			&c.buffers);
	if (!err)
		err = measure_team_run(&team);
	if (!err) {
		json_put(doc, "lines", LINES);
		for (int home = 0; home < c.nr_homes; home++)
			measure_put_matrix(m, doc, keys[home], c.ps[home]);
	}
	measure_buffers_free(&all, c.buffers);
	for (int home = 0; home < NR_HOMES; home++)
		free(c.ps[home]);
	free(c.domains);
	return err;
}

/* Of two CPUs of the first node that has such. */
static void print_local(const json_t *doc, enum home home, const char *title, FILE *out)
{
	const json_t *from = json_object_get(doc, "cpu_nodes"), *nid;
	const json_t *to = json_object_get(doc, "writer_nodes"), *writer, *cell, *local = NULL;
	size_t i, j;

	json_array_foreach (from, i, nid)
		json_array_foreach (to, j, writer) {
			cell = json_array_get(json_array_get(json_object_get(doc, keys[home]), i),
					      j);
			if (!local && json_equal(nid, writer) && json_is_integer(cell))
				local = cell;
		}
	fprintf(out, "%s\t%s\n", title, measure_value(local, 1000).text);
}

/* As MLC has it: readers side by side. */
static void print_remote(const json_t *doc, enum home home, const char *whose, FILE *out)
{
	const json_t *from = json_object_get(doc, "cpu_nodes"), *reader, *writer;
	size_t i, j;

	fprintf(out,
		"Remote Socket L2->L2 HITM latency (data address homed in %s socket)\n"
		"\t\t\tReader Numa Node\nWriter Numa Node",
		whose);
	json_array_foreach (from, i, reader)
		fprintf(out, "%6" JSON_INTEGER_FORMAT "\t", json_integer_value(reader));
	fputc('\n', out);
	json_array_foreach (json_object_get(doc, "writer_nodes"), j, writer) {
		fprintf(out, "%13" JSON_INTEGER_FORMAT "\t", json_integer_value(writer));
		json_array_foreach (from, i, reader) {
			const json_t *row = json_array_get(json_object_get(doc, keys[home]), i);
			bool same = json_equal(reader, writer);

			fprintf(out, "%6s\t",
				measure_value(same ? NULL : json_array_get(row, j), 1000).text);
		}
		fputc('\n', out);
	}
}

static bool has_remote(const json_t *doc)
{
	const json_t *reader, *writer;
	bool any = false;
	size_t i, j;

	json_array_foreach (json_object_get(doc, "cpu_nodes"), i, reader)
		json_array_foreach (json_object_get(doc, "writer_nodes"), j, writer)
			any |= !json_equal(reader, writer);
	return any;
}

static void text(const json_t *doc, FILE *out)
{
	fputs("Measuring cache-to-cache transfer latency (in ns)...\n", out);
	print_local(doc, CLEAN, "Local Socket L2->L2 HIT  latency", out);
	print_local(doc, HOME_WRITER, "Local Socket L2->L2 HITM latency", out);
	/* MLC has no line for it. */
	if (json_object_get(doc, keys[FAR]))
		print_local(doc, FAR, "Local Socket L3->L3 HITM latency", out);
	if (!has_remote(doc))
		return;
	print_remote(doc, HOME_WRITER, "writer", out);
	print_remote(doc, HOME_READER, "reader", out);
}

static void csv(const json_t *doc, FILE *out)
{
	static const char *const near[] = {"hitm_home_writer_ps", "hitm_home_reader_ps", "hit_ps",
					   NULL};

	measure_csv_matrices(doc, json_object_get(doc, keys[FAR]) ? keys : near, out);
}

const struct measure_kind measure_c2c = {
	.name = "c2c",
	.summary = "lines that a core gets from the caches of another that has written them",
	.to_cpus = true,
	.run = run,
	.text = text,
	.csv = csv,
};
