/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot-time allocator: two sorted lists of ranges, what is memory and what of it is taken.
 *
 * Invariants: regions are sorted, do not overlap, and touching regions of one node and the same
 * flags are one region. Addresses and sizes are bytes. -ENOMEM is the only error where none is
 * named.
 */
#ifndef MM_MEMBLOCK_H
#define MM_MEMBLOCK_H

#include "mm/types.h"

/* What firmware says of memory. */
enum memblock_flags {
	MEMBLOCK_NONE = 0,
	MEMBLOCK_HOTPLUG = 1,  /* it can be unplugged */
	MEMBLOCK_MIRROR = 2,   /* it is kept twice: more reliable */
	MEMBLOCK_ZONES = 0xf0, /* not by address, but in the zone of MEMBLOCK_ZONE() */
};

/** Flags of memory that went online in the zone of that index, and of which zone that is. */
#define MEMBLOCK_ZONE(zone)     (((unsigned)(zone) + 1) << 4)
#define MEMBLOCK_ZONE_OF(flags) ((int)(((flags)&MEMBLOCK_ZONES) >> 4) - 1)

struct memblock_region {
	phys_addr_t start, end;
	int nid;        /* of memory; MM_NO_NODE for reservations */
	unsigned flags; /* of memory: enum memblock_flags */
};

struct memblock_list {
	struct memblock_region *regions;
	size_t nr, capacity;
};

struct memblock {
	struct memblock_list memory, reserved;
	bool bottom_up;    /* allocations go from the lowest address up; else from the top down */
	bool movable_node; /* they keep out of memory that can be unplugged */
};

/** Add memory of a node. What is there already keeps its node. */
int memblock_add(struct memblock *mb, phys_addr_t start, uint64_t bytes, int nid);
/** The same with flags. */
int memblock_add_with(struct memblock *mb, phys_addr_t start, uint64_t bytes, int nid,
		      unsigned flags);
/** Take memory out again, as if it had never been there; reservations stay. */
int memblock_remove(struct memblock *mb, phys_addr_t start, uint64_t bytes);
/** Give what of a range is memory to another node. */
int memblock_set_node(struct memblock *mb, phys_addr_t start, uint64_t bytes, int nid);
/** Set flags of what of a range is memory, or take them off. */
int memblock_mark(struct memblock *mb, phys_addr_t start, uint64_t bytes, unsigned flags);
int memblock_clear(struct memblock *mb, phys_addr_t start, uint64_t bytes, unsigned flags);
/** Mark a range as taken; it may overlap others, and need not be memory. */
int memblock_reserve(struct memblock *mb, phys_addr_t start, uint64_t bytes);
/** Give a taken range back. */
int memblock_phys_free(struct memblock *mb, phys_addr_t start, uint64_t bytes);

#define MEMBLOCK_FAILED UINT64_MAX
/**
 * Take `bytes` at a multiple of `align` (a power of two) within [min, max) on node `nid`
 * (MM_NO_NODE: anywhere), in the memblock's direction. Where any memory is mirrored, from that
 * first. Returns its address, or MEMBLOCK_FAILED.
 */
phys_addr_t memblock_alloc_range(struct memblock *mb, uint64_t bytes, uint64_t align,
				 phys_addr_t min, phys_addr_t max, int nid);
/**
 * The same, but where there is no room on the node, on any; and where there is none from `min` on,
 * below it.
 */
phys_addr_t memblock_alloc_try_nid(struct memblock *mb, uint64_t bytes, uint64_t align,
				   phys_addr_t min, phys_addr_t max, int nid);

/**
 * The next free range at or above *cursor on any node: memory that is not reserved. Returns false
 * past the last; else sets *start, *end, *nid and moves *cursor behind it.
 */
bool memblock_next_free(const struct memblock *mb, phys_addr_t *cursor, phys_addr_t *start,
			phys_addr_t *end, int *nid);

/** Flags of the memory at an address; 0 where there is none. */
unsigned memblock_flags_at(const struct memblock *mb, phys_addr_t at);

/** Is the byte memory? */
bool memblock_is_memory(const struct memblock *mb, phys_addr_t at);

/** Bytes of memory in [start, end). */
uint64_t memblock_memory_in(const struct memblock *mb, phys_addr_t start, phys_addr_t end);
/** Bytes of [start, end) that are taken. */
uint64_t memblock_reserved_in(const struct memblock *mb, phys_addr_t start, phys_addr_t end);

void memblock_free_lists(struct memblock *mb);

#endif
