/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the mm core share: the handle, the reporting wrappers around ops.h, and the
 * steps that one file offers to another. Not for users of the mm core (they include mm.h).
 */
#ifndef MM_INTERNAL_H
#define MM_INTERNAL_H

#include "mm/boot/memblock.h"
#include "mm/memmodel.h"
#include "mm/mm.h"
#include "mm/mmzone.h"
#include "mm/reclaim/swap.h"
#include "mm/vm_event.h"

/* A reserved range as a home of the kernel's structures; see home.c. */
struct mm_home {
	phys_addr_t start, end;
	phys_addr_t next; /* where the next structure goes */
	int nid;
	enum mm_holds holds;
};

/* The pool of huge pages of one size. */
struct mm_hstate {
	unsigned order;
	uint64_t wanted;                 /* nr_hugepages: what the last resize came to */
	uint64_t overcommit;             /* nr_overcommit_hugepages: surplus pages at most */
	uint64_t reserved;               /* free ones that are promised */
	int next_to_alloc, next_to_free; /* nodes */
};

struct mm {
	const struct mm_arch *arch;
	struct mm_arch own_arch; /* what it points to: the limits of zones follow from params.vm */
	struct mm_vm_map vm_map;
	const struct mm_memmodel *model;
	void *model_state; /* the model's own */
	struct mm_ops ops;
	bool watched;  /* (C) ops has work() or access() */
	uint32_t told; /* types of events that ops.event() is told of, a bit each */
	void *ctx;
	/* (C) Where all descriptors are in one array: the first, and its frame; NULL elsewhere. */
	struct page *descriptors;
	pfn_t first_described;

	struct mm_params params;
	const struct mm_pcp_kind *pcp_kind; /* pcp.h */
	unsigned pcp_orders;                /* (C) that kind has lists of: a bit each */
	struct mm_pcp_rule pcp_rule;
	struct memblock memblock;
	struct mm_flags_layout flags;
	uint64_t zone_flags_mask;    /* of page->flags, node and zone; see mm_zone.page_flags */
	struct mm_zone **zone_table; /* by these two, which are side by side */

	int nr_nodes; /* the kernel's nodes; discontig may make more than the machine has */
	bool ranges_are_nodes; /* discontig made nodes of the ranges of one */
	struct mm_node *nodes;
	uint8_t *distance; /* nr_nodes * nr_nodes */
	int nr_cpus;
	int *cpu_nid;
	phys_addr_t *percpu_at; /* by CPU: its per-CPU area */

