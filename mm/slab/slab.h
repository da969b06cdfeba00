/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slab caches as Linux 6.1's SLUB keeps them: objects of one size, cut from blocks of pages
 * ("slabs"), and kmalloc() on caches of fixed sizes.
 *
 * An object is a simulated physical address. The list of free objects runs through the objects
 * themselves, so that an allocation touches what it gives out; what a CPU has at hand is in its
 * per-CPU area, a slab's state in the descriptor of its first page, a node's partial slabs behind
 * a lock. Nothing of this exists, and no page is taken, before mm_slab_start().
 *
 * Simulated time may pass in every function that allocates or frees. A call that is refused has
 * changed nothing, but for what mm_slab_report() has to say of it.
 */
#ifndef MM_SLAB_H
#define MM_SLAB_H

#include "mm/mempolicy.h"
#include "mm/mm.h"
#include "mm/slab/slab_types.h"

struct mm_kmem_cache;

/* What an object of a cache takes: calculate_sizes() of the kernel. Bytes. */
struct mm_slab_layout {
	uint32_t object_size; /* that was asked for */
	uint32_t align;
	uint32_t inuse;            /* to where the object, with its own padding, reaches */
	uint32_t free_pointer;     /* where in the object it lies while it is free */
	uint32_t red_left_pad;     /* before the object; 0 without red zones */
	uint32_t size;             /* from one object to the next; slabinfo's objsize */
	unsigned order, min_order; /* of a slab; of one that holds a single object */
	unsigned objects, min_objects;
	unsigned min_partial;       /* slabs that a node keeps, empty ones too */
	unsigned cpu_partial;       /* objects, and */
	unsigned cpu_partial_slabs; /* slabs that a CPU keeps apart */
	unsigned flags;             /* MM_SLAB_*, with what slub_debug adds */
};

/**
 * The layout of such a cache on this machine. Returns 0; -EINVAL where it cannot be: no size, an
 * alignment that is no power of two, an object that no slab holds.
 */
int mm_slab_layout(const struct mm *mm, const struct mm_cache_args *args,
		   struct mm_slab_layout *layout);

/**
 * Make the caches of the kernel's boot: kmem_cache, kmem_cache_node, kmalloc's, and those of the
 * kernel profile. Takes pages for their own descriptors; costs no simulated time and calls no op.
 * Once is enough; the functions below do it where nobody did. Returns 0 or -ENOMEM.
 */
int mm_slab_start(struct mm *mm);

/**
 * Make a cache, or find one that serves as well (merging). The cache owns a copy of the name.
 * Returns 0 and *out (give it to mm_kmem_cache_destroy()); -EINVAL as mm_slab_layout(); -ENOMEM.
 */
int mm_kmem_cache_create(struct mm *mm, int cpu, const struct mm_cache_args *args,
			 struct mm_kmem_cache **out);
/** The same as boot does it: costs no simulated time and calls no op. */
int mm_kmem_cache_create_at_boot(struct mm *mm, const struct mm_cache_args *args,
				 struct mm_kmem_cache **out);
/**
 * Take a cache down; a merged one goes with its last user. Returns 0; -EBUSY where it has objects
 * in use, with their number in *left (may be NULL): it stays, as it does in the kernel.
 */
int mm_kmem_cache_destroy(struct mm *mm, int cpu, struct mm_kmem_cache *cache, uint64_t *left);
/**
 * Give back slabs without objects in use, the CPUs' own too, and sort the partial lists, fullest
 * first. Returns how many pages that freed.
 */
uint64_t mm_kmem_cache_shrink(struct mm *mm, int cpu, struct mm_kmem_cache *cache);

/* One allocation. */
struct mm_slab_request {
	int cpu;
	gfp_t gfp;
	int nid;     /* from this node and no other slab at hand; MM_NO_NODE: what is nearest */
	bool atomic; /* the caller must not sleep: an interrupt, a spinlock */
	const struct mm_policy *policy; /* of the task, for new slabs; NULL: none */
	uint32_t turn;                  /* of an interleaving policy */
};

/**
 * Take an object. Returns 0 and *object; -ENOMEM; -EWOULDBLOCK where the caller must not sleep but
 * the flags allow to; -EINVAL where there is no such node.
 */
