/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What run, replay and compare share: their options, loading what they name, and running it.
 */
#ifndef TOOLS_WORK_H
#define TOOLS_WORK_H

#include "sim/experiment.h"
#include "sim/scenario/scenario.h"
#include "tools/command.h"
#include "tools/output.h"
#include "tools/progress.h"
#include "tools/views.h"

extern const struct option_def option_timing, option_timing_mode, option_costs, option_verify,
	option_events, option_start, option_placement, option_reclaim, option_slab;

struct work {
	const struct arguments *args;
	struct diag diag;
	struct scenario *scenario; /* owned; NULL where the work is a trace */
	struct costs costs;
	struct trace *trace; /* owned */
	struct experiment experiment;
	struct progress progress;
	struct output events;       /* --events; stream NULL where it was not given */
	struct output placement;    /* --placement, likewise */
	struct show_request *views; /* --show; owned */
};

/** Begin: what the options say. */
void work_init(struct work *w, const struct arguments *args);

/** The same for a command that takes --show. False after a message of `who`: there is no work. */
bool work_init_with_views(struct work *w, const struct arguments *args, const char *who);

/* Each 0 or -errno, with the reason in w->diag. */

/** Read the scenario to run, --set and --seed applied; before machines and costs. */
int work_load_scenario(struct work *w, const char *path);
/** Make the scenario's operations, for this machine. */
int work_make_trace(struct work *w, const struct machine *m);
/** The machine has room for the memory that steps of the trace add. 0 or -ENOMEM. */
int work_plan(const struct work *w, struct machine *m);
/** Read the trace to replay on `m`, or on several (NULL), and settle who reclaims. */
int work_load_trace(struct work *w, const char *path, const struct machine *m);
/** Load --costs, else the scenario's, else the default. */
int work_load_costs(struct work *w);
/** Load a machine with those --set that are not the scenario's. */
int work_load_machine(struct work *w, const char *path, struct machine **out);
/** Run it on the machine, with --events. 0 or -errno; *result is the document. */
int work_run(struct work *w, const struct machine *m, json_t **result);

/**
 * The end of a command: `err` and `result` are what came of it. Prints the warnings, then the
 * result or the error; frees the work and the result. Returns the exit status.
 */
int work_finish(struct work *w, int err, json_t *result, bool comparison, const char *file);

#endif
