/* SPDX-License-Identifier: Apache-2.0 */
/* What the writers of traces share. */
#include "sim/trace/writer.h"

#include <string.h>

const struct trace_writer *trace_find_writer(const char *name)
{
	for (int i = 0; trace_writer_kinds[i]; i++)
		if (strcmp(trace_writer_kinds[i]->name, name) == 0)
			return trace_writer_kinds[i];
	return NULL;
}

const char *trace_original(const struct trace *t)
{
	return t->original ? t->original : t->file;
}

const char *trace_original_format(const struct trace *t)
{
	return t->original ? t->original_format : t->format;
}
