/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replays a trace on a simulation: each CPU's actor does that CPU's operations in their order. An
 * operation on a page waits until the page is there, a free until all earlier operations on the
 * page are done, whichever CPUs they are on.
 */
#ifndef SIM_REPLAY_H
#define SIM_REPLAY_H

#include "sim/replay/placement.h"
#include "sim/replay/replay_cma.h"
#include "sim/replay/replay_file.h"
#include "sim/replay/replay_hotplug.h"
#include "sim/replay/replay_huge.h"
#include "sim/replay/replay_kernel.h"
#include "sim/replay/replay_maps.h"
#include "sim/replay/replay_process.h"
#include "sim/replay/replay_reclaim.h"
#include "sim/replay/replay_slab.h"
#include "sim/sim.h"
#include "sim/trace/trace.h"

enum replay_timing {
	REPLAY_ASAP,  /* operations back to back, by CPU */
	REPLAY_TRACE, /* no operation before its time since the first one of the trace */
	REPLAY_ORDER, /* the same, and none before those that come before it in the trace */
};

struct raised;

struct replay_options {
	enum replay_timing timing;
	bool started; /* the mm core began in the state before the trace: its pages can be freed */
	enum replay_reclaim_mode reclaim;
	/* when zones' watermarks are raised in the trace, by `from`; for REPLAY_ORDER */
	const struct raised *raised;
	size_t nr_raised;
	bool slab_pages_of_trace; /* slab objects are not replayed, the pages that they took are */
	bool views_json;          /* of views that the work asks for, too */
	struct placement *placement; /* compare where allocations go; NULL: do not */
	void (*progress)(void *arg, uint64_t done, uint64_t total); /* may be NULL */
	void *progress_arg;
};

/* What became of the trace's operations. done + lost + unknown + reclaim.left_out +
 * reclaim.already_gone = the trace's events; of huge, faults, present and unmaps are done; of
 * files, read and written. */
struct replay_counts {
	uint64_t allocs, frees, touches, waits; /* done */
	uint64_t splits;                        /* done */
	uint64_t held_frees;                    /* done, of pages from before the window */
	uint64_t failed;                        /* allocations that found no memory here */
	uint64_t failed_in_trace; /* that failed on the real machine: asked again here */
	uint64_t lost;            /* operations on pages whose allocation failed here */
	uint64_t unknown;     /* frees of pages from before the window that are not known here */
	uint64_t folded_cpus; /* CPUs of the trace that the machine does not have */
	struct replay_reclaim_counts reclaim;
	struct replay_huge_counts huge;
	struct replay_file_counts files;
	struct replay_slab_counts slab;
	struct replay_cma_counts cma;
	struct replay_map_counts maps;
	struct replay_process_counts processes; /* replay_counts_clear() frees it */
	struct replay_plugs plugs;              /* likewise */
	struct replay_kernel_counts kernel;     /* likewise */
};

/*
 * How long the waits of a CPU, and the trace's times where they are kept, may be together. A double
 * holds the engine's clock to 15 ps there.
 */
#define REPLAY_MAX_S 100000

/**
 * Run the whole trace and then until all CPUs are done. CPUs beyond the machine's are folded onto
 * those it has (cpu modulo their number). Returns 0 with *counts; -ERANGE where its waits
 * and times are longer than REPLAY_MAX_S; -ENOBUFS where an allocation that must not fail waits for
 * memory that nobody is left to free; -ENOMEM, or what sim_run() said.
 */
int replay_run(struct sim *s, const struct trace *t, const struct replay_options *options,
	       struct replay_counts *counts);
void replay_counts_clear(struct replay_counts *counts);

#endif
