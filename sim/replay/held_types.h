/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of which mobility the page blocks of the real machine were, as far as the blocks that a trace
 * shows moving from and to the buddy lists, or coming from a CPU's list, tell it: pages freed
 * beside them are of that mobility.
 */
#ifndef SIM_HELD_TYPES_H
#define SIM_HELD_TYPES_H

#include "sim/trace/trace.h"

struct held_types;

/** Returns 0 and *out (free with held_types_free()), or -ENOMEM. */
int held_types_new(const struct trace *t, unsigned pageblock_order, struct held_types **out);
/** `h` may be NULL. */
void held_types_free(struct held_types *h);

/**
 * Of a page that was in use before the trace. Where the trace says nothing of its page block, what
 * such pages mostly are: single ones user memory, larger ones the kernel's own. `h` may be NULL.
 */
enum mm_migratetype held_type(const struct held_types *h, pfn_t pfn, unsigned order);

#endif
