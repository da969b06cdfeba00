/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums of what is between two frees, and between a wake-up and running. Where a kswapd frees
 * nothing for longer than the scheduler lets another thread run, it slept or was kept from its CPU.
 */
#include "sim/trace/thread_pace.h"

#include <stdlib.h>
#include <string.h>

#include "sim/trace/kmem_fields.h"

/* sched_min_granularity of Linux 6.1: 0.75 ms * 4 */
#define MAX_GAP_PS  UINT64_C(3000000000)
#define LEAST_FREED 32 /* pages: what kswapd takes off a list at once (SWAP_CLUSTER_MAX) */

struct sum {
	uint64_t ps, nr;
};

/* One kswapd. */
struct thread {
	uint64_t freed_ps; /* when it freed its last page */
	bool freed;        /* it has */
	uint64_t woken_ps;
	bool woken; /* and does not run yet */
};

struct thread_pace {
	struct thread threads[MM_MAX_NODES]; /* by node */
	struct sum pages, wakes;
};

struct thread_pace *thread_pace_new(void)
{
	return calloc(1, sizeof(struct thread_pace));
}

void thread_pace_free(struct thread_pace *p)
{
	free(p);
}

static void add(struct sum *s, uint64_t ps)
{
	s->ps += ps;
	s->nr++;
}

/* The kswapd whose line it is: "kswapd0"; NULL where it is none's. */
static struct thread *thread_of(struct thread_pace *p, const struct kmem_origin *origin)
{
	const char *comm = origin->comm;
	unsigned nid = 0;

	if (!comm || origin->interrupt || origin->comm_len < 7 || origin->comm_len > 10 ||
	    strncmp(comm, "kswapd", 6) != 0)
		return NULL;
	for (size_t i = 6; i < origin->comm_len; i++) {
		if (comm[i] < '0' || comm[i] > '9')
			return NULL;
		nid = nid * 10 + (unsigned)(comm[i] - '0');
	}
	return nid < MM_MAX_NODES ? &p->threads[nid] : NULL;
}

void thread_pace_freed(struct thread_pace *p, const struct kmem_origin *origin, uint64_t ps)
{
	struct thread *t = thread_of(p, origin);

	if (!t)
		return;
	if (t->freed && ps - t->freed_ps <= MAX_GAP_PS)
		add(&p->pages, ps - t->freed_ps);
	t->freed_ps = ps;
	t->freed = true;
}

/* Is the event called `name`? */
static bool is_called(const char *text, const char *name)
{
	return strncmp(text, name, strlen(name)) == 0;
}

void thread_pace_line(struct thread_pace *p, const char *text, uint64_t ps)
{
	const char *value, *end;
	struct thread *t;
	uint64_t nid;
	bool wake;

	if (is_called(text, "vmscan:"))
		text += strlen("vmscan:");
	wake = is_called(text, "mm_vmscan_wakeup_kswapd:");
	if (!wake && !is_called(text, "mm_vmscan_kswapd_wake:"))
		return;
	value = KMEM_FIELD(text, "nid=", &end);
	if (!value || !kmem_number(value, end, &nid) || nid >= MM_MAX_NODES)
		return;
	t = &p->threads[nid];
	if (wake) {
		if (!t->woken)
			t->woken_ps = ps;
		t->woken = true;
		return;
	}
	if (!t->woken)
		return;
	t->woken = false;
	/* Buffers of several CPUs are merged with small steps back. */
	if (ps > t->woken_ps && ps - t->woken_ps <= TRACE_MAX_KSWAPD_PS)
		add(&p->wakes, ps - t->woken_ps);
}

void thread_pace_finish(struct thread_pace *p, struct trace *t)
{
	if (p->pages.nr >= LEAST_FREED)
		t->kswapd_page_ps = p->pages.ps / p->pages.nr;
	if (p->wakes.nr)
		t->kswapd_wake_ps = p->wakes.ps / p->wakes.nr;
}
