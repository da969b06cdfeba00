/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where each allocation of a trace went on the real machine and where it goes here, and where the
 * two differ, why. The real place follows from the traced frame, on a machine with the same
 * memory map; it is only compared with.
 *
 * Reasons are found in the state at that moment: how many pages were free in the zones in question
 * here, and there. The latter follows from the state before the window, the blocks that the trace
 * shows moving from and to the buddy lists, and the frees that go there directly.
 */
#ifndef SIM_PLACEMENT_H
#define SIM_PLACEMENT_H

#include <jansson.h>
#include <stdio.h>

#include "sim/capture/state.h"
#include "sim/trace/trace.h"

#define PLACEMENT_REASONS(X)                                                                       \
	X(EQUAL, "-", "same node and zone")                                                        \
	X(DRIFT, "earlier-drift", "another number of free pages, from earlier differences")        \
	X(BULK, "untraced-bulk", "the same, but no more than allocations without a line hold")     \
	X(BOOST, "boost", "the watermark of a zone was raised on one side only")                   \
	X(WATERMARK, "watermark",                                                                  \
	  "as many free pages, and so near to the watermark that the "                             \
	  "counts that CPUs hold back decide")                                                     \
	X(FRAGMENTED, "fragmentation", "room enough, but on one side in blocks too small")         \
	X(POLICY, "policy-unknown",                                                                \
	  "a zone with room was passed by: a policy not told, or not all of it")                   \
	X(FAILED_HERE, "failed-here", "no memory here")                                            \
	X(FAILED_THERE, "failed-there", "no memory on the real machine")                           \
	X(NO_FRAME, "no-frame", "the trace does not say, or the machine has no such frame")        \
	X(UNKNOWN, "unknown", "none of these")

enum placement_reason {
#define X(id, name, what) PLACEMENT_##id,
	PLACEMENT_REASONS(X)
#undef X
		PLACEMENT_NR_REASONS
};

const char *placement_reason_name(enum placement_reason why);

struct placement;

/**
 * To compare the allocations of `t` with. `before` is the state that the replay began in, or NULL:
 * then the free pages of the real machine are not known, and reasons are fewer. All are borrowed.
 * NULL where there is no memory. Free with placement_free().
 */
struct placement *placement_new(const struct trace *t, const struct mm *mm,
				const struct captured_state *before);
void placement_free(struct placement *p);

/* For the replay, in the order in which it does the events: */

/** Event `i` is about to be done. */
void placement_begin(struct placement *p, size_t i);
/** Event `i`, an allocation by `cpu`, got `page`, or NULL. `policy`: the trace told whose it was.
 */
void placement_alloc(struct placement *p, size_t i, int cpu, const struct page *page);

/* Afterwards: */

/** A line for each allocation; docs/result.md has the columns. Errors show in the stream. */
void placement_write(const struct placement *p, FILE *out);
/** Into `doc` as "placement"; docs/result.md has its members. */
void placement_put(json_t *doc, const struct placement *p);

#endif