	pfn_t end_pfn;                 /* past the last frame of memory */
	phys_addr_t hotplug_end;       /* as the configuration has it */
	struct mm_hotplug *hotplug;    /* NULL: this kernel has none, see hotplug.h */
	bool khugepaged;               /* it runs, and wants more min_free_kbytes */
	uint64_t user_min_free_kbytes; /* that somebody asked for; MM_PARAM_DEFAULT: nobody has */
	int movable_zone;              /* (C) as mm_movable_zone() said at boot */
	uint64_t total_pages;          /* see mm_total_pages() */
	bool always_grouped;           /* (C) as the configuration has it */
	bool ungrouped; /* page_group_by_mobility_disabled: so little memory that it does not pay */
	phys_addr_t bare_next; /* homes past the end of memory, where config->bare */
	struct mm_home *homes; /* by address */
	size_t nr_homes;
	bool reservations_complete;
	uint64_t min_free_kbytes;
	uint64_t free_at_init; /* pages; see mm_free_at_init() */
	struct mm_counters counters;
	uint64_t (*vm_events)[MM_NR_VM_EVENTS]; /* by CPU, and behind the last one of none */
	uint64_t percpu_used;   /* (C) of it, bytes by what has an offset from boot on */
	uint64_t stat_interval; /* seconds: sysctl vm.stat_interval */
	uint64_t allocstall[MM_MAX_ZONES], pgskip[MM_MAX_ZONES];
	struct mm_lru_batch *lru_batches;        /* by CPU */
	struct mm_vmstat_worker *vmstat_workers; /* by CPU */
	struct mm_kthread vmstat_shepherd;       /* who wakes them */
	uint64_t swap_pages, swap_free;          /* of the swap device; 0: none */
	struct mm_swap swap;
	struct mm_shrinker *shrinkers;    /* in the order in which they came */
	struct mm_directory *directories; /* whose dentries and inodes are cached; dcache.h */
	uint64_t *slab_pages_freed;       /* by CPU, since boot: what reclaim takes as its own */
	bool reclaim_outside;             /* see mm_set_reclaim_outside() */
	int interrupted_cpu; /* by mm_write_interrupt(), while that runs; else MM_NO_CPU */
	struct mm_hugetlb {
		struct mm_hstate sizes[MM_MAX_HUGE_SIZES]; /* smallest first */
		unsigned nr, by_default; /* sizes; which of them is meant where none is named */
		uint64_t at_boot;        /* huge pages that were taken before anybody counted */
		pfn_t *boot;             /* gigantic ones of memblock's, until they are gathered */
		uint64_t nr_boot;
	} hugetlb;
	struct mm_slab_state *slab;        /* NULL before mm_slab_start() */
	struct mm_boot_cache *boot_caches; /* of the kernel profile */
	unsigned nr_boot_caches;
	/* The area for devices: frames from `start` on, a bit each that is set where allocated. */
	struct mm_cma {
		pfn_t start;
		uint64_t pages; /* 0: there is none */
		uint64_t *bits;
	} cma;
	struct mm_warnings *warnings; /* of misuse; NULL: none yet */
	uint64_t nr_warnings;
	struct mm_vmalloc *vmalloc;
	struct mm_kmap *kmap;
	struct mm_khugepaged {
		struct mm_kthread thread;
		struct mm_space *space; /* where it goes on; NULL: with the first one */
		uint64_t at;            /* there, an address */
		uint64_t pages_collapsed, full_scans;
	} khugepaged_state;
	struct mm_commit {
		uint64_t memory, ratio, kbytes; /* vm.overcommit_* */
		uint64_t user_reserve_kbytes, admin_reserve_kbytes;
		uint64_t pages; /* see user_commit.c */
	} commit;
	uint64_t tmpfs_pages;         /* likewise */
	struct mm_user *user;         /* spaces and files; NULL: there has been none */
	struct mm_page_ext *page_ext; /* NULL: nobody asks for it */
	struct mm_oom_reports *oom;   /* of the first allocations that failed for good */
};

/*
 * Layout of the kernel's own structures in simulated memory, bytes. What matters is which fields
 * share a cache line; sizes are those of the reference captures (node descriptor and per-CPU unit
 * of mm_arch) and of Linux 6.1's struct zone and struct per_cpu_pages on a 64-bit kernel.
 */
#define MM_ZONE_STRIDE      1664 /* one zone within its node descriptor */
#define MM_ZONE_WATERMARKS  0    /* watermarks, lowmem_reserve: read by every allocation */
#define MM_ZONE_FREE_AREA   192  /* free_area[order] */
#define MM_FREE_AREA_STRIDE 104  /* 6 list heads and a count */
#define MM_ZONE_LOCK        1344 /* after free_area and flags */
#define MM_ZONE_VMSTAT      1472 /* vm_stat[]: the free page count among them */
#define MM_NODE_ZONELISTS   8320 /* behind MM_MAX zones of a node */
#define MM_ZONEREF_BYTES    16
#define MM_NODE_LRU_END     256 /* struct lruvec is so far from the end of the node descriptor */
#define MM_NODE_LRU_LISTS   16  /* in it, behind the lock */
#define MM_NODE_VMSTAT_END  640 /* vm_stat[] is so far from that end */
#define MM_PCP_STRIDE       256 /* struct per_cpu_pages: 13 list heads and the counts */
#define MM_PCP_COUNTS       0
#define MM_PCP_LISTS        32
#define MM_PCP_ZONESTAT     240 /* this CPU's share of the zone's counters */
#define MM_NODESTAT_STRIDE  64  /* struct per_cpu_nodestat: a byte a counter, and the threshold */

