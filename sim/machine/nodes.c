/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes of a machine file with their CPUs and memory ranges.
 *
 * Ids are checked to run from 0 without gaps; memory ends up in the order of its addresses, whole
 * pages, without overlaps.
 */
#include "sim/machine/read.h"

#include <inttypes.h>
#include <stdlib.h>

#include "sim/config/units.h"

#define MAX_IN_FLIGHT 1024    /* lines on their way to a CPU */
#define MAX_THREADS   8       /* of a core */
#define LEAST_HZ      1000000 /* slower ones are slips: a measurement would take years */

/* How many CPUs and ranges there are, before arrays are made of them. */
struct count {
	uint64_t cpus, ranges;
	const struct cfg_setting *with_ids, *without_ids; /* a node's cpus of either sort */
};

/* A range and where it stands, for sorting. */
struct placed {
	struct mm_range range;
	const struct cfg_setting *at;
};

static const struct cfg_setting *cpus_of(struct machine_reader *r, const struct cfg_setting *node)
{
	return cfg_group(r->cfg, cfg_find(r->cfg, node, "cpus"));
}

static const struct cfg_setting *memory_of(struct machine_reader *r, const struct cfg_setting *node)
{
	return cfg_list(r->cfg, cfg_find(r->cfg, node, "memory"));
}

/* Fill node_at[] by the nodes' ids, or by their order where they have none. */
static void read_ids(struct machine_reader *r, const struct cfg_setting *nodes)
{
	static const char *const keys[] = {
		"id",   "memory", "cpus", "shares_cpus_with", "interleave_weight",
		"bank", "source", NULL};
	int nr = (int)cfg_length(nodes);

	for (int i = 0; i < nr && !cfg_status(r->cfg); i++) {
		const struct cfg_setting *node = cfg_group(r->cfg, cfg_element(nodes, (unsigned)i));
		const struct cfg_setting *id = cfg_find(r->cfg, node, "id");
		uint64_t nid = (uint64_t)i;

		cfg_keys(r->cfg, node, keys);
		machine_read_source(r, node);
		cfg_integer(r->cfg, id, 0, INT32_MAX, &nid);
		if (nid >= (uint64_t)nr)
			cfg_error(r->cfg, id,
				  "node id %" PRIu64 " leaves a gap: %d nodes have ids 0 to %d",
				  nid, nr, nr - 1);
		else if (r->node_at[nid])
			cfg_error(r->cfg, id ? id : node, "node id %" PRIu64 " is given twice",
				  nid);
		else
			r->node_at[nid] = node;
	}
}

/* Nodes that have CPUs in common name the first of them, which names none. */
static void read_shares(struct machine_reader *r)
{
	struct machine *m = r->m;
	int nr = m->mm.nr_nodes;

	for (int nid = 0; nid < nr; nid++)
		m->shares_cpus_with[nid] = nid;
	for (int nid = 0; nid < nr && !cfg_status(r->cfg); nid++) {
		const struct cfg_setting *s = cfg_find(r->cfg, r->node_at[nid], "shares_cpus_with");
		int with;

		if (!s || !machine_read_nid(r, s, &with))
			continue;
		if (with == nid || cfg_find(r->cfg, r->node_at[with], "shares_cpus_with"))
			cfg_error(r->cfg, s,
				  "node %d: expected a node that has none of this itself, and not "
				  "node %d",
				  with, nid);
		m->shares_cpus_with[nid] = with;
	}
	m->mm.shares_cpus_with = m->shares_cpus_with;
}

/* How often a weighted interleave comes to each node. */
static void read_weights(struct machine_reader *r)
{
	struct machine *m = r->m;

	for (int nid = 0; nid < m->mm.nr_nodes && !cfg_status(r->cfg); nid++) {
		uint64_t weight = 1;

		cfg_integer(r->cfg, cfg_find(r->cfg, r->node_at[nid], "interleave_weight"), 1,
			    UINT8_MAX, &weight);
		m->interleave_weight[nid] = (uint8_t)weight;
	}
	m->mm.interleave_weight = m->interleave_weight;
}

static void count_node(struct machine_reader *r, const struct cfg_setting *node,
		       struct count *count)
{
	static const char *const keys[] = {"count",
					   "frequency",
					   "ids",
					   "fill_buffers",
					   "prefetched",
					   "prefetch_streams",
					   "threads_per_core",
					   "thread_share",
					   "source",
					   NULL};
	const struct cfg_setting *cpus = cpus_of(r, node);
	const struct cfg_setting *ids = cfg_list(r->cfg, cfg_find(r->cfg, cpus, "ids"));
	uint64_t nr = cfg_length(ids);

