/* SPDX-License-Identifier: Apache-2.0 */
/* A result for people: what ran, how long it took, where the pages and the time went. */
#include <inttypes.h>

#include "sim/json.h"
#include "sim/replay/placement_text.h"
#include "sim/result/comparison.h"
#include "sim/result/result.h"
#include "sim/result/result_hotplug.h"
#include "sim/result/result_kernel.h"
#include "sim/result/result_maps.h"
#include "sim/result/result_process.h"
#include "sim/result/result_slab.h"
#include "sim/text.h"

static void print_head(const json_t *doc, FILE *out)
{
	uint64_t nodes = result_integer(doc, "machine.nodes");
	uint64_t cpus = result_integer(doc, "machine.cpus");

	fprintf(out, "Machine         %s\n", result_string(doc, "machine.name"));
	fprintf(out, "                %s, %s, %" PRIu64 " node%s, %" PRIu64 " CPU%s\n",
		result_string(doc, "machine.architecture"),
		result_string(doc, "machine.memory_model"), nodes, nodes == 1 ? "" : "s", cpus,
		cpus == 1 ? "" : "s");
	fprintf(out, "Work            %s\n", result_string(doc, "work"));
	fprintf(out, "Simulated time  %s\n", text_time(result_integer(doc, "simulated_ps")).text);
}

static void print_events(const json_t *doc, FILE *out)
{
	const json_t *skipped = result_member(doc, "events.skipped"), *value;
	const char *key, *before = "Not replayed    ";

	fprintf(out, "Operations      %s allocations (%s failed), %s frees",
		text_count(result_integer(doc, "events.alloc")).text,
		text_count(result_integer(doc, "events.failed")).text,
		text_count(result_integer(doc, "events.free")).text);
	if (result_integer(doc, "events.touch"))
		fprintf(out, ", %s touches", text_count(result_integer(doc, "events.touch")).text);
	fputc('\n', out);
	if (result_integer(doc, "events.file_read") + result_integer(doc, "events.file_written"))
		fprintf(out,
			"Files           %s pages read, %s written; %s found in the page cache, %s "
			"brought there\n",
			text_count(result_integer(doc, "events.file_read")).text,
			text_count(result_integer(doc, "events.file_written")).text,
			text_count(result_integer(doc, "events.file_cached")).text,
			text_count(result_integer(doc, "events.file_brought_in")).text);
	if (result_integer(doc, "events.object_alloc"))
		fprintf(out, "Objects         %s allocations (%s failed), %s frees\n",
			text_count(result_integer(doc, "events.object_alloc")).text,
			text_count(result_integer(doc, "events.object_failed")).text,
			text_count(result_integer(doc, "events.object_free")).text);
	if (result_integer(doc, "events.free_held"))
		fprintf(out, "Freed           %s blocks from before the window\n",
			text_count(result_integer(doc, "events.free_held")).text);
	json_object_foreach ((json_t *)skipped, key, value) {
		if (!json_integer_value(value))
			continue;
		fprintf(out, "%s%s %s", before,
			text_count((uint64_t)json_integer_value(value)).text, key);
		before = ", ";
	}
	if (before[0] == ',')
		fputc('\n', out);
	if (result_integer(doc, "events.failed_in_trace"))
		fprintf(out, "Asked again     %s allocations that had failed in the trace\n",
			text_count(result_integer(doc, "events.failed_in_trace")).text);
	if (result_integer(doc, "events.unknown_gfp_names"))
		fprintf(out, "Not known       %s names of allocation flags\n",
			text_count(result_integer(doc, "events.unknown_gfp_names")).text);
}

static void print_nodes(const json_t *doc, FILE *out)
{
	const json_t *node;
	size_t i;

	fprintf(out, "\n%-6s%16s%12s%12s%14s%12s%12s%12s\n", "Node", "pages allocated", "numa_hit",
		"numa_miss", "numa_foreign", "local_node", "other_node", "pages free");
	json_array_foreach (result_member(doc, "nodes"), i, node) {
		fprintf(out, "%-6" PRIu64 "%16s", json_get(node, "node"),
			text_count(json_get(node, "pages_allocated")).text);
		fprintf(out, "%12s%12s", text_count(json_get(node, "numa_hit")).text,
			text_count(json_get(node, "numa_miss")).text);
		fprintf(out, "%14s%12s%12s%12s\n", text_count(json_get(node, "numa_foreign")).text,
			text_count(json_get(node, "local_node")).text,
			text_count(json_get(node, "other_node")).text,
			text_count(json_get(node, "pages_free")).text);
	}
}

