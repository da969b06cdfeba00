/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vmalloc() and vmap(): memory that is contiguous in the kernel's addresses and need not be in
 * frames, after Linux 6.1. Addresses are virtual, between VMALLOC_START and VMALLOC_END.
 *
 * What was unmapped is not used again until all CPUs have dropped their translations, which is done
 * for many areas at once (the lazy purge): addresses of a vfree() come back late.
 */
#ifndef MM_VMALLOC_H
#define MM_VMALLOC_H

#include "mm/mempolicy.h"

#define MM_VMALLOC_HUGE     1u /* vmalloc_huge(): by huge pages, where there is room for some */
#define MM_VMALLOC_NO_GUARD 2u /* VM_NO_GUARD: no unmapped page behind it */
#define MM_VMALLOC_USER     4u /* VM_USERMAP: may be mapped to users, as vmalloc_user()'s */

struct mm_vmalloc_request {
	int cpu;
	uint64_t bytes;
	uint64_t align;                 /* a power of two; 0: a page */
	gfp_t gfp;                      /* GFP_KERNEL; with __GFP_ZERO: vzalloc() */
	int nid;                        /* MM_NO_NODE: by the policy */
	const struct mm_policy *policy; /* the task's; NULL: the default */
	uint32_t *turn;                 /* of its interleaving, counted on; NULL: from 0 */
	unsigned flags;                 /* MM_VMALLOC_* */
	bool atomic;                    /* the caller may not sleep: refused */
	const char *caller; /* for the report; borrowed, for as long as the area lives */
};

/**
 * Allocate. Simulated time passes. Returns 0 and *address; -EPERM in atomic context or without
 * __GFP_DIRECT_RECLAIM, and -EINVAL for no bytes or more than there is memory, with a warning
 * (warn.h); -ENOMEM where there are no pages, or no addresses (with a warning).
 */
int mm_vmalloc(struct mm *mm, const struct mm_vmalloc_request *req, uint64_t *address);
/**
 * Give it back; in atomic context a thread of the kernel does so later. 0 is no address and is
 * fine. Simulated time passes. Returns 0; -EINVAL with a warning where nothing was allocated there.
 */
int mm_vfree(struct mm *mm, int cpu, uint64_t address, bool atomic);

/**
 * Map `nr` pages, which stay the caller's, one after the other. Simulated time passes. Returns 0
 * and *address; -EINVAL, with a warning, for none or more than there are; -ENOMEM.
 */
int mm_vmap(struct mm *mm, int cpu, struct page *const *pages, uint64_t nr, const char *caller,
	    uint64_t *address);
/** Undo it. Returns 0; -EINVAL with a warning where nothing was mapped so, -EPERM if atomic. */
int mm_vunmap(struct mm *mm, int cpu, uint64_t address, bool atomic);

/**
 * The page that an address is mapped to, by a walk of the page tables, which `cpu` is charged for
 * (MM_NO_CPU: nobody). NULL where nothing is mapped.
 */
struct page *mm_vmalloc_to_page(struct mm *mm, int cpu, uint64_t address);
/** Where in simulated memory the byte at an address is; UINT64_MAX where nothing is mapped. */
phys_addr_t mm_vmalloc_phys(struct mm *mm, uint64_t address);

/** Unmap for good now what waits for it, as drain_vmap_work. Simulated time passes. */
void mm_vmap_purge(struct mm *mm, int cpu);

/** Pages that vmalloc() holds: VmallocUsed of /proc/meminfo. */
uint64_t mm_vmalloc_pages(const struct mm *mm);

/* All of it since boot. */
struct mm_vmalloc_info {
	uint64_t areas, lazy_areas; /* in use; unmapped, not purged */
	uint64_t lazy_pages, lazy_max_pages;
	uint64_t deferred; /* given back in atomic context, not freed yet */
	uint64_t pages;    /* of vmalloc() */
	uint64_t tables;   /* pages of page tables */
	uint64_t vmallocs, vmaps, vfrees, failed, purges;
	uint64_t huge_pages;               /* mapped as such */
	uint64_t bulk_pages, single_pages; /* how the pages came */
};
void mm_vmalloc_info(const struct mm *mm, struct mm_vmalloc_info *info);

/* How far /proc/vmallocinfo has been read; all zeroes at first. */
struct mm_vmallocinfo {
	uint64_t address; /* up to which */
	bool lazy;        /* of the areas that wait to be purged */
};
/** The next line, without its end. False past the last. */
bool mm_vmallocinfo_next(const struct mm *mm, struct mm_vmallocinfo *at, char *line, size_t size);

#endif
