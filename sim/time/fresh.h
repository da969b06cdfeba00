/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks that a CPU has just written as a whole: zeroed pages, targets of copies. Their lines are
 * in its caches until others push them out. To keep each of their tags would cost more than all
 * else that an allocation does, so the last few blocks are remembered as such: a line of one is at
 * the level that holds all that has come to the CPU since. Knows neither time nor banks.
 */
#ifndef SIM_FRESH_H
#define SIM_FRESH_H

#include "sim/machine/machine.h"

#define FRESH_BLOCKS 16
#define FRESH_SLOTS  64

struct fresh_block {
	phys_addr_t start, end;
	uint64_t at; /* `filled`, before it came */
};

struct fresh {
	struct fresh_block blocks[FRESH_BLOCKS]; /* a ring */
	unsigned next;
	/* Of the blocks, how many have a frame there, by its number modulo these. */
	uint8_t slots[FRESH_SLOTS];
	uint64_t filled; /* bytes that have come to the caches: of these blocks, and of misses */
};

/** The CPU has written all of it. */
void fresh_add(struct fresh *f, phys_addr_t at, uint64_t bytes);
/** The cache of `m` that has `at` as part of a fresh block; m->nr_caches: none. */
int fresh_level(const struct fresh *f, const struct machine *m, phys_addr_t at);

#endif
