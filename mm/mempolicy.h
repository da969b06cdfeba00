/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NUMA memory policies: what a task, or a range of its memory, says about the nodes that its pages
 * come from.
 */
#ifndef MM_MEMPOLICY_H
#define MM_MEMPOLICY_H

#include "mm/mm.h"

/* Modes, numbered as the kernel's MPOL_*. */
enum mm_policy_mode {
	MM_POLICY_DEFAULT,             /* the CPU's node */
	MM_POLICY_PREFERRED,           /* one node, then as that falls back */
	MM_POLICY_BIND,                /* these nodes and no others */
	MM_POLICY_INTERLEAVE,          /* these nodes in turn */
	MM_POLICY_LOCAL,               /* the CPU's node, said explicitly */
	MM_POLICY_PREFERRED_MANY,      /* these nodes, then any */
	MM_POLICY_WEIGHTED_INTERLEAVE, /* these nodes in turn, each as often as its weight says */
	MM_NR_POLICY_MODES
};

struct mm_policy {
	uint8_t mode;     /* enum mm_policy_mode */
	bool relative;    /* nodes count among those that have memory (MPOL_F_RELATIVE_NODES) */
	int16_t home_nid; /* BIND, PREFERRED_MANY: where to begin; MM_NO_NODE: at the CPU's node */
	struct mm_nodemask nodes; /* empty for DEFAULT and LOCAL */
};

/** "MPOL_BIND"; NULL past the last mode. */
const char *mm_policy_mode_name(unsigned mode);

/** An allocation by a policy. */
struct mm_policy_use {
	const struct mm_policy *policy;
	uint32_t turn; /* interleaving: which node it is the turn of, modulo their (weighted) number
			*/
	bool huge;     /* a huge page for a page fault: the node or the mask first, cheaply */
};

/**
 * What a policy asks of the page allocator: the node and the mask that Linux 6.1 gives to
 * __alloc_pages(). Fills req->nid and req->nodes, the latter with NULL or `mask`, which the caller
 * provides; req->cpu and req->gfp are read. A policy that names no node with memory asks for the
 * CPU's node, as does one with __GFP_THISNODE outside a fault for a huge page.
 */
void mm_policy_request(const struct mm *mm, const struct mm_policy_use *use, struct mm_request *req,
		       struct mm_nodemask *mask);

/**
 * mm_alloc_pages() by a policy, with all the attempts that Linux makes: req->gfp is what the caller
 * of the policy asks for; req->nid and req->nodes are not read. Simulated time may pass. Counts
 * interleave_hit. Returns what mm_alloc_pages() does; -EINVAL where the mode is none.
 */
int mm_alloc_pages_policy(struct mm *mm, const struct mm_request *req,
			  const struct mm_policy_use *use, struct page **out);

/**
 * The same, but one attempt: req->gfp is what the page allocator gets to see, as a trace has it.
 * __GFP_THISNODE keeps it on the policy's node; PREFERRED_MANY looks at its mask only.
 */
int mm_alloc_pages_policy_once(struct mm *mm, const struct mm_request *req,
			       const struct mm_policy_use *use, struct page **out);

/**
 * mm_alloc_pages_bulk() by a task's policy, as alloc_pages_bulk_array_mempolicy(): interleaving
 * asks each node once, for its share, and is then `*turn` turns further. req->gfp and req->cpu are
 * read. Returns how many of pages[], which are NULL at first, are there.
 */
uint64_t mm_alloc_pages_bulk_policy(struct mm *mm, const struct mm_request *req,
				    const struct mm_policy *policy, uint32_t *turn, uint64_t nr,
				    struct page **pages);

/** May a task of that policy have pages of any of the nodes? Only MPOL_BIND keeps it from some. */
bool mm_policy_may_use(const struct mm *mm, const struct mm_policy *policy,
		       const struct mm_nodemask *nodes);

/** How often a weighted interleave comes to the node, 1 to 255. -EINVAL beyond. */
int mm_set_interleave_weight(struct mm *mm, int nid, unsigned weight);
unsigned mm_interleave_weight(const struct mm *mm, int nid);

#endif