static void print_zones(const json_t *doc, FILE *out)
{
	const json_t *zone;
	size_t i;

	fprintf(out, "\n%-16s%16s%16s%16s%12s%16s\n", "Zone", "pages allocated", "by fallback",
		"pages free", "low", "lock taken");
	json_array_foreach (result_member(doc, "zones"), i, zone) {
		char name[40];

		snprintf(name, sizeof(name), "%" PRIu64 " %s", json_get(zone, "node"),
			 json_get_string(zone, "zone"));
		fprintf(out, "%-16s%16s%16s%16s%12s%16s\n", name,
			text_count(json_get(zone, "pages_allocated")).text,
			text_count(json_get(zone, "fallback_allocations")).text,
			text_count(json_get(zone, "pages_free")).text,
			text_count(json_get(zone, "low")).text,
			text_count(json_get(zone, "lock_acquired")).text);
	}
}

/* 0 where the machine describes no TLB. */
static uint64_t lookups(const json_t *doc)
{
	return result_integer(doc, "tlb.hits") + result_integer(doc, "tlb.second_level_hits") +
	       result_integer(doc, "tlb.walks");
}

/* Causes of all CPUs that did anything, and how they share the time that was not idle. */
static void print_cost(const json_t *doc, FILE *out)
{
	uint64_t total = result_integer(doc, "cost.total_ps");
	uint64_t busy = total - result_integer(doc, "cost.idle_ps");

	fprintf(out, "\n%-16s%14s   of the time that CPUs were busy\n", "Time of CPUs", "");
	for (int i = 0; i < NR_CAUSES; i++) {
		const char *name = time_cause_name((enum time_cause)i);
		char path[80];
		uint64_t ps;

		snprintf(path, sizeof(path), "cost.%s_ps", name);
		ps = result_integer(doc, path);
		if (i == CAUSE_TLB && !lookups(doc))
			continue;
		fprintf(out, "  %-20s%12s", name, text_time(ps).text);
		if (i != CAUSE_IDLE)
			fprintf(out, "%10s", text_percent(ps, busy).text);
		fputc('\n', out);
	}
}

/* Where CPUs waited for any: of those, as /proc/lock_stat has them. */
static void print_locks(const json_t *doc, FILE *out)
{
	const json_t *lock;
	bool any = false;
	size_t i;

	json_array_foreach (result_member(doc, "locks"), i, lock) {
		if (!json_get(lock, "contended"))
			continue;
		if (!any)
			fprintf(out, "\n%-24s%14s%14s%14s\n", "Lock", "taken", "contended",
				"waited");
		any = true;
		fprintf(out, "%-24s%14s%14s%14s\n", json_get_string(lock, "lock"),
			text_count(json_get(lock, "acquired")).text,
			text_count(json_get(lock, "contended")).text,
			text_time(json_get(lock, "wait_ps")).text);
	}
}

static void print_memory(const json_t *doc, FILE *out)
{
	uint64_t ext = result_integer(doc, "memory_model.page_ext_bytes");

	fprintf(out,
		"\nMemory model    %s: %s of page descriptors, %s of them for holes; tables "
		"%s%s%s\n",
		result_string(doc, "memory_model.name"),
		text_bytes(result_integer(doc, "memory_model.memmap_bytes")).text,
		text_bytes(result_integer(doc, "memory_model.hole_bytes")).text,
		text_bytes(result_integer(doc, "memory_model.table_bytes")).text,
		ext ? "; page_ext " : "", ext ? text_bytes(ext).text : "");
	fprintf(out, "Accesses        %s hit a cache; remote memory was reached %s times\n",
		text_count(result_integer(doc, "memory.cache_hits")).text,
		text_count(result_integer(doc, "memory.remote_accesses")).text);
}

static void print_tlb(const json_t *doc, FILE *out)
{
	uint64_t all = lookups(doc), second = result_integer(doc, "tlb.second_level_hits");
	uint64_t walks = result_integer(doc, "tlb.walks"), from_memory = 0;
	const json_t *entries;
	size_t i;

	if (!all)
		return;
	json_array_foreach (result_member(doc, "tlb.entries_from_memory_by_node"), i, entries)
		from_memory += (uint64_t)json_integer_value(entries);
	fprintf(out, "Translations    %s; %s (%s) in the second level of the TLB, ",
		text_count(all).text, text_count(second).text, text_percent(second, all).text);
	fprintf(out, "%s (%s) by a walk; %s of ", text_count(walks).text,
		text_percent(walks, all).text, text_count(from_memory).text);
	fprintf(out, "%s entries came from memory\n",
		text_count(result_integer(doc, "tlb.entries_read")).text);
}

