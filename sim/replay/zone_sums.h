/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel sums up over zones for its files: memory in all, what may be dirty. In pages. */
#ifndef SIM_ZONE_SUMS_H
#define SIM_ZONE_SUMS_H

#include "mm/mm.h"

#define ALL_NODES (-1)

struct zone_sums {
	uint64_t total, free; /* managed pages */
	uint64_t high_total,
		high_free; /* of these, in zones that the direct mapping does not reach */
};

/** Of one node's zones, or of ALL_NODES. */
struct zone_sums zone_sums(const struct mm *mm, int nid);

/* Pages of slabs. */
struct slab_sums {
	uint64_t reclaimable, unreclaimable;
};

/** Of one node, or of ALL_NODES. */
struct slab_sums slab_sums(const struct mm *mm, int nid);

/** totalreserve_pages: what user space cannot have. */
uint64_t zone_total_reserve(const struct mm *mm);

/** si_mem_available(): what user space can have without swapping. */
uint64_t zone_available(const struct mm *mm);

/** global_dirtyable_memory(): what dirty pages may take a share of. */
uint64_t zone_dirtyable(const struct mm *mm);

#endif
