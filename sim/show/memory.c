/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory blocks, a line each, with what their files in /sys/devices/system/memory hold, in the
 * order in which a shell lists them.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mm/hotplug/hotplug.h"
#include "sim/json.h"
#include "sim/show/show.h"

struct block {
	char name[32];
	struct mm_memory_block_info info;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct block *)a)->name, ((const struct block *)b)->name);
}

static struct block *gather(const struct mm *mm, size_t *nr)
{
	struct mm_memory_block_info info = {0};
	struct block *blocks;
	uint64_t next = 0;

	*nr = 0;
	for (; mm_memory_block(mm, next, &info); next = info.number + 1)
		++*nr;
	blocks = calloc(*nr + 1, sizeof(*blocks));
	next = 0;
	for (size_t i = 0; blocks && mm_memory_block(mm, next, &info); next = info.number + 1) {
		snprintf(blocks[i].name, sizeof(blocks[i].name), "memory%" PRIu64, info.number);
		blocks[i++].info = info;
	}
	if (blocks)
		qsort(blocks, *nr, sizeof(*blocks), by_name);
	return blocks;
}

/* "Normal,Movable"; of a block in several zones "none". */
static void valid_zones(const struct mm *mm, const struct mm_memory_block_info *info, char *text,
			size_t size)
{
	const struct mm_arch *arch = mm_get_arch(mm);
	const int *zones = info->valid_zones;

	if (zones[0] < 0)
		snprintf(text, size, "none");
	else
		snprintf(text, size, "%s%s%s", arch->zones[zones[0]].name, zones[1] < 0 ? "" : ",",
			 zones[1] < 0 ? "" : arch->zones[zones[1]].name);
}

static json_t *json(const struct show_subject *s)
{
	static const char *const words[] = {"offline", "online", "online_kernel", "online_movable"};
	json_t *doc = json_object(), *array;
	size_t nr;
	struct block *blocks = gather(s->mm, &nr);

	json_put(doc, "block_size_bytes", mm_memory_block_bytes(s->mm));
	json_put_string(doc, "auto_online_blocks",
			words[mm_hotplug_param(s->mm, MM_HOTPLUG_AUTO_ONLINE)]);
	array = json_put_array(doc, "blocks");
	for (size_t i = 0; blocks && i < nr; i++) {
		json_t *block = json_append_object(array);
		char zones[64];

		valid_zones(s->mm, &blocks[i].info, zones, sizeof(zones));
		json_put_string(block, "name", blocks[i].name);
		json_put(block, "phys_index", blocks[i].info.number);
		json_put_string(block, "state", blocks[i].info.online ? "online" : "offline");
		json_put_string(block, "valid_zones", zones);
		json_put(block, "node", (uint64_t)blocks[i].info.nid);
	}
	free(blocks);
	return doc;
}

static void print(const json_t *doc, FILE *out)
{
	const json_t *block;
	size_t i;

	fprintf(out, "block_size_bytes %" PRIx64 "\n", json_get(doc, "block_size_bytes"));
	fprintf(out, "auto_online_blocks %s\n", json_get_string(doc, "auto_online_blocks"));
	json_array_foreach (json_object_get(doc, "blocks"), i, block) {
		const char *state = json_get_string(block, "state");

		fprintf(out,
			"%s phys_index=%08" PRIx64 " state=%s online=%d removable=1 "
			"valid_zones=%s node=node%" PRIu64 " \n",
			json_get_string(block, "name"), json_get(block, "phys_index"), state,
			!strcmp(state, "online"), json_get_string(block, "valid_zones"),
			json_get(block, "node"));
	}
}

static int text(const struct show_subject *s, FILE *out)
{
	return show_document(json(s), print, out);
}

const struct show_kind show_memory = {
	.name = "memory",
	.summary = "/sys/devices/system/memory: memory blocks and whether they are online",
	.boots = true,
	.text = text,
	.json = json,
};
