/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/vmstat, and of one node /sys/devices/system/node/nodeN/vmstat, which has no events, by the
 * kernel's names and in its order.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mm/vm_event.h"
#include "sim/json.h"
#include "sim/replay/kernel_counters.h"
#include "sim/show/show.h"

/* vm.dirty_background_ratio as it is set at first, percent. */
#define DIRTY_BACKGROUND_RATIO 10

static void put_numa(json_t *doc, const struct mm *mm, int only)
{
	struct mm_numastat sum = {0};

	for (int nid = 0; nid < mm_nr_nodes(mm); nid++) {
		struct mm_numastat stat;

		if (only != ALL_NODES && only != nid)
			continue;
		mm_node_numastat(mm, nid, &stat);
		sum.numa_hit += stat.numa_hit;
		sum.numa_miss += stat.numa_miss;
		sum.numa_foreign += stat.numa_foreign;
		sum.interleave_hit += stat.interleave_hit;
		sum.local_node += stat.local_node;
		sum.other_node += stat.other_node;
	}
	json_put(doc, "numa_hit", sum.numa_hit);
	json_put(doc, "numa_miss", sum.numa_miss);
	json_put(doc, "numa_foreign", sum.numa_foreign);
	json_put(doc, "numa_interleave", sum.interleave_hit);
	json_put(doc, "numa_local", sum.local_node);
	json_put(doc, "numa_other", sum.other_node);
}

/* An event that is counted by zone: pgalloc_dma32. */
static void put_zone_event(json_t *doc, const char *event, const struct mm_arch_zone *zone,
			   uint64_t value)
{
	const char *name = zone->type == MM_ZONE_HIGHMEM ? "high" : zone->name;
	char key[48];
	int len = snprintf(key, sizeof(key), "%s_", event);

	for (const char *p = name; *p && len + 1 < (int)sizeof(key); p++)
		key[len++] = (char)tolower((unsigned char)*p);
	key[len] = '\0';
	json_put(doc, key, value);
}

static uint64_t pages_allocated(const struct mm *mm, int zone)
{
	uint64_t pages = 0;

	for (int nid = 0; nid < mm_nr_nodes(mm); nid++) {
		struct mm_zone_info info;

		mm_zone_info(mm, nid, zone, &info);
		pages += info.alloc_pages;
	}
	return pages;
}

static uint64_t pages_freed(const struct mm *mm)
{
	uint64_t pages = 0;

	for (int nid = 0; nid < mm_nr_nodes(mm); nid++)
		for (int z = 0; z < mm_get_arch(mm)->nr_zones; z++) {
			struct mm_zone_info info;

			mm_zone_info(mm, nid, z, &info);
			pages += info.freed_pages;
		}
	return pages;
}

static uint64_t zone_event(const struct mm *mm, const char *event, int zone)
{
	if (!strcmp(event, "allocstall"))
		return mm_allocstall(mm, zone);
	if (!strcmp(event, "pgskip"))
		return mm_pgskip(mm, zone);
	return strcmp(event, "pgalloc") ? 0 : pages_allocated(mm, zone);
}

static void put_zone_events(json_t *doc, const struct mm *mm)
{
	const struct mm_arch *arch = mm_get_arch(mm);

	for (int e = 0; kernel_zone_events[e]; e++)
		for (int z = 0; z < arch->nr_zones; z++)
			put_zone_event(doc, kernel_zone_events[e], &arch->zones[z],
				       zone_event(mm, kernel_zone_events[e], z));
}

enum counts { OF_ZONES, OF_NODES, OF_EVENTS };

static uint64_t sum_of(const struct mm *mm, int only, enum counts what, const char *name)
{
	int64_t sum = 0;

	if (what == OF_EVENTS)
		return kernel_event(mm, name);
	for (int nid = 0; nid < mm_nr_nodes(mm); nid++) {
		if (only != ALL_NODES && nid != only)
			continue;
		if (what == OF_NODES)
			sum += kernel_node_counter(mm, nid, name);
		for (int z = 0; z < mm_get_arch(mm)->nr_zones && what == OF_ZONES; z++)
			sum += kernel_zone_counter(mm, nid, z, name);
	}
	return kernel_shown(sum);
}

static void put_counters(json_t *doc, const struct show_subject *s, enum counts what,
			 const char *const *names)
{
	for (int i = 0; names[i]; i++)
		if (kernel_has_numa(s->mm) || !kernel_counter_needs_numa(names[i]))
			json_put(doc, names[i], sum_of(s->mm, s->nid, what, names[i]));
}

/* A percentage of what may be dirty: taken in parts of a page, as domain_dirty_limits() does. */
static void put_threshold(json_t *doc, const struct mm *mm, const char *name, unsigned percent)
{
	uint64_t page = UINT64_C(1) << mm_get_arch(mm)->page_shift;

	json_put(doc, name, percent * page / 100 * zone_dirtyable(mm) / page);
}

/* Boot frees each managed page once, which counts as a free. */
static json_t *json(const struct show_subject *s)
{
	const struct mm *mm = s->mm;
	struct zone_sums sums = zone_sums(mm, s->nid);
	json_t *doc = json_object();

	json_put(doc, "nr_free_pages", sums.free);
	put_counters(doc, s, OF_ZONES, kernel_zone_counters);
	if (kernel_has_numa(mm))
		put_numa(doc, mm, s->nid);
	put_counters(doc, s, OF_NODES, kernel_node_counters);
	if (s->nid != ALL_NODES)
		return doc;
	put_threshold(doc, mm, "nr_dirty_threshold", (unsigned)mm_get_params(mm)->dirty_ratio);
	put_threshold(doc, mm, "nr_dirty_background_threshold", DIRTY_BACKGROUND_RATIO);
	put_counters(doc, s, OF_EVENTS, kernel_events_before);
	put_zone_events(doc, mm);
	json_put(doc, "pgfree", sums.total + pages_freed(mm));
	put_counters(doc, s, OF_EVENTS, kernel_events_after);
	json_put(doc, "nr_unstable", 0); /* kept for those who look for it: gone since 5.8 */
	return doc;
}

static void print(const json_t *doc, FILE *out)
{
	const json_t *value;
	const char *key;

	json_object_foreach ((json_t *)doc, key, value)
		fprintf(out, "%s %" JSON_INTEGER_FORMAT "\n", key, json_integer_value(value));
}

static int text(const struct show_subject *s, FILE *out)
{
	return show_document(json(s), print, out);
}

const struct show_kind show_vmstat = {
	.name = "vmstat",
	.summary = "counters, as /proc/vmstat; with --node, of that node",
	.boots = true,
	.of_node = true,
	.text = text,
	.json = json,
};
