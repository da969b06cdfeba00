/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Physical memory as /proc/iomem has it: System RAM, and within it what is reserved. A machine file
 * knows no devices.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "sim/json.h"
#include "sim/show/show.h"

struct region {
	uint64_t start, bytes;
	const char *name;
};

static int by_start(const void *a, const void *b)
{
	const struct region *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* Append the regions that begin in [start, end), in order. */
static void gather(json_t *array, const struct region *regions, size_t nr, uint64_t start,
		   uint64_t end)
{
	for (size_t i = 0; i < nr; i++) {
		json_t *region;

		if (regions[i].start < start || regions[i].start >= end)
			continue;
		region = json_append_object(array);
		json_put(region, "start", regions[i].start);
		json_put(region, "end", regions[i].start + regions[i].bytes - 1);
		json_put_string(region, "name", regions[i].name);
	}
}

static struct region *sorted_reservations(const struct machine *m)
{
	struct region *regions = calloc(m->mm.nr_reserved + 1, sizeof(*regions));

	for (size_t i = 0; regions && i < m->mm.nr_reserved; i++)
		regions[i] =
			(struct region){m->reserved[i].start, m->reserved[i].bytes,
					m->reserved_what[i][0] ? m->reserved_what[i] : "Reserved"};
	if (regions)
		qsort(regions, m->mm.nr_reserved, sizeof(*regions), by_start);
	return regions;
}

static json_t *json(const struct show_subject *s)
{
	const struct machine *m = s->machine;
	struct region *reserved = sorted_reservations(m);
	json_t *doc = json_array();

	for (size_t i = 0; reserved && i < m->mm.nr_memory; i++) {
		uint64_t start = m->memory[i].start, end = start + m->memory[i].bytes;
		json_t *ram = json_append_object(doc);

		json_put(ram, "start", start);
		json_put(ram, "end", end - 1);
		json_put_string(ram, "name", "System RAM");
		gather(json_put_array(ram, "children"), reserved, m->mm.nr_reserved, start, end);
	}
	free(reserved);
	return doc;
}

static void print_region(const json_t *region, const char *indent, FILE *out)
{
	fprintf(out, "%s%08" PRIx64 "-%08" PRIx64 " : %s\n", indent, json_get(region, "start"),
		json_get(region, "end"), json_get_string(region, "name"));
}

static void print(const json_t *doc, FILE *out)
{
	const json_t *ram, *child;
	size_t i, c;

	json_array_foreach (doc, i, ram) {
		print_region(ram, "", out);
		json_array_foreach (json_object_get(ram, "children"), c, child)
			print_region(child, "  ", out);
	}
}

static int text(const struct show_subject *s, FILE *out)
{
	return show_document(json(s), print, out);
}

const struct show_kind show_iomem = {
	.name = "iomem",
	.summary = "memory and what is reserved of it, as /proc/iomem",
	.text = text,
	.json = json,
};
