/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who runs on a CPU, and what time it is there: for tracepoints, and for what the mm core notes of
 * who has a page.
 *
 * A CPU's program is called after its CPU, kswapd and kcompactd after their nodes as the kernel
 * does, and what passes on counters is a worker of its CPU. With numbers that no program has.
 */
#include <stdio.h>
#include <string.h>

#include "sim/time/internal.h"

#define PS_PER_NS 1000

int sim_task_name(int cpu, const struct mm_kthread *thread, char *comm, size_t size)
{
	int pid = MM_MAX_CPUS + 1;

	if (!thread) {
		snprintf(comm, size, "cpu");
		return cpu + 1;
	}
	if (!strcmp(thread->name, "kswapd") || !strcmp(thread->name, "kcompactd")) {
		snprintf(comm, size, "%s%d", thread->name, thread->nid);
		return pid + thread->nid + (thread->name[1] == 'c' ? MM_MAX_NODES : 0);
	}
	if (!strcmp(thread->name, "khugepaged")) {
		snprintf(comm, size, "%s", thread->name);
		return pid + 2 * MM_MAX_NODES + MM_MAX_CPUS;
	}
	snprintf(comm, size, "kworker/%d:0", cpu);
	return pid + 2 * MM_MAX_NODES + cpu;
}

const struct mm_kthread *sim_thread_on(const struct sim *s, int cpu)
{
	if (cpu == MM_NO_CPU || !s->cpus[cpu].guest)
		return NULL;
	return kthread_is(s->cpus[cpu].guest);
}

/* An interrupt finds the clock of an idle CPU where that fell asleep. */
uint64_t sim_time_on(const struct sim *s, int cpu)
{
	uint64_t at_ps = 0;

	if (cpu != MM_NO_CPU)
		at_ps = cpu_pending_until_ps(&s->cpus[cpu]);
	if (cpu != MM_NO_CPU && s->phase == SIM_RUNNING && s->cpus[cpu].idle &&
	    engine_now_ps(s->engine) > at_ps)
		at_ps = engine_now_ps(s->engine);
	return at_ps;
}

void sim_who(void *ctx, int cpu, struct mm_who *who)
{
	const struct sim *s = ctx;

	who->pid = sim_task_name(cpu, sim_thread_on(s, cpu), who->comm, sizeof(who->comm));
	who->ns = sim_time_on(s, cpu) / PS_PER_NS;
}
