/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters of zones and nodes, by the names of /proc/zoneinfo and /proc/vmstat; NR_FREE_PAGES
 * (zone_count.h) and NUMA events (mm.h) apart. Each CPU holds back part of what it has counted:
 *
 *   what there is = counter + sum over CPUs of what they hold back
 *
 * A CPU passes on what it has once that is more than a threshold, and all of it each
 * sysctl vm.stat_interval. The kernel's files show the counter alone. Unit: pages, but where the
 * name says otherwise.
 */
#ifndef MM_STAT_H
#define MM_STAT_H

#include <stdint.h>

/* In the order of enum mm_lru, as far as these are its lists. */
#define MM_ZONE_STATS(X)                                                                           \
	X(INACTIVE_ANON, "nr_zone_inactive_anon")                                                  \
	X(ACTIVE_ANON, "nr_zone_active_anon")                                                      \
	X(INACTIVE_FILE, "nr_zone_inactive_file")                                                  \
	X(ACTIVE_FILE, "nr_zone_active_file")                                                      \
	X(UNEVICTABLE, "nr_zone_unevictable")                                                      \
	X(WRITE_PENDING, "nr_zone_write_pending")                                                  \
	X(MLOCK, "nr_mlock")                                                                       \
	X(FREE_CMA, "nr_free_cma")

#define MM_NODE_STATS(X)                                                                           \
	X(INACTIVE_ANON, "nr_inactive_anon")                                                       \
	X(ACTIVE_ANON, "nr_active_anon")                                                           \
	X(INACTIVE_FILE, "nr_inactive_file")                                                       \
	X(ACTIVE_FILE, "nr_active_file")                                                           \
	X(UNEVICTABLE, "nr_unevictable")                                                           \
	X(SLAB_UNRECLAIMABLE, "nr_slab_unreclaimable")                                             \
	X(SLAB_RECLAIMABLE, "nr_slab_reclaimable")                                                 \
	X(ISOLATED_ANON, "nr_isolated_anon")                                                       \
	X(ISOLATED_FILE, "nr_isolated_file")                                                       \
	X(WORKINGSET_REFAULT_ANON, "workingset_refault_anon")                                      \
	X(WORKINGSET_REFAULT_FILE, "workingset_refault_file")                                      \
	X(WORKINGSET_ACTIVATE_ANON, "workingset_activate_anon")                                    \
	X(WORKINGSET_ACTIVATE_FILE, "workingset_activate_file")                                    \
	X(WORKINGSET_RESTORE_ANON, "workingset_restore_anon")                                      \
	X(WORKINGSET_RESTORE_FILE, "workingset_restore_file")                                      \
	X(ANON_MAPPED, "nr_anon_pages")                                                            \
	X(FILE_MAPPED, "nr_mapped")                                                                \
	X(FILE_PAGES, "nr_file_pages")                                                             \
	X(FILE_DIRTY, "nr_dirty")                                                                  \
	X(WRITEBACK, "nr_writeback")                                                               \
	X(SHMEM, "nr_shmem")                                                                       \
	X(ANON_THPS, "nr_anon_transparent_hugepages") /* pages; shown as huge ones */              \
	X(VMSCAN_WRITE, "nr_vmscan_write")                                                         \
	X(VMSCAN_IMMEDIATE, "nr_vmscan_immediate_reclaim")                                         \
	X(DIRTIED, "nr_dirtied")                                                                   \
	X(WRITTEN, "nr_written")                                                                   \
	X(THROTTLED_WRITTEN, "nr_throttled_written")                                               \
	X(PAGETABLE, "nr_page_table_pages")                                                        \
	X(SWAPCACHE, "nr_swapcached")

enum mm_zone_stat {
#define X(id, name) MM_ZS_##id,
	MM_ZONE_STATS(X)
#undef X
		MM_NR_ZONE_STATS
};

enum mm_node_stat {
#define X(id, name) MM_NS_##id,
	MM_NODE_STATS(X)
#undef X
		MM_NR_NODE_STATS
};

/* How NUMA allocations went, in the kernel's order. They have no threshold. */
enum mm_numa_event {
	MM_NUMA_HIT,
	MM_NUMA_MISS,
	MM_NUMA_FOREIGN,
	MM_NUMA_INTERLEAVE,
	MM_NUMA_LOCAL,
	MM_NUMA_OTHER,
	MM_NR_NUMA_EVENTS
};

struct mm;

/**
 * The counter alone; below 0 where a CPU has passed on that there are fewer before another has
 * that there were more. The kernel shows 0 then. Sum over zones or nodes first.
 */
int64_t mm_zone_counter(const struct mm *mm, int nid, int zone, enum mm_zone_stat item);
int64_t mm_node_counter(const struct mm *mm, int nid, enum mm_node_stat item);
/** With what CPUs hold back: what there is. In proportion to the number of CPUs. */
int64_t mm_zone_counter_exactly(const struct mm *mm, int nid, int zone, enum mm_zone_stat item);
int64_t mm_node_counter_exactly(const struct mm *mm, int nid, enum mm_node_stat item);

/** The kernel's name; static storage. */
const char *mm_zone_stat_name(enum mm_zone_stat item);
const char *mm_node_stat_name(enum mm_node_stat item);
/** By that name. -1: there is no such counter. */
int mm_zone_stat_by_name(const char *name);
int mm_node_stat_by_name(const char *name);

/** All CPUs pass on all that they hold back: a read or write of vm.stat_refresh. */
void mm_vmstat_refresh(struct mm *mm);

#endif
