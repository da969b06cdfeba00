/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slab: each CPU takes objects by kmalloc(), and once it holds `live` of them gives the oldest back
 * for each that it takes; or another CPU does it for it. At the end all go back.
 */
#include <errno.h>
#include <stdlib.h>

#include "sim/workload.h"

static int take(struct workload *w, struct trace *t, int cpu, uint64_t turn, uint32_t *object)
{
	struct trace_event ev = {
		.op = TRACE_KMALLOC,
		.page = t->nr_pages,
		.bytes = workload_draw(&w->rng, &w->sizes),
		.cpu = (uint16_t)cpu,
		.gfp = workload_draw(&w->rng, &w->gfp),
		.policy = w->task_policy,
	};
	uint32_t bytes = ev.bytes;
	int err;

	if (w->on_nodes) {
		ev.policy = (uint16_t)w->nodes[turn % (uint64_t)w->nr_nodes];
		ev.flags = TRACE_F_ON_NODE;
	}
	*object = ev.page;
	err = trace_append(t, &ev);
	if (err || !w->touch_bytes)
		return err;
	ev = (struct trace_event){
		.op = TRACE_TOUCH,
		.page = *object,
		.cpu = (uint16_t)cpu,
		.bytes = bytes < w->touch_bytes ? bytes : (uint32_t)w->touch_bytes,
		.write = 1,
	};
	return trace_append(t, &ev);
}

static int give(struct workload *w, struct trace *t, int c, uint32_t object)
{
	int cpu = w->nr_free_cpus ? w->free_cpus[c % w->nr_free_cpus] : w->cpus[c];
	struct trace_event ev = {.op = TRACE_OBJECT_FREE, .page = object, .cpu = (uint16_t)cpu};

	return trace_append(t, &ev);
}

static uint64_t slab_operations(const struct workload *w)
{
	return w->operations * (uint64_t)w->nr_cpus * (1 + workload_alloc_operations(w));
}

/* The objects of a CPU lie in a ring: what was taken `live` operations ago is the oldest. */
static int slab_generate(struct workload *w, struct trace *t)
{
	uint64_t live = w->live < w->operations ? w->live : w->operations;
	uint32_t *rings = calloc(live * (uint64_t)w->nr_cpus, sizeof(*rings));
	int err = rings ? 0 : -ENOMEM;

	for (uint64_t i = 0; i < w->operations && !err; i++)
		for (int c = 0; c < w->nr_cpus && !err; c++) {
			uint32_t *slot = &rings[(uint64_t)c * live + i % live];

			if (i >= live)
				err = give(w, t, c, *slot);
			if (!err)
				err = take(w, t, w->cpus[c], i, slot);
		}
	for (uint64_t i = w->operations - live; i < w->operations && !err; i++)
		for (int c = 0; c < w->nr_cpus && !err; c++)
			err = give(w, t, c, rings[(uint64_t)c * live + i % live]);
	free(rings);
	return err;
}

const struct workload_kind workload_slab = {
	.name = "slab",
	.summary = "kmalloc and kfree, on one CPU or across them",
	.keys = (const char *const[]){"cpus", "free_cpus", "operations", "live", "sizes", "gfp",
				      "touch", "policy", "nodes", NULL},
	.runs_only = true,
	.operations = slab_operations,
	.generate = slab_generate,
};
