/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of reading and replaying traces. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/experiment.h"
#include "sim/json.h"
#include "sim/scenario/generate.h"
#include "sim/trace/unpack.h"
#include "sim/trace/writer.h"
#include "tests/bench/bench.h"

#define W1B_MACHINE  SOURCE_DIR "/configs/machines/W1b_touch_4k_2x512m.cfg"
#define W1B_TRACE    SOURCE_DIR "/traces/W1b_touch_4k_2x512m.trace.zst"
#define XEON_MACHINE SOURCE_DIR "/configs/machines/xeon-8269cy-2s.cfg"

/* A trace as bytes. */
struct bytes {
	char *data;
	size_t len;
};

/* The text of W1b, decompressed. */
static struct bytes w1b_text(void)
{
	struct diag diag = DIAG_INIT;
	struct unpack *u;
	const size_t room = 64 << 20;
	struct bytes b = {malloc(room), 0};
	ssize_t got;

	if (!b.data || unpack_open(W1B_TRACE, &diag, &u))
		die("W1b cannot be read");
	while ((got = unpack_read(u, &diag, b.data + b.len, room - b.len)) > 0)
		b.len += (size_t)got;
	unpack_close(u);
	if (got || b.len == room)
		die("W1b cannot be read");
	return b;
}

static struct bytes w1b_binary(void)
{
	struct diag diag = DIAG_INIT;
	struct bytes b;
	struct trace *t;
	FILE *f = open_memstream(&b.data, &b.len);

	if (!f || trace_load(W1B_TRACE, NULL, &diag, &t) ||
	    trace_find_writer("binary")->write(t, f, &diag) || fclose(f))
		die("W1b cannot be made a binary trace");
	trace_free(t);
	return b;
}

static struct trace *parse(struct bytes b)
{
	struct diag diag = DIAG_INIT;
	struct trace *t;

	if (trace_parse(b.data, b.len, "W1b", &diag, &t))
		die(diag.failed ? diag.error.text : "W1b cannot be read");
	return t;
}

/* Events a second out of bytes in memory; several times, since one is over too soon. */
static double decode(struct bytes b, unsigned times)
{
	double start = now(), events = 0;

	for (unsigned i = 0; i < times; i++) {
		struct trace *t = parse(b);

		events += (double)t->nr_events;
		trace_free(t);
	}
	free(b.data);
	return events / (now() - start);
}

double decode_ftrace(void)
{
	return decode(w1b_text(), 3);
}

double decode_binary(void)
{
	return decode(w1b_binary(), 50);
}

static void load_costs(struct costs *costs)
{
	struct diag diag = DIAG_INIT;
	char *file = shipped_config("costs/linux-6.x.cfg");

	if (!file || costs_load(file, &diag, costs))
		die(diag.failed ? diag.error.text : "there are no costs");
	free(file);
}

static struct machine *load_machine(const char *path)
{
	struct diag diag = DIAG_INIT;
	struct machine *m;

	if (machine_load(path, NULL, 0, &diag, &m))
		die(diag.failed ? diag.error.text : "a machine cannot be read");
	return m;
}

/* Replay once in this process. */
static json_t *replay(const struct machine *m, const struct trace *t, enum timing_mode mode)
{
	struct diag diag = DIAG_INIT;
	struct costs costs;
	struct experiment e = {.work = "bench", .costs = &costs, .trace = t, .timing_mode = mode};
	json_t *result;

	load_costs(&costs);
	if (experiment_run(&e, m, &diag, &result))
		die(diag.failed ? diag.error.text : "a trace cannot be replayed");
	return result;
}

/* Of W1b, reading included. */
static double replay_bytes(struct bytes b, enum timing_mode mode)
{
	double start = now();
	struct machine *m = load_machine(W1B_MACHINE);
	struct trace *t = parse(b);

	json_decref(replay(m, t, mode));
	return (double)t->nr_events / (now() - start);
}

double replay_binary(void)
{
	return replay_bytes(w1b_binary(), TIMING_BATCHED);
}

double replay_ftrace(void)
{
	return replay_bytes(w1b_text(), TIMING_BATCHED);
}

double replay_naive(void)
{
	return replay_bytes(w1b_binary(), TIMING_EXACT);
}

double replay_zstd(void)
{
	struct diag diag = DIAG_INIT;
	double start = now();
	struct machine *m = load_machine(W1B_MACHINE);
	struct trace *t;

	if (trace_load(W1B_TRACE, NULL, &diag, &t))
		die(diag.failed ? diag.error.text : "W1b cannot be read");
	json_decref(replay(m, t, TIMING_BATCHED));
	return (double)t->nr_events / (now() - start);
}

/* Of a replay, for each event. */
static double activities(const struct machine *m, const struct trace *t, enum timing_mode mode)
{
	json_t *result = replay(m, t, mode);

	return (double)result_integer(result, "activities") / (double)t->nr_events;
}

double replay_activities(void)
{
	return activities(load_machine(W1B_MACHINE), parse(w1b_binary()), TIMING_BATCHED);
}

