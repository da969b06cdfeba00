/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In which order an allocation looks at zones: in which order nodes follow each other, and the
 * zonelists that come of it.
 *
 * Node order (Linux 6.1 mm/page_alloc.c, find_next_best_node): repeatedly the node with the least
 * of (distance + 1 if its number is below the local one) * MAX_NUMNODES + load. Load spreads ties
 * over the machine: whenever the distance changes along the order, the node there gains one. At
 * boot the penalty for nodes with CPUs does not apply on x86, since
 * the CPU masks are still empty.
 */
#include <errno.h>
#include <stdlib.h>

#include "mm/internal.h"

static bool has_memory(const struct mm_node *node)
{
	return node->present > 0;
}

static bool has_cpus(const struct mm *mm, int nid)
{
	for (int cpu = 0; cpu < mm->nr_cpus; cpu++)
		if (mm->nodes[mm->cpu_nid[cpu]].cpus_of == mm->nodes[nid].cpus_of)
			return true;
	return false;
}

/* What is the same for all nodes of the machine while their orders are made. */
struct ordering {
	uint64_t *load; /* by node */
	bool *used;     /* likewise */
	bool late;      /* CPUs run: nodes with CPUs are kept for their own */
};

static int next_best_node(const struct mm *mm, int local, const struct ordering *o)
{
	uint64_t best_value = UINT64_MAX;
	int best = MM_NO_NODE;

	if (!o->used[local] && has_memory(&mm->nodes[local]))
		return local;
	for (int n = 0; n < mm->nr_nodes; n++) {
		uint64_t value = mm->distance[local * mm->nr_nodes + n];

		if (o->used[n] || !has_memory(&mm->nodes[n]))
			continue;
		value += n < local;
		value += o->late && has_cpus(mm, n);
		value = value * MM_MAX_NODES + o->load[n];
		if (value < best_value) {
			best_value = value;
			best = n;
		}
	}
	return best;
}

static int order_nodes(struct mm *mm, struct mm_node *node, struct ordering *o)
{
	int prev = node->nid, best;

	for (int n = 0; n < mm->nr_nodes; n++)
		o->used[n] = false;
	if (!node->order)
		node->order = malloc((size_t)mm->nr_nodes * sizeof(*node->order));
	if (!node->order)
		return -ENOMEM;
	node->nr_order = 0;
	while ((best = next_best_node(mm, node->nid, o)) != MM_NO_NODE) {
		const uint8_t *row = &mm->distance[node->nid * mm->nr_nodes];

		if (row[best] != row[prev])
			o->load[best]++;
		node->order[node->nr_order++] = best;
		o->used[best] = true;
		prev = best;
	}
	return 0;
}

/*
 * Zones of the given nodes in order, each node's from its highest to its lowest. There is room for
 * all that can ever be: who is in the middle of the list when it changes goes on in the new one.
 */
static int fill_zonelist(struct mm *mm, struct mm_zonelist *list, const int *nodes, int nr,
			 int most)
{
	if (!list->zones)
		list->zones = calloc((size_t)(unsigned)most * (unsigned)mm->arch->nr_zones,
				     sizeof(*list->zones));
	if (!list->zones)
		return -ENOMEM;
	list->nr = 0;
	for (int i = 0; i < nr; i++)
		for (int z = mm->arch->nr_zones - 1; z >= 0; z--) {
			struct mm_zone *zone = &mm->nodes[nodes[i]].zones[z];

			if (zone->managed)
				list->zones[list->nr++] = zone;
		}
	return 0;
}

static int build_all(struct mm *mm, bool late)
{
	struct ordering o = {.load = calloc((size_t)mm->nr_nodes, sizeof(*o.load)),
			     .used = calloc((size_t)mm->nr_nodes, sizeof(*o.used)),
			     .late = late};
	int err = o.load && o.used ? 0 : -ENOMEM, most = 0;

	for (int nid = 0; nid < mm->nr_nodes; nid++)
		most += has_memory(&mm->nodes[nid]) || mm->hotplug_end;

	for (int nid = 0; nid < mm->nr_nodes && !err; nid++) {
		struct mm_node *node = &mm->nodes[nid];

		err = order_nodes(mm, node, &o);
		if (!err)
			err = fill_zonelist(mm, &node->fallback, node->order, node->nr_order, most);
		if (!err)
			err = fill_zonelist(mm, &node->thisnode, &nid, 1, 1);
	}
	free(o.load);
	free(o.used);
	return err;
}

int mm_zonelists_init(struct mm *mm)
{
	return build_all(mm, false);
}

int mm_zonelists_rebuild(struct mm *mm)
{
	mm_grouping_renew(mm);
	return build_all(mm, true);
}

size_t mm_zonelist(const struct mm *mm, int nid, bool this_node_only, struct mm_zoneref *refs,
		   size_t max)
{
	const struct mm_node *node = &mm->nodes[nid];
	const struct mm_zonelist *list = this_node_only ? &node->thisnode : &node->fallback;

	for (size_t i = 0; i < list->nr && i < max; i++)
		refs[i] = (struct mm_zoneref){list->zones[i]->nid, list->zones[i]->index};
	return list->nr;
}

int mm_node_order(const struct mm *mm, int nid, int *order)
{
	const struct mm_node *node = &mm->nodes[nid];

	for (int i = 0; i < node->nr_order; i++)
		order[i] = node->order[i];
	return node->nr_order;
}
