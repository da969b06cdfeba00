/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of the kernel's counters, so that views in the kernel's formats are whole: what the mm core
 * does not have stands there as 0, which it is as long as nothing of the kind exists. NULL at the
 * end of each.
 */
#ifndef SIM_KERNEL_COUNTERS_H
#define SIM_KERNEL_COUNTERS_H

#include <stdbool.h>

#include "mm/mm.h"

extern const char *const kernel_zone_counters[];
extern const char *const kernel_node_counters[];
extern const char *const kernel_events_before[];
extern const char *const kernel_zone_events[];
extern const char *const kernel_events_after[];

/** Is the kernel built for NUMA? The flat memory model exists without only. */
static inline bool kernel_has_numa(const struct mm *mm)
{
	return mm_get_model(mm) != MM_FLAT;
}

/**
 * Value of a counter of a zone or a node, without what CPUs hold back (so below 0 for a while at
 * times: the kernel shows 0, of sums too), or of an event; 0 for what the mm core does not count.
 */
int64_t kernel_zone_counter(const struct mm *mm, int nid, int zone, const char *name);
int64_t kernel_node_counter(const struct mm *mm, int nid, const char *name);
static inline uint64_t kernel_shown(int64_t counter)
{
	return counter < 0 ? 0 : (uint64_t)counter;
}
uint64_t kernel_event(const struct mm *mm, const char *name);

/** Does only a kernel built for NUMA have the counter? */
bool kernel_counter_needs_numa(const char *name);

#endif
