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

static bool same_page(uint64_t a, uint64_t b, unsigned line_bytes)
{
	return a * line_bytes / PAGE_BYTES == b * line_bytes / PAGE_BYTES;
}

static bool near(uint64_t a, uint64_t b)
{
	return (a > b ? a - b : b - a) <= AHEAD;
}

bool prefetcher_miss(struct prefetcher *p, uint64_t line, unsigned line_bytes)
{
	struct prefetch_stream found = {.line = line, .used = true};
	unsigned i = 0;
	bool ahead = false;

	if (!p->nr)
		return false;
	while (i < p->nr - 1 && p->streams[i].used &&
	       !same_page(line, p->streams[i].line, line_bytes))
		i++;
	if (p->streams[i].used && same_page(line, p->streams[i].line, line_bytes)) {
		found.follows = near(line, p->streams[i].line);
		ahead = found.follows && p->streams[i].follows;
	}
	memmove(p->streams + 1, p->streams, i * sizeof(*p->streams));
	p->streams[0] = found;
	return ahead;
}
