/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of the kernel's functions in a replay: each CPU of the trace has values of its own for the
 * names of the trace's plan, and a count of who has disabled preemption.
 */
#ifndef SIM_REPLAY_KERNEL_H
#define SIM_REPLAY_KERNEL_H

#include <jansson.h>

#include "sim/scenario/kernel_plan.h"
#include "sim/sim.h"
#include "sim/trace/trace.h"

#define REPLAY_KERNEL_LINES 64 /* that are kept of what the calls print */

/* What came of a call, by all CPUs that do it: of blocks, objects, areas, each by itself. */
struct replay_kernel_sum {
	uint64_t calls, failed; /* done, and of these, refused or without memory */
	uint64_t nothing;       /* not done: of what an earlier call did not get */
	uint64_t ps;            /* that they took */
};

struct replay_kernel_counts {
	uint64_t events;
	struct replay_kernel_sum *of;     /* owned: by call of the plan; NULL: none */
	char *lines[REPLAY_KERNEL_LINES]; /* owned: what dump_page() and ksize() say */
	unsigned nr_lines;
	bool views_json; /* what show says is wanted in its JSON forms */
	json_t *views;   /* owned: the first REPLAY_KERNEL_LINES of them; NULL: none */
};

struct replay_kernel;

/** What calls need; *out is NULL where the trace has none. 0 or -ENOMEM. */
int replay_kernel_new(struct sim *s, const struct trace *t, struct replay_kernel_counts *counts,
		      struct replay_kernel **out);
/** `k` may be NULL. */
void replay_kernel_free(struct replay_kernel *k);
void replay_kernel_counts_clear(struct replay_kernel_counts *counts);

/**
 * Do a TRACE_CALL. Simulated time passes. Returns 0; -EDEADLK where it waits for what nobody is
 * left to give, which ends the run.
 */
int replay_kernel_call(struct replay_kernel *k, int cpu, const struct trace_event *ev);
/** At the end: a warning for each CPU that still has preemption disabled. */
void replay_kernel_leaks(struct replay_kernel *k);

#endif
