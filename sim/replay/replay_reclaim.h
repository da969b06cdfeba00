/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who frees memory in a replay when it runs short.
 *
 * REPLAY_RECLAIM_TRACE: those who did so on the real machine; the simulated kswapd runs, and takes
 * back what the watermarks were raised by, but finds nothing to free.
 * REPLAY_RECLAIM_SIMULATE: frees by kswapd, kcompactd and direct reclaim are left out of the trace,
 * and the simulated ones free what they would. User memory is followed from its allocation on, by
 * what its flags say it is (mm_page_kind_by_gfp()), or from before the window.
 */
#ifndef SIM_REPLAY_RECLAIM_H
#define SIM_REPLAY_RECLAIM_H

#include "sim/replay/kswapd_runs.h"
#include "sim/sim.h"
#include "sim/trace/trace.h"

enum replay_reclaim_mode { REPLAY_RECLAIM_TRACE, REPLAY_RECLAIM_SIMULATE };

/* What the simulated reclaim did to pages of the trace. */
struct replay_reclaim_counts {
	uint64_t left_out;     /* frees by reclaim on the real machine */
	uint64_t already_gone; /* frees of pages that were reclaimed here before */
	uint64_t swapped_in;   /* touches of pages that were in swap */
	uint64_t read_again;   /* touches of page cache that was reclaimed */
	uint64_t moved;        /* by compaction */
};

struct replay_reclaim;

/** Returns 0 or -ENOMEM. `pages`: by number, where each is here; set to NULL where it is taken. */
int replay_reclaim_new(struct sim *s, const struct trace *t, enum replay_reclaim_mode mode,
		       struct replay_reclaim_counts *counts, struct replay_reclaim **out);
void replay_reclaim_free(struct replay_reclaim *r);

/**
 * With REPLAY_RECLAIM_TRACE: zones' watermarks stay raised here, once they are, for as long as they
 * do in the trace. `raised` stays the caller's. Returns 0 or -ENOMEM.
 */
int replay_reclaim_follow_raised(struct replay_reclaim *r, const struct raised *raised, size_t nr);
/** Event `i` of the trace is next, of all CPUs. */
void replay_reclaim_turn(struct replay_reclaim *r, int cpu, size_t i);
/**
 * With REPLAY_RECLAIM_TRACE: has the allocation been helped by reclaim, or will it have been
 * shortly? Not where it failed in the trace, nor where that tells of no reclaim at that time, or of
 * less than is owed already.
 */
bool replay_reclaim_owes(const struct replay_reclaim *r, const struct trace_event *ev);
/** Is the event done by the simulated reclaim instead? Counts it then. */
bool replay_reclaim_skips(struct replay_reclaim *r, const struct trace_event *ev);
/** The page of an allocation, NULL where it failed, goes to `slot`, before any time passes: there
 * it is changed if it moves, and forgotten if it is taken away. */
void replay_reclaim_own(struct replay_reclaim *r, int cpu, const struct trace_event *ev,
			struct page *page, struct page **slot);
/** Reclaim follows it from now on. Simulated time may pass. */
void replay_reclaim_follow(struct replay_reclaim *r, int cpu, const struct trace_event *ev);
/**
 * The upper half of the page becomes another one's, that of the split `ev`, with what is known of
 * it. Both stay NULL where there is none. Simulated time may pass.
 */
void replay_reclaim_split(struct replay_reclaim *r, int cpu, const struct trace_event *ev,
			  struct page **low, struct page **high);
/** Was the page, which is gone, reclaimed? For its free: then nothing is left of it. */
bool replay_reclaim_took(struct replay_reclaim *r, const struct trace_event *ev);
/** A load or store: the page, or the one that its content was read back into. NULL where there is
 * no memory for it, or it is gone for another reason. Simulated time may pass. */
struct page *replay_reclaim_touch(struct replay_reclaim *r, int cpu, const struct trace_event *ev,
				  struct page **slot);

#endif
