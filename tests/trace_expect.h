/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of traces: one event against what it should be, and random numbers by a seed. */
#ifndef TESTS_TRACE_EXPECT_H
#define TESTS_TRACE_EXPECT_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "sim/trace/trace.h"

static inline void expect(const struct trace *t, size_t i, const struct trace_event *want)
{
	const struct trace_event *ev = &t->events[i];

	cr_assert_lt(i, t->nr_events);
	cr_expect_eq(ev->time_ps, want->time_ps, "event %zu: time", i);
	cr_expect_eq(ev->page, want->page, "event %zu: page", i);
	cr_expect_eq(ev->bytes, want->bytes, "event %zu: bytes", i);
	cr_expect_eq(ev->gfp, want->gfp, "event %zu: gfp %#x", i, ev->gfp);
	cr_expect_eq(ev->cpu, want->cpu, "event %zu: cpu", i);
	cr_expect_eq(ev->op, want->op, "event %zu: op", i);
	cr_expect_eq(ev->order, want->order, "event %zu: order", i);
	cr_expect_eq(ev->migratetype, want->migratetype, "event %zu: migratetype", i);
	cr_expect_eq(ev->write, want->write, "event %zu: write", i);
	cr_expect_eq(ev->flags, want->flags, "event %zu: flags", i);
	cr_expect_eq(ev->line, want->line, "event %zu: line", i);
}

#define EXPECT(t, i, ...) expect(t, i, &(struct trace_event){__VA_ARGS__})

/* Everything that a replay or a report takes from a trace; text has its own numbers of lines. */
static inline void expect_same_trace(const struct trace *got, const struct trace *want, bool lines)
{
	cr_assert_eq(got->nr_events, want->nr_events);
	for (size_t i = 0; i < want->nr_events; i++) {
		struct trace_event ev = got->events[i];

		if (!lines)
			ev.line = want->events[i].line;
		cr_assert_eq(memcmp(&ev, &want->events[i], sizeof(ev)), 0, "event %zu", i);
	}
	cr_assert_eq(got->nr_policies, want->nr_policies);
	cr_assert_eq(
		memcmp(got->policies, want->policies, want->nr_policies * sizeof(*want->policies)),
		0);
	cr_assert_eq(got->nr_pages, want->nr_pages);
	for (uint32_t i = 0; i < want->nr_pages; i++)
		cr_assert_eq(trace_pfn(got, i), trace_pfn(want, i), "page %u", i);
	cr_assert_eq(got->nr_moves, want->nr_moves);
	for (size_t i = 0; i < want->nr_moves; i++) {
		const struct trace_move *a = &got->moves[i], *b = &want->moves[i];

		cr_assert(a->pfn == b->pfn && a->order == b->order && a->taken == b->taken &&
				  a->percpu == b->percpu && a->migratetype == b->migratetype &&
				  a->fallback == b->fallback && a->event == b->event,
			  "move %zu", i);
	}
	cr_assert_eq(got->nr_tasks, want->nr_tasks);
	for (uint32_t i = 1; i < want->nr_tasks; i++)
		cr_assert(got->tasks[i].pid == want->tasks[i].pid &&
				  !strcmp(got->tasks[i].comm, want->tasks[i].comm),
			  "task %u: %s-%u", i, got->tasks[i].comm, got->tasks[i].pid);
	cr_assert_eq(got->nr_turns, want->nr_turns);
	for (size_t i = 0; i < want->nr_turns; i++)
		cr_assert(got->turns[i].event == want->turns[i].event &&
				  got->turns[i].task == want->turns[i].task,
			  "turn %zu", i);
#define SAME(member) cr_assert_eq(got->member, want->member, #member)
	SAME(nr_allocs);
	SAME(nr_frees);
	SAME(nr_touches);
	SAME(nr_waits);
	SAME(nr_failed);
	SAME(nr_held_frees);
	SAME(pages_allocated);
	SAME(pages_freed);
	SAME(lost_events);
	SAME(unknown_policies);
	SAME(unknown_gfp);
	SAME(nr_lines);
	SAME(nr_cpus);
	SAME(first_ps);
	SAME(span_ps);
	SAME(min_pfn);
	SAME(max_pfn);
	SAME(first_unreadable_line);
#undef SAME
	for (int i = 0; i < TRACE_NR_SKIPS; i++)
		cr_assert_eq(got->skipped[i], want->skipped[i], "%s",
			     trace_skip_name((enum trace_skip)i));
	for (int i = 0; i < TRACE_NR_INFERS; i++)
		cr_assert_eq(got->inferred[i], want->inferred[i]);
	for (int i = 0; i < NR_PAGE_ORDERS; i++)
		cr_assert_eq(got->allocs_by_order[i], want->allocs_by_order[i]);
	cr_assert_str_eq(got->first_unknown_gfp, want->first_unknown_gfp);
	cr_assert_str_eq(got->first_unreadable, want->first_unreadable);
}

static inline uint64_t next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

/* Other numbers with NUMASIM_SEED=n in the environment. */
static inline uint64_t seed(void)
{
	const char *text = getenv("NUMASIM_SEED");
	uint64_t n = text ? strtoull(text, NULL, 10) : 1;

	cr_log_info("NUMASIM_SEED=%llu", (unsigned long long)n);
	return n * UINT64_C(0x9e3779b97f4a7c15) | 1;
}

#endif
