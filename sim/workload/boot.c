/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boot: the time that it takes to set up memory management. CPU 0 boots alone: memblock, page
 * descriptors, zones, free lists; then the other CPUs come, and where page descriptors are
 * deferred, threads of each node with memory initialise the rest of it. What each step takes is in
 * the report.
 */
#include <errno.h>
#include <stdlib.h>

#include "sim/config/config.h"
#include "sim/scenario/process_plan.h"
#include "sim/workload.h"

static uint32_t all_cpus(const struct workload *w, struct process_plan *plan)
{
	int *cpus = malloc((size_t)w->host->nr_cpus * sizeof(*cpus));
	uint32_t set;

	for (int cpu = 0; cpus && cpu < w->host->nr_cpus; cpu++)
		cpus[cpu] = cpu;
	set = cpus ? process_plan_cpus(plan, cpus, w->host->nr_cpus) : PROCESS_NONE;
	free(cpus);
	return set;
}

static int add_step(struct workload *w, struct process_plan *plan, enum process_do what,
		    uint32_t cpus, bool deferred, uint64_t threads)
{
	struct process_step s = {.what = what,
				 .process = w->first_process,
				 .name = PROCESS_NONE,
				 .file = PROCESS_NONE,
				 .child = PROCESS_NONE,
				 .cpus = cpus,
				 .threads = (unsigned)threads,
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
	uint64_t threads = 0; /* as the kernel has it */
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
	all = all_cpus(w, plan);
	if (w->first_process == PROCESS_NONE || alone == PROCESS_NONE || all == PROCESS_NONE)
		return -ENOMEM;
	plan->processes[w->first_process].workload = "boot";
	for (int what = PROCESS_BOOT_MEMBLOCK; what <= PROCESS_BOOT_CPUS && !err; what++)
		err = add_step(w, plan, (enum process_do)what, alone, deferred, 0);
	if (!err && deferred)
		err = add_step(w, plan, PROCESS_BOOT_DEFERRED, all, true, threads);
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
