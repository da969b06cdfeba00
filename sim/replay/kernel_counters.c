/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of the counters in /proc/zoneinfo and /proc/vmstat, in their order there: those of the
 * captured Linux 6.1 kernels.
 */
#include "sim/replay/kernel_counters.h"

#include <stddef.h>
#include <string.h>

#include "mm/alloc/contig.h"
#include "mm/huge/thp.h"
#include "mm/page_counts.h"
#include "mm/reclaim/lru.h"
#include "mm/vm_event.h"
#include "sim/replay/zone_sums.h"

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

static const char *const lru_names[MM_NR_LRU] = {
	[MM_LRU_INACTIVE_ANON] = "inactive_anon", [MM_LRU_ACTIVE_ANON] = "active_anon",
	[MM_LRU_INACTIVE_FILE] = "inactive_file", [MM_LRU_ACTIVE_FILE] = "active_file",
	[MM_LRU_UNEVICTABLE] = "unevictable",
};

uint64_t kernel_zone_counter(const struct mm *mm, int nid, int zone, const char *name)
{
	static const char prefix[] = "nr_zone_";

	struct mm_page_counts counts;

	if (!strcmp(name, "nr_free_cma"))
		return mm_cma_free(mm, nid, zone);
	if (!strcmp(name, "nr_mlock") || !strcmp(name, "nr_zone_write_pending")) {
		mm_page_counts(mm, nid, zone, &counts);
		return name[3] == 'm' ? counts.mlocked : counts.write_pending;
	}
	if (strncmp(name, prefix, strlen(prefix)))
		return 0;
	for (int l = 0; l < MM_NR_LRU; l++)
		if (!strcmp(name + strlen(prefix), lru_names[l]))
			return mm_lru_size(mm, nid, zone, (enum mm_lru)l);
	return 0;
}

/* Counters of what pages in use hold, by their place among those. */
static const struct {
	const char *name;
	size_t at;
} of_pages[] = {
	{"anon_pages", offsetof(struct mm_page_counts, anon)},
	{"mapped", offsetof(struct mm_page_counts, mapped)},
	{"file_pages", offsetof(struct mm_page_counts, file)},
	{"shmem", offsetof(struct mm_page_counts, shmem)},
	{"page_table_pages", offsetof(struct mm_page_counts, tables)},
	{"swapcached", offsetof(struct mm_page_counts, swapcache)},
};

static bool counts_pages(const struct mm *mm, int nid, const char *name, uint64_t *value)
{
	size_t i = 0;

	while (i < sizeof(of_pages) / sizeof(*of_pages) && strcmp(name, of_pages[i].name) != 0)
		i++;
	if (i == sizeof(of_pages) / sizeof(*of_pages))
		return false;
	*value = 0;
	for (int z = 0; z < mm_get_arch(mm)->nr_zones; z++) {
		struct mm_page_counts counts;

		mm_page_counts(mm, nid, z, &counts);
		*value += *(const uint64_t *)(const void *)((const char *)&counts + of_pages[i].at);
	}
	return true;
}

uint64_t kernel_node_counter(const struct mm *mm, int nid, const char *name)
{
	static const char prefix[] = "nr_";
	struct mm_lru_info info;
	uint64_t value;

	if (strncmp(name, prefix, strlen(prefix)))
		return 0;
	name += strlen(prefix);
	mm_lru_info(mm, nid, &info);
	for (int l = 0; l < MM_NR_LRU; l++)
		if (!strcmp(name, lru_names[l]))
			return info.lru[l];
	if (!strcmp(name, "slab_reclaimable"))
		return slab_sums(mm, nid).reclaimable;
	if (!strcmp(name, "slab_unreclaimable"))
		return slab_sums(mm, nid).unreclaimable;
	if (counts_pages(mm, nid, name, &value))
		return value;
	if (!strcmp(name, "anon_transparent_hugepages"))
		return mm_anon_huge_pages(mm, nid);
	if (!strcmp(name, "isolated_anon"))
		return info.isolated_anon;
	if (!strcmp(name, "isolated_file"))
		return info.isolated_file;
	if (!strcmp(name, "dirty"))
		return info.dirty;
	return strcmp(name, "writeback") ? 0 : info.writeback;
}

uint64_t kernel_event(const struct mm *mm, const char *name)
{
	uint64_t value;

	return mm_vm_event_by_name(mm, name, &value) ? 0 : value;
}
