/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes, zones, per-CPU lists.
 *
 * What guards a field: (C)onstant after boot, but for what memory hotplug changes under its lock,
 * (Z)one lock, (L)RU lock of the node, (K)ernel thread of the node and who wakes it, (P)cp owner
 * CPU, (S)tatistics only, (H)int that nobody guards.
 */
#ifndef MM_MMZONE_H
#define MM_MMZONE_H

#include "mm/ops.h"
#include "mm/page.h"
#include "mm/stat.h"

/*
 * A block of one order that compaction waits for on a CPU: what that CPU frees, once it has merged
 * so far, goes to who compacts and not to the free lists, where others might be faster.
 */
struct mm_capture {
	unsigned order;
	struct page *page; /* in no place; NULL: none yet */
};

/* Per-CPU lists of one zone. count = sum of 2^order over their blocks. */
struct mm_pcp {
	unsigned count;                       /* (P) pages */
	unsigned free_factor;                 /* (P) doublings of the drain batch */
	int16_t free_diff;                    /* (P) pages; see zone_count.h */
	bool stat_changed;                    /* (P) LRU lists that nobody follows have changed */
	uint8_t expire;                       /* (P) seconds until unused lists shrink */
	struct page_list lists[NR_PCP_LISTS]; /* (P) */
	struct mm_capture *capture;           /* (P) NULL: nobody compacts the zone here */
	uint64_t numa[MM_NR_NUMA_EVENTS];     /* (P) added up whenever somebody looks */
	int8_t stat_diff[MM_NR_ZONE_STATS];   /* (P) pages; see stat.h */
};

/*
 * Free blocks of the largest order that nobody has asked for since boot, as a range of frames.
 * They stand for the tail of that order's movable list, in this order, and cost the host no
 * descriptors.
 * Invariant: start and end are multiples of the largest block.
 */
struct mm_extent {
	pfn_t start, end;
};

/* Free blocks of one order. A block is on the list that page->migratetype of its head says. */
struct mm_free_area {
	struct page_list lists[MM_NR_MIGRATETYPES]; /* (Z) */
	uint64_t nr_free[MM_NR_MIGRATETYPES];       /* (Z) blocks, pristine ones too */
};

/*
 * What compaction remembers of a zone from one run to the next: where its scanners go on, and
 * whether it is worth trying again. All but the cached positions follows from failures of late:
 * compaction is left out 2^defer_shift times for blocks of order_failed and more.
 */
struct mm_compact_memory {
	pfn_t migrate_pfn[2], free_pfn;        /* (H) asynchronous and other runs; all runs */
	pfn_t init_migrate_pfn, init_free_pfn; /* (H) where a run over all of the zone begins */
	unsigned considered, defer_shift;      /* (H) */
	int order_failed;                      /* (H) */
	bool flush_skips; /* (H) a run has come to its end: page blocks may be looked at again */
};

/*
 * present = spanned - holes
 * managed = present - reserved
 * managed = nr_free + sum of pcp counts + pages in use
 * nr_free = sum of free_area[o].nr_free[t] * 2^o
 *         = free_counter + sum of pcp free_diff
 */
struct mm_zone {
	struct mm_lock lock;
	const char *name;                   /* (C) */
	int nid, index;                     /* (C) index among the architecture's zones */
	uint64_t page_flags;                /* (C) what page->flags of its pages says of these */
	pfn_t start_pfn;                    /* (C) */
	uint64_t spanned, present, managed; /* (C) pages */
	uint64_t present_early;             /* (C) of these, what was there at boot and still is */

	uint64_t wmark[MM_NR_WMARKS];          /* (C) pages, without the boost */
	uint64_t boost;                        /* (Z) pages on top of each watermark */
	uint64_t lowmem_reserve[MM_MAX_ZONES]; /* (C) by the highest zone the request allows */

