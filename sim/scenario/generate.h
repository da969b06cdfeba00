/* SPDX-License-Identifier: Apache-2.0 */
/* A trace from a kind of workload and a seed, for a machine or for any that has so many CPUs. */
#ifndef SIM_GENERATE_H
#define SIM_GENERATE_H

#include "sim/machine/machine.h"
#include "sim/scenario/mix_in.h"
#include "sim/workload.h"

struct generate {
	struct workload workload; /* kind and values; its CPUs and nodes are all of the host's */
	uint64_t seed;
	uint64_t events;      /* so many at most; 0: as many as the workload has */
	uint64_t interval_ps; /* between events in the mean; 0: all at once */
	struct mix_ins mix;
	char **steps; /* of memory hotplug, borrowed: taken at random times, in order */
	unsigned nr_steps;
};

/** What the workload has to know of a machine. Returns 0 or -ENOMEM; clear it either way. */
int workload_host_of_machine(struct workload_host *host, const struct machine *m);
/** The same without one: CPUs dealt to the nodes in blocks, pages of 4 KiB, no memory known. */
int workload_host_plain(struct workload_host *host, int nr_cpus, int nr_nodes);
void workload_host_clear(struct workload_host *host);

/**
 * Generate the trace; the same for the same arguments on every machine. Returns 0 and *out (free
 * with trace_free()), -E2BIG where it has more than WORKLOAD_MAX_OPERATIONS, or -ENOMEM. Steps of
 * hotplug are events besides those that are asked for, and so are those that are mixed in where no
 * number is.
 */
int generate_trace(const struct generate *g, const struct workload_host *host, struct trace **out);

#endif
