/* SPDX-License-Identifier: Apache-2.0 */
/*
 * churn: each CPU allocates and frees at random, holding `live` blocks at most, of orders up to
 * `max_order`; each order half as often as the one below it. At the end it still holds some.
 */
#include <errno.h>
#include <stdlib.h>

#include "sim/workload.h"

struct block {
	uint32_t page;
	uint8_t order;
};

struct holder {
	struct block *blocks;
	uint64_t nr;
};

static unsigned random_order(struct workload *w)
{
	unsigned order = 0;

	if (w->orders.nr)
		return workload_order(w);
	while (order < w->max_order && rng_next(&w->rng) & 1)
		order++;
	return order;
}

/* Allocate when empty, free when full, else toss a coin. */
static int step(struct workload *w, struct trace *t, int cpu, struct holder *h)
{
	bool alloc = h->nr == 0 || (h->nr < w->live && (rng_next(&w->rng) & 1));
	struct block *b;
	uint64_t i;

	if (alloc) {
		b = &h->blocks[h->nr++];
		b->order = (uint8_t)random_order(w);
		return workload_alloc(w, t, cpu, b->order, MM_NO_NODE, &b->page);
	}
	i = rng_below(&w->rng, h->nr);
	b = &h->blocks[--h->nr];
	if (i < h->nr) {
		struct block last = *b;

		*b = h->blocks[i];
		h->blocks[i] = last;
	}
	return workload_free(t, cpu, b->order, b->page);
}

static uint64_t churn_operations(const struct workload *w)
{
	return w->operations * (uint64_t)w->nr_cpus * workload_alloc_operations(w);
}

static int churn_generate(struct workload *w, struct trace *t)
{
	uint64_t most = w->live < w->operations ? w->live : w->operations;
	struct holder *holders = calloc((size_t)w->nr_cpus, sizeof(*holders));
	int err = holders ? 0 : -ENOMEM;

	for (int c = 0; c < w->nr_cpus && !err; c++) {
		holders[c].blocks = malloc(most * sizeof(*holders[c].blocks));
		if (!holders[c].blocks)
			err = -ENOMEM;
	}
	for (uint64_t i = 0; i < w->operations && !err; i++)
		for (int c = 0; c < w->nr_cpus && !err; c++)
			err = step(w, t, w->cpus[c], &holders[c]);
	for (int c = 0; holders && c < w->nr_cpus; c++)
		free(holders[c].blocks);
	free(holders);
	return err;
}

const struct workload_kind workload_churn = {
	.name = "churn",
	.summary = "allocate and free at random, up to so many blocks a CPU",
	.keys = (const char *const[]){"cpus", "operations", "live", "max_order", "orders", "gfp",
				      "touch", NULL},
	.operations = churn_operations,
	.generate = churn_generate,
};
