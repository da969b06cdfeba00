/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One piece of work on one machine, or the same work on several. SimGrid allows one engine a
 * process, so several machines run in child processes, which pass their result documents back.
 */
#ifndef SIM_EXPERIMENT_H
#define SIM_EXPERIMENT_H

#include "sim/machine/costs.h"
#include "sim/result/result.h"
#include "sim/show/show.h"

/* What simulated time is made of. */
enum timing_mode {
	TIMING_BATCHED, /* private work summed up; in a small window where reclaim is simulated */
	TIMING_EXACT,   /* an activity of SimGrid for each charge: a sleep or a transfer */
	NR_TIMING_MODES
};
extern const char *const timing_mode_names[NR_TIMING_MODES + 1]; /* NULL at the end */

struct experiment {
	const struct costs *costs;
	const struct trace *trace;
	const char *work; /* what the result calls it */
	struct replay_options options;
	enum timing_mode timing_mode;
	bool verify;       /* recompute every invariant of the mm core at the end */
	const char *start; /* folder of the state to begin in, see start.h; NULL: as booted */
	FILE *placement;   /* write where each allocation went here and there; NULL: do not */
	FILE *events;      /* write the mm core's tracepoints here, as ftrace text; NULL: do not */
	/* Views of the machine as the work leaves it, into the result's "views"; none: no such. */
	const struct show_request *views;
	size_t nr_views;
};

/**
 * Run it here; once a process. Returns 0 and *result (json_decref it); -EINVAL where the machine is
 * refused, or has not what a view is of; -EDEADLK, or -EBADMSG where an invariant does not hold;
 * each with the reason in diag.
 */
int experiment_run(const struct experiment *e, const struct machine *m, struct diag *diag,
		   json_t **result);

/**
 * Run it on each machine, as many at once as there are processors, in child processes. Returns 0
 * and *results, an array in the order of the machines; or the first error, with the reason in diag.
 */
int experiment_compare(const struct experiment *e, struct machine *const *machines, size_t nr,
		       struct diag *diag, json_t **results);

#endif
