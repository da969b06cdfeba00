/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sections: the unit in which the sparse memory models keep descriptors. A section with any memory
 * in it is present, and has descriptors for all its frames. The table has two levels (the kernel's
 * SPARSEMEM_EXTREME): an array of roots, each a page of section entries.
 */
#ifndef MM_SECTION_H
#define MM_SECTION_H

#include "mm/internal.h"

/* Descriptors that came while the kernel ran, and where they went. */
struct mm_hot_section {
	struct page **pages; /* RAM that they take: one block, or single pages; NULL: none of it */
	unsigned nr_pages, order;
	bool on_device;
};

struct mm_section {
	struct page *map; /* descriptor of its first frame; NULL where it never was present */
	phys_addr_t at;   /* of that descriptor, in simulated memory; with single pages unused */
	uint64_t present; /* bit by 64th of its frames: they have descriptors */
	struct mm_hot_section *hot; /* NULL: they are there since boot */
};

struct mm_sections {
	unsigned pfn_shift; /* frames of a section: 2^pfn_shift */
	pfn_t first, nr;    /* numbers [first, first + nr) span all that are present */
	pfn_t nr_present;
	pfn_t nr_frames;             /* that have descriptors */
	pfn_t nr_device_frames;      /* of these, with descriptors that take no RAM */
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
	       s->sections[number - s->first].present;
}

/* What of a section comes and goes by itself: a 64th, 2 MiB of 128 MiB (SUBSECTION_SIZE). */
#define MM_SUBSECTIONS 64

/** Has the frame a descriptor? */
static inline bool mm_section_has(const struct mm_sections *s, pfn_t pfn)
{
	pfn_t number = pfn >> s->pfn_shift;
	unsigned part = (unsigned)(pfn >> (s->pfn_shift - 6)) % MM_SUBSECTIONS;

	return number >= s->first && number - s->first < s->nr &&
	       s->sections[number - s->first].present >> part & 1;
}

/** The same as below of a section that came later: its descriptors may lie in several pieces. */
phys_addr_t mm_hot_descriptor_at(const struct mm *mm, const struct mm_section *section,
				 uint64_t offset);
/** Where the descriptor of that frame of a section is. */
static inline phys_addr_t
mm_section_descriptor_at(const struct mm *mm, const struct mm_section *section, pfn_t in_section)
{
	uint64_t offset = in_section * mm->arch->page_struct_bytes;

	if (section->hot)
		return mm_hot_descriptor_at(mm, section, offset);
	return section->at + offset;
}
/** The table's page that names the section, taken as needed. 0 or -ENOMEM. */
int mm_section_add_root(struct mm *mm, int cpu, struct mm_sections *s, pfn_t number, int nid);

/** Report the two reads that find a section's entry. */
void mm_section_touch(struct mm *mm, int cpu, const struct mm_sections *s, pfn_t number);

uint64_t mm_sections_table_bytes(const struct mm *mm, const struct mm_sections *s);

#endif
