/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine at a glance: a box a node with its CPUs and memory ranges, holes between them, a map
 * of physical memory drawn to scale, links, and the matrices of latency, bandwidth and distance.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "mm/huge/thp.h"
#include "sim/config/units.h"
#include "sim/json.h"
#include "sim/machine/channels.h"
#include "sim/show/show.h"
#include "sim/show_cpus.h"
#include "sim/text.h"

#define MAP_WIDTH 64 /* characters of the map of physical memory */
#define BOX_WIDTH 68

/* Whether a range is among those that firmware says something of. */
static void put_flag(json_t *to, const char *key, const struct mm_range *range,
		     const struct mm_range *list, size_t nr)
{
	bool found = false;

	for (size_t i = 0; i < nr; i++)
		found |= list[i].start == range->start;
	json_object_set_new(to, key, json_boolean(found));
}

/* The places that the node's memory is at by turns. */
static void gather_ways(json_t *node, const struct machine_ways *w)
{
	json_t *places = json_put_array(node, "interleaved_over");

	for (unsigned i = 0; i < w->nr; i++)
		json_append(places, (uint64_t)w->places[i]);
	json_put(node, "interleave_bytes", UINT64_C(1) << w->shift);
}

static void gather_memory(json_t *node, const struct machine *m, int nid)
{
	const struct machine_bank *bank = &m->banks[machine_way(m, nid, 0)];
	json_t *ranges = json_put_array(node, "memory");
	uint64_t sum = 0;

	for (size_t i = 0; i < m->mm.nr_memory; i++) {
		json_t *range;

		if (m->memory[i].nid != nid)
			continue;
		range = json_append_object(ranges);
		json_put(range, "base", m->memory[i].start);
		json_put(range, "bytes", m->memory[i].bytes);
		put_flag(range, "hotpluggable", &m->memory[i], m->hotpluggable,
			 m->mm.nr_hotpluggable);
		put_flag(range, "mirrored", &m->memory[i], m->mirrored, m->mm.nr_mirrored);
		sum += m->memory[i].bytes;
	}
	json_put(node, "bytes", sum);
	json_put(node, "bank_latency_ps", bank->latency_ps);
	json_put(node, "bank_bytes_per_s", bank->bytes_per_s);
	if (bank_has_channels(bank)) {
		json_put(node, "bank_channels", bank->channels);
		json_put(node, "channel_interleave_bytes", UINT64_C(1) << bank->channel_shift);
	}
	if (machine_nr_ways(m, nid) > 1)
		gather_ways(node, &m->ways[nid]);
}

static void gather_nodes(json_t *doc, const struct machine *m)
{
	json_t *nodes = json_put_array(doc, "nodes");

	for (int nid = 0; nid < m->mm.nr_nodes; nid++) {
		json_t *node = json_append_object(nodes), *cpus;

		json_put(node, "node", (uint64_t)nid);
		cpus = json_put_array(node, "cpus");
		for (int cpu = 0; cpu < m->mm.nr_cpus; cpu++)
			if (m->cpu_nid[cpu] == nid) {
				json_append(cpus, (uint64_t)cpu);
				json_put(node, "freq_hz", m->cpus[cpu].freq_hz);
			}
		show_cpus_gather_node(node, m, nid);
		gather_memory(node, m, nid);
	}
}

/* Whose ways lead over the link, by places. */
static json_t *pairs_over(const struct machine *m, int nr)
{
	json_t *pairs = json_array();
	int nr_places = machine_nr_places(m);

	for (int from = 0; from < nr_places; from++)
		for (int to = 0; to < nr_places; to++) {
			const struct machine_route *route = machine_route(m, from, to);

			for (int i = 0; i < route->nr_links; i++)
				if (route->links[i] == nr) {
					json_t *pair = json_append_object(pairs);

					json_put(pair, "from", (uint64_t)from);
					json_put(pair, "to", (uint64_t)to);
				}
		}
	return pairs;
}

