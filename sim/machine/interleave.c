/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of several places that is one node's: sockets whose firmware interleaves them ("node
 * interleaving", clusters of a socket that are not told apart), CXL devices of one window. Until
 * here each element of `nodes` has been a node; those of a set become one, and nodes are numbered
 * again, in the order of the first places that they have.
 */
#include "sim/machine/read.h"

#include <inttypes.h>
#include <stdlib.h>

#include "sim/machine/interconnect.h"

#define MOST_WAYS    16 /* as CXL has it */
#define LEAST_TURN   64
#define MOST_TURN    (UINT64_C(1) << 30)
#define DEFAULT_TURN 256 /* the least of a CXL window */
#define UNEVEN_PARTS 8   /* sizes that differ by more than one of so many are told */

/* Which set each place is of, and of which set what is said. */
struct sets {
	int *of; /* by place; -1: of none */
	struct machine_ways *list;
	unsigned nr;
};

static bool may_join(struct machine_reader *r, const struct cfg_setting *s, const struct sets *sets,
		     int place)
{
	if (sets->of[place] >= 0)
		cfg_error(r->cfg, s, "the memory of node %d is interleaved already", place);
	else if (!machine_has_memory(r->m, place))
		cfg_error(r->cfg, s, "node %d has no memory", place);
	else if (r->m->shares_cpus_with[place] != place)
		cfg_error(r->cfg, s, "node %d is a part of node %d (shares_cpus_with)", place,
			  r->m->shares_cpus_with[place]);
	return !cfg_status(r->cfg);
}

static uint64_t bytes_of(const struct machine *m, int place)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < m->mm.nr_memory; i++)
		sum += m->memory[i].nid == place ? m->memory[i].bytes : 0;
	return sum;
}

static void check_sizes(struct machine_reader *r, const struct cfg_setting *s,
			const struct machine_ways *w)
{
	uint64_t least = UINT64_MAX, most = 0;

	for (unsigned i = 0; i < w->nr; i++) {
		uint64_t bytes = bytes_of(r->m, w->places[i]);

		least = bytes < least ? bytes : least;
		most = bytes > most ? bytes : most;
	}
	if (most - least > most / UNEVEN_PARTS)
		cfg_warn(r->cfg, s,
			 "nodes of %" PRIu64 " to %" PRIu64
			 " bytes have an equal part each of what they have altogether",
			 least, most);
}

static void read_turn(struct machine_reader *r, const struct cfg_setting *group,
		      struct machine_ways *w)
{
	const struct cfg_setting *s = cfg_find(r->cfg, group, "granularity");
	const struct machine *m = r->m;
	uint64_t bytes = DEFAULT_TURN;

	if (cfg_size(r->cfg, s, &bytes) &&
	    ((bytes & (bytes - 1)) || bytes < LEAST_TURN || bytes > MOST_TURN))
		cfg_error(r->cfg, s,
			  "expected a power of two from %d B to 1 GiB, the bytes that follow each "
			  "other at a node, found %" PRIu64 " B",
			  LEAST_TURN, bytes);
	else if (bytes < m->cache_line_bytes)
		cfg_error(r->cfg, s ? s : group,
			  "a line of %u B is at several nodes, which go in turn after %" PRIu64
			  " B",
			  m->cache_line_bytes, bytes);
	if (!cfg_status(r->cfg))
		w->shift = (unsigned)__builtin_ctzll(bytes);
}

static void read_set(struct machine_reader *r, const struct cfg_setting *s, struct sets *sets)
{
	static const char *const keys[] = {"nodes", "granularity", "source", NULL};
	const struct cfg_setting *group = cfg_group(r->cfg, s);
	const struct cfg_setting *nodes = cfg_list(r->cfg, cfg_need(r->cfg, group, "nodes"));
	struct machine_ways *w = &sets->list[sets->nr];
	unsigned nr = cfg_length(nodes);

	cfg_keys(r->cfg, group, keys);
	machine_read_source(r, group);
	if (!nodes)
		return;
	if (nr < 2 || nr > MOST_WAYS) {
		cfg_error(r->cfg, nodes, "expected 2 to %d nodes, found %u", MOST_WAYS, nr);
		return;
	}
	w->places = machine_array(r, nr, sizeof(*w->places));
	for (unsigned i = 0; w->places && i < nr; i++) {
		const struct cfg_setting *node = cfg_element(nodes, i);
		int place;

		if (!machine_read_nid(r, node, &place) || !may_join(r, node, sets, place))
			return;
		sets->of[place] = (int)sets->nr;
		w->places[w->nr++] = place;
	}
	read_turn(r, group, w);
	if (!cfg_status(r->cfg))
		check_sizes(r, nodes, w);
	sets->nr++;
}

