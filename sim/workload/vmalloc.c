/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vmalloc: each CPU allocates `operations` times `bytes` of kernel memory, of which it holds `live`
 * at a time, the oldest given back first. By `method` that is vmalloc(), vmalloc_huge(), or one
 * contiguous block of pages: what being virtually contiguous costs, against looking for a large
 * block.
 */
#include <errno.h>
#include <stdlib.h>

#include "sim/workload.h"

static uint64_t pages(const struct workload *w)
{
	return w->bytes / w->host->page_bytes + (w->bytes % w->host->page_bytes != 0);
}

static bool contiguous(const struct workload *w)
{
	return w->method == WORKLOAD_CONTIGUOUS;
}

static uint8_t order(const struct workload *w)
{
	uint8_t order = 0;

	while (order < MAX_PAGE_ORDER && UINT64_C(1) << order < pages(w))
		order++;
	return order;
}

static uint64_t vmalloc_operations(const struct workload *w)
{
	return 2 * w->operations * (uint64_t)w->nr_cpus;
}

static int take(struct workload *w, struct trace *t, int cpu, uint32_t *number)
{
	struct trace_event ev = {
		.op = TRACE_VMALLOC,
		.page = t->nr_pages,
		.bytes = (uint32_t)pages(w),
		.cpu = (uint16_t)cpu,
		.area = {.huge = w->method == WORKLOAD_VMALLOC_HUGE,
			 .touch = w->touch_bytes & 0x1fff},
	};

	*number = ev.page;
	return contiguous(w) ? workload_alloc(w, t, cpu, order(w), MM_NO_NODE, number)
			     : trace_append(t, &ev);
}

static int give_back(struct workload *w, struct trace *t, int cpu, uint32_t number)
{
	struct trace_event ev = {.op = TRACE_VFREE, .page = number, .cpu = (uint16_t)cpu};

	return contiguous(w) ? workload_free(t, cpu, order(w), number) : trace_append(t, &ev);
}

static int vmalloc_generate(struct workload *w, struct trace *t)
{
	uint64_t live = w->live < w->operations ? w->live : w->operations;
	uint64_t nr = (uint64_t)w->nr_cpus;
	uint32_t *held = malloc(live * nr * sizeof(*held));
	int err = held ? 0 : -ENOMEM;

	for (uint64_t i = 0; i < w->operations + live && !err; i++)
		for (uint64_t c = 0; c < nr && !err; c++) {
			uint32_t *slot = &held[i % live * nr + c];

			if (i >= live)
				err = give_back(w, t, w->cpus[c], *slot);
			if (i < w->operations && !err)
				err = take(w, t, w->cpus[c], slot);
		}
	free(held);
	return err;
}

const struct workload_kind workload_vmalloc = {
	.name = "vmalloc",
	.summary = "the kernel allocates virtually contiguous memory, or contiguous blocks",
	.keys = (const char *const[]){"cpus", "bytes", "operations", "live", "touch", "method",
				      NULL},
	.runs_only = true,
	.operations = vmalloc_operations,
	.generate = vmalloc_generate,
};
