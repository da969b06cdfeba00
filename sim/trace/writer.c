/* SPDX-License-Identifier: Apache-2.0 */
/* What the writers of traces share. */
#include "sim/trace/writer.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

const struct trace_writer *trace_find_writer(const char *name)
{
	for (int i = 0; trace_writer_kinds[i]; i++)
		if (strcmp(trace_writer_kinds[i]->name, name) == 0)
			return trace_writer_kinds[i];
	return NULL;
}

int trace_refuse_objects(const struct trace *t, const char *format, struct diag *diag)
{
	if (!(t->nr_object_allocs + t->nr_object_frees))
		return 0;
	return diag_error(
		diag, -EINVAL, t->file, 0,
		"%s traces cannot say allocations of slab objects, of which it has %" PRIu64
		": expected the format binary or native",
		format, t->nr_object_allocs);
}

const char *trace_original(const struct trace *t)
{
	return t->original ? t->original : t->file;
}

const char *trace_original_format(const struct trace *t)
{
	return t->original ? t->original_format : t->format;
}
