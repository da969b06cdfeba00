/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process: a process on `cpus`, one thread on each, does its `steps` one after the other: it maps
 * memory and files, touches them, forks, reads and writes files, and so on (process_read.c). What
 * comes of each access is known only when it runs.
 */
#include "sim/scenario/process_plan.h"
#include "sim/scenario/process_read.h"
#include "sim/workload.h"

static int read_process(struct cfg *c, const struct cfg_setting *group, struct workload *w,
			struct trace *t)
{
	return process_read(c, group, w, t, &w->first_process);
}

static uint64_t process_operations(const struct workload *w)
{
	return process_plan_events(w->plan, w->first_process);
}

static int process_generate(struct workload *w, struct trace *t)
{
	return process_plan_emit(t->processes, w->first_process, t);
}

const struct workload_kind workload_process = {
	.name = "process",
	.summary = "a process does what its steps say, and forks others",
	.keys = (const char *const[]){"name", "cpus", "policy", "steps", NULL},
	.runs_only = true,
	.read = read_process,
	.operations = process_operations,
	.generate = process_generate,
};
