/* SPDX-License-Identifier: Apache-2.0 */
/* interleave: CPUs allocate `bytes` in all, asking for each of `nodes` in turn. */
#include "sim/scenario.h"

static int interleave_generate(struct workload *w, struct trace *t)
{
	uint64_t block = (UINT64_C(1) << mm_arch(w->machine->mm.arch)->page_shift) << w->order;
	uint64_t bytes = w->bytes ? w->bytes : block * w->operations;
	uint32_t page;
	int err = 0;

	for (uint64_t i = 0; i < (bytes + block - 1) / block && !err; i++)
		err = workload_alloc(w, t, w->cpus[i % (uint64_t)w->nr_cpus], w->order,
				     w->nodes[i % (uint64_t)w->nr_nodes], &page);
	return err;
}

const struct workload_kind workload_interleave = {
	.name = "interleave",
	.keys = (const char *const[]){"cpus", "nodes", "bytes", "operations", "order", "gfp",
				      "touch", NULL},
	.generate = interleave_generate,
};
