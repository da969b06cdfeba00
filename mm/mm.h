/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mm core's public face: boot it from a description of a machine, allocate, free, look.
 *
 * Units: bytes for sizes and addresses, pages where the name says so. All memory hangs off
 * struct mm; two of them can live in one process. No function here prints or exits. A struct mm
 * is used by one host thread at a time; simulated CPUs take turns at the points that ops.h names.
 */
#ifndef MM_MM_H
#define MM_MM_H

#include "mm/arch.h"
#include "mm/boot/profile.h"
#include "mm/gfp.h"
#include "mm/ops.h"
#include "mm/slab/slab_types.h"
#include "mm/types.h"
#include "mm/vmalloc/vm_map.h"

struct mm_range {
	phys_addr_t start;
	uint64_t bytes;
	int nid; /* its node */
};

/* Which of the kernel's own structures a reserved range holds. */
enum mm_holds {
	MM_HOLDS_OTHER, /* what the mm core does not look into */
	MM_HOLDS_MEMMAP,
	MM_HOLDS_NODE_DESCRIPTOR,
	MM_HOLDS_PER_CPU,
	MM_HOLDS_SECTION_TABLE,
	MM_HOLDS_PAGE_TABLES,
	/* As OTHER, but the kernel took it once it knew its nodes: they decide where it is. */
	MM_HOLDS_ALLOCATED,
	MM_NR_HOLDS
};

/* Memory that is taken before boot, not necessarily whole pages: a page taken in part is taken. */
struct mm_reservation {
	phys_addr_t start;
	uint64_t bytes;
	enum mm_holds holds;
};

/*
 * A part of what is reserved that the kernel gives back once it is up. It counts in managed and
 * free, but not in min_free_kbytes, the watermarks, lowmem_reserve and the sizes of the per-CPU
 * lists, which were computed before, until a sysctl has them computed again.
 */
struct mm_release {
	phys_addr_t start;
	uint64_t bytes;
	bool before_initcalls; /* early enough to count in all of them: SMP alternatives */
};

/* A zone's state that the description gives rather than the boot finds. */
struct mm_zone_preset {
	int nid;
	int zone; /* index among the architecture's zones */
	bool has_managed, has_free;
	uint64_t managed; /* pages under the buddy allocator after boot */
	uint64_t free;    /* pages free at the start; the others are in use, by nobody we follow */
};

/* /sys/kernel/mm/transparent_hugepage/khugepaged. */
struct mm_khugepaged_params {
	uint64_t pages_to_scan;                                 /* before it sleeps */
	uint64_t scan_sleep_ms, alloc_sleep_ms;                 /* the latter without memory */
	uint64_t max_ptes_none, max_ptes_swap, max_ptes_shared; /* of a huge page's entries */
	bool defrag;                                            /* reclaim and compact for it */
};