	count->ranges += cfg_length(memory_of(r, node));
	if (!cpus)
		return;
	cfg_keys(r->cfg, cpus, keys);
	machine_read_source(r, cpus);
	if (!ids)
		cfg_integer(r->cfg, cfg_need(r->cfg, cpus, "count"), 1, MM_MAX_CPUS, &nr);
	else if (cfg_integer(r->cfg, cfg_find(r->cfg, cpus, "count"), 1, MM_MAX_CPUS, &nr) &&
		 nr != cfg_length(ids))
		cfg_error(r->cfg, ids, "count is %" PRIu64 ", but there are %u ids", nr,
			  cfg_length(ids));
	count->cpus += nr;
	*(ids ? &count->with_ids : &count->without_ids) = cpus;
}

static void check_count(struct machine_reader *r, const struct cfg_setting *nodes,
			const struct count *count)
{
	if (count->cpus > MM_MAX_CPUS)
		cfg_error(r->cfg, nodes, "%" PRIu64 " CPUs, at most %d are possible", count->cpus,
			  MM_MAX_CPUS);
	if (count->cpus == 0)
		cfg_error(r->cfg, nodes, "the machine has no CPUs: no node has `cpus`");
	if (count->ranges > MACHINE_MAX_RANGES)
		cfg_error(r->cfg, nodes, "%" PRIu64 " memory ranges, at most %d are possible",
			  count->ranges, MACHINE_MAX_RANGES);
	if (count->ranges == 0)
		cfg_error(r->cfg, nodes, "the machine has no memory: no node has `memory`");
	if (count->with_ids && count->without_ids)
		cfg_error(r->cfg, count->without_ids,
			  "'ids' is missing: CPUs of other nodes have theirs (%s)",
			  cfg_path(count->with_ids).text);
}

/* CPUs of a node by their ids. Returns the first id that there are too few CPUs for, or NULL. */
static const struct cfg_setting *read_cpu_ids(struct machine_reader *r, int nid,
					      const struct cfg_setting *ids,
					      const struct machine_cpu *like)
{
	const struct cfg_setting *beyond = NULL;
	struct machine *m = r->m;

	for (unsigned i = 0; i < cfg_length(ids) && !cfg_status(r->cfg); i++) {
		const struct cfg_setting *s = cfg_element(ids, i);
		uint64_t cpu;

		if (!cfg_integer(r->cfg, s, 0, INT32_MAX, &cpu))
			break;
		if (cpu >= (uint64_t)m->mm.nr_cpus) {
			beyond = beyond ? beyond : s;
			continue;
		}
		if (m->cpu_nid[cpu] != MM_NO_NODE) {
			cfg_error(r->cfg, s, "CPU %" PRIu64 " is on node %d already", cpu,
				  m->cpu_nid[cpu]);
			break;
		}
		m->cpu_nid[cpu] = nid;
		m->cpus[cpu] = *like;
		m->cpus[cpu].core = (int)cpu;
	}
	return beyond;
}

/* An id beyond the number of CPUs is where a CPU below it is on no node. */
static void check_cpu_gap(struct machine_reader *r, const struct cfg_setting *beyond)
{
	int cpu = 0;

	if (!beyond)
		return;
	while (r->m->cpu_nid[cpu] != MM_NO_NODE)
		cpu++;
	cfg_error(r->cfg, beyond, "CPU %d is on no node: %d CPUs have ids 0 to %d without gaps",
		  cpu, r->m->mm.nr_cpus, r->m->mm.nr_cpus - 1);
}

/* What the CPUs of a node have in common. */
static void read_cpu(struct machine_reader *r, const struct cfg_setting *cpus,
		     struct machine_cpu *cpu)
{
	const struct cfg_setting *frequency = cfg_need(r->cfg, cpus, "frequency");
	const struct cfg_setting *prefetched = cfg_find(r->cfg, cpus, "prefetched");
	uint64_t in_flight = 0, streams = 0;

	if (cfg_frequency(r->cfg, frequency, &cpu->freq_hz) && cpu->freq_hz < LEAST_HZ)
		cfg_error(r->cfg, frequency, "expected a frequency of 1MHz or more, found %s",
			  units_frequency(cpu->freq_hz).text);
	cfg_integer(r->cfg, cfg_find(r->cfg, cpus, "fill_buffers"), 1, MAX_IN_FLIGHT, &in_flight);
	cpu->fill_buffers = cpu->prefetched = (unsigned)in_flight;
	cfg_integer(r->cfg, cfg_find(r->cfg, cpus, "prefetch_streams"), 0, MAX_IN_FLIGHT, &streams);
	cpu->streams = (unsigned)streams;
	if (prefetched && !in_flight)
		cfg_error(r->cfg, prefetched, "'fill_buffers' is missing beside it");
	if (cfg_integer(r->cfg, prefetched, in_flight, MAX_IN_FLIGHT, &in_flight))
		cpu->prefetched = (unsigned)in_flight;
}

