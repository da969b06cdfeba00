/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CPU's stream prefetcher: it sees which lines miss the caches, and has the next ones fetched
 * where they follow each other, up or down, within 4 KiB. Knows lines only, neither caches nor
 * time.
 */
#ifndef SIM_PREFETCH_H
#define SIM_PREFETCH_H

#include <stdbool.h>
#include <stdint.h>

struct prefetch_stream {
	uint64_t line; /* of the last miss in its page */
	bool follows;  /* there were two near each other */
	bool used;
};

struct prefetcher {
	struct prefetch_stream *streams; /* owned; the latest first */
	unsigned nr;                     /* 0: none */
};

/** Returns 0, or -ENOMEM. */
int prefetcher_init(struct prefetcher *p, unsigned nr_streams);
void prefetcher_clear(struct prefetcher *p);

/** `line` of so many bytes misses the caches. Was it fetched ahead? */
bool prefetcher_miss(struct prefetcher *p, uint64_t line, unsigned line_bytes);

#endif
