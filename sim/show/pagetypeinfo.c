/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/pagetypeinfo: free blocks and page blocks by mobility. At the end of boot all page blocks
 * are movable, as in Linux before its first unmovable allocations, and the mm core does not change
 * that: its free lists know no mobility.
 */
#include <inttypes.h>
#include <string.h>

#include "sim/json.h"
#include "sim/show/show.h"

static const char *const types[] = {"Unmovable", "Movable", "Reclaimable", "HighAtomic", "Isolate"};
#define NR_TYPES  (sizeof(types) / sizeof(*types))
#define BOOT_TYPE "Movable"

static json_t *json(const struct show_subject *s)
{
	const struct mm_arch *arch = mm_get_arch(s->mm);
	json_t *doc = json_object(), *zones;

	json_put(doc, "page_block_order", arch->pageblock_order);
	zones = json_put_array(doc, "zones");
	for (int nid = 0; nid < mm_nr_nodes(s->mm); nid++)
		for (int z = 0; z < arch->nr_zones; z++) {
			struct mm_zone_info info;
			json_t *zone, *blocks;

			mm_zone_info(s->mm, nid, z, &info);
			if (!info.spanned)
				continue;
			zone = json_append_object(zones);
			json_put(zone, "node", (uint64_t)nid);
			json_put_string(zone, "zone", info.name);
			json_put(zone, "page_blocks", mm_zone_pageblocks(s->mm, nid, z));
			blocks = json_put_array(zone, "free_blocks_by_order");
			for (unsigned o = 0; o < NR_PAGE_ORDERS; o++)
				json_append(blocks, info.nr_free_blocks[o]);
		}
	return doc;
}

static void print_free(const json_t *zone, const char *type, FILE *out)
{
	const json_t *blocks;
	size_t order;

	fprintf(out, "Node %4" PRIu64 ", zone %8s, type %12s ", json_get(zone, "node"),
		json_get_string(zone, "zone"), type);
	json_array_foreach (json_object_get(zone, "free_blocks_by_order"), order, blocks)
		fprintf(out, "%6" JSON_INTEGER_FORMAT " ",
			strcmp(type, BOOT_TYPE) ? 0 : json_integer_value(blocks));
	fputc('\n', out);
}

static void print_page_blocks(const json_t *zone, FILE *out)
{
	fprintf(out, "Node %" PRIu64 ", zone %8s ", json_get(zone, "node"),
		json_get_string(zone, "zone"));
	for (size_t t = 0; t < NR_TYPES; t++)
		fprintf(out, "%12" PRIu64 " ",
			strcmp(types[t], BOOT_TYPE) ? 0 : json_get(zone, "page_blocks"));
	fputc('\n', out);
}

/* The file is whole for each node with memory: its zones are [first, end) of the list. */
static void print_node(const json_t *doc, size_t first, size_t end, FILE *out)
{
	const json_t *zones = json_object_get(doc, "zones");
	uint64_t order = json_get(doc, "page_block_order");

	fprintf(out, "Page block order: %" PRIu64 "\n", order);
	fprintf(out, "Pages per block:  %" PRIu64 "\n\n", UINT64_C(1) << order);
	fprintf(out, "%-43s ", "Free pages count per migrate type at order");
	for (unsigned o = 0; o < NR_PAGE_ORDERS; o++)
		fprintf(out, "%6u ", o);
	fputc('\n', out);
	for (size_t i = first; i < end; i++)
		for (size_t t = 0; t < NR_TYPES; t++)
			print_free(json_array_get(zones, i), types[t], out);
	fprintf(out, "\n%-23s", "Number of blocks type ");
	for (size_t t = 0; t < NR_TYPES; t++)
		fprintf(out, "%12s ", types[t]);
	fputc('\n', out);
	for (size_t i = first; i < end; i++)
		print_page_blocks(json_array_get(zones, i), out);
}

static void print(const json_t *doc, FILE *out)
{
	const json_t *zones = json_object_get(doc, "zones");
	size_t nr = json_array_size(zones), first = 0;

	for (size_t i = 1; i <= nr; i++)
		if (i == nr || json_get(json_array_get(zones, i), "node") !=
				       json_get(json_array_get(zones, first), "node")) {
			print_node(doc, first, i, out);
			first = i;
		}
}

static int text(const struct show_subject *s, FILE *out)
{
	return show_document(json(s), print, out);
}

const struct show_kind show_pagetypeinfo = {
	.name = "pagetypeinfo",
	.summary = "free blocks and page blocks by mobility, as /proc/pagetypeinfo",
	.boots = true,
	.text = text,
	.json = json,
};
