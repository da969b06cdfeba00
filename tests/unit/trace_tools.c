/* SPDX-License-Identifier: Apache-2.0 */
/* What perf script and trace-cmd report print of the kernel's events, in their several forms. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "mm/gfp.h"
#include "sim/trace/trace.h"

#include "../trace_expect.h"

#define FORMS SOURCE_DIR "/tests/reference/trace-forms/"

/* Each line is an event or is counted; what is inferred has no line. */
static struct trace *load(const char *path, const char *format, struct diag *diag)
{
	struct trace *t = NULL;
	int err = trace_load(path, NULL, diag, &t);
	uint64_t lines;

	cr_assert_eq(err, 0, "%s: %s", path, diag->failed ? diag->error.text : "no memory");
	cr_assert_str_eq(t->format, format);
	lines = t->nr_events;
	for (int i = 0; i < TRACE_NR_SKIPS; i++)
		lines += t->skipped[i];
	for (int i = 0; i < TRACE_NR_INFERS; i++)
		lines -= t->inferred[i];
	cr_assert_eq(t->nr_lines, lines);
	cr_assert_eq(t->skipped[TRACE_SKIP_UNREADABLE], 0, "line %u: %s", t->first_unreadable_line,
		     t->first_unreadable);
	return t;
}

#define US UINT64_C(1000000) /* picoseconds */

/* A page= that is its frame, decimal pfn. */
Test(trace_perf, linux_4_4)
{
	struct diag diag = DIAG_INIT;
	struct trace *t = load(FORMS "perf-4.4.txt", "perf", &diag);

	cr_assert_eq(t->nr_events, 3);
	EXPECT(t, 0, .op = TRACE_ALLOC, .gfp = GFP_KERNEL, .line = 1);
	EXPECT(t, 1, .op = TRACE_ALLOC, .page = 1, .order = 2, .cpu = 3, .time_ps = 10 * US,
	       .gfp = GFP_KERNEL | __GFP_NOWARN | __GFP_COMP, .line = 2);
	EXPECT(t, 2, .op = TRACE_FREE, .time_ps = 20 * US, .line = 3);
	cr_expect_eq(trace_pfn(t, 0), 1534487);
	cr_expect_eq(diag.nr_warnings, 0);
	trace_free(t);
}

/* -g, and --show-lost-events. */
Test(trace_perf, callchains)
{
	struct diag diag = DIAG_INIT;
	struct trace *t = load(FORMS "perf-5.1-callchain.txt", "perf", &diag);

	cr_assert_eq(t->nr_events, 2);
	cr_expect_eq(t->skipped[TRACE_SKIP_OTHER_EVENT], 5);
	cr_expect_eq(t->skipped[TRACE_SKIP_COMMENT], 2);
	cr_expect_eq(t->skipped[TRACE_SKIP_LOST], 1);
	cr_expect_eq(t->lost_events, 12);
	trace_free(t);
}

/*
 * --header --ns -F +pid,+period: nanoseconds, pid/tid, a period; names with all that a name may
 * have; tasks without a number; fields that perf cannot compute, which it prints raw.
 */
Test(trace_perf, fields_of_linux_6_1)
{
	struct diag diag = DIAG_INIT;
	struct trace *t = load(FORMS "perf-6.1-fields.txt", "perf", &diag);

	cr_assert_eq(t->nr_events, 5);
	EXPECT(t, 0, .op = TRACE_ALLOC, .cpu = 2, .gfp = GFP_HIGHUSER_MOVABLE | __GFP_ZERO,
	       .migratetype = MM_MOVABLE, .line = 5);
	EXPECT(t, 1, .op = TRACE_ALLOC, .cpu = 2, .order = 9, .gfp = GFP_TRANSHUGE,
	       .migratetype = MM_MOVABLE, .page = TRACE_NO_PAGE, .flags = TRACE_F_FAILED,
	       .time_ps = 11000, .line = 6);
	EXPECT(t, 2, .op = TRACE_FREE, .cpu = 2, .time_ps = 211000, .line = 8);
	EXPECT(t, 3, .op = TRACE_ALLOC, .page = 1, .order = 1, .cpu = 1, .gfp = 0x140cca,
	       .migratetype = MM_MOVABLE, .time_ps = 1211000, .line = 9);
	EXPECT(t, 4, .op = TRACE_ALLOC, .page = TRACE_NO_PAGE, .order = 3, .cpu = 1, .gfp = 0xcc0,
	       .flags = TRACE_F_FAILED, .time_ps = 2211000, .line = 10);
	cr_expect_eq(trace_pfn(t, 1), 0x41300);
	cr_expect_eq(t->skipped[TRACE_SKIP_BATCHED], 1);
	cr_expect_eq(t->skipped[TRACE_SKIP_TASK], 1);
	cr_expect_eq(t->skipped[TRACE_SKIP_COMMENT], 4);
	trace_free(t);
}

/* -F comm,tid,time,event,trace: said once, with the first line. */
Test(trace_perf, a_trace_without_cpus_is_all_on_the_first)
{
	struct diag diag = DIAG_INIT;
	struct trace *t = load(FORMS "perf-no-cpu.txt", "perf", &diag);

	cr_assert_eq(t->nr_events, 2);
	cr_expect_eq(t->nr_cpus, 1);
	cr_assert_eq(diag.nr_warnings, 1);
	cr_expect_eq(diag.warnings[0].line, 1);
	cr_expect(strstr(diag.warnings[0].text, "on which CPU"));
	trace_free(t);
	diag_clear(&diag);
}

