/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seam between what memory management does and what it costs.
 *
 * The mm core knows no time. Each thing it does is told through this header: work at a site, an
 * access to a simulated physical address, taking and leaving a lock, a tracepoint. A sink (the
 * cost sink of the simulator, a recorder in tests) decides what that means. A null sink is an
 * mm_ops of NULL pointers: every member may be NULL, and is then skipped.
 *
 * Preconditions and locking
 * - Calls come in the order in which the CPU does things. `cpu` is the CPU doing it.
 * - An access belongs to the site of the last work() of that CPU: each step opens with work().
 * - work(), access() and event() return without another CPU having run. lock() may not: other
 *   CPUs may run, and change the mm core, before it returns. So whatever was read before lock()
 *   is read again after it. unlock() may let other CPUs run too, after it released the lock.
 * - The mm core charges after an edit, never in the middle of one: at each call here every data
 *   structure that the caller does not hold a lock on is whole.
 * - Re-entrancy: a sink must not call into the mm core. resched() and sleep() let other CPUs and
 *   threads run, which may.
 * - A per-CPU list is edited by its own CPU only, with no lock.
 */
#ifndef MM_OPS_H
#define MM_OPS_H

#include "mm/types.h"

/*
 * Steps of the mm core that cost CPU cycles. X(enumerator, name in configs/costs, what one unit is)
 */
#define MM_SITES(X)                                                                                \
	X(ALLOC_ENTRY, "alloc_entry", "one allocation request prepared: flags, zonelist, zone")    \
	X(ZONE_CHECK, "zone_check", "one zone's watermark looked at")                              \
	X(SLOW_PATH, "slow_path", "one entry into the slow path")                                  \
	X(PCP_ALLOC, "pcp_alloc", "one page taken from a per-CPU list")                            \
	X(PCP_FREE, "pcp_free", "one page put on a per-CPU list")                                  \
	X(RMQUEUE, "rmqueue", "one block taken from the buddy lists")                              \
	X(SPLIT, "split", "one block split in two")                                                \
	X(FALLBACK, "fallback", "one search for a block of another mobility")                      \
	X(BLOCK_SCAN, "block_scan", "one page of a page block looked at")                          \
	X(BUDDY_FREE, "buddy_free", "one block put on the buddy lists")                            \
	X(MERGE, "merge", "one merge with the buddy")                                              \
	X(PREP_PAGE, "prep_page", "one block made ready for its user")                             \
	X(ZERO, "zero", "one page zeroed, besides its memory traffic")                             \
	X(FREE_ENTRY, "free_entry", "one free request prepared")                                   \
	X(PFN_TO_PAGE, "pfn_to_page", "one pfn turned into its page descriptor")                   \
	X(PAGE_TO_PFN, "page_to_pfn", "one page descriptor turned into its pfn")                   \
	X(LRU_ADD, "lru_add", "one page put on an LRU list")                                       \
	X(LRU_DEL, "lru_del", "one page taken off its LRU list by who frees it")                   \
	X(LRU_SCAN, "lru_scan", "one page at the tail of an LRU list looked at, and taken off")    \
	X(SHRINK_NODE, "shrink_node", "one pass of reclaim over a node, pages apart")              \
	X(RECLAIM_PAGE, "reclaim_page", "one page decided upon: kept, written or given up")        \
	X(IO_SUBMIT, "io_submit", "one page handed to a disk")                                     \
	X(IO_DONE, "io_done", "the interrupt by which a disk says that a page is written or read") \
	X(THREAD_SWITCH, "thread_switch", "one thread of the kernel brought to run on a CPU")      \
	X(COMPACT_SCAN, "compact_scan", "one page looked at by a scanner of compaction")           \
	X(ISOLATE, "isolate", "one block taken off its list, to be moved or to be moved to")       \
	X(MIGRATE, "migrate", "one page unmapped and its copy mapped, the copying apart")          \
	X(COPY, "copy", "one page copied, besides its memory traffic")                             \
	X(TLB_FLUSH, "tlb_flush", "one page's translation dropped by the CPU that unmaps it")      \
	X(TLB_IPI, "tlb_ipi", "one other CPU told to drop it, and waited for")                     \
	X(TLB_ANSWER, "tlb_answer", "the interrupt on the CPU that is told")                       \
	X(SLAB_ALLOC, "slab_alloc", "one object taken from the list that the CPU has at hand")     \
	X(SLAB_FREE, "slab_free", "one object put back there")                                     \
	X(SLAB_SLOW, "slab_slow", "one entry into the slow path of a slab's alloc or free")        \
	X(SLAB_PARTIAL, "slab_partial", "one slab put on, or taken off, a node's partial list")    \
	X(SLAB_NEW, "slab_new", "one slab made or given up, its pages apart")                      \
	X(SLAB_OBJECT, "slab_object", "one object of a new slab linked to the next")               \
	X(SLAB_CHECK, "slab_check", "one object looked at or filled by slub_debug")                \
	X(MEMMAP_INIT, "memmap_init", "one page descriptor initialised")                           \
	X(TLB_FLUSH_ALL, "tlb_flush_all", "all translations of a CPU dropped")                     \
	X(VMAP_STEP, "vmap_step", "one area of an address tree looked at")                         \
	X(VMAP_AREA, "vmap_area", "one virtual area made or given up, trees and tables apart")     \
	X(PTE, "pte", "one page table entry of the kernel written or cleared")                     \
	X(PTE_WALK, "pte_walk", "one level of the kernel's page tables gone down")                 \
	X(KMAP, "kmap", "one page mapped or unmapped in the window of kmap, the search apart")     \
	X(KMAP_SCAN, "kmap_scan", "one entry of that window looked at")                            \
	X(KMAP_SLOT, "kmap_slot", "one slot of a CPU's fixed mappings taken or given back")        \
	X(PAGE_ADDRESS, "page_address", "where the kernel has a page mapped found out")            \
	X(MEMBLOCK, "memblock", "one range of the boot-time allocator looked at")                  \
	X(CPU_UP, "cpu_up", "one more CPU brought up at boot")                                     \
	X(SYSCALL, "syscall", "one system call entered and left")                                  \
	X(FAULT, "fault", "one page fault entered, its range found, and left")                     \
	X(VMA, "vma", "one range of a process made, cut, changed or given up")                     \
	X(TASK, "task", "one process made or ended, its memory apart")                             \
	X(LOCK, "lock", "one uncontended lock and unlock")                                         \
	X(VMSTAT, "vmstat", "one CPU's counters looked through and passed on")                     \
	X(TOUCH, "touch", "one access of a workload to its memory")

