/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Banks and interconnect of a machine file: a measured matrix, a topology, or single links.
 *
 * Reads and checks what the file says; interconnect.c makes links of it, routing.c routes.
 */
#include "sim/machine/read.h"

#include "sim/machine/interconnect.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* Keys of groups with a latency and a bandwidth. */
static const char *const wire_keys[] = {"latency", "bandwidth", "source", NULL};
static const char *const link_keys[] = {
	"latency", "bandwidth", "write_bandwidth", "loaded", "queueing", "source", NULL};
static const char *const bank_keys[] = {"latency", MACHINE_BANK_KEYS, NULL};

static void read_wire(struct machine_reader *r, const struct cfg_setting *group, struct wire *wire)
{
	machine_read_source(r, group);
	machine_read_latency(r, cfg_need(r->cfg, group, "latency"), &wire->latency_ps);
	machine_read_rate(r, cfg_need(r->cfg, group, "bandwidth"), &wire->bytes_per_s);
	machine_read_rate(r, cfg_find(r->cfg, group, "write_bandwidth"), &wire->write_bytes_per_s);
}

void machine_check_links(struct machine_reader *r, const struct cfg_setting *s, int err)
{
	if (err == -ENOMEM)
		cfg_no_memory(r->cfg);
	else if (err == -E2BIG)
		cfg_error(r->cfg, s,
			  "more links or routes than numasim can hold (%d links, %d "
			  "links in all routes together)",
			  INTERCONNECT_MAX_LINKS, INTERCONNECT_MAX_HOPS);
}

/* Banks where no matrix gives them: `bank` of the node, else of the file. */
static void read_banks(struct machine_reader *r, const struct cfg_setting *root)
{
	const struct cfg_setting *common = cfg_group(r->cfg, cfg_find(r->cfg, root, "bank"));
	struct machine *m = r->m;

	cfg_keys(r->cfg, common, bank_keys);
	for (int nid = 0; nid < m->mm.nr_nodes && !cfg_status(r->cfg); nid++) {
		const struct cfg_setting *node = r->node_at[nid];
		const struct cfg_setting *own = cfg_group(r->cfg, cfg_find(r->cfg, node, "bank"));
		struct wire wire = {0};

		cfg_keys(r->cfg, own, bank_keys);
		/* A bank of its own is for memory that comes later. */
		if (!own && !machine_has_memory(m, nid))
			continue;
		if (!own && !common)
			cfg_error(
				r->cfg, node,
				"'bank' is missing: latency and bandwidth of its memory stand "
				"in the node, at top level, or in the matrices of `interconnect`");
		read_wire(r, own ? own : common, &wire);
		m->banks[nid].latency_ps = wire.latency_ps;
		machine_read_bank(r, own ? own : common, &m->banks[nid]);
		machine_check_bank(r, own ? own : common, &m->banks[nid]);
	}
}

/* A list of links being read. */
struct link_reader {
	const struct wire *common; /* what `link` gave; NULL where it did not */
	bool *linked;              /* [from * nr_nodes + to] */
};

static void add_link(struct machine_reader *r, struct link_reader *l, const struct cfg_setting *s,
		     const struct node_pair *pair, const struct wire *wire)
{
	bool *linked = &l->linked[pair->from * r->m->mm.nr_nodes + pair->to];

	if (*linked)
		cfg_error(r->cfg, s, "there is a link from node %d to node %d already", pair->from,
			  pair->to);
	else
		machine_check_links(r, s, interconnect_link(r->m, pair->from, pair->to, wire));
	*linked = true;
}

