/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines of /proc/meminfo that follow from zones: all memory, and on a machine with HighMem its
 * two halves. A zone is high where the direct mapping does not reach it; ZONE_MOVABLE is where
 * HighMem exists, since it is cut from there.
 */
#include <inttypes.h>

#include "sim/json.h"
#include "sim/show/show.h"

struct sums {
	uint64_t total, free; /* pages */
};

static bool is_high(const struct mm_arch *arch, int zone)
{
	enum mm_zone_type type = arch->zones[zone].type;

	return type == MM_ZONE_HIGHMEM ||
	       (type == MM_ZONE_MOVABLE && mm_arch_zone_index(arch, MM_ZONE_HIGHMEM) >= 0);
}

static void add_zones(const struct mm *mm, struct sums *low, struct sums *high)
{
	const struct mm_arch *arch = mm_get_arch(mm);

	for (int nid = 0; nid < mm_nr_nodes(mm); nid++)
		for (int z = 0; z < arch->nr_zones; z++) {
			struct sums *s = is_high(arch, z) ? high : low;
			struct mm_zone_info info;

			mm_zone_info(mm, nid, z, &info);
			s->total += info.managed;
			s->free += info.free;
		}
}

static json_t *json(const struct show_subject *s)
{
	const struct mm_arch *arch = mm_get_arch(s->mm);
	unsigned to_kib = arch->page_shift - 10;
	struct sums low = {0}, high = {0};
	json_t *doc = json_object();

	add_zones(s->mm, &low, &high);
	json_put(doc, "MemTotal", (low.total + high.total) << to_kib);
	json_put(doc, "MemFree", (low.free + high.free) << to_kib);
	if (mm_arch_zone_index(arch, MM_ZONE_HIGHMEM) < 0)
		return doc;
	json_put(doc, "HighTotal", high.total << to_kib);
	json_put(doc, "HighFree", high.free << to_kib);
	json_put(doc, "LowTotal", low.total << to_kib);
	json_put(doc, "LowFree", low.free << to_kib);
	return doc;
}

static void print(const json_t *doc, FILE *out)
{
	const json_t *value;
	const char *key;

	json_object_foreach ((json_t *)doc, key, value) {
		char label[32];

		snprintf(label, sizeof(label), "%s:", key);
		fprintf(out, "%-16s%8" JSON_INTEGER_FORMAT " kB\n", label,
			json_integer_value(value));
	}
}

static int text(const struct show_subject *s, FILE *out)
{
	return show_document(json(s), print, out);
}

const struct show_kind show_meminfo = {
	.name = "meminfo",
	.summary = "memory in all and free, as /proc/meminfo",
	.boots = true,
	.text = text,
	.json = json,
};
