/* SPDX-License-Identifier: Apache-2.0 */
/* numasim trace convert: a trace in another format. */
#include "sim/trace/trace.h"
#include "tools/command.h"
#include "tools/trace_in.h"
#include "tools/trace_out.h"

static int run(const struct arguments *args)
{
	const struct trace_writer *writer = trace_out_writer(args);
	struct trace *t;
	int status;

	if (!writer)
		return STATUS_WRONG;
	status = trace_in_read(args, args->operands[0], &t);
	if (status)
		return status;
	status = trace_out_write(args, writer, t);
	trace_free(t);
	return status;
}

static const struct option_def *const options[] = {&option_trace_format, &option_policies,
						   &option_release, &option_output, NULL};

const struct command command_trace_convert = {
	.name = "trace convert",
	.summary = "write a trace in another format",
	.operands = "TRACE",
	.description = "Read a trace in any format and write it in another. A binary trace replays "
		       "as the\n"
		       "trace that it was made from, and is read many times faster.\n",
	.explain = trace_out_explain,
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
