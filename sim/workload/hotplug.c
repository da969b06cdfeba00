/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hotplug: somebody on a CPU waits for `after`, and then takes the `steps` of memory hotplug, one
 * after the other, with a pause of `pause` between two.
 */
#include <errno.h>

#include "sim/workload.h"

static uint64_t hotplug_operations(const struct workload *w)
{
	return 2 * (uint64_t)w->nr_steps + 1;
}

static int pause_for(struct trace *t, int cpu, uint64_t ps)
{
	struct trace_event ev = {
		.op = TRACE_WAIT, .page = TRACE_NO_PAGE, .cpu = (uint16_t)cpu, .time_ps = ps};

	return ps ? trace_append(t, &ev) : 0;
}

static int hotplug_generate(struct workload *w, struct trace *t)
{
	int cpu = w->cpus[0], err = pause_for(t, cpu, w->after_ps);

	for (unsigned i = 0; i < w->nr_steps && !err; i++) {
		struct trace_event ev = {
			.op = TRACE_HOTPLUG, .page = TRACE_NO_PAGE, .cpu = (uint16_t)cpu};

		if (i)
			err = pause_for(t, cpu, w->pause_ps);
		if (!err)
			err = trace_add_step(t, w->steps[i], &ev.bytes);
		if (!err)
			err = trace_append(t, &ev);
	}
	return err;
}

const struct workload_kind workload_hotplug = {
	.name = "hotplug",
	.summary = "memory is added, goes on- and offline, and is removed, while others run",
	.keys = (const char *const[]){"cpus", "steps", "after", "pause", NULL},
	.runs_only = true,
	.operations = hotplug_operations,
	.generate = hotplug_generate,
};
