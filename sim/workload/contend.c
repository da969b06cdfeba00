/* SPDX-License-Identifier: Apache-2.0 */
/*
 * contend: each CPU takes a burst of blocks and gives them back, until it has done `operations`
 * allocations. Bursts beyond the per-CPU lists meet at the zone lock.
 */
#include <errno.h>
#include <stdlib.h>

#include "sim/scenario.h"

/* One burst of every CPU, dealt round so that a trace in order does what the CPUs do at once. */
static int burst(struct workload *w, struct trace *t, uint32_t *pages, uint64_t blocks)
{
	uint64_t nr = (uint64_t)w->nr_cpus;
	int err = 0;

	for (uint64_t i = 0; i < blocks * nr && !err; i++)
		err = workload_alloc(w, t, w->cpus[i % nr], w->order, MM_NO_NODE, &pages[i]);
	for (uint64_t i = 0; i < blocks * nr && !err; i++)
		err = workload_free(t, w->cpus[i % nr], w->order, pages[i]);
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
	uint32_t *pages = malloc(most * (uint64_t)w->nr_cpus * sizeof(*pages));
	int err = pages ? 0 : -ENOMEM;

	for (uint64_t done = 0; done < w->operations && !err; done += most) {
		uint64_t left = w->operations - done;

		err = burst(w, t, pages, left < most ? left : most);
	}
	free(pages);
	return err;
}

const struct workload_kind workload_contend = {
	.name = "contend",
	.keys = (const char *const[]){"cpus", "operations", "burst", "order", "gfp", "touch", NULL},
	.operations = contend_operations,
	.generate = contend_generate,
};