/* One element of `links`. */
static void read_link(struct machine_reader *r, struct link_reader *l, const struct cfg_setting *s)
{
	static const char *const keys[] = {"from",    "to",     "latency",         "bandwidth",
					   "one_way", "source", "write_bandwidth", "queueing",
					   "loaded",  NULL};
	const struct cfg_setting *link = cfg_group(r->cfg, s);
	struct wire wire = l->common ? *l->common : (struct wire){0};
	struct machine_load load;
	struct node_pair there, back;
	bool one_way = false;

	cfg_keys(r->cfg, link, keys);
	machine_read_source(r, link);
	if (l->common) {
		machine_read_latency(r, cfg_find(r->cfg, link, "latency"), &wire.latency_ps);
		machine_read_rate(r, cfg_find(r->cfg, link, "bandwidth"), &wire.bytes_per_s);
		machine_read_rate(r, cfg_find(r->cfg, link, "write_bandwidth"),
				  &wire.write_bytes_per_s);
	} else {
		read_wire(r, link, &wire);
	}
	machine_read_load(r, link, &load);
	if (load.nr || load.queue_ps || load.none)
		wire.load = &load;
	if (wire.load)
		machine_check_load(r, link, wire.load, wire.bytes_per_s);
	cfg_bool(r->cfg, cfg_find(r->cfg, link, "one_way"), &one_way);
	if (!machine_read_nid(r, cfg_need(r->cfg, link, "from"), &there.from) ||
	    !machine_read_nid(r, cfg_need(r->cfg, link, "to"), &there.to) || cfg_status(r->cfg))
		goto out;
	back = (struct node_pair){.from = there.to, .to = there.from};
	if (there.from == there.to)
		cfg_error(r->cfg, link, "the link leads from node %d to itself", there.from);
	else
		add_link(r, l, link, &there, &wire);
	if (!one_way && !cfg_status(r->cfg))
		add_link(r, l, link, &back, &wire);
out:
	free(load.points);
}

static void read_link_list(struct machine_reader *r, const struct cfg_setting *links,
			   const struct wire *common)
{
	size_t nr = (size_t)r->m->mm.nr_nodes;
	struct link_reader l = {
		.common = common,
		.linked = machine_array(r, nr * nr, sizeof(bool)),
	};

	for (unsigned i = 0; i < cfg_length(links) && !cfg_status(r->cfg); i++)
		read_link(r, &l, cfg_element(links, i));
	free(l.linked);
}

enum topology { FULL, RING, MESH, TWO_LEVEL };
static const char *const topology_names[] = {"full", "ring", "mesh", "two-level", NULL};

/* The key that only one topology has: how many nodes are in a row, or in a group. */
static uint64_t read_width(struct machine_reader *r, const struct cfg_setting *group,
			   const char *key, bool needed, const char *whose)
{
	const struct cfg_setting *s = cfg_find(r->cfg, group, key);
	uint64_t nr = 1;

	if (!needed && s)
		cfg_error(r->cfg, s, "only a %s has %s", whose, key);
	if (!needed || !cfg_integer(r->cfg, cfg_need(r->cfg, group, key), 1, MM_MAX_NODES, &nr))
		return 1;
	if (r->m->mm.nr_nodes % (int)nr)
		cfg_error(r->cfg, s, "%d nodes do not fill %ss of %" PRIu64, r->m->mm.nr_nodes,
			  *key == 'c' ? "row" : "group", nr);
	return nr;
}

/* Links by `common`; those between groups by `outer`. */
static void read_topology(struct machine_reader *r, const struct cfg_setting *group,
			  const struct wire *common, const struct wire *outer)
{
	const struct cfg_setting *s = cfg_find(r->cfg, group, "topology");
	const struct cfg_setting *outer_at = cfg_find(r->cfg, group, "outer_link");
	unsigned topology = FULL;
	bool given = cfg_choice(r->cfg, s, "topology", topology_names, &topology);
	int columns = (int)read_width(r, group, "columns", given && topology == MESH, "mesh");
	int size = (int)read_width(r, group, "group_size", given && topology == TWO_LEVEL,
				   "two-level topology");
	int err;

	if (!(given && topology == TWO_LEVEL) && outer_at)
		cfg_error(r->cfg, outer_at, "only a two-level topology has outer_link");
	if (!given)
		return;
	if (!common)
		cfg_error(r->cfg, group,
			  "'link' is missing: latency and bandwidth of each link of the topology");
	if (topology == TWO_LEVEL)
		cfg_need(r->cfg, group, "outer_link");
	if (cfg_status(r->cfg))
		return;
	if (topology == FULL)
		err = interconnect_full(r->m, common);
	else if (topology == RING)
		err = interconnect_ring(r->m, common);
	else if (topology == MESH)
		err = interconnect_mesh(r->m, columns, common);
	else
		err = interconnect_two_level(r->m, size, common, outer);
	machine_check_links(r, s, err);
}

