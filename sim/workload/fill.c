/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fill: a CPU allocates as much as its node has, and `beyond` that, so that it spills; or `bytes`
 * in all. Several CPUs do so one block in turn, each of the first one's node.
 */
#include "sim/workload.h"

static int home(const struct workload *w)
{
	return w->host->cpu_nid[w->cpus[0]];
}

static uint64_t bytes(const struct workload *w)
{
	uint64_t whole = w->host->node_bytes[home(w)];

	if (w->bytes)
		return w->bytes;
	return w->beyond < UINT64_MAX - whole ? whole + w->beyond : UINT64_MAX;
}

static uint64_t fill_operations(const struct workload *w)
{
	uint64_t blocks = workload_blocks(w, bytes(w)), each = workload_alloc_operations(w);

	return blocks <= UINT64_MAX / each ? blocks * each : UINT64_MAX;
}

static int fill_generate(struct workload *w, struct trace *t)
{
	uint64_t all = bytes(w), done = 0;
	uint32_t page;
	int err = 0;

	for (uint64_t i = 0; done < all && !err; i++) {
		unsigned order = workload_order(w);

		err = workload_alloc(w, t, w->cpus[i % (uint64_t)w->nr_cpus], order, home(w),
				     &page);
		done += workload_block_bytes(w, order);
	}
	return err;
}

const struct workload_kind workload_fill = {
	.name = "fill",
	.summary = "fill a node, and beyond it or so many bytes; nothing is freed",
	.keys = (const char *const[]){"cpus", "bytes", "beyond", "order", "orders", "gfp", "touch",
				      NULL},
	.operations = fill_operations,
	.generate = fill_generate,
};
