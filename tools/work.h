/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What run, replay and compare share: their options, loading what they name, and running it.
 */
#ifndef TOOLS_WORK_H
#define TOOLS_WORK_H

#include "sim/experiment.h"
#include "tools/command.h"
#include "tools/output.h"
#include "tools/progress.h"

extern const struct option_def option_timing, option_costs, option_verify, option_events;

struct work {
	const struct arguments *args;
	struct diag diag;
	struct costs costs;
	struct trace *trace; /* owned */
	struct experiment experiment;
	struct progress progress;
	struct output events; /* --events; stream NULL where it was not given */
};

/** Begin: options and costs (`costs`: a path, or NULL for --costs or the default). 0 or -errno. */
int work_init(struct work *w, const struct arguments *args, const char *costs);
/** Read the trace to replay. 0 or -errno. */
int work_load_trace(struct work *w, const char *path);
/** Load a machine with those --set that are not a scenario's. 0 or -errno. */
int work_load_machine(struct work *w, const char *path, struct machine **out);
/** Run it on the machine, with --events. 0 or -errno; *result is the document. */
int work_run(struct work *w, const struct machine *m, json_t **result);
/**
 * The end of a command: `err` and `result` are what came of it. Prints the warnings, then the
 * result or the error; frees the work and the result. Returns the exit status.
 */
int work_finish(struct work *w, int err, json_t *result, bool comparison, const char *file);

#endif
