/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of processes in a replay (mm/user/user.h has the kernel's part). */
#ifndef SIM_REPLAY_PROCESS_H
#define SIM_REPLAY_PROCESS_H

#include "mm/user/user.h"
#include "sim/replay/replay_policy.h"
#include "sim/sim.h"

/* What a process went through. */
struct replay_process {
	struct mm_space
		*space;    /* NULL: not begun, or it has exited; the mm core's, as long as that */
	uint64_t accesses; /* of its memory; pages of files */
	uint64_t faults, major, zeroed, zeroed_huge, fallback, copied, reused,
		around;            /* as mm_space_info */
	uint64_t failed;           /* steps that found no memory, and went no further */
	uint64_t not_moved;        /* pages that migrate_pages left where they were */
	uint64_t busy_ps;          /* of its CPUs, in its steps */
	uint64_t begin_ps, end_ps; /* of its first and its last step */
	bool begun;
};

/* When a step began and ended. */
struct replay_step_times {
	uint64_t begin_ps, end_ps;
	int err; /* of one that failed, a negative errno; else 0 */
	bool begun;
};

struct replay_process_counts {
	uint64_t steps;                  /* slices of them, done */
	struct replay_step_times *times; /* owned; by step of the plan */
	struct replay_process *of;       /* owned; by process of the plan; NULL: there are none */
};

struct replay_processes;

/** What steps need; *out is NULL where the trace has none. 0 or -ENOMEM. */
int replay_processes_new(struct sim *s, const struct replay_policies *p,
			 struct replay_process_counts *counts, struct replay_processes **out);
void replay_processes_free(struct replay_processes *r);

/** The plan's process of a step. */
uint32_t replay_step_process(const struct replay_processes *r, const struct trace_event *ev);
/** The page number of the step that comes before; TRACE_NO_PAGE: none. */
uint32_t replay_step_after(const struct replay_processes *r, const struct trace_event *ev);
/** That of the last step of the child that it waits for; TRACE_NO_PAGE: it waits for none. */
uint32_t replay_step_awaits(const struct replay_processes *r, const struct trace_event *ev);
/** Do a TRACE_STEP. Returns whether all of the step is done. Simulated time passes. */
bool replay_step(struct replay_processes *r, int cpu, const struct trace_event *ev);

#endif