Test(trace_perf, lines_that_are_none_are_counted)
{
	static const char text[] =
		"  bash 7 [001] 1.000001: kmem:mm_page_alloc: page=0x1 pfn=1 order=0 "
		"gfp_flags=0x0\n"
		"  bash 7 [001] 1.000002 kmem:mm_page_alloc: page=0x1 pfn=2 order=0 gfp_flags=0x0\n"
		"  bash 7 [x] 1.000002: kmem:mm_page_alloc: page=0x1 pfn=2 order=0 gfp_flags=0x0\n"
		"  bash [001] 1.000002: kmem:mm_page_alloc: page=0x1 pfn=2 order=0 gfp_flags=0x0\n"
		"  bash 7 [001] 1.000002: mm_page_alloc page=0x1 pfn=2 order=0 gfp_flags=0x0\n"
		"  bash 7 [9999999999] 1.0: kmem:mm_page_free: page=0x1 pfn=1 order=0\n"
		"ffffffff81000000 not behind an event\n"
		"  bash 7 [001] 1.000003: kmem:mm_page_free: page=0x1 pfn=1 order=0\n";
	struct diag diag = DIAG_INIT;
	struct trace *t = NULL;

	cr_assert_eq(trace_parse(text, sizeof(text) - 1, "text", &diag, &t), 0);
	cr_assert_str_eq(t->format, "perf");
	cr_expect_eq(t->nr_events, 2);
	cr_expect_eq(t->skipped[TRACE_SKIP_UNREADABLE], 6);
	cr_expect_eq(t->first_unreadable_line, 2);
	trace_free(t);
	diag_clear(&diag);
}

/* Raw fields (-R, or what cannot be computed), numbers in any base, its own notes of lost events.
 */
Test(trace_cmd, raw_fields_of_2_9)
{
	struct diag diag = DIAG_INIT;
	struct trace *t = load(FORMS "trace-cmd-2.9-raw.txt", "ftrace", &diag);

	cr_assert_eq(t->nr_events, 5);
	EXPECT(t, 0, .op = TRACE_ALLOC, .order = 1, .cpu = 3,
	       .gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO, .line = 3);
	EXPECT(t, 1, .op = TRACE_ALLOC, .page = 1, .cpu = 2, .gfp = 1312970,
	       .migratetype = MM_MOVABLE, .time_ps = 5 * US, .line = 4);
	EXPECT(t, 2, .op = TRACE_ALLOC, .page = TRACE_NO_PAGE, .order = 4, .cpu = 2, .gfp = 3264,
	       .flags = TRACE_F_FAILED, .time_ps = 6 * US, .line = 5);
	EXPECT(t, 3, .op = TRACE_ALLOC, .page = TRACE_NO_PAGE, .order = 4, .cpu = 2, .gfp = 3264,
	       .flags = TRACE_F_FAILED, .time_ps = 7 * US, .line = 6);
	EXPECT(t, 4, .op = TRACE_FREE, .order = 1, .cpu = 3, .time_ps = 15 * US, .line = 9);
	cr_expect_eq(trace_pfn(t, 1), 266752);
	cr_expect_eq(t->skipped[TRACE_SKIP_LOST], 2);
	cr_expect_eq(t->lost_events, 12);
	cr_expect_eq(t->skipped[TRACE_SKIP_COMMENT], 2);
	trace_free(t);
}

/* Flags are shown, a tgid, -t, --ts-diff. */
Test(trace_cmd, flags_and_times_of_3_1)
{
	struct diag diag = DIAG_INIT;
	struct trace *t = load(FORMS "trace-cmd-3.1.txt", "ftrace", &diag);

	cr_assert_eq(t->nr_events, 3);
	EXPECT(t, 0, .op = TRACE_ALLOC, .cpu = 4, .gfp = 0x152c4a, .migratetype = MM_MOVABLE,
	       .line = 2);
	EXPECT(t, 1, .op = TRACE_FREE, .cpu = 4, .time_ps = 4 * US, .line = 3);
	EXPECT(t, 2, .op = TRACE_ALLOC, .page = 1, .cpu = 1, .gfp = 0xcc0,
	       .time_ps = 43 * US + 123000, .line = 4);
	trace_free(t);
}

/* -l: the CPU stands at the head of the flags. */
Test(trace_cmd, latency_format)
{
	struct diag diag = DIAG_INIT;
	struct trace *t = load(FORMS "trace-cmd-latency.txt", "ftrace", &diag);

	cr_assert_eq(t->nr_events, 2);
	EXPECT(t, 0, .op = TRACE_ALLOC, .cpu = 12, .gfp = GFP_HIGHUSER_MOVABLE,
	       .migratetype = MM_MOVABLE, .line = 3);
	EXPECT(t, 1, .op = TRACE_FREE, .cpu = 2, .time_ps = 100 * US, .line = 4);
	cr_expect_eq(t->skipped[TRACE_SKIP_OTHER_EVENT], 1);
	trace_free(t);
}
