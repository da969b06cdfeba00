/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of vmalloc() share: the areas in their trees, and what is known of each. Within
 * the mm core.
 *
 * Invariants:
 *	free + in use + lazy areas = all addresses from VMALLOC_START to VMALLOC_END
 *	lazy_pages = pages of the lazy areas
 *	entries of the page tables = pages that areas in use have mapped
 */
#ifndef MM_VMALLOC_STATE_H
#define MM_VMALLOC_STATE_H

#include "mm/internal.h"
#include "mm/slab/slab.h"
#include "mm/vmalloc/pgtable.h"
#include "mm/vmalloc/vmalloc.h"
#include "mm/vmalloc/vmap_tree.h"

#define VM_ALLOC 1u /* vmalloc(): the pages are its own */
#define VM_MAP   2u /* vmap() */

struct mm_vm_struct {
	uint64_t address, bytes; /* with the guard page */
	unsigned flags;          /* VM_* */
	unsigned order;          /* of a mapped page */
	struct page **pages;     /* single ones, owned; NULL entries beyond what came */
	uint64_t nr_pages;
	bool user; /* VM_USERMAP */
	const char *caller;
	struct mm_vmap_area *area;
	phys_addr_t object;        /* of kmalloc(), as */
	phys_addr_t array;         /* the pointers to pages, if they fit into a page; 0: none; */
	uint64_t array_address;    /* else they are an area of their own; 0: none */
	bool busy;                 /* being freed by somebody */
	struct mm_vm_struct *next; /* deferred */
};

struct mm_vmalloc {
	struct mm_vmap_tree free, used, lazy;
	struct mm_lock purge_lock;
	struct mm_pgtable tables;
	struct mm_kmem_cache *area_cache; /* made with the first area */
	phys_addr_t first_object;         /* of the kernel's image: the first free area's */
	uint64_t lazy_pages;
	uint64_t pages;
	struct mm_vm_struct *deferred; /* the last one first */
	struct mm_kthread worker;      /* purges, and frees what was deferred */
	bool drain;                    /* it is to purge */
	struct mm_vmalloc_info counts; /* those since boot */
};

/* vmap_area.c */
/**
 * A range of free addresses, put into the tree of those in use. Returns 0; -ENOMEM. Time may pass.
 */
int mm_vmap_area_alloc(struct mm *mm, const struct mm_slab_request *req, uint64_t bytes,
		       uint64_t align, struct mm_vmap_area **out);
/** Clear its page table entries and leave it to the next purge. It is no area in use any more. */
void mm_vmap_area_free(struct mm *mm, int cpu, struct mm_vmap_area *area);
uint64_t mm_vmap_lazy_max(const struct mm *mm);

/* vmalloc.c */
/** What was given back in atomic context. Time may pass. */
void mm_vfree_deferred(struct mm *mm, int *cpu);

/* vmalloc_boot.c */
/** 0 or -ENOMEM. */
int mm_vmalloc_init(struct mm *mm);
void mm_vmalloc_destroy(struct mm *mm);
/** Its part of mm_verify(). */
int mm_vmalloc_verify(const struct mm *mm, char *why, size_t size);

#endif
