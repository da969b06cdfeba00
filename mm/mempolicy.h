/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NUMA memory policies: what a task, or a range of its memory, says about the nodes that its pages
 * come from.
 */
#ifndef MM_MEMPOLICY_H
#define MM_MEMPOLICY_H

#include "mm/types.h"

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

#endif
