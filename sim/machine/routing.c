/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes over links: for each bank, Dijkstra's shortest paths backwards from it give every node's
 * latency and number of links to go; a route then walks from the CPU's node, always over the
 * lowest-numbered neighbour that lies on such a path. That makes ties come out by node numbers,
 * whatever the order of the links in the file.
 */
#include "sim/machine/interconnect.h"

#include <errno.h>
#include <stdlib.h>

/* What is left to go from a node to the destination. */
struct way {
	uint64_t latency_ps;
	int nr_links; /* -1: there is no way */
	bool final;
};

struct router {
	struct machine *m;
	int *out; /* links by their `from`, then `to`; out_first[nid] is where a node's begin */
	int *out_first;
	int *in; /* links by their `to` */
	int *in_first;
	struct way *ways; /* by node, to the destination at hand */
	bool *has_cpu;
	long nr_hops;
};

/* Sort links by one end, keeping the order that `order` gives (NULL: as they are). */
static void sort_links(const struct machine *m, bool by_to, const int *order, int *sorted,
		       int *first)
{
	for (int i = 0; i < m->nr_links; i++)
		first[(by_to ? m->links[i].to : m->links[i].from) + 1]++;
	for (int nid = 0; nid < m->mm.nr_nodes; nid++)
		first[nid + 1] += first[nid];
	for (int i = 0; i < m->nr_links; i++) {
		int link = order ? order[i] : i;

		sorted[first[by_to ? m->links[link].to : m->links[link].from]++] = link;
	}
	/* Each first[nid] has moved to the start of the next. */
	for (int nid = m->mm.nr_nodes; nid > 0; nid--)
		first[nid] = first[nid - 1];
	first[0] = 0;
}

static bool shorter(uint64_t latency_ps, int nr_links, const struct way *than)
{
	if (than->nr_links < 0 || latency_ps != than->latency_ps)
		return than->nr_links < 0 || latency_ps < than->latency_ps;
	return nr_links < than->nr_links;
}

/* The node not yet final that is nearest to the destination, or -1. */
static int nearest_open(const struct router *r)
{
	int best = -1;

	for (int nid = 0; nid < r->m->mm.nr_nodes; nid++) {
		const struct way *w = &r->ways[nid];

		if (w->final || w->nr_links < 0)
			continue;
		if (best < 0 || shorter(w->latency_ps, w->nr_links, &r->ways[best]))
			best = nid;
	}
	return best;
}

static void find_ways(struct router *r, int destination)
{
	int at = destination;

	for (int nid = 0; nid < r->m->mm.nr_nodes; nid++)
		r->ways[nid] = (struct way){.nr_links = -1};
	r->ways[at].nr_links = 0;
	for (; at >= 0; at = nearest_open(r)) {
		struct way *here = &r->ways[at];

		here->final = true;
		for (int i = r->in_first[at]; i < r->in_first[at + 1]; i++) {
			const struct machine_link *link = &r->m->links[r->in[i]];
			uint64_t latency_ps = here->latency_ps + link->latency_ps;
			struct way *from = &r->ways[link->from];

			if (!from->final && shorter(latency_ps, here->nr_links + 1, from)) {
				from->latency_ps = latency_ps;
				from->nr_links = here->nr_links + 1;
			}
		}
	}
}

/* The link out of `at` that is on a best way and leads to the lowest node. */
static int next_link(const struct router *r, int at)
{
	const struct way *here = &r->ways[at];

	for (int i = r->out_first[at]; i < r->out_first[at + 1]; i++) {
		const struct machine_link *link = &r->m->links[r->out[i]];
		const struct way *there = &r->ways[link->to];

		if (there->nr_links == here->nr_links - 1 &&
		    there->latency_ps + link->latency_ps == here->latency_ps)
			return r->out[i];
	}
	abort(); /* find_ways() came over a link of this node */
}

static int fill_route(struct router *r, int from, int to)
{
	struct machine *m = r->m;
	struct machine_route *route = &m->routes[from * m->mm.nr_nodes + to];
	const struct way *way = &r->ways[from];
	const struct machine_bank *bank = &m->banks[to];

	r->nr_hops += way->nr_links;
	if (r->nr_hops > INTERCONNECT_MAX_HOPS)
		return -E2BIG;
	if (way->nr_links) {
		route->links = malloc((size_t)way->nr_links * sizeof(*route->links));
		if (!route->links)
			return -ENOMEM;
	}
	route->latency_ps = way->latency_ps + bank->latency_ps;
	route->bytes_per_s = bank->bytes_per_s;
	for (int at = from, link; at != to; at = m->links[link].to) {
		link = next_link(r, at);
		route->links[route->nr_links++] = m->links[link].wire;
		route->two_ways |= m->links[link].write_bytes_per_s != 0;
		if (m->links[link].bytes_per_s < route->bytes_per_s)
			route->bytes_per_s = m->links[link].bytes_per_s;
	}
	return 0;
}

static int fill_routes(struct router *r, struct node_pair *pair)
{
	int nr = r->m->mm.nr_nodes;
	int err = 0;

	for (int to = 0; to < nr && !err; to++) {
		if (!r->m->banks[to].bytes_per_s)
			continue;
		find_ways(r, to);
		for (int from = 0; from < nr && !err; from++) {
			if (!r->has_cpu[from])
				continue;
			*pair = (struct node_pair){.from = from, .to = to};
			err = r->ways[from].nr_links < 0 ? -ENETUNREACH : fill_route(r, from, to);
		}
	}
	return err;
}

int interconnect_route(struct machine *m, struct node_pair *pair)
{
	size_t nr = (size_t)m->mm.nr_nodes, nr_links = (size_t)m->nr_links;
	struct router r = {
		.m = m,
		.out = calloc(nr_links + 1, sizeof(int)),
		.out_first = calloc(nr + 1, sizeof(int)),
		.in = calloc(nr_links + 1, sizeof(int)),
		.in_first = calloc(nr + 1, sizeof(int)),
		.ways = calloc(nr, sizeof(struct way)),
		.has_cpu = machine_cpu_nodes(m),
	};
	int err = -ENOMEM;

	m->routes = calloc(nr * nr, sizeof(*m->routes));
	if (m->routes && r.out && r.out_first && r.in && r.in_first && r.ways && r.has_cpu) {
		sort_links(m, true, NULL, r.in, r.in_first);
		sort_links(m, false, r.in, r.out, r.out_first);
		err = fill_routes(&r, pair);
	}
	free(r.out);
	free(r.out_first);
	free(r.in);
	free(r.in_first);
	free(r.ways);
	free(r.has_cpu);
	return err;
}
