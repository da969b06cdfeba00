/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault: a task on each CPU maps `bytes` of memory of its own and stores to each page of it, from
 * the first to the last or at random, so that the kernel has to find memory for it: huge pages,
 * where its settings want them. A task is a process whose steps are made here.
 */
#include <errno.h>
#include <stdio.h>

#include "sim/scenario/process_plan.h"
#include "sim/workload.h"

static uint64_t round_up(uint64_t bytes, uint64_t to)
{
	return bytes / to * to + (bytes % to ? to : 0);
}

static uint64_t stores(const struct workload *w)
{
	uint64_t page = w->host->page_bytes;

	return w->random && w->operations ? w->operations : round_up(w->bytes, page) / page;
}

static enum process_access order_of(const struct workload *w)
{
	if (!w->random)
		return PROCESS_SEQUENTIAL;
	return w->operations ? PROCESS_RANDOM : PROCESS_SHUFFLED;
}

/* Steps of all tasks are counted before they are made. */
static uint64_t fault_operations(const struct workload *w)
{
	return (process_plan_slices(stores(w)) + 1 + w->unmap) * (uint64_t)w->nr_cpus;
}

static int add_step(struct process_plan *plan, const struct process_step *task,
		    const struct process_step *step)
{
	struct process_step s = *step;

	s.process = task->process;
	s.cpus = task->cpus;
	s.name = task->name;
	s.file = s.child = PROCESS_NONE;
	return process_plan_step(plan, &s) == PROCESS_NONE ? -ENOMEM : 0;
}

static int add_task(struct workload *w, struct process_plan *plan, int cpu)
{
	uint64_t bytes = round_up(w->bytes, w->host->page_bytes);
	uint64_t mapped = w->hugetlb ? round_up(bytes, w->pool_bytes) : bytes;
	struct process_step task = {.cpus = process_plan_cpus(plan, &cpu, 1),
				    .name = process_plan_name(plan, "memory")};
	char name[32];
	int err;

	snprintf(name, sizeof(name), "fault/%d", cpu);
	task.process = process_plan_process(plan, name);
	if (task.process == PROCESS_NONE || task.cpus == PROCESS_NONE || task.name == PROCESS_NONE)
		return -ENOMEM;
	plan->processes[task.process].workload = w->kind->name;
	plan->processes[task.process].policy = w->task_policy;
	err = add_step(plan, &task,
		       &(struct process_step){.what = PROCESS_MMAP,
					      .bytes = mapped,
					      .advised = w->advised,
					      .hugetlb = w->hugetlb,
					      .huge_bytes = w->pool_bytes,
					      .noreserve = true,
					      .policy = w->memory_policy,
					      .has_policy = w->memory_policy != w->task_policy});
	if (!err)
		err = add_step(plan, &task,
			       &(struct process_step){.what = PROCESS_TOUCH,
						      .bytes = bytes,
						      .operations = stores(w),
						      .access = order_of(w),
						      .touch = w->touch_bytes,
						      .write = true,
						      .seed = rng_next(&w->rng)});
	if (!err && w->unmap)
		err = add_step(plan, &task,
			       &(struct process_step){.what = PROCESS_MUNMAP, .bytes = mapped});
	return err;
}

static int fault_generate(struct workload *w, struct trace *t)
{
	struct process_plan *plan = process_plan_of(t);
	int err = plan ? 0 : -ENOMEM;
	uint32_t first = plan ? (uint32_t)plan->nr_processes : 0;

	for (int c = 0; c < w->nr_cpus && !err; c++)
		err = add_task(w, plan, w->cpus[c]);
	return err ? err : process_plan_emit(plan, first, t);
}

const struct workload_kind workload_fault = {
	.name = "fault",
	.summary = "tasks fault their memory in, by huge pages where the kernel wants them",
	.keys = (const char *const[]){"cpus", "bytes", "touch", "access", "operations", "policy",
				      "range_policy", "madvise", "hugetlb", "hugepagesz", "unmap",
				      NULL},
	.runs_only = true,
	.operations = fault_operations,
	.generate = fault_generate,
};
