/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the CPU's own work costs: cycles a unit at each site of mm/ops.h, from configs/costs/; and
 * what queues of banks and links add of which a machine file says nothing.
 */
#ifndef SIM_COSTS_H
#define SIM_COSTS_H

#include "mm/ops.h"
#include "sim/config/diag.h"

struct costs {
	char *name;
	char *source;
	uint32_t cycles[MM_NR_SITES];
	uint64_t bank_queue_ps, link_queue_ps; /* see sim/time/load.c; 0: nothing */
};

/** Read a cost file: every site exactly once, or else its `base` has it. Errors as machine_load().
 */
int costs_load(const char *path, struct diag *diag, struct costs *out);
void costs_clear(struct costs *c);

/**
 * Path of a file shipped with numasim: `rel` ("costs/linux-6.x.cfg") below the directory of the
 * environment variable NUMASIM_CONFIGS, the source tree the command was built from, or the
 * installed data directory, the first that has it. NULL where none has; free() it.
 */
char *shipped_config(const char *rel);

#endif
