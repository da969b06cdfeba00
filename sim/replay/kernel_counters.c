/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of the counters in /proc/zoneinfo and /proc/vmstat, in their order there: those of the
 * captured Linux 6.1 kernels.
 */
#include "sim/replay/kernel_counters.h"

#include <stddef.h>
#include <string.h>

#include "mm/stat.h"
#include "mm/vm_event.h"

/* Behind nr_free_pages. */
const char *const kernel_zone_counters[] = {
	"nr_zone_inactive_anon",
	"nr_zone_active_anon",
	"nr_zone_inactive_file",
	"nr_zone_active_file",
	"nr_zone_unevictable",
	"nr_zone_write_pending",
	"nr_mlock",
	"nr_bounce",
	"nr_zspages",
	"nr_free_cma",
	NULL,
};

/* Pages of a node by what they hold, and what reclaim has seen. */
const char *const kernel_node_counters[] = {
	"nr_inactive_anon",
	"nr_active_anon",
	"nr_inactive_file",
	"nr_active_file",
	"nr_unevictable",
	"nr_slab_reclaimable",
	"nr_slab_unreclaimable",
	"nr_isolated_anon",
	"nr_isolated_file",
	"workingset_nodes",
	"workingset_refault_anon",
	"workingset_refault_file",
	"workingset_activate_anon",
	"workingset_activate_file",
	"workingset_restore_anon",
	"workingset_restore_file",
	"workingset_nodereclaim",
	"nr_anon_pages",
	"nr_mapped",
	"nr_file_pages",
	"nr_dirty",
	"nr_writeback",
	"nr_writeback_temp",
	"nr_shmem",
	"nr_shmem_hugepages",
	"nr_shmem_pmdmapped",
	"nr_file_hugepages",
	"nr_file_pmdmapped",
	"nr_anon_transparent_hugepages",
	"nr_vmscan_write",
	"nr_vmscan_immediate_reclaim",
	"nr_dirtied",
	"nr_written",
	"nr_throttled_written",
	"nr_kernel_misc_reclaimable",
	"nr_foll_pin_acquired",
	"nr_foll_pin_released",
	"nr_kernel_stack",
	"nr_page_table_pages",
	"nr_sec_page_table_pages",
	"nr_swapcached",
	"pgpromote_success",
	"pgpromote_candidate",
	NULL,
};

/* Events, up to those that are counted by zone. */
const char *const kernel_events_before[] = {
	"pgpgin", "pgpgout", "pswpin", "pswpout", NULL,
};

/* By zone: the zone's name follows. */
const char *const kernel_zone_events[] = {
	"pgalloc",
	"allocstall",
	"pgskip",
	NULL,
};

/* Behind pgfree. */
const char *const kernel_events_after[] = {
	"pgactivate",
	"pgdeactivate",
	"pglazyfree",
	"pgfault",
	"pgmajfault",
	"pglazyfreed",
	"pgrefill",
	"pgreuse",
	"pgsteal_kswapd",
	"pgsteal_direct",
	"pgdemote_kswapd",
	"pgdemote_direct",
	"pgscan_kswapd",
	"pgscan_direct",
	"pgscan_direct_throttle",
	"pgscan_anon",
	"pgscan_file",
	"pgsteal_anon",
	"pgsteal_file",
	"zone_reclaim_failed",
	"pginodesteal",
	"slabs_scanned",
	"kswapd_inodesteal",
	"kswapd_low_wmark_hit_quickly",
	"kswapd_high_wmark_hit_quickly",
	"pageoutrun",
	"pgrotated",
	"drop_pagecache",
	"drop_slab",
	"oom_kill",
	"numa_pte_updates",
	"numa_huge_pte_updates",
	"numa_hint_faults",
	"numa_hint_faults_local",
	"numa_pages_migrated",
	"pgmigrate_success",
	"pgmigrate_fail",
	"thp_migration_success",
	"thp_migration_fail",
	"thp_migration_split",
	"compact_migrate_scanned",
	"compact_free_scanned",
	"compact_isolated",
	"compact_stall",
	"compact_fail",
	"compact_success",
	"compact_daemon_wake",
	"compact_daemon_migrate_scanned",
	"compact_daemon_free_scanned",
	"htlb_buddy_alloc_success",
	"htlb_buddy_alloc_fail",
	"unevictable_pgs_culled",
	"unevictable_pgs_scanned",
	"unevictable_pgs_rescued",
	"unevictable_pgs_mlocked",
	"unevictable_pgs_munlocked",
	"unevictable_pgs_cleared",
	"unevictable_pgs_stranded",
	"thp_fault_alloc",
	"thp_fault_fallback",
	"thp_fault_fallback_charge",
	"thp_collapse_alloc",
	"thp_collapse_alloc_failed",
	"thp_file_alloc",
	"thp_file_fallback",
	"thp_file_fallback_charge",
	"thp_file_mapped",
	"thp_split_page",
	"thp_split_page_failed",
	"thp_deferred_split_page",
	"thp_split_pmd",
	"thp_scan_exceed_none_pte",
	"thp_scan_exceed_swap_pte",
	"thp_scan_exceed_share_pte",
	"thp_split_pud",
	"thp_zero_page_alloc",
	"thp_zero_page_alloc_failed",
	"thp_swpout",
	"thp_swpout_fallback",
	"balloon_inflate",
	"balloon_deflate",
	"balloon_migrate",
	"swap_ra",
	"swap_ra_hit",
	"ksm_swpin_copy",
	"cow_ksm",
	"zswpin",
	"zswpout",
	"direct_map_level2_splits",
	"direct_map_level3_splits",
	NULL,
};

/* What a kernel without NUMA does not have, of all these. */
static const char *const numa_counters[] = {
	"pgpromote_success",      "pgpromote_candidate",
	"zone_reclaim_failed",    "numa_pte_updates",
	"numa_huge_pte_updates",  "numa_hint_faults",
	"numa_hint_faults_local", "numa_pages_migrated",
	"thp_split_pud",          NULL,
};

bool kernel_counter_needs_numa(const char *name)
{
	for (int i = 0; numa_counters[i]; i++)
		if (!strcmp(numa_counters[i], name))
			return true;
	return false;
}

int64_t kernel_zone_counter(const struct mm *mm, int nid, int zone, const char *name)
{
	int item = mm_zone_stat_by_name(name);

	return item < 0 ? 0 : mm_zone_counter(mm, nid, zone, (enum mm_zone_stat)item);
}

/* Transparent huge pages are counted in pages, and shown as huge ones. */
int64_t kernel_node_counter(const struct mm *mm, int nid, const char *name)
{
	int item = mm_node_stat_by_name(name);
	int64_t value = item < 0 ? 0 : mm_node_counter(mm, nid, (enum mm_node_stat)item);

	return item == MM_NS_ANON_THPS ? value >> mm_get_arch(mm)->pageblock_order : value;
}

uint64_t kernel_event(const struct mm *mm, const char *name)
{
	uint64_t value;

	return mm_vm_event_by_name(mm, name, &value) ? 0 : value;
}