enum mm_site {
#define X(id, name, what) MM_SITE_##id,
	MM_SITES(X)
#undef X
		MM_NR_SITES
};

/** The name of a site in configs/costs and in reports; static storage. */
const char *mm_site_name(enum mm_site site);

enum mm_access {
	MM_READ,
	MM_PREFETCH,  /* read before it is wanted: nothing waits for the line to be there */
	MM_WRITE,     /* read, and written */
	MM_STORE,     /* written without being looked at: nothing waits for the line to be there */
	MM_ZERO,      /* a whole block is cleared: streams past the caches */
	MM_COPY_FROM, /* a whole block is read to be copied, which streams past the caches too */
	MM_COPY_TO,   /* and is written */
};

/* Where the content of a page is kept when it is not in memory. */
enum mm_store {
	MM_STORE_SWAP,
	MM_STORE_FILE,
};

struct mm;
struct mm_kthread;
struct mm_read;
struct mm_space;
struct page;

/* Addresses whose translations hold no longer. */
struct mm_forget {
	const struct mm_space *space; /* whose; NULL: the kernel's */
	uint64_t start, end; /* 0 and UINT64_MAX: all, of other spaces too if the kernel's */
	bool own;            /* only the CPU's own TLB */
};

/* Locks of the mm core by what they protect. X(enumerator, name in /proc/lock_stat) */
#define MM_LOCKS(X)                                                                                \
	X(ZONE, "zone->lock")                                                                      \
	X(LRU, "lruvec->lru_lock")                                                                 \
	X(SLAB_LIST, "n->list_lock")                                                               \
	X(VMAP_FREE, "free_vmap_area_lock")                                                        \
	X(VMAP_USED, "vmap_area_lock")                                                             \
	X(VMAP_LAZY, "purge_vmap_area_lock")                                                       \
	X(VMAP_PURGE, "vmap_purge_lock")                                                           \
	X(PAGE_TABLE, "init_mm.page_table_lock")                                                   \
	X(KMAP, "kmap_lock")                                                                       \
	X(HOTPLUG, "mem_hotplug_lock")

