/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a trace shows of the real machine's page frames: which are allocated, and by which event;
 * which are free, on a per-CPU list or on the buddy lists; and what must have happened to them
 * although no line says so.
 *
 * Two things leave no event: allocations of many pages at once (alloc_pages_bulk: kernel stacks,
 * vmalloc), and the pages that compaction takes from the buddy lists as its targets. They show when
 * such a page is freed though the trace has it free. Some traces tell the former, by a probe, but
 * not which pages they are; and each page that kcompactd frees has moved to such a target. And
 * blocks that a CPU's list was filled with leave it in that order: once a later one of the same
 * filling is allocated, those before it are gone. What is inferred is put in at the latest time at
 * which it can have happened.
 */
#ifndef SIM_TRACE_FRAMES_H
#define SIM_TRACE_FRAMES_H

#include "sim/trace/trace.h"

struct frames;

/** NULL where there is no memory. */
struct frames *frames_new(void);
void frames_free(struct frames *f);

/*
 * Each takes what a line says, and appends it to `t`, behind what follows from it. Return 0,
 * -ENOMEM, or -E2BIG where `t` has more pages than can be numbered.
 */

/** An allocation of the block at `pfn`: all of `ev` but its page. */
int frames_alloc(struct frames *f, struct trace *t, const struct trace_event *ev, pfn_t pfn);
/**
 * A free: all of `ev` but its kind and page. It is counted as skipped where it is of another order
 * than the allocation. `moved`: by kcompactd, which frees what it has moved within its zone. Before
 * such a free stands the allocation of a single page for it: inferred, and TRACE_F_MIGRATE.
 */
int frames_release(struct frames *f, struct trace *t, const struct trace_event *ev, pfn_t pfn,
		   bool moved);
/**
 * alloc_pages_bulk gave `nr` single pages: all of `ev` but what they are. Which frames they have
 * shows later.
 */
int frames_bulk(struct frames *f, struct trace *t, const struct trace_event *ev, unsigned nr);
/** The real kernel moved a free block; `ev` has the line's time, CPU and number. */
int frames_move(struct frames *f, struct trace *t, const struct trace_event *ev,
		const struct trace_move *move);

#endif
