/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/meminfo: what follows from the zones, and 0 for what the mm core does not have. Left out
 * are the lines about address space (vmalloc, the direct mapping). A zone is high where the direct
 * mapping does not reach it; ZONE_MOVABLE is where HighMem exists, since it is cut from there.
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

/*
 * Pages that user space cannot have: each zone's high watermark and the most that a request from
 * above has to leave there, at most all of it.
 */
static uint64_t total_reserve(const struct mm *mm)
{
	const struct mm_arch *arch = mm_get_arch(mm);
	uint64_t reserve = 0;

	for (int nid = 0; nid < mm_nr_nodes(mm); nid++)
		for (int z = 0; z < arch->nr_zones; z++) {
			struct mm_zone_info info;
			uint64_t most = 0;

			mm_zone_info(mm, nid, z, &info);
			for (int j = z; j < arch->nr_zones; j++)
				if (info.protection[j] > most)
					most = info.protection[j];
			most += info.high;
			reserve += most < info.managed ? most : info.managed;
		}
	return reserve;
}

static void put_zeroes(json_t *doc, const char *const *keys)
{
	for (int i = 0; keys[i]; i++)
		json_put(doc, keys[i], 0);
}

static const char *const used[] = {"Buffers",        "Cached",       "SwapCached",
				   "Active",         "Inactive",     "Active(anon)",
				   "Inactive(anon)", "Active(file)", "Inactive(file)",
				   "Unevictable",    "Mlocked",      NULL};
static const char *const swapped[] = {
	"SwapTotal",     "SwapFree",     "Zswap",      "Zswapped",     "Dirty",
	"Writeback",     "AnonPages",    "Mapped",     "Shmem",        "KReclaimable",
	"Slab",          "SReclaimable", "SUnreclaim", "KernelStack",  "PageTables",
	"SecPageTables", "NFS_Unstable", "Bounce",     "WritebackTmp", NULL};
static const char *const huge[] = {"HardwareCorrupted",
				   "AnonHugePages",
				   "ShmemHugePages",
				   "ShmemPmdMapped",
				   "FileHugePages",
				   "FilePmdMapped",
				   NULL};

static json_t *json(const struct show_subject *s)
{
	const struct mm_arch *arch = mm_get_arch(s->mm);
	unsigned to_kib = arch->page_shift - 10;
	uint64_t reserve = total_reserve(s->mm), free;
	struct sums low = {0}, high = {0};
	json_t *doc = json_object();

	add_zones(s->mm, &low, &high);
	free = low.free + high.free;
	json_put(doc, "MemTotal", (low.total + high.total) << to_kib);
	json_put(doc, "MemFree", free << to_kib);
	json_put(doc, "MemAvailable", (free > reserve ? free - reserve : 0) << to_kib);
	put_zeroes(doc, used);
	if (mm_arch_zone_index(arch, MM_ZONE_HIGHMEM) >= 0) {
		json_put(doc, "HighTotal", high.total << to_kib);
		json_put(doc, "HighFree", high.free << to_kib);
		json_put(doc, "LowTotal", low.total << to_kib);
		json_put(doc, "LowFree", low.free << to_kib);
	}
	put_zeroes(doc, swapped);
	/* vm.overcommit_ratio: half of it. */
	json_put(doc, "CommitLimit", (low.total + high.total) / 2 << to_kib);
	json_put(doc, "Committed_AS", 0);
	put_zeroes(doc, huge);
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
