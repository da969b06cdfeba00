/* SPDX-License-Identifier: Apache-2.0 */
/* interleave: CPUs allocate `bytes` in all, asking for each of `nodes` in turn. */
#include "sim/workload.h"

static uint64_t blocks(const struct workload *w)
{
	return w->bytes ? workload_blocks(w, w->bytes) : w->operations;
}

static uint64_t interleave_operations(const struct workload *w)
{
	return blocks(w) * workload_alloc_operations(w);
}

static int interleave_generate(struct workload *w, struct trace *t)
{
	uint64_t nr = blocks(w), done = 0;
	uint32_t page;
	int err = 0;

	for (uint64_t i = 0; i < nr && (!w->bytes || done < w->bytes) && !err; i++) {
		unsigned order = workload_order(w);

		err = workload_alloc(w, t, w->cpus[i % (uint64_t)w->nr_cpus], order,
				     w->nodes[i % (uint64_t)w->nr_nodes], &page);
		done += workload_block_bytes(w, order);
	}
	return err;
}

const struct workload_kind workload_interleave = {
	.name = "interleave",
	.summary = "ask for each node in turn; nothing is freed",
	.keys = (const char *const[]){"cpus", "nodes", "bytes", "operations", "order", "orders",
				      "gfp", "touch", NULL},
	.operations = interleave_operations,
	.generate = interleave_generate,
};
