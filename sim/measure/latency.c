/* SPDX-License-Identifier: Apache-2.0 */
/*
 * latency: the first CPU of each node follows pointers at random through the memory of each node,
 * far beyond the caches, while all other CPUs are idle.
 */
#include <errno.h>
#include <stdlib.h>

#include "sim/json.h"
#include "sim/measure.h"

#define ACCESSES 4096 /* of each cell */

struct latency {
	const struct measure *m;
	struct measure_buffer *buffers;
	uint64_t *ps; /* [from * nr_nodes + to] */
};

/* A phase is a cell. */
static bool joins(const struct measure_team *t, int cpu, int phase)
{
	const struct latency *l = t->arg;
	int nr = l->m->nr_nodes;

	return measure_is_first(l->m, cpu, phase / nr) && measure_to(l->m, phase % nr);
}

static void chase(struct measure_team *t, int cpu, int phase)
{
	struct latency *l = t->arg;

	l->ps[phase] = measure_chase(t, cpu, &l->buffers[phase % l->m->nr_nodes], 0, ACCESSES);
}

/* What there was of `bytes` in the least of them. */
static uint64_t least_buffer(const struct latency *l, uint64_t bytes)
{
	for (int nid = 0; nid < l->m->nr_nodes; nid++) {
		const struct measure_buffer *b = &l->buffers[nid];

		if (b->nr && b->nr * b->block_bytes < bytes)
			bytes = b->nr * b->block_bytes;
	}
	return bytes;
}

static int run(const struct measure *m, json_t *doc)
{
	int nr = m->nr_nodes;
	struct latency l = {.m = m, .ps = calloc((size_t)nr * (size_t)nr, sizeof(*l.ps))};
	struct measure_team team = {.sim = m->sim,
				    .m = m,
				    .nr_phases = nr * nr,
				    .work = chase,
				    .joins = joins,
				    .arg = &l};
	uint64_t bytes = measure_beyond_caches(m->machine);
	int err = l.ps ? measure_buffers(m, bytes, &l.buffers) : -ENOMEM;

	if (!err)
		err = measure_team_run(&team);
	if (!err) {
		json_put(doc, "buffer_bytes", least_buffer(&l, bytes));
		json_put(doc, "accesses", ACCESSES);
		measure_put_matrix(m, doc, "latency_ps", l.ps);
	}
	measure_buffers_free(m, l.buffers);
	free(l.ps);
	return err;
}

static void text(const json_t *doc, FILE *out)
{
	fprintf(out, "Using buffer size of %sMiB\n",
		measure_digits(json_get(doc, "buffer_bytes"), 1 << 20, 3).text);
	fputs("Measuring idle latencies for random access (in ns)...\n", out);
	measure_print_matrix(doc, "latency_ps", 1000, out);
}

static void csv(const json_t *doc, FILE *out)
{
	static const char *const keys[] = {"latency_ps", NULL};

	measure_csv_matrices(doc, keys, out);
}

const struct measure_kind measure_latency = {
	.name = "latency",
	.summary = "idle latency from each node to each: a pointer chase beyond the caches",
	.run = run,
	.text = text,
	.csv = csv,
};