/** Does anybody charge for what is done? Where a step has several charges, they hang on this. */
static inline bool mm_is_watched(const struct mm *mm)
{
	return UNLIKELY(mm->watched);
}

static inline void mm_work(struct mm *mm, int cpu, enum mm_site site, uint32_t nr)
{
	if (mm_is_watched(mm) && mm->ops.work && cpu != MM_NO_CPU)
		mm->ops.work(mm->ctx, cpu, site, nr);
}

static inline void mm_touch(struct mm *mm, int cpu, phys_addr_t at, uint64_t bytes,
			    enum mm_access kind)
{
	if (mm_is_watched(mm) && mm->ops.access && cpu != MM_NO_CPU)
		mm->ops.access(mm->ctx, cpu, at, bytes, kind);
}

/** Memory that the kernel has mapped elsewhere than in its direct mapping, too: at `address`. */
static inline void mm_touch_mapped(struct mm *mm, int cpu, uint64_t address, phys_addr_t at,
				   uint64_t bytes, enum mm_access kind)
{
	if (mm_is_watched(mm) && mm->ops.access_by && cpu != MM_NO_CPU)
		mm->ops.access_by(mm->ctx, cpu, address, at, bytes, kind);
	else
		mm_touch(mm, cpu, at, bytes, kind);
}

/** Descriptors of `nr` frames from that of `page` on, that lie together, are read or written. */
static inline void mm_touch_descriptors(struct mm *mm, int cpu, const struct page *page,
					uint64_t nr, enum mm_access kind)
{
	uint64_t bytes = nr * mm->arch->page_struct_bytes, address;
	phys_addr_t at = mm->model->descriptor_at(mm, page, &address);

	if (address)
		mm_touch_mapped(mm, cpu, address, at, bytes, kind);
	else
		mm_touch(mm, cpu, at, bytes, kind);
}

/** The descriptor itself is read or written. */
static inline void mm_touch_page(struct mm *mm, int cpu, const struct page *page,
				 enum mm_access kind)
{
	if (mm_is_watched(mm) && mm->ops.access && cpu != MM_NO_CPU)
		mm_touch_descriptors(mm, cpu, page, 1, kind);
}

/** The descriptors of `nr` frames from that of `page` on, in the order in which they lie. */
void mm_touch_pages(struct mm *mm, int cpu, const struct page *page, uint64_t nr,
		    enum mm_access kind);

/** What TLBs have of it holds no longer; what the flush costs is charged apart. */
static inline void mm_forget(struct mm *mm, int cpu, const struct mm_forget *what)
{
	if (mm->ops.forget)
		mm->ops.forget(mm->ctx, cpu, what);
}

/** `nr` more events, for `cpu`. The line is its own: the cycles of who counts have it. */
static inline void mm_count(struct mm *mm, int cpu, enum mm_vm_event what, uint64_t nr)
{
	mm->vm_events[cpu == MM_NO_CPU ? mm->nr_cpus : cpu][what] += nr;
}

/** Others may run here. Returns the CPU that the caller goes on with. */
static inline int mm_resched(struct mm *mm, int cpu)
{
	return mm->ops.resched && cpu != MM_NO_CPU ? mm->ops.resched(mm->ctx, cpu) : cpu;
}

/** Does anybody want to know of such events? */
static inline bool mm_tells(const struct mm *mm, enum mm_event_type type)
{
	_Static_assert(MM_NR_EVENT_TYPES <= 32, "mm.told has a bit for each");
	return UNLIKELY(mm->told >> type & 1) && mm->ops.event;
}

/** A tracepoint as it is. */
static inline void mm_emit(struct mm *mm, int cpu, const struct mm_event *ev)
{
	if (cpu == MM_NO_CPU)
		cpu = mm->interrupted_cpu;
	if (mm_tells(mm, ev->type) && cpu != MM_NO_CPU)
		mm->ops.event(mm->ctx, cpu, ev);
}

