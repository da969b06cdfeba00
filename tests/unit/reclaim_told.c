/* SPDX-License-Identifier: Apache-2.0 */
/* When a trace tells of reclaim, and of how much. */
#include <criterion/criterion.h>

#include "sim/replay/reclaim_told.h"

#define MS UINT64_C(1000000000) /* picoseconds */

static void add(struct trace *t, unsigned op, uint64_t time_ps, unsigned order, unsigned flags)
{
	const struct trace_event ev = {.op = (uint8_t)op,
				       .time_ps = time_ps,
				       .order = (uint8_t)order,
				       .flags = flags & 0x7f,
				       .page = op == TRACE_ALLOC ? t->nr_pages++ : 0};

	cr_assert_eq(trace_append(t, &ev), 0);
}

/* An ordinary free is none, nor what kcompactd frees once it has moved. */
Test(reclaim_told, nothing_is_told_without_reclaim)
{
	struct trace *t = trace_new("test");
	struct reclaim_told *told;

	add(t, TRACE_ALLOC, 0, 0, 0);
	add(t, TRACE_FREE, 1 * MS, 0, 0);
	add(t, TRACE_ALLOC, 2 * MS, 0, TRACE_F_INFERRED | TRACE_F_MIGRATE);
	add(t, TRACE_FREE, 2 * MS, 0, TRACE_F_RECLAIM);
	cr_expect_not(reclaim_told_any(t));
	cr_assert_eq(reclaim_told_new(t, &told), 0);
	cr_expect_null(told);
	reclaim_told_free(told);
	trace_free(t);
}

/* Pages of frees within 1.2 s either way: 1 at 1 s, 8 at 2 s by kswapd. */
Test(reclaim_told, pages_count_for_as_long_as_kswapd_may_be_busy)
{
	static const uint64_t at_ms[] = {0, 799, 800, 2200, 2201, 3200, 3201};
	static const uint64_t near[] = {1, 1, 9, 9, 8, 8, 0};
	struct trace *t = trace_new("test");
	struct reclaim_told *told;

	add(t, TRACE_ALLOC, 0, 0, 0);
	add(t, TRACE_ALLOC, 799 * MS, 0, 0);
	add(t, TRACE_ALLOC, 800 * MS, 0, 0);
	add(t, TRACE_FREE_HELD, 1000 * MS, 0, TRACE_F_RECLAIM);
	add(t, TRACE_FREE, 2000 * MS, 3, TRACE_F_RECLAIM | TRACE_F_KSWAPD);
	for (int i = 3; i < 7; i++)
		add(t, TRACE_ALLOC, at_ms[i] * MS, 0, 0);
	cr_expect(reclaim_told_any(t));
	cr_assert_eq(reclaim_told_new(t, &told), 0);
	for (size_t i = 0; i < 7; i++)
		cr_expect_eq(reclaim_told_near(told, i < 3 ? i : i + 2), near[i], "%zu: %lu", i,
			     reclaim_told_near(told, i < 3 ? i : i + 2));
	reclaim_told_free(told);
	trace_free(t);
}
