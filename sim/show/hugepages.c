/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pools of huge pages, a line a file: /sys/kernel/mm/hugepages/ and, of each node, its own
 * folder; a folder a size, in the order in which a shell lists them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mm/huge/hugetlb.h"
#include "sim/json.h"
#include "sim/show/show.h"

static uint64_t size_kb(const struct mm *mm, unsigned size)
{
	return UINT64_C(1) << (mm_hugetlb_order(mm, size) + mm_get_arch(mm)->page_shift - 10);
}

static void put_pool(json_t *to, const struct mm_hugetlb_info *info)
{
	json_put(to, "nr_hugepages", info->total - info->surplus);
	json_put(to, "free_hugepages", info->free);
	json_put(to, "surplus_hugepages", info->surplus);
}

static void put_size(json_t *to, const struct mm *mm, unsigned size)
{
	struct mm_hugetlb_info info;
	json_t *nodes;

	json_put(to, "size_kb", size_kb(mm, size));
	mm_hugetlb_info(mm, size, MM_NO_NODE, &info);
	put_pool(to, &info);
	json_put(to, "resv_hugepages", info.reserved);
	json_put(to, "nr_overcommit_hugepages", info.overcommit);
	/* What pages of the size can be made into. */
	if (size)
		json_put(to, "demote_size_kb", size_kb(mm, size - 1));
	nodes = json_put_array(to, "nodes");
	for (int nid = 0; nid < mm_nr_nodes(mm); nid++) {
		json_t *node;

		if (!mm_node_online(mm, nid))
			continue;
		node = json_append_object(nodes);
		json_put(node, "node", (uint64_t)nid);
		mm_hugetlb_info(mm, size, nid, &info);
		put_pool(node, &info);
	}
}

static json_t *json(const struct show_subject *s)
{
	json_t *doc = json_object(), *sizes = json_put_array(doc, "sizes");

	for (unsigned size = mm_hugetlb_sizes(s->mm); size-- > 0;)
		put_size(json_append_object(sizes), s->mm, size);
	return doc;
}

/* The numbers of one folder. */
static void print_folder(const json_t *of, const char *folder, uint64_t kb, FILE *out)
{
	const json_t *value;
	const char *key;

	json_object_foreach ((json_t *)of, key, value)
		if (json_is_integer(value) && strstr(key, "hugepages"))
			fprintf(out, "%s/hugepages-%" PRIu64 "kB/%s %" JSON_INTEGER_FORMAT "\n",
				folder, kb, key, json_integer_value(value));
}

static void print_size(const json_t *of, FILE *out)
{
	const json_t *nodes = json_object_get(of, "nodes"), *to;
	uint64_t kb = json_get(of, "size_kb");
	char folder[64];

	print_folder(of, "/sys/kernel/mm/hugepages", kb, out);
	to = json_object_get(of, "demote_size_kb");
	if (to)
		fprintf(out,
			"/sys/kernel/mm/hugepages/hugepages-%" PRIu64
			"kB/demote_size %" JSON_INTEGER_FORMAT "kB\n",
			kb, json_integer_value(to));
	for (size_t i = 0; i < json_array_size(nodes); i++) {
		const json_t *node = json_array_get(nodes, i);

		snprintf(folder, sizeof(folder),
			 "/sys/devices/system/node/node%" PRIu64 "/hugepages",
			 json_get(node, "node"));
		print_folder(node, folder, kb, out);
	}
}

static void print(const json_t *doc, FILE *out)
{
	const json_t *sizes = json_object_get(doc, "sizes"), *size;
	size_t i;

	json_array_foreach (sizes, i, size)
		print_size(size, out);
}

static int text(const struct show_subject *s, FILE *out)
{
	return show_document(json(s), print, out);
}

const struct show_kind show_hugepages = {
	.name = "hugepages",
	.summary = "the pools of huge pages, as /sys/kernel/mm/hugepages",
	.boots = true,
	.text = text,
	.json = json,
};
