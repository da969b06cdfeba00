/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands that write traces share: in which format, and where to. */
#ifndef TOOLS_TRACE_OUT_H
#define TOOLS_TRACE_OUT_H

#include "sim/trace/writer.h"
#include "tools/command.h"

extern const struct option_def option_trace_format; /* --format of a trace */

/** The writer that --format names, else the binary one; NULL after a message. */
const struct trace_writer *trace_out_writer(const struct arguments *args);

/** Write the trace where --output says. Returns the exit status. */
int trace_out_write(const struct arguments *args, const struct trace_writer *writer,
		    const struct trace *t);

/** The formats, for the help. */
void trace_out_explain(FILE *out);

#endif
