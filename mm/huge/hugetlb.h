/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pools of huge pages (hugetlbfs, MAP_HUGETLB): pages that are set apart, by size and node, for
 * who asks for them by name. A size is what one entry of an upper level of page tables maps: 2 MiB
 * on x86_64, arm64 and i386 with PAE, 4 MiB without; and 1 GiB on x86_64 and arm64, which is more
 * than the buddy lists have in one piece (a gigantic page).
 *
 * A size is named by its number, from 0 to mm_hugetlb_sizes() - 1, smallest first. Numbers are huge
 * pages. Simulated time may pass in what takes a CPU.
 */
#ifndef MM_HUGETLB_H
#define MM_HUGETLB_H

#include "mm/mempolicy.h"

/* What the kernel shows as HugePages_*. free, surplus <= total; reserved <= free. */
struct mm_hugetlb_info {
	uint64_t total, free, surplus;
	uint64_t reserved;   /* of free, those that somebody may count on; of all nodes only */
	uint64_t overcommit; /* surplus at most; likewise */
};

/** How many sizes there are: 1 or 2. */
unsigned mm_hugetlb_sizes(const struct mm *mm);
/** The one that is meant where none is named (default_hugepagesz=). */
unsigned mm_hugetlb_default(const struct mm *mm);
/** The size of `bytes`; -1: there is none. */
int mm_hugetlb_find(const struct mm *mm, uint64_t bytes);
/** Pages in a huge page of that size: 2^order. */
unsigned mm_hugetlb_order(const struct mm *mm, unsigned size);
/** Of a node, or with MM_NO_NODE of all. */
void mm_hugetlb_info(const struct mm *mm, unsigned size, int nid, struct mm_hugetlb_info *info);
/** Pages of 2^page_shift bytes in the pools of all sizes: what "Hugetlb" of /proc/meminfo is. */
uint64_t mm_hugetlb_pages(const struct mm *mm);

/**
 * Make the pool so large, as a write to nr_hugepages does: grow by the nodes in turn as far as
 * there is memory, or shrink by what is free and not reserved; surplus pages count last. With `nid`
 * only that node's pages change, and `count` is how many it shall have; else `nodes` are those in
 * whose turn it goes (NULL: all with memory). Returns how many there are then, surplus apart.
 */
uint64_t mm_hugetlb_resize(struct mm *mm, int cpu, unsigned size, int nid,
			   const struct mm_nodemask *nodes, uint64_t count);
/**
 * Make pages of the next smaller size of `count` that are free and not reserved, of all nodes in
 * turn or of `nid`, as a write to "demote" does. Returns how many it were; -EINVAL where there is
 * no smaller size.
 */
int64_t mm_hugetlb_demote(struct mm *mm, int cpu, unsigned size, int nid, uint64_t count);

/**
 * Set pages apart for a mapping that is made; the pool may grow by nr_overcommit_hugepages, which
 * is surplus. Returns 0, or -ENOMEM with nothing changed.
 */
int mm_hugetlb_reserve(struct mm *mm, int cpu, unsigned size, uint64_t pages);
/** Give up what of that was not used; surplus pages leave the pool. */
void mm_hugetlb_unreserve(struct mm *mm, int cpu, unsigned size, uint64_t pages);

/**
 * A page for a fault, by a policy: of the nearest node that has one, in the order of the zonelist.
 * `reserved` uses up one that mm_hugetlb_reserve() has set apart; without, or where the policy's
 * nodes have none, it may be surplus, which gigantic ones never are. Not zeroed. Returns 0, or
 * -ENOMEM.
 */
int mm_hugetlb_alloc(struct mm *mm, int cpu, unsigned size, const struct mm_policy_use *use,
		     bool reserved, struct page **page);
/** Back to the pool, or out of it where its node has surplus. -EINVAL where it is none in use. */
int mm_hugetlb_free(struct mm *mm, int cpu, struct page *page);

#endif
