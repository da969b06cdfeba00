/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a format that traces are written in is. Each writer/NAME.c defines `const struct
 * trace_writer trace_writer_NAME`, and the build makes a table of them: a new format is a new file
 * there.
 */
#ifndef SIM_TRACE_WRITER_H
#define SIM_TRACE_WRITER_H

#include <stdio.h>

#include "sim/trace/trace.h"

struct trace_writer {
	const char *name;
	const char *summary; /* a line for the help */
	bool is_text;        /* fit for a terminal */
	/*
	 * Write the whole trace, front to back, without seeking. Returns 0; -EIO where `out` does
	 * not take it; -EINVAL with diag where the format cannot say what is in the trace, -ENOMEM.
	 */
	int (*write)(const struct trace *t, FILE *out, struct diag *diag);
};

extern const struct trace_writer *const trace_writer_kinds[]; /* ends with NULL */

/** The writer of that name, or NULL. */
const struct trace_writer *trace_find_writer(const char *name);

/** Where the trace first came from: what a conversion of a conversion still says. */
const char *trace_original(const struct trace *t);
const char *trace_original_format(const struct trace *t);

#endif
