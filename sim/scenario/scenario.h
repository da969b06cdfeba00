/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scenario file: a machine and synthetic work for it, in one file (docs/scenario-files.md).
 * The work becomes a trace, so that a scenario and a captured trace run through the same replay.
 */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "sim/config/config.h"
#include "sim/machine/machine.h"
#include "sim/workload.h"

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

#endif
