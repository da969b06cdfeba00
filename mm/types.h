/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scalar identities and limits that every file of the mm core shares.
 *
 * Ranges are [start, end). MAX_PAGE_ORDER is inclusive: the largest buddy block has
 * 2^MAX_PAGE_ORDER pages (Linux 6.1 spells that MAX_ORDER - 1).
 */
#ifndef MM_TYPES_H
#define MM_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t pfn_t;       /* page frame number: physical address >> page_shift */
typedef uint64_t phys_addr_t; /* simulated physical address, bytes */
typedef uint32_t gfp_t;       /* allocation flags, see gfp.h */

/*
 * Hints to the compiler: what happens rarely, and is to be out of the way of what does not; what is
 * a function for the reader's sake alone.
 */
#define LIKELY(x)     __builtin_expect(!!(x), 1)
#define UNLIKELY(x)   __builtin_expect(!!(x), 0)
#define NOINLINE      __attribute__((noinline))
#define ALWAYS_INLINE inline __attribute__((always_inline))

#define MAX_PAGE_ORDER          10
#define NR_PAGE_ORDERS          (MAX_PAGE_ORDER + 1)
#define PAGE_ALLOC_COSTLY_ORDER 3    /* orders up to this one have per-CPU lists */
#define MM_MAX_NODES            1024 /* NODES_SHIFT = 10 on x86_64 and arm64 distribution kernels */
#define MM_MAX_CPUS             8192 /* NR_CPUS of distribution kernels */
#define MM_MAX_ZONES            6    /* zone types of one architecture, at most */
#define MM_NO_NODE              (-1)
#define MM_NO_CPU               (-1) /* "nobody does this": nothing is charged */

/* Zone types in the order in which Linux stacks them; an architecture has a subset (arch.h). */
enum mm_zone_type {
	MM_ZONE_DMA,     /* ISA devices: below 16 MiB on x86 */
	MM_ZONE_DMA32,   /* 32-bit devices: below 4 GiB */
	MM_ZONE_NORMAL,  /* the direct mapping */
	MM_ZONE_HIGHMEM, /* beyond the direct mapping of i386 */
	MM_ZONE_MOVABLE, /* movable pages only; a pseudo-zone against fragmentation */
	MM_ZONE_DEVICE,  /* persistent and device memory */
	MM_NR_ZONE_TYPES
};

enum mm_memory_model { MM_FLAT, MM_DISCONTIG, MM_SPARSE, MM_SPARSE_VMEMMAP, MM_NR_MODELS };

enum mm_arch_id { MM_X86_64, MM_I386, MM_I386_NOPAE, MM_ARM64, MM_NR_ARCHS };

/* When a fault on anonymous memory is to be served by a huge page (transparent_hugepage=). */
enum mm_thp_mode {
	MM_THP_NEVER,
	MM_THP_MADVISE, /* where madvise(MADV_HUGEPAGE) asks for it */
	MM_THP_ALWAYS,
	MM_NR_THP_MODES
};

/* What it may do to get one (/sys/kernel/mm/transparent_hugepage/defrag). */
enum mm_thp_defrag {
	MM_DEFRAG_NEVER,         /* take what is free */
	MM_DEFRAG_MADVISE,       /* wait for compaction and reclaim where it was asked for */
	MM_DEFRAG_DEFER_MADVISE, /* the same; elsewhere have kswapd and kcompactd make some */
	MM_DEFRAG_DEFER,         /* have kswapd and kcompactd make some */
	MM_DEFRAG_ALWAYS,        /* wait */
	MM_NR_THP_DEFRAGS
};

enum mm_wmark { MM_WMARK_MIN, MM_WMARK_LOW, MM_WMARK_HIGH, MM_NR_WMARKS };

/* Lists of user memory by when it was last used. Evictable ones come in pairs, inactive first. */
enum mm_lru {
	MM_LRU_INACTIVE_ANON,
	MM_LRU_ACTIVE_ANON,
	MM_LRU_INACTIVE_FILE,
	MM_LRU_ACTIVE_FILE,
	MM_LRU_UNEVICTABLE,
	MM_NR_LRU
};

/*
 * Mobility of a page block and of the free blocks in it. The first three are what an allocation
 * asks for (it follows from its gfp flags), and have per-CPU lists.
 */
enum mm_migratetype {
	MM_UNMOVABLE,
	MM_MOVABLE,
	MM_RECLAIMABLE,
	MM_NR_PCPTYPES,
	MM_HIGHATOMIC = MM_NR_PCPTYPES, /* kept for allocations of several pages that cannot wait */
	MM_CMA,                         /* movable pages only, for contiguous device memory */
	MM_ISOLATE,                     /* on its way out: nothing is allocated from it */
	MM_NR_MIGRATETYPES
};

/* Per-CPU lists of a zone: one for each small order and mobility, and one for huge pages. */
#define NR_PCP_LISTS ((PAGE_ALLOC_COSTLY_ORDER + 1) * MM_NR_PCPTYPES + 1)

/* A set of nodes. All zeroes is the empty set. */
struct mm_nodemask {
	uint64_t bits[MM_MAX_NODES / 64];
};

static inline void mm_nodemask_set(struct mm_nodemask *m, int nid)
{
	m->bits[nid / 64] |= UINT64_C(1) << (nid % 64);
}

static inline bool mm_nodemask_has(const struct mm_nodemask *m, int nid)
{
	return m->bits[nid / 64] >> (nid % 64) & 1;
}

static inline bool mm_nodemask_empty(const struct mm_nodemask *m)
{
	for (int i = 0; i < MM_MAX_NODES / 64; i++)
		if (m->bits[i])
			return false;
	return true;
}

#endif
