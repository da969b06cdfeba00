/* SPDX-License-Identifier: Apache-2.0 */
/* ftrace text: its forms through the versions, which free belongs to what, times, bounds. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mm/gfp.h"
#include "sim/trace/trace.h"

#include "../trace_expect.h"

#define FORMS SOURCE_DIR "/tests/reference/trace-forms/"

/* Each line is an event or is counted; what is inferred has no line. */
static void check_lines(const struct trace *t)
{
	uint64_t lines = t->nr_events;

	for (int i = 0; i < TRACE_NR_SKIPS; i++)
		lines += t->skipped[i];
	for (int i = 0; i < TRACE_NR_INFERS; i++)
		lines -= t->inferred[i];
	cr_assert_eq(t->nr_lines, lines);
	cr_assert_eq(t->nr_events, t->nr_allocs + t->nr_frees + t->nr_failed + t->nr_touches +
					   t->nr_waits + t->nr_held_frees);
}

static struct trace *load(const char *path)
{
	struct diag diag = DIAG_INIT;
	struct trace *t = NULL;
	int err = trace_load(path, NULL, &diag, &t);

	cr_assert_eq(err, 0, "%s: %s", path, diag.failed ? diag.error.text : "no memory");
	cr_assert_str_eq(t->format, "ftrace");
	check_lines(t);
	return t;
}

static struct trace *parse(const char *text)
{
	struct diag diag = DIAG_INIT;
	struct trace *t = NULL;
	int err = trace_parse(text, strlen(text), "text", &diag, &t);

	cr_assert_eq(err, 0, "%s", diag.failed ? diag.error.text : "no memory");
	check_lines(t);
	return t;
}

#define US UINT64_C(1000000) /* picoseconds */

/* Decimal pfn, four flags, padded "(null)", COLD and NOTRACK, a note of lost events. */
Test(trace_ftrace, linux_4_9)
{
	struct trace *t = load(FORMS "linux-4.9.txt");

	cr_assert_eq(t->nr_events, 5);
	EXPECT(t, 0, .op = TRACE_ALLOC, .gfp = GFP_HIGHUSER_MOVABLE | __GFP_COLD,
	       .migratetype = MM_MOVABLE, .line = 12);
	EXPECT(t, 1, .op = TRACE_ALLOC, .time_ps = US, .page = 1, .order = 1,
	       .gfp = GFP_KERNEL | __GFP_RECLAIMABLE, .migratetype = MM_RECLAIMABLE, .line = 13);
	EXPECT(t, 2, .op = TRACE_ALLOC, .time_ps = 3 * US, .page = TRACE_NO_PAGE, .order = 9,
	       .cpu = 1, .gfp = GFP_TRANSHUGE | __GFP_RETRY_MAYFAIL, .migratetype = MM_MOVABLE,
	       .flags = TRACE_F_FAILED, .line = 15);
	EXPECT(t, 3, .op = TRACE_FREE, .time_ps = 4 * US, .cpu = 1, .line = 16);
	EXPECT(t, 4, .op = TRACE_FREE, .time_ps = 10 * US, .page = 1, .order = 1, .cpu = 1,
	       .line = 19);
	cr_assert_eq(t->nr_failed, 1);
	cr_assert_eq(t->nr_pages, 2);
	cr_assert_eq(t->pages_allocated, 1 + 2);
	cr_assert_eq(t->pages_freed, 1 + 2);
	cr_assert_eq(t->min_pfn, 4660);
	cr_assert_eq(t->max_pfn, 4661);
	cr_assert_eq(t->skipped[TRACE_SKIP_BATCHED], 1);
	cr_assert_eq(t->skipped[TRACE_SKIP_OTHER_EVENT], 1);
	cr_assert_eq(t->skipped[TRACE_SKIP_LOST], 1);
	cr_assert_eq(t->lost_events, 12);
	cr_assert_eq(t->unknown_gfp, 0);
	cr_assert_eq(t->span_ps, 10 * US);
	trace_free(t);
}