/* The kernel's parameters. MM_PARAM_DEFAULT: the kernel works it out. */
#define MM_PARAM_DEFAULT UINT64_MAX
#define MM_TMPFS_NO_LIMIT UINT64_MAX
struct mm_params {
	uint64_t min_free_kbytes;
	uint64_t watermark_scale_factor;                 /* per 10,000; default 10 */
	uint64_t lowmem_reserve_ratio[MM_NR_ZONE_TYPES]; /* by zone type; 0: nothing reserved */
	uint64_t kernelcore_bytes, movablecore_bytes;    /* 0: no ZONE_MOVABLE */
	bool kernelcore_mirror; /* kernelcore=mirror: what is not mirrored is ZONE_MOVABLE */
	bool movable_node;      /* what can be unplugged is ZONE_MOVABLE, whatever else is said */
	uint64_t percpu_pagelist_high_fraction; /* 0: by the low watermark */
	uint64_t watermark_boost_factor;        /* per 10,000 of the high watermark; 0: none */
	uint64_t zone_reclaim_mode;  /* 1: reclaim on the node before another; 2: write; 4: unmap */
	uint64_t swappiness;         /* 0 to 200: the weight of anonymous memory in reclaim */
	uint64_t vfs_cache_pressure; /* percent at which dentries and inodes are scanned */
	uint64_t min_unmapped_ratio; /* percent of a node, of page cache that a node reclaim is for
				      */
	uint64_t min_slab_ratio;     /* the same of slabs that can be reclaimed */
	uint64_t dirty_ratio; /* percent of what may be dirty, at which writers leave a node */
	uint64_t cma_bytes;   /* cma=: kept for runs of frames; 0: none */
	uint64_t extfrag_threshold; /* 0 to 1000: how fragmented a zone is that is compacted */
	uint64_t compaction_proactiveness;    /* 0 to 100: before anybody asks; 0: never */
	uint64_t compact_unevictable_allowed; /* 1: what is locked in memory moves, too */
	uint64_t swap_bytes;                  /* of the swap device; 0: none */
	uint64_t tmpfs_bytes;  /* size= of the tmpfs; 0: half of RAM; MM_TMPFS_NO_LIMIT */
	uint64_t page_cluster;                /* log2 of the pages that are read back at once */
	uint64_t mem_bytes;                   /* mem=; 0: all there is */
	bool numa_off;                        /* all memory is one node */
	/* numa=fake=: into how many nodes (N), of what size, or each node into how many (NU). */
	uint64_t numa_fake, numa_fake_bytes, numa_fake_each; /* at most one; 0: the machine's */
	enum mm_thp_mode thp; /* unless never, khugepaged raises min_free_kbytes */
	enum mm_thp_defrag thp_defrag;
	struct mm_khugepaged_params khugepaged;
	uint64_t huge_bytes;         /* default_hugepagesz=; 0: a page block */
	uint64_t read_ahead_kb;      /* of files; 0: they are read a page at a time */
	uint64_t fault_around_bytes; /* a power of two, within one table; a page: none around */
	bool page_owner;             /* page_owner=on: who has each page is kept in page_ext */
	bool page_table_check;       /* page_table_check=on: so are the mappings that it has */
	struct mm_slab_params slab;
	struct mm_vm_params
		vm; /* what is the kernel's of the address space, and vmalloc's of that */
};

/* What boots. Everything is borrowed and may go once mm_boot() has returned. */
/* hugepagesz= and hugepages= */
struct mm_hugepages {
	uint64_t bytes;     /* of a huge page; 0: of the default size */
	uint64_t pages;     /* over all nodes, in turn */
	const uint64_t *of; /* by node, nr_of of them; NULL: as `pages` says */
	int nr_of;
};

struct mm_config {
	enum mm_arch_id arch;
	enum mm_memory_model model;
	int nr_nodes;
	int nr_cpus;
	const int *cpu_nid;      /* nr_cpus node ids */
	const uint8_t *distance; /* nr_nodes * nr_nodes, row by row; 10 on the diagonal */
	/*
	 * By node: one whose CPUs the kernel counts as this one's too, as the nodes that numa=fake
	 * cut from one machine node share theirs; itself elsewhere. NULL: each its own.
	 */
	const int *shares_cpus_with;
	/* By node: weight in a weighted interleave, 1 to 255. NULL: 1 each. */
	const uint8_t *interleave_weight;
	const struct mm_range *memory;
	size_t nr_memory;
	/* Memory that firmware (SRAT) says can be unplugged, and that it keeps twice; no node. */
	const struct mm_range *hotpluggable, *mirrored;
	size_t nr_hotpluggable, nr_mirrored;
	const struct mm_range *memmap; /* holes: memory that the kernel leaves alone (memmap=) */
	size_t nr_memmap;
	const struct mm_reservation *reserved; /* kernel image, firmware, ... */
	size_t nr_reserved;
	/*
	 * The kernel's own structures are among `reserved`: boot takes nothing more, and reserves
	 * nothing by rule.
	 */
	bool reservations_complete;
	const struct mm_hugepages *hugepages; /* in the pools at boot, each size once */
	size_t nr_hugepages;
	const struct mm_release *late; /* initrd, init sections */
	size_t nr_late;
	const struct mm_zone_preset *presets;
	size_t nr_presets;
	struct mm_params params;
	/*
	 * What the kernel takes beyond its own structures; NULL: nothing. Without effect where the
	 * reservations are complete.
	 */
	const struct mm_profile *profile;
	uint64_t crashkernel_bytes; /* by the profile's rule; 0: none */
	phys_addr_t possible_end;   /* where memory may end once all is plugged in; 0: as it is */
	/* Memory may be added below it while the kernel runs (hotplug.h); 0: none at all. */
	phys_addr_t hotplug_end;
	uint64_t memory_block_bytes; /* of /sys/devices/system/memory; 0: by the kernel's rule */
	/*
	 * For small tests: the mm core's own structures take no memory of the machine; their
	 * addresses lie past its last range, and nothing is reserved by rule.
	 */
	bool bare;
	/* The same: pages are grouped by mobility however few there are. */
	bool always_grouped;
};