enum mm_lock_kind {
#define X(id, name) MM_LOCK_##id,
	MM_LOCKS(X)
#undef X
		MM_NR_LOCK_KINDS
};

/** Static storage. */
const char *mm_lock_name(enum mm_lock_kind kind);

/* A lock of the mm core. The mm core owns it; `sink` is the sink's to use, NULL at first. */
struct mm_lock {
	enum mm_lock_kind kind; /* (C) */
	phys_addr_t at;         /* (C) where the lock word is in simulated memory */
	int holder;             /* CPU that holds it, MM_NO_CPU when free; kept by the mm core */
	void *sink;
	void *waiters; /* of the sink, too: the first of those who wait for it */
};

/* Where those sleep who wait for something of the mm core. The mm core owns it. */
struct mm_waitq {
	unsigned nr_waiting;
	uint64_t nr_wakes; /* who saw it lower has been woken since */
};

enum mm_event_type {
	MM_EVENT_PAGE_ALLOC,   /* as kmem:mm_page_alloc; page NULL where the allocation failed */
	MM_EVENT_PAGE_FREE,    /* as kmem:mm_page_free */
	MM_EVENT_FREE_BATCHED, /* as kmem:mm_page_free_batched: after PAGE_FREE, of pages of a list
				*/
	MM_EVENT_ALLOC_ZONE_LOCKED, /* as kmem:mm_page_alloc_zone_locked */
	MM_EVENT_PCPU_DRAIN,        /* as kmem:mm_page_pcpu_drain */
	MM_EVENT_EXTFRAG,           /* as kmem:mm_page_alloc_extfrag */
	MM_EVENT_WAKE_KSWAPD,       /* as vmscan:mm_vmscan_wakeup_kswapd */
	MM_EVENT_KSWAPD_WAKE,       /* as vmscan:mm_vmscan_kswapd_wake */
	MM_EVENT_KSWAPD_SLEEP,      /* as vmscan:mm_vmscan_kswapd_sleep */
	MM_EVENT_DIRECT_BEGIN,      /* as vmscan:mm_vmscan_direct_reclaim_begin */
	MM_EVENT_DIRECT_END,        /* as vmscan:mm_vmscan_direct_reclaim_end */
	MM_EVENT_NODE_BEGIN,        /* as vmscan:mm_vmscan_node_reclaim_begin */
	MM_EVENT_NODE_END,          /* as vmscan:mm_vmscan_node_reclaim_end */
	MM_EVENT_LRU_ISOLATE,       /* as vmscan:mm_vmscan_lru_isolate */
	MM_EVENT_SHRINK_INACTIVE,   /* as vmscan:mm_vmscan_lru_shrink_inactive */
	MM_EVENT_SHRINK_ACTIVE,     /* as vmscan:mm_vmscan_lru_shrink_active */
	MM_EVENT_WRITEPAGE,         /* as vmscan:mm_vmscan_write_folio */
	MM_EVENT_THROTTLED,         /* as vmscan:mm_vmscan_throttled */
	MM_EVENT_COMPACT_BEGIN,     /* as compaction:mm_compaction_begin */
	MM_EVENT_COMPACT_END,       /* as compaction:mm_compaction_end */
	MM_EVENT_MIGRATE,           /* as migrate:mm_migrate_pages */
	MM_EVENT_KMALLOC,           /* as kmem:kmalloc */
	MM_EVENT_KFREE,             /* as kmem:kfree */
	MM_EVENT_CACHE_ALLOC,       /* as kmem:kmem_cache_alloc */
	MM_EVENT_CACHE_FREE,        /* as kmem:kmem_cache_free */
	MM_EVENT_CMA_START,         /* as cma:cma_alloc_start */
	MM_EVENT_CMA_BUSY_RETRY,    /* as cma:cma_alloc_busy_retry */
	MM_EVENT_CMA_FINISH,        /* as cma:cma_alloc_finish; page NULL where it failed */
	MM_EVENT_CMA_RELEASE,       /* as cma:cma_release */
	MM_NR_EVENT_TYPES
};
#define MM_ALL_EVENTS UINT32_MAX /* types of events, a bit each */

