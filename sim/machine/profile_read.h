/* SPDX-License-Identifier: Apache-2.0 */
/* How a kernel profile is read, one part of it a file. */
#ifndef SIM_MACHINE_PROFILE_READ_H
#define SIM_MACHINE_PROFILE_READ_H

#include "sim/config/config.h"
#include "sim/machine/profile.h"

/** `caches` and `xstate`. What is wrong is recorded through `c`; frees nothing. */
void profile_read_caches(struct cfg *c, const struct cfg_setting *root, struct mm_profile *out);
/** `per_cpu_lists`, likewise. */
void profile_read_lists(struct cfg *c, const struct cfg_setting *root, struct mm_pcp_rule *rule);

#endif
