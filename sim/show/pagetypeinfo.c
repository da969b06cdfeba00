/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/pagetypeinfo: free blocks and page blocks by mobility. At the end of boot all page blocks
 * are movable, as in Linux before its first unmovable allocations.
 */
#include <inttypes.h>

#include "sim/json.h"
#include "sim/show/show.h"

/* In the kernel's order. CMA has no line without CONFIG_CMA, which no captured kernel has. */
static const struct {
	const char *name;
	enum mm_migratetype type;
} types[] = {
	{"Unmovable", MM_UNMOVABLE},   {"Movable", MM_MOVABLE}, {"Reclaimable", MM_RECLAIMABLE},
	{"HighAtomic", MM_HIGHATOMIC}, {"CMA", MM_CMA},         {"Isolate", MM_ISOLATE}};
#define NR_TYPES (sizeof(types) / sizeof(*types))

static void gather_type(json_t *zone, size_t t, const struct mm_zone_info *info,
			uint64_t page_blocks)
{
	json_t *type = json_put_object(zone, types[t].name), *free;

	json_put(type, "page_blocks", page_blocks);
	free = json_put_array(type, "free_blocks_by_order");
	for (unsigned o = 0; o < NR_PAGE_ORDERS; o++)
		json_append(free, info->nr_free_by_type[types[t].type][o]);
}

static json_t *json(const struct show_subject *s)
{
	const struct mm_arch *arch = mm_get_arch(s->mm);
	json_t *doc = json_object(), *zones;

	json_put(doc, "page_block_order", arch->pageblock_order);
	json_put(doc, "mobility_grouping", mm_grouped_by_mobility(s->mm));
	zones = json_put_array(doc, "zones");
	for (int nid = 0; nid < mm_nr_nodes(s->mm); nid++)
		for (int z = 0; z < arch->nr_zones; z++) {
			struct mm_zone_info info;
			uint64_t blocks[MM_NR_MIGRATETYPES];
			json_t *zone;

			mm_zone_info(s->mm, nid, z, &info);
			if (!info.spanned)
				continue;
			zone = json_append_object(zones);
			json_put(zone, "node", (uint64_t)nid);
			json_put_string(zone, "zone", info.name);
			mm_zone_pageblocks(s->mm, nid, z, blocks);
			for (size_t t = 0; t < NR_TYPES; t++)
				if (types[t].type != MM_CMA || mm_get_params(s->mm)->cma_bytes)
					gather_type(zone, t, &info, blocks[types[t].type]);
		}
	return doc;
}

static void print_free(const json_t *zone, const char *type, FILE *out)
{
	const json_t *blocks, *of_type = json_object_get(zone, type);
	size_t order;

	fprintf(out, "Node %4" PRIu64 ", zone %8s, type %12s ", json_get(zone, "node"),
		json_get_string(zone, "zone"), type);
	json_array_foreach (json_object_get(of_type, "free_blocks_by_order"), order, blocks)
		fprintf(out, "%6" JSON_INTEGER_FORMAT " ", json_integer_value(blocks));
	fputc('\n', out);
}

static void print_page_blocks(const json_t *zone, FILE *out)
{
	fprintf(out, "Node %" PRIu64 ", zone %8s ", json_get(zone, "node"),
		json_get_string(zone, "zone"));
	for (size_t t = 0; t < NR_TYPES; t++) {
		if (!json_object_get(zone, types[t].name))
			continue;
		fprintf(out, "%12" PRIu64 " ",
			json_get(json_object_get(zone, types[t].name), "page_blocks"));
	}
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
			if (json_object_get(json_array_get(zones, i), types[t].name))
				print_free(json_array_get(zones, i), types[t].name, out);
	fprintf(out, "\n%-23s", "Number of blocks type ");
	for (size_t t = 0; t < NR_TYPES; t++)
		if (json_object_get(json_array_get(zones, first), types[t].name))
			fprintf(out, "%12s ", types[t].name);
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