static void read_cpus(struct machine_reader *r)
{
	const struct cfg_setting *beyond = NULL;
	struct machine *m = r->m;
	int next = 0;

	for (int i = 0; i < m->mm.nr_cpus; i++)
		m->cpu_nid[i] = MM_NO_NODE;
	for (int nid = 0; nid < m->mm.nr_nodes && !cfg_status(r->cfg); nid++) {
		const struct cfg_setting *cpus = cpus_of(r, r->node_at[nid]);
		const struct cfg_setting *ids = cfg_find(r->cfg, cpus, "ids");
		struct machine_cpu like = {.place = nid};
		uint64_t nr = 0;

		read_cpu(r, cpus, &like);
		if (ids) {
			const struct cfg_setting *s = read_cpu_ids(r, nid, ids, &like);

			beyond = beyond ? beyond : s;
			continue;
		}
		cfg_integer(r->cfg, cfg_find(r->cfg, cpus, "count"), 1, MM_MAX_CPUS, &nr);
		for (; nr; nr--, next++) {
			m->cpu_nid[next] = nid;
			m->cpus[next] = like;
			m->cpus[next].core = next;
		}
	}
	check_cpu_gap(r, beyond);
}

/*
 * Threads of a core, in the order in which Linux numbers them: first one of each core of the node,
 * then the others.
 */
static void read_threads(struct machine_reader *r)
{
	struct machine *m = r->m;
	int *of_node = machine_array(r, (size_t)m->mm.nr_cpus, sizeof(*of_node));

	for (int nid = 0; of_node && nid < m->mm.nr_nodes && !cfg_status(r->cfg); nid++) {
		const struct cfg_setting *cpus = cpus_of(r, r->node_at[nid]);
		const struct cfg_setting *per_core = cfg_find(r->cfg, cpus, "threads_per_core");
		const struct cfg_setting *own = cfg_find(r->cfg, cpus, "thread_share");
		uint64_t threads = 1, share = 100;
		int nr = 0, nr_cores;

		cfg_integer(r->cfg, per_core, 1, MAX_THREADS, &threads);
		if (own && threads == 1)
			cfg_error(r->cfg, own, "a core has one thread (`threads_per_core`)");
		share /= threads;
		cfg_integer(r->cfg, own, 1, 100, &share);
		for (int cpu = 0; cpu < m->mm.nr_cpus; cpu++)
			if (m->cpu_nid[cpu] == nid)
				of_node[nr++] = cpu;
		if (nr % (int)threads) {
			cfg_error(r->cfg, per_core, "%d CPUs are not whole cores of %d threads", nr,
				  (int)threads);
			break;
		}
		nr_cores = nr / (int)threads;
		for (int i = 0; i < nr; i++) {
			m->cpus[of_node[i]].core = of_node[i % nr_cores];
			m->cpus[of_node[i]].thread_share = (unsigned)share;
		}
	}
	free(of_node);
}

static void check_pages(struct machine_reader *r, const struct cfg_setting *at,
			const struct mm_range *range)
{
	uint64_t page = UINT64_C(1) << r->arch->page_shift;

	if (range->start % page)
		cfg_error(r->cfg, cfg_find(r->cfg, at, "base"),
			  "%#" PRIx64 " is not at a multiple of the %" PRIu64 " byte page",
			  range->start, page);
	if (range->bytes % page)
		cfg_error(r->cfg, cfg_find(r->cfg, at, "size"),
			  "%" PRIu64 " bytes are not a multiple of the %" PRIu64 " byte page",
			  range->bytes, page);
}

static int by_start(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	return x->range.start < y->range.start ? -1 : x->range.start > y->range.start;
}

static void check_overlaps(struct machine_reader *r, const struct placed *placed, size_t nr)
{
	for (size_t i = 1; i < nr; i++) {
		const struct placed *low = &placed[i - 1], *high = &placed[i];

		if (high->range.start - low->range.start >= low->range.bytes)
			continue;
		cfg_error(r->cfg, cfg_find(r->cfg, high->at, "base"),
			  "memory %s of node %d overlaps %s of node %d (%s)",
			  machine_range_text(&high->range).text, high->range.nid,
			  machine_range_text(&low->range).text, low->range.nid,
			  cfg_path(low->at).text);
		return;
	}
}

