/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that a workload reads and writes: the page cache as far as a replay needs it. Which page of
 * which file is where is known here, by the page's number in the trace; reclaim takes it away again
 * (replay_reclaim.h).
 */
#ifndef SIM_REPLAY_FILE_H
#define SIM_REPLAY_FILE_H

#include "sim/replay/replay_reclaim.h"

/* Pages. */
struct replay_file_counts {
	uint64_t read, written; /* by the workload */
	uint64_t cached;        /* of these, found in the page cache */
	uint64_t brought_in;    /* allocated; with those that were read ahead */
};

struct replay_files;

/** Returns 0 and *out, NULL where the trace uses no files; -ENOMEM. */
int replay_files_new(struct sim *s, const struct trace *t, struct replay_reclaim *reclaim,
		     struct replay_file_counts *counts, struct replay_files **out);
void replay_files_free(struct replay_files *f);

/** Do a TRACE_FILE. Returns whether there was memory for the page. Simulated time passes. */
bool replay_file(struct replay_files *f, int cpu, const struct trace_event *ev);

#endif
