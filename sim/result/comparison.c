/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of `compare`. A row is a figure and how to get it from a result; columns are machines,
 * wrapped into blocks where they do not fit a line. The first machine stands in every block, since
 * the ratios refer to it.
 */
#include "sim/result/comparison.h"

#include <inttypes.h>
#include <string.h>

#include "sim/result/result.h"
#include "sim/text.h"

#define LABEL_WIDTH   30
#define BASE_WIDTH    15 /* the first column: a figure */
#define COLUMN_WIDTH  23 /* the others: a figure and its ratio */
#define BLOCK_COLUMNS 5

enum row_unit { COUNT, TIME, BYTES };

struct row {
	const char *label;
	enum row_unit unit;
	uint64_t (*value)(const json_t *result, const char *path);
	const char *path;
};

static uint64_t sum_of_nodes(const json_t *result, const char *key)
{
	const json_t *node;
	uint64_t sum = 0;
	size_t i;

	json_array_foreach (result_member(result, "nodes"), i, node)
		sum += result_integer(node, key);
	return sum;
}

/* Picoseconds a call of a site. */
static uint64_t per_call(const json_t *result, const char *site)
{
	char path[80];
	uint64_t calls, ps;

	snprintf(path, sizeof(path), "%s.calls", site);
	calls = result_integer(result, path);
	snprintf(path, sizeof(path), "%s.ps", site);
	ps = result_integer(result, path);
	return calls ? (ps + calls / 2) / calls : 0;
}

static uint64_t busy(const json_t *result, const char *path)
{
	return result_integer(result, path) - result_integer(result, "cost.idle_ps");
}

static const struct row rows[] = {
	{"simulated time", TIME, result_integer, "simulated_ps"},
	{"  CPUs busy", TIME, busy, "cost.total_ps"},
	{"  compute", TIME, result_integer, "cost.compute_ps"},
	{"  local memory", TIME, result_integer, "cost.local_memory_ps"},
	{"  remote memory", TIME, result_integer, "cost.remote_memory_ps"},
	{"  zeroing", TIME, result_integer, "cost.zeroing_ps"},
	{"  TLB misses", TIME, result_integer, "cost.tlb_misses_ps"},
	{"  waiting for disks", TIME, result_integer, "cost.disk_ps"},
	{"  lock wait", TIME, result_integer, "cost.lock_wait_ps"},
	{"allocations", COUNT, result_integer, "events.alloc"},
	{"  failed", COUNT, result_integer, "events.failed"},
	{"  local node", COUNT, sum_of_nodes, "local_node"},
	{"  remote node", COUNT, sum_of_nodes, "other_node"},
	{"  fallback to a lower zone", COUNT, result_integer, "allocator.fallback_zone"},
	{"  fallback to another node", COUNT, result_integer, "allocator.fallback_node"},
	{"  from the reserves", COUNT, result_integer, "allocator.from_reserves"},
	{"TLB: second level hits", COUNT, result_integer, "tlb.second_level_hits"},
	{"  walks", COUNT, result_integer, "tlb.walks"},
	{"  entries read", COUNT, result_integer, "tlb.entries_read"},
	{"reclaimed by kswapd", COUNT, result_integer, "reclaim.pgsteal_kswapd"},
	{"  by who allocates", COUNT, result_integer, "reclaim.pgsteal_direct"},
	{"  swapped out", COUNT, result_integer, "reclaim.pswpout"},
	{"  swapped in", COUNT, result_integer, "reclaim.pswpin"},
	{"page descriptors (memmap)", BYTES, result_integer, "memory_model.memmap_bytes"},
	{"  describing holes", BYTES, result_integer, "memory_model.hole_bytes"},
	{"  tables of the model", BYTES, result_integer, "memory_model.table_bytes"},
	{"pfn_to_page, each", TIME, per_call, "sites.pfn_to_page"},
	{"page_to_pfn, each", TIME, per_call, "sites.page_to_pfn"},
};

/* What is about TLBs is left out where no machine describes one. */
static bool is_shown(const struct row *row, const json_t *results)
{
	const json_t *result;
	size_t i;

	if (!strstr(row->path, "tlb"))
		return true;
	json_array_foreach (results, i, result)
		if (result_integer(result, "tlb.hits"))
			return true;
	return false;
}

static struct text cell(enum row_unit unit, uint64_t value)
{
	switch (unit) {
	case TIME:
		return value ? text_time(value) : (struct text){"0"};
	case BYTES:
		return text_bytes(value);
	case COUNT:
		break;
	}
	return text_count(value);
}