/* Fills place_nid, and first[] by node. Returns how many nodes there are. */
static int number(const struct sets *sets, int nr_places, int *place_nid, int *first)
{
	int nr = 0;

	for (int place = 0; place < nr_places; place++)
		place_nid[place] = MM_NO_NODE;
	for (int place = 0; place < nr_places; place++) {
		const struct machine_ways *w;

		if (place_nid[place] != MM_NO_NODE)
			continue;
		first[nr] = place;
		place_nid[place] = nr++;
		w = sets->of[place] < 0 ? NULL : &sets->list[sets->of[place]];
		for (unsigned i = 0; w && i < w->nr; i++)
			place_nid[w->places[i]] = nr - 1;
	}
	return nr;
}

static void number_ranges(struct mm_range *ranges, size_t nr, const int *place_nid)
{
	for (size_t i = 0; i < nr; i++)
		ranges[i].nid = place_nid[ranges[i].nid];
}

/* What the kernel has by node; of those that become one, the first place's. */
static void fold(struct machine *m, const int *first)
{
	int nr = m->mm.nr_nodes;

	for (int a = 0; a < nr; a++)
		for (int b = 0; b < nr; b++)
			m->distance[a * nr + b] = m->distance[first[a] * m->nr_places + first[b]];
	for (int nid = 0; nid < nr; nid++) {
		m->interleave_weight[nid] = m->interleave_weight[first[nid]];
		m->shares_cpus_with[nid] = m->place_nid[m->shares_cpus_with[first[nid]]];
	}
	for (int cpu = 0; cpu < m->mm.nr_cpus; cpu++)
		m->cpu_nid[cpu] = m->place_nid[m->cpus[cpu].place];
	number_ranges(m->memory, m->mm.nr_memory, m->place_nid);
	number_ranges(m->hotpluggable, m->mm.nr_hotpluggable, m->place_nid);
	number_ranges(m->mirrored, m->mm.nr_mirrored, m->place_nid);
}

/* Of nodes of no set: their own place. */
static bool set_ways(struct machine_reader *r, struct sets *sets, const int *first)
{
	struct machine *m = r->m;

	m->ways = machine_array(r, (size_t)m->mm.nr_nodes, sizeof(*m->ways));
	for (int nid = 0; m->ways && nid < m->mm.nr_nodes; nid++) {
		int set = sets->of[first[nid]];

		if (set >= 0) {
			m->ways[nid] = sets->list[set];
			sets->list[set].places = NULL;
			continue;
		}
		m->ways[nid].places = machine_array(r, 1, sizeof(*m->ways[nid].places));
		if (!m->ways[nid].places)
			return false;
		m->ways[nid].places[0] = first[nid];
		m->ways[nid].nr = 1;
	}
	return m->ways != NULL;
}

static void make_nodes(struct machine_reader *r, struct sets *sets)
{
	struct machine *m = r->m;
	int nr_places = m->mm.nr_nodes;
	int *first = machine_array(r, (size_t)nr_places, sizeof(*first));

	m->place_nid = machine_array(r, (size_t)nr_places, sizeof(*m->place_nid));
	if (first && m->place_nid) {
		m->nr_places = nr_places;
		m->mm.nr_nodes = number(sets, nr_places, m->place_nid, first);
		if (set_ways(r, sets, first))
			fold(m, first);
	}
	free(first);
}

void machine_read_interleave(struct machine_reader *r, const struct cfg_setting *root)
{
	const struct cfg_setting *list = cfg_list(r->cfg, cfg_find(r->cfg, root, "interleave"));
	struct sets sets = {0};
	size_t nr_places = (size_t)r->m->mm.nr_nodes;

	if (!list)
		return;
	if (cfg_length(list) == 0) {
		cfg_error(r->cfg, list, "expected groups of nodes, found none");
		return;
	}
	sets.of = machine_array(r, nr_places, sizeof(*sets.of));
	sets.list = machine_array(r, cfg_length(list), sizeof(*sets.list));
	for (size_t i = 0; sets.of && i < nr_places; i++)
		sets.of[i] = -1;
	for (unsigned i = 0; sets.list && i < cfg_length(list) && !cfg_status(r->cfg); i++)
		read_set(r, cfg_element(list, i), &sets);
	if (!cfg_status(r->cfg))
		make_nodes(r, &sets);
	for (unsigned i = 0; sets.list && i < cfg_length(list); i++)
		free(sets.list[i].places);
	free(sets.list);
	free(sets.of);
}
