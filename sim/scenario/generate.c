/* SPDX-License-Identifier: Apache-2.0 */
/* Traces from workloads, without a scenario file: so many events, at times a little apart. */
#include "sim/scenario/generate.h"

#include <errno.h>
#include <stdlib.h>

static int host_arrays(struct workload_host *host)
{
	host->cpu_nid = calloc((size_t)host->nr_cpus, sizeof(*host->cpu_nid));
	host->node_bytes = calloc((size_t)host->nr_nodes, sizeof(*host->node_bytes));
	return host->cpu_nid && host->node_bytes ? 0 : -ENOMEM;
}

int workload_host_of_machine(struct workload_host *host, const struct machine *m)
{
	*host = (struct workload_host){
		.page_bytes = UINT64_C(1) << mm_arch(m->mm.arch)->page_shift,
		.huge_bytes = UINT64_C(1) << (mm_arch(m->mm.arch)->page_shift +
					      mm_arch(m->mm.arch)->pageblock_order),
		.gigantic_bytes = mm_arch(m->mm.arch)->gigantic_order
					  ? UINT64_C(1) << (mm_arch(m->mm.arch)->page_shift +
							    mm_arch(m->mm.arch)->gigantic_order)
					  : 0,
		.nr_cpus = m->mm.nr_cpus,
		.nr_nodes = m->mm.nr_nodes,
	};
	host->pool_bytes = m->mm.params.huge_bytes ? m->mm.params.huge_bytes : host->huge_bytes;
	if (host_arrays(host))
		return -ENOMEM;
	for (int cpu = 0; cpu < host->nr_cpus; cpu++)
		host->cpu_nid[cpu] = m->cpu_nid[cpu];
	for (size_t i = 0; i < m->mm.nr_memory; i++)
		host->node_bytes[m->memory[i].nid] += m->memory[i].bytes;
	return 0;
}

int workload_host_plain(struct workload_host *host, int nr_cpus, int nr_nodes)
{
	*host = (struct workload_host){
		.page_bytes = 4096,
		.huge_bytes = UINT64_C(2) << 20,
		.pool_bytes = UINT64_C(2) << 20,
		.nr_cpus = nr_cpus,
		.nr_nodes = nr_nodes,
	};
	if (host_arrays(host))
		return -ENOMEM;
	for (int cpu = 0; cpu < nr_cpus; cpu++)
		host->cpu_nid[cpu] = (int)((int64_t)cpu * nr_nodes / nr_cpus);
	return 0;
}

void workload_host_clear(struct workload_host *host)
{
	free(host->cpu_nid);
	free(host->node_bytes);
	*host = (struct workload_host){0};
}

static int *count_up(int nr)
{
	int *numbers = calloc((size_t)nr, sizeof(*numbers));

	for (int i = 0; numbers && i < nr; i++)
		numbers[i] = i;
	return numbers;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Before which events the steps are: NULL where there is no memory. */
static uint64_t *places(const struct generate *g, uint64_t events, struct rng *rng)
{
	uint64_t *at = calloc(g->nr_steps + 1, sizeof(*at));

	for (unsigned i = 0; at && i < g->nr_steps; i++)
		at[i] = rng_below(rng, events + 1);
	if (at)
		qsort(at, g->nr_steps, sizeof(*at), by_value);
	return at;
}

static int append_step(const struct generate *g, struct mix_run *x, unsigned step)
{
	struct trace_event ev = {.op = TRACE_HOTPLUG, .page = TRACE_NO_PAGE};
	int err = trace_add_step(x->to, g->steps[step], &ev.bytes);

	ev.cpu = (uint16_t)rng_below(&x->rng, (uint64_t)x->host->nr_cpus);
	ev.time_ps = x->time_ps;
	return err ? err : trace_append(x->to, &ev);
}

/* The first so many events, at their times, with what is mixed in. */
static int take_events(const struct generate *g, const struct trace *from, struct mix_run *x)
{
	uint64_t nr = g->events && g->events < from->nr_events ? g->events : from->nr_events;
	uint64_t *at = places(g, nr, &x->rng);
	unsigned step = 0;
	int err = at ? mix_begin(x, from) : -ENOMEM;

	for (uint64_t i = 0; i < nr && !err; i++) {
		while (!err && step < g->nr_steps && at[step] == i)
			err = append_step(g, x, step++);
		if (!err)
			err = mix_event(x, &from->events[i]);
	}
	while (!err && step < g->nr_steps)
		err = append_step(g, x, step++);
	mix_end(x);
	free(at);
	return err;
}

int generate_trace(const struct generate *g, const struct workload_host *host, struct trace **out)
{
	struct trace *all = trace_new(g->workload.kind->name);
	struct trace *t = trace_new(g->workload.kind->name);
	struct workload w = g->workload;
	struct rng rng = {g->seed};
	struct mix_run x = {.mix = &g->mix,
			    .host = host,
			    .touch_bytes = g->workload.touch_bytes,
			    .rng = {~g->seed},
			    .to = t,
			    .most = g->events,
			    .interval_ps = g->interval_ps,
			    .interval = &rng};
	int err = all && t ? 0 : -ENOMEM;

	w.host = host;
	w.rng.state = rng_next(&rng);
	w.cpus = count_up(host->nr_cpus);
	w.nr_cpus = host->nr_cpus;
	w.nodes = count_up(host->nr_nodes);
	w.nr_nodes = host->nr_nodes;
	if (!w.cpus || !w.nodes)
		err = -ENOMEM;
	if (!err && w.kind->operations(&w) > WORKLOAD_MAX_OPERATIONS)
		err = -E2BIG;
	if (!err)
		err = w.kind->generate(&w, all);
	if (!err)
		err = take_events(g, all, &x);
	free(w.cpus);
	free(w.nodes);
	trace_free(all);
	if (err) {
		trace_free(t);
		return err;
	}
	*out = t;
	return 0;
}