	uint64_t nr_free;                              /* (Z) pages on the buddy lists */
	int64_t free_counter;                          /* (S) of these, what CPUs have told */
	struct mm_free_area free_area[NR_PAGE_ORDERS]; /* (Z) */
	struct mm_extent *pristine;                    /* (Z) */
	size_t nr_pristine, next_pristine;             /* (Z) those before it are used up */
	uint64_t pristine_used;                        /* (Z) pages that came from there */
	uint64_t nr_reserved_highatomic;               /* (Z) pages in highatomic page blocks */
	bool boosted;                                  /* (Z) kswapd has not been told of it yet */
	bool reclaim_active;                           /* (Z) kswapd is at work on the zone */
	bool boost_held;                               /* (Z) see mm_hold_boost() */
	uint64_t nr_isolated_blocks;                   /* (Z) page blocks that are isolated */
	bool has_cma;                                  /* (Z) some page block is of type CMA */
	bool had_apart;       /* (Z) some page block was highatomic, CMA or isolated once */
	uint8_t *block_types; /* (Z) by page block; see pageblock.h */
	bool *block_skips;    /* (H) likewise */
	pfn_t blocks_first, blocks_end; /* (Z) page blocks [first, end) that these two have */
	struct mm_compact_memory compact;

	/*
	 * (L) pages of the zone on its node's lists, exactly: reclaim goes by those of the memory
	 * control group, which are exact in the kernel, too.
	 */
	uint64_t nr_lru[MM_NR_LRU];
	int64_t vm_stat[MM_NR_ZONE_STATS]; /* (S) what CPUs have told; see stat.h */

	struct mm_pcp *pcp;                    /* by CPU; NULL where the zone is empty */
	unsigned pcp_high, pcp_batch, pcp_low; /* (C) */
	int stat_threshold;                    /* (K) pages that a CPU may hold back */
	uint64_t drift_mark; /* (C) below it, free_counter is too inexact for kswapd */

	phys_addr_t at;      /* (C) where the descriptor is in simulated memory */
	uint64_t pcp_offset; /* (C) of its per-CPU lists in each CPU's area */

	uint64_t alloc_pages, freed_pages; /* (S) */
	uint64_t fallbacks;                /* (S) */
	uint64_t lock_acquired;            /* (S) */
	uint64_t held;                     /* (Z) pages in use since before the start */
	struct mm_held *held_lists;        /* (Z) of these, what can be freed; NULL: nothing */
};

/* What a CPU holds back of a node's counters. */
struct mm_node_cpu {
	int8_t diff[MM_NR_NODE_STATS]; /* (P) */
};

struct mm_zonelist {
	struct mm_zone **zones; /* (C) */
	size_t nr;
};

#define MM_LRU_BATCH 15 /* PAGEVEC_SIZE */

/* New pages of a CPU on their way to the lists of their nodes. */
struct mm_lru_batch {
	struct page *pages[MM_LRU_BATCH]; /* (P) */
	unsigned nr;                      /* (P) */
};

/*
 * A thread of the kernel. It runs from a wake-up to its next sleep; who runs it, and when, is the
 * sink's business.
 */
struct mm_kthread {
	const char *name;  /* (C) "kswapd", "kcompactd" */
	int nid, index;    /* (C) of its node; among its likes */
	int cpu;           /* (C) that it runs on; MM_NO_CPU: any of its node */
	uint64_t first_us; /* (K) it first sleeps so long; MM_KTHREAD_FOREVER: until it is woken */
	/** On `*cpu`, which may have changed when it returns. See mm_kthread_run(). */
	uint64_t (*run)(struct mm *mm, struct mm_kthread *thread, int *cpu, bool woken);
	bool asleep; /* (K) */
	void *sink;  /* the sink's to use, NULL at first */
};

#define MM_MAX_HUGE_SIZES 2

/* Huge pages of one size of a node's pool. nr_free = length of free; nr_free, nr_surplus <= nr. */
struct mm_huge_pool {
	struct page_list free;            /* newest first */
	uint64_t nr, nr_free, nr_surplus; /* huge pages */
};