/* Why reclaim sleeps. */
enum mm_throttle {
	MM_THROTTLE_WRITEBACK,
	MM_THROTTLE_ISOLATED,
	MM_THROTTLE_NOPROGRESS,
	MM_THROTTLE_CONGESTED,
};
#define MM_NR_THROTTLES (MM_THROTTLE_CONGESTED + 1)

/* What the events of reclaim tell, as far as each has it. Pages. */
struct mm_event_scan {
	enum mm_lru lru;
	unsigned priority;
	uint64_t requested, scanned, skipped, taken, reclaimed;
	uint64_t dirty, writeback, congested, immediate, ref_keep;
	uint64_t activated[2]; /* anonymous, file */
	uint64_t deactivated, referenced;
	enum mm_throttle throttle;
	uint64_t timeout_us, delayed_us; /* THROTTLED: how long at most, and how long it was */
};

/* Frames between which a zone is compacted, and how that ended. */
struct mm_event_compact {
	pfn_t zone_start, migrate_pfn, free_pfn, zone_end;
	bool sync;
	int result; /* COMPACT_END: an enum mm_compact_result */
};

/* A list of pages that was moved: the kernel counts huge ones apart. */
struct mm_event_migrate {
	uint64_t succeeded, failed, thp_succeeded, thp_failed;
	int mode, reason; /* enum mm_migrate_mode, enum mm_migrate_reason */
};

/* A slab object; of a free only where it is and, of CACHE_FREE, the cache. */
struct mm_event_object {
	uint64_t address;   /* the kernel's; 0: the allocation failed */
	uint64_t req, room; /* bytes that were asked for, and that it takes */
	const char *cache;  /* NULL: kmalloc's */
	bool accounted;     /* to a memory control group, where there is one */
};

/* Frames of the CMA area; `page` and `pfn` are of the first, where there is one. */
struct mm_event_cma {
	uint64_t nr;
	unsigned align; /* log2 of the frames at a multiple of which they begin; not of RELEASE */
};

/* Who runs on a CPU, and when. */
struct mm_who {
	uint64_t ns; /* simulated time since the beginning */
	int pid;
	char comm[16];
};

struct mm_event {
	enum mm_event_type type;
	const struct page *page;
	pfn_t pfn;
	unsigned order;
	int migratetype;
	gfp_t gfp;
	int nid;
	int zone;                 /* index among the architecture's zones */
	bool percpu_refill;       /* ALLOC_ZONE_LOCKED */
	unsigned pageblock_order; /* EXTFRAG */
	unsigned fallback_order;  /* EXTFRAG: of the block that was taken instead */
	int fallback_migratetype; /* EXTFRAG: of the list it was on */
	bool change_ownership;    /* EXTFRAG: its page block changed sides too */
	union {
		struct mm_event_scan scan;       /* of reclaim */
		struct mm_event_compact compact; /* COMPACT_BEGIN, COMPACT_END */
		struct mm_event_migrate migrate; /* MIGRATE */
		struct mm_event_object object;   /* KMALLOC, KFREE, CACHE_ALLOC, CACHE_FREE */
		struct mm_event_cma cma;         /* CMA_... */
	};
};

