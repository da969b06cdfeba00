/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a workload of calls of the kernel's functions from a scenario file into a plan. */
#ifndef SIM_KERNEL_READ_H
#define SIM_KERNEL_READ_H

#include "sim/config/config.h"
#include "sim/scenario/kernel_plan.h"
#include "sim/workload.h"

/**
 * Read `calls` of a group, a list. *first and *nr are the indexes of the calls in the trace's plan.
 * What is wrong is recorded in `c`. 0 or -ENOMEM.
 */
int kernel_read(struct cfg *c, const struct cfg_setting *group, struct workload *w, struct trace *t,
		uint32_t *first, uint32_t *nr);

#endif
