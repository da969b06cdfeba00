/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How busy banks and links are, and what that adds to latency. Each keeps a moving average of what
 * it carries; the machine's curves (`loaded` of a machine file) turn that into latency. Knows
 * neither CPUs nor SimGrid: shares of a bandwidth are SimGrid's, waiting in queues is ours.
 */
#ifndef SIM_LOAD_H
#define SIM_LOAD_H

#include "sim/machine/channels.h"
#include "sim/machine/costs.h"

/* For so long may a CPU go by a latency for the load, in ps: what it moves meanwhile changes the
 * average by no more than an eighth. */
#define LOAD_HOLDS_PS UINT64_C(25000000)

struct loads;

/**
 * For `m` (borrowed): what its file says of queueing, and where that says nothing, `costs` of banks
 * and links that CPUs with a bound of lines in flight use (see load.c). Returns 0, *out NULL where
 * no latency depends on load; -ENOMEM.
 */
int loads_create(const struct machine *m, const struct costs *costs, struct loads **out);
void loads_free(struct loads *l);
/** As if nothing had been moved for very long. */
void loads_forget(struct loads *l);

/* What CPUs of `from` have moved to or from the bank of `to`. */
struct load_moved {
	int from, to;
	uint64_t bytes;         /* read and written, by what they cost the bank, */
	uint64_t bytes_written; /* of them, */
	uint64_t more;          /* and what these cost it more than as many read */
	uint64_t took_ps;
	struct channel_set channels; /* of the bank, that they went over */
};
/** It has been moved, up to `now_ps`. */
void loads_add(struct loads *l, const struct load_moved *moved, uint64_t now_ps);
/** What an access by `from` to the bank of `to` takes longer than an idle machine's. */
uint64_t loads_extra_ps(struct loads *l, int from, int to, uint64_t now_ps);
/** The same of an access to one channel of the bank, which is as busy as it is itself. */
uint64_t loads_channel_extra_ps(struct loads *l, int from, int to, unsigned channel,
				uint64_t now_ps);

#endif
