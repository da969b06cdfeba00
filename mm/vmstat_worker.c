/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Once a second (sysctl vm.stat_interval): CPUs pass on to zones and nodes what they hold back of
 * counters, and give up pages of other nodes on their lists which they have not used for three
 * seconds, a batch each time. A CPU without anything to pass on sleeps; one thread for all of them,
 * the shepherd, looks each second whom to wake. A CPU that stops its tick, as it has nothing to do,
 * passes on what it has at once.
 *
 * Follows Linux 6.1 mm/vmstat.c (refresh_cpu_vm_stats, quiet_vmstat, vmstat_shepherd). There a
 * worker goes on by itself as long as it finds something; here the shepherd wakes it, in the same
 * second.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mm/kthread.h"
#include "mm/zone_count.h"

#define EXPIRE_SECONDS 3 /* until pages of another node that nobody uses are given up */

#define for_each_populated_zone(mm, zone)                                                          \
	for_each_zone (mm, zone)                                                                   \
		if (zone->pcp)

static phys_addr_t counters_at(const struct mm *mm, int cpu, const struct mm_zone *zone)
{
	return mm->percpu_at[cpu] + zone->pcp_offset + MM_PCP_ZONESTAT;
}

static bool any(const int8_t *diff, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (diff[i])
			return true;
	return false;
}

static bool zone_has_something(const struct mm_pcp *pcp)
{
	return pcp->free_diff || pcp->stat_changed || any(pcp->stat_diff, MM_NR_ZONE_STATS);
}

/* Returns whether there was anything. */
static bool pass_on(struct mm *mm, int cpu, struct mm_zone *zone)
{
	struct mm_pcp *pcp = &zone->pcp[cpu];

	if (!zone_has_something(pcp))
		return false;
	zone->free_counter += pcp->free_diff;
	pcp->free_diff = 0;
	for (int i = 0; i < MM_NR_ZONE_STATS; i++)
		zone->vm_stat[i] += pcp->stat_diff[i];
	memset(pcp->stat_diff, 0, sizeof(pcp->stat_diff));
	pcp->stat_changed = false;
	pcp->expire = EXPIRE_SECONDS;
	mm_touch(mm, cpu, counters_at(mm, cpu, zone), 8, MM_WRITE);
	mm_touch(mm, cpu, zone->at + MM_ZONE_VMSTAT, 8, MM_WRITE);
	return true;
}

/* The same of what is counted by node. */
static bool pass_on_node(struct mm *mm, int cpu, struct mm_node *node)
{
	int8_t *diff = node->cpu[cpu].diff;

	if (!any(diff, MM_NR_NODE_STATS))
		return false;
	for (int i = 0; i < MM_NR_NODE_STATS; i++)
		node->vm_stat[i] += diff[i];
	memset(diff, 0, MM_NR_NODE_STATS);
	mm_touch(mm, cpu, mm->percpu_at[cpu] + node->stat_offset, MM_NODESTAT_STRIDE, MM_WRITE);
	mm_touch(mm, cpu, node->at + mm->arch->node_struct_bytes - MM_NODE_VMSTAT_END,
		 8 * MM_NR_NODE_STATS, MM_WRITE);
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
	for (int n = 0; n < mm->nr_nodes; n++)
		changed |= pass_on_node(mm, cpu, &mm->nodes[n]);
	return changed;
}

/* Linux does so only where a worker is due within the second, as after any change there is. */
void mm_cpu_idles(struct mm *mm, int cpu)
{
	for_each_populated_zone(mm, zone) pass_on(mm, cpu, zone);
	for (int n = 0; n < mm->nr_nodes; n++)
		pass_on_node(mm, cpu, &mm->nodes[n]);
}

/* A look at a line of each CPU, once a second: it costs nothing. */
static bool has_something(const struct mm *mm, int cpu)
{
	for_each_populated_zone(mm, zone) if (zone_has_something(&zone->pcp[cpu])) return true;
	for (int n = 0; n < mm->nr_nodes; n++)
		if (any(mm->nodes[n].cpu[cpu].diff, MM_NR_NODE_STATS))
			return true;
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
	return mm->stat_interval * MM_SECOND_US;
}

int mm_vmstat_init(struct mm *mm)
{
	mm->stat_interval = 1;
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
						  .first_us = mm->stat_interval * MM_SECOND_US,
						  .run = shepherd,
						  .asleep = true};
	return 0;
}
