/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slab objects of a trace: allocated and freed by the simulated slab allocator, which takes what
 * pages it needs. Pages of the trace that the real one took are left out then.
 */
#ifndef SIM_REPLAY_SLAB_H
#define SIM_REPLAY_SLAB_H

#include "mm/slab/slab.h"
#include "sim/replay/replay_policy.h"

struct replay_slab_counts {
	uint64_t allocs, frees;  /* of objects, done */
	uint64_t failed;         /* that found no memory */
	uint64_t not_replayed;   /* operations on objects, where only their pages are */
	uint64_t pages_left_out; /* allocations and frees of pages by the real slab allocator */
};

struct replay_slab;

/**
 * Makes the caches of the trace: the kernel's own where it has one of that name. *out is NULL where
 * the trace has no objects or `pages_only`. Returns 0 or -ENOMEM. Free with replay_slab_free().
 */
int replay_slab_new(const struct replay_policies *p, bool pages_only,
		    struct replay_slab_counts *counts, struct replay_slab **out);
void replay_slab_free(struct replay_slab *s);
/** Do a KMALLOC or CACHE_ALLOC: the object, or 0 where there is no memory. Time may pass. */
phys_addr_t replay_slab_alloc(struct replay_slab *s, int cpu, const struct trace_event *ev);
/** Give it back. Time may pass. */
void replay_slab_give(struct replay_slab *s, int cpu, phys_addr_t object);

#endif
