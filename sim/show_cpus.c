/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/show_cpus.h"

#include <inttypes.h>

#include "sim/config/units.h"
#include "sim/text.h"

void show_cpus_gather_node(json_t *node, const struct machine *m, int nid)
{
	const struct machine_cpu *first = NULL;
	uint64_t threads = 0;

	for (int cpu = 0; cpu < m->mm.nr_cpus; cpu++) {
		if (!first && m->cpu_nid[cpu] == nid)
			first = &m->cpus[cpu];
		threads += first && m->cpus[cpu].core == first->core;
	}
	if (!first)
		return;
	json_put(node, "threads_per_core", threads);
	if (first->fill_buffers) {
		json_put(node, "fill_buffers", first->fill_buffers);
		json_put(node, "prefetched", first->prefetched);
	}
}

void show_cpus_node_text(const json_t *node, char *buf, size_t size)
{
	uint64_t threads = json_get(node, "threads_per_core");
	uint64_t lines = json_get(node, "fill_buffers"), ahead = json_get(node, "prefetched");
	char of_core[64] = "";

	if (threads > 1)
		snprintf(of_core, sizeof(of_core), "%" PRIu64 " threads a core%s", threads,
			 lines ? "; " : "");
	buf[0] = '\0';
	if (lines && ahead > lines)
		snprintf(buf, size, "%s%" PRIu64 " lines in flight, %" PRIu64 " of a stream",
			 of_core, lines, ahead);
	else if (lines)
		snprintf(buf, size, "%s%" PRIu64 " lines in flight", of_core, lines);
	else
		snprintf(buf, size, "%s", of_core);
}

static const char *one_for(const struct machine_cache *c)
{
	if (c->per_node)
		return "node";
	return c->per_core ? "core" : "cpu";
}

static void gather_caches(json_t *doc, const struct machine *m)
{
	json_t *caches;

	if (!m->nr_caches)
		return;
	json_put(doc, "cache_line_bytes", m->cache_line_bytes);
	caches = json_put_array(doc, "caches");
	for (int i = 0; i < m->nr_caches; i++) {
		const struct machine_cache *c = &m->caches[i];
		json_t *cache = json_append_object(caches);
		char sharers[32];

		json_put_string(cache, "name", c->name);
		json_put(cache, "bytes", c->size_bytes);
		json_put(cache, "ways", c->ways);
		json_put(cache, "latency_ps", c->latency_ps);
		if (c->nr_cpus)
			snprintf(sharers, sizeof(sharers), "%u CPUs", c->nr_cpus);
		json_put_string(cache, "shared_by", c->nr_cpus ? sharers : one_for(c));
	}
}

static void gather_transfers(json_t *doc, const struct machine_transfers *t)
{
	json_t *transfers;

	if (!t->same_node_ps)
		return;
	transfers = json_put_object(doc, "line_transfers");
	json_put(transfers, "same_node_ps", t->same_node_ps);
	if (t->same_node_far_ps)
		json_put(transfers, "same_node_far_ps", t->same_node_far_ps);
	if (t->same_node_clean_ps)
		json_put(transfers, "same_node_clean_ps", t->same_node_clean_ps);
	if (t->home_at_owner_ps)
		json_put(transfers, "home_at_owner_ps", t->home_at_owner_ps);
	if (t->home_elsewhere_ps)
		json_put(transfers, "home_elsewhere_ps", t->home_elsewhere_ps);
}

static void gather_tlb_level(json_t *levels, uint64_t level, const struct machine_tlb_array *arrays,
			     int nr)
{
	for (int i = 0; i < nr; i++) {
		json_t *array = json_append_object(levels), *pages;

		json_put(array, "level", level);
		json_put(array, "entries", arrays[i].entries);
		json_put(array, "ways", arrays[i].ways);
		pages = json_put_array(array, "page_bytes");
		for (int j = 0; j < arrays[i].nr_shifts; j++)
			json_append(pages, UINT64_C(1) << arrays[i].shifts[j]);
	}
}

void show_cpus_gather(json_t *doc, const struct machine *m)
{
	json_t *tlb;

	gather_caches(doc, m);
	gather_transfers(doc, &m->transfers);
	if (!m->tlb.nr_first)
		return;
	tlb = json_put_array(doc, "tlb");
	gather_tlb_level(tlb, 1, m->tlb.first, m->tlb.nr_first);
	gather_tlb_level(tlb, 2, m->tlb.second, m->tlb.nr_second);
}

static void print_caches(const json_t *caches, FILE *out)
{
	const json_t *cache;
	size_t i;

	if (!json_array_size(caches))
		return;
	fprintf(out, "\n%-16s%14s%8s%12s  one for each\n", "Cache", "size", "ways", "latency");
	json_array_foreach (caches, i, cache)
		fprintf(out, "%-16.15s%14s%8" PRIu64 "%12s  %s\n", json_get_string(cache, "name"),
			text_bytes(json_get(cache, "bytes")).text, json_get(cache, "ways"),
			units_time(json_get(cache, "latency_ps")).text,
			json_get_string(cache, "shared_by"));
}

/* Transfers by the keys of the machine file. */
static void print_transfers(const json_t *transfers, FILE *out)
{
	static const struct {
		const char *key, *text;
	} rows[] = {{"same_node_ps", "modified, within the node"},
		    {"same_node_far_ps", "modified, of another last cache"},
		    {"same_node_clean_ps", "as in memory, within the node"},
		    {"home_at_owner_ps", "modified, on its own node's"},
		    {"home_elsewhere_ps", "modified, on another node's"}};

	if (!transfers)
		return;
	fprintf(out, "\n%-38s%12s\n", "Line from the caches of another CPU", "latency");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (json_object_get(transfers, rows[i].key))
			fprintf(out, "%-38s%12s\n", rows[i].text,
				units_time(json_get(transfers, rows[i].key)).text);
}

static void print_tlb(const json_t *tlb, FILE *out)
{
	const json_t *array, *page;
	size_t i, j;

	if (!json_array_size(tlb))
		return;
	fprintf(out, "\n%-16s%14s%8s  pages of\n", "TLB of a core", "entries", "ways");
	json_array_foreach (tlb, i, array) {
		fprintf(out, "%-16s%14" PRIu64 "%8" PRIu64 "  ",
			json_get(array, "level") == 1 ? "first level" : "second level",
			json_get(array, "entries"), json_get(array, "ways"));
		json_array_foreach (json_object_get(array, "page_bytes"), j, page)
			fprintf(out, "%s%s", j ? ", " : "",
				text_bytes((uint64_t)json_integer_value(page)).text);
		fputc('\n', out);
	}
}

void show_cpus_print(const json_t *doc, FILE *out)
{
	print_caches(json_object_get(doc, "caches"), out);
	print_transfers(json_object_get(doc, "line_transfers"), out);
	print_tlb(json_object_get(doc, "tlb"), out);
}
