/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fill: a CPU allocates as much as its node has, and `beyond` that, so that it spills; or `bytes`
 * in all. Several CPUs do so one block in turn, each of the first one's node.
 */
#include "sim/scenario.h"

static uint64_t node_bytes(const struct machine *m, int nid)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < m->mm.nr_memory; i++)
		if (m->memory[i].nid == nid)
			bytes += m->memory[i].bytes;
	return bytes;
}

static uint64_t blocks(const struct workload *w)
{
	uint64_t bytes = w->bytes;

	if (!bytes) {
		bytes = node_bytes(w->machine, w->machine->cpus[w->cpus[0]].nid);
		bytes = w->beyond < UINT64_MAX - bytes ? bytes + w->beyond : UINT64_MAX;
	}
	return workload_blocks(w, bytes);
}

static uint64_t fill_operations(const struct workload *w)
{
	return blocks(w) * workload_alloc_operations(w);
}

static int fill_generate(struct workload *w, struct trace *t)
{
	int home = w->machine->cpus[w->cpus[0]].nid;
	uint64_t nr = blocks(w);
	uint32_t page;
	int err = 0;

	for (uint64_t i = 0; i < nr && !err; i++)
		err = workload_alloc(w, t, w->cpus[i % (uint64_t)w->nr_cpus], w->order, home,
				     &page);
	return err;
}

const struct workload_kind workload_fill = {
	.name = "fill",
	.keys = (const char *const[]){"cpus", "bytes", "beyond", "order", "gfp", "touch", NULL},
	.operations = fill_operations,
	.generate = fill_generate,
};
