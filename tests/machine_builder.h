/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Machines made by hand for tests of simulated time: nodes in a row, a link each way between
 * neighbours, round numbers. A test changes what it is about and calls build_routes() again.
 */
#ifndef TESTS_MACHINE_BUILDER_H
#define TESTS_MACHINE_BUILDER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

#define BUILT_NODE_BYTES ((uint64_t)256 << 20)
/* Of every bank: 60 ns and 20 B/ns. Of every link: 40 ns and 10 B/ns. Of every CPU: 2 GHz. */
#define BUILT_BANK_PS   60000
#define BUILT_BANK_RATE 20000000000
#define BUILT_LINK_PS   40000
#define BUILT_LINK_RATE 10000000000
#define BUILT_HZ        2000000000

static void *built_array(size_t nr, size_t size)
{
	void *p = calloc(nr ? nr : 1, size);

	if (!p)
		abort();
	return p;
}

static char *built_text(const char *text)
{
	return strcpy(built_array(strlen(text) + 1, 1), text);
}

/* An address in the memory of that node, away from what the boot takes. */
static inline phys_addr_t built_address(int nid)
{
	return (phys_addr_t)nid * BUILT_NODE_BYTES + BUILT_NODE_BYTES / 2;
}

/* The link from a node to its neighbour: 2i goes up from i, 2i + 1 down to i. */
static inline int built_link(int from, int to)
{
	return from < to ? 2 * from : 2 * to + 1;
}

/* Routes along the row, from what links and banks say. */
static inline void build_routes(struct machine *m)
{
	int nr_nodes = machine_nr_places(m);

	for (int from = 0; from < nr_nodes; from++) {
		for (int to = 0; to < nr_nodes; to++) {
			struct machine_route *r = &m->routes[from * nr_nodes + to];
			int step = from < to ? 1 : -1;

			free(r->links);
			*r = (struct machine_route){
				.links = built_array((size_t)nr_nodes, sizeof(int)),
				.latency_ps = m->banks[to].latency_ps,
				.bytes_per_s = m->banks[to].bytes_per_s,
			};
			for (int at = from; at != to; at += step) {
				const struct machine_link *l = &m->links[built_link(at, at + step)];

				r->links[r->nr_links++] = built_link(at, at + step);
				r->latency_ps += l->latency_ps;
				r->two_ways |= l->write_bytes_per_s != 0;
				if (l->bytes_per_s < r->bytes_per_s)
					r->bytes_per_s = l->bytes_per_s;
			}
		}
	}
}

static void build_links(struct machine *m)
{
	m->nr_links = 2 * (m->mm.nr_nodes - 1);
	m->links = built_array((size_t)m->nr_links, sizeof(*m->links));
	for (int i = 0; i < m->nr_links; i++) {
		char name[32];
		int low = i / 2, from = low + i % 2, to = low + 1 - i % 2;

		snprintf(name, sizeof(name), "link%d-%d", from, to);
		m->links[i] = (struct machine_link){
			.name = built_text(name),
			.from = from,
			.to = to,
			.wire = i,
			.latency_ps = BUILT_LINK_PS,
			.bytes_per_s = BUILT_LINK_RATE,
		};
	}
}

static void build_nodes(struct machine *m)
{
	int nr_nodes = m->mm.nr_nodes;

	m->banks = built_array((size_t)nr_nodes, sizeof(*m->banks));
	m->memory = built_array((size_t)nr_nodes, sizeof(*m->memory));
	m->distance = built_array((size_t)(nr_nodes * nr_nodes), 1);
	m->routes = built_array((size_t)(nr_nodes * nr_nodes), sizeof(*m->routes));
	for (int nid = 0; nid < nr_nodes; nid++) {
		m->banks[nid] = (struct machine_bank){
			.place = nid, .latency_ps = BUILT_BANK_PS, .bytes_per_s = BUILT_BANK_RATE};
		m->memory[nid].start = (phys_addr_t)nid * BUILT_NODE_BYTES;
		m->memory[nid].bytes = BUILT_NODE_BYTES;
		m->memory[nid].nid = nid;
		for (int to = 0; to < nr_nodes; to++)
			m->distance[nid * nr_nodes + to] = nid == to ? 10 : 20;
	}
}

/* nr_nodes in a row with cpus_per_node each, numbered node by node; no caches. machine_free() or
 * built_free() it. */
