/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters of events, by the names of /proc/vmstat. Those that the kernel counts by zone
 * (allocstall, pgskip) are apart; what it counts by node rather than as an event (workingset_*,
 * nr_*) is here a sum over nodes, exactly.
 */
#ifndef MM_VM_EVENT_H
#define MM_VM_EVENT_H

#include <stdint.h>

#define MM_VM_EVENTS(X)                                                                            \
	X(PGPGIN, "pgpgin")                                                                        \
	X(PGPGOUT, "pgpgout")                                                                      \
	X(PSWPIN, "pswpin")                                                                        \
	X(PSWPOUT, "pswpout")                                                                      \
	X(PGACTIVATE, "pgactivate")                                                                \
	X(PGDEACTIVATE, "pgdeactivate")                                                            \
	X(PGREFILL, "pgrefill")                                                                    \
	X(PGSTEAL_KSWAPD, "pgsteal_kswapd")                                                        \
	X(PGSTEAL_DIRECT, "pgsteal_direct")                                                        \
	X(PGSCAN_KSWAPD, "pgscan_kswapd")                                                          \
	X(PGSCAN_DIRECT, "pgscan_direct")                                                          \
	X(PGSCAN_DIRECT_THROTTLE, "pgscan_direct_throttle")                                        \
	X(PGSCAN_ANON, "pgscan_anon")                                                              \
	X(PGSCAN_FILE, "pgscan_file")                                                              \
	X(PGSTEAL_ANON, "pgsteal_anon")                                                            \
	X(PGSTEAL_FILE, "pgsteal_file")                                                            \
	X(ZONE_RECLAIM_FAILED, "zone_reclaim_failed")                                              \
	X(KSWAPD_LOW_WMARK_HIT_QUICKLY, "kswapd_low_wmark_hit_quickly")                            \
	X(KSWAPD_HIGH_WMARK_HIT_QUICKLY, "kswapd_high_wmark_hit_quickly")                          \
	X(PAGEOUTRUN, "pageoutrun")                                                                \
	X(SLABS_SCANNED, "slabs_scanned")                                                          \
	X(WORKINGSET_REFAULT_ANON, "workingset_refault_anon")                                      \
	X(WORKINGSET_REFAULT_FILE, "workingset_refault_file")                                      \
	X(WORKINGSET_ACTIVATE_ANON, "workingset_activate_anon")                                    \
	X(WORKINGSET_ACTIVATE_FILE, "workingset_activate_file")                                    \
	X(WORKINGSET_RESTORE_ANON, "workingset_restore_anon")                                      \
	X(WORKINGSET_RESTORE_FILE, "workingset_restore_file")                                      \
	X(PGROTATED, "pgrotated")                                                                  \
	X(HTLB_ALLOC_SUCCESS, "htlb_buddy_alloc_success")                                          \
	X(HTLB_ALLOC_FAIL, "htlb_buddy_alloc_fail")                                                \
	X(PGFAULT, "pgfault")                                                                      \
	X(PGMAJFAULT, "pgmajfault")                                                                \
	X(THP_FAULT_ALLOC, "thp_fault_alloc")                                                      \
	X(THP_FAULT_FALLBACK, "thp_fault_fallback")                                                \
	X(THP_COLLAPSE_ALLOC, "thp_collapse_alloc")                                                \
	X(THP_COLLAPSE_ALLOC_FAILED, "thp_collapse_alloc_failed")                                  \
	X(CMA_ALLOC_SUCCESS, "cma_alloc_success")                                                  \
	X(CMA_ALLOC_FAIL, "cma_alloc_fail")                                                        \
	X(THP_SPLIT_PAGE, "thp_split_page")                                                        \
	X(THP_DEFERRED_SPLIT_PAGE, "thp_deferred_split_page")                                      \
	X(THP_SPLIT_PMD, "thp_split_pmd")                                                          \
	X(THP_SWPOUT, "thp_swpout")                                                                \
	X(THP_SWPOUT_FALLBACK, "thp_swpout_fallback")                                              \
	X(SWAP_RA, "swap_ra")                                                                      \
	X(SWAP_RA_HIT, "swap_ra_hit")                                                              \
	X(OOM_KILL, "oom_kill")                                                                    \
	X(PGMIGRATE_SUCCESS, "pgmigrate_success")                                                  \
	X(PGMIGRATE_FAIL, "pgmigrate_fail")                                                        \
	X(THP_MIGRATION_SUCCESS, "thp_migration_success")                                          \
	X(THP_MIGRATION_FAIL, "thp_migration_fail")                                                \
	X(COMPACT_MIGRATE_SCANNED, "compact_migrate_scanned")                                      \
	X(COMPACT_FREE_SCANNED, "compact_free_scanned")                                            \
	X(COMPACT_ISOLATED, "compact_isolated")                                                    \
	X(COMPACT_STALL, "compact_stall")                                                          \
	X(COMPACT_FAIL, "compact_fail")                                                            \
	X(COMPACT_SUCCESS, "compact_success")                                                      \
	X(COMPACT_DAEMON_WAKE, "compact_daemon_wake")                                              \
	X(COMPACT_DAEMON_MIGRATE_SCANNED, "compact_daemon_migrate_scanned")                        \
	X(COMPACT_DAEMON_FREE_SCANNED, "compact_daemon_free_scanned")                              \
	X(UNEVICTABLE_MLOCKED, "unevictable_pgs_mlocked")                                          \
	X(UNEVICTABLE_MUNLOCKED, "unevictable_pgs_munlocked")                                      \
	X(UNEVICTABLE_CULLED, "unevictable_pgs_culled")                                            \
	X(UNEVICTABLE_RESCUED, "unevictable_pgs_rescued")                                          \
	X(NR_VMSCAN_WRITE, "nr_vmscan_write")                                                      \
	X(NR_VMSCAN_IMMEDIATE, "nr_vmscan_immediate_reclaim")                                      \
	X(NR_DIRTIED, "nr_dirtied")                                                                \
	X(NR_WRITTEN, "nr_written")

enum mm_vm_event {
#define X(id, name) MM_VM_##id,
	MM_VM_EVENTS(X)
#undef X
		MM_NR_VM_EVENTS
};

/** "pgsteal_kswapd"; static storage. */
const char *mm_vm_event_name(enum mm_vm_event event);

struct mm;
uint64_t mm_vm_event(const struct mm *mm, enum mm_vm_event event);
/** The same by its name. Returns 0, or -ENOENT where there is no such counter. */
int mm_vm_event_by_name(const struct mm *mm, const char *name, uint64_t *value);
/** Times that an allocation stalled in direct reclaim, by the highest zone that it could use. */
uint64_t mm_allocstall(const struct mm *mm, int zone);
/** Pages of a zone that reclaim for a lower zone passed over. */
uint64_t mm_pgskip(const struct mm *mm, int zone);

#endif