/* What firmware says of the range: lists of those that have it. */
static void read_flags(struct machine_reader *r, const struct placed *p)
{
	bool hotpluggable = false, mirrored = false;
	struct machine *m = r->m;

	cfg_bool(r->cfg, cfg_find(r->cfg, p->at, "hotpluggable"), &hotpluggable);
	cfg_bool(r->cfg, cfg_find(r->cfg, p->at, "mirrored"), &mirrored);
	if (hotpluggable)
		m->hotpluggable[m->mm.nr_hotpluggable++] = p->range;
	if (mirrored)
		m->mirrored[m->mm.nr_mirrored++] = p->range;
}

static void place_memory(struct machine_reader *r, struct placed *placed)
{
	static const char *const keys[] = {"base",     "size",   "hotpluggable",
					   "mirrored", "source", NULL};
	size_t nr = 0;

	for (int nid = 0; nid < r->m->mm.nr_nodes; nid++) {
		const struct cfg_setting *memory = memory_of(r, r->node_at[nid]);

		for (unsigned i = 0; i < cfg_length(memory); i++) {
			struct placed *p = &placed[nr++];

			p->at = cfg_group(r->cfg, cfg_element(memory, i));
			p->range.nid = nid;
			cfg_keys(r->cfg, p->at, keys);
			machine_read_source(r, p->at);
			if (!machine_read_range(r, p->at, &p->range.start, &p->range.bytes))
				return;
			check_pages(r, p->at, &p->range);
			read_flags(r, p);
		}
	}
	if (cfg_status(r->cfg))
		return;
	qsort(placed, nr, sizeof(*placed), by_start);
	check_overlaps(r, placed, nr);
	for (size_t i = 0; i < nr; i++)
		r->m->memory[i] = placed[i].range;
	r->m->mm.nr_memory = nr;
	r->m->mm.memory = r->m->memory;
}

static void read_memory(struct machine_reader *r, size_t nr)
{
	struct placed *placed = machine_array(r, nr, sizeof(*placed));

	r->m->memory = machine_array(r, nr, sizeof(*r->m->memory));
	r->m->hotpluggable = machine_array(r, nr, sizeof(*r->m->hotpluggable));
	r->m->mirrored = machine_array(r, nr, sizeof(*r->m->mirrored));
	r->m->mm.hotpluggable = r->m->hotpluggable;
	r->m->mm.mirrored = r->m->mirrored;
	if (placed && r->m->memory && r->m->hotpluggable && r->m->mirrored)
		place_memory(r, placed);
	free(placed);
}

void machine_read_nodes(struct machine_reader *r, const struct cfg_setting *root)
{
	const struct cfg_setting *nodes = cfg_list(r->cfg, cfg_need(r->cfg, root, "nodes"));
	struct machine *m = r->m;
	struct count count = {0};
	unsigned nr = cfg_length(nodes), most = 1u << r->arch->nodes_shift;

	if (!nodes)
		return;
	if (nr == 0 || nr > most) {
		cfg_error(r->cfg, nodes, "expected 1 to %u nodes (%s has no more), found %u", most,
			  r->arch->name, nr);
		return;
	}
	m->mm.nr_nodes = (int)nr;
	r->node_at = machine_array(r, nr, sizeof(*r->node_at));
	if (!r->node_at)
		return;
	read_ids(r, nodes);
	for (unsigned i = 0; i < nr && !cfg_status(r->cfg); i++)
		count_node(r, r->node_at[i], &count);
	check_count(r, nodes, &count);
	if (cfg_status(r->cfg))
		return;
	m->mm.nr_cpus = (int)count.cpus;
	m->cpu_nid = machine_array(r, count.cpus, sizeof(*m->cpu_nid));
	m->cpus = machine_array(r, count.cpus, sizeof(*m->cpus));
	m->banks = machine_array(r, nr, sizeof(*m->banks));
	m->shares_cpus_with = machine_array(r, nr, sizeof(*m->shares_cpus_with));
	m->interleave_weight = machine_array(r, nr, sizeof(*m->interleave_weight));
	if (cfg_status(r->cfg))
		return;
	m->mm.cpu_nid = m->cpu_nid;
	for (unsigned i = 0; i < nr; i++)
		m->banks[i].place = (int)i;
	read_shares(r);
	read_weights(r);
	read_cpus(r);
	if (!cfg_status(r->cfg))
		read_threads(r);
	if (!cfg_status(r->cfg))
		read_memory(r, count.ranges);
}
