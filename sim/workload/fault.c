/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault: a task on each CPU stores to each page of `bytes` of its own memory, from the first to the
 * last or at random, so that the kernel has to find memory for it: huge pages, where its settings
 * want them. What that allocates is known only when it runs.
 */
#include <errno.h>
#include <stdlib.h>

#include "sim/workload.h"

static uint64_t pages(const struct workload *w)
{
	return w->bytes / w->host->page_bytes + (w->bytes % w->host->page_bytes != 0);
}

static uint64_t huge_pages(const struct workload *w)
{
	return w->host->huge_bytes / w->host->page_bytes;
}

/* Ranges that a huge page could map; the last perhaps in part. */
static uint64_t ranges(const struct workload *w)
{
	return (pages(w) + huge_pages(w) - 1) / huge_pages(w);
}

static uint64_t stores(const struct workload *w)
{
	return w->random && w->operations ? w->operations : pages(w);
}

static uint64_t fault_operations(const struct workload *w)
{
	uint64_t each = stores(w) + (w->unmap ? ranges(w) : 0);

	return each < UINT64_MAX / (uint64_t)w->nr_cpus ? each * (uint64_t)w->nr_cpus : UINT64_MAX;
}

static int store(struct workload *w, struct trace *t, int cpu, uint32_t first, uint64_t page)
{
	uint64_t range = page / huge_pages(w);
	struct trace_event ev = {
		.op = TRACE_FAULT,
		.page = first + (uint32_t)range,
		.bytes = (uint32_t)page,
		.cpu = (uint16_t)cpu,
		.policy = w->memory_policy,
		.fault = {.tables = w->task_policy & 0xfff,
			  .touch = w->touch_bytes & 0x1fff,
			  .advised = w->advised,
			  .whole = (range + 1) * huge_pages(w) <= pages(w),
			  .hugetlb = w->hugetlb},
	};

	return trace_append(t, &ev);
}

static int unmap(struct trace *t, int cpu, uint32_t range)
{
	struct trace_event ev = {.op = TRACE_UNMAP, .page = range, .cpu = (uint16_t)cpu};

	return trace_append(t, &ev);
}

/* Each page once, in an order of the task's own. */
static uint32_t *shuffled(struct workload *w, uint64_t nr)
{
	uint32_t *order = malloc(nr * sizeof(*order));

	for (uint64_t i = 0; order && i < nr; i++) {
		uint64_t j = rng_below(&w->rng, i + 1);

		order[i] = order[j];
		order[j] = (uint32_t)i;
	}
	return order;
}

/* Of one task; it is dealt in with the others. */
static uint64_t next_page(struct workload *w, const uint32_t *order, uint64_t i)
{
	if (order)
		return order[i];
	return w->random ? rng_below(&w->rng, pages(w)) : i;
}

static int fault_generate(struct workload *w, struct trace *t)
{
	uint64_t nr = stores(w), each = ranges(w);
	uint32_t first = t->nr_pages, *order = NULL;
	int err = 0;

	if (w->random && !w->operations) {
		order = shuffled(w, nr);
		err = order ? 0 : -ENOMEM;
	}
	for (uint64_t i = 0; i < nr && !err; i++)
		for (int c = 0; c < w->nr_cpus && !err; c++)
			err = store(w, t, w->cpus[c], first + (uint32_t)((uint64_t)c * each),
				    next_page(w, order, i));
	for (uint64_t i = 0; w->unmap && i < each && !err; i++)
		for (int c = 0; c < w->nr_cpus && !err; c++)
			err = unmap(t, w->cpus[c], first + (uint32_t)((uint64_t)c * each + i));
	free(order);
	return err;
}

const struct workload_kind workload_fault = {
	.name = "fault",
	.summary = "tasks fault their memory in, by huge pages where the kernel wants them",
	.keys = (const char *const[]){"cpus", "bytes", "touch", "access", "operations", "policy",
				      "range_policy", "madvise", "hugetlb", "unmap", NULL},
	.runs_only = true,
	.operations = fault_operations,
	.generate = fault_generate,
};
