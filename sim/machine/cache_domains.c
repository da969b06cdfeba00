/* SPDX-License-Identifier: Apache-2.0 */
/* Which CPUs have a cache in common. Knows neither files nor lines. */
#include <errno.h>
#include <stdlib.h>

#include "sim/machine/machine.h"

/* What has been dealt out of a node's CPUs. */
struct dealt {
	unsigned nr; /* CPUs of the group that is being filled */
	int domain;
};

static unsigned threads_of(const struct machine *m, int core)
{
	unsigned nr = 0;

	for (int cpu = core; cpu < m->mm.nr_cpus; cpu++)
		nr += m->cpus[cpu].core == core;
	return nr;
}

/* The cores of each node in the order of their numbers, so many CPUs together. */
static int by_groups(const struct machine *m, unsigned nr_cpus, int *domains)
{
	struct dealt *dealt = calloc((size_t)machine_nr_places(m), sizeof(*dealt));
	int nr = 0;

	if (!dealt)
		return -ENOMEM;
	for (int cpu = 0; cpu < m->mm.nr_cpus; cpu++) {
		struct dealt *d = &dealt[m->cpus[cpu].place];

		if (m->cpus[cpu].core != cpu) {
			domains[cpu] = domains[m->cpus[cpu].core];
			continue;
		}
		if (d->nr == 0)
			d->domain = nr++;
		domains[cpu] = d->domain;
		d->nr += threads_of(m, cpu);
		if (d->nr >= nr_cpus)
			d->nr = 0;
	}
	free(dealt);
	return nr;
}

int machine_cache_domains(const struct machine *m, const struct machine_cache *cache, int *domains)
{
	if (cache->nr_cpus)
		return by_groups(m, cache->nr_cpus, domains);
	for (int cpu = 0; cpu < m->mm.nr_cpus; cpu++) {
		if (cache->per_node)
			domains[cpu] = m->cpus[cpu].place;
		else
			domains[cpu] = cache->per_core ? m->cpus[cpu].core : cpu;
	}
	return cache->per_node ? machine_nr_places(m) : m->mm.nr_cpus;
}
