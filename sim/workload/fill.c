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

static int fill_generate(struct workload *w, struct trace *t)
{
	int home = w->machine->cpus[w->cpus[0]].nid;
	uint64_t bytes = w->bytes ? w->bytes : node_bytes(w->machine, home) + w->beyond;
	uint64_t block = (UINT64_C(1) << mm_arch(w->machine->mm.arch)->page_shift) << w->order;
	uint32_t page;
	int err = 0;

	for (uint64_t i = 0; i < (bytes + block - 1) / block && !err; i++)
		err = workload_alloc(w, t, w->cpus[i % (uint64_t)w->nr_cpus], w->order, home,
				     &page);
	return err;
}

const struct workload_kind workload_fill = {
	.name = "fill",
	.keys = (const char *const[]){"cpus", "bytes", "beyond", "order", "gfp", "touch", NULL},
	.generate = fill_generate,
};
