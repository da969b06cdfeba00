/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far a long run is: one line on standard error that is rewritten in place, on a terminal only.
 * Appears after half a second, so short runs show nothing.
 */
#ifndef TOOLS_PROGRESS_H
#define TOOLS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool on;
	bool shown;
	const char *what;
	uint64_t next_ms; /* when to write again */
};

/** Begin: `what` ("reading the trace") stands before the figure, and is borrowed. */
void progress_start(struct progress *p, const char *what, bool quiet);

/** Say how much is done. `total` 0: not known. Cheap; fit for struct trace_progress. */
void progress_report(void *progress, uint64_t done, uint64_t total);

/** Take the line away until the next report. Call it before anything else is printed. */
void progress_clear(struct progress *p);

/** Take the line away for good. */
void progress_end(struct progress *p);

#endif
