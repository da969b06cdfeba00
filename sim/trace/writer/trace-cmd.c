/* SPDX-License-Identifier: Apache-2.0 */
/* Traces as trace-cmd report prints them, for the tools that read those. */
#include "sim/trace/kernel_text.h"
#include "sim/trace/writer.h"

/*
 * As all its versions up to 3.1 have it; the flags that later ones print stand for nothing that is
 * kept. Its columns are 16 for the comm, 5 for the pid, 20 for the event's name.
 */
static const struct kernel_text style = {
	.heading = "",
	.tells_cpus = true,
	.nobody = "<...>",
	.nobody_pid = 1,
	.between = "-",
	.pid_width = -5,
	.flags = "]",
	.system = "",
	.pointer = "0x",
	.name_width = 20 + (int)sizeof(": ") - 1,
	.mark = "print:                tracing_mark_write: ",
};

static int trace_cmd_write(const struct trace *t, FILE *out, struct diag *diag)
{
	return kernel_text_write(&style, t, out, diag);
}

const struct trace_writer trace_writer_trace_cmd = {
	.name = "trace-cmd",
	.summary = "what trace-cmd report prints",
	.is_text = true,
	.write = trace_cmd_write,
};
