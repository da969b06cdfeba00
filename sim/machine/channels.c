/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/machine/channels.h"

unsigned channel_sets(unsigned channels)
{
	unsigned nr = 0;

	for (unsigned apart = 2; apart <= channels; apart++)
		nr += channels % apart ? 0 : apart;
	return nr;
}

unsigned channel_set_index(unsigned channels, struct channel_set set)
{
	unsigned index = set.first;

	for (unsigned apart = 2; apart < set.apart; apart++)
		index += channels % apart ? 0 : apart;
	return index;
}

struct channel_set channel_set_at(unsigned channels, unsigned index)
{
	unsigned apart = 2;

	for (;; apart++) {
		if (channels % apart)
			continue;
		if (index < apart)
			break;
		index -= apart;
	}
	return (struct channel_set){.apart = apart, .first = index};
}

/* The largest number of a set that is no more than `bytes` / `most` by ratio, rounded. */
static unsigned size_of(unsigned channels, uint64_t bytes, uint64_t most)
{
	unsigned size = 1;

	/* (bytes / most)^2 >= size * next */
	for (unsigned next = 2; next <= channels; next++) {
		if (channels % next)
			continue;
		if ((__uint128_t)bytes * bytes < (__uint128_t)most * most * size * next)
			break;
		size = next;
	}
	return size;
}

struct channel_set channel_set_of(unsigned channels, const uint64_t *by_channel, uint64_t even)
{
	uint64_t bytes = even, most = 0, best = 0;
	struct channel_set set = {0};

	for (unsigned i = 0; i < channels; i++) {
		bytes += by_channel[i];
		most = by_channel[i] > most ? by_channel[i] : most;
	}
	most += even / channels;
	if (!most)
		return set;
	set.apart = channels / size_of(channels, bytes, most);
	for (unsigned first = 0; first < set.apart; first++) {
		uint64_t sum = 0;

		for (unsigned i = first; i < channels; i += set.apart)
			sum += by_channel[i];
		if (sum <= best)
			continue;
		best = sum;
		set.first = first;
	}
	return set;
}

unsigned channels_number(const struct machine *m, unsigned *first)
{
	unsigned all = 0;

	for (int i = 0; i < machine_nr_places(m); i++) {
		first[i] = all;
		if (bank_has_channels(&m->banks[i]))
			all += m->banks[i].channels;
	}
	return all;
}
