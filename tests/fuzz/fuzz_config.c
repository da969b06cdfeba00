/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever the bytes, machine_parse() returns a machine whose parts agree or an error with a
 * message. Text in memory has nothing to include from, so no file is ever opened.
 */
#include <stdint.h>
#include <stdlib.h>

#include "sim/machine/machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_route(const struct machine *m, int from, int to)
{
	const struct machine_route *route = machine_route(m, from, to);
	uint64_t latency_ps = m->banks[to].latency_ps;
	int at = from;

	if (!route->bytes_per_s)
		return;
	for (int i = 0; i < route->nr_links; i++) {
		const struct machine_link *link = &m->links[route->links[i]];

		require(link->from == at);
		require(link->bytes_per_s >= route->bytes_per_s);
		latency_ps += link->latency_ps;
		at = link->to;
	}
	/* No link: a matrix whose nearest CPU to the bank is on this node. */
	require(at == to || route->nr_links == 0);
	require(latency_ps == route->latency_ps && latency_ps > 0);
	require(m->banks[to].bytes_per_s >= route->bytes_per_s);
}

static void check(const struct machine *m)
{
	require(m->mm.nr_nodes > 0 && m->mm.nr_cpus > 0 && m->mm.nr_memory > 0);
	for (int cpu = 0; cpu < m->mm.nr_cpus; cpu++) {
		require(m->cpu_nid[cpu] >= 0 && m->cpu_nid[cpu] < m->mm.nr_nodes);
		require(m->cpus[cpu].freq_hz > 0);
		require(machine_place_nid(m, m->cpus[cpu].place) == m->cpu_nid[cpu]);
	}
	for (size_t i = 0; i < m->mm.nr_memory; i++) {
		const struct mm_range *range = &m->memory[i];

		require(range->bytes > 0);
		require(i == 0 || range->start - range[-1].start >= range[-1].bytes);
		require(machine_node_of(m, range->start) == range->nid);
		require(machine_node_of(m, range->start + range->bytes - 1) == range->nid);
	}
	for (int nid = 0; nid < m->mm.nr_nodes; nid++) {
		require(m->distance[nid * m->mm.nr_nodes + nid] == 10);
		for (unsigned i = 0; i < machine_nr_ways(m, nid); i++)
			require(machine_place_nid(m, machine_way(m, nid, i)) == nid);
	}
	for (int from = 0; from < machine_nr_places(m); from++)
		for (int to = 0; to < machine_nr_places(m); to++)
			check_route(m, from, to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag diag = DIAG_INIT;
	struct machine *m;
	int err = machine_parse((const char *)data, size, "fuzz.cfg", &diag, &m);

	require(err ? diag.failed && diag.error.text && !m : !diag.failed && m);
	if (m)
		check(m);
	machine_free(m);
	diag_clear(&diag);
	return 0;
}