/* Passes on what a CPU holds back of counters. */
struct mm_vmstat_worker {
	struct mm_kthread thread;
	bool again; /* it is to look again in a second, whatever the CPU does */
};

/* What kswapd of a node has been asked for, and how it went. */
struct mm_kswapd {
	struct mm_kthread thread;
	bool napping;           /* (K) a short sleep: it may be woken early */
	unsigned asked_order;   /* (K) by those who woke it since */
	int asked_highest;      /* (K) highest zone; -1: none */
	unsigned alloc_order;   /* (K) of the last run */
	unsigned reclaim_order; /* (K) it came down to */
	int highest;            /* (K) */
	unsigned failures;      /* (K) runs in a row that freed nothing */
	uint64_t passes;        /* (K) over its node, since boot */
};

/* What kcompactd of a node has been asked for. */
struct mm_kcompactd {
	struct mm_kthread thread;
	unsigned asked_order; /* (K) the largest since its last run; 0: nothing */
	int asked_highest;    /* (K) the lowest of the highest zones of those who asked */
	bool look_now;        /* (K) compaction_proactiveness was written: no need to wait */
};

/*
 * spanned = end - start; present = sum of its zones'
 * pages on lru[l] = sum of its zones' nr_lru[l]
 */
struct mm_node {
	int nid;
	int cpus_of;     /* (C) nodes of the same number here have their CPUs in common */
	int home;        /* (C) the machine's node that its memory is on; see mm_node_home() */
	phys_addr_t at;  /* (C) where the node descriptor is */
	pfn_t start_pfn; /* (C) */
	uint64_t spanned, present; /* (C) pages */
	pfn_t movable_pfn;         /* (C) where ZONE_MOVABLE begins; 0: it has none */
	struct mm_zone zones[MM_MAX_ZONES];
	int *order; /* (C) all nodes with memory, nearest first; itself first if it has any */
	int nr_order;
	struct mm_zonelist fallback; /* (C) over nodes */
	struct mm_zonelist thisnode; /* (C) */
	uint8_t interleave_weight;   /* (C) of a weighted interleave, 1 at least */

	int64_t vm_stat[MM_NR_NODE_STATS]; /* (S) what CPUs have told; see stat.h */
	struct mm_node_cpu *cpu;           /* by CPU */
	uint64_t stat_offset;              /* (C) of that in each CPU's area */
	int stat_threshold;                /* (K) pages that a CPU may hold back */

	struct mm_lock lru_lock;
	struct page_list lru[MM_NR_LRU]; /* (L) newest at the head */
	uint64_t anon_cost, file_cost;   /* (L) of reclaiming them, of late */
	struct page *flushed_last; /* (L) that a flusher took last; NULL: none, or it may be gone */
	bool reclaim_writeback;    /* (L) PGDAT_WRITEBACK: much of the tail is being written */
	bool reclaim_dirty;        /* (L) PGDAT_DIRTY: much of the tail is dirty */
	bool reclaim_congested;    /* (L) LRUVEC_CONGESTED */
	bool reclaim_locked;       /* (L) someone is in node reclaim */
	uint64_t nonresident_age;  /* (L) pages reclaimed, and made active by use, since boot */
	uint64_t refaults[2];      /* (L) pages made active as they came back: anonymous, file */
	uint64_t refaults_seen[2]; /* (L) that when reclaim last ended */
	unsigned nr_throttled[MM_NR_THROTTLES]; /* (L) who sleep because reclaim goes too fast */
	int64_t throttled_from; /* (L) what was written when the first who waits fell asleep */
	unsigned nr_waiting;    /* (L) who sleep until kswapd has freed some (pfmemalloc_wait) */
	struct mm_kswapd kswapd;
	struct mm_huge_pool huge[MM_MAX_HUGE_SIZES]; /* by size, as mm.hugetlb.sizes */
	struct mm_kcompactd kcompactd;
};

#endif