static inline struct machine *build_machine(int nr_nodes, int cpus_per_node)
{
	struct machine *m = built_array(1, sizeof(*m));
	int nr_cpus = nr_nodes * cpus_per_node;

	m->file = built_text("built.cfg");
	m->name = built_text("built");
	m->description = built_text("");
	m->source = built_text("");
	m->model_line = 7;
	m->cpus = built_array((size_t)nr_cpus, sizeof(*m->cpus));
	m->cpu_nid = built_array((size_t)nr_cpus, sizeof(*m->cpu_nid));
	for (int cpu = 0; cpu < nr_cpus; cpu++) {
		m->cpus[cpu] = (struct machine_cpu){.place = cpu / cpus_per_node,
						    .core = cpu,
						    .thread_share = 100,
						    .freq_hz = BUILT_HZ};
		m->cpu_nid[cpu] = cpu / cpus_per_node;
	}
	m->mm = (struct mm_config){
		.arch = MM_X86_64,
		.model = MM_SPARSE_VMEMMAP,
		.nr_nodes = nr_nodes,
		.nr_cpus = nr_cpus,
		.cpu_nid = m->cpu_nid,
		.nr_memory = (size_t)nr_nodes,
		.params = mm_params_default(),
	};
	build_nodes(m);
	m->mm.distance = m->distance;
	m->mm.memory = m->memory;
	build_links(m);
	build_routes(m);
	return m;
}

/* All nodes become one of the kernel, whose memory is at each of them in turn. */
static inline void build_interleave(struct machine *m, unsigned shift)
{
	int nr = m->mm.nr_nodes;

	m->nr_places = nr;
	m->place_nid = built_array((size_t)nr, sizeof(*m->place_nid));
	m->ways = built_array(1, sizeof(*m->ways));
	m->ways[0] = (struct machine_ways){
		.places = built_array((size_t)nr, sizeof(int)),
		.nr = (unsigned)nr,
		.shift = shift,
	};
	for (int i = 0; i < nr; i++) {
		m->ways[0].places[i] = i;
		m->memory[i].nid = 0;
	}
	memset(m->cpu_nid, 0, (size_t)m->mm.nr_cpus * sizeof(*m->cpu_nid));
	m->mm.nr_nodes = 1;
}

static inline void built_free(struct machine *m)
{
	for (int i = 0; i < m->nr_links; i++) {
		free(m->links[i].load.points);
		free(m->links[i].name);
	}
	for (int i = 0; i < machine_nr_places(m); i++)
		free(m->banks[i].load.points);
	for (int i = 0; i < machine_nr_places(m) * machine_nr_places(m); i++)
		free(m->routes[i].links);
	for (int nid = 0; m->ways && nid < m->mm.nr_nodes; nid++)
		free(m->ways[nid].places);
	free(m->ways);
	free(m->place_nid);
	for (int i = 0; i < m->nr_caches; i++)
		free(m->caches[i].name);
	free(m->caches);
	for (int i = 0; i < m->nr_disks; i++)
		free(m->disks[i].name);
	free(m->disks);
	free(m->file);
	free(m->name);
	free(m->description);
	free(m->source);
	free(m->cpus);
	free(m->cpu_nid);
	free(m->banks);
	free(m->memory);
	free(m->distance);
	free(m->links);
	free(m->routes);
	free(m);
}

/* Another disk, which reads and writes alike. */
static inline void build_disk(struct machine *m, uint64_t latency_ps, uint64_t bytes_per_s,
			      unsigned queue_depth)
{
	struct machine_disk *more =
		realloc(m->disks, (size_t)(m->nr_disks + 1) * sizeof(*m->disks));

	if (!more)
		abort();
	m->disks = more;
	m->disks[m->nr_disks++] = (struct machine_disk){
		.name = built_text("disk"),
		.latency_ps = latency_ps,
		.read_bytes_per_s = bytes_per_s,
		.write_bytes_per_s = bytes_per_s,
		.queue_depth = queue_depth,
		.nr_requests = 2 * queue_depth,
	};
}

/* Another level of cache, farther than those that are there; lines of 64 bytes. */
static inline void build_cache(struct machine *m, uint64_t size_bytes, unsigned ways,
			       uint64_t latency_ps, bool per_node)
{
	struct machine_cache *more =
		realloc(m->caches, (size_t)(m->nr_caches + 1) * sizeof(*m->caches));

	if (!more)
		abort();
	m->caches = more;
	m->cache_line_bytes = 64;
	m->caches[m->nr_caches++] = (struct machine_cache){
		.name = built_text("cache"),
		.size_bytes = size_bytes,
		.ways = ways,
		.latency_ps = latency_ps,
		.per_node = per_node,
	};
}

#endif
