/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands that write traces share. */
#include "tools/trace_out.h"

#include <errno.h>
#include <unistd.h>

#include "tools/message.h"
#include "tools/output.h"

#define DEFAULT_FORMAT "binary"

const struct option_def option_trace_format = {.name = "format",
					       .kind = OPTION_TEXT,
					       .value = "FORMAT",
					       .help = "write in this format; " DEFAULT_FORMAT
						       " where it is not given"};

static const char *writer_name(unsigned i, void *arg)
{
	(void)arg;
	return trace_writer_kinds[i] ? trace_writer_kinds[i]->name : NULL;
}

static void print_writers(FILE *out)
{
	for (int i = 0; trace_writer_kinds[i]; i++)
		fprintf(out, "  %-10s  %s\n", trace_writer_kinds[i]->name,
			trace_writer_kinds[i]->summary);
}

void trace_out_explain(FILE *out)
{
	fputs("\nFormats (FORMAT):\n", out);
	print_writers(out);
}

const struct trace_writer *trace_out_writer(const struct arguments *args)
{
	const char *name = arguments_value(args, &option_trace_format), *nearest;
	const struct trace_writer *writer = trace_find_writer(name ? name : DEFAULT_FORMAT);

	if (writer)
		return writer;
	nearest = diag_nearest(name, writer_name, NULL);
	if (nearest)
		message("--format: unknown format '%s', did you mean '%s'? Known are:", name,
			nearest);
	else
		message("--format: unknown format '%s'; known are:", name);
	print_writers(stderr);
	return NULL;
}

int trace_out_write(const struct arguments *args, const struct trace_writer *writer,
		    const struct trace *t)
{
	struct diag diag = DIAG_INIT;
	struct output out;
	int err, status;

	if (output_open(&out, arguments_value(args, &option_output)))
		return STATUS_FAILED;
	if (!writer->is_text && isatty(fileno(out.stream))) {
		message("a %s trace is not for a terminal: name a file with -o, or take --format "
			"native",
			writer->name);
		output_discard(&out);
		return STATUS_WRONG;
	}
	err = writer->write(t, out.stream, &diag);
	if (err && err != -EIO) {
		output_discard(&out);
		status = message_error(&diag, err, t->file);
	} else {
		/* A failed write is told there, with the reason. */
		status = output_commit(&out) ? STATUS_FAILED : STATUS_DONE;
	}
	diag_clear(&diag);
	return status;
}
