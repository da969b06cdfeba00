/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the mm core has to know of an architecture: its zones and their limits, its page size, the
 * layout of its sections. Sources: Linux 6.1 arch/{x86,arm64}, and the reference captures.
 */
#ifndef MM_ARCH_H
#define MM_ARCH_H

#include "mm/types.h"

struct mm_arch_zone {
	enum mm_zone_type type;
	const char *name;  /* as /proc/zoneinfo prints it */
	phys_addr_t limit; /* memory below it belongs here; 0: takes no memory by address */
};

struct mm_arch {
	enum mm_arch_id id;
	const char *name;
	unsigned page_shift;
	unsigned page_struct_bytes; /* sizeof(struct page) of that kernel */
	unsigned section_bits;      /* log2 of the bytes of a sparse section */
	unsigned max_phys_bits;
	unsigned section_phys_bits; /* what the section table is sized for */
	unsigned section_struct_bytes;
	unsigned nodes_shift;
	unsigned flags_bits;       /* bits of page->flags */
	unsigned nr_pageflags;     /* of these, flags proper */
	unsigned lru_gen_bits;     /* and the multi-gen LRU's generation */
	unsigned last_cpupid_bits; /* what NUMA balancing wants: 8 of the pid, and the CPU number */
	unsigned pageblock_order;
	unsigned gigantic_order;    /* of the largest huge pages of a pool; 0: of no other size */
	unsigned kmalloc_min;       /* bytes of the smallest size, KMALLOC_MIN_SIZE */
	unsigned vm_struct_bytes;   /* sizeof(struct vm_struct) */
	uint64_t node_struct_bytes; /* a node descriptor: zones and zonelists; sizeof(pg_data_t) */
	uint64_t percpu_bytes;      /* a CPU's area of the first per-CPU chunk */
	/* Such areas are taken in multiples of it, and at them (setup_per_cpu_areas()). */
	uint64_t percpu_alloc_bytes;
	bool low_megabyte_reserved; /* the first MiB is never given to the buddy lists */
	/*
	 * Where all memory lies above the limits of the DMA zones, these limits hold no longer:
	 * devices of such a machine reach its memory through an offset.
	 */
	bool dma_limits_need_low_memory;
	bool cma_below_dma_limit; /* cma= lies in ZONE_DMA (dma_contiguous_reserve()) */
	/* Descriptors of a node are initialised by all its CPUs; else by one thread a node. */
	bool deferred_by_all_cpus;
	bool early_bottom_up;   /* with movable_node, until SRAT is read (setup_arch()) */
	bool mem_is_an_address; /* mem= is one; else it is how much memory there is to be */
	int nr_zones;
	struct mm_arch_zone zones[MM_MAX_ZONES];
	int8_t zone_index[MM_NR_ZONE_TYPES]; /* by type: where in zones[] it is; -1: nowhere */
};

/** Static description of an architecture. */
const struct mm_arch *mm_arch(enum mm_arch_id id);
/** By name ("x86_64"); NULL where unknown. */
const struct mm_arch *mm_arch_by_name(const char *name);
/** Index of the zone of that type in arch->zones, or -1. */
static inline int mm_arch_zone_index(const struct mm_arch *arch, enum mm_zone_type type)
{
	return arch->zone_index[type];
}

/** Index of the zone of that name ("DMA32"), or -1. */
int mm_arch_zone_by_name(const struct mm_arch *arch, const char *name);

#endif
