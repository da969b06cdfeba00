/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Channels of a bank, and which of them bytes move over. Addresses go over the channels in turn,
 * so a block of a stripe or more takes all of them alike, and a stride takes each so-manieth: the
 * sets that there are. Arithmetic only: knows neither time nor files.
 *
 *	stripe = channels << channel_shift
 *	a set of c channels carries c / channels of the bank's bandwidth
 */
#ifndef SIM_MACHINE_CHANNELS_H
#define SIM_MACHINE_CHANNELS_H

#include "sim/machine/machine.h"

#define CHANNELS_MOST     64  /* of a bank */
#define CHANNELS_MOST_ALL 512 /* of all banks together */

/* Channels `first`, `first` + `apart`, ...; apart divides their number. 0 or 1: all of them. */
struct channel_set {
	unsigned apart, first;
};

static inline bool bank_has_channels(const struct machine_bank *bank)
{
	return bank->channels > 1;
}

static inline uint64_t bank_stripe(const struct machine_bank *bank)
{
	return (uint64_t)bank->channels << bank->channel_shift;
}

/** The channel of a bank that has such, of an address as the bank counts them. */
static inline unsigned channel_of(const struct machine_bank *bank, uint64_t at)
{
	return (unsigned)((at >> bank->channel_shift) % bank->channels);
}

/** How many sets there are besides that of all. */
unsigned channel_sets(unsigned channels);
/** The number of a set, from 0; not of that of all. */
unsigned channel_set_index(unsigned channels, struct channel_set set);
/** Of a number. */
struct channel_set channel_set_at(unsigned channels, unsigned index);

/**
 * Over which channels bytes move at once, of which there are by_channel[] for each and `even` more
 * for all alike: as many as those of the busiest go into all of them, rounded to the nearest number
 * of a set by ratio, and of such the one with the most bytes.
 */
struct channel_set channel_set_of(unsigned channels, const uint64_t *by_channel, uint64_t even);

/** Channels of all banks in a row: fills first[], by bank, and returns how many there are. */
unsigned channels_number(const struct machine *m, unsigned *first);

#endif
