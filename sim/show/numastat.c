/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The counters of /sys/devices/system/node/nodeN/numastat, a column a node as numastat(8) prints
 * them. Right after boot they are all zero: nothing has been allocated yet.
 */
#include <inttypes.h>

#include "sim/json.h"
#include "sim/show/show.h"

static const char *const counters[] = {"numa_hit",       "numa_miss",  "numa_foreign",
				       "interleave_hit", "local_node", "other_node"};
#define NR_COUNTERS (sizeof(counters) / sizeof(*counters))

static json_t *json(const struct show_subject *s)
{
	const struct mm *mm = s->mm;
	json_t *nodes = json_array();

	for (int nid = 0; nid < mm_nr_nodes(mm); nid++) {
		json_t *node = json_append_object(nodes);
		struct mm_numastat stat;

		mm_node_numastat(mm, nid, &stat);
		json_put(node, "node", (uint64_t)nid);
		json_put_numastat(node, &stat);
	}
	return nodes;
}

static void print(const json_t *nodes, FILE *out)
{
	const json_t *node;
	size_t n;

	fprintf(out, "%-16s", "");
	json_array_foreach (nodes, n, node) {
		char name[32];

		snprintf(name, sizeof(name), "node%" PRIu64, json_get(node, "node"));
		fprintf(out, "%16s", name);
	}
	fputc('\n', out);
	for (size_t i = 0; i < NR_COUNTERS; i++) {
		fprintf(out, "%-16s", counters[i]);
		json_array_foreach (nodes, n, node)
			fprintf(out, "%16" PRIu64, json_get(node, counters[i]));
		fputc('\n', out);
	}
}

static int text(const struct show_subject *s, FILE *out)
{
	return show_document(json(s), print, out);
}

const struct show_kind show_numastat = {
	.name = "numastat",
	.summary = "NUMA counters of each node, as numastat(8)",
	.boots = true,
	.text = text,
	.json = json,
};
