/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After the description of the second-level streamer in Intel's optimization manual: it keeps a
 * stream a page, up or down, runs up to 20 lines ahead, and does not leave the page.
 */
#include "sim/time/prefetch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_BYTES 4096
#define AHEAD      20 /* lines */

int prefetcher_init(struct prefetcher *p, unsigned nr_streams)
{
	*p = (struct prefetcher){.nr = nr_streams};
	if (!nr_streams)
		return 0;
	p->streams = calloc(nr_streams, sizeof(*p->streams));
	return p->streams ? 0 : -ENOMEM;
}

void prefetcher_clear(struct prefetcher *p)
{
	free(p->streams);
}

static uint64_t page_of(uint64_t line, unsigned line_bytes)
{
	return line * line_bytes / PAGE_BYTES;
}

static bool near(uint64_t a, uint64_t b)
{
	return (a > b ? a - b : b - a) <= AHEAD;
}

bool prefetcher_miss(struct prefetcher *p, uint64_t line, unsigned line_bytes)
{
	struct prefetch_stream found = {.line = line, .used = true};
	uint64_t page = page_of(line, line_bytes);
	unsigned i = 0;
	bool ahead = false;

	if (!p->nr)
		return false;
	while (i < p->nr - 1 && p->streams[i].used &&
	       page_of(p->streams[i].line, line_bytes) != page)
		i++;
	if (p->streams[i].used && page_of(p->streams[i].line, line_bytes) == page) {
		found.follows = near(line, p->streams[i].line);
		ahead = found.follows && p->streams[i].follows;
	}
	if (i)
		memmove(p->streams + 1, p->streams, i * sizeof(*p->streams));
	p->streams[0] = found;
	return ahead;
}
