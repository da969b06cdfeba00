/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/numa_maps of the processes that are there when the work has ended: of those of a name,
 * or of all, one after the other, each behind its name.
 */
#include <string.h>

#include "mm/user/user.h"
#include "sim/json.h"
#include "sim/show/show.h"

#define LINE_BYTES 4096

static bool wanted(const struct show_subject *s, const struct mm_space *space)
{
	return !s->process || !strcmp(mm_space_name(space), s->process);
}

static json_t *json(const struct show_subject *s)
{
	const struct mm_space *space = NULL;
	json_t *list = json_array();
	char line[LINE_BYTES];

	while ((space = mm_space_next(s->mm, space))) {
		json_t *process, *lines;

		if (!wanted(s, space))
			continue;
		process = json_append_object(list);
		json_put_string(process, "name", mm_space_name(space));
		lines = json_put_array(process, "numa_maps");
		for (unsigned i = 0; mm_numa_maps_line(s->mm, space, i, line, sizeof(line)); i++)
			json_array_append_new(lines, json_text(line));
	}
	return list;
}

/* One that is asked for by its name is the kernel's file, and nothing else. */
static int text(const struct show_subject *s, FILE *out)
{
	const struct mm_space *space = NULL;
	char line[LINE_BYTES];

	while ((space = mm_space_next(s->mm, space))) {
		if (!wanted(s, space))
			continue;
		if (!s->process)
			fprintf(out, "%s:\n", mm_space_name(space));
		for (unsigned i = 0; mm_numa_maps_line(s->mm, space, i, line, sizeof(line)); i++)
			fprintf(out, "%s\n", line);
	}
	return 0;
}

const struct show_kind show_numa_maps = {
	.name = "numa_maps",
	.summary = "memory of processes, as /proc/PID/numa_maps; after work has run",
	.boots = true,
	.of_process = true,
	.text = text,
	.json = json,
};
