/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links by topology, and a measured matrix taken apart into banks and links. How routes are found
 * over links is in routing.c.
 */
#define _GNU_SOURCE /* asprintf */
#include "sim/machine/interconnect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool *machine_cpu_nodes(const struct machine *m)
{
	bool *has_cpu = calloc((size_t)m->mm.nr_nodes, sizeof(*has_cpu));

	for (int cpu = 0; has_cpu && cpu < m->mm.nr_cpus; cpu++)
		has_cpu[m->cpu_nid[cpu]] = true;
	return has_cpu;
}

bool machine_has_memory(const struct machine *m, int nid)
{
	for (size_t i = 0; i < m->mm.nr_memory; i++)
		if (m->memory[i].nid == nid)
			return true;
	return false;
}

int interconnect_link(struct machine *m, int from, int to, const struct wire *wire)
{
	struct machine_link *link;

	if (m->nr_links >= INTERCONNECT_MAX_LINKS)
		return -E2BIG;
	/* The room is the next power of two. */
	if ((m->nr_links & (m->nr_links - 1)) == 0) {
		size_t room = m->nr_links ? 2 * (size_t)m->nr_links : 1;
		struct machine_link *grown = realloc(m->links, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		m->links = grown;
	}
	link = &m->links[m->nr_links];
	*link = (struct machine_link){
		.from = from,
		.to = to,
		.wire = m->nr_links,
		.latency_ps = wire->latency_ps,
		.bytes_per_s = wire->bytes_per_s,
		.write_bytes_per_s = wire->write_bytes_per_s,
	};
	if (wire->load) {
		link->load.queue_ps = wire->load->queue_ps;
		link->load.none = wire->load->none;
	}
	if (wire->load && wire->load->nr) {
		size_t bytes = (size_t)wire->load->nr * sizeof(*link->load.points);

		link->load.points = malloc(bytes);
		if (!link->load.points)
			return -ENOMEM;
		memcpy(link->load.points, wire->load->points, bytes);
		link->load.nr = wire->load->nr;
	}
	if (asprintf(&link->name, "link%d-%d", from, to) < 0)
		return -ENOMEM;
	m->nr_links++;
	return 0;
}

static int both_ways(struct machine *m, int a, int b, const struct wire *wire)
{
	int err = interconnect_link(m, a, b, wire);

	return err ? err : interconnect_link(m, b, a, wire);
}

int interconnect_full(struct machine *m, const struct wire *wire)
{
	int err = 0;

	for (int a = 0; a < m->mm.nr_nodes && !err; a++)
		for (int b = a + 1; b < m->mm.nr_nodes && !err; b++)
			err = both_ways(m, a, b, wire);
	return err;
}

int interconnect_ring(struct machine *m, const struct wire *wire)
{
	int nr = m->mm.nr_nodes;
	int err = 0;

	for (int a = 0; a + 1 < nr && !err; a++)
		err = both_ways(m, a, a + 1, wire);
	if (nr > 2 && !err)
		err = both_ways(m, nr - 1, 0, wire);
	return err;
}

int interconnect_mesh(struct machine *m, int columns, const struct wire *wire)
{
	int nr = m->mm.nr_nodes;
	int err = 0;

	for (int a = 0; a < nr && !err; a++) {
		if ((a + 1) % columns)
			err = both_ways(m, a, a + 1, wire);
		if (a + columns < nr && !err)
			err = both_ways(m, a, a + columns, wire);
	}
	return err;
}

/* Of the first pair of two groups the link is the wire; `wires` knows it by the groups, from 1. */
static int outer_link(struct machine *m, int from, int to, const struct wire *outer, int *wire)
{
	int err = interconnect_link(m, from, to, outer);

	if (err)
		return err;
	if (!*wire)
		*wire = m->nr_links;
	m->links[m->nr_links - 1].wire = *wire - 1;
	return 0;
}

int interconnect_two_level(struct machine *m, int size, const struct wire *inner,
			   const struct wire *outer)
{
	int nr = m->mm.nr_nodes, groups = nr / size, err = 0;
	int *wires = calloc((size_t)groups * (size_t)groups, sizeof(*wires));

	if (!wires)
		return -ENOMEM;
	for (int a = 0; a < nr && !err; a++)
		for (int b = 0; b < nr && !err; b++) {
			if (a == b)
				continue;
			err = a / size == b / size
				      ? interconnect_link(m, a, b, inner)
				      : outer_link(m, a, b, outer,
						   &wires[a / size * groups + b / size]);
		}
	free(wires);
	return err;
}

/* The least latency and the largest rate of a column, unless the bank has one already. */
static void read_bank(struct machine *m, const struct wire *pairs, const bool *has_cpu, int to)
{
	struct machine_bank *bank = &m->banks[to];
	uint64_t own = bank->bytes_per_s;
	int nr = m->mm.nr_nodes;

	bank->latency_ps = UINT64_MAX;
	for (int from = 0; from < nr; from++) {
		const struct wire *pair = &pairs[from * nr + to];

		if (!has_cpu[from])
			continue;
		if (pair->latency_ps < bank->latency_ps)
			bank->latency_ps = pair->latency_ps;
		if (pair->bytes_per_s > bank->bytes_per_s)
			bank->bytes_per_s = pair->bytes_per_s;
	}
	if (own)
		bank->bytes_per_s = own;
}

/* A route of one pair: its bank, and a link where the bank is not all of it. */
static int direct_route(struct machine *m, const struct wire *pair, int from, int to)
{
	struct machine_route *route = &m->routes[from * m->mm.nr_nodes + to];
	const struct machine_bank *bank = &m->banks[to];
	struct wire rest = {
		.latency_ps = pair->latency_ps - bank->latency_ps,
		.bytes_per_s = pair->bytes_per_s,
		.write_bytes_per_s = pair->write_bytes_per_s,
	};
	int err;

	route->latency_ps = pair->latency_ps;
	route->bytes_per_s = pair->bytes_per_s;
	if (rest.latency_ps == 0 && rest.bytes_per_s == bank->bytes_per_s &&
	    !rest.write_bytes_per_s)
		return 0;
	route->links = malloc(sizeof(*route->links));
	if (!route->links)
		return -ENOMEM;
	err = interconnect_link(m, from, to, &rest);
	if (err)
		return err;
	route->links[0] = m->nr_links - 1;
	route->nr_links = 1;
	route->two_ways = pair->write_bytes_per_s != 0;
	return 0;
}

int interconnect_matrix(struct machine *m, const struct wire *pairs)
{
	int nr = m->mm.nr_nodes;
	bool *has_cpu = machine_cpu_nodes(m);
	int err = 0;

	m->routes = calloc((size_t)nr * (size_t)nr, sizeof(*m->routes));
	if (!has_cpu || !m->routes) {
		free(has_cpu);
		return -ENOMEM;
	}
	for (int to = 0; to < nr && !err; to++) {
		if (!machine_has_memory(m, to))
			continue;
		read_bank(m, pairs, has_cpu, to);
		for (int from = 0; from < nr && !err; from++)
			if (has_cpu[from])
				err = direct_route(m, &pairs[from * nr + to], from, to);
	}
	free(has_cpu);
	return err;
}

static int add_to_route(struct machine *m, struct machine_route *route, int link)
{
	size_t room = (size_t)route->nr_links + 1;
	int *grown = realloc(route->links, room * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	route->links = grown;
	route->links[route->nr_links++] = link;
	route->two_ways |= m->links[link].write_bytes_per_s != 0;
	if (m->links[link].bytes_per_s < route->bytes_per_s)
		route->bytes_per_s = m->links[link].bytes_per_s;
	return 0;
}

int interconnect_share(struct machine *m, const struct node_list *from, const struct node_list *to,
		       const struct wire *wire)
{
	int nr_routes = 0;
	int err = interconnect_link(m, from->nids[0], to->nids[0], wire);

	if (err)
		return err;
	for (int i = 0; i < from->nr; i++)
		for (int j = 0; j < to->nr; j++) {
			int nr = from->nids[i] * m->mm.nr_nodes + to->nids[j];

			if (!m->routes[nr].bytes_per_s)
				continue;
			err = add_to_route(m, &m->routes[nr], m->nr_links - 1);
			if (err)
				return err;
			nr_routes++;
		}
	return nr_routes;
}

static void interconnect_link_clear(struct machine_link *link)
{
	free(link->load.points);
	free(link->name);
}

void interconnect_clear(struct machine *m)
{
	size_t nr = (size_t)machine_nr_places(m);

	for (size_t i = 0; m->routes && i < nr * nr; i++)
		free(m->routes[i].links);
	for (int i = 0; i < m->nr_links; i++)
		interconnect_link_clear(&m->links[i]);
	free(m->routes);
	free(m->links);
	m->routes = NULL;
	m->links = NULL;
	m->nr_links = 0;
}