/* Names of flags without underscores, and other numbers of the migratetypes: names decide. */
Test(trace_ftrace, linux_4_4)
{
	struct trace *t = load(FORMS "linux-4.4.txt");

	cr_assert_eq(t->nr_events, 3);
	EXPECT(t, 0, .op = TRACE_ALLOC, .order = 2, .cpu = 1,
	       .gfp = GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY | __GFP_COMP, .line = 3);
	EXPECT(t, 1, .op = TRACE_ALLOC, .time_ps = US, .page = 1, .cpu = 1,
	       .gfp = GFP_HIGHUSER_MOVABLE | __GFP_ZERO, .migratetype = MM_MOVABLE, .line = 4);
	EXPECT(t, 2, .op = TRACE_FREE, .time_ps = 2 * US, .order = 2, .cpu = 1, .line = 5);
	cr_assert_eq(t->unknown_gfp, 0);
	trace_free(t);
}

/*
 * The tgid before or behind the CPU, blanks and dashes in comm, a null page of zeroes, and a time
 * that goes back by 2 us: events 1 and 2 both are at 1 us.
 */
Test(trace_ftrace, linux_5_10_with_tgid)
{
	struct trace *t = load(FORMS "linux-5.10-tgid.txt");

	cr_assert_eq(t->nr_events, 6);
	EXPECT(t, 0, .op = TRACE_ALLOC, .order = 1, .cpu = 3,
	       .gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO, .line = 12);
	EXPECT(t, 1, .op = TRACE_ALLOC, .time_ps = US, .page = 1, .cpu = 2,
	       .gfp = GFP_HIGHUSER_MOVABLE | __GFP_ZERO, .migratetype = MM_MOVABLE, .line = 13);
	EXPECT(t, 2, .op = TRACE_FREE, .time_ps = US, .order = 1, .cpu = 2, .line = 14);
	EXPECT(t, 3, .op = TRACE_ALLOC, .time_ps = 2 * US, .page = TRACE_NO_PAGE, .order = 4,
	       .gfp = GFP_NOWAIT | __GFP_NOWARN, .flags = TRACE_F_FAILED, .line = 15);
	EXPECT(t, 4, .op = TRACE_FREE, .time_ps = 3 * US, .page = 1, .cpu = 1, .line = 16);
	cr_assert_eq(t->nr_held_frees, 1);
	cr_assert_eq(t->skipped[TRACE_SKIP_UNREADABLE], 0);
	trace_free(t);
}

/* Brackets in comm, numeric and unknown flags: of those, the migratetype is the line's. */
Test(trace_ftrace, linux_6_1_with_odd_names)
{
	struct trace *t = load(FORMS "linux-6.1-names.txt");

	cr_assert_eq(t->nr_events, 5);
	EXPECT(t, 0, .op = TRACE_ALLOC, .gfp = 0x140cca, .migratetype = MM_MOVABLE, .line = 5);
	EXPECT(t, 1, .op = TRACE_ALLOC, .time_ps = US, .page = 1, .cpu = 1,
	       .gfp = GFP_KERNEL | __GFP_RECLAIMABLE, .migratetype = MM_RECLAIMABLE, .line = 6);
	EXPECT(t, 2, .op = TRACE_ALLOC, .time_ps = 2 * US, .page = 2, .cpu = 2,
	       .gfp = GFP_KERNEL | __GFP_MOVABLE, .migratetype = MM_MOVABLE, .line = 7);
	EXPECT(t, 3, .op = TRACE_FREE, .time_ps = 3 * US, .cpu = 3, .line = 8);
	EXPECT(t, 4, .op = TRACE_ALLOC, .time_ps = 4 * US, .page = TRACE_NO_PAGE, .cpu = 3,
	       .flags = TRACE_F_FAILED, .line = 9);
	cr_assert_eq(t->unknown_gfp, 2); /* __GFP_WOBBLY, and a bit without a name */
	cr_assert_str_eq(t->first_unknown_gfp, "__GFP_WOBBLY");
	trace_free(t);
}

