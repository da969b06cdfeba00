/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What run, replay and compare share: their options, loading what they name, and running it.
 */
#ifndef TOOLS_WORK_H
#define TOOLS_WORK_H

#include "sim/experiment.h"
#include "tools/command.h"
#include "tools/progress.h"

extern const struct option_def option_timing, option_costs, option_verify;

struct work {
	const struct arguments *args;
	struct diag diag;
	struct costs costs;
	struct trace *trace; /* owned */
	struct experiment experiment;
	struct progress progress;
};

/** Begin: options and costs (`costs`: a path, or NULL for --costs or the default). 0 or -errno. */
int work_init(struct work *w, const struct arguments *args, const char *costs);
/** Read the trace to replay. 0 or -errno. */
int work_load_trace(struct work *w, const char *path);
/** Load a machine with those --set that are not a scenario's. 0 or -errno. */
int work_load_machine(struct work *w, const char *path, struct machine **out);
/**
 * The end of a command: `err` and `result` are what came of it. Prints the warnings, then the
 * result or the error; frees the work and the result. Returns the exit status.
 */
int work_finish(struct work *w, int err, json_t *result, bool comparison, const char *file);

#endif
