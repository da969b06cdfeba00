/* SPDX-License-Identifier: Apache-2.0 */
/* Traces as perf script prints them, for the tools that read those. */
#include "sim/trace/kernel_text.h"
#include "sim/trace/writer.h"

static const struct kernel_text style = {
	.heading = "",
	.nobody = ":-1", /* perf's word for one that it does not know */
	.nobody_pid = -1,
	.between = " ",
	.pid_width = 6,
	.flags = "]",
	.system = "kmem:",
	.pointer = "0x",
	.mark = "ftrace:print: tracing_mark_write: ",
};

static int perf_write(const struct trace *t, FILE *out, struct diag *diag)
{
	return kernel_text_write(&style, t, out, diag);
}

const struct trace_writer trace_writer_perf = {
	.name = "perf",
	.summary = "what perf script prints of the kernel's events",
	.is_text = true,
	.write = perf_write,
};