/* No flags, nanoseconds: 9876.123456999 - 9876.123456789 = 210 ns. */
Test(trace_ftrace, trace_cmd_report)
{
	struct trace *t = load(FORMS "trace-cmd.txt");

	cr_assert_eq(t->nr_events, 2);
	EXPECT(t, 0, .op = TRACE_ALLOC, .gfp = GFP_HIGHUSER_MOVABLE | __GFP_COMP, .cpu = 2,
	       .migratetype = MM_MOVABLE, .line = 3);
	EXPECT(t, 1, .op = TRACE_FREE, .time_ps = 210000, .cpu = 2, .line = 4);
	cr_assert_eq(t->skipped[TRACE_SKIP_COMMENT], 2);
	trace_free(t);
}

/*
 * oddities.txt, 25 lines: pfn 0x10 allocated twice (so it was freed between), then freed with a
 * larger order (line 5, mismatch), that of the second (line 6), and again (line 7: it was
 * allocated between). CPU 8191 is the last there is. Unreadable: order 11, CPUs 8192 and 70000,
 * "0x" alone, a pfn of 65 bits, a free and an allocation that end early, and "this is no event".
 */
Test(trace_ftrace, nothing_is_dropped_in_silence)
{
	struct trace *t = load(FORMS "oddities.txt");

	cr_assert_eq(t->nr_lines, 25);
	cr_assert_eq(t->nr_events, 7);
	EXPECT(t, 0, .op = TRACE_ALLOC, .gfp = GFP_KERNEL, .line = 3);
	EXPECT(t, 1, .op = TRACE_FREE, .time_ps = US, .flags = TRACE_F_INFERRED, .line = 4);
	EXPECT(t, 2, .op = TRACE_ALLOC, .time_ps = US, .page = 1, .order = 2, .gfp = GFP_KERNEL,
	       .line = 4);
	EXPECT(t, 3, .op = TRACE_FREE, .time_ps = 3 * US, .page = 1, .order = 2, .line = 6);
	EXPECT(t, 4, .op = TRACE_ALLOC, .time_ps = 4 * US, .page = 2, .order = 2, .gfp = GFP_KERNEL,
	       .flags = TRACE_F_INFERRED, .line = 7);
	EXPECT(t, 5, .op = TRACE_FREE, .time_ps = 4 * US, .page = 2, .order = 2, .line = 7);
	EXPECT(t, 6, .op = TRACE_ALLOC, .time_ps = 7 * US, .page = 3, .cpu = 8191,
	       .gfp = GFP_KERNEL, .line = 10);
	cr_assert_eq(t->nr_cpus, 8192);
	cr_assert_eq(t->inferred[TRACE_INFER_FREE], 1);
	cr_assert_eq(t->inferred[TRACE_INFER_BULK], 1);
	cr_assert_eq(t->skipped[TRACE_SKIP_ORDER_MISMATCH], 1);
	cr_assert_eq(t->skipped[TRACE_SKIP_LOST], 2);
	cr_assert_eq(t->lost_events, 5);
	cr_assert_eq(t->skipped[TRACE_SKIP_COMMENT], 4);
	cr_assert_eq(t->skipped[TRACE_SKIP_OTHER_EVENT], 5);
	cr_assert_eq(t->skipped[TRACE_SKIP_UNREADABLE], 8);
	cr_assert_eq(t->first_unreadable_line, 8);
	cr_assert_eq(strncmp(t->first_unreadable, "            a-1     [000]", 25), 0);
	cr_assert_eq(strlen(t->first_unreadable), sizeof(t->first_unreadable) - 1);
	trace_free(t);
}

