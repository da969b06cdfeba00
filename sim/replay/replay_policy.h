/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocations of a trace by the node or the policy that the trace has for them, on the machine of
 * the replay. Nodes that this machine does not have are folded like CPUs: node n is n modulo their
 * number.
 */
#ifndef SIM_REPLAY_POLICY_H
#define SIM_REPLAY_POLICY_H

#include "sim/replay/replay_reclaim.h"
#include "sim/trace/trace.h"

/* The trace's policies with the nodes of the machine. */
struct replay_policies {
	struct mm *mm;
	const struct trace *trace;
	struct mm_policy *policies;
	struct replay_reclaim *reclaim; /* what requests are owed */
	int nr_nodes;                   /* that nodes are folded onto */
	unsigned huge_order;
};

/** Returns 0 or -ENOMEM; free with replay_policies_clear() in any case. */
int replay_policies_init(struct replay_policies *p, struct mm *mm, int nr_nodes,
			 const struct trace *t);
void replay_policies_clear(struct replay_policies *p);

/**
 * Do the allocation on `cpu`. Simulated time may pass. Returns as mm_alloc_pages() does.
 *
 * The event is one attempt of the real kernel. Where it went well there but not here, the attempts
 * that the kernel would have made next follow; where it failed there, they are events of their own.
 */
int replay_alloc(const struct replay_policies *p, int cpu, const struct trace_event *ev,
		 struct page **page);

#endif
