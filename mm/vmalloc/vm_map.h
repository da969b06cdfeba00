/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's own address space: where its direct mapping of memory is, where vmalloc() and kmap()
 * map pages, and where fixed mappings are. On i386 all of that shares what the split leaves to the
 * kernel, so what vmalloc() gets the direct mapping does not: the beginning of high memory follows.
 *
 * Addresses are virtual, [start, end); 0, 0 where the architecture has no such part.
 */
#ifndef MM_VM_MAP_H
#define MM_VM_MAP_H

#include "mm/arch.h"

/* VMSPLIT_* of i386: how much of 4 GiB is the user's. The _OPT ones are not for PAE. */
enum mm_vmsplit {
	MM_VMSPLIT_3G,
	MM_VMSPLIT_3G_OPT,
	MM_VMSPLIT_2G,
	MM_VMSPLIT_2G_OPT,
	MM_VMSPLIT_1G,
	MM_NR_VMSPLITS
};
/** "3G", "3G_OPT", ...; NULL past the last. */
const char *mm_vmsplit_name(unsigned split);

struct mm_vm_range {
	uint64_t start, end;
};

#define MM_KMAP_SLOTS 16 /* mappings that a CPU can nest: KM_MAX_IDX */

struct mm_vm_map {
	struct mm_vm_range direct;  /* PAGE_OFFSET to high_memory: memory from address 0 on */
	struct mm_vm_range vmalloc; /* VMALLOC_START to VMALLOC_END */
	struct mm_vm_range text;    /* the kernel's image, where it is not in the direct mapping */
	struct mm_vm_range modules;
	struct mm_vm_range vmemmap;   /* page descriptors, where they are mapped */
	struct mm_vm_range pkmap;     /* the window of kmap(): as many pages as it has entries */
	struct mm_vm_range ldt;       /* remapped local descriptor tables */
	struct mm_vm_range cpu_entry; /* cpu_entry_area */
	struct mm_vm_range fixmap;    /* permanent fixed mappings, FIXADDR_START to FIXADDR_TOP */
	uint64_t kmap_slots_end;      /* past slot 0 of CPU 0; slots lie downwards from it */
	unsigned va_bits;             /* of an address */
	unsigned root_shift;          /* log2 of what an entry of the topmost table maps */
	unsigned table_shift;         /* log2 of the entries of the tables below it */
	unsigned entry_bytes;
	unsigned direct_shift; /* log2 of the largest page of the direct mapping */
	bool huge;             /* vmalloc() may map huge pages (HAVE_ARCH_HUGE_VMALLOC) */
};

struct mm_vm_params {
	uint64_t vmalloc_bytes; /* vmalloc=; 0: the default */
	enum mm_vmsplit split;
	bool la57; /* five levels of page tables: x86_64 */
};

/**
 * How much memory the direct mapping can hold (MAXMEM) by vmalloc= and the split: the limit of
 * ZONE_NORMAL where the architecture has high memory, UINT64_MAX elsewhere. 0 where vmalloc=
 * leaves none, or the split is none that the architecture has.
 */
uint64_t mm_vm_direct_bytes(const struct mm_arch *arch, const struct mm_vm_params *params);

/** The map of a machine whose direct mapping ends behind physical address `direct_end`. */
void mm_vm_map_init(const struct mm_arch *arch, const struct mm_vm_params *params,
		    uint64_t direct_end, struct mm_vm_map *map);

#endif
