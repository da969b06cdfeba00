/* SPDX-License-Identifier: Apache-2.0 */
/* Traces as /sys/kernel/tracing/trace has them, for the tools that read those. */
#include "sim/trace/kernel_text.h"
#include "sim/trace/writer.h"

static const struct kernel_text style = {
	.heading = "# tracer: nop\n"
		   "#\n"
		   "#           TASK-PID     CPU#  FLAGS  TIMESTAMP  FUNCTION\n"
		   "#              | |         |     |       |         |\n",
	.nobody = "<...>", /* the kernel's word for one that it does not know */
	.nobody_pid = 1,
	.between = "-",
	.pid_width = -7,
	.flags = "] .....",
	.system = "",
	.pointer = "",
	.mark = "tracing_mark_write: ",
};

static int ftrace_write(const struct trace *t, FILE *out, struct diag *diag)
{
	return kernel_text_write(&style, t, out, diag);
}

const struct trace_writer trace_writer_ftrace = {
	.name = "ftrace",
	.summary = "the kernel's text, as /sys/kernel/tracing/trace has it",
	.is_text = true,
	.write = ftrace_write,
};