double replay_activities_exact(void)
{
	return activities(load_machine(W1B_MACHINE), parse(w1b_binary()), TIMING_EXACT);
}

/* So many operations of that kind, dealt out to the CPUs. */
static struct trace *make_work(const struct machine *m, const char *kind, uint64_t operations)
{
	struct generate g = {.workload = workload_default(), .seed = 1};
	struct workload_host host;
	struct trace *t;

	for (int i = 0; workload_kinds[i]; i++)
		if (!strcmp(workload_kinds[i]->name, kind))
			g.workload.kind = workload_kinds[i];
	g.workload.operations = operations / (uint64_t)m->mm.nr_cpus;
	g.workload.live = 2000;
	g.workload.max_order = 3;
	if (workload_host_of_machine(&host, m) || generate_trace(&g, &host, &t))
		die("no work");
	workload_host_clear(&host);
	return t;
}

double replay_activities_contended(void)
{
	struct machine *m = load_machine(XEON_MACHINE);

	return activities(m, make_work(m, "interleave", 400000), TIMING_BATCHED);
}

/* Nodes in a ring, with so much memory and so many CPUs each. */
struct shape {
	int nr_nodes, node_gib, cpus;
};

static struct machine *make_machine(const struct shape *shape)
{
	struct diag diag = DIAG_INIT;
	int nr_nodes = shape->nr_nodes;
	struct machine *m;
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		die("no memory");
	fprintf(f,
		"name = \"bench\"; source = \"made up\"; architecture = \"x86_64\"; memory_model = "
		"\"sparse-vmemmap\"; nodes = (");
	for (int n = 0; n < nr_nodes; n++)
		fprintf(f,
			"%s{ id = %d; memory = ( { base = \"%dGiB\"; size = \"%dGiB\"; } ); cpus = "
			"{ count = %d; frequency = \"2.5GHz\"; }; }",
			n ? "," : "", n, shape->node_gib * n + 4, shape->node_gib, shape->cpus);
	fprintf(f, "); distances = (");
	for (int a = 0; a < nr_nodes; a++) {
		fprintf(f, "%s(", a ? "," : "");
		for (int b = 0; b < nr_nodes; b++) {
			int hops = abs(a - b);

			hops = hops < nr_nodes - hops ? hops : nr_nodes - hops;
			fprintf(f, "%s%d", b ? "," : "", hops ? 10 + 5 * hops : 10);
		}
		fprintf(f, ")");
	}
	fprintf(f, "); bank = { latency = \"100ns\"; bandwidth = \"100GB/s\"; }; ");
	if (nr_nodes > 1)
		fprintf(f, "interconnect = { topology = \"ring\"; link = { latency = \"50ns\"; "
			   "bandwidth = \"50GB/s\"; }; };");
	if (fclose(f) || machine_parse(text, len, "bench", &diag, &m))
		die(diag.failed ? diag.error.text : "no machine");
	free(text);
	return m;
}

/* What an event takes of the host, and of simulated CPUs that are not idle. */
struct event_cost {
	double host_ns, simulated_ns;
};

static double busy_ns(json_t *result)
{
	return (double)(result_integer(result, "cost.total_ps") -
			result_integer(result, "cost.idle_ps")) /
	       1000;
}

/* 400,000 operations of a churn. */
static struct event_cost replay_churn(struct shape shape)
{
	struct machine *m = make_machine(&shape);
	struct trace *t = make_work(m, "churn", 400000);
	double start = now();
	json_t *result = replay(m, t, TIMING_BATCHED);
	struct event_cost cost = {
		.host_ns = (now() - start) * 1e9 / (double)t->nr_events,
		.simulated_ns = busy_ns(result) / (double)t->nr_events,
	};

	json_decref(result);
	return cost;
}

static const struct shape one = {1, 2, 1}, eight = {1, 2, 8}, in_8_nodes = {8, 2, 8},
			  in_64_nodes = {64, 2, 8};

double replay_1cpu(void)
{
	return replay_churn(one).host_ns;
}

double replay_8cpu(void)
{
	return replay_churn(eight).host_ns;
}

double replay_64cpu(void)
{
	return replay_churn(in_8_nodes).host_ns;
}

double replay_512cpu(void)
{
	return replay_churn(in_64_nodes).host_ns;
}

double replay_1cpu_simulated(void)
{
	return replay_churn(one).simulated_ns;
}

double replay_8cpu_simulated(void)
{
	return replay_churn(eight).simulated_ns;
}

double replay_64cpu_simulated(void)
{
	return replay_churn(in_8_nodes).simulated_ns;
}

double replay_512cpu_simulated(void)
{
	return replay_churn(in_64_nodes).simulated_ns;
}

double replay_1gib(void)
{
	return replay_churn((struct shape){1, 1, 8}).host_ns;
}

double replay_16tib(void)
{
	return replay_churn((struct shape){1, 16384, 8}).host_ns;
}

double replay_8node(void)
{
	return replay_churn((struct shape){8, 2, 1}).host_ns;
}