int mm_kmem_cache_alloc(struct mm *mm, struct mm_kmem_cache *cache,
			const struct mm_slab_request *req, phys_addr_t *object);
/**
 * Give an object back. Returns 0; -EINVAL where it is no object of that cache in use: freed
 * already, of another cache, none at all.
 */
int mm_kmem_cache_free(struct mm *mm, int cpu, struct mm_kmem_cache *cache, phys_addr_t object);

#define MM_ZERO_SIZE_PTR ((phys_addr_t)16) /* what kmalloc(0) returns; kfree() takes it back */

/**
 * kmalloc() and its kind (req->nid: kmalloc_node(); __GFP_ZERO: kzalloc()). Beyond 8 KiB whole
 * pages come from the page allocator. Errors as mm_kmem_cache_alloc(); -EINVAL beyond what a block
 * of the largest order holds.
 */
int mm_kmalloc(struct mm *mm, uint64_t bytes, const struct mm_slab_request *req,
	       phys_addr_t *object);
/**
 * As large as `bytes`: the same object where it has the room, else another one with its content. 0
 * for `object` allocates, 0 for `bytes` frees. Errors likewise; the old object is then as it was.
 */
int mm_krealloc(struct mm *mm, phys_addr_t object, uint64_t bytes,
		const struct mm_slab_request *req, phys_addr_t *out);
/** Returns 0, for 0 and MM_ZERO_SIZE_PTR too; -EINVAL as mm_kmem_cache_free(). */
int mm_kfree(struct mm *mm, int cpu, phys_addr_t object);
/** Bytes that the owner of an object may use; 0 where it is none in use. */
uint64_t mm_ksize(const struct mm *mm, phys_addr_t object);
/** The name of kmalloc's cache for so many bytes and these flags; NULL beyond 8 KiB and for 0. */
const char *mm_kmalloc_name(struct mm *mm, uint64_t bytes, gfp_t gfp);

/**
 * A store of a CPU to [at, at + bytes), wherever that is: what debugging looks at later (red zones,
 * poison) notices if it was not the object's own memory.
 */
void mm_slab_store(struct mm *mm, int cpu, phys_addr_t at, uint64_t bytes);
/**
 * Look at all objects of a cache with debugging, as writing to its "validate" does. Returns how
 * many faults were reported.
 */
uint64_t mm_slab_validate(struct mm *mm, int cpu, struct mm_kmem_cache *cache);

/** The i-th report of misuse that was found, as a line; NULL past the last. The first 64 stay. */
const char *mm_slab_report(const struct mm *mm, unsigned i);
/** How many there were. */
uint64_t mm_slab_nr_reports(const struct mm *mm);

/**
 * The i-th cache of the boot, made or not (those that not every machine has too), with its layout
 * on this machine. False past the last. `name` is the cache's or, MM_SLAB_NAME bytes, written to.
 */
bool mm_slab_boot_cache(const struct mm *mm, unsigned i, char *name, struct mm_slab_layout *layout);

/** A cache by its name, or one that was merged into another by its; NULL where there is none. */
struct mm_kmem_cache *mm_slab_find(struct mm *mm, const char *name);

/* A cache as /proc/slabinfo shows it, and what it did. */
struct mm_slab_info {
	const char *name;
	struct mm_slab_layout layout;
	uint64_t active_objs, nr_objs; /* those that a CPU has at hand count as active */
	uint64_t nr_slabs, nr_pages;
	uint64_t allocated; /* objects in somebody's hands */
	uint64_t stats[MM_NR_SLAB_STATS];
};

/** The i-th cache in the order of /proc/slabinfo: newest first. False past the last. */
bool mm_slab_info(const struct mm *mm, unsigned i, struct mm_slab_info *info);
const char *mm_slab_stat_name(enum mm_slab_stat stat);
/** Sums over all caches; stats[] of MM_NR_SLAB_STATS. False where there are none yet. */
bool mm_slab_sums(const struct mm *mm, uint64_t *stats);
/** Pages of slabs on a node, unreclaimable and reclaimable: of large kmalloc()s too. */
void mm_slab_pages(const struct mm *mm, int nid, uint64_t pages[2]);

#endif
