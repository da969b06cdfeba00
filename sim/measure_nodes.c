/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nodes that measurements are about, those of the kernel that has booted,
 * which may be others than the machine's.
 */
#include <errno.h>
#include <stdlib.h>

#include "sim/measure.h"

/* Does the kernel know no nodes, though its memory model makes several? */
static bool is_one(const struct measure *m)
{
	const struct mm_params *p = &m->machine->mm.params;

	return m->machine->mm.nr_nodes == 1 && !p->numa_fake && !p->numa_fake_bytes &&
	       !p->numa_fake_each;
}

static bool has_memory(const struct mm *mm, int nid)
{
	struct mm_zone_info info;

	for (int zone = 0; zone < mm_get_arch(mm)->nr_zones; zone++) {
		mm_zone_info(mm, nid, zone, &info);
		if (info.managed)
			return true;
	}
	return false;
}

static int first_cpu(const struct measure *m, int nid)
{
	for (int cpu = 0; cpu < m->machine->mm.nr_cpus; cpu++)
		if (measure_has_cpu(m, nid, cpu))
			return cpu;
	return MM_NO_CPU;
}

int measure_boot(struct measure *m)
{
	int err = sim_create(m->machine, m->costs, m->diag, &m->sim);

	if (err)
		return err;
	m->nr_nodes = is_one(m) ? 1 : mm_nr_nodes(sim_mm(m->sim));
	m->nodes = calloc((size_t)m->nr_nodes, sizeof(*m->nodes));
	if (!m->nodes)
		return -ENOMEM;
	for (int nid = 0; nid < m->nr_nodes; nid++)
		m->nodes[nid] = (struct measure_node){
			.first_cpu = first_cpu(m, nid),
			.memory = is_one(m) || has_memory(sim_mm(m->sim), nid),
		};
	return 0;
}

void measure_end(struct measure *m)
{
	sim_destroy(m->sim);
	free(m->nodes);
	m->sim = NULL;
	m->nodes = NULL;
}

bool measure_has_cpu(const struct measure *m, int nid, int cpu)
{
	return mm_node_has_cpu(sim_mm(m->sim), nid, cpu);
}

bool measure_from(const struct measure *m, int from)
{
	return m->nodes[from].first_cpu != MM_NO_CPU && (m->from == MM_NO_NODE || m->from == from);
}

bool measure_to(const struct measure *m, int to)
{
	bool is = m->to_cpus ? m->nodes[to].first_cpu != MM_NO_CPU : m->nodes[to].memory;

	return is && (m->to == MM_NO_NODE || m->to == to);
}

bool measure_is_first(const struct measure *m, int cpu, int from)
{
	return measure_from(m, from) && m->nodes[from].first_cpu == cpu;
}

int measure_node_of(const struct measure *m, int cpu)
{
	if (m->from == MM_NO_NODE)
		return is_one(m) ? 0 : mm_cpu_to_node(sim_mm(m->sim), cpu);
	return measure_has_cpu(m, m->from, cpu) ? m->from : MM_NO_NODE;
}

/* Mean latency from a CPU to the places that a node's memory is at. */
static uint64_t latency_of(const struct measure *m, int cpu, int nid)
{
	const struct machine *machine = m->machine;
	int home = mm_node_home(sim_mm(m->sim), nid);
	unsigned nr = machine_nr_ways(machine, home);
	uint64_t sum = 0;

	for (unsigned i = 0; i < nr; i++)
		sum += machine_route(machine, machine->cpus[cpu].place,
				     machine_way(machine, home, i))
			       ->latency_ps;
	return sum / nr;
}

int measure_nearest(const struct measure *m, int cpu)
{
	int best = measure_node_of(m, cpu);

	if (best != MM_NO_NODE && !measure_to(m, best))
		best = MM_NO_NODE;
	for (int to = 0; to < m->nr_nodes; to++)
		if (measure_to(m, to) &&
		    (best == MM_NO_NODE || latency_of(m, cpu, to) < latency_of(m, cpu, best)))
			best = to;
	return best;
}
