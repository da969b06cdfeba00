/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/time/spread.h"

#include "sim/mul_div.h"

/* A piece after the other, each on its channel; the last has what division leaves. */
static void add_pieces(const struct machine_bank *bank, const struct spread_block *block,
		       uint64_t bytes, uint64_t *by_channel)
{
	uint64_t turn = UINT64_C(1) << bank->channel_shift, given = 0, done = 0;

	while (done < block->length) {
		uint64_t at = block->at + done, left = turn - (at & (turn - 1)), until;

		done = block->length - done > left ? done + left : block->length;
		until = mul_div(bytes, done, block->length);
		by_channel[channel_of(bank, at)] += until - given;
		given = until;
	}
}

uint64_t spread_over(const struct machine_bank *bank, const struct spread_block *block,
		     uint64_t *by_channel, struct channel_set *set)
{
	uint64_t bytes = block->bytes_read + block->written;
	uint64_t own[CHANNELS_MOST] = {0};
	unsigned first;

	*set = (struct channel_set){0};
	if (!bytes || block->length >= bank_stripe(bank))
		return 0;
	first = channel_of(bank, block->at);
	if (block->at >> bank->channel_shift ==
	    (block->at + block->length - 1) >> bank->channel_shift) {
		*set = (struct channel_set){.apart = bank->channels, .first = first};
		by_channel[first] += bytes;
		return bytes;
	}
	add_pieces(bank, block, bytes, own);
	*set = channel_set_of(bank->channels, own, 0);
	for (unsigned i = 0; i < bank->channels; i++)
		by_channel[i] += own[i];
	return bytes;
}
