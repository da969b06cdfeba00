/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slab caches as descriptions: what a cache is made from, what a kernel is told about them, and
 * what is counted.
 */
#ifndef MM_SLAB_TYPES_H
#define MM_SLAB_TYPES_H

#include "mm/types.h"

/* What a cache is like. The first four are what slub_debug= switches on, by letter. */
enum {
	MM_SLAB_CONSISTENCY = 1 << 0, /* F: look at objects and lists before they are used */
	MM_SLAB_RED_ZONE = 1 << 1,    /* Z: a margin on both sides */
	MM_SLAB_POISON = 1 << 2,      /* P: free objects have a pattern */
	MM_SLAB_STORE_USER = 1 << 3,  /* U: who allocated it last, and who freed it */
	MM_SLAB_DEBUG = (1 << 4) - 1, /* any of these: no slab is a CPU's own */
	MM_SLAB_HWCACHE_ALIGN =
		1 << 4,             /* does not share a cache line if it is half a line or more */
	MM_SLAB_CACHE_DMA = 1 << 5, /* from ZONE_DMA */
	MM_SLAB_RECLAIM_ACCOUNT = 1 << 6, /* objects that memory pressure frees */
	MM_SLAB_RCU = 1 << 7,             /* an object's memory stays its type's after its free */
	MM_SLAB_ACCOUNT = 1 << 8,         /* to memory control groups */
	MM_SLAB_CTOR = 1 << 9,      /* has a constructor: the object keeps its content when free */
	MM_SLAB_USERCOPY = 1 << 10, /* a part may be copied to user space: not merged */
	MM_SLAB_KMALLOC = 1 << 11,  /* one of kmalloc's */
	MM_SLAB_BOOT = 1 << 12,     /* kmem_cache and kmem_cache_node: never merged */
};

#define MM_SLAB_NAME 32 /* bytes of a name, with its end */

/* What a cache is made from. */
struct mm_cache_args {
	const char *name;
	uint32_t size;  /* bytes of an object */
	uint32_t align; /* bytes, a power of two; 0: a word's */
	unsigned flags; /* MM_SLAB_* */
};

/* A cache that the kernel makes at boot; its object may grow with the machine. */
struct mm_boot_cache {
	char name[MM_SLAB_NAME];
	uint32_t size, align; /* as in mm_cache_args */
	unsigned flags;
	uint32_t size_per_node; /* bytes more for each node that there may be */
	uint32_t size_per_cpus; /* bytes more for each word of a mask of CPUs */
	bool has_xstate;        /* ends with the registers of a CPU (struct task_struct) */
	bool optional;          /* made by what not every machine has: a module, a device */
};

/* What the command line says of slabs; the defaults are the kernel's. */
struct mm_slab_params {
	unsigned min_order;                /* slub_min_order */
	unsigned max_order;                /* slub_max_order */
	unsigned min_objects;              /* slub_min_objects; 0: by the number of CPUs */
	bool nomerge;                      /* slab_nomerge */
	unsigned debug;                    /* slub_debug: MM_SLAB_DEBUG flags, of all caches or */
	char debug_caches[128];            /* of these, by name, "a,b*"; "": all */
	unsigned remote_node_defrag_ratio; /* of 1024 searches, how many go to other nodes */
	uint32_t xstate_bytes; /* of the CPUs' registers as XSAVE stores them; 0: the profile's */
};

/* What is counted by cache: the names of CONFIG_SLUB_STATS, and remote frees. */
#define MM_SLAB_STATS(X)                                                                           \
	X(ALLOC_FASTPATH, "alloc_fastpath", "allocations from the CPU's own list")                 \
	X(ALLOC_SLOWPATH, "alloc_slowpath", "other allocations")                                   \
	X(FREE_FASTPATH, "free_fastpath", "frees to the CPU's own list")                           \
	X(FREE_SLOWPATH, "free_slowpath", "frees to another slab")                                 \
	X(FREE_REMOTE, "free_remote", "frees on a CPU of another node than the slab's")            \
	X(FREE_FROZEN, "free_frozen", "frees to a slab that some CPU has")                         \
	X(FREE_ADD_PARTIAL, "free_add_partial", "slabs put on a node's list when freed to")        \
	X(FREE_REMOVE_PARTIAL, "free_remove_partial", "slabs taken off it, having become empty")   \
	X(ALLOC_FROM_PARTIAL, "alloc_from_partial", "slabs taken from a node's list")              \
	X(ALLOC_REMOTE_PARTIAL, "alloc_remote_partial", "of these, from another node's")           \
	X(ALLOC_SLAB, "alloc_slab", "slabs from the page allocator")                               \
	X(ALLOC_REFILL, "alloc_refill", "refills from what others freed to the CPU's slab")        \
	X(ALLOC_NODE_MISMATCH, "alloc_node_mismatch", "CPU slabs put away for another node's")     \
	X(FREE_SLAB, "free_slab", "slabs given back to the page allocator")                        \
	X(CPUSLAB_FLUSH, "cpuslab_flush", "CPU slabs put away by a flush")                         \
	X(DEACTIVATE_FULL, "deactivate_full", "slabs put away with no free object")                \
	X(DEACTIVATE_EMPTY, "deactivate_empty", "slabs put away with nothing but free objects")    \
	X(DEACTIVATE_TO_HEAD, "deactivate_to_head", "slabs put at the head of the node's list")    \
	X(DEACTIVATE_TO_TAIL, "deactivate_to_tail", "slabs put at its tail")                       \
	X(DEACTIVATE_REMOTE_FREES, "deactivate_remote_frees",                                      \
	  "slabs put away that others freed to")                                                   \
	X(DEACTIVATE_BYPASS, "deactivate_bypass", "used up CPU slabs that were let go")            \
	X(ORDER_FALLBACK, "order_fallback", "slabs of the smallest order for want of more")        \
	X(CPU_PARTIAL_ALLOC, "cpu_partial_alloc", "slabs taken from the CPU's partial list")       \
	X(CPU_PARTIAL_FREE, "cpu_partial_free", "full slabs put there when freed to")              \
	X(CPU_PARTIAL_NODE, "cpu_partial_node", "slabs put there from the node's list")            \
	X(CPU_PARTIAL_DRAIN, "cpu_partial_drain", "times that it went to the nodes' lists")

enum mm_slab_stat {
#define X(id, name, what) MM_SLAB_STAT_##id,
	MM_SLAB_STATS(X)
#undef X
		MM_NR_SLAB_STATS
};

#endif