static void gather_links(json_t *doc, const struct machine *m)
{
	json_t *links = json_put_array(doc, "links");

	for (int i = 0; i < m->nr_links; i++) {
		json_t *link = json_append_object(links);

		json_put_string(link, "name", m->links[i].name);
		json_put(link, "from", (uint64_t)m->links[i].from);
		json_put(link, "to", (uint64_t)m->links[i].to);
		json_put(link, "latency_ps", m->links[i].latency_ps);
		json_put(link, "bytes_per_s", m->links[i].bytes_per_s);
		if (m->links[i].wire != i)
			json_put_string(link, "wire", m->links[m->links[i].wire].name);
		/* One of `wires`, which pairs share, has no latency of its own. */
		if (!m->links[i].latency_ps) {
			json_t *pairs = pairs_over(m, i);

			if (json_array_size(pairs) > 1)
				json_object_set(link, "pairs", pairs);
			json_decref(pairs);
		}
	}
}

static void gather_disks(json_t *doc, const struct machine *m)
{
	json_t *disks = json_put_array(doc, "disks");

	for (int i = 0; i < m->nr_disks; i++) {
		json_t *disk = json_append_object(disks);

		json_put_string(disk, "name", m->disks[i].name);
		json_put(disk, "latency_ps", m->disks[i].latency_ps);
		json_put(disk, "read_bytes_per_s", m->disks[i].read_bytes_per_s);
		json_put(disk, "write_bytes_per_s", m->disks[i].write_bytes_per_s);
		json_put(disk, "queue_depth", m->disks[i].queue_depth);
		json_put(disk, "nr_requests", m->disks[i].nr_requests);
		json_object_set_new(disk, "files", json_boolean(i == m->file_disk));
		json_put(disk, "swap_bytes", i == m->swap_disk ? m->mm.params.swap_bytes : 0);
	}
}

/* A matrix as a list of rows; what a node cannot reach is null. */
static json_t *matrix(const struct machine *m, bool bandwidth)
{
	json_t *rows = json_array();

	for (int from = 0; from < machine_nr_places(m); from++) {
		json_t *row = json_array();

		for (int to = 0; to < machine_nr_places(m); to++) {
			const struct machine_route *r = machine_route(m, from, to);

			if (r->bytes_per_s)
				json_append(row, bandwidth ? r->bytes_per_s : r->latency_ps);
			else
				json_array_append_new(row, json_null());
		}
		json_array_append_new(rows, row);
	}
	return rows;
}

static void gather_pool(json_t *doc, const struct mm_hugepages *pool)
{
	json_t *by_node;

	json_put(doc, "bytes", pool->bytes);
	json_put(doc, "pages", pool->pages);
	by_node = json_put_array(doc, "by_node");
	for (int i = 0; i < pool->nr_of; i++)
		json_append(by_node, pool->of[i]);
}

/* What of the kernel's parameters stands on a command line. */
static void gather_kernel(json_t *doc, const struct machine *m)
{
	const struct mm_params *params = &m->mm.params;
	json_t *kernel = json_put_object(doc, "kernel"), *holes, *pools;
	const struct mm_arch *arch = mm_arch(m->mm.arch);

	json_put(kernel, "kernelcore_bytes", params->kernelcore_bytes);
	json_object_set_new(kernel, "kernelcore_mirror", json_boolean(params->kernelcore_mirror));
	json_put(kernel, "movablecore_bytes", params->movablecore_bytes);
	json_object_set_new(kernel, "movable_node", json_boolean(params->movable_node));
	json_put(kernel, "mem_bytes", params->mem_bytes);
	json_put(kernel, "vmalloc_bytes", params->vm.vmalloc_bytes);
	json_put_string(kernel, "vmsplit", mm_vmsplit_name(params->vm.split));
	json_object_set_new(kernel, "la57", json_boolean(params->vm.la57));
	holes = json_put_array(kernel, "memmap");
	for (size_t i = 0; i < m->mm.nr_memmap; i++) {
		json_t *range = json_append_object(holes);

		json_put(range, "base", m->mm.memmap[i].start);
		json_put(range, "bytes", m->mm.memmap[i].bytes);
	}
	json_object_set_new(kernel, "numa_off", json_boolean(params->numa_off));
	json_put(kernel, "numa_fake", params->numa_fake);
	json_put(kernel, "numa_fake_bytes", params->numa_fake_bytes);
	json_put(kernel, "numa_fake_each", params->numa_fake_each);
	json_put_string(kernel, "transparent_hugepage", mm_thp_mode_name(params->thp));
	json_put_string(kernel, "transparent_hugepage_defrag",
			mm_thp_defrag_name(params->thp_defrag));
	json_put(kernel, "default_hugepagesz",
		 params->huge_bytes ? params->huge_bytes
				    : UINT64_C(1) << (arch->page_shift + arch->pageblock_order));
	pools = json_put_array(kernel, "hugepages");
	for (size_t i = 0; i < m->mm.nr_hugepages; i++)
		gather_pool(json_append_object(pools), &m->mm.hugepages[i]);
}

