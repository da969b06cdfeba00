/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anon: a task on each CPU uses `bytes` of anonymous memory, each page of it allocated at its first
 * use, `passes` times from the first page to the last or each time in another order. What reclaim
 * has swapped meanwhile comes back at its next use.
 */
#include <errno.h>
#include <stdlib.h>

#include "sim/workload.h"

static uint64_t pages(const struct workload *w)
{
	return workload_blocks(w, w->bytes);
}

static uint64_t anon_operations(const struct workload *w)
{
	uint64_t each = w->passes + 1, cpus = (uint64_t)w->nr_cpus;

	return pages(w) < UINT64_MAX / each / cpus ? pages(w) * each * cpus : UINT64_MAX;
}

static int use(struct workload *w, struct trace *t, int cpu, uint32_t page)
{
	struct trace_event ev = {
		.op = TRACE_TOUCH,
		.page = page,
		.cpu = (uint16_t)cpu,
		.bytes = (uint32_t)(w->touch_bytes ? w->touch_bytes : WORKLOAD_LINE_BYTES),
		.write = 1,
	};

	return trace_append(t, &ev);
}

/* In an order of the pass, the same for all tasks; the first pass goes through them in turn. */
static void shuffle(struct workload *w, uint32_t *order, uint64_t nr)
{
	for (uint64_t i = nr; w->random && i > 1; i--) {
		uint64_t j = rng_below(&w->rng, i);
		uint32_t page = order[i - 1];

		order[i - 1] = order[j];
		order[j] = page;
	}
}

static int anon_generate(struct workload *w, struct trace *t)
{
	uint64_t nr = pages(w), cpus = (uint64_t)w->nr_cpus, touch_bytes = w->touch_bytes;
	uint32_t *order = malloc(nr * sizeof(*order)), first = t->nr_pages, page;
	int err = order ? 0 : -ENOMEM;

	w->touch_bytes = 0;
	for (uint64_t i = 0; i < nr && !err; i++) {
		order[i] = (uint32_t)i;
		for (uint64_t c = 0; c < cpus && !err; c++) {
			err = workload_alloc(w, t, w->cpus[c], 0, MM_NO_NODE, &page);
			w->touch_bytes = touch_bytes;
			if (!err)
				err = use(w, t, w->cpus[c], page);
			w->touch_bytes = 0;
		}
	}
	w->touch_bytes = touch_bytes;
	for (uint64_t pass = 1; pass < w->passes && !err; pass++) {
		shuffle(w, order, nr);
		for (uint64_t i = 0; i < nr && !err; i++)
			for (uint64_t c = 0; c < cpus && !err; c++)
				err = use(w, t, w->cpus[c],
					  first + (uint32_t)(order[i] * cpus + c));
	}
	free(order);
	return err;
}

const struct workload_kind workload_anon = {
	.name = "anon",
	.summary = "tasks use anonymous memory, over and over",
	.keys = (const char *const[]){"cpus", "bytes", "passes", "access", "touch", NULL},
	.operations = anon_operations,
	.generate = anon_generate,
};
