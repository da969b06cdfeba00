/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a workload of processes from a scenario file into a plan. */
#ifndef SIM_PROCESS_READ_H
#define SIM_PROCESS_READ_H

#include "sim/config/config.h"
#include "sim/scenario/process_plan.h"
#include "sim/workload.h"

/**
 * Read `name`, `policy` and `steps` of a group: a process on w->cpus, with those that it forks.
 * *first is the index of the first of them. What is wrong is recorded in `c`. 0 or -ENOMEM.
 */
int process_read(struct cfg *c, const struct cfg_setting *group, struct workload *w,
		 struct trace *t, uint32_t *first);

#endif
