/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of trace formats: traces at random that have everything that a trace may have. */
#ifndef TESTS_TRACE_RANDOM_H
#define TESTS_TRACE_RANDOM_H

#include <stdlib.h>
#include <string.h>

#include "mm/gfp.h"
#include "sim/trace/reader.h"
#include "tests/trace_expect.h"

/* 16 different policies at most, of every mode. */
static inline void random_policies(struct trace *t, uint64_t *x)
{
	for (uint64_t nr = next(x) % 16; nr; nr--) {
		struct trace_policy p = {.mm.mode = next(x) % MM_NR_POLICY_MODES,
					 .mm.relative = next(x) % 2,
					 .mm.home_nid = MM_NO_NODE,
					 .scope = next(x) % TRACE_NR_POLICY_SCOPES};
		uint16_t index;

		if (p.mm.mode != MM_POLICY_DEFAULT && p.mm.mode != MM_POLICY_LOCAL)
			for (uint64_t nodes = 1 + next(x) % 4; nodes; nodes--)
				mm_nodemask_set(&p.mm.nodes, (int)(next(x) % MM_MAX_NODES));
		if ((p.mm.mode == MM_POLICY_BIND || p.mm.mode == MM_POLICY_PREFERRED_MANY) &&
		    next(x) % 2)
			p.mm.home_nid = (int16_t)(next(x) % MM_MAX_NODES);
		cr_assert_eq(trace_add_policy(t, &p, &index), 0);
	}
}

/* What follows from an operation at random; `live` are the pages that can be freed. */
static inline struct trace_event random_event(struct trace *t, uint64_t *x, uint64_t *time_ps,
					      struct trace_event *live, size_t *nr_live)
{
	struct trace_event ev = {
		.cpu = next(x) % 5 ? (uint16_t)(next(x) % 4) : (uint16_t)(next(x) % MM_MAX_CPUS),
		.page = TRACE_NO_PAGE,
	};
	size_t which = *nr_live ? next(x) % *nr_live : 0;

	if (next(x) % 3 == 0)
		*time_ps += next(x) % 4 ? next(x) % 1000 * 1000000 : next(x) % (UINT64_C(1) << 40);
	ev.time_ps = *time_ps;
	ev.op = *nr_live ? next(x) % 6 : TRACE_ALLOC;
	if (ev.op == TRACE_SPLIT && !live[which].order)
		ev.op = TRACE_FREE;
	switch (ev.op) {
	case TRACE_FREE:
	case TRACE_TOUCH:
		ev.page = live[which].page;
		if (ev.op == TRACE_TOUCH) {
			ev.bytes = 1 + next(x) % (UINT32_C(4096) << live[which].order);
			ev.write = next(x) % 2;
			break;
		}
		ev.order = live[which].order;
		ev.flags = next(x) % 8 ? 0 : TRACE_F_RECLAIM | (next(x) % 2 ? TRACE_F_KSWAPD : 0);
		live[which] = live[--*nr_live];
		break;
	case TRACE_SPLIT:
		ev.order = --live[which].order;
		ev.bytes = live[which].page;
		ev.flags = next(x) % 2 ? TRACE_F_INFERRED : 0;
		ev.page = t->nr_pages;
		live[*nr_live] = live[which];
		live[(*nr_live)++].page = ev.page;
		break;
	case TRACE_WAIT:
		ev.time_ps = next(x) % (UINT64_C(1) << 50);
		break;
	case TRACE_FREE_HELD:
		ev.page = t->nr_pages;
		ev.order = next(x) % NR_PAGE_ORDERS;
		ev.flags = next(x) % 8 ? 0 : TRACE_F_RECLAIM | (next(x) % 2 ? TRACE_F_KSWAPD : 0);
		break;
	default:
		ev.op = TRACE_ALLOC;
		ev.order = next(x) % 3 ? 0 : next(x) % NR_PAGE_ORDERS;
		ev.gfp = next(x) % 2 ? GFP_KERNEL : (gfp_t)next(x);
		ev.migratetype = next(x) % 4 ? gfp_migratetype(ev.gfp) : next(x) % MM_NR_PCPTYPES;
		if (t->nr_policies > 1 && next(x) % 2)
			trace_event_set_policy(&ev, (uint16_t)(1 + next(x) % (t->nr_policies - 1)),
					       next(x) % 2 ? 0 : (uint32_t)next(x));
		else if (next(x) % 4 == 0)
			trace_event_set_nid(&ev, (int)(next(x) % MM_MAX_NODES));
		ev.flags = next(x) % 8 ? 0 : TRACE_F_MIGRATE | TRACE_F_INFERRED;
		if (next(x) % 10 == 0) {
			ev.flags |= TRACE_F_FAILED;
			break;
		}
		ev.page = t->nr_pages;
		live[(*nr_live)++] = ev;
	}
	return ev;
}

