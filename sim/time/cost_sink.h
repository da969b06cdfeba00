/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cost sink: what the mm core reports through mm/ops.h becomes charges of simulated CPUs.
 */
#ifndef SIM_COST_SINK_H
#define SIM_COST_SINK_H

#include "mm/ops.h"

/* The ops to boot the mm core with; their ctx is the struct sim. */
extern const struct mm_ops cost_sink_ops;
/** The same for a machine that describes a TLB. */
struct mm_ops cost_sink_with_tlb(void);
/* What it has to be told of, for the pace of reclaim: types, a bit each. */
#define COST_SINK_EVENTS                                                                           \
	(1u << MM_EVENT_PAGE_FREE | 1u << MM_EVENT_DIRECT_BEGIN | 1u << MM_EVENT_DIRECT_END |      \
	 1u << MM_EVENT_NODE_BEGIN | 1u << MM_EVENT_NODE_END)

#endif
