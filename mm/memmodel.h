/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A memory model: how the kernel gets from a frame number to its page descriptor and back, and
 * where the descriptors are. One file a model in memmodel/, each a `const struct mm_memmodel
 * memmodel_NAME`; the build collects them in memmodel_kinds[].
 *
 * Descriptors come in maps. A map is an array for a range of frames; on the host it is address
 * space that takes memory where it is touched, in the simulated machine it is memory taken from
 * memblock. Every map starts and ends at a multiple of the largest block, so that the buddy of a
 * block always has a descriptor in the same map.
 */
#ifndef MM_MEMMODEL_H
#define MM_MEMMODEL_H

#include "mm/mm.h"
#include "mm/page.h"
#include "mm/walk.h"

struct mm_sections;

struct mm_page_map {
	struct page *pages; /* descriptor of start_pfn */
	pfn_t start_pfn, nr;
	phys_addr_t at; /* where the first descriptor is in simulated memory */
};

struct mm_memmodel {
	const char *name;
	enum mm_memory_model id;
	bool section_in_flags; /* page->flags holds the section number */

	/** Make the maps and tables. -EINVAL fills *refusal; on error nothing is left behind. */
	int (*init)(struct mm *mm, struct mm_refusal *refusal);
	void (*destroy)(struct mm *mm);

	/*
	 * Conversions. They report what the kernel's macro touches where cpu is not MM_NO_CPU.
	 * pfn_to_page wants a valid pfn, page_to_pfn a page of this mm.
	 */
	struct page *(*pfn_to_page)(struct mm *mm, int cpu, pfn_t pfn);
	pfn_t (*page_to_pfn)(struct mm *mm, int cpu, const struct page *page);
	bool (*pfn_valid)(const struct mm *mm, pfn_t pfn);
	/**
	 * Where the descriptor itself is in simulated memory, and in *address (NULL: nobody asks)
	 * by which address it is read: 0: by the direct mapping.
	 */
	phys_addr_t (*descriptor_at)(const struct mm *mm, const struct page *page,
				     uint64_t *address);
	/** What hardware reads to get there from an address that is another; NULL: none is. */
	void (*walk)(const struct mm *mm, uint64_t address, struct mm_walk *walk);

	/** Bytes of maps and tables, as there are now. */
	void (*info)(const struct mm *mm, struct mm_model_info *info);

	/** The sections, which may come and go while the kernel runs; NULL: it has none. */
	struct mm_sections *(*sections)(struct mm *mm);
	/**
	 * A new section's descriptors are mapped, or will no longer be: the tables for them; those
	 * of other sections are there. NULL: none are needed. 0 or -ENOMEM.
	 */
	int (*map)(struct mm *mm, int cpu, pfn_t number, int nid);
	void (*unmap)(struct mm *mm, int cpu, pfn_t number);
	bool devices;           /* single 64ths of a section can have descriptors: ZONE_DEVICE */
	const char *no_hotplug; /* why memory cannot come and go; NULL: it can */
};

extern const struct mm_memmodel *const memmodel_kinds[];

/** The model of that id; every id has one. */
const struct mm_memmodel *mm_memmodel(enum mm_memory_model id);

/* For the models: */

/** Host address space for `nr` descriptors, all zero; NULL where there is none left. */
struct page *mm_map_reserve(pfn_t nr);
void mm_map_release(struct page *pages, pfn_t nr);
/*
 * A huge page of most hosts. One fault for all of its descriptors instead of one for each 128, and
 * a host's TLB reaches as much further.
 */
#define MM_HOST_HUGE_BYTES ((uintptr_t)2 << 20)
/**
 * Of the next `nr` descriptors those of a largest block are about to be used for the first time,
 * and the others soon: where a huge page of the host begins among the former, and they have at
 * least half of it, it is one.
 */
void mm_map_use(struct page *page, pfn_t nr);
/** They are all about to be used: the host has memory for them at once, and not fault by fault. */
void mm_map_populate(struct page *pages, pfn_t nr);
/** They are all zero again, and take no memory of the host. */
void mm_map_clear(struct page *pages, pfn_t nr);

/**
 * Simulated memory for the mm core's own structures, on node `nid` if it has room, else anywhere:
 * where the reserved ranges say that they hold such structures, else from memblock. Returns its
 * address or MEMBLOCK_FAILED.
 */
phys_addr_t mm_boot_alloc(struct mm *mm, enum mm_holds what, uint64_t bytes, uint64_t align,
			  int nid);
/** The same on that node only; MM_NO_NODE: on any. */
phys_addr_t mm_boot_alloc_on(struct mm *mm, enum mm_holds what, uint64_t bytes, uint64_t align,
			     int nid);

/** Refuse for lack of room for `what`. Returns -EINVAL. */
int mm_refuse_room(struct mm_refusal *refusal, const char *what, uint64_t bytes);

static inline pfn_t mm_round_block_down(pfn_t pfn)
{
	return pfn & ~((UINT64_C(1) << MAX_PAGE_ORDER) - 1);
}

static inline pfn_t mm_round_block_up(pfn_t pfn)
{
	return mm_round_block_down(pfn + (UINT64_C(1) << MAX_PAGE_ORDER) - 1);
}

#endif