/* Counted with other tools in the excerpts of a real kernel's traces. */
Test(trace_ftrace, excerpt_of_a_mixed_load)
{
	struct trace *t = load(FORMS "w2a_excerpt.txt");

	cr_assert_eq(t->nr_lines, 400);
	/* And a stack of four pages from alloc_pages_bulk, which a probe tells. */
	cr_assert_eq(t->inferred[TRACE_INFER_BULK], 4);
	cr_assert_eq(t->nr_allocs, 153 + 4);
	cr_assert_eq(t->nr_frees, 110);
	cr_assert_eq(t->pages_allocated, 160 + 4);
	cr_assert_eq(t->pages_freed, 113);
	cr_assert_eq(t->nr_held_frees, 3);
	cr_assert_eq(t->skipped[TRACE_SKIP_BATCHED], 89);
	cr_assert_eq(t->skipped[TRACE_SKIP_OTHER_EVENT], 33); /* probes among them */
	cr_assert_eq(t->skipped[TRACE_SKIP_COMMENT], 12);
	cr_assert_eq(t->skipped[TRACE_SKIP_UNREADABLE], 0);
	cr_assert_eq(t->nr_cpus, 4);
	cr_assert_eq(t->span_ps, (7218088 - 7176302) * US);
	trace_free(t);
}

/*
 * System calls, page faults, scheduling and marker lines tell about tasks; moves of free blocks are
 * events of another kind.
 */
Test(trace_ftrace, excerpt_with_markers_and_system_calls)
{
	struct trace *t = load(FORMS "w8a_excerpt.txt");

	cr_assert_eq(t->nr_lines, 400);
	cr_assert_eq(t->nr_allocs, 93);
	cr_assert_eq(t->nr_frees, 21);
	cr_assert_eq(t->nr_held_frees, 27 - 21);
	cr_assert_eq(t->skipped[TRACE_SKIP_BATCHED], 21);
	cr_assert_eq(t->skipped[TRACE_SKIP_TASK], 118);
	cr_assert_eq(t->skipped[TRACE_SKIP_OTHER_EVENT], 400 - 93 - 27 - 21 - 118);
	cr_assert_eq(t->skipped[TRACE_SKIP_UNREADABLE], 0);
	trace_free(t);
}

/* See traces/README.md: 292 frees are 268 of the trace's pages and 24 of 25 earlier pages. */
Test(trace_ftrace, whole_trace_of_a_kernel)
{
	struct trace *t = load(SOURCE_DIR "/traces/W1b_touch_4k_2x512m.trace.zst");

	cr_assert_str_eq(t->compression, "zstd");
	cr_assert_eq(t->nr_lines, 288239 + 12); /* and the comments of the header */
	cr_assert_eq(t->skipped[TRACE_SKIP_COMMENT], 12);
	cr_assert_eq(t->nr_allocs, 143691 + 245);
	cr_assert_eq(t->nr_pages, 143691 + 245 + 24);
	cr_assert_eq(t->pages_allocated, 143693 + 245);
	cr_assert_eq(t->allocs_by_order[0], 143689 + 245);
	cr_assert_eq(t->allocs_by_order[1], 2);
	cr_assert_eq(t->nr_frees + t->nr_held_frees, 292);
	/* 290 frees of order 0 and 2 of order 1 are 294 pages, 25 of them from before. */
	cr_assert_eq(t->pages_freed, 294 - 25);
	cr_assert_eq(t->pages_allocated - t->pages_freed, 143424 + 245); /* live at the end */
	cr_assert_eq(t->skipped[TRACE_SKIP_BATCHED], 22);
	cr_assert_eq(t->skipped[TRACE_SKIP_OTHER_EVENT], 143715 + 513 + 6);
	/* kcompactd moved 245 pages; fallbacks are no events, but stand among the moves. */
	for (int i = 0; i < TRACE_NR_INFERS; i++)
		cr_assert_eq(t->inferred[i], i == TRACE_INFER_TARGET ? 245 : 0);
	cr_assert_eq(t->nr_moves, 143715 + 513 + 5);
	cr_assert_eq(t->skipped[TRACE_SKIP_ORDER_MISMATCH], 0);
	cr_assert_eq(t->skipped[TRACE_SKIP_LOST], 0);
	cr_assert_eq(t->skipped[TRACE_SKIP_UNREADABLE], 0);
	cr_assert_eq(t->unknown_gfp, 0);
	cr_assert_eq(t->nr_failed, 0);
	cr_assert_eq(t->nr_cpus, 4);
	/* Two nodes of 512 MiB end below pfn 0x40000. */
	cr_assert_lt(t->max_pfn, 0x40000);
	cr_assert_eq(t->events[0].time_ps, 0);
	for (size_t i = 1; i < t->nr_events; i++)
		cr_assert_leq(t->events[i - 1].time_ps, t->events[i].time_ps);
	trace_free(t);
}