static int width_of(size_t column)
{
	return column ? COLUMN_WIDTH : BASE_WIDTH;
}

static void print_cells(const struct row *row, const json_t *results, const size_t *columns,
			size_t nr, FILE *out)
{
	uint64_t base = row->value(json_array_get(results, 0), row->path);

	fprintf(out, "%-*s", LABEL_WIDTH, row->label);
	for (size_t i = 0; i < nr; i++) {
		uint64_t value = row->value(json_array_get(results, columns[i]), row->path);
		struct text text = cell(row->unit, value);
		char both[2 * sizeof(text)];

		snprintf(both, sizeof(both), columns[i] ? "%s %8s" : "%s", text.text,
			 text_ratio(value, base).text);
		fprintf(out, "%*s", width_of(columns[i]), both);
	}
	fputc('\n', out);
}

/* Who is who: columns are headed by numbers, since names are long. */
static void print_legend(const json_t *results, FILE *out)
{
	const json_t *result;
	size_t i;

	json_array_foreach (results, i, result) {
		uint64_t nodes = result_integer(result, "machine.nodes");
		uint64_t cpus = result_integer(result, "machine.cpus");

		fprintf(out, "[%zu] %s (%s, %s", i + 1, result_string(result, "machine.name"),
			result_string(result, "machine.architecture"),
			result_string(result, "machine.memory_model"));
		fprintf(out, ", %" PRIu64 " node%s, %" PRIu64 " CPU%s)\n", nodes,
			nodes == 1 ? "" : "s", cpus, cpus == 1 ? "" : "s");
	}
	fprintf(out, "Work: %s\n\n", result_string(json_array_get(results, 0), "work"));
}

static void print_heads(const json_t *results, const size_t *columns, size_t nr, FILE *out)
{
	fprintf(out, "%-*s", LABEL_WIDTH, "");
	for (size_t i = 0; i < nr; i++) {
		char head[16];

		snprintf(head, sizeof(head), "[%zu]", columns[i] + 1);
		fprintf(out, "%*s", width_of(columns[i]), head);
	}
	fprintf(out, "\n%-*s", LABEL_WIDTH, "");
	for (size_t i = 0; i < nr; i++)
		fprintf(out, "%*s", width_of(columns[i]),
			result_string(json_array_get(results, columns[i]), "machine.memory_model"));
	fputc('\n', out);
}

/*
 * Zones by name, over all nodes: how many allocations fell back into them. The names are those of
 * all results, each once.
 */
static uint64_t fallbacks_into(const json_t *result, const char *zone_name)
{
	const json_t *zone;
	uint64_t sum = 0;
	size_t i;

	json_array_foreach (result_member(result, "zones"), i, zone)
		if (!strcmp(result_string(zone, "zone"), zone_name))
			sum += result_integer(zone, "fallback_allocations");
	return sum;
}

static bool any_fallback(const json_t *results, const char *zone_name)
{
	const json_t *result;
	size_t i;

	json_array_foreach (results, i, result)
		if (fallbacks_into(result, zone_name))
			return true;
	return false;
}

static void print_zone_rows(const json_t *results, const size_t *columns, size_t nr, FILE *out)
{
	json_t *seen = json_object();
	const json_t *result, *zone;
	size_t i, z;

	json_array_foreach (results, i, result) {
		json_array_foreach (result_member(result, "zones"), z, zone) {
			const char *name = result_string(zone, "zone");
			char label[48];
			struct row row = {label, COUNT, fallbacks_into, name};

			if (json_object_get(seen, name) || !any_fallback(results, name))
				continue;
			json_object_set_new(seen, name, json_true());
			snprintf(label, sizeof(label), "  fallback into zone %s", name);
			print_cells(&row, results, columns, nr, out);
		}
	}
	json_decref(seen);
}

static void print_block(const json_t *results, const size_t *columns, size_t nr, FILE *out)
{
	print_heads(results, columns, nr, out);
	for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
		if (is_shown(&rows[r], results))
			print_cells(&rows[r], results, columns, nr, out);
		if (!strcmp(rows[r].path, "allocator.fallback_node"))
			print_zone_rows(results, columns, nr, out);
	}
}

void comparison_print(const json_t *results, FILE *out)
{
	size_t total = json_array_size(results), next = 1;

	print_legend(results, out);
	do {
		size_t columns[BLOCK_COLUMNS] = {0}, nr = 1;

		while (nr < BLOCK_COLUMNS && next < total)
			columns[nr++] = next++;
		print_block(results, columns, nr, out);
		if (next < total)
			fputc('\n', out);
	} while (next < total);
}
