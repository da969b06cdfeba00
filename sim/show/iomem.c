/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Physical memory as /proc/iomem has it: System RAM, whatever nodes it is on, and within it the
 * pieces of the kernel image and what is kept for a crash kernel; on arm64 also what else is
 * reserved. A machine file knows no devices. The reservations of x86 are in `show memblock`.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

#include "sim/json.h"
#include "sim/show/show.h"

struct region {
	uint64_t start, end;
	const char *name;
};

static int by_start(const void *a, const void *b)
{
	const struct region *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* What the kernel calls such a reservation; NULL where it is no resource of its own. */
static const char *resource_name(const struct machine *m, const char *what)
{
	static const char *const names[] = {"Kernel code", "Kernel rodata", "Kernel data",
					    "Kernel bss", "Crash kernel"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcasecmp(what, names[i]))
			return names[i];
	return m->mm.arch == MM_ARM64 ? "reserved" : NULL;
}

static size_t gather_reserved(const struct machine *m, struct region *regions)
{
	size_t nr = 0;

	for (size_t i = 0; i < m->mm.nr_reserved; i++) {
		const struct mm_reservation *r = &m->reserved[i];
		const char *name = resource_name(m, m->reserved_what[i]);

		if (name)
			regions[nr++] = (struct region){r->start, r->start + r->bytes, name};
	}
	qsort(regions, nr, sizeof(*regions), by_start);
	return nr;
}

/* Ranges that touch are one: nodes do not show here. */
static size_t gather_ram(const struct machine *m, struct region *regions)
{
	size_t nr = 0;

	for (size_t i = 0; i < m->mm.nr_memory; i++)
		regions[i] = (struct region){m->memory[i].start,
					     m->memory[i].start + m->memory[i].bytes, "System RAM"};
	qsort(regions, m->mm.nr_memory, sizeof(*regions), by_start);
	for (size_t i = 0; i < m->mm.nr_memory; i++)
		if (nr && regions[nr - 1].end == regions[i].start)
			regions[nr - 1].end = regions[i].end;
		else
			regions[nr++] = regions[i];
	return nr;
}

static json_t *append(json_t *array, const struct region *region)
{
	json_t *object = json_append_object(array);

	json_put(object, "start", region->start);
	json_put(object, "end", region->end - 1);
	json_put_string(object, "name", region->name);
	return object;
}

static json_t *json(const struct show_subject *s)
{
	const struct machine *m = s->machine;
	struct region *ram = calloc(m->mm.nr_memory + 1, sizeof(*ram));
	struct region *reserved = calloc(m->mm.nr_reserved + 1, sizeof(*reserved));
	json_t *doc = ram && reserved ? json_array() : NULL;

	if (doc) {
		size_t nr = gather_ram(m, ram), nr_reserved = gather_reserved(m, reserved), k = 0;

		for (size_t i = 0; i < nr; i++) {
			json_t *children = json_put_array(append(doc, &ram[i]), "children");

			while (k < nr_reserved && reserved[k].start < ram[i].start)
				k++;
			for (; k < nr_reserved && reserved[k].start < ram[i].end; k++)
				append(children, &reserved[k]);
		}
	}
	free(ram);
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
	.summary = "memory and the kernel image in it, as /proc/iomem",
	.text = text,
	.json = json,
};
