/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bandwidth: all CPUs of a node stream through the memory of a node, for each pair of nodes; then
 * all CPUs of the machine through the memory nearest to them, for each mix of reads and writes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/json.h"
#include "sim/measure.h"

/* A load begins on an idle machine, whose averages look 0.2 ms back: of that beginning 3 parts in
 * 10,000 are left after 8 times that. */
static const struct measure_times times = {
	.warm_ps = UINT64_C(1600000000),
	.measure_ps = UINT64_C(200000000),
	.after_ps = UINT64_C(50000000),
};

struct bandwidth {
	const struct measure *m;
	struct measure_buffer *buffers;
	uint64_t *matrix; /* [from * nr_nodes + to], then one a mix */
};

/* First the cells of the matrix, then a phase a mix. */
static bool joins(const struct measure_team *t, int cpu, int phase)
{
	const struct bandwidth *b = t->arg;
	int nr = b->m->nr_nodes;

	if (phase >= nr * nr)
		return measure_node_of(b->m, cpu) != MM_NO_NODE;
	return measure_from(b->m, phase / nr) && measure_has_cpu(b->m, phase / nr, cpu) &&
	       measure_to(b->m, phase % nr);
}

static void stream(struct measure_team *t, int cpu, int phase)
{
	struct bandwidth *b = t->arg;
	const struct measure *m = b->m;
	int nr = m->nr_nodes, to = phase % nr;
	const struct measure_mix *mix = m->mix;

	if (phase >= nr * nr) {
		mix = &measure_mixes[phase - nr * nr];
		to = measure_nearest(m, cpu);
	}
	b->matrix[phase] += measure_stream(t, cpu, mix, &b->buffers[to], &times, 0);
}

static void put_mixes(const uint64_t *rates, json_t *doc)
{
	json_t *mixes = json_put_array(doc, "system");

	for (int i = 0; measure_mixes[i].name; i++) {
		json_t *mix = json_append_object(mixes);

		json_put_string(mix, "mix", measure_mixes[i].name);
		json_put(mix, "bytes_per_s", rates[i]);
	}
}

static int run(const struct measure *m, json_t *doc)
{
	int nr = m->nr_nodes, nr_mixes = 0;
	struct bandwidth b = {.m = m};
	struct measure_team team = {
		.sim = m->sim, .m = m, .work = stream, .joins = joins, .arg = &b, .rested = true};
	int err;

	while (measure_mixes[nr_mixes].name)
		nr_mixes++;
	team.nr_phases = nr * nr + nr_mixes;
	b.matrix = calloc((size_t)team.nr_phases, sizeof(*b.matrix));
	err = b.matrix ? measure_buffers(m, measure_beyond_caches(m->machine), &b.buffers)
		       : -ENOMEM;
	if (!err)
		err = measure_team_run(&team);
	if (!err) {
		json_put_string(doc, "mix", m->mix->name);
		measure_put_matrix(m, doc, "bytes_per_s", b.matrix);
		put_mixes(b.matrix + nr * nr, doc);
	}
	measure_buffers_free(m, b.buffers);
	free(b.matrix);
	return err;
}

static const struct measure_mix *mix_of(const json_t *object)
{
	const struct measure_mix *mix = measure_mixes;

	while (mix->name && strcmp(mix->name, json_get_string(object, "mix")) != 0)
		mix++;
	return mix;
}

#define UNITS "Bandwidths are in MB/sec (1 MB/sec = 1,000,000 Bytes/sec)\n"

static void text(const json_t *doc, FILE *out)
{
	const json_t *mix;
	size_t i;

	fputs("Measuring Memory Bandwidths between nodes within system\n" UNITS MEASURE_ALL_THREADS,
	      out);
	fprintf(out, "Using %s traffic type\n",
		mix_of(doc)->writes ? mix_of(doc)->name : "Read-only");
	measure_print_matrix(doc, "bytes_per_s", 1000000, out);
	fputs("\nMeasuring Peak Injection Memory Bandwidths for the system\n" UNITS
		      MEASURE_ALL_THREADS "Using traffic with the following read-write ratios\n",
	      out);
	json_array_foreach (json_object_get(doc, "system"), i, mix)
		fprintf(out, "%s:\t%s\n", mix_of(mix)->title,
			measure_decimal(json_get(mix, "bytes_per_s"), 1000000).text);
}

static void csv(const json_t *doc, FILE *out)
{
	static const char *const keys[] = {"bytes_per_s", NULL};
	const json_t *mix;
	size_t i;

	measure_csv_matrices(doc, keys, out);
	json_array_foreach (json_object_get(doc, "system"), i, mix)
		fprintf(out, "system,%s,%" JSON_INTEGER_FORMAT "\n", json_get_string(mix, "mix"),
			(json_int_t)json_get(mix, "bytes_per_s"));
}

const struct measure_kind measure_bandwidth = {
	.name = "bandwidth",
	.summary = "bandwidth from each node to each, and of the whole system by mix of reads and "
		   "writes",
	.streams = true,
	.run = run,
	.text = text,
	.csv = csv,
};