/* Links: by topology or one by one, and the routes over them. `group` may be NULL. */
static void read_links(struct machine_reader *r, const struct cfg_setting *root,
		       const struct cfg_setting *group)
{
	static const char *const keys[] = {"topology", "columns", "link",       "outer_link",
					   "links",    "source",  "group_size", NULL};
	const struct cfg_setting *links = cfg_list(r->cfg, cfg_find(r->cfg, group, "links"));
	const struct cfg_setting *link = cfg_group(r->cfg, cfg_find(r->cfg, group, "link"));
	const struct cfg_setting *topology = cfg_find(r->cfg, group, "topology");
	const struct cfg_setting *outer_link =
		cfg_group(r->cfg, cfg_find(r->cfg, group, "outer_link"));
	struct machine_load load, outer_load;
	struct wire common = {.load = &load}, outer = {.load = &outer_load};
	struct node_pair pair;
	int err;

	cfg_keys(r->cfg, group, keys);
	read_banks(r, root);
	cfg_keys(r->cfg, link, link_keys);
	read_wire(r, link, &common);
	machine_read_load(r, link, &load);
	machine_check_load(r, link, &load, common.bytes_per_s);
	cfg_keys(r->cfg, outer_link, link_keys);
	read_wire(r, outer_link, &outer);
	machine_read_load(r, outer_link, &outer_load);
	machine_check_load(r, outer_link, &outer_load, outer.bytes_per_s);
	if (topology && links)
		cfg_error(r->cfg, links, "`topology` gives the links already: one of the two");
	read_topology(r, group, link ? &common : NULL, &outer);
	read_link_list(r, links, link ? &common : NULL);
	free(load.points);
	free(outer_load.points);
	if (cfg_status(r->cfg))
		return;
	err = interconnect_route(r->m, &pair);
	if (err == -ENETUNREACH)
		cfg_error(r->cfg, group ? group : root,
			  "no route leads from the CPUs of node %d to the memory of node %d",
			  pair.from, pair.to);
	else
		machine_check_links(r, group, err);
}

/* A matrix being read: one row a node, or one a node with CPUs; one column a node. */
struct matrix {
	const struct cfg_setting *at;
	const int *row_nid; /* node of each row */
	unsigned nr_rows;
};

static void check_rows(struct machine_reader *r, const struct matrix *x)
{
	unsigned nr = (unsigned)r->m->mm.nr_nodes;

	if (!x->at || cfg_length(x->at) == x->nr_rows)
		return;
	if (x->nr_rows == nr)
		cfg_error(r->cfg, x->at, "expected %u rows, one a node, found %u", nr,
			  cfg_length(x->at));
	else
		cfg_error(r->cfg, x->at,
			  "expected %u rows, one a node, or %u, one a node with CPUs, found %u", nr,
			  x->nr_rows, cfg_length(x->at));
}

static const struct cfg_setting *row_of(struct machine_reader *r, const struct matrix *x,
					unsigned i)
{
	const struct cfg_setting *row = cfg_list(r->cfg, cfg_element(x->at, i));
	unsigned nr = (unsigned)r->m->mm.nr_nodes;

	if (row && cfg_length(row) != nr)
		cfg_error(r->cfg, row, "expected %u columns, one a node, found %u", nr,
			  cfg_length(row));
	return cfg_status(r->cfg) ? NULL : row;
}

/* Nodes of the rows, where `matrix` has one a node with CPUs, else all nodes. free() it. */
static int *rows_of(struct machine_reader *r, const struct cfg_setting *matrix, unsigned *nr_rows)
{
	unsigned nr = (unsigned)r->m->mm.nr_nodes, nr_cpu_nodes = 0;
	int *row_nid = machine_array(r, nr, sizeof(*row_nid));
	bool *has_cpu = machine_cpu_nodes(r->m);
	bool all = cfg_length(matrix) == nr;

	if (!has_cpu)
		cfg_no_memory(r->cfg);
	for (unsigned nid = 0; has_cpu && row_nid && nid < nr; nid++)
		if (all || has_cpu[nid])
			row_nid[nr_cpu_nodes++] = (int)nid;
	free(has_cpu);
	*nr_rows = nr_cpu_nodes;
	return row_nid;
}

static void fill_pairs(struct machine_reader *r, const struct matrix *latency,
		       const struct matrix *bandwidth, const struct matrix *writes,
		       struct wire *pairs)
{
	unsigned nr = (unsigned)r->m->mm.nr_nodes;

