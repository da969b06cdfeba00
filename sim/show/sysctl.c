/* SPDX-License-Identifier: Apache-2.0 */
/* The sysctls of memory management (/proc/sys/vm), a line each: name = value. */
#include <stdio.h>

#include "sim/json.h"
#include "sim/show/show.h"

#define VALUE_ROOM 256

static json_t *json(const struct show_subject *s)
{
	json_t *doc = json_object();
	const char *name;

	for (unsigned i = 0; (name = mm_sysctl_name(i)); i++) {
		char value[VALUE_ROOM];

		if (!mm_sysctl_text(s->mm, name, value, sizeof(value)))
			json_put_string(doc, name, value);
	}
	return doc;
}

static void print(const json_t *doc, FILE *out)
{
	const json_t *value;
	const char *key;

	json_object_foreach ((json_t *)doc, key, value)
		fprintf(out, "%s = %s\n", key, json_string_value(value));
}

static int text(const struct show_subject *s, FILE *out)
{
	return show_document(json(s), print, out);
}

const struct show_kind show_sysctl = {
	.name = "sysctl",
	.summary = "sysctls of memory management, as in /proc/sys/vm",
	.boots = true,
	.text = text,
	.json = json,
};
