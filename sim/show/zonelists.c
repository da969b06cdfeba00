/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In which order allocations fall back, as the kernel's boot messages tell it (with
 * mminit_loglevel=4): nodes, then for each populated zone the zones it tries.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "sim/json.h"
#include "sim/replay/kernel_counters.h"
#include "sim/show/show.h"

/* Zones of the list that a request for at most `zone` may use, in order. */
static void gather_list(json_t *lists, const struct mm *mm, int nid, int zone, bool this_node)
{
	size_t nr = mm_zonelist(mm, nid, this_node, NULL, 0);
	struct mm_zoneref *refs = malloc(nr * sizeof(*refs) + 1);
	json_t *list = json_append_object(lists), *zones;

	json_put_string(list, "kind", this_node ? "thisnode" : "general");
	json_put_string(list, "zone", mm_get_arch(mm)->zones[zone].name);
	zones = json_put_array(list, "zones");
	if (!refs)
		return;
	mm_zonelist(mm, nid, this_node, refs, nr);
	for (size_t i = 0; i < nr; i++) {
		json_t *ref;

		if (refs[i].zone > zone)
			continue;
		ref = json_append_object(zones);
		json_put(ref, "node", (uint64_t)refs[i].nid);
		json_put_string(ref, "zone", mm_get_arch(mm)->zones[refs[i].zone].name);
	}
	free(refs);
}

static void gather_order(json_t *node, const struct mm *mm, int nid)
{
	int *order = malloc((size_t)mm_nr_nodes(mm) * sizeof(*order));
	int nr = order ? mm_node_order(mm, nid, order) : 0;
	json_t *fallback;

	json_put(node, "node", (uint64_t)nid);
	fallback = json_put_array(node, "fallback");
	/* The kernel begins with the node itself also where it has no memory. */
	if (!nr || order[0] != nid)
		json_append(fallback, (uint64_t)nid);
	for (int i = 0; i < nr; i++)
		json_append(fallback, (uint64_t)order[i]);
	free(order);
}

static void gather_lists(json_t *node, const struct mm *mm, int nid)
{
	json_t *lists = json_put_array(node, "zonelists");

	/* Lists of this node alone are for __GFP_THISNODE, which NUMA brings. */
	for (int this_node = 0; this_node < 1 + kernel_has_numa(mm); this_node++)
		for (int z = 0; z < mm_get_arch(mm)->nr_zones; z++) {
			struct mm_zone_info info;

			mm_zone_info(mm, nid, z, &info);
			if (info.spanned)
				gather_list(lists, mm, nid, z, this_node);
		}
}

static json_t *json(const struct show_subject *s)
{
	const struct mm *mm = s->mm;
	json_t *nodes = json_array();

	for (int nid = 0; nid < mm_nr_nodes(mm); nid++) {
		json_t *node = json_append_object(nodes);

		gather_order(node, mm, nid);
		gather_lists(node, mm, nid);
	}
	return nodes;
}

static void print_lists(const json_t *node, FILE *out)
{
	const json_t *list, *ref;
	size_t l, i;

	json_array_foreach (json_object_get(node, "zonelists"), l, list) {
		fprintf(out, "mminit::zonelist %s %" PRIu64 ":%s = ", json_get_string(list, "kind"),
			json_get(node, "node"), json_get_string(list, "zone"));
		json_array_foreach (json_object_get(list, "zones"), i, ref)
			fprintf(out, "%" PRIu64 ":%s ", json_get(ref, "node"),
				json_get_string(ref, "zone"));
		fputc('\n', out);
	}
}

static void print_order(const json_t *node, FILE *out)
{
	const json_t *next;
	size_t i;

	fprintf(out, "Fallback order for Node %" PRIu64 ": ", json_get(node, "node"));
	json_array_foreach (json_object_get(node, "fallback"), i, next)
		fprintf(out, "%" JSON_INTEGER_FORMAT " ", json_integer_value(next));
	fputc('\n', out);
}

/* A node at a time: the lists of a thousand nodes have millions of entries. */
static int print_nodes(const struct mm *mm, FILE *out, bool lists)
{
	for (int nid = 0; nid < mm_nr_nodes(mm); nid++) {
		json_t *node = json_object();

		if (!node)
			return -ENOMEM;
		gather_order(node, mm, nid);
		if (lists) {
			gather_lists(node, mm, nid);
			print_lists(node, out);
		} else {
			print_order(node, out);
		}
		json_decref(node);
	}
	return 0;
}

/* A kernel without NUMA tells no order of nodes, having one. */
static int text(const struct show_subject *s, FILE *out)
{
	int err = kernel_has_numa(s->mm) ? print_nodes(s->mm, out, false) : 0, online = 0;

	if (!err)
		err = print_nodes(s->mm, out, true);
	for (int nid = 0; nid < mm_nr_nodes(s->mm); nid++)
		online += mm_node_online(s->mm, nid);
	if (!err)
		fprintf(out,
			"Built %d zonelists, mobility grouping %s.  Total pages: %" PRIu64 "\n",
			online, mm_grouped_by_mobility(s->mm) ? "on" : "off",
			mm_total_pages(s->mm));
	return err;
}

const struct show_kind show_zonelists = {
	.name = "zonelists",
	.summary = "fallback order of nodes and zones, as the kernel's boot messages",
	.boots = true,
	.text = text,
	.json = json,
};
