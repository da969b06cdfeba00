/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The result of a run as one JSON document: what every report prints from, and what `compare`
 * passes between its processes. Its keys are documented in docs/result.md; numbers are integers,
 * in the unit that the key names, but for *_ns, which has up to three decimals.
 */
#ifndef SIM_RESULT_H
#define SIM_RESULT_H

#include <jansson.h>

#include "sim/replay/replay.h"
#include "sim/replay/start.h"
#include "sim/sim.h"

struct result_of {
	struct sim *sim; /* after sim_run() */
	const struct trace *trace;
	const struct replay_counts *counts;
	enum replay_timing timing;
	const char *timing_mode;           /* its name */
	const char *work;                  /* what ran: the trace's or scenario's file */
	const struct placement *placement; /* NULL: not compared */
	const struct start *start;         /* NULL or empty: began as booted */
};

/** Build the document; NULL where there is no memory. Free with json_decref(). */
json_t *result_build(const struct result_of *what);

/* A report format: one file a format in sim/report/, found by the build. */
struct report_format {
	const char *name; /* as --format spells it */
	/** Print a result. Errors show in the stream. */
	void (*result)(const json_t *result, FILE *out);
	/** Print several results side by side; the first one is what ratios refer to. */
	void (*comparison)(const json_t *results, FILE *out);
};
extern const struct report_format *const report_kinds[];

/** Members of a document; 0 and "" where they are missing. `path` is keys joined by dots. */
uint64_t result_integer(const json_t *result, const char *path);
const char *result_string(const json_t *result, const char *path);
const json_t *result_member(const json_t *result, const char *path);

#endif
