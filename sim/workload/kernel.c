/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel: each CPU does the `calls` of the kernel's functions one after the other, `operations`
 * times over, with names of its own (kernel_read.c). What comes of each is known only when it runs.
 */
#include "sim/scenario/kernel_plan.h"
#include "sim/scenario/kernel_read.h"
#include "sim/workload.h"

static int read_kernel(struct cfg *c, const struct cfg_setting *group, struct workload *w,
		       struct trace *t)
{
	if (!cfg_find(c, group, "operations"))
		w->operations = 1;
	return kernel_read(c, group, w, t, &w->first_call, &w->nr_calls);
}

/* What a call does `nr` times counts as often. */
static uint64_t kernel_operations(const struct workload *w)
{
	uint64_t once = 0;

	for (uint32_t i = 0; i < w->nr_calls; i++)
		once += w->kernel->calls[w->first_call + i].nr;
	if (w->operations > WORKLOAD_MAX_OPERATIONS / (once * (uint64_t)w->nr_cpus + 1))
		return UINT64_MAX;
	return w->operations * once * (uint64_t)w->nr_cpus;
}

static int kernel_generate(struct workload *w, struct trace *t)
{
	struct trace_event ev = {.op = TRACE_CALL, .page = TRACE_NO_PAGE};
	int err = 0;

	for (uint64_t turn = 0; turn < w->operations; turn++)
		for (uint32_t i = 0; i < w->nr_calls; i++)
			for (int c = 0; c < w->nr_cpus && !err; c++) {
				ev.cpu = (uint16_t)w->cpus[c];
				ev.bytes = w->first_call + i;
				err = trace_append(t, &ev);
			}
	return err;
}

const struct workload_kind workload_kernel = {
	.name = "kernel",
	.summary = "calls of the kernel's functions, one after the other",
	.keys = (const char *const[]){"cpus", "operations", "calls", NULL},
	.runs_only = true,
	.read = read_kernel,
	.operations = kernel_operations,
	.generate = kernel_generate,
};