/* Why the mm core refused: one line for the user, and what it is about. */
enum mm_subject {
	MM_ABOUT_MACHINE,
	MM_ABOUT_MODEL,
	MM_ABOUT_MEMORY,
	MM_ABOUT_PRESET,
	MM_ABOUT_LATE,
	MM_ABOUT_SYSCTL,
	MM_ABOUT_STATE,
	MM_ABOUT_HOTPLUG,
};
struct mm_refusal {
	enum mm_subject about;
	size_t index; /* which range, preset or release, where it is about one */
	char why[256];
};

/** Defaults of Linux 6.1. */
struct mm_params mm_params_default(void);

/**
 * Boot: memblock, nodes, zones, page descriptors, per-CPU lists, zonelists, watermarks. Costs no
 * simulated time, calls no op. `ops` may be NULL (nothing is reported).
 * Returns 0 and *out (free it with mm_destroy); -EINVAL where the description is refused, with
 * *refusal filled; -ENOMEM.
 */
int mm_boot(const struct mm_config *config, const struct mm_ops *ops, void *ctx, struct mm **out,
	    struct mm_refusal *refusal);
void mm_destroy(struct mm *mm);

/** mm_ops.event() is told of events of these types from now on: a bit each by enum mm_event_type.
 * At boot, of all. Making one up takes as long as some steps of an allocation. */
void mm_listen(struct mm *mm, uint32_t types);

struct mm_request {
	int cpu; /* the CPU that allocates */
	int nid; /* preferred node; MM_NO_NODE: the CPU's own */
	unsigned order;
	gfp_t gfp;
	const struct mm_nodemask *nodes; /* no other nodes than these; NULL: all */
	bool atomic;                     /* the caller must not sleep: an interrupt, a spinlock */
	bool pf_memalloc; /* the task frees memory itself (PF_MEMALLOC): it may have all there is,
			     and does not reclaim */
	bool reclaimed;   /* with mm_set_reclaim_outside(): direct reclaim, if the request comes to
			     it, has freed what it needs */
};

/**
 * Take 2^order contiguous page frames. Simulated time may pass: zone locks and, with
 * __GFP_DIRECT_RECLAIM, reclaim and sleep. What was followed (lru.h) may be reclaimed meanwhile.
 * Returns 0, -EINVAL if order > MAX_PAGE_ORDER, -EWOULDBLOCK with a warning (warn.h) where the
 * caller must not sleep but the flags allow to, -ENOMEM if nothing fits after the slow path; with
 * __GFP_NOFAIL | __GFP_DIRECT_RECLAIM only where nobody is left who could free memory.
 * The caller owns *page until mm_free_pages().
 */
int mm_alloc_pages(struct mm *mm, const struct mm_request *req, struct page **page);

/**
 * Give back what mm_alloc_pages() gave, with the same order. Simulated time may pass.
 * Returns 0; -EINVAL where the page is not the head of a block of that order in use (a free of
 * what is free, twice, in the middle, of another order), and then nothing has changed.
 */
int mm_free_pages(struct mm *mm, int cpu, struct page *page, unsigned order);

/**
 * As many single pages as are to be had at little cost, by the rules of __alloc_pages_bulk(): from
 * the CPU's list of the first zone of the preferred node that has room for all, else one page by
 * mm_alloc_pages(). The order of the request is 0. Entries of pages[0, nr) that are not NULL are
 * left as they are, and count. Leaves no tracepoint, but for that one page. Simulated time may
 * pass. Returns how many of pages[] are there, from the first on: 0 to nr; no more than there were,
 * with a warning, where the caller must not sleep but the flags allow to.
 */
