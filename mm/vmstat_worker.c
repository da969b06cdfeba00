/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Once a second: CPUs pass on to the zones what they hold back of counters, and give up pages of
 * other nodes on their lists which they have not used for three seconds, a batch each time. A CPU
 * without anything to pass on sleeps; one thread for all of them, the shepherd, looks each second
 * whom to wake. A CPU that stops its tick, as it has nothing to do, passes on what it has at once.
 *
 * Follows Linux 6.1 mm/vmstat.c (refresh_cpu_vm_stats, quiet_vmstat, vmstat_shepherd). There a
 * worker goes on by itself as long as it finds something; here the shepherd wakes it, in the same
 * second.
 */
#include <errno.h>
#include <stdlib.h>

#include "mm/kthread.h"
#include "mm/zone_count.h"

#define PERIOD_US      1000000 /* sysctl vm.stat_interval */
#define EXPIRE_SECONDS 3       /* until pages of another node that nobody uses are given up */

#define for_each_populated_zone(mm, zone)                                                          \
	for_each_zone (mm, zone)                                                                   \
		if (zone->pcp)

static phys_addr_t counters_at(const struct mm *mm, int cpu, const struct mm_zone *zone)
{
	return mm->percpu_at[cpu] + zone->pcp_offset + MM_PCP_ZONESTAT;
}

/* Returns whether there was anything. */
static bool pass_on(struct mm *mm, int cpu, struct mm_zone *zone)
{
	struct mm_pcp *pcp = &zone->pcp[cpu];

	if (!pcp->free_diff && !pcp->stat_changed)
		return false;
	zone->free_counter += pcp->free_diff;
	pcp->free_diff = 0;
	pcp->stat_changed = false;
	pcp->expire = EXPIRE_SECONDS;
	mm_touch(mm, cpu, counters_at(mm, cpu, zone), 8, MM_WRITE);
	mm_touch(mm, cpu, zone->at + MM_ZONE_VMSTAT, 8, MM_WRITE);
	return true;
}

/* Pages of other nodes are of use to somebody there. Returns whether it is to look again. */
static bool shrink_unused(struct mm *mm, int cpu, struct mm_zone *zone)
{
	struct mm_pcp *pcp = &zone->pcp[cpu];

	if (!pcp->expire || !pcp->count)
		return false;
	if (mm->nodes[mm->cpu_nid[cpu]].cpus_of == mm->nodes[zone->nid].cpus_of) {
		pcp->expire = 0;
		return false;
	}
	if (!--pcp->expire)
		mm_pcp_shrink(mm, cpu, zone);
	return true;
}

bool mm_vmstat_update(struct mm *mm, int cpu)
{
	bool changed = false;

	mm_work(mm, cpu, MM_SITE_VMSTAT, 1);
	for_each_populated_zone(mm, zone)
	{
		changed |= pass_on(mm, cpu, zone);
		changed |= shrink_unused(mm, cpu, zone);
	}
	return changed;
}

/* Linux does so only where a worker is due within the second, as after any change there is. */
void mm_cpu_idles(struct mm *mm, int cpu)
{
	for_each_populated_zone(mm, zone) pass_on(mm, cpu, zone);
}

/* A look at a line of each CPU, once a second: it costs nothing. */
static bool has_something(const struct mm *mm, int cpu)
{
	for_each_populated_zone(mm, zone) if (zone->pcp[cpu].free_diff ||
					      zone->pcp[cpu].stat_changed) return true;
	return false;
}

static uint64_t work(struct mm *mm, struct mm_kthread *thread, int *cpu, bool woken)
{
	struct mm_vmstat_worker *worker = &mm->vmstat_workers[thread->cpu];

	(void)woken;
	*cpu = thread->cpu;
	worker->again = mm_vmstat_update(mm, thread->cpu);
	return MM_KTHREAD_FOREVER;
}

static uint64_t shepherd(struct mm *mm, struct mm_kthread *thread, int *cpu, bool woken)
{
	(void)thread;
	(void)woken;
	for (int other = 0; other < mm->nr_cpus; other++) {
		struct mm_vmstat_worker *worker = &mm->vmstat_workers[other];

		if (worker->again || has_something(mm, other))
			mm_kthread_wake(mm, *cpu, &worker->thread);
	}
	return PERIOD_US;
}

int mm_vmstat_init(struct mm *mm)
{
	mm->vmstat_workers = calloc((size_t)mm->nr_cpus, sizeof(*mm->vmstat_workers));
	if (!mm->vmstat_workers)
		return -ENOMEM;
	for (int cpu = 0; cpu < mm->nr_cpus; cpu++)
		mm->vmstat_workers[cpu].thread = (struct mm_kthread){.name = "vmstat",
								     .nid = mm->cpu_nid[cpu],
								     .index = cpu,
								     .cpu = cpu,
								     .first_us = MM_KTHREAD_FOREVER,
								     .run = work,
								     .asleep = true};
	mm->vmstat_shepherd = (struct mm_kthread){.name = "vmstat_shepherd",
						  .nid = mm->cpu_nid[0],
						  .cpu = MM_NO_CPU,
						  .first_us = PERIOD_US,
						  .run = shepherd,
						  .asleep = true};
	return 0;
}
