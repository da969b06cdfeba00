/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sections: the unit in which the sparse memory models keep descriptors. A section with any memory
 * in it is present, and has descriptors for all its frames. The table has two levels (the kernel's
 * SPARSEMEM_EXTREME): an array of roots, each a page of section entries.
 */
#ifndef MM_SECTION_H
#define MM_SECTION_H

#include "mm/memmodel.h"

struct mm_section {
	struct page *map; /* descriptor of its first frame; NULL where not present */
	phys_addr_t at;   /* of that descriptor, in simulated memory */
};

struct mm_sections {
	unsigned pfn_shift; /* frames of a section: 2^pfn_shift */
	pfn_t first, nr;    /* numbers [first, first + nr) span all that are present */
	pfn_t nr_present;
	struct mm_section *sections; /* by number - first */
	struct page *host;           /* of all maps */
	pfn_t host_nr;
	uint32_t *number_of_slot; /* section number by place in `host` */
	unsigned per_root;
	phys_addr_t roots_at; /* array of root pointers */
	uint64_t roots_bytes;
	phys_addr_t *root_at; /* by root - first root; of the pages of entries that exist */
	pfn_t nr_roots;
};

/**
 * Find the sections, take simulated memory for the table and for their descriptors (aligned to
 * `align` bytes, node by node). `contiguous`: host descriptors of section n lie where arithmetic
 * on frame numbers finds them (vmemmap); else one behind the other. -EINVAL fills *refusal.
 */
int mm_sections_init(struct mm *mm, struct mm_sections *s, uint64_t align, bool contiguous,
		     struct mm_refusal *refusal);
void mm_sections_destroy(struct mm_sections *s);

/**
 * Call fn for each present section once, in order, with the node of its first memory. Returns what
 * fn returned first that is not 0.
 */
int mm_for_each_section(const struct mm *mm, const struct mm_sections *s,
			int (*fn)(void *arg, pfn_t number, int nid), void *arg);

static inline bool mm_section_present(const struct mm_sections *s, pfn_t number)
{
	return number >= s->first && number - s->first < s->nr &&
	       s->sections[number - s->first].map != NULL;
}

/** Report the two reads that find a section's entry. */
void mm_section_touch(struct mm *mm, int cpu, const struct mm_sections *s, pfn_t number);

uint64_t mm_sections_table_bytes(const struct mm *mm, const struct mm_sections *s);

#endif
