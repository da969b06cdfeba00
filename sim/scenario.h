/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scenario file: a machine and synthetic work for it, in one file (docs/scenario-files.md).
 * The work becomes a trace, so that a scenario and a captured trace run through the same replay.
 */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "sim/config/config.h"
#include "sim/machine/machine.h"
#include "sim/rng.h"
#include "sim/trace/trace.h"

/* What the keys of a workload group say; which of them a kind takes is in its `keys`. */
struct workload {
	const struct workload_kind *kind;
	const struct machine *machine;
	struct rng rng;
	int *cpus; /* owned; those that work */
	int nr_cpus;
	int *nodes; /* owned; those asked for in turn */
	int nr_nodes;
	uint64_t bytes;      /* to allocate; 0: not given */
	uint64_t beyond;     /* bytes to allocate beyond the memory of a node */
	uint64_t operations; /* of each CPU */
	uint64_t live;       /* blocks that a CPU holds at most */
	uint64_t burst;      /* blocks that a CPU takes before it gives them back */
	unsigned order, max_order;
	gfp_t gfp;
	uint64_t touch_bytes; /* of each block, written once after its allocation; 0: none */
};

/* A kind of workload: one file in sim/workload/, found by the build. */
struct workload_kind {
	const char *name;
	const char *const *keys; /* that it takes besides `kind`; NULL at the end */
	/** How many operations generate() appends at most; asked before it is. */
	uint64_t (*operations)(const struct workload *w);
	/** Append its operations to the trace. Returns 0 or -ENOMEM. */
	int (*generate)(struct workload *w, struct trace *t);
};
extern const struct workload_kind *const workload_kinds[];

struct scenario {
	char *file;
	char *description; /* "" where not given */
	char *machine;     /* path of the machine file */
	char *costs;       /* path of the cost file, NULL: the default */
	uint64_t seed;
	struct cfg *cfg; /* the workloads are read once the machine is known */
};

/**
 * Read a scenario file; `sets` whose path begins with "workload", "seed", "machine" or "costs" are
 * its own, the others are the machine's. Returns 0 and *out (free with scenario_free), or -errno
 * with the reason in diag, which is borrowed until scenario_free().
 */
int scenario_load(const char *path, const struct machine_override *sets, size_t nr_sets,
		  struct diag *diag, struct scenario **out);
void scenario_free(struct scenario *s);

/** Is this --set the scenario's own rather than the machine's? */
bool scenario_owns(const struct machine_override *set);

/** Make its work for a machine. Returns 0 and *out (free with trace_free), or -errno, in diag. */
int scenario_generate(const struct scenario *s, const struct machine *m, struct diag *diag,
		      struct trace **out);

/* For the kinds: */

/** Blocks of the workload's order that hold so many bytes. */
uint64_t workload_blocks(const struct workload *w, uint64_t bytes);
/** Operations that an allocation is, with its touch. */
uint64_t workload_alloc_operations(const struct workload *w);
/** Append an allocation; *page is its number. `nid` MM_NO_NODE: the CPU's own. Touches it too. */
int workload_alloc(const struct workload *w, struct trace *t, int cpu, unsigned order, int nid,
		   uint32_t *page);
int workload_free(struct trace *t, int cpu, unsigned order, uint32_t page);

#endif
