/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Beginning a simulation in the state in which a capture's traced window began, and comparing its
 * end with the state in which the window closed.
 */
#ifndef SIM_START_H
#define SIM_START_H

#include <jansson.h>

#include "sim/capture/state.h"
#include "sim/trace/trace.h"

/* A capture's states; `after` is NULL where it is not in the capture. */
struct start {
	struct captured_state *before, *after;
};

/**
 * Read the states in `dir`, the folder of a capture or its before/, and bring `mm`, which has just
 * booted, into the first; with what the trace `t` shows of it (sim/replay/cpu_lists.h; may be
 * NULL). Returns 0 (free with start_clear()); -ENOENT, -EIO, -EINVAL with the reason in diag;
 * -ENOMEM.
 */
int start_from(struct mm *mm, const char *dir, const struct trace *t, struct diag *diag,
	       struct start *out);
void start_clear(struct start *s);

/**
 * What the real kernel had when the window closed beside what `mm` has: free pages by zone, and how
 * far the NUMA counters went. Into `doc` as "after"; docs/result.md has its members. Nothing where
 * there is no such state.
 */
void start_put_after(json_t *doc, const struct start *s, const struct mm *mm);

#endif
