/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How busy banks and links are, and what that adds to latency. Each keeps a moving average of what
 * it carries; the machine's curves (`loaded` of a machine file) turn that into latency. Knows
 * neither CPUs nor SimGrid: shares of a bandwidth are SimGrid's, waiting in queues is ours.
 */
#ifndef SIM_LOAD_H
#define SIM_LOAD_H

#include "sim/machine/machine.h"

struct loads;

/** For `m` (borrowed). Returns 0, *out NULL where no latency depends on load; -ENOMEM. */
int loads_create(const struct machine *m, struct loads **out);
void loads_free(struct loads *l);

/** CPUs of `from` have moved bytes to or from the bank of `to`, in `took_ps` up to `now_ps`. */
void loads_add(struct loads *l, int from, int to, uint64_t bytes, uint64_t took_ps,
	       uint64_t now_ps);
/** What an access by `from` to the bank of `to` takes longer than an idle machine's. */
uint64_t loads_extra_ps(struct loads *l, int from, int to, uint64_t now_ps);

#endif