static inline void random_move(struct trace *t, uint64_t *x)
{
	struct trace_move move = {
		.pfn = next(x) % 4 ? next(x) % 1000 : next(x) % TRACE_MAX_PFN,
		.order = next(x) % NR_PAGE_ORDERS,
		.taken = next(x) % 2,
		.percpu = next(x) % 2,
		.migratetype = next(x) % MM_NR_MIGRATETYPES,
	};

	if (next(x) % 8 == 0) {
		move.fallback = 1;
		move.taken = move.percpu = 0;
	}
	cr_assert_eq(trace_append_move(t, &move), 0);
}

/* The event that was appended last is somebody's; most are of who had the one before. */
static inline void random_task(struct trace *t, uint64_t *x)
{
	static const char *const comms[] = {
		"make",  "a-5 [3] 12", "Web Content", "kworker/0:1-ev", "cpus=4", "x 7 [001]",
		"<...>", "=> [LOST",   "50% (a)/",    "CPU:3 [LOST",    "-",      "1.5.2"};
	const char *comm = comms[next(x) % (sizeof(comms) / sizeof(*comms))];
	uint32_t task;

	if (t->nr_turns && next(x) % 3)
		return;
	task = TRACE_NO_TASK;
	if (next(x) % 8)
		cr_assert_eq(trace_add_task(t, comm, strlen(comm), (uint32_t)(next(x) % 4), &task),
			     0);
	cr_assert_eq(trace_take_turn(t, t->nr_events - 1, task), 0);
}

/* Of most pages; upper halves are where they are. */
static inline void random_frames(struct trace *t, uint64_t *x)
{
	uint32_t *low = calloc(t->nr_pages + 1, sizeof(*low));

	for (size_t i = 0; i < t->nr_events; i++)
		if (t->events[i].op == TRACE_SPLIT)
			low[t->events[i].page] = t->events[i].bytes + 1;
	for (uint32_t i = 0; i < t->nr_pages; i++)
		if (!low[i] && next(x) % 8)
			cr_assert_eq(trace_set_pfn(t, i,
						   next(x) % 4 ? i : next(x) % (TRACE_MAX_PFN / 2)),
				     0);
	for (size_t i = 0; i < t->nr_events; i++) {
		const struct trace_event *ev = &t->events[i];
		pfn_t pfn = ev->op == TRACE_SPLIT ? trace_pfn(t, ev->bytes) : TRACE_NO_PFN;

		if (pfn != TRACE_NO_PFN)
			cr_assert_eq(trace_set_pfn(t, ev->page, pfn + ((pfn_t)1 << ev->order)), 0);
	}
	free(low);
}

/* A trace of `nr` events, with page frames or without, and with counts as a reader leaves them. */
static inline struct trace *random_trace(uint64_t *x, size_t nr, bool pfns)
{
	struct trace_event *live = malloc((nr + 1) * sizeof(*live));
	struct trace *t = trace_new("random");
	uint64_t time_ps = next(x) % 1000000;
	size_t nr_live = 0;
	bool tasks = next(x) % 2;

	random_policies(t, x);
	for (size_t i = 0; i < nr; i++) {
		struct trace_event ev = random_event(t, x, &time_ps, live, &nr_live);

		if (pfns && next(x) % 4 == 0)
			random_move(t, x);
		ev.line = (uint32_t)(i * 2 + next(x) % 2);
		cr_assert_eq(trace_append(t, &ev), 0);
		if (tasks)
			random_task(t, x);
	}
	if (pfns)
		random_frames(t, x);
	if (t->nr_pfns) {
		t->min_pfn = 1;
		t->max_pfn = TRACE_MAX_PFN;
	}
	for (int i = 0; i < TRACE_NR_INFERS; i++)
		t->inferred[i] = next(x) % 2 ? next(x) % 100 : 0;
	for (int i = 0; i < TRACE_NR_SKIPS; i++)
		t->skipped[i] = next(x) % 3 ? next(x) % 100 : 0;
	t->nr_lines = next(x) % 100000;
	t->lost_events = next(x) % 7;
	t->unknown_policies = next(x) % 2;
	t->unknown_gfp = 1;
	strcpy(t->first_unknown_gfp, "__GFP_NEW");
	if (t->skipped[TRACE_SKIP_UNREADABLE]) {
		t->first_unreadable_line = 17;
		strcpy(t->first_unreadable, "  50 % of \"what?\" # is no event");
	}
	free(live);
	return t;
}

#endif