/** vmstat.c: managed pages of all zones, as they are now. */
uint64_t mm_managed_pages(const struct mm *mm);
/* vmstat.c: mm_emit_block() where somebody listens. */
void mm_tell_block(struct mm *mm, int cpu, enum mm_event_type type, const struct page *page,
		   gfp_t gfp);
/**
 * A tracepoint about a block: frame, node, zone, order and migratetype are those of its
 * descriptor. `gfp` is of the request, 0 where there is none.
 */
static inline void mm_emit_block(struct mm *mm, int cpu, enum mm_event_type type,
				 const struct page *page, gfp_t gfp)
{
	if (mm_tells(mm, type) && cpu != MM_NO_CPU)
		mm_tell_block(mm, cpu, type, page, gfp);
}

/* lock.c */
/** Take any other lock of the mm core. Other CPUs may run before it returns, and after leaving it.
 */
void mm_take_lock(struct mm *mm, int cpu, struct mm_lock *lock);
void mm_leave_lock(struct mm *mm, int cpu, struct mm_lock *lock);
/**
 * Drop translations of [start, end) of the kernel's addresses on all CPUs: page by page, or where
 * that takes longer, everything (x86 flush_tlb_kernel_range()).
 */
void mm_flush_kernel(struct mm *mm, int cpu, uint64_t start, uint64_t end);

/** Take a zone's lock. Other CPUs may run before it returns: read the zone again. */
void mm_zone_lock(struct mm *mm, int cpu, struct mm_zone *zone);
void mm_zone_unlock(struct mm *mm, int cpu, struct mm_zone *zone);

static inline bool mm_zone_populated(const struct mm_zone *zone)
{
	return zone->present > 0;
}

/** Does the zone hold no kernel data: HighMem, and Movable where it is cut from HighMem? */
static inline bool mm_is_highmem(const struct mm *mm, const struct mm_zone *zone)
{
	enum mm_zone_type type = mm->arch->zones[zone->index].type;

	return type == MM_ZONE_HIGHMEM ||
	       (type == MM_ZONE_MOVABLE &&
		mm->arch->zones[mm->movable_zone].type == MM_ZONE_HIGHMEM);
}

/* page_flags.c */
/** The zone of a page by its frame; NULL where no zone spans it. */
struct mm_zone *mm_page_zone_by_pfn(const struct mm *mm, const struct page *page);
/** The zone of a page, from its flags where it is initialised. */
static inline struct mm_zone *mm_page_zone(const struct mm *mm, const struct page *page)
{
	if (!(page->flags & PG_INIT))
		return mm_page_zone_by_pfn(mm, page);
	return mm->zone_table[(page->flags & mm->zone_flags_mask) >> mm->flags.zone_shift];
}

static inline pfn_t mm_pfn_of(struct mm *mm, const struct page *page)
{
	if (mm->descriptors)
		return mm->first_described + (pfn_t)(page - mm->descriptors);
	return mm->model->page_to_pfn(mm, MM_NO_CPU, page);
}

/** The zone of a frame of memory, by its number; NULL where no zone spans it. */
struct mm_zone *mm_zone_of_pfn(const struct mm *mm, pfn_t pfn);

