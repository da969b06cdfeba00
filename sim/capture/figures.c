/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of named figures, and those of the mm core. */
#define _GNU_SOURCE /* vasprintf */
#include "sim/capture/figures.h"
#include "sim/capture/hugepages.h"
#include "sim/capture/slabinfo.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(struct figures *f, enum figure_group group, const char *value, const char *fmt,
		va_list ap)
{
	struct figure figure = {.group = group, .value = strdup(value), .line = f->line};

	if (vasprintf(&figure.name, fmt, ap) < 0)
		figure.name = NULL;
	if (f->nr == f->room) {
		size_t room = f->room ? 2 * f->room : 256;
		struct figure *at = realloc(f->at, room * sizeof(*at));

		if (at) {
			f->at = at;
			f->room = room;
		}
	}
	if (!figure.name || !figure.value || f->nr == f->room) {
		free(figure.name);
		free(figure.value);
		f->failed = true;
		return;
	}
	f->at[f->nr++] = figure;
}

void figures_number(struct figures *f, enum figure_group group, uint64_t value, const char *fmt,
		    ...)
{
	char text[24];
	va_list ap;

	snprintf(text, sizeof(text), "%" PRIu64, value);
	va_start(ap, fmt);
	add(f, group, text, fmt, ap);
	va_end(ap);
}

void figures_text(struct figures *f, enum figure_group group, const char *value, const char *fmt,
		  ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(f, group, value, fmt, ap);
	va_end(ap);
}

void figures_clear(struct figures *f)
{
	for (size_t i = 0; i < f->nr; i++) {
		free(f->at[i].name);
		free(f->at[i].value);
	}
	free(f->at);
	*f = (struct figures){0};
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct figure *)a)->name, ((const struct figure *)b)->name);
}

void figures_sort(struct figures *f)
{
	if (f->nr)
		qsort(f->at, f->nr, sizeof(*f->at), by_name);
}

const struct figure *figures_find(const struct figures *sorted, const char *name)
{
	struct figure key = {.name = (char *)name};

	if (!sorted->nr)
		return NULL;
	return bsearch(&key, sorted->at, sorted->nr, sizeof(key), by_name);
}

static void add_zone(const struct mm *mm, int nid, int index, struct figures *out)
{
	const enum figure_group g = FIGURES_ZONES;
	struct mm_zone_info z;

	mm_zone_info(mm, nid, index, &z);
	figures_number(out, g, z.min, "node %d, zone %s: min", nid, z.name);
	figures_number(out, g, z.low, "node %d, zone %s: low", nid, z.name);
	figures_number(out, g, z.high, "node %d, zone %s: high", nid, z.name);
	figures_number(out, g, z.spanned, "node %d, zone %s: spanned", nid, z.name);
	figures_number(out, g, z.present, "node %d, zone %s: present", nid, z.name);
	figures_number(out, g, z.managed, "node %d, zone %s: managed", nid, z.name);
	for (int i = 0; i < mm_get_arch(mm)->nr_zones; i++)
		figures_number(out, g, z.protection[i], "node %d, zone %s: protection[%d]", nid,
			       z.name, i);
	if (!z.present)
		return;
	figures_number(out, g, z.start_pfn, "node %d, zone %s: start_pfn", nid, z.name);
	for (int cpu = 0; cpu < mm_nr_cpus(mm); cpu++) {
		figures_number(out, g, z.pcp_high, "node %d, zone %s, cpu %d: high", nid, z.name,
			       cpu);
		figures_number(out, g, z.pcp_batch, "node %d, zone %s, cpu %d: batch", nid, z.name,
			       cpu);
		figures_number(out, g, (uint64_t)z.stat_threshold,
			       "node %d, zone %s, cpu %d: vm stats threshold", nid, z.name, cpu);
	}
}

/* The zones of one zonelist that a request for at most `zone` may use. */
static void add_zonelist(const struct mm *mm, int nid, int zone, bool this_node,
			 struct figures *out)
{
	const struct mm_arch *arch = mm_get_arch(mm);
	size_t nr = mm_zonelist(mm, nid, this_node, NULL, 0), len = 0, size = nr * 24 + 1;
	struct mm_zoneref *refs = calloc(nr + 1, sizeof(*refs));
	char *text = calloc(size, 1);

	if (refs && text) {
		mm_zonelist(mm, nid, this_node, refs, nr);
		for (size_t i = 0; i < nr; i++)
			if (refs[i].zone <= zone)
				len += (size_t)snprintf(text + len, size - len, "%s%d:%s",
							len ? " " : "", refs[i].nid,
							arch->zones[refs[i].zone].name);
		figures_text(out, this_node ? FIGURES_THIS_NODE : FIGURES_GENERAL, text,
			     "zonelist %s %d:%s", this_node ? "thisnode" : "general", nid,
			     arch->zones[zone].name);
	} else {
		out->failed = true;
	}
	free(refs);
	free(text);
}

static void add_order(const struct mm *mm, int nid, struct figures *out)
{
	size_t nr = (size_t)mm_nr_nodes(mm), len = 0, size = nr * 12 + 1;
	int *order = calloc(nr, sizeof(*order));
	char *text = calloc(size, 1);

	if (order && text) {
		int found = mm_node_order(mm, nid, order);

		/* The kernel begins with the node itself also where it has no memory. */
		if (!found || order[0] != nid)
			len += (size_t)snprintf(text, size, "%d", nid);
		for (int i = 0; i < found; i++)
			len += (size_t)snprintf(text + len, size - len, "%s%d", len ? " " : "",
						order[i]);
		figures_text(out, FIGURES_FALLBACK, text, "fallback order for node %d", nid);
	} else {
		out->failed = true;
	}
	free(order);
	free(text);
}

static void add_flags(const struct mm *mm, struct figures *out)
{
	const enum figure_group g = FIGURES_PAGE_FLAGS;
	struct mm_flags_layout l;

	mm_flags_layout(mm, &l);
	figures_number(out, g, l.section_width, "page->flags: Section width");
	figures_number(out, g, l.node_width, "page->flags: Node width");
	figures_number(out, g, l.zone_width, "page->flags: Zone width");
	figures_number(out, g, l.last_cpupid_width, "page->flags: Lastcpupid width");
	figures_number(out, g, l.section_shift, "page->flags: Section shift");
	figures_number(out, g, l.node_shift, "page->flags: Node shift");
	figures_number(out, g, l.zone_shift, "page->flags: Zone shift");
	figures_number(out, g, l.last_cpupid_shift, "page->flags: Lastcpupid shift");
}

int figures_simulated(const struct mm *mm, struct figures *out)
{
	int nr_zones = mm_get_arch(mm)->nr_zones;

	for (int nid = 0; nid < mm_nr_nodes(mm); nid++) {
		for (int z = 0; z < nr_zones && mm_node_online(mm, nid); z++)
			add_zone(mm, nid, z, out);
		add_order(mm, nid, out);
		for (int z = 0; z < nr_zones; z++) {
			struct mm_zone_info info;

			mm_zone_info(mm, nid, z, &info);
			if (!info.present)
				continue;
			add_zonelist(mm, nid, z, false, out);
			add_zonelist(mm, nid, z, true, out);
		}
	}
	figures_number(out, FIGURES_MIN_FREE, mm_min_free_kbytes(mm), "min_free_kbytes");
	add_flags(mm, out);
	figures_add_slabs(mm, out);
	figures_add_hugepages(mm, out);
	return out->failed ? -ENOMEM : 0;
}
