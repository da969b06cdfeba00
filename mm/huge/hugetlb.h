/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool of huge pages (hugetlbfs, MAP_HUGETLB): pages of one size that are set apart, by node,
 * for who asks for them by name. The size is what one entry of a page table's upper level maps:
 * 2 MiB on x86_64, arm64 and i386 with PAE, 4 MiB without. There is no pool of larger ones.
 *
 * Numbers are huge pages. Simulated time may pass in what takes a CPU.
 */
#ifndef MM_HUGETLB_H
#define MM_HUGETLB_H

#include "mm/mempolicy.h"

/* What the kernel shows as HugePages_*. free, surplus <= total; reserved <= free. */
struct mm_hugetlb_info {
	uint64_t total, free, surplus;
	uint64_t reserved; /* of free, those that somebody may count on; of all nodes only */
};

/** Pages in a huge page: 2^order. */
unsigned mm_hugetlb_order(const struct mm *mm);
/** Of a node, or with MM_NO_NODE of all. */
void mm_hugetlb_info(const struct mm *mm, int nid, struct mm_hugetlb_info *info);

/**
 * Make the pool so large, as a write to nr_hugepages does: grow by the nodes in turn as far as
 * there is memory, or shrink by what is free and not reserved; surplus pages count last. With `nid`
 * only that node's pages change, and `count` is how many it shall have; else `nodes` are those in
 * whose turn it goes (NULL: all with memory). Returns how many there are then, surplus apart.
 */
uint64_t mm_hugetlb_resize(struct mm *mm, int cpu, int nid, const struct mm_nodemask *nodes,
			   uint64_t count);

/**
 * Set pages apart for a mapping that is made; the pool may grow by nr_overcommit_hugepages, which
 * is surplus. Returns 0, or -ENOMEM with nothing changed.
 */
int mm_hugetlb_reserve(struct mm *mm, int cpu, uint64_t pages);
/** Give up what of that was not used; surplus pages leave the pool. */
void mm_hugetlb_unreserve(struct mm *mm, int cpu, uint64_t pages);

/**
 * A page for a fault, by a policy: of the nearest node that has one, in the order of the zonelist.
 * `reserved` uses up one that mm_hugetlb_reserve() has set apart; without, or where the policy's
 * nodes have none, it may be surplus. Not zeroed. Returns 0, or -ENOMEM.
 */
int mm_hugetlb_alloc(struct mm *mm, int cpu, const struct mm_policy_use *use, bool reserved,
		     struct page **page);
/** Back to the pool, or out of it where its node has surplus. -EINVAL where it is none in use. */
int mm_hugetlb_free(struct mm *mm, int cpu, struct page *page);

#endif