/* Where anything was reclaimed, or could not be. */
static void print_reclaim(const json_t *doc, FILE *out)
{
	uint64_t kswapd = result_integer(doc, "reclaim.pgsteal_kswapd");
	uint64_t direct = result_integer(doc, "reclaim.pgsteal_direct");
	uint64_t scanned = result_integer(doc, "reclaim.pgscan_kswapd") +
			   result_integer(doc, "reclaim.pgscan_direct");
	const char *failure = result_string(doc, "reclaim.failure");
	const char *killer = result_string(doc, "reclaim.out_of_memory");

	if (scanned)
		fprintf(out,
			"\nReclaimed       %s pages by kswapd in %s runs, %s by who allocated; %s "
			"looked at, %s swapped\n",
			text_count(kswapd).text,
			text_count(result_integer(doc, "reclaim.pageoutrun")).text,
			text_count(direct).text, text_count(scanned).text,
			text_count(result_integer(doc, "reclaim.pswpout")).text);
	if (result_integer(doc, "reclaim.compact_migrate_scanned"))
		fprintf(out,
			"\nCompacted       %s pages moved, %s could not be; %s stalls of who "
			"allocated, "
			"%s with success; %s runs of kcompactd\n",
			text_count(result_integer(doc, "reclaim.pgmigrate_success")).text,
			text_count(result_integer(doc, "reclaim.pgmigrate_fail")).text,
			text_count(result_integer(doc, "reclaim.compact_stall")).text,
			text_count(result_integer(doc, "reclaim.compact_success")).text,
			text_count(result_integer(doc, "reclaim.compact_daemon_wake")).text);
	if (*failure)
		fprintf(out, "\nThe first allocation that failed:\n%s", failure);
	if (*killer)
		fprintf(out, "\nThe first for which a kernel would have killed a process:\n%s",
			killer);
}

static void print_disks(const json_t *doc, FILE *out)
{
	uint64_t elapsed = result_integer(doc, "simulated_ps");
	const json_t *disk;
	size_t i;

	if (!json_array_size(result_member(doc, "disks")))
		return;
	fprintf(out, "\n%-16s%12s%12s%12s%12s%9s%15s\n", "Disk", "reads", "read", "writes",
		"written", "busy", "request waits");
	json_array_foreach (result_member(doc, "disks"), i, disk) {
		uint64_t requests = json_get(disk, "reads") + json_get(disk, "writes");
		uint64_t wait = requests ? json_get(disk, "wait_ps") / requests : 0;

		fprintf(out, "%-16.15s%12s%12s", json_get_string(disk, "name"),
			text_count(json_get(disk, "reads")).text,
			text_bytes(json_get(disk, "bytes_read")).text);
		fprintf(out, "%12s%12s%9s", text_count(json_get(disk, "writes")).text,
			text_bytes(json_get(disk, "bytes_written")).text,
			text_percent(json_get(disk, "busy_ps"), elapsed).text);
		fprintf(out, "%15s\n", text_time(wait).text);
	}
}

/* Each behind a line with its name, as head(1) has them of several files. */
static void print_views(const json_t *views, FILE *out)
{
	const json_t *view;
	size_t i;

	json_array_foreach (views, i, view) {
		fprintf(out, "\n==> %s", json_get_string(view, "view"));
		if (json_object_get(view, "at_ps"))
			fprintf(out, " at %s", text_time(json_get(view, "at_ps")).text);
		fprintf(out, " <==\n%s", json_get_string(view, "text"));
	}
}

static void print_result(const json_t *doc, FILE *out)
{
	print_head(doc, out);
	print_events(doc, out);
	print_nodes(doc, out);
	print_zones(doc, out);
	result_print_slab(doc, out);
	print_reclaim(doc, out);
	print_disks(doc, out);
	maps_print(doc, out);
	processes_print(doc, out);
	kernel_calls_print(doc, out);
	hotplug_print(doc, out);
	placement_print(doc, out);
	print_cost(doc, out);
	print_locks(doc, out);
	print_memory(doc, out);
	print_tlb(doc, out);
	print_views(result_member(doc, "views"), out);
}

const struct report_format report_text = {
	.name = "text",
	.result = print_result,
	.comparison = comparison_print,
};
