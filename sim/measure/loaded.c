/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loaded: one CPU follows pointers at random while all others stream, with ever longer pauses. The
 * memory is that nearest to each CPU's node, its own, unless --to says otherwise.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/json.h"
#include "sim/measure.h"
#include "sim/mul_div.h"

/* Small chunks: where latency follows the load steeply, CPUs that answer to it late make it swing.
 */
static const struct measure_times times = {
	.warm_ps = UINT64_C(800000000),
	.measure_ps = UINT64_C(800000000),
	.after_ps = UINT64_C(100000000),
	.fine = true,
};
/* The first load is the largest, and comes after none: near saturation a per cent that the
 * machine's averages have not seen yet is half of the latency. */
static const struct measure_times first_times = {
	.warm_ps = UINT64_C(3200000000),
	.measure_ps = UINT64_C(800000000),
	.after_ps = UINT64_C(400000000),
	.fine = true,
};

/*
 * Cycles to every 4 lines: those that MLC goes through, from the most load to the least, and those
 * at which so many thousandths are asked for of what is carried without a delay, where latency
 * rises within a few cycles.
 */
static const unsigned mlc_delays[] = {0,   2,    8,    15,   50,   100,  200,  300,  400,  500,
				      700, 1000, 1300, 1700, 2500, 3500, 5000, 9000, 20000};
static const unsigned asked[] = {995, 990, 980, 970, 950, 930, 900, 850};
#define NR_MLC    ((int)(sizeof(mlc_delays) / sizeof(mlc_delays[0])))
#define NR_ASKED  ((int)(sizeof(asked) / sizeof(asked[0])))
#define NR_DELAYS (NR_MLC + NR_ASKED)

struct loaded {
	const struct measure *m;
	struct measure_buffer *buffers;
	json_t *doc;
	int chaser;
	uint64_t delays[NR_DELAYS], latency_ps[NR_DELAYS], bytes_per_s[NR_DELAYS];
};

static void chase(struct measure_team *t, struct measure_buffer *b, int phase)
{
	struct loaded *l = t->arg;
	uint64_t ps;

	measure_chase(t, l->chaser, b, (phase ? &times : &first_times)->warm_ps, 0);
	ps = measure_chase(t, l->chaser, b, times.measure_ps, 1);
	l->latency_ps[phase] = ps;
	l->bytes_per_s[phase] += UINT64_C(64) * 1000000000000 / ps;
}

/* The node whose memory a CPU accesses; MM_NO_NODE: it takes no part. */
static int memory_of(const struct measure *m, int cpu)
{
	int nid = measure_node_of(m, cpu), to = m->to == MM_NO_NODE ? nid : m->to;

	return nid == MM_NO_NODE || !measure_to(m, to) ? MM_NO_NODE : to;
}

/* All phases, or none. */
static bool joins(const struct measure_team *t, int cpu, int phase)
{
	const struct loaded *l = t->arg;

	(void)phase;
	return memory_of(l->m, cpu) != MM_NO_NODE;
}

static void load(struct measure_team *t, int cpu, int phase)
{
	struct loaded *l = t->arg;
	int to = memory_of(l->m, cpu);

	if (cpu == l->chaser) {
		chase(t, &l->buffers[to], phase);
		return;
	}
	l->bytes_per_s[phase] += measure_stream(t, cpu, l->m->mix, &l->buffers[to],
						phase ? &times : &first_times, l->delays[phase]);
}

/* The first CPU that has memory to chase through; else an error. */
static int find_chaser(const struct measure *m)
{
	for (int cpu = 0; cpu < m->machine->mm.nr_cpus; cpu++)
		if (memory_of(m, cpu) != MM_NO_NODE)
			return cpu;
	return diag_error(m->diag, -EINVAL, m->machine->file, 0,
			  "no CPU has memory on its own node; --to says which memory to measure");
}

