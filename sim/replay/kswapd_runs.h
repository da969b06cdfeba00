/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the trace's kswapds gave back what zones' watermarks were raised by.
 *
 * A fallback that mixes page blocks raises a zone's watermarks and wakes kswapd; the run that finds
 * them raised lowers them at its end, which no line of a kmem trace says. But runs follow the
 * kernel's rule, and the trace has all that the rule goes by: how many pages of each zone were free
 * when, which fallbacks there were, and what kswapd freed. A run ends after a pass that leaves a
 * zone above its high watermark, raised as it is; passes free pages one after the other, so the end
 * is a pause in what kswapd frees that is longer than those within runs (PAUSES_WITHIN of those at
 * times when it cannot have been the end). Behind a pause it is another run only if somebody had to
 * wake kswapd meanwhile.
 */
#ifndef SIM_REPLAY_KSWAPD_RUNS_H
#define SIM_REPLAY_KSWAPD_RUNS_H

#include "sim/capture/state.h"
#include "sim/trace/trace.h"

/** The zone's watermarks are raised from before event `from` of the trace to before event `to`. */
struct raised {
	int nid, zone;
	size_t from, to;
};

/**
 * All of them, by `from`: *out has *nr, and is the caller's to free; NULL where there are none.
 * `mm` is the machine of the trace, in the state `before` it. Returns 0 or -ENOMEM.
 */
int kswapd_runs(const struct trace *t, const struct mm *mm, const struct captured_state *before,
		struct raised **out, size_t *nr);

#endif
