/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of traces: one event against what it should be, and random numbers by a seed. */
#ifndef TESTS_TRACE_EXPECT_H
#define TESTS_TRACE_EXPECT_H

#include <criterion/criterion.h>
#include <stdlib.h>

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
