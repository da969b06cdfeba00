/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters of zones and nodes, and what CPUs hold back of them.
 *
 * Follows Linux 6.1 mm/vmstat.c: __mod_zone_page_state() passes on all of what is beyond the
 * threshold, inc_zone_state() and dec_zone_state() half a threshold more.
 *
 * What is charged is the line that all CPUs share, when it is written. That a CPU writes its own is
 * in the cycles of the site that counts (configs/costs): it is never in another cache.
 */
#include "mm/stat.h"

#include <string.h>

#include "mm/zone_count.h"

static const char *const zone_names[MM_NR_ZONE_STATS] = {
#define X(id, name) name,
	MM_ZONE_STATS(X)
#undef X
};

static const char *const node_names[MM_NR_NODE_STATS] = {
#define X(id, name) name,
	MM_NODE_STATS(X)
#undef X
};

const char *mm_zone_stat_name(enum mm_zone_stat item)
{
	return zone_names[item];
}

const char *mm_node_stat_name(enum mm_node_stat item)
{
	return node_names[item];
}

static int find(const char *const *names, int nr, const char *name)
{
	for (int i = 0; i < nr; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

int mm_zone_stat_by_name(const char *name)
{
	return find(zone_names, MM_NR_ZONE_STATS, name);
}

int mm_node_stat_by_name(const char *name)
{
	return find(node_names, MM_NR_NODE_STATS, name);
}

/*
 * What a CPU holds back changes. Returns what it passes on: all that there is by then, and `over`
 * more, if it is beyond the threshold; else nothing.
 */
static int64_t change(int8_t *diff, int64_t by, int threshold, int64_t over)
{
	int64_t sum = *diff + by;

	if (sum <= threshold && sum >= -threshold) {
		*diff = (int8_t)sum;
		return 0;
	}
	*diff = (int8_t)-over;
	return sum + over;
}

static void change_zone(struct mm *mm, int cpu, struct mm_zone *zone, enum mm_zone_stat item,
			int64_t by, int64_t over)
{
	int64_t passed;

	if (cpu == MM_NO_CPU) {
		zone->vm_stat[item] += by;
		return;
	}
	passed = change(&zone->pcp[cpu].stat_diff[item], by, zone->stat_threshold, over);
	if (!passed)
		return;
	zone->vm_stat[item] += passed;
	mm_touch(mm, cpu, zone->at + MM_ZONE_VMSTAT, 8, MM_WRITE);
}

static phys_addr_t vm_stat_at(const struct mm *mm, const struct mm_node *node,
			      enum mm_node_stat item)
{
	return node->at + mm->arch->node_struct_bytes - MM_NODE_VMSTAT_END + 8u * item;
}

static void change_node(struct mm *mm, int cpu, struct mm_node *node, enum mm_node_stat item,
			int64_t by, int64_t over)
{
	int64_t passed;

	if (cpu == MM_NO_CPU) {
		node->vm_stat[item] += by;
		return;
	}
	passed = change(&node->cpu[cpu].diff[item], by, node->stat_threshold, over);
	if (!passed)
		return;
	node->vm_stat[item] += passed;
	mm_touch(mm, cpu, vm_stat_at(mm, node, item), 8, MM_WRITE);
}

void mm_mod_zone_stat(struct mm *mm, int cpu, struct mm_zone *zone, enum mm_zone_stat item,
		      int64_t pages)
{
	change_zone(mm, cpu, zone, item, pages, 0);
}

void mm_mod_node_stat(struct mm *mm, int cpu, struct mm_node *node, enum mm_node_stat item,
		      int64_t pages)
{
	change_node(mm, cpu, node, item, pages, 0);
}

void mm_inc_node_stat(struct mm *mm, int cpu, struct mm_node *node, enum mm_node_stat item)
{
	change_node(mm, cpu, node, item, 1, node->stat_threshold / 2);
}

void mm_dec_node_stat(struct mm *mm, int cpu, struct mm_node *node, enum mm_node_stat item)
{
	change_node(mm, cpu, node, item, -1, -(node->stat_threshold / 2));
}

void mm_inc_zone_stat(struct mm *mm, int cpu, struct mm_zone *zone, enum mm_zone_stat item)
{
	change_zone(mm, cpu, zone, item, 1, zone->stat_threshold / 2);
}

void mm_dec_zone_stat(struct mm *mm, int cpu, struct mm_zone *zone, enum mm_zone_stat item)
{
	change_zone(mm, cpu, zone, item, -1, -(zone->stat_threshold / 2));
}

static int64_t zone_exactly(const struct mm *mm, const struct mm_zone *zone, enum mm_zone_stat item)
{
	int64_t pages = zone->vm_stat[item];

	for (int cpu = 0; zone->pcp && cpu < mm->nr_cpus; cpu++)
		pages += zone->pcp[cpu].stat_diff[item];
	return pages;
}

static int64_t node_exactly(const struct mm *mm, const struct mm_node *node, enum mm_node_stat item)
{
	int64_t pages = node->vm_stat[item];

	for (int cpu = 0; cpu < mm->nr_cpus; cpu++)
		pages += node->cpu[cpu].diff[item];
	return pages;
}

uint64_t mm_zone_stat_exactly(const struct mm *mm, const struct mm_zone *zone,
			      enum mm_zone_stat item)
{
	int64_t pages = zone_exactly(mm, zone, item);

	return pages < 0 ? 0 : (uint64_t)pages;
}

uint64_t mm_node_stat_exactly(const struct mm *mm, const struct mm_node *node,
			      enum mm_node_stat item)
{
	int64_t pages = node_exactly(mm, node, item);

	return pages < 0 ? 0 : (uint64_t)pages;
}

int64_t mm_zone_counter(const struct mm *mm, int nid, int zone, enum mm_zone_stat item)
{
	return mm->nodes[nid].zones[zone].vm_stat[item];
}

int64_t mm_node_counter(const struct mm *mm, int nid, enum mm_node_stat item)
{
	return mm->nodes[nid].vm_stat[item];
}

int64_t mm_zone_counter_exactly(const struct mm *mm, int nid, int zone, enum mm_zone_stat item)
{
	return zone_exactly(mm, &mm->nodes[nid].zones[zone], item);
}

int64_t mm_node_counter_exactly(const struct mm *mm, int nid, enum mm_node_stat item)
{
	return node_exactly(mm, &mm->nodes[nid], item);
}

uint64_t mm_zone_numa_events(const struct mm *mm, const struct mm_zone *zone,
			     enum mm_numa_event event)
{
	uint64_t nr = 0;

	for (int cpu = 0; zone->pcp && cpu < mm->nr_cpus; cpu++)
		nr += zone->pcp[cpu].numa[event];
	return nr;
}

void mm_zone_fold(const struct mm *mm, struct mm_zone *zone)
{
	for (int cpu = 0; zone->pcp && cpu < mm->nr_cpus; cpu++) {
		struct mm_pcp *pcp = &zone->pcp[cpu];

		zone->free_counter += pcp->free_diff;
		pcp->free_diff = 0;
		for (int i = 0; i < MM_NR_ZONE_STATS; i++)
			zone->vm_stat[i] += pcp->stat_diff[i];
		memset(pcp->stat_diff, 0, sizeof(pcp->stat_diff));
	}
}

void mm_node_fold(const struct mm *mm, struct mm_node *node)
{
	for (int cpu = 0; cpu < mm->nr_cpus; cpu++) {
		for (int i = 0; i < MM_NR_NODE_STATS; i++)
			node->vm_stat[i] += node->cpu[cpu].diff[i];
		memset(node->cpu[cpu].diff, 0, sizeof(node->cpu[cpu].diff));
	}
}

/* On each CPU, as the work that the kernel schedules there. */
void mm_vmstat_refresh(struct mm *mm)
{
	for_each_zone (mm, zone)
		mm_zone_fold(mm, zone);
	for (int n = 0; n < mm->nr_nodes; n++)
		mm_node_fold(mm, &mm->nodes[n]);
}
