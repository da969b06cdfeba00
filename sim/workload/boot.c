/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boot: the time that it takes to set up memory management. CPU 0 boots alone: memblock, page
 * descriptors, zones, free lists; then the other CPUs come, and where page descriptors are
 * deferred, each node's CPUs initialise the rest of its own. What each step takes is in the report.
 */
#include <errno.h>
#include <stdlib.h>

#include "sim/config/config.h"
#include "sim/scenario/process_plan.h"
#include "sim/workload.h"

/* The first `threads` CPUs of each node. */
static uint32_t deferred_cpus(const struct workload *w, struct process_plan *plan, uint64_t threads)
{
	const struct workload_host *host = w->host;
	int *cpus = malloc((size_t)host->nr_cpus * sizeof(*cpus)), nr = 0;
	uint32_t set;

	for (int cpu = 0; cpus && cpu < host->nr_cpus; cpu++) {
		uint64_t before = 0;

		for (int i = 0; i < nr; i++)
			before += host->cpu_nid[cpus[i]] == host->cpu_nid[cpu];
		if (before < threads)
			cpus[nr++] = cpu;
	}
	set = cpus ? process_plan_cpus(plan, cpus, nr) : PROCESS_NONE;
	free(cpus);
	return set;
}

static int add_step(struct workload *w, struct process_plan *plan, enum process_do what,
		    uint32_t cpus, bool deferred)
{
	struct process_step s = {.what = what,
				 .process = w->first_process,
				 .name = PROCESS_NONE,
				 .file = PROCESS_NONE,
				 .child = PROCESS_NONE,
				 .cpus = cpus,
				 .deferred = deferred};

	if (what == PROCESS_BOOT_DEFERRED)
		s.operations = (uint64_t)plan->cpus[cpus].nr;
	return process_plan_step(plan, &s) == PROCESS_NONE ? -ENOMEM : 0;
}

static int read_boot(struct cfg *c, const struct cfg_setting *group, struct workload *w,
		     struct trace *t)
{
	struct process_plan *plan = process_plan_of(t);
	const struct cfg_setting *s = cfg_find(c, group, "threads");
	uint64_t threads = (uint64_t)w->host->nr_cpus;
	bool deferred = true;
	const int first = 0;
	uint32_t alone, all;
	int err = 0;

	cfg_bool(c, cfg_find(c, group, "deferred"), &deferred);
	cfg_integer(c, s, 1, (uint64_t)w->host->nr_cpus, &threads);
	if (s && !deferred)
		cfg_error(c, s, "only with deferred = true");
	if (!plan)
		return -ENOMEM;
	w->first_process = process_plan_process(plan, "boot");
	alone = process_plan_cpus(plan, &first, 1);
	all = deferred_cpus(w, plan, threads);
	if (w->first_process == PROCESS_NONE || alone == PROCESS_NONE || all == PROCESS_NONE)
		return -ENOMEM;
	plan->processes[w->first_process].workload = "boot";
	for (int what = PROCESS_BOOT_MEMBLOCK; what <= PROCESS_BOOT_CPUS && !err; what++)
		err = add_step(w, plan, (enum process_do)what, alone, deferred);
	if (!err && deferred)
		err = add_step(w, plan, PROCESS_BOOT_DEFERRED, all, true);
	return err;
}

static uint64_t boot_operations(const struct workload *w)
{
	return process_plan_events(w->plan, w->first_process);
}

static int boot_generate(struct workload *w, struct trace *t)
{
	return process_plan_emit(t->processes, w->first_process, t);
}

const struct workload_kind workload_boot = {
	.name = "boot",
	.summary = "memory management is set up: page descriptors, zones, free lists, CPUs",
	.keys = (const char *const[]){"deferred", "threads", NULL},
	.runs_only = true,
	.read = read_boot,
	.operations = boot_operations,
	.generate = boot_generate,
};
