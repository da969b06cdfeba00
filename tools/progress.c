/* SPDX-License-Identifier: Apache-2.0 */
/* The progress line. It reads the host's clock, which no result may depend on. */
#include "tools/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define FIRST_MS 500
#define EVERY_MS 200

static uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void progress_start(struct progress *p, const char *what, bool quiet)
{
	*p = (struct progress){.on = !quiet && isatty(STDERR_FILENO), .what = what};
	if (p->on)
		p->next_ms = clock_ms() + FIRST_MS;
}

void progress_report(void *progress, uint64_t done, uint64_t total)
{
	struct progress *p = progress;
	uint64_t now_ms;

	if (!p->on)
		return;
	now_ms = clock_ms();
	if (now_ms < p->next_ms)
		return;
	p->next_ms = now_ms + EVERY_MS;
	p->shown = true;
	if (total)
		fprintf(stderr, "\r%s: %3.0f %%", p->what, 100.0 * (double)done / (double)total);
	else
		fprintf(stderr, "\r%s: %" PRIu64, p->what, done);
	fflush(stderr);
}

void progress_clear(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}

void progress_end(struct progress *p)
{
	progress_clear(p);
	p->on = false;
}