struct mm_ops {
	/** `nr` units of work at `site`. */
	void (*work)(void *ctx, int cpu, enum mm_site site, uint32_t nr);
	/** [at, at + bytes) is read, written or zeroed. bytes > 0. */
	void (*access)(void *ctx, int cpu, phys_addr_t at, uint64_t bytes, enum mm_access kind);
	/** Take `lock`; returns when this CPU holds it. Simulated time may pass. */
	void (*lock)(void *ctx, int cpu, struct mm_lock *lock);
	/** Leave `lock`, which this CPU holds. */
	void (*unlock)(void *ctx, int cpu, struct mm_lock *lock);
	/** A tracepoint, of the types that mm_listen() asks for; never waits. */
	void (*event)(void *ctx, int cpu, const struct mm_event *ev);
	/**
	 * Who runs on the CPU, for what notes it down. Never waits. NULL: nobody, at no time.
	 */
	void (*who)(void *ctx, int cpu, struct mm_who *who);
	/**
	 * Have a sleeping thread run soon, by mm_kthread_run() on an actor of its own. Returns
	 * whether the sink takes care of it: it will run, or what it would do comes after the end.
	 * Else, and where the op is NULL, it runs at once, in the place of who wakes it. Others may
	 * run before it returns; no lock is held.
	 */
	bool (*wake)(void *ctx, int cpu, struct mm_kthread *thread);
	/**
	 * A point at which whoever runs on the CPU may be made to give way. Simulated time may
	 * pass. Returns the CPU on which it goes on, another one perhaps if it is a thread.
	 */
	int (*resched)(void *ctx, int cpu);
	/**
	 * Sleep until `us` are over, or wakeup() of that channel, an address that only this is
	 * about; NULL: none. Simulated time passes. Returns likewise.
	 */
	int (*sleep)(void *ctx, int cpu, uint64_t us, const void *channel);
	/**
	 * Who must not fail has found nothing, not even to reclaim: sleep for a while, in which
	 * others may free memory. Returns false, at once, where nobody is left who could; as where
	 * the op is NULL.
	 */
	bool (*starve)(void *ctx, int cpu, uint64_t us);
	/** All who sleep on that channel go on. Never waits. */
	void (*wakeup)(void *ctx, int cpu, const void *channel);
	/**
	 * Write a page, bytes in all, to swap or to its file; mm_write_interrupt() is called, later
	 * and not from here, once that is done. Who may wait does so, in simulated time, until the
	 * disk takes more. Returns whether it will be; else, and where the op is NULL, it is done
	 * at once.
	 */
	bool (*write)(void *ctx, int cpu, struct page *page, uint64_t bytes, enum mm_store to,
		      bool may_wait);
	/** Read bytes. Returns when they are there: simulated time passes. */
	void (*read)(void *ctx, int cpu, uint64_t bytes, enum mm_store from);
	/**
	 * Begin to read bytes; mm_read_interrupt() is called, later and not from here, once they
	 * are there. Never waits. Returns whether it will be; NULL: never.
	 */
	bool (*read_ahead)(void *ctx, int cpu, uint64_t bytes, enum mm_store from,
			   struct mm_read *read);
	/**
	 * Reclaim takes a page from its owner, who must forget it: `swapped` says that its content
	 * is in swap, to be had by mm_swap_in(); `shadow` is for mm_refault(), should it come back.
	 * Never waits.
	 */
	void (*reclaimed)(void *ctx, int cpu, struct page *page, bool swapped, uint64_t shadow);
	/**
	 * A page in use has moved: its owner has `to` from now on, of the same order, and `from` is
	 * free or about to be. Not told of pages that are held since before the start. Never waits;
	 * `cpu` may be MM_NO_CPU. Where the op is NULL no other pages are moved.
	 */
	void (*moved)(void *ctx, int cpu, struct page *from, struct page *to);
	/** Would its owner find a page again that moves? Else it stays. NULL: all do. Never waits.
	 */
	bool (*may_move)(void *ctx, const struct page *page);
	/**
	 * A page in use is unmapped: CPUs that run its owner may have its translation in their
	 * TLBs, and are interrupted to drop it. Which ones the sink knows. NULL: addresses of the
	 * kernel itself are unmapped, which all CPUs may have. Never waits: what it takes is
	 * charged.
	 */
	void (*tlb_shootdown)(void *ctx, int cpu, struct page *page);
	/**
	 * The same as access(), by this address of the kernel; access() itself, and where the op is
	 * NULL, is by the direct mapping.
	 */
	void (*access_by)(void *ctx, int cpu, uint64_t address, phys_addr_t at, uint64_t bytes,
			  enum mm_access kind);
	/**
	 * TLBs drop these translations. Told together with what that costs: work, and
	 * tlb_shootdown(). `cpu` may be MM_NO_CPU. Never waits.
	 */
	void (*forget)(void *ctx, int cpu, const struct mm_forget *what);
	/**
	 * Sleep until mm_ops.wake_all() is called for the queue. Simulated time passes; no lock is
	 * held. Returns 0; -EDEADLK where nobody is left who could call it. NULL: nobody is.
	 */
	int (*wait)(void *ctx, int cpu, struct mm_waitq *queue);
	/** Wake all who sleep there. Never waits. */
	void (*wake_all)(void *ctx, int cpu, struct mm_waitq *queue);
};

#endif