uint64_t mm_alloc_pages_bulk(struct mm *mm, const struct mm_request *req, uint64_t nr,
			     struct page **pages);

/**
 * Make blocks of 2^order pages of one in use that is larger; each is the caller's, to be freed by
 * itself. Simulated time may pass where reclaim follows it. Returns 0; -EINVAL where it is no block
 * in use of a larger order, or of the pool of huge pages; -EBUSY while it is being reclaimed,
 * written or moved. Then nothing has changed.
 */
int mm_split_page(struct mm *mm, int cpu, struct page *page, unsigned order);

/** The page's frame number, at the cost that the memory model gives it; cpu may be MM_NO_CPU. */
pfn_t mm_page_to_pfn(struct mm *mm, int cpu, const struct page *page);
/** The descriptor of a frame; NULL where pfn_valid says no. Charged likewise. */
struct page *mm_pfn_to_page(struct mm *mm, int cpu, pfn_t pfn);
/** Is there a descriptor for the frame? (Not: is it memory.) */
bool mm_pfn_valid(const struct mm *mm, pfn_t pfn);
/** Node and zone index from page->flags, as page_to_nid() and page_zonenum(). */
int mm_page_to_nid(const struct mm *mm, const struct page *page);
int mm_page_zonenum(const struct mm *mm, const struct page *page);
/** Node and zone index of a frame of memory, at no cost. Returns 0, or -ENOENT where it is none. */
int mm_pfn_zone(const struct mm *mm, pfn_t pfn, int *nid, int *zone);
/** First byte of the frame that the descriptor stands for. */
phys_addr_t mm_page_address(struct mm *mm, const struct page *page);

/** Its description; the limits of its zones are this machine's, as vmalloc= and the split make
 * them. */
const struct mm_arch *mm_get_arch(const struct mm *mm);
/** The kernel's address space. Constant after boot. */
const struct mm_vm_map *mm_get_vm_map(const struct mm *mm);
/** The kernel's parameters as they are in force. */
const struct mm_params *mm_get_params(const struct mm *mm);
enum mm_memory_model mm_get_model(const struct mm *mm);
const char *mm_model_name(enum mm_memory_model model);
int mm_nr_nodes(const struct mm *mm);
int mm_nr_cpus(const struct mm *mm);
int mm_cpu_to_node(const struct mm *mm, int cpu);
/**
 * The machine's node that a node of the kernel is on. They differ with discontig on a UMA machine,
 * where each range of memory is a node of its own, and with numa_fake: mm_nr_nodes() may exceed the
 * machine's. With numa_off there is one node, and its memory is on all of the machine's.
 */
int mm_node_home(const struct mm *mm, int nid);

/**
 * Is it a CPU of that node, as cpumask_of_node() has them? With numa_fake a CPU is one of all nodes
 * that its own was cut from; without NUMA, of all there are.
 */
bool mm_node_has_cpu(const struct mm *mm, int nid, int cpu);
/** Has it CPUs or memory? The kernel shows no other nodes, but for their zonelists. */
bool mm_node_online(const struct mm *mm, int nid);

/* A zone as /proc/zoneinfo shows it. */
struct mm_zone_info {
	const char *name;
	pfn_t start_pfn;
	uint64_t spanned, present, managed;
	uint64_t free;         /* pages on the buddy lists: the sum of the blocks below */
	uint64_t free_counter; /* "pages free": the same, less what CPUs have not told yet */
	uint64_t min, low, high;
	uint64_t protection[MM_MAX_ZONES];
	uint64_t nr_free_blocks[NR_PAGE_ORDERS];
	uint64_t nr_free_by_type[MM_NR_MIGRATETYPES][NR_PAGE_ORDERS];
	uint64_t boost; /* pages on top of min, low and high */
	unsigned pcp_high, pcp_batch;
	unsigned pcp_low; /* 0 in kernels that have no such */
	int stat_threshold;
	uint64_t numa_hit, numa_miss, numa_foreign, numa_interleave, numa_local, numa_other;
	uint64_t alloc_pages; /* pages handed out since boot */
	uint64_t freed_pages; /* pages given back since boot */
	uint64_t fallbacks;   /* allocations that landed here though another zone was preferred */
	uint64_t lock_acquired;
};

