/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool of huge pages, a line a file: /sys/kernel/mm/hugepages/ and, of each node, its own
 * folder. Of one size, as the mm core has one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/huge/hugetlb.h"
#include "sim/json.h"
#include "sim/show/show.h"

static void put_pool(json_t *to, const struct mm_hugetlb_info *info)
{
	json_put(to, "nr_hugepages", info->total - info->surplus);
	json_put(to, "free_hugepages", info->free);
	json_put(to, "surplus_hugepages", info->surplus);
}

static json_t *json(const struct show_subject *s)
{
	const struct mm *mm = s->mm;
	json_t *doc = json_object(), *nodes;
	struct mm_hugetlb_info info;
	char overcommit[32];

	json_put(doc, "size_kb",
		 UINT64_C(1) << (mm_hugetlb_order(mm) + mm_get_arch(mm)->page_shift - 10));
	mm_hugetlb_info(mm, MM_NO_NODE, &info);
	put_pool(doc, &info);
	json_put(doc, "resv_hugepages", info.reserved);
	mm_sysctl_text(mm, "nr_overcommit_hugepages", overcommit, sizeof(overcommit));
	json_put(doc, "nr_overcommit_hugepages", strtoull(overcommit, NULL, 10));
	nodes = json_put_array(doc, "nodes");
	for (int nid = 0; nid < mm_nr_nodes(mm); nid++) {
		json_t *node;

		if (!mm_node_online(mm, nid))
			continue;
		node = json_append_object(nodes);
		json_put(node, "node", (uint64_t)nid);
		mm_hugetlb_info(mm, nid, &info);
		put_pool(node, &info);
	}
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

static void print(const json_t *doc, FILE *out)
{
	uint64_t kb = json_get(doc, "size_kb");
	const json_t *nodes = json_object_get(doc, "nodes");
	char folder[64];

	print_folder(doc, "/sys/kernel/mm/hugepages", kb, out);
	for (size_t i = 0; i < json_array_size(nodes); i++) {
		const json_t *node = json_array_get(nodes, i);

		snprintf(folder, sizeof(folder),
			 "/sys/devices/system/node/node%" PRIu64 "/hugepages",
			 json_get(node, "node"));
		print_folder(node, folder, kb, out);
	}
}

static int text(const struct show_subject *s, FILE *out)
{
	return show_document(json(s), print, out);
}

const struct show_kind show_hugepages = {
	.name = "hugepages",
	.summary = "the pool of huge pages, as /sys/kernel/mm/hugepages",
	.boots = true,
	.text = text,
	.json = json,
};
