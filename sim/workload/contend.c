/* SPDX-License-Identifier: Apache-2.0 */
/*
 * contend: each CPU takes a burst of blocks and gives them back, until it has done `operations`
 * allocations. Bursts beyond the per-CPU lists meet at the zone lock.
 */
#include <errno.h>
#include <stdlib.h>

#include "sim/workload.h"

struct block {
	uint32_t page;
	uint8_t order;
};

/* One burst of every CPU, dealt round so that a trace in order does what the CPUs do at once. */
static int burst(struct workload *w, struct trace *t, struct block *held, uint64_t blocks)
{
	uint64_t nr = (uint64_t)w->nr_cpus;
	int err = 0;

	for (uint64_t i = 0; i < blocks * nr && !err; i++) {
		held[i].order = (uint8_t)workload_order(w);
		err = workload_alloc(w, t, w->cpus[i % nr], held[i].order, MM_NO_NODE,
				     &held[i].page);
	}
	for (uint64_t i = 0; i < blocks * nr && !err; i++)
		err = workload_free(t, w->cpus[i % nr], held[i].order, held[i].page);
	return err;
}

/* Each allocation is freed. */
static uint64_t contend_operations(const struct workload *w)
{
	return w->operations * (uint64_t)w->nr_cpus * (workload_alloc_operations(w) + 1);
}

static int contend_generate(struct workload *w, struct trace *t)
{
	uint64_t most = w->burst < w->operations ? w->burst : w->operations;
	struct block *held = malloc(most * (uint64_t)w->nr_cpus * sizeof(*held));
	int err = held ? 0 : -ENOMEM;

	for (uint64_t done = 0; done < w->operations && !err; done += most) {
		uint64_t left = w->operations - done;

		err = burst(w, t, held, left < most ? left : most);
	}
	free(held);
	return err;
}

const struct workload_kind workload_contend = {
	.name = "contend",
	.summary = "take bursts of blocks and give them back, all CPUs at once",
	.keys = (const char *const[]){"cpus", "operations", "burst", "order", "orders", "gfp",
				      "touch", NULL},
	.operations = contend_operations,
	.generate = contend_generate,
};
