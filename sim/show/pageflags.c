/* SPDX-License-Identifier: Apache-2.0 */
/* The layout of page->flags, as the kernel's boot messages tell it (mminit_loglevel=4). */
#include <inttypes.h>

#include "sim/json.h"
#include "sim/show/show.h"

#define LRU_TIER_BITS 2 /* where the multi-gen LRU is built in, as in the captured kernels */

static void put_field(json_t *fields, const char *name, unsigned width, unsigned shift,
		      unsigned wanted)
{
	json_t *field = json_put_object(fields, name);

	json_put(field, "width", width);
	json_put(field, "shift", shift);
	json_put(field, "bits_wanted", wanted);
}

static json_t *json(const struct show_subject *s)
{
	const struct mm_arch *arch = mm_get_arch(s->mm);
	enum mm_memory_model model = mm_get_model(s->mm);
	bool sections = model == MM_SPARSE || model == MM_SPARSE_VMEMMAP;
	json_t *doc = json_object(), *fields = json_put_object(doc, "fields");
	struct mm_flags_layout l;

	mm_flags_layout(s->mm, &l);
	put_field(fields, "Section", l.section_width, l.section_shift,
		  sections ? arch->section_phys_bits - arch->section_bits : 0);
	put_field(fields, "Node", l.node_width, l.node_shift, l.node_width);
	put_field(fields, "Zone", l.zone_width, l.zone_shift, l.zone_width);
	put_field(fields, "Lastcpupid", l.last_cpupid_width, l.last_cpupid_shift,
		  arch->last_cpupid_bits);
	put_field(fields, "Kasantag", 0, 0, 0);
	json_put(doc, "bits", arch->flags_bits);
	json_put(doc, "gen", arch->lru_gen_bits);
	json_put(doc, "tier", LRU_TIER_BITS);
	json_put(doc, "flags", arch->nr_pageflags);
	return doc;
}

/* One line: a figure of each field. */
static void print_fields(const json_t *doc, const char *line, const char *figure, FILE *out)
{
	const json_t *field;
	const char *name;

	fprintf(out, "mminit::pageflags_layout_%s", line);
	json_object_foreach (json_object_get(doc, "fields"), name, field)
		fprintf(out, " %s %" PRIu64, name, json_get(field, figure));
}

/* Lowest bit of what says node and zone; what the fields leave for the flags. */
static void print_usage(const json_t *doc, FILE *out)
{
	const json_t *fields = json_object_get(doc, "fields"), *field;
	uint64_t bits = json_get(doc, "bits"), flags = json_get(doc, "flags");
	uint64_t left = bits - json_get(doc, "gen") - json_get(doc, "tier");
	const char *name;

	json_object_foreach ((json_t *)fields, name, field)
		left -= json_get(field, "width");
	fprintf(out,
		"mminit::pageflags_layout_nodezoneid Node/Zone ID: %" PRIu64 " -> %" PRIu64 "\n",
		bits, json_get(json_object_get(fields, "Zone"), "shift"));
	fprintf(out,
		"mminit::pageflags_layout_usage location: %" PRIu64 " -> %" PRIu64
		" layout %" PRIu64 " -> %" PRIu64 " unused %" PRIu64 " -> 0 page-flags\n",
		bits, left, left, flags, flags);
}

static void print(const json_t *doc, FILE *out)
{
	print_fields(doc, "widths", "width", out);
	fprintf(out, " Gen %" PRIu64 " Tier %" PRIu64 " Flags %" PRIu64 "\n", json_get(doc, "gen"),
		json_get(doc, "tier"), json_get(doc, "flags"));
	print_fields(doc, "shifts", "bits_wanted", out);
	fputc('\n', out);
	print_fields(doc, "pgshifts", "shift", out);
	fputc('\n', out);
	print_usage(doc, out);
}

static int text(const struct show_subject *s, FILE *out)
{
	return show_document(json(s), print, out);
}

const struct show_kind show_pageflags = {
	.name = "pageflags",
	.summary = "layout of page->flags, as the kernel's boot messages",
	.boots = true,
	.text = text,
	.json = json,
};
