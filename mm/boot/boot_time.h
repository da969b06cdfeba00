/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the boot of memory management takes: mm_boot() makes the state at no cost; here each phase
 * says what it did, as work and accesses, in ranges rather than page by page. May be called any
 * time; changes nothing.
 */
#ifndef MM_BOOT_TIME_H
#define MM_BOOT_TIME_H

#include "mm/mm.h"

/* In the order in which they come. */
enum mm_boot_phase {
	MM_BOOT_MEMBLOCK,   /* ranges of memory and what is reserved of it */
	MM_BOOT_MEMMAP,     /* tables of the memory model, page descriptors but for deferred ones */
	MM_BOOT_ZONES,      /* zonelists, per-CPU lists */
	MM_BOOT_FREE_LISTS, /* what memblock has left goes to the buddy lists */
	MM_BOOT_CPUS,       /* the other CPUs come up, one after the other */
	MM_BOOT_DEFERRED, /* by node, on its CPUs: the descriptors that are left, and their pages */
	MM_NR_BOOT_PHASES
};

/** Can the model leave descriptors for later (CONFIG_DEFERRED_STRUCT_PAGE_INIT)? 64-bit sparse. */
bool mm_boot_can_defer(const struct mm *mm);

/* Who does what of a phase. */
struct mm_boot_part {
	bool deferred;      /* descriptors are */
	int nid;            /* DEFERRED: whose */
	unsigned share, of; /* DEFERRED: which thread of the node this is, of how many */
};
/**
 * Does the CPU do a part of the node's deferred descriptors? With `threads` a node, or, 0, as many
 * as the architecture has: one, on x86_64 one for each of its CPUs. Those of a node without CPUs
 * are on those CPUs that have the least to do. Fills *part.
 */
bool mm_boot_part_of(const struct mm *mm, int cpu, int nid, unsigned threads,
		     struct mm_boot_part *part);
/** Charge a phase to a CPU. No time passes: that is for who settles. */
void mm_boot_charge(struct mm *mm, int cpu, enum mm_boot_phase phase,
		    const struct mm_boot_part *part);
/** Pages whose descriptors are deferred, of a node; with MM_NO_NODE of all. */
uint64_t mm_boot_deferred_pages(const struct mm *mm, int nid);

#endif
