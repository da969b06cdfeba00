/* SPDX-License-Identifier: Apache-2.0 */
/* Sums over the frees by reclaim, by their times. */
#include "sim/replay/reclaim_told.h"

#include <errno.h>
#include <stdlib.h>

#include "mm/kthread.h"

/*
 * A kswapd that is at work may free nothing for as long as it takes to lower its priority from 12
 * to 0, where each pass waits for a disk: a tenth of a second, as it naps (Linux 6.1 mm/vmscan.c,
 * reclaim_throttle). Who reclaims for himself meanwhile is not told without events of vmscan.
 */
#define NEAR_PS (12 * MM_KSWAPD_NAP_US * UINT64_C(1000000))

/* A free by reclaim: by when, and how many pages up to it, itself included. */
struct told_free {
	uint64_t time_ps; /* of this or of an earlier one: never less than of the one before */
	uint64_t sum;
};

struct reclaim_told {
	const struct trace *trace;
	struct told_free *frees;
	size_t nr;
	size_t before, after; /* those up to the ends of what was asked for last */
};

/* kcompactd's are no gain: what it frees has moved. */
static bool is_reclaim(const struct trace *t, size_t i)
{
	const struct trace_event *ev = &t->events[i];

	return (ev->op == TRACE_FREE || ev->op == TRACE_FREE_HELD) && ev->flags & TRACE_F_RECLAIM &&
	       (!i || trace_moved_from(t, i - 1) != ev);
}

bool reclaim_told_any(const struct trace *t)
{
	for (size_t i = 0; i < t->nr_events; i++)
		if (is_reclaim(t, i))
			return true;
	return false;
}

int reclaim_told_new(const struct trace *t, struct reclaim_told **out)
{
	struct reclaim_told *told;
	uint64_t last_ps = 0, sum = 0;
	size_t nr = 0;

	*out = NULL;
	for (size_t i = 0; i < t->nr_events; i++)
		nr += is_reclaim(t, i);
	if (!nr)
		return 0;
	told = calloc(1, sizeof(*told));
	if (!told)
		return -ENOMEM;
	told->trace = t;
	told->frees = malloc(nr * sizeof(*told->frees));
	if (!told->frees) {
		free(told);
		return -ENOMEM;
	}
	for (size_t i = 0; i < t->nr_events; i++) {
		const struct trace_event *ev = &t->events[i];

		if (!is_reclaim(t, i))
			continue;
		if (ev->time_ps > last_ps)
			last_ps = ev->time_ps;
		sum += UINT64_C(1) << ev->order;
		told->frees[told->nr++] = (struct told_free){last_ps, sum};
	}
	*out = told;
	return 0;
}

void reclaim_told_free(struct reclaim_told *told)
{
	if (!told)
		return;
	free(told->frees);
	free(told);
}

/* Pages that were freed up to that time; from event to event that is a step away at most, mostly.
 */
static uint64_t freed_by(const struct reclaim_told *told, size_t *nr, uint64_t time_ps)
{
	while (*nr < told->nr && told->frees[*nr].time_ps <= time_ps)
		++*nr;
	while (*nr && told->frees[*nr - 1].time_ps > time_ps)
		--*nr;
	return *nr ? told->frees[*nr - 1].sum : 0;
}

uint64_t reclaim_told_near(struct reclaim_told *told, size_t i)
{
	uint64_t now_ps = told->trace->events[i].time_ps, before = 0;

	if (now_ps > NEAR_PS)
		before = freed_by(told, &told->before, now_ps - NEAR_PS - 1);
	return freed_by(told, &told->after, now_ps + NEAR_PS) - before;
}
