/* SPDX-License-Identifier: Apache-2.0 */
/* The counters of /proc/vmstat that the mm core keeps, by the kernel's names and in its order. */
#include <ctype.h>
#include <inttypes.h>

#include "sim/json.h"
#include "sim/show/show.h"

static void put_numa(json_t *doc, const struct mm *mm)
{
	struct mm_numastat sum = {0};

	for (int nid = 0; nid < mm_nr_nodes(mm); nid++) {
		struct mm_numastat stat;

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

/* Pages allocated from the zones of one type, over all nodes: pgalloc_dma32. */
static void put_pgalloc(json_t *doc, const struct mm *mm, int zone)
{
	char key[32] = "pgalloc_";
	size_t len = sizeof("pgalloc_") - 1;
	uint64_t pages = 0;

	for (const char *p = mm_get_arch(mm)->zones[zone].name; *p && len + 1 < sizeof(key); p++)
		key[len++] = (char)tolower((unsigned char)*p);
	for (int nid = 0; nid < mm_nr_nodes(mm); nid++) {
		struct mm_zone_info info;

		mm_zone_info(mm, nid, zone, &info);
		pages += info.alloc_pages;
	}
	json_put(doc, key, pages);
}

static json_t *json(const struct show_subject *s)
{
	const struct mm *mm = s->mm;
	json_t *doc = json_object();
	uint64_t free = 0;

	for (int nid = 0; nid < mm_nr_nodes(mm); nid++)
		for (int z = 0; z < mm_get_arch(mm)->nr_zones; z++) {
			struct mm_zone_info info;

			mm_zone_info(mm, nid, z, &info);
			free += info.free;
		}
	json_put(doc, "nr_free_pages", free);
	put_numa(doc, mm);
	for (int z = 0; z < mm_get_arch(mm)->nr_zones; z++)
		put_pgalloc(doc, mm, z);
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
	.summary = "counters, as /proc/vmstat",
	.boots = true,
	.text = text,
	.json = json,
};