#define LINE(s, event) "  a-1  [000] .....  " s ": " event "\n"
#define ALLOC(pfn)                                                                                 \
	"mm_page_alloc: page=0000000000000001 pfn=" pfn                                            \
	" order=0 migratetype=0 gfp_flags=GFP_KERNEL"

/* Uptime is no limit, but 64 bits of picoseconds hold 213 days between first and last. */
Test(trace_ftrace, times_are_relative_and_bounded)
{
	struct trace *t = parse(LINE("100000000000.5", ALLOC("0x1"))      /* 3000 years */
				LINE("100000000001.250", ALLOC("0x2"))    /* + 0.75 s */
				LINE("100018000000.000000", ALLOC("0x3")) /* + 208 days - 0.5 s */
				LINE("100018000001.000000", ALLOC("0x4")) /* beyond */
				LINE("1.000000000001", ALLOC("0x5"))      /* long before */
				LINE("1.0000000000001", ALLOC("0x6")));   /* finer than 1 ps */

	cr_assert_eq(t->nr_events, 4);
	cr_assert_eq(t->events[0].time_ps, 0);
	cr_assert_eq(t->events[1].time_ps, UINT64_C(750000) * US);
	cr_assert_eq(t->events[2].time_ps, UINT64_C(17999999500000) * US);
	cr_assert_eq(t->events[3].time_ps, t->events[2].time_ps);
	cr_assert_eq(t->skipped[TRACE_SKIP_UNREADABLE], 2);
	trace_free(t);
}

/* The first event that is kept is the origin, not what stands before it. */
Test(trace_ftrace, the_first_event_is_time_zero)
{
	struct trace *t = parse(LINE("1.000000", "sched_switch: prev_comm=a") LINE(
		"2.000000", "mm_page_pcpu_drain: page=1 pfn=0x9 order=0 migratetype=1")
					LINE("3.000000", ALLOC("0x1")));

	cr_assert_eq(t->events[0].time_ps, 0);
	cr_assert_eq(t->span_ps, 0);
	trace_free(t);
}

Test(trace_ftrace, null_pages_are_failures_and_hidden_ones_are_not)
{
	static const char *const nulls[] = {"(null)", "          (null)", "(nil)",           "0",
					    "0x0",    "00000000",         "0000000000000000"};
	static const char *const pages[] = {"(____ptrval____)", "(ptrval)", "00000001",
					    "ffffea0000048d00"};
	char line[256];

	for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++) {
		snprintf(line, sizeof(line),
			 LINE("1.0", "mm_page_alloc: page=%s pfn=0 order=3 migratetype=0 "
				     "gfp_flags=GFP_KERNEL"),
			 nulls[i]);
		struct trace *t = parse(line);

		cr_assert_eq(t->nr_failed, 1, "%s", nulls[i]);
		cr_assert_eq(t->nr_pages, 0);
		cr_assert_gt(t->min_pfn, t->max_pfn);
		trace_free(t);
	}
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		snprintf(line, sizeof(line),
			 LINE("1.0", "mm_page_alloc: page=%s pfn=7 order=3 migratetype=0 "
				     "gfp_flags=GFP_KERNEL"),
			 pages[i]);
		struct trace *t = parse(line);

		cr_assert_eq(t->nr_allocs, 1, "%s", pages[i]);
		trace_free(t);
	}
}

