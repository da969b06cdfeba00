/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many pages of a zone are free, as the kernel has it: a counter of the zone, and what each CPU
 * has not passed on to it yet. A CPU passes on what it has beyond a threshold, and all of it each
 * second (vmstat_worker.c). Watermarks go by the zone's counter alone, so that an allocation on one
 * CPU sees those of others late.
 *
 * Thresholds are those of all counters of the zone (stat.c). Follows Linux 6.1 mm/vmstat.c.
 */
#include "mm/zone_count.h"

/* The larger the zone, and the more CPUs, the less matters what each of them holds back. */
static int normal_threshold(const struct mm *mm, const struct mm_zone *zone)
{
	uint64_t units = zone->managed >> (27 - mm->arch->page_shift);
	unsigned threshold = 2 * fls64((uint64_t)mm->nr_cpus) * (1 + fls64(units));

	return (int)(threshold < STAT_THRESHOLD_MOST ? threshold : STAT_THRESHOLD_MOST);
}

/* All CPUs together hold back no more than there is between the minimum and the low watermark. */
static int pressure_threshold(const struct mm *mm, const struct mm_zone *zone)
{
	uint64_t distance = zone->wmark[MM_WMARK_LOW] - zone->wmark[MM_WMARK_MIN];
	uint64_t share = distance / (uint64_t)mm->nr_cpus;

	return share < 1 ? 1 : (int)(share < STAT_THRESHOLD_MOST ? share : STAT_THRESHOLD_MOST);
}

/* Of a node: the largest of its zones'. */
static void set_threshold(struct mm *mm, struct mm_zone *zone)
{
	struct mm_node *node = &mm->nodes[zone->nid];

	zone->stat_threshold = normal_threshold(mm, zone);
	if (zone->stat_threshold > node->stat_threshold)
		node->stat_threshold = zone->stat_threshold;
}

/*
 * A zone is marked where what CPUs hold back could matter; and, where there are several CPUs, all
 * are: when the second and later ones come up, watermarks are 0 still, and nothing ever takes such
 * a mark back. So kswapd changes the thresholds of all zones, also to higher ones.
 */
void mm_stat_thresholds_init(struct mm *mm)
{
	for (int n = 0; n < mm->nr_nodes; n++) {
		mm->nodes[n].stat_threshold = 0;
		for (int z = 0; z < mm->arch->nr_zones; z++) {
			struct mm_zone *zone = &mm->nodes[n].zones[z];
			uint64_t most;

			if (!zone->managed)
				continue;
			set_threshold(mm, zone);
			most = (uint64_t)zone->stat_threshold * (uint64_t)mm->nr_cpus;
			zone->drift_mark = mm->nr_cpus > 1 ? most : 0;
			if (most > zone->wmark[MM_WMARK_LOW] - zone->wmark[MM_WMARK_MIN])
				zone->drift_mark = zone->wmark[MM_WMARK_HIGH] + most;
		}
	}
}

/*
 * After memory went on- or offline: a zone that is marked is never unmarked, and its mark changes
 * where what CPUs hold back could matter.
 */
void mm_stat_thresholds_refresh(struct mm *mm)
{
	for (int n = 0; n < mm->nr_nodes; n++)
		mm->nodes[n].stat_threshold = 0;
	for_each_zone (mm, zone) {
		uint64_t most;

		if (!zone->managed)
			continue;
		set_threshold(mm, zone);
		most = (uint64_t)zone->stat_threshold * (uint64_t)mm->nr_cpus;
		if (most > zone->wmark[MM_WMARK_LOW] - zone->wmark[MM_WMARK_MIN])
			zone->drift_mark = zone->wmark[MM_WMARK_HIGH] + most;
	}
}

void mm_stat_thresholds_set(const struct mm *mm, struct mm_node *node, bool pressure)
{
	for (int z = 0; z < mm->arch->nr_zones; z++) {
		struct mm_zone *zone = &node->zones[z];

		if (zone->drift_mark)
			zone->stat_threshold = pressure ? pressure_threshold(mm, zone)
							: normal_threshold(mm, zone);
	}
}

uint64_t mm_zone_free_exactly(const struct mm *mm, const struct mm_zone *zone)
{
	int64_t pages = zone->free_counter;

	for (int cpu = 0; zone->pcp && cpu < mm->nr_cpus; cpu++)
		pages += zone->pcp[cpu].free_diff;
	return pages < 0 ? 0 : (uint64_t)pages;
}

bool mm_zone_watermark_ok_safe(const struct mm *mm, const struct mm_zone *zone, unsigned order,
			       uint64_t mark, int highest)
{
	uint64_t pages = mm_zone_free(zone);

	if (pages < zone->drift_mark)
		pages = mm_zone_free_exactly(mm, zone);
	return mm_zone_watermark_ok_with(zone, order, mark, highest, 0, pages);
}
