/* SPDX-License-Identifier: Apache-2.0 */
/* Counts of the slab allocator, and the caches that were used. */
#include "sim/result/result_slab.h"

#include <inttypes.h>

#include "mm/slab/slab.h"
#include "sim/json.h"
#include "sim/text.h"

/* Allocations and frees. */
static uint64_t activity(const uint64_t *stats)
{
	return stats[MM_SLAB_STAT_ALLOC_FASTPATH] + stats[MM_SLAB_STAT_ALLOC_SLOWPATH] +
	       stats[MM_SLAB_STAT_FREE_FASTPATH] + stats[MM_SLAB_STAT_FREE_SLOWPATH];
}

static void put_stats(json_t *to, const uint64_t *stats)
{
	for (int i = 0; i < MM_NR_SLAB_STATS; i++)
		json_put(to, mm_slab_stat_name((enum mm_slab_stat)i), stats[i]);
}

static void put_cache(json_t *caches, const struct mm_slab_info *info)
{
	json_t *cache = json_append_object(caches);

	json_put_string(cache, "name", info->name);
	json_put(cache, "objsize", info->layout.size);
	json_put(cache, "objperslab", info->layout.objects);
	json_put(cache, "allocated", info->allocated);
	json_put(cache, "num_objs", info->nr_objs);
	json_put(cache, "num_slabs", info->nr_slabs);
	json_put(cache, "pages", info->nr_pages);
	put_stats(cache, info->stats);
}

/* Of each node: all, and those whose objects memory pressure frees. */
static void put_pages(json_t *slab, const struct mm *mm)
{
	json_t *all = json_put_array(slab, "pages_by_node");
	json_t *reclaimable = json_put_array(slab, "reclaimable_by_node");

	for (int nid = 0; nid < mm_nr_nodes(mm); nid++) {
		uint64_t pages[2];

		mm_slab_pages(mm, nid, pages);
		json_append(all, pages[0] + pages[1]);
		json_append(reclaimable, pages[1]);
	}
}

void result_put_slab(json_t *doc, const struct mm *mm)
{
	uint64_t stats[MM_NR_SLAB_STATS];
	struct mm_slab_info info;
	json_t *slab, *list;

	if (!mm_slab_sums(mm, stats)) {
		json_object_set_new(doc, "slab", json_null());
		return;
	}
	slab = json_put_object(doc, "slab");
	put_stats(slab, stats);
	put_pages(slab, mm);
	list = json_put_array(slab, "caches");
	for (unsigned i = 0; mm_slab_info(mm, i, &info); i++)
		if (activity(info.stats))
			put_cache(list, &info);
	json_put(slab, "nr_reports", mm_slab_nr_reports(mm));
	list = json_put_array(slab, "reports");
	for (unsigned i = 0; mm_slab_report(mm, i); i++)
		json_array_append_new(list, json_string(mm_slab_report(mm, i)));
}

static void print_caches(const json_t *slab, FILE *out)
{
	const json_t *cache;
	size_t i;

	fprintf(out, "\n%-22s%10s%10s%12s%12s%14s%12s%12s\n", "Slab cache", "object", "pages",
		"in use", "allocated", "by fast path", "freed", "from afar");
	json_array_foreach (json_object_get(slab, "caches"), i, cache) {
		uint64_t fast = json_get(cache, "alloc_fastpath");

		fprintf(out, "%-22s%10" PRIu64 "%10s%12s", json_get_string(cache, "name"),
			json_get(cache, "objsize"), text_count(json_get(cache, "pages")).text,
			text_count(json_get(cache, "allocated")).text);
		fprintf(out, "%12s%14s", text_count(fast + json_get(cache, "alloc_slowpath")).text,
			text_count(fast).text);
		fprintf(out, "%12s%12s\n",
			text_count(json_get(cache, "free_fastpath") +
				   json_get(cache, "free_slowpath"))
				.text,
			text_count(json_get(cache, "free_remote")).text);
	}
}

void result_print_slab(const json_t *doc, FILE *out)
{
	const json_t *slab = json_object_get(doc, "slab"), *text;
	size_t i;

	if (!slab || json_is_null(slab))
		return;
	print_caches(slab, out);
	fprintf(out,
		"Slabs           %s new, %s given back; from partial lists of CPUs %s, of nodes ",
		text_count(json_get(slab, "alloc_slab")).text,
		text_count(json_get(slab, "free_slab")).text,
		text_count(json_get(slab, "cpu_partial_alloc")).text);
	fprintf(out, "%s, of other nodes %s\n",
		text_count(json_get(slab, "alloc_from_partial")).text,
		text_count(json_get(slab, "alloc_remote_partial")).text);
	json_array_foreach (json_object_get(slab, "reports"), i, text)
		fprintf(out, "Slab report     %s\n", json_string_value(text));
}