/* boot.c */
/** Fill *refusal. Returns -EINVAL. */
int mm_refuse(struct mm_refusal *refusal, enum mm_subject about, size_t index, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* memory.c */
/** Memory into memblock. Returns 0, -ENOMEM, or -EINVAL with *r filled. */
int mm_memory_init(struct mm *mm, const struct mm_config *c, struct mm_refusal *r);

/**
 * What is of a node that anything is reserved on cannot be unplugged, whatever firmware says. 0 or
 * -ENOMEM.
 */
int mm_keep_kernel_nodes(struct mm *mm, const struct mm_config *c);

/* nodes.c */
/** Make the nodes, and give memory and CPUs to them. The same errors. */
int mm_nodes_init(struct mm *mm, const struct mm_config *c, struct mm_refusal *r);

/* release.c: each returns 0, -ENOMEM, or -EINVAL with *r filled. */
/** All that memblock does not hold, or as much as the presets say, to the buddy lists. */
int mm_release_memory(struct mm *mm, const struct mm_config *c, struct mm_refusal *r);
/** Give back what comes late: either what comes before the initcalls or what comes after them. */
int mm_release_late(struct mm *mm, const struct mm_config *c, bool before_initcalls,
		    struct mm_refusal *r);
/** The descriptors that boot placed there are no longer needed: what RAM they took is free. */
void mm_release_memmap(struct mm *mm, phys_addr_t start, uint64_t bytes);
/** Take pages from the buddy lists that are in use since before the start. */
int mm_hold_memory(struct mm *mm, const struct mm_config *c, struct mm_refusal *r);

/* home.c */
/** Where something of the kernel's image is, at no cost of memory; shares its addresses. */
phys_addr_t mm_image_home(struct mm *mm, uint64_t bytes, uint64_t align);
/** What the kernel can reach without a mapping: with high memory, only what is below it. */
phys_addr_t mm_direct_limit(const struct mm *mm);
/** Where the lowest zone ends: what all devices reach. */
phys_addr_t mm_dma_limit(const struct mm *mm);
/** Find what the reserved ranges hold. Returns 0 or -ENOMEM; free mm->homes. */
int mm_homes_init(struct mm *mm, const struct mm_config *c);
/** Does any reserved range say that it holds that? */
bool mm_has_home(const struct mm *mm, enum mm_holds what);

/* percpu.c */
/** Homes for the CPUs' areas and the zones' places in them. 0, -ENOMEM, -EINVAL with *r filled. */
int mm_percpu_init(struct mm *mm, struct mm_refusal *r);

/* page_flags.c */
int mm_flags_init(struct mm *mm); /* 0 or -ENOMEM */
/** What page->flags of a frame says of its section. */
uint64_t mm_section_flags(const struct mm *mm, pfn_t pfn);
/** Initialise a descriptor: node, zone, section. Idempotent. */
static inline void mm_page_init(struct mm *mm, struct page *page, pfn_t pfn,
				const struct mm_zone *zone)
{
	if (page->flags & PG_INIT)
		return;
	page->flags = PG_INIT | zone->page_flags;
	if (mm->flags.section_width)
		page->flags |= mm_section_flags(mm, pfn);
}
unsigned mm_page_section(const struct mm *mm, const struct page *page);

/* profile.c */
/** calc_memmap_size(): what the kernel takes a zone's descriptors to need, of present pages only
 * where sparse memory has large holes. */
uint64_t mm_memmap_pages(const struct mm *mm, const struct mm_zone *zone);
/** Before the kernel knows of nodes: what it takes so early. */
void mm_take_early(struct mm *mm, const struct mm_config *c);
/** At boot: take from memblock what the profile of `c` says. 0; -EINVAL fills *r. */
int mm_take_by_profile(struct mm *mm, const struct mm_config *c, struct mm_refusal *r);

/* zones.c */
/**
 * Does the zone take memory of these flags (enum memblock_flags) in its span? With
 * kernelcore=mirror the spans of Normal and Movable overlap, and mirrored memory is the former's.
 */
bool mm_zone_takes(const struct mm *mm, const struct mm_zone *zone, unsigned flags);
int mm_zones_init(struct mm *mm);
/** Index of the highest zone by address that has any memory: ZONE_MOVABLE is cut from it. */
int mm_movable_zone(const struct mm *mm);

/* grouping.c: is there memory enough to group pages by mobility? */
/** At boot, when zones are known and the kernel's structures have no place yet. */
void mm_grouping_init(struct mm *mm);
/** Whenever zonelists are built again. */
void mm_grouping_renew(struct mm *mm);
/** The mobility that a request has here: the one that its flags ask for, if there are any. */
static inline enum mm_migratetype mm_request_type(const struct mm *mm, gfp_t gfp)
{
	return UNLIKELY(mm->ungrouped) ? MM_UNMOVABLE : gfp_migratetype(gfp);
}

/* zonelist.c */
int mm_zonelists_init(struct mm *mm);
/** Once CPUs run: for the nodes and zones that have memory now. 0 or -ENOMEM. */
int mm_zonelists_rebuild(struct mm *mm);

/* watermark.c */
/** At boot: min_free_kbytes, watermarks, lowmem_reserve. */
void mm_watermarks_init(struct mm *mm);
/**
 * Then khugepaged starts, unless the machine has less than 512 MiB, and raises them, by what is
 * managed then.
 */
void mm_khugepaged_watermarks(struct mm *mm);
/* The same again later, from what is managed then. */
/** Watermarks from min_free_kbytes, and the per-CPU lists that follow from them. */
void mm_watermarks_setup(struct mm *mm);
void mm_lowmem_reserve_setup(struct mm *mm);
/** All of it, after memory went on- or offline: init_per_zone_wmark_min(). */
void mm_watermarks_renew(struct mm *mm);
/** vm.*_reserve_kbytes by what mm_free_at_init() says: at boot, and when memory has come. */
void mm_commit_init(struct mm *mm);
void mm_commit_renew(struct mm *mm);
/** vm.overcommit_ratio, or _kbytes, was written: the other one does not count any more. */
void mm_commit_ratio_written(struct mm *mm);
void mm_commit_kbytes_written(struct mm *mm);
/** What is free now is what mm_free_at_init() says from now on. */
void mm_note_free(struct mm *mm);
/** min_free_kbytes was written: it is what somebody wants. */
void mm_min_free_written(struct mm *mm);
/** Sizes of per-CPU lists, from the watermarks. */
void mm_pcp_sizes_setup(struct mm *mm);

#define ALLOC_WMARK_MASK    0x3u /* an enum mm_wmark */
#define ALLOC_NO_WATERMARKS 0x4u
#define ALLOC_HARDER        0x10u  /* a quarter less of min, and highatomic page blocks */
#define ALLOC_HIGH          0x20u  /* half of min */
#define ALLOC_CMA           0x80u  /* may use CMA page blocks */
#define ALLOC_NOFRAGMENT    0x100u /* rather another zone than part of another's page block */
#define ALLOC_COLD          0x400u /* rather a page that is in no cache */
#define ALLOC_KSWAPD        0x800u /* may wake kswapd */

/** A watermark in force: with the boost on top. */
static inline uint64_t mm_wmark(const struct mm_zone *zone, enum mm_wmark mark)
{
	return zone->wmark[mark] + zone->boost;
}

/** Free pages in CMA page blocks, as the counter says. */
static inline uint64_t mm_zone_free_cma(const struct mm_zone *zone)
{
	int64_t pages = zone->vm_stat[MM_ZS_FREE_CMA];

	return pages < 0 ? 0 : (uint64_t)pages;
}

/** Has the zone a free block of that order or a larger one, which the request may have? */
bool mm_zone_has_block(const struct mm_zone *zone, unsigned order, unsigned alloc_flags);

/* buddy.c: the caller holds the zone lock, or is the boot. */
/** The block that is taken next from one list; NULL where it is empty. */
struct page *mm_buddy_first(struct mm *mm, struct mm_zone *zone, unsigned order,
			    enum mm_migratetype type);
/** Take one block off the lists of that mobility; NULL where none is large enough. */
struct page *mm_buddy_take(struct mm *mm, int cpu, struct mm_zone *zone, unsigned order,
			   enum mm_migratetype type);
/** A free block to the tail of the list of another mobility. */
void mm_buddy_move(struct mm *mm, int cpu, struct mm_zone *zone, struct page *page,
		   enum mm_migratetype type);
/** This very block off its list, which it is on with a descriptor of its own. */
void mm_buddy_pull(struct mm *mm, int cpu, struct mm_zone *zone, struct page *page);
/** Is the frame in a block that is free since boot, without a descriptor? Its end; else 0. */
pfn_t mm_pristine_end(const struct mm_zone *zone, pfn_t pfn);
/** A free block on the list of that mobility, as it is: nothing merges. */
void mm_buddy_add(struct mm *mm, int cpu, struct mm_zone *zone, struct page *page, pfn_t pfn,
		  unsigned order, enum mm_migratetype type);
/**
 * Blocks that are free since boot, and touch frames [start, end), are on a list with a descriptor
 * of their own from now on. Returns 0 or -ENOMEM.
 */
int mm_buddy_unfold(struct mm *mm, struct mm_zone *zone, pfn_t start, pfn_t end);
/**
 * Give one block back to the lists of that mobility, merging. `page` is in no place (see page.h).
 */
void mm_buddy_give(struct mm *mm, int cpu, struct mm_zone *zone, struct page *page, pfn_t pfn,
		   unsigned order, enum mm_migratetype type);
/**
 * At boot: free frames [start, end) of one zone, in blocks as large as fit, to the list tails.
 * Ranges come in ascending order. Returns 0 or -ENOMEM.
 */
int mm_buddy_release(struct mm *mm, struct mm_zone *zone, pfn_t start, pfn_t end);
/** The same while the kernel runs, in any order. The caller has the zone lock. */
int mm_buddy_release_more(struct mm *mm, struct mm_zone *zone, pfn_t start, pfn_t end);
/** At the start: a free block to the tail of its list, as it is. Its frames are in no place. */
void mm_buddy_put(struct mm *mm, struct mm_zone *zone, pfn_t pfn, unsigned order,
		  enum mm_migratetype type);

/* fallback.c: the same caller. */
/**
 * Take one block of that mobility; where it has none, from another mobility's, whose page block
 * may change sides with it. NULL where the zone has none that is large enough and allowed.
 */
struct page *mm_rmqueue(struct mm *mm, int cpu, struct mm_zone *zone, unsigned order,
			enum mm_migratetype type, unsigned alloc_flags);
/** Set the page block of a page apart for allocations of several pages that cannot wait. */
void mm_reserve_highatomic(struct mm *mm, int cpu, struct mm_zone *zone, const struct page *page);
/**
 * Give one highatomic page block of the zone to `type`; the last one only with `force`. Returns
 * whether pages became free for that type.
 */
bool mm_unreserve_highatomic(struct mm *mm, int cpu, struct mm_zone *zone, enum mm_migratetype type,
			     bool force);

/**
 * What is free in the page block around `pfn` goes to the lists of `type`, if the zone has all of
 * the block. Returns how many pages.
 */
uint64_t mm_move_free_pages(struct mm *mm, int cpu, struct mm_zone *zone, struct page *page,
			    pfn_t pfn, enum mm_migratetype type);
/** Which mobility `type` would take whole free blocks of that order from; -1: none that has any. */
int mm_stealable_type(struct mm *mm, struct mm_zone *zone, unsigned order,
		      enum mm_migratetype type);

/* For each zone of each node, empty ones too. */
#define for_each_zone(mm, zone)                                                                    \
	for (int n_ = 0; n_ < (mm)->nr_nodes; n_++)                                                \
		for (struct mm_zone *zone = (mm)->nodes[n_].zones;                                 \
		     zone < (mm)->nodes[n_].zones + (mm)->arch->nr_zones; zone++)

/** Bits up to the highest that is set; 0 of 0. */
static inline unsigned fls64(uint64_t x)
{
	return x ? 64u - (unsigned)__builtin_clzll(x) : 0;
}

/* pcp.c: on the CPU's own lists. */
/** The kind of that name, or NULL. */
const struct mm_pcp_kind *mm_pcp_kind(const char *name);
/** Are there per-CPU lists of this order? */
static inline bool mm_pcp_holds(const struct mm *mm, unsigned order)
{
	return mm->pcp_orders >> order & 1;
}
/** The order of the blocks on one of the lists. */
unsigned mm_pcp_list_order(const struct mm *mm, unsigned list);
/**
 * All that is on all CPUs' lists goes back to the zones, as drain_all_pages() does: on `cpu`, which
 * may take others' lists while they are in no edit of theirs.
 */
void mm_pcp_drain_all(struct mm *mm, int cpu);
/** A batch of whatever is on the CPU's lists of the zone goes back to it. */
void mm_pcp_shrink(struct mm *mm, int cpu, struct mm_zone *zone);
/** The same for one zone only. */
void mm_pcp_drain_zone(struct mm *mm, int cpu, struct mm_zone *zone);
/** What is on the CPU's own lists of the zone. */
void mm_pcp_drain_own(struct mm *mm, int cpu, struct mm_zone *zone);

/* page_alloc.c */
/**
 * A block in use becomes blocks of that order: each with one reference and what the whole one was;
 * they are in front of it on its LRU list, if it is on one (the caller has the lock). No time
 * passes.
 */
void mm_make_parts(struct mm *mm, int cpu, struct page *page, unsigned order);
/** Free a block that is in no place any more, its reference included. Simulated time may pass. */
void mm_free_block(struct mm *mm, int cpu, struct page *page, unsigned order);
/** Give up a reference; the last one frees the block. Simulated time may pass. */
void mm_put_page(struct mm *mm, int cpu, struct page *page);
/**
 * The owner gives up a block in use, at once and before anybody else runs. Returns whether nobody
 * else has a reference: mm_free_dropped() is the caller's to call then, when it likes.
 */
bool mm_drop_page(struct mm *mm, struct page *page);
void mm_free_dropped(struct mm *mm, int cpu, struct page *page);
/** The same as mm_put_page() of a page that the CPU has not looked into of late. */
void mm_put_cold_page(struct mm *mm, int cpu, struct page *page);
/** Of all pages of a list, from the tail on, which nobody else has a reference to. */
void mm_free_list(struct mm *mm, int cpu, struct page_list *pages);
/** mm_free_dropped() of several pages, the last one first, as release_pages() lists them. */
void mm_free_gathered(struct mm *mm, int cpu, struct page *const *pages, unsigned nr);

/* slab_boot.c */
int mm_slab_copy_profile(struct mm *mm, const struct mm_profile *profile); /* 0 or -ENOMEM */
void mm_slab_end(struct mm *mm);

/* oom.c */
void mm_oom_free(struct mm *mm);

/* kswapd.c */
void mm_kswapd_init(struct mm *mm);
/** Wake the zone's node's kswapd, if there is anything for it to do. */
void mm_wake_kswapd(struct mm *mm, int cpu, struct mm_zone *zone, gfp_t gfp, unsigned order,
		    int highest);

/* kcompactd.c */
void mm_kcompactd_init(struct mm *mm);
/** After it is said who reclaims. */
void mm_kcompactd_setup(struct mm *mm);
/** After compaction_proactiveness was written: unless it is 0, all look at once. */
void mm_kcompactd_written(struct mm *mm);

/* With discontig on a UMA machine several nodes are one, and no kernel counts there. */
static inline bool mm_counts_as(const struct mm *mm, int a, int b)
{
	return a == b || mm->ranges_are_nodes;
}

/**
 * Count an allocation as Linux's zone_statistics() does: numa_hit and numa_miss compare with the
 * node that was wanted, local and other with the node of the CPU.
 */
static inline void mm_zone_statistics(struct mm *mm, int cpu, struct mm_zone *preferred,
				      struct mm_zone *zone)
{
	uint64_t *events = zone->pcp[cpu].numa;

	if (zone == preferred || mm_counts_as(mm, zone->nid, preferred->nid)) {
		events[MM_NUMA_HIT]++;
	} else {
		events[MM_NUMA_MISS]++;
		preferred->pcp[cpu].numa[MM_NUMA_FOREIGN]++;
	}
	events[mm_counts_as(mm, zone->nid, mm->cpu_nid[cpu]) ? MM_NUMA_LOCAL : MM_NUMA_OTHER]++;
	mm_touch(mm, cpu, mm->percpu_at[cpu] + zone->pcp_offset + MM_PCP_ZONESTAT, 8, MM_WRITE);
}

/**
 * The head of the block in use that the frame is in, whose frame *pfn becomes; the frame's own
 * descriptor where it is in none. Costs nothing.
 */
const struct page *mm_block_in_use(const struct mm *mm, pfn_t *pfn);

#endif
