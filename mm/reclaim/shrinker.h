/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shrinkers: caches of the kernel that give memory back under pressure. Reclaim of a node asks each
 * how many objects it could free there, and has it look at so many of them as it looks at of the
 * LRU lists, by priority.
 */
#ifndef MM_SHRINKER_H
#define MM_SHRINKER_H

#include "mm/types.h"

struct mm;

#define MM_SHRINK_STOP   UINT64_MAX
#define MM_DEFAULT_SEEKS 2
#define MM_SHRINK_BATCH  128

struct mm_shrinker {
	/** Objects that it could free on a node. Never waits. */
	uint64_t (*count)(const struct mm *mm, const struct mm_shrinker *s, int nid);
	/**
	 * Look at `nr` of them, and free what is not in use. Returns how many that were, or
	 * MM_SHRINK_STOP where nothing can be done now. Simulated time may pass.
	 */
	uint64_t (*scan)(struct mm *mm, int cpu, struct mm_shrinker *s, int nid, uint64_t nr);
	void *arg;             /* its own */
	unsigned seeks, batch; /* what an object costs to make again; objects a call. 0: usual */
	gfp_t needs;           /* flags of the allocation without which it is not asked */
	/* Of the mm core: */
	uint64_t *deferred; /* by node: what was to be looked at, and was not */
	struct mm_shrinker *next;
};

/** The shrinker stays its owner's, until it is unregistered or the mm core ends. 0 or -ENOMEM. */
int mm_register_shrinker(struct mm *mm, struct mm_shrinker *s);
void mm_unregister_shrinker(struct mm *mm, struct mm_shrinker *s);

#endif