/** Zone `zone` (index among the architecture's zones) of node `nid`. spanned is 0 where empty. */
void mm_zone_info(const struct mm *mm, int nid, int zone, struct mm_zone_info *info);
/**
 * How fragmented what is free in a zone is, seen by an allocation of that order; thousandths, as
 * debugfs' extfrag/ has them. The index says why it fails: from 0, too little is free, to 1000, it
 * is in too small pieces; -1000 where it does not fail; below 0 where all that is free would not do
 * in one piece. Unusable is the share of it that is in too small pieces; 1000 where nothing is.
 */
int mm_zone_extfrag_index(const struct mm *mm, int nid, int zone, unsigned order);
unsigned mm_zone_unusable_index(const struct mm *mm, int nid, int zone, unsigned order);
/** Its free pages, exactly, and by how many its watermarks are raised: the two that change most. */
void mm_zone_room(const struct mm *mm, int nid, int zone, uint64_t *free, uint64_t *boost);
/** Page blocks of the zone by mobility: those of 2^pageblock_order frames that have any memory. */
void mm_zone_pageblocks(const struct mm *mm, int nid, int zone,
			uint64_t blocks[MM_NR_MIGRATETYPES]);
/* A node's NUMA counters: /sys/devices/system/node/nodeN/numastat. Sums over its zones. */
struct mm_numastat {
	uint64_t numa_hit, numa_miss, numa_foreign, interleave_hit, local_node, other_node;
};
void mm_node_numastat(const struct mm *mm, int nid, struct mm_numastat *stat);
/** Pages on the per-CPU list of that zone and CPU. */
unsigned mm_pcp_count(const struct mm *mm, int nid, int zone, int cpu);
/** Have CPUs lists of their own for blocks of that order? */
bool mm_cpus_have_lists(const struct mm *mm, unsigned order);
/**
 * Which of a CPU's NR_PCP_LISTS lists holds that order and mobility. What is set apart for
 * highatomic or CMA lies among the movable ones, and goes back to its own lists.
 */
static inline unsigned mm_pcp_list(unsigned order, enum mm_migratetype type)
{
	if (order > PAGE_ALLOC_COSTLY_ORDER)
		return NR_PCP_LISTS - 1;
	return order * MM_NR_PCPTYPES + (type < MM_NR_PCPTYPES ? type : MM_MOVABLE);
}
/** Pages that were free when the machine had booted, or when memory last came or went: what
 * user_reserve_kbytes and admin_reserve_kbytes are a share of. */
uint64_t mm_free_at_init(const struct mm *mm);
/** CommitLimit and Committed_AS of meminfo, pages: what is promised to processes. */
uint64_t mm_commit_limit(const struct mm *mm);
uint64_t mm_committed(const struct mm *mm);
/** min_free_kbytes in force. */
uint64_t mm_min_free_kbytes(const struct mm *mm);

/*
 * Sysctls, by the names of /proc/sys/vm. Costs no simulated time.
 */
/** The i-th name; NULL past the last. */
const char *mm_sysctl_name(unsigned i);
/**
 * Write `value`, as text; those of pools of huge pages may name
 * a node and a size, "node1/hugepages-1048576kB/nr_hugepages". NULL: read it, which makes the
 * kernel compute lowmem_reserve again where the key is lowmem_reserve_ratio. What a write has the
 * kernel compute is computed from the pages that are managed now. Returns 0; -ENOENT where there is
 * no such key, -ENODEV where kernels with this one's per-CPU lists had none, and -EINVAL where there
 * is no such value, with *refusal filled and nothing changed.
 */
int mm_sysctl(struct mm *mm, const char *key, const char *value, struct mm_refusal *refusal);
/** Its value as the kernel prints it, without computing anything. 0, -ENOENT or -ENODEV. */
int mm_sysctl_text(const struct mm *mm, const char *key, char *text, size_t size);