static json_t *json(const struct show_subject *s)
{
	const struct machine *m = s->machine;
	json_t *doc = json_object(), *distances;

	json_put_string(doc, "name", m->name);
	json_put_string(doc, "description", m->description);
	json_put_string(doc, "source", m->source);
	json_put_string(doc, "architecture", mm_arch(m->mm.arch)->name);
	json_put_string(doc, "memory_model", mm_model_name(m->mm.model));
	gather_nodes(doc, m);
	show_cpus_gather(doc, m);
	gather_links(doc, m);
	json_object_set_new(doc, "latency_ps", matrix(m, false));
	json_object_set_new(doc, "bytes_per_s", matrix(m, true));
	distances = json_put_array(doc, "distances");
	for (int from = 0; from < m->mm.nr_nodes; from++) {
		json_t *row = json_array();

		for (int to = 0; to < m->mm.nr_nodes; to++)
			json_append(row, m->distance[from * m->mm.nr_nodes + to]);
		json_array_append_new(distances, row);
	}
	gather_disks(doc, m);
	gather_kernel(doc, m);
	return doc;
}

__attribute__((format(printf, 2, 3))) static void box_line(FILE *out, const char *fmt, ...)
{
	char line[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	fprintf(out, "| %-*s |\n", BOX_WIDTH - 4, line);
}

static void box_edge(FILE *out, const char *title)
{
	int len = fprintf(out, "+--%s", title);

	while (len++ < BOX_WIDTH - 1)
		fputc('-', out);
	fputs("+\n", out);
}

/* "0-25, 52-77" */
static void print_numbers(const json_t *numbers, char *buf, size_t size)
{
	size_t nr = json_array_size(numbers), len = 0;

	buf[0] = '\0';
	for (size_t i = 0, j; i < nr && len < size; i = j) {
		json_int_t first = json_integer_value(json_array_get(numbers, i)), last = first;

		for (j = i + 1; j < nr; j++, last++)
			if (json_integer_value(json_array_get(numbers, j)) != last + 1)
				break;
		len += (size_t)snprintf(buf + len, size - len, "%s%" JSON_INTEGER_FORMAT,
					i ? ", " : "", first);
		if (last > first && len < size)
			len += (size_t)snprintf(buf + len, size - len, "-%" JSON_INTEGER_FORMAT,
						last);
	}
}

static void print_ranges(const json_t *node, FILE *out)
{
	uint64_t end = 0;
	const json_t *range;
	size_t i;

	json_array_foreach (json_object_get(node, "memory"), i, range) {
		uint64_t base = json_get(range, "base"), bytes = json_get(range, "bytes");

		if (i && base > end)
			box_line(out, "%37s hole, %s", "", text_bytes(base - end).text);
		box_line(out, "   %#14" PRIx64 " - %#14" PRIx64 "   %s", base, base + bytes - 1,
			 text_bytes(bytes).text);
		end = base + bytes;
	}
}

static void print_node(const json_t *node, FILE *out)
{
	uint64_t bytes = json_get(node, "bytes"), nr_cpus;
	const json_t *places = json_object_get(node, "interleaved_over");
	char title[32], numbers[200], each[80];

	snprintf(title, sizeof(title), " node %" PRIu64 " ", json_get(node, "node"));
	box_edge(out, title);
	nr_cpus = json_array_size(json_object_get(node, "cpus"));
	print_numbers(json_object_get(node, "cpus"), numbers, sizeof(numbers));
	if (nr_cpus)
		box_line(out, "%" PRIu64 " CPU%s: %s, at %s", nr_cpus, nr_cpus == 1 ? "" : "s",
			 numbers, units_frequency(json_get(node, "freq_hz")).text);
	else
		box_line(out, "no CPUs");
	show_cpus_node_text(node, each, sizeof(each));
	if (each[0])
		box_line(out, "%s", each);
	if (bytes)
		box_line(out, "%s of memory; %s: %s, %s", text_bytes(bytes).text,
			 json_array_size(places) ? "each bank" : "its bank",
			 units_time(json_get(node, "bank_latency_ps")).text,
			 units_rate(json_get(node, "bank_bytes_per_s")).text);
	else
		box_line(out, "no memory");
	if (json_object_get(node, "bank_channels"))
		box_line(out, "%" PRIu64 " channels of %s, in turn after %s",
			 json_get(node, "bank_channels"),
			 units_rate(json_get(node, "bank_bytes_per_s") /
				    json_get(node, "bank_channels"))
				 .text,
			 text_bytes(json_get(node, "channel_interleave_bytes")).text);
	print_numbers(places, numbers, sizeof(numbers));
	if (places)
		box_line(out, "in turn after %s at the banks of places %s",
			 text_bytes(json_get(node, "interleave_bytes")).text, numbers);
	print_ranges(node, out);
	box_edge(out, "");
}

/* Physical memory from 0 to its end, a character a part: the node that has most of it. */
static void print_map(const json_t *doc, FILE *out)
{
	static const char digits[] =
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char map[MAP_WIDTH + 1];
	uint64_t end = 0, most[MAP_WIDTH] = {0};
	const json_t *node, *range;
	size_t n, i;

	json_array_foreach (json_object_get(doc, "nodes"), n, node)
		json_array_foreach (json_object_get(node, "memory"), i, range)
			if (json_get(range, "base") + json_get(range, "bytes") > end)
				end = json_get(range, "base") + json_get(range, "bytes");
	memset(map, '.', MAP_WIDTH);
	map[MAP_WIDTH] = '\0';
	json_array_foreach (json_object_get(doc, "nodes"), n, node) {
		uint64_t part = (end + MAP_WIDTH - 1) / MAP_WIDTH, here[MAP_WIDTH] = {0};

		json_array_foreach (json_object_get(node, "memory"), i, range)
			for (uint64_t p = 0; p < MAP_WIDTH; p++) {
				uint64_t lo = json_get(range, "base"), hi = lo;

				hi += json_get(range, "bytes");
				lo = lo > p * part ? lo : p * part;
				hi = hi < (p + 1) * part ? hi : (p + 1) * part;
				here[p] += lo < hi ? hi - lo : 0;
			}
		for (int p = 0; p < MAP_WIDTH; p++)
			if (here[p] > most[p]) {
				most[p] = here[p];
				map[p] = n < sizeof(digits) - 1 ? digits[n] : '#';
			}
	}
	fprintf(out, "\nPhysical memory from 0 to %s, to scale ('.': nothing there)\n",
		text_bytes(end).text);
	fprintf(out, "[%s]\n", map);
}

static void print_pairs(const json_t *pairs, FILE *out)
{
	const json_t *pair;
	size_t i;

	json_array_foreach (pairs, i, pair)
		fprintf(out, "%s %" PRIu64 " -> %" PRIu64, i ? "," : "  of all from",
			json_get(pair, "from"), json_get(pair, "to"));
}

static void print_links(const json_t *doc, FILE *out)
{
	const json_t *link;
	size_t i;

	if (!json_array_size(json_object_get(doc, "links")))
		return;
	fprintf(out, "\n%-16s%14s%16s\n", "Link, one way", "latency", "bandwidth");
	json_array_foreach (json_object_get(doc, "links"), i, link) {
		const json_t *wire = json_object_get(link, "wire");
		char name[40];

		snprintf(name, sizeof(name), "%" PRIu64 " -> %" PRIu64, json_get(link, "from"),
			 json_get(link, "to"));
		fprintf(out, "%-16s%14s%16s%s%s", name,
			units_time(json_get(link, "latency_ps")).text,
			units_rate(json_get(link, "bytes_per_s")).text, wire ? "  as " : "",
			wire ? json_string_value(wire) : "");
		print_pairs(json_object_get(link, "pairs"), out);
		fputc('\n', out);
	}
}

static void print_disks(const json_t *doc, FILE *out)
{
	const json_t *disk;
	size_t i;

	if (!json_array_size(json_object_get(doc, "disks")))
		return;
	fprintf(out, "\n%-16s%12s%14s%14s%8s  for\n", "Disk", "latency", "read", "write", "depth");
	json_array_foreach (json_object_get(doc, "disks"), i, disk) {
		bool files = json_is_true(json_object_get(disk, "files"));
		uint64_t swap = json_get(disk, "swap_bytes");

		fprintf(out, "%-16.15s%12s%14s%14s%8" PRIu64 "  ", json_get_string(disk, "name"),
			units_time(json_get(disk, "latency_ps")).text,
			units_rate(json_get(disk, "read_bytes_per_s")).text,
			units_rate(json_get(disk, "write_bytes_per_s")).text,
			json_get(disk, "queue_depth"));
		fprintf(out, "%s%s%s%s\n", files ? "files" : "", files && swap ? ", " : "",
			swap ? text_bytes(swap).text : "", swap ? " of swap" : "");
	}
}

/* A matrix with `scale` to divide by and a row of node numbers above it. */
static void print_matrix(const json_t *doc, const char *key, const char *title, double scale,
			 FILE *out)
{
	const json_t *row, *value;
	size_t from, to, nr = json_array_size(json_object_get(doc, key));

	fprintf(out, "\n%s\n%6s", title, "");
	for (to = 0; to < nr; to++)
		fprintf(out, "%8zu", to);
	fputc('\n', out);
	json_array_foreach (json_object_get(doc, key), from, row) {
		bool any = false;

		json_array_foreach (row, to, value)
			any |= json_is_integer(value);
		if (!any)
			continue;
		fprintf(out, "%6zu", from);
		json_array_foreach (row, to, value) {
			if (json_is_integer(value))
				fprintf(out, "%8.*f", scale == 1 ? 0 : 1,
					(double)json_integer_value(value) / scale);
			else
				fprintf(out, "%8s", "-");
		}
		fputc('\n', out);
	}
}

static void print(const json_t *doc, FILE *out)
{
	const json_t *node;
	size_t i;

	fprintf(out, "%s (%s, %s)\n", json_get_string(doc, "name"),
		json_get_string(doc, "architecture"), json_get_string(doc, "memory_model"));
	if (json_get_string(doc, "description")[0])
		fprintf(out, "%s\n", json_get_string(doc, "description"));
	fputc('\n', out);
	json_array_foreach (json_object_get(doc, "nodes"), i, node)
		print_node(node, out);
	print_map(doc, out);
	show_cpus_print(doc, out);
	print_links(doc, out);
	print_disks(doc, out);
	print_matrix(doc, "latency_ps",
		     json_array_size(json_object_get(doc, "latency_ps")) ==
				     json_array_size(json_object_get(doc, "nodes"))
			     ? "Latency (ns) from the CPUs of a node to memory of a node"
			     : "Latency (ns) from the CPUs of a place to its memory and others'",
		     1000, out);
	print_matrix(doc, "bytes_per_s", "Bandwidth (GB/s)", 1e9, out);
	print_matrix(doc, "distances", "Distances (SLIT)", 1, out);
}

static int text(const struct show_subject *s, FILE *out)
{
	return show_document(json(s), print, out);
}

const struct show_kind show_topology = {
	.name = "topology",
	.summary = "nodes, CPUs, memory with holes, links and distances, drawn",
	.text = text,
	.json = json,
};
