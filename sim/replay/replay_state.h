/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a replay holds while it runs, for the files that do its operations: replay.c those on pages,
 * workload_ops.c the others.
 */
#ifndef SIM_REPLAY_STATE_H
#define SIM_REPLAY_STATE_H

#include "sim/replay/held_types.h"
#include "sim/replay/replay.h"
#include "sim/replay/replay_policy.h"

/* A page of the trace: what it became here, and who waits for it. */
struct replay_page {
	struct page *page;   /* NULL until allocated, after a failure, and after its free */
	phys_addr_t object;  /* of a slab, or where frames of the CMA area begin; 0: none */
	struct page **small; /* of a huge page, single ones instead; NULL: none */
	uint32_t pending;    /* operations before its free that are not done */
	bool of_slab;        /* left out: the real slab allocator's */
	bool unmoved;        /* left out: what the trace's kcompactd moved there is where it was */
	bool allocated;      /* the allocation has been tried */
	bool awaited;        /* some CPU sleeps until something happens to it */
	uint8_t order;       /* once it is allocated */
	uint32_t nr_cma;     /* frames of the CMA area from `page` on */
};

struct replay_cpu {
	uint32_t *events; /* indexes into the trace, in order */
	size_t room;      /* of the array */
	size_t nr_events;
	uint32_t waits_for; /* page, or TRACE_NO_PAGE */
	bool waits_for_turn;
	struct replay_strands *strands; /* owned; NULL: its events are done in their order */
};

struct replay {
	struct sim *sim;
	struct mm *mm;
	const struct trace *trace;
	const struct replay_options *options;
	struct replay_counts *counts;
	struct replay_page *pages;
	struct replay_policies policies;
	struct replay_reclaim *reclaim;
	struct replay_slab *slab;           /* NULL: no objects, or they are not replayed */
	struct replay_files *files;         /* NULL: the trace has none */
	struct replay_maps *maps;           /* likewise */
	struct replay_processes *processes; /* likewise */
	struct replay_kernel *kernel;       /* likewise */
	struct sim_stand_in stand_in;       /* where CPUs have strands */
	struct replay_cpu *cpus;
	int nr_cpus;
	struct held_types *held; /* where pages from before the window were; NULL: unknown */
	size_t turn;             /* REPLAY_ORDER: the event that is next */
	uint64_t done;
	bool stopped; /* a sleep ended without a wake: all return */
};

/* Simulated time passes in these. */

/** Sleep until the page is allocated and, for its free, until nothing else is pending on it. */
void replay_wait_for_page(struct replay *r, int cpu, uint32_t number, bool alone);
/** The operation is over once its time has passed: only then may others go on. */
void replay_finish(struct replay *r, int cpu, uint32_t number);

/** Do the i-th of the CPU's events. */
void replay_do_event(struct replay *r, int cpu, size_t i);
/** Do an operation that is none on pages of the trace: of TRACE_FILE and what comes behind it. */
void replay_workload_op(struct replay *r, int cpu, const struct trace_event *ev);

#endif