/* Cycles to 4 lines at which all who join ask for that much. */
static uint64_t delay_for(const struct measure_team *t, uint64_t bytes_per_s)
{
	const struct machine *m = sim_machine(t->sim);
	uint64_t sum = 0;

	/* Threads of a core share its cycles. */
	for (int cpu = 0; cpu < m->mm.nr_cpus; cpu++)
		if (joins(t, cpu, 0) && m->cpus[cpu].core == cpu &&
		    cpu != ((const struct loaded *)t->arg)->chaser)
			sum += m->cpus[cpu].freq_hz;
	return mul_div(sum, MEASURE_PAUSE_BYTES, bytes_per_s ? bytes_per_s : 1);
}

static int by_delay(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* What is carried without a delay is known. */
static void set_delays(const struct measure_team *t, struct loaded *l)
{
	for (int i = 0; i < NR_MLC; i++)
		l->delays[i] = mlc_delays[i];
	for (int i = 0; i < NR_ASKED; i++)
		l->delays[NR_MLC + i] = delay_for(t, l->bytes_per_s[0] / 1000 * asked[i]);
	qsort(l->delays, NR_DELAYS, sizeof(*l->delays), by_delay);
}

/* A phase is a row. */
static void put_row(struct measure_team *t, int phase)
{
	struct loaded *l = t->arg;
	json_t *row = json_append_object(json_object_get(l->doc, "loaded"));

	json_put(row, "delay_cycles", l->delays[phase]);
	json_put(row, "latency_ps", l->latency_ps[phase]);
	json_put(row, "bytes_per_s", l->bytes_per_s[phase]);
	if (l->m->row)
		l->m->row(l->m->row_arg, l->doc, row);
	if (!phase)
		set_delays(t, l);
}

static int run(const struct measure *m, json_t *doc)
{
	struct loaded l = {.m = m, .doc = doc, .chaser = find_chaser(m)};
	struct measure_team team = {.sim = m->sim,
				    .m = m,
				    .nr_phases = NR_DELAYS,
				    .work = load,
				    .joins = joins,
				    .ended = put_row,
				    .arg = &l};
	int err;

	if (l.chaser < 0)
		return l.chaser;
	err = measure_buffers(m, measure_beyond_caches(m->machine), &l.buffers);
	json_put_string(doc, "mix", m->mix->name);
	json_put_array(doc, "loaded");
	if (!err)
		err = measure_team_run(&team);
	measure_buffers_free(m, l.buffers);
	return err;
}

static void text(const json_t *doc, FILE *out)
{
	fputs("Measuring Loaded Latencies for the system\n" MEASURE_ALL_THREADS, out);
	if (strcmp(json_get_string(doc, "mix"), "reads") == 0)
		fputs("Using Read-only traffic type\n", out);
	else
		fprintf(out, "Using %s traffic type\n", json_get_string(doc, "mix"));
	fputs("Inject\tLatency\tBandwidth\nDelay\t(ns)\tMB/sec\n==========================\n", out);
}

static void text_row(const json_t *row, FILE *out)
{
	fprintf(out, " %05" PRIu64 "\t%6s\t%9s\n", json_get(row, "delay_cycles"),
		measure_digits(json_get(row, "latency_ps"), 1000, 2).text,
		measure_decimal(json_get(row, "bytes_per_s"), 1000000).text);
}

static void csv(const json_t *doc, FILE *out)
{
	(void)doc;
	fputs("delay_cycles,latency_ps,bytes_per_s\n", out);
}

static void csv_row(const json_t *row, FILE *out)
{
	fprintf(out, "%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\n", json_get(row, "delay_cycles"),
		json_get(row, "latency_ps"), json_get(row, "bytes_per_s"));
}

const struct measure_kind measure_loaded = {
	.name = "loaded",
	.summary = "latency under load: delay, latency and bandwidth",
	.streams = true,
	.run = run,
	.text = text,
	.csv = csv,
	.rows = "loaded",
	.text_row = text_row,
	.csv_row = csv_row,
};
