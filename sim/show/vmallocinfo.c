/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/vmallocinfo: areas of vmalloc() and vmap() by address, who asked for them and on which
 * nodes their pages are; then those that are unmapped and not purged yet. Boot takes none.
 */
#include "mm/vmalloc/vmalloc.h"
#include "sim/json.h"
#include "sim/show/show.h"

#define LINE_BYTES 4096 /* a node takes 12 of them */

static json_t *json(const struct show_subject *s)
{
	struct mm_vmallocinfo at = {0};
	json_t *lines = json_array();
	char line[LINE_BYTES];

	while (mm_vmallocinfo_next(s->mm, &at, line, sizeof(line)))
		json_array_append_new(lines, json_text(line));
	return lines;
}

static int text(const struct show_subject *s, FILE *out)
{
	struct mm_vmallocinfo at = {0};
	char line[LINE_BYTES];

	while (mm_vmallocinfo_next(s->mm, &at, line, sizeof(line)))
		fprintf(out, "%s\n", line);
	return 0;
}

const struct show_kind show_vmallocinfo = {
	.name = "vmallocinfo",
	.summary = "areas of vmalloc and vmap, as /proc/vmallocinfo",
	.boots = true,
	.text = text,
	.json = json,
};
