/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/zoneinfo as Linux 6.1 prints it, of what the mm core has; then each CPU's lists. */
#include <errno.h>
#include <inttypes.h>

#include "mm/alloc/contig.h"
#include "sim/json.h"
#include "sim/replay/kernel_counters.h"
#include "sim/show/show.h"

/* Counters of a zone in the kernel's order, by their key in the file. */
static void gather_counters(json_t *doc, const struct mm *mm, int nid, int zone,
			    const struct mm_zone_info *info)
{
	json_t *counters = json_put_object(doc, "counters");

	json_put(counters, "nr_free_pages", info->free_counter);
	for (int i = 0; kernel_zone_counters[i]; i++)
		json_put(counters, kernel_zone_counters[i],
			 kernel_shown(kernel_zone_counter(mm, nid, zone, kernel_zone_counters[i])));
	if (!kernel_has_numa(mm))
		return;
	json_put(counters, "numa_hit", info->numa_hit);
	json_put(counters, "numa_miss", info->numa_miss);
	json_put(counters, "numa_foreign", info->numa_foreign);
	json_put(counters, "numa_interleave", info->numa_interleave);
	json_put(counters, "numa_local", info->numa_local);
	json_put(counters, "numa_other", info->numa_other);
}

/* Counters of the node stand with its first zone that has memory. */
static void gather_node_counters(json_t *zone, const struct mm *mm, int nid, int index)
{
	struct mm_zone_info info;
	json_t *counters;

	for (int z = 0; z <= index; z++) {
		mm_zone_info(mm, nid, z, &info);
		if (info.present && z < index)
			return;
	}
	if (!info.present)
		return;
	counters = json_put_object(zone, "per_node_stats");
	for (int i = 0; kernel_node_counters[i]; i++)
		if (kernel_has_numa(mm) || !kernel_counter_needs_numa(kernel_node_counters[i]))
			json_put(counters, kernel_node_counters[i],
				 kernel_shown(
					 kernel_node_counter(mm, nid, kernel_node_counters[i])));
}

static void gather_zone(json_t *zones, const struct mm *mm, int nid, int index)
{
	json_t *zone = json_append_object(zones), *protection, *pagesets;
	struct mm_zone_info info;

	mm_zone_info(mm, nid, index, &info);
	json_put(zone, "node", (uint64_t)nid);
	json_put_string(zone, "zone", info.name);
	gather_node_counters(zone, mm, nid, index);
	json_put(zone, "free", info.free_counter);
	json_put(zone, "boost", info.boost);
	json_put(zone, "min", info.min);
	json_put(zone, "low", info.low);
	json_put(zone, "high", info.high);
	json_put(zone, "spanned", info.spanned);
	json_put(zone, "present", info.present);
	json_put(zone, "managed", info.managed);
	json_put(zone, "cma", mm_cma_pages(mm, nid, index));
	protection = json_put_array(zone, "protection");
	for (int z = 0; z < mm_get_arch(mm)->nr_zones; z++)
		json_append(protection, info.protection[z]);
	if (!info.present)
		return;
	gather_counters(zone, mm, nid, index, &info);
	pagesets = json_put_array(zone, "pagesets");
	for (int cpu = 0; cpu < mm_nr_cpus(mm); cpu++) {
		json_t *set = json_append_object(pagesets);

		json_put(set, "cpu", (uint64_t)cpu);
		json_put(set, "count", mm_pcp_count(mm, nid, index, cpu));
		if (info.pcp_low)
			json_put(set, "low", info.pcp_low);
		json_put(set, "high", info.pcp_high);
		json_put(set, "batch", info.pcp_batch);
		json_put(set, "vm_stats_threshold", (uint64_t)info.stat_threshold);
	}
	json_put(zone, "start_pfn", info.start_pfn);
}

static json_t *json(const struct show_subject *s)
{
	const struct mm *mm = s->mm;
	json_t *zones = json_array();

	for (int nid = 0; nid < mm_nr_nodes(mm); nid++)
		for (int z = 0; z < mm_get_arch(mm)->nr_zones && mm_node_online(mm, nid); z++)
			gather_zone(zones, mm, nid, z);
	return zones;
}

static void print_pagesets(const json_t *zone, FILE *out)
{
	const json_t *set;
	size_t i;

	fputs("  pagesets\n", out);
	json_array_foreach (json_object_get(zone, "pagesets"), i, set) {
		fprintf(out, "    cpu: %" PRIu64 "\n", json_get(set, "cpu"));
		fprintf(out, "              count: %" PRIu64 "\n", json_get(set, "count"));
		/* Of kernels that have it. */
		if (json_object_get(set, "low"))
			fprintf(out, "              low:   %" PRIu64 "\n", json_get(set, "low"));
		fprintf(out, "              high:  %" PRIu64 "\n", json_get(set, "high"));
		fprintf(out, "              batch: %" PRIu64 "\n", json_get(set, "batch"));
		fprintf(out, "  vm stats threshold: %" PRIu64 "\n",
			json_get(set, "vm_stats_threshold"));
	}
	fputs("  node_unreclaimable:  0\n", out);
	fprintf(out, "  start_pfn:           %" PRIu64 "\n", json_get(zone, "start_pfn"));
}

static void print_counters(const json_t *counters, FILE *out)
{
	const json_t *value;
	const char *key;

	json_object_foreach ((json_t *)counters, key, value)
		fprintf(out, "      %-12s %" JSON_INTEGER_FORMAT "\n", key,
			json_integer_value(value));
}

static void print_zone(const json_t *zone, FILE *out)
{
	static const char *const figures[] = {"boost",   "min",     "low",     "high",
					      "spanned", "present", "managed", "cma"};
	const json_t *entry;
	size_t i;

	fprintf(out, "Node %" PRIu64 ", zone %8s\n", json_get(zone, "node"),
		json_get_string(zone, "zone"));
	if (json_object_get(zone, "per_node_stats")) {
		fputs("  per-node stats\n", out);
		print_counters(json_object_get(zone, "per_node_stats"), out);
	}
	fprintf(out, "  pages free     %" PRIu64 "\n", json_get(zone, "free"));
	for (i = 0; i < sizeof(figures) / sizeof(*figures); i++)
		fprintf(out, "        %-8s %" PRIu64 "\n", figures[i], json_get(zone, figures[i]));
	fputs("        protection: (", out);
	json_array_foreach (json_object_get(zone, "protection"), i, entry)
		fprintf(out, "%s%" JSON_INTEGER_FORMAT, i ? ", " : "", json_integer_value(entry));
	fputs(")\n", out);
	print_counters(json_object_get(zone, "counters"), out);
	if (json_object_get(zone, "pagesets"))
		print_pagesets(zone, out);
}

/* A zone at a time: with thousands of CPUs the whole document would be gigabytes. */
static int text(const struct show_subject *s, FILE *out)
{
	for (int nid = 0; nid < mm_nr_nodes(s->mm); nid++)
		for (int z = 0; z < mm_get_arch(s->mm)->nr_zones && mm_node_online(s->mm, nid);
		     z++) {
			json_t *zones = json_array();

			if (!zones)
				return -ENOMEM;
			gather_zone(zones, s->mm, nid, z);
			print_zone(json_array_get(zones, 0), out);
			json_decref(zones);
		}
	return 0;
}

const struct show_kind show_zoneinfo = {
	.name = "zoneinfo",
	.summary = "each zone's figures, as /proc/zoneinfo",
	.boots = true,
	.text = text,
	.json = json,
};
