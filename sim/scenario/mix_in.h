/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a generated trace can have besides blocks that are allocated, written and freed: shares of
 * its events become something else, or get company.
 */
#ifndef SIM_MIX_IN_H
#define SIM_MIX_IN_H

#include "sim/rng.h"
#include "sim/trace/trace.h"
#include "sim/workload.h"

/* X(enumerator, name, percent of what, and what becomes of that) */
#define MIX_INS(X)                                                                                 \
	X(SLAB, "slab",                                                                            \
	  "single pages that are objects of slabs instead, by kmalloc or of a cache")              \
	X(SPLIT, "split", "larger blocks that are split in two once they are allocated")           \
	X(MOVE, "move", "blocks that move to another frame before they are freed")                 \
	X(READ, "read", "touches that read")                                                       \
	X(NODE, "node", "allocations that ask for a node")                                         \
	X(POLICY, "policy", "allocations by a memory policy: interleave, bind, preferred, ...")    \
	X(MOBILITY, "mobility", "allocations of another mobility than their flags say")            \
	X(WAIT, "wait", "events before which the CPU waits, 10 us in the mean")                    \
	X(RECLAIM, "reclaim", "frees by reclaim, half of them by kswapd")                          \
	X(BEFORE, "before", "allocations beside which a page from before the trace is freed")      \
	X(FAILED, "failed", "allocations beside which one failed")

enum mix_in {
#define X(id, name, what) MIX_IN_##id,
	MIX_INS(X)
#undef X
		MIX_NR_INS
};

const char *mix_in_name(unsigned i); /* NULL past the last */
const char *mix_in_what(unsigned i);

struct mix_ins {
	unsigned percent[MIX_NR_INS]; /* 0: none */
};

/** Read "slab:20,wait:5". True, or false with what is wrong in `wrong`. */
bool mix_in_parse(const char *text, struct mix_ins *mix, char *wrong, size_t size);

/* A trace that is being made of another one. */
struct mix_run {
	const struct mix_ins *mix;
	const struct workload_host *host;
	uint64_t touch_bytes; /* that the workload touches of each block */
	struct rng rng;       /* of what is mixed in */
	struct trace *to;
	uint64_t most, nr; /* events, steps of hotplug apart: at most (0: all); so far */
	/* Between two events, in the mean; by the rng of the workload. */
	uint64_t interval_ps, time_ps;
	struct rng *interval;
	struct mix_page *pages; /* owned; what pages of the other one became */
	uint16_t policies[4];   /* of the trace */
	unsigned nr_policies;
	uint32_t caches[3];
};

/** `mix` and what else is set stays the caller's. 0 or -ENOMEM; end it either way. */
int mix_begin(struct mix_run *x, const struct trace *from);
/** Append what becomes of an event of the other trace. 0 or -ENOMEM. */
int mix_event(struct mix_run *x, const struct trace_event *ev);
/** Append an event as it is, at the time that it is. 0 or -ENOMEM. */
int mix_append(struct mix_run *x, struct trace_event ev);
void mix_end(struct mix_run *x);

#endif
