/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /sys/devices/system/node/nodeN/numastat: of one node, or all nodes' files one after the other.
 * Right after boot they are all zero: nothing has been allocated yet.
 */
#include <inttypes.h>
#include <string.h>

#include "sim/json.h"
#include "sim/show/show.h"

static json_t *json(const struct show_subject *s)
{
	const struct mm *mm = s->mm;
	json_t *nodes = json_array();

	for (int nid = 0; nid < mm_nr_nodes(mm); nid++) {
		struct mm_numastat stat;
		json_t *node;

		if (s->nid != ALL_NODES && s->nid != nid)
			continue;
		node = json_append_object(nodes);
		mm_node_numastat(mm, nid, &stat);
		json_put(node, "node", (uint64_t)nid);
		json_put_numastat(node, &stat);
	}
	return nodes;
}

static void print(const json_t *nodes, FILE *out)
{
	const json_t *node, *value;
	const char *key;
	size_t n;

	json_array_foreach (nodes, n, node)
		json_object_foreach ((json_t *)node, key, value)
			if (strcmp(key, "node") != 0)
				fprintf(out, "%s %" JSON_INTEGER_FORMAT "\n", key,
					json_integer_value(value));
}

static int text(const struct show_subject *s, FILE *out)
{
	return show_document(json(s), print, out);
}

const struct show_kind show_numastat = {
	.name = "numastat",
	.summary = "NUMA counters, as each node's /sys/devices/system/node/nodeN/numastat",
	.boots = true,
	.of_node = true,
	.text = text,
	.json = json,
};
