/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `wires` beside matrices of a machine file: what pairs of nodes share that were measured one by
 * one. A wire is a link more on the routes of all its pairs.
 */
#include "sim/machine/read.h"

#include "sim/machine/interconnect.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* free() it. */
static int *read_nodes(struct machine_reader *r, const struct cfg_setting *s,
		       struct node_list *nodes)
{
	const struct cfg_setting *list = cfg_list(r->cfg, s);
	unsigned nr = cfg_length(list);
	int *nids = machine_array(r, nr, sizeof(*nids));

	if (list && !nr)
		cfg_error(r->cfg, list, "expected nodes, found none");
	for (unsigned i = 0; nids && i < nr && !cfg_status(r->cfg); i++) {
		if (!machine_read_nid(r, cfg_element(list, i), &nids[i]))
			break;
		for (unsigned j = 0; j < i; j++)
			if (nids[j] == nids[i])
				cfg_error(r->cfg, cfg_element(list, i), "node %d is there already",
					  nids[i]);
	}
	*nodes = (struct node_list){nids, (int)nr};
	return nids;
}

/* No pair was measured with more than the wire carries. */
static void check_pairs(struct machine_reader *r, const struct cfg_setting *s,
			const struct node_list *from, const struct node_list *to,
			const struct wire *wire)
{
	for (int i = 0; i < from->nr; i++)
		for (int j = 0; j < to->nr; j++) {
			int a = from->nids[i], b = to->nids[j];
			const struct machine_route *route = machine_route(r->m, a, b);

			if (a == b)
				cfg_error(r->cfg, s, "the wire leads from node %d to itself", a);
			else if (route->bytes_per_s > wire->bytes_per_s)
				cfg_error(r->cfg, s,
					  "the wire carries %" PRIu64
					  " bytes a second, less than the %" PRIu64
					  " from node %d to node %d alone",
					  wire->bytes_per_s, route->bytes_per_s, a, b);
		}
}

static void share(struct machine_reader *r, const struct cfg_setting *s,
		  const struct node_list *from, const struct node_list *to, const struct wire *wire)
{
	int nr;

	check_pairs(r, s, from, to, wire);
	if (cfg_status(r->cfg))
		return;
	nr = interconnect_share(r->m, from, to, wire);
	if (nr < 0)
		machine_check_links(r, s, nr);
	else if (!nr)
		cfg_error(r->cfg, s, "no CPU of node %d%s reaches memory of node %d%s",
			  from->nids[0], from->nr > 1 ? " and the others" : "", to->nids[0],
			  to->nr > 1 ? " and the others" : "");
}

static void read_shared(struct machine_reader *r, const struct cfg_setting *s)
{
	static const char *const keys[] = {"from",     "to",     "bandwidth", "write_bandwidth",
					   "queueing", "source", "one_way",   NULL};
	const struct cfg_setting *group = cfg_group(r->cfg, s);
	struct node_list from, to;
	struct machine_load load;
	struct wire wire = {.load = &load};
	int *from_nids, *to_nids;
	bool one_way = false;

	cfg_keys(r->cfg, group, keys);
	machine_read_source(r, group);
	machine_read_rate(r, cfg_need(r->cfg, group, "bandwidth"), &wire.bytes_per_s);
	machine_read_rate(r, cfg_find(r->cfg, group, "write_bandwidth"), &wire.write_bytes_per_s);
	machine_read_load(r, group, &load);
	cfg_bool(r->cfg, cfg_find(r->cfg, group, "one_way"), &one_way);
	from_nids = read_nodes(r, cfg_need(r->cfg, group, "from"), &from);
	to_nids = read_nodes(r, cfg_need(r->cfg, group, "to"), &to);
	if (!cfg_status(r->cfg))
		share(r, group, &from, &to, &wire);
	if (!cfg_status(r->cfg) && !one_way)
		share(r, group, &to, &from, &wire);
	free(from_nids);
	free(to_nids);
}

void machine_read_shared_wires(struct machine_reader *r, const struct cfg_setting *group)
{
	const struct cfg_setting *list = cfg_list(r->cfg, cfg_find(r->cfg, group, "wires"));

	for (unsigned i = 0; i < cfg_length(list) && !cfg_status(r->cfg); i++)
		read_shared(r, cfg_element(list, i));
}
