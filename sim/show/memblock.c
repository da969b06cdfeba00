/* SPDX-License-Identifier: Apache-2.0 */
/* The boot-time allocator's two lists when it handed over, as the kernel dumps them
 * (memblock=debug). */
#include <inttypes.h>

#include "sim/json.h"
#include "sim/show/show.h"

static void gather(json_t *doc, const struct mm *mm, const char *key, bool reserved)
{
	json_t *regions = json_put_array(doc, key);
	struct mm_range range;

	for (size_t i = 0; mm_memblock_range(mm, reserved, i, &range); i++) {
		json_t *region = json_append_object(regions);

		json_put(region, "start", range.start);
		json_put(region, "bytes", range.bytes);
		if (!reserved)
			json_put(region, "node", (uint64_t)range.nid);
	}
}

static json_t *json(const struct show_subject *s)
{
	json_t *doc = json_object();

	gather(doc, s->mm, "memory", false);
	gather(doc, s->mm, "reserved", true);
	return doc;
}

static uint64_t total(const json_t *regions)
{
	const json_t *region;
	uint64_t bytes = 0;
	size_t i;

	json_array_foreach (regions, i, region)
		bytes += json_get(region, "bytes");
	return bytes;
}

static void print_list(const json_t *doc, const char *key, FILE *out)
{
	const json_t *regions = json_object_get(doc, key), *region;
	size_t i;

	fprintf(out, " %s.cnt  = 0x%zx\n", key, json_array_size(regions));
	json_array_foreach (regions, i, region) {
		uint64_t start = json_get(region, "start"), bytes = json_get(region, "bytes");

		fprintf(out,
			" %s[0x%zx]\t[0x%016" PRIx64 "-0x%016" PRIx64 "], 0x%016" PRIx64 " bytes",
			key, i, start, start + bytes - 1, bytes);
		if (json_object_get(region, "node"))
			fprintf(out, " on node %" PRIu64, json_get(region, "node"));
		fputs(" flags: 0x0\n", out);
	}
}

static void print(const json_t *doc, FILE *out)
{
	fprintf(out, "MEMBLOCK configuration:\n");
	fprintf(out, " memory size = 0x%016" PRIx64 " reserved size = 0x%016" PRIx64 "\n",
		total(json_object_get(doc, "memory")), total(json_object_get(doc, "reserved")));
	print_list(doc, "memory", out);
	print_list(doc, "reserved", out);
}

static int text(const struct show_subject *s, FILE *out)
{
	return show_document(json(s), print, out);
}

const struct show_kind show_memblock = {
	.name = "memblock",
	.summary = "memory and reservations at the end of boot, as memblock=debug",
	.boots = true,
	.text = text,
	.json = json,
};
