/* SPDX-License-Identifier: Apache-2.0 */
/* When the trace's kswapd gave back what watermarks were raised by. */
#include "sim/replay/kswapd_runs.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../mm_fixture.h"

#define NORMAL 1 /* 64 MiB: zone 0 up to frame 0x1000, this one behind it */

struct story {
	char text[4096];
	size_t len;
	double ms;
};

static void say(struct story *s, double ms, const char *comm, const char *format, ...)
{
	va_list args;

	s->ms += ms;
	s->len += (size_t)snprintf(s->text + s->len, sizeof(s->text) - s->len,
				   "  %s-1  [001] .....  %.6f: ", comm, s->ms / 1000);
	va_start(args, format);
	s->len += (size_t)vsnprintf(s->text + s->len, sizeof(s->text) - s->len, format, args);
	va_end(args);
	s->text[s->len++] = '\n';
	s->text[s->len] = 0;
}

static void fallback(struct story *s)
{
	say(s, 0, "a",
	    "mm_page_alloc_extfrag: page=1 pfn=0x1200 alloc_order=0 fallback_order=7 "
	    "pageblock_order=9 alloc_migratetype=1 fallback_migratetype=2 fragmenting=1 "
	    "change_ownership=0");
}

/* The sum of what is free does not change: the list was filled before. */
static void allocate(struct story *s, double ms)
{
	say(s, ms, "a",
	    "mm_page_alloc: page=1 pfn=0x1201 order=0 migratetype=1 "
	    "gfp_flags=GFP_HIGHUSER_MOVABLE");
	say(s, 0, "a", "mm_page_free: page=1 pfn=0x1201 order=0");
}

/* 1024 pages at once. */
static void kswapd_frees(struct story *s, double ms)
{
	say(s, ms, "kswapd0", "mm_page_free: page=1 pfn=0x%x order=10", 0x2000);
}

static void kswapd_frees_one(struct story *s, double ms)
{
	say(s, ms, "kswapd0", "mm_page_free: page=1 pfn=0x1300 order=0");
	say(s, 0, "kswapd0",
	    "mm_page_alloc: page=1 pfn=0x1300 order=0 migratetype=1 "
	    "gfp_flags=GFP_KERNEL");
}

/* One after the other, which is its pace. */
static void kswapd_frees_several(struct story *s, double ms)
{
	kswapd_frees(s, ms);
	kswapd_frees_one(s, 0.001);
	kswapd_frees_one(s, 0.002);
}

/* NORMAL has `above` pages more than its high watermark, the other zone has none free. */
static size_t runs(const struct story *s, int64_t above, struct raised *first)
{
	struct machine m = {.memory = {{0, 64 * MiB, 0}}, .cpus = {2}};
	struct mm_zone_state zones[2] = {{.zone = 0}, {.zone = NORMAL}};
	struct captured_state before = {.zones = zones, .nr_zones = 2, .nr_cpus = 2};
	struct diag diag = DIAG_INIT;
	struct mm *mm = boot(&m);
	struct mm_zone_info info;
	struct raised *raised;
	struct trace *t = NULL;
	size_t nr;

	mm_zone_info(mm, 0, NORMAL, &info);
	zones[1].free_blocks[MM_MOVABLE][0] = (uint64_t)((int64_t)info.high + above);
	cr_assert_eq(trace_parse(s->text, s->len, "text", &diag, &t), 0);
	cr_assert_eq(kswapd_runs(t, mm, &before, &raised, &nr), 0);
	if (nr)
		*first = raised[0];
	free(raised);
	trace_free(t);
	mm_destroy(mm);
	return nr;
}

static void expect(const struct story *s, int64_t above, size_t from, size_t to)
{
	struct raised first;

	cr_assert_eq(runs(s, above, &first), 1);
	cr_expect_eq(first.nid, 0);
	cr_expect_eq(first.zone, NORMAL);
	cr_expect_eq(first.from, from);
	cr_expect_eq(first.to, to, "%zu instead of %zu", first.to, to);
}

/* 512 pages more are wanted than there are: it goes on until they are there, which is event 6. */
Test(kswapd_runs, a_run_ends_when_a_zone_is_above_the_raised_mark)
{
	struct story s = {0};

	allocate(&s, 1);
	fallback(&s);
	allocate(&s, 0.01);
	kswapd_frees_one(&s, 5);
	kswapd_frees(&s, 5);
	allocate(&s, 5);
	expect(&s, 100, 2, 6);
}

/* There are as many even so. What it frees, it frees at once. */
Test(kswapd_runs, a_run_of_a_node_that_has_enough_is_short)
{
	struct story s = {0};

	fallback(&s);
	allocate(&s, 1);
	allocate(&s, 1);
	expect(&s, 600, 0, 0);
	s = (struct story){0};
	fallback(&s);
	allocate(&s, 0.01);
	kswapd_frees_one(&s, 0.05);
	expect(&s, 600, 0, 2);
}

/* Too little, but nothing is ever freed. */
Test(kswapd_runs, a_run_that_finds_nothing_ends)
{
	struct story s = {0};

	fallback(&s);
	allocate(&s, 1);
	expect(&s, -100, 0, 0);
}

/* Nobody has to wake it in the pause, as there is room: what comes behind it is the same run. */
Test(kswapd_runs, behind_a_pause_it_is_another_run_if_somebody_woke_it)
{
	struct story s = {0};
	struct raised first;

	fallback(&s);
	allocate(&s, 0.01);
	kswapd_frees_several(&s, 0.01);
	allocate(&s, 20);
	kswapd_frees_one(&s, 0.05);
	expect(&s, 0, 0, 9);

	s = (struct story){0};
	fallback(&s);
	allocate(&s, 0.01);
	kswapd_frees_several(&s, 0.01);
	fallback(&s);
	allocate(&s, 20);
	kswapd_frees_one(&s, 0.05);
	cr_assert_eq(runs(&s, 0, &first), 2);
	cr_expect_eq(first.to, 5, "%zu", first.to);
}

Test(kswapd_runs, without_fallbacks_there_are_none)
{
	struct story s = {0};
	struct raised first;

	allocate(&s, 1);
	kswapd_frees(&s, 1);
	cr_expect_eq(runs(&s, 0, &first), 0);
}