/* One entry of a zonelist. */
struct mm_zoneref {
	int nid, zone;
};
/**
 * The zonelist of a node: with fallback over nodes, or of this node only. Fills at most `max`
 * entries, highest zone first; returns how many there are.
 */
size_t mm_zonelist(const struct mm *mm, int nid, bool this_node_only, struct mm_zoneref *refs,
		   size_t max);
/**
 * Nodes with memory in the order in which `nid` falls back, itself first if it has any. order[]
 * holds mm_nr_nodes() entries; returns how many are filled.
 */
int mm_node_order(const struct mm *mm, int nid, int *order);

/**
 * What the kernel says when it builds zonelists ("Built 2 zonelists, mobility grouping on.  Total
 * pages: 515805"), at boot and where hotplug adds a zone's first memory or takes its last: pages
 * that it expects to be managed, later those above the high watermarks; and whether that is enough
 * to group pages by mobility. Where it is not, all are unmovable.
 */
uint64_t mm_total_pages(const struct mm *mm);
bool mm_grouped_by_mobility(const struct mm *mm);

/**
 * The i-th range of memblock after boot, in ascending order: of memory, or of what is reserved in
 * it (the kernel's own structures too; no node). False past the last.
 */
bool mm_memblock_range(const struct mm *mm, bool reserved, size_t i, struct mm_range *range);

/* What the memory model costs in memory. All in bytes of simulated memory. */
struct mm_model_info {
	uint64_t memmap_bytes; /* page descriptors */
	uint64_t hole_bytes;   /* of these, descriptors of frames that are not there */
	uint64_t table_bytes;  /* node table, section table, page tables of the vmemmap */
	uint64_t device_bytes; /* of the descriptors, those that are on the memory they describe */
};
void mm_model_info(const struct mm *mm, struct mm_model_info *info);

/*
 * page->flags as the kernel lays them out: [SECTION] [NODE] ZONE [LAST_CPUPID] ... FLAGS. The shift
 * of a field without width is 0. LAST_CPUPID (NUMA balancing) is where it would be; nothing uses
 * it.
 */
struct mm_flags_layout {
	unsigned section_width, node_width, zone_width, last_cpupid_width;
	unsigned section_shift, node_shift, zone_shift, last_cpupid_shift;
};
void mm_flags_layout(const struct mm *mm, struct mm_flags_layout *layout);

struct mm_counters {
	uint64_t allocs, frees, failed; /* requests */
	uint64_t held_frees;            /* of blocks in use since before the start */
	uint64_t targets;               /* blocks that mm_take_target() took */
	uint64_t parts;                 /* blocks that came of splits of those in use */
	uint64_t fallback_zone; /* allocations of the preferred node from a lower zone than asked */
	uint64_t fallback_node; /* allocations from another node than the preferred one */
	uint64_t reclaimed;     /* blocks that reclaim took from their owners */
	uint64_t slow_path, kswapd_wakeups;
	uint64_t owed;          /* pages that mm_set_reclaim_outside() gave below the watermarks */
	uint64_t from_reserves; /* allocations for which a zone went below its minimum watermark */
	uint64_t pcp_refills, pcp_drains, splits, merges;
	uint64_t steals; /* blocks taken from another mobility */
	/* Allocations that must not fail, but did: a kernel would wait for ever. See
	 * mm_ops.starve. */
	uint64_t nofail_stuck;
};
void mm_counters(const struct mm *mm, struct mm_counters *counters);

/**
 * What a kernel prints, of the first time that it happened: of an allocation that failed ("page
 * allocation failure", not with __GFP_NOWARN), and of one for which it would kill a process
 * ("invoked oom-killer"). The request and Mem-Info, the state of all memory; in the second case the
 * processes, and who it would be. Lines; NULL where there was none. Lives as long as the mm core.
 */
const char *mm_failure_report(const struct mm *mm);
const char *mm_oom_report(const struct mm *mm);

/**
 * Recompute every invariant of the whole structure and compare. Returns 0, or -EINVAL with the
 * first violation in why[]. Costs host time in proportion to the memory that has been touched.
 */
int mm_verify(const struct mm *mm, char *why, size_t size);

#endif
