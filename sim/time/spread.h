/* SPDX-License-Identifier: Apache-2.0 */
/*
 * On which channels of a bank the bytes of an access are. A block of a stripe or more counts as
 * spread over all of them alike, wherever it begins: those before and after it have the others.
 */
#ifndef SIM_SPREAD_H
#define SIM_SPREAD_H

#include "sim/machine/channels.h"

struct spread_block {
	uint64_t at, length;          /* as the bank counts addresses */
	uint64_t bytes_read, written; /* of it, what was written by what it costs the bank */
};

/**
 * Add to what each channel has to carry, unless all have the same: returns then 0, else how many
 * bytes these are. *set is over which channels they move. The bank has channels.
 */
uint64_t spread_over(const struct machine_bank *bank, const struct spread_block *block,
		     uint64_t *by_channel, struct channel_set *set);

#endif