Test(trace_ftrace, a_line_that_is_too_long_is_skipped)
{
	size_t len = 100000;
	char *text = malloc(len + 1000);
	struct trace *t;
	struct diag diag = DIAG_INIT;
	size_t at = sprintf(text, LINE("1.0", ALLOC("0x1")) "  a-1  [000] .....  1.1: ");

	memset(text + at, 'x', len - at);
	sprintf(text + len, "\n" LINE("1.2", ALLOC("0x2")));
	cr_assert_eq(trace_parse(text, strlen(text), "text", &diag, &t), 0);
	cr_assert_eq(t->nr_lines, 3);
	cr_assert_eq(t->nr_allocs, 2);
	cr_assert_eq(t->skipped[TRACE_SKIP_UNREADABLE], 1);
	cr_assert_eq(t->first_unreadable_line, 2);
	check_lines(t);
	trace_free(t);
	free(text);
}

/* As with trace_clock counter, whose times are no seconds. */
Test(trace_ftrace, text_of_which_nothing_can_be_read_is_an_error)
{
	static const char text[] = "# tracer: nop\n  a-1  [000] .....  1234567890: mm_page_free: "
				   "page=1 pfn=0x1 order=0\n";
	struct diag diag = DIAG_INIT;
	struct trace *t;

	cr_assert_eq(trace_parse(text, sizeof(text) - 1, "text", &diag, &t), -EINVAL);
	cr_expect_eq(diag.error.line, 2);
	cr_expect_not_null(strstr(diag.error.text, "expected ftrace text"), "%s", diag.error.text);
	cr_expect_not_null(strstr(diag.error.text, "trace_clock local"), "%s", diag.error.text);
	diag_clear(&diag);
}

Test(trace_ftrace, nul_bytes_make_a_line_unreadable)
{
	static const char text[] = LINE("1.0", ALLOC("0x1")) "\0\0\n  a-1 \0 [000] ..... 1.1: x\n";
	struct diag diag = DIAG_INIT;
	struct trace *t;

	cr_assert_eq(trace_parse(text, sizeof(text) - 1, "text", &diag, &t), 0);
	cr_assert_eq(t->skipped[TRACE_SKIP_UNREADABLE], 2);
	cr_assert_str_eq(t->first_unreadable, "??");
	check_lines(t);
	trace_free(t);
}

/* A trace in which nothing was allocated is a trace. */
Test(trace_ftrace, a_header_alone_has_no_events)
{
	struct trace *t = parse("# tracer: nop\n#\n");

	cr_assert_eq(t->nr_events, 0);
	cr_assert_eq(t->nr_lines, 2);
	cr_assert_eq(t->nr_cpus, 0);
	cr_assert_gt(t->min_pfn, t->max_pfn);
	trace_free(t);
}

/* More texts of flags than the reader's cache has room for, some of them very long. */
Test(trace_ftrace, every_text_of_flags_is_read_for_itself)
{
	char *text = malloc(4 << 20), flags[1024];
	size_t at = 0;
	struct trace *t;

	for (int round = 0; round < 2; round++) {
		for (gfp_t gfp = 0; gfp < 2000; gfp++) {
			gfp_print(gfp * 8209 % (1 << 24), flags, sizeof(flags));
			at += sprintf(text + at,
				      "a-1 [000] ..... 1.0: mm_page_alloc: page=1 pfn=%u order=0 "
				      "migratetype=0 gfp_flags=%s\n",
				      gfp, flags);
			cr_assert_lt(at, (4 << 20) - 1024);
		}
	}
	t = parse(text);
	/* In the second round each is live: the free of the first goes before. */
	cr_assert_eq(t->nr_events, 6000);
	for (gfp_t i = 0; i < 2000; i++) {
		cr_assert_eq(t->events[i].gfp, i * 8209 % (1 << 24));
		cr_assert_eq(t->events[2000 + 2 * i + 1].gfp, i * 8209 % (1 << 24));
	}
	cr_assert_eq(t->inferred[TRACE_INFER_FREE], 2000);
	trace_free(t);
	free(text);
}