	for (unsigned i = 0; i < latency->nr_rows && !cfg_status(r->cfg); i++) {
		const struct cfg_setting *latencies = row_of(r, latency, i);
		const struct cfg_setting *rates = row_of(r, bandwidth, i);
		const struct cfg_setting *write_rates = writes->at ? row_of(r, writes, i) : NULL;
		struct wire *row = &pairs[(unsigned)latency->row_nid[i] * nr];

		for (unsigned to = 0; to < nr && !cfg_status(r->cfg); to++) {
			machine_read_latency(r, cfg_element(latencies, to), &row[to].latency_ps);
			machine_read_rate(r, cfg_element(rates, to), &row[to].bytes_per_s);
			machine_read_rate(r, cfg_element(write_rates, to),
					  &row[to].write_bytes_per_s);
		}
	}
}

static void refuse_banks(struct machine_reader *r, const struct cfg_setting *root)
{
	const struct cfg_setting *bank = cfg_find(r->cfg, root, "bank");

	for (int nid = 0; !bank && nid < r->m->mm.nr_nodes; nid++)
		bank = cfg_find(r->cfg, r->node_at[nid], "bank");
	if (bank)
		cfg_error(r->cfg, bank, "`interconnect` gives the banks already");
}

static void read_matrices(struct machine_reader *r, const struct cfg_setting *root,
			  const struct cfg_setting *group)
{
	static const char *const keys[] = {
		"latency", "bandwidth", "write_bandwidth", "banks", "wires", "source", NULL};
	const struct cfg_setting *at = cfg_list(r->cfg, cfg_need(r->cfg, group, "latency"));
	size_t nr = (size_t)r->m->mm.nr_nodes;
	unsigned nr_rows;
	int *row_nid = rows_of(r, at, &nr_rows);
	struct wire *pairs = machine_array(r, nr * nr, sizeof(*pairs));
	struct matrix latency = {.at = at, .row_nid = row_nid, .nr_rows = nr_rows};
	struct matrix bandwidth = latency, writes = latency;

	cfg_keys(r->cfg, group, keys);
	refuse_banks(r, root);
	bandwidth.at = cfg_list(r->cfg, cfg_need(r->cfg, group, "bandwidth"));
	check_rows(r, &latency);
	check_rows(r, &bandwidth);
	writes.at = cfg_list(r->cfg, cfg_find(r->cfg, group, "write_bandwidth"));
	check_rows(r, &writes);
	if (!cfg_status(r->cfg))
		fill_pairs(r, &latency, &bandwidth, &writes, pairs);
	if (!cfg_status(r->cfg))
		machine_read_measured_banks(r, group);
	if (!cfg_status(r->cfg))
		machine_check_links(r, group, interconnect_matrix(r->m, pairs));
	machine_check_measured_banks(r, group, pairs);
	machine_read_shared_wires(r, group);
	free(row_nid);
	free(pairs);
}

/* A wire for each pair: local figures, and those of more distance in proportion. */
static void read_by_distance(struct machine_reader *r, const struct cfg_setting *root,
			     const struct cfg_setting *group)
{
	static const char *const keys[] = {"by_distance", "wires", "source", NULL};
	const struct cfg_setting *local = cfg_group(r->cfg, cfg_find(r->cfg, group, "by_distance"));
	size_t nr = (size_t)r->m->mm.nr_nodes;
	struct wire *pairs = machine_array(r, nr * nr, sizeof(*pairs)), wire = {0};

	cfg_keys(r->cfg, group, keys);
	cfg_keys(r->cfg, local, wire_keys);
	read_wire(r, local, &wire);
	refuse_banks(r, root);
	for (size_t i = 0; i < nr * nr && !cfg_status(r->cfg); i++)
		pairs[i] = (struct wire){
			.latency_ps = wire.latency_ps * r->m->distance[i] / LOCAL_DISTANCE,
			.bytes_per_s = (uint64_t)((unsigned __int128)wire.bytes_per_s *
						  LOCAL_DISTANCE / r->m->distance[i]),
		};
	if (!cfg_status(r->cfg))
		machine_check_links(r, group, interconnect_matrix(r->m, pairs));
	machine_read_shared_wires(r, group);
	free(pairs);
}

void machine_read_interconnect(struct machine_reader *r, const struct cfg_setting *root)
{
	const struct cfg_setting *group = cfg_group(r->cfg, cfg_find(r->cfg, root, "interconnect"));

	machine_read_source(r, group);
	if (cfg_find(r->cfg, group, "latency") || cfg_find(r->cfg, group, "bandwidth"))
		read_matrices(r, root, group);
	else if (cfg_find(r->cfg, group, "by_distance"))
		read_by_distance(r, root, group);
	else
		read_links(r, root, group);
	machine_finish_loads(r, group ? group : root);
}
