/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranges of virtual addresses in a tree by address: those that are free, in use, or unmapped but
 * not yet to be used again. A balanced tree (AVL) whose nodes know the largest range below them, so
 * that the lowest range that fits is found on one way down. Linux 6.1 has red-black trees for it.
 *
 *	max_bytes = largest of the area itself and of its children's max_bytes
 *	areas of a tree neither overlap nor, in the trees of free and of lazy ones, touch
 *
 * Whoever edits a tree holds its lock. Each node looked at costs a step and an access to it.
 */
#ifndef MM_VMAP_TREE_H
#define MM_VMAP_TREE_H

#include "mm/mm.h"

#define MM_VMAP_AREA_BYTES 64 /* sizeof(struct vmap_area) on 64 bits; a line elsewhere, too */

struct mm_vmap_area {
	uint64_t start, end; /* addresses */
	struct mm_vmap_area *left, *right;
	uint64_t max_bytes;
	int height;
	phys_addr_t object;      /* where it is in simulated memory */
	struct mm_vm_struct *vm; /* of an area in use; NULL: none */
};

struct mm_vmap_tree {
	struct mm_vmap_area *root;
	struct mm_lock lock;
	uint64_t nr;
};

/** The area that holds the address; NULL. */
struct mm_vmap_area *mm_vmap_find(struct mm *mm, int cpu, const struct mm_vmap_tree *tree,
				  uint64_t address);
/** The first area that ends above the address; NULL. Costs nothing. */
struct mm_vmap_area *mm_vmap_from(const struct mm_vmap_tree *tree, uint64_t address);
/** The lowest area that has room for `bytes` at a multiple of `align`; NULL. */
struct mm_vmap_area *mm_vmap_lowest_fit(struct mm *mm, int cpu, const struct mm_vmap_tree *tree,
					uint64_t bytes, uint64_t align);
void mm_vmap_insert(struct mm *mm, int cpu, struct mm_vmap_tree *tree, struct mm_vmap_area *area);
void mm_vmap_remove(struct mm *mm, int cpu, struct mm_vmap_tree *tree, struct mm_vmap_area *area);
/** Change the ends of an area of the tree, which stays between its neighbours. */
void mm_vmap_resize(struct mm *mm, int cpu, struct mm_vmap_tree *tree, struct mm_vmap_area *area,
		    uint64_t start, uint64_t end);
/**
 * Insert it, or make it part of those that it touches. Returns those that are no more, linked by
 * `right`, for the caller to free once the lock is left.
 */
struct mm_vmap_area *mm_vmap_merge(struct mm *mm, int cpu, struct mm_vmap_tree *tree,
				   struct mm_vmap_area *area);

/** Does the tree hold its equations? Fills why[]. Its areas are counted and summed. */
bool mm_vmap_tree_holds(const struct mm_vmap_tree *tree, bool may_touch, uint64_t *bytes, char *why,
			size_t size);

#endif
