/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The number of free pages of a zone that watermarks go by and zoneinfo shows, and how CPUs keep
 * it; the other counters of zones and nodes likewise. Within the mm core.
 *
 *   nr_free = free_counter + sum of free_diff of all CPUs, |free_diff| <= stat_threshold
 *   what there is = vm_stat + sum of stat_diff (zone) or diff (node) of all CPUs, bounded alike
 *
 * A threshold may sink below what CPUs hold back at that moment. That of a node is the largest of
 * its zones' normal ones, whatever kswapd does.
 */
#ifndef MM_ZONE_COUNT_H
#define MM_ZONE_COUNT_H

#include "mm/internal.h"

#define STAT_THRESHOLD_MOST 125 /* pages: what a CPU holds back of a counter fits in a byte */

/** At boot, from the watermarks as they are then: thresholds, and where they are too inexact. */
void mm_stat_thresholds_init(struct mm *mm);
/** The same after zones have grown or shrunk. */
void mm_stat_thresholds_refresh(struct mm *mm);
/** CPUs hold back less in the zones of a node where that matters, or as much as normal. */
void mm_stat_thresholds_set(const struct mm *mm, struct mm_node *node, bool pressure);

/**
 * So many pages of the zone have become free, or fewer are. For `cpu`; at boot, MM_NO_CPU. Whoever
 * changes nr_free says so here, once for all that was changed together as the kernel does.
 */
static inline void mm_count_free(struct mm *mm, int cpu, struct mm_zone *zone, int64_t pages)
{
	struct mm_pcp *pcp;
	int64_t diff;

	if (cpu == MM_NO_CPU) {
		zone->free_counter += pages;
		return;
	}
	pcp = &zone->pcp[cpu];
	diff = pcp->free_diff + pages;
	if (diff > zone->stat_threshold || diff < -zone->stat_threshold) {
		zone->free_counter += diff;
		diff = 0;
		mm_touch(mm, cpu, zone->at + MM_ZONE_VMSTAT, 8, MM_WRITE);
	}
	pcp->free_diff = (int16_t)diff;
	mm_touch(mm, cpu, mm->percpu_at[cpu] + zone->pcp_offset + MM_PCP_ZONESTAT, 8, MM_WRITE);
}

/**
 * So many pages more, or fewer, for `cpu`; MM_NO_CPU: nobody holds back anything. Whoever changes
 * what is counted says so here.
 */
void mm_mod_zone_stat(struct mm *mm, int cpu, struct mm_zone *zone, enum mm_zone_stat item,
		      int64_t pages);
void mm_mod_node_stat(struct mm *mm, int cpu, struct mm_node *node, enum mm_node_stat item,
		      int64_t pages);
/**
 * One more or less, as inc_node_page_state(): who passes on what is beyond the threshold passes on
 * half a threshold more, so that the next one of the same kind is far.
 */
void mm_inc_node_stat(struct mm *mm, int cpu, struct mm_node *node, enum mm_node_stat item);
void mm_dec_node_stat(struct mm *mm, int cpu, struct mm_node *node, enum mm_node_stat item);
void mm_inc_zone_stat(struct mm *mm, int cpu, struct mm_zone *zone, enum mm_zone_stat item);
void mm_dec_zone_stat(struct mm *mm, int cpu, struct mm_zone *zone, enum mm_zone_stat item);

/** What the counter says, 0 at least. */
static inline uint64_t mm_zone_stat(const struct mm_zone *zone, enum mm_zone_stat item)
{
	return zone->vm_stat[item] < 0 ? 0 : (uint64_t)zone->vm_stat[item];
}

static inline uint64_t mm_node_stat(const struct mm_node *node, enum mm_node_stat item)
{
	return node->vm_stat[item] < 0 ? 0 : (uint64_t)node->vm_stat[item];
}

/** The same with what all CPUs hold back, as zone_page_state_snapshot(). */
uint64_t mm_zone_stat_exactly(const struct mm *mm, const struct mm_zone *zone,
			      enum mm_zone_stat item);
uint64_t mm_node_stat_exactly(const struct mm *mm, const struct mm_node *node,
			      enum mm_node_stat item);

/** How often something of the kind has happened to a zone's pages, over all CPUs. */
uint64_t mm_zone_numa_events(const struct mm *mm, const struct mm_zone *zone,
			     enum mm_numa_event event);
/** All that CPUs hold back of a zone, or of a node, is passed on. No time passes. */
void mm_zone_fold(const struct mm *mm, struct mm_zone *zone);
void mm_node_fold(const struct mm *mm, struct mm_node *node);

/** What the counter says: CPUs hold back the rest. */
static inline uint64_t mm_zone_free(const struct mm_zone *zone)
{
	return zone->free_counter < 0 ? 0 : (uint64_t)zone->free_counter;
}

/** The same, with what all CPUs hold back: nr_free, in proportion to the number of CPUs. */
uint64_t mm_zone_free_exactly(const struct mm *mm, const struct mm_zone *zone);

/** Free pages that the request may not have: kept for others, whatever the watermark says. */
static inline uint64_t mm_zone_unusable(const struct mm_zone *zone, unsigned alloc_flags)
{
	uint64_t pages = alloc_flags & ALLOC_HARDER ? 0 : zone->nr_reserved_highatomic;

	if (!(alloc_flags & ALLOC_CMA))
		pages += mm_zone_free_cma(zone);
	return pages;
}

/**
 * If so many pages of the zone were free, would it hold more than `mark` after it has given 2^order
 * of them to a request whose highest zone is `highest`, and has it a block that large?
 */
static inline bool mm_zone_watermark_ok_with(const struct mm_zone *zone, unsigned order,
					     uint64_t mark, int highest, unsigned alloc_flags,
					     uint64_t nr_free)
{
	int64_t free = (int64_t)(nr_free - mm_zone_unusable(zone, alloc_flags));
	int64_t min = (int64_t)mark;

	free -= (INT64_C(1) << order) - 1;
	if (alloc_flags & ALLOC_HIGH)
		min -= min / 2;
	if (alloc_flags & ALLOC_HARDER)
		min -= min / 4;
	return free > min + (int64_t)zone->lowmem_reserve[highest] &&
	       (!order || mm_zone_has_block(zone, order, alloc_flags));
}

/** The same of what is free now. */
static inline bool mm_zone_watermark_ok(const struct mm_zone *zone, unsigned order, uint64_t mark,
					int highest, unsigned alloc_flags)
{
	return mm_zone_watermark_ok_with(zone, order, mark, highest, alloc_flags,
					 mm_zone_free(zone));
}

/** As mm_zone_watermark_ok() for kswapd: exactly, where what CPUs hold back could decide. */
bool mm_zone_watermark_ok_safe(const struct mm *mm, const struct mm_zone *zone, unsigned order,
			       uint64_t mark, int highest);

/*
 * vmstat_worker.c: the threads that pass on, each second, what CPUs hold back. One thread looks
 * which CPUs have anything to pass on (vmstat_shepherd), and wakes those CPUs' workers.
 */
int mm_vmstat_init(struct mm *mm);
/** What a worker does. Returns whether it found anything: then it looks again in a second. */
bool mm_vmstat_update(struct mm *mm, int cpu);

#endif
