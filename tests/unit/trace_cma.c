/* SPDX-License-Identifier: Apache-2.0 */
/* Events of the CMA area of kernels from 4.x to 6.x, and all forms that keep them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/trace/trace.h"
#include "sim/trace/writer.h"

static struct trace *parse(const char *text, size_t len)
{
	struct diag d = DIAG_INIT;
	struct trace *t;

	cr_assert_eq(trace_parse(text, len, "t", &d, &t), 0, "%s", d.error.text);
	diag_clear(&d);
	return t;
}

static struct trace *parse_text(const char *text)
{
	return parse(text, strlen(text));
}

static void is_alloc(const struct trace *t, size_t i, uint32_t page, uint32_t nr, uint32_t align)
{
	cr_assert_lt(i, t->nr_events);
	cr_expect_eq(t->events[i].op, TRACE_CMA_ALLOC);
	cr_expect_eq(t->events[i].page, page);
	cr_expect_eq(t->events[i].bytes, nr);
	cr_expect_eq(t->events[i].align, align);
	cr_expect_eq(!!(t->events[i].flags & TRACE_F_FAILED), page == TRACE_NO_PAGE);
}

static void is_release(const struct trace *t, size_t i, uint32_t page, bool inferred)
{
	cr_assert_lt(i, t->nr_events);
	cr_expect_eq(t->events[i].op, TRACE_CMA_RELEASE);
	cr_expect_eq(t->events[i].page, page);
	cr_expect_eq(!!(t->events[i].flags & TRACE_F_INFERRED), inferred);
}

/* The steps and the pages of the release come to nothing; a page that moved away is one of its own,
 * and so is a free behind the end of the frames. */
static const char linux_6_1[] =
	"# tracer: nop\n"
	"  dd-7 [001] ..... 5.000001: mm_page_alloc: page=x pfn=0x8a2 order=0 migratetype=1 "
	"gfp_flags=GFP_HIGHUSER_MOVABLE\n"
	"  dd-7 [000] ..... 5.000002: cma_alloc_start: name=reserved count=3 align=2\n"
	"  dd-7 [000] ..... 5.000003: cma_alloc_busy_retry: name=reserved pfn=0x89c "
	"page=00000000d1e2a3b4 count=3 align=2\n"
	"  dd-7 [000] ..... 5.000004: mm_page_alloc: page=x pfn=0x100 order=0 migratetype=1 "
	"gfp_flags=GFP_HIGHUSER_MOVABLE\n"
	"  dd-7 [000] ..... 5.000005: mm_page_free: page=x pfn=0x8a2 order=0\n"
	"  dd-7 [000] ..... 5.000006: cma_alloc_finish: name=reserved pfn=0x8a0 "
	"page=00000000d1e2a3b5 count=3 align=2\n"
	"  dd-7 [001] ..... 5.000007: mm_page_free: page=x pfn=0x8a0 order=0\n"
	"  dd-7 [001] ..... 5.000007: mm_page_free: page=x pfn=0x8a1 order=0\n"
	"  dd-7 [001] ..... 5.000007: mm_page_free: page=x pfn=0x8a2 order=0\n"
	"  dd-7 [001] ..... 5.000008: mm_page_free: page=x pfn=0x8a3 order=0\n"
	"  dd-7 [001] ..... 5.000009: cma_release: name=reserved pfn=0x8a0 "
	"page=00000000d1e2a3b5 count=3\n"
	"  dd-7 [001] ..... 5.000010: cma_alloc_finish: name=reserved pfn=0x8b0 "
	"page=(null) count=4096 align=8\n";

Test(trace_cma, ftrace_of_6_1)
{
	struct trace *t = parse_text(linux_6_1);

	cr_assert_eq(t->nr_events, 7);
	is_alloc(t, 3, 2, 3, 2);
	cr_expect_eq(trace_pfn(t, 2), 0x8a0);
	cr_expect_eq(t->events[3].time_ps, 5000000);
	cr_expect_eq(t->events[4].op, TRACE_FREE_HELD);
	is_release(t, 5, 2, false);
	cr_expect_eq(t->events[5].cpu, 1);
	is_alloc(t, 6, TRACE_NO_PAGE, 4096, 8);
	cr_expect_eq(t->skipped[TRACE_SKIP_CMA_PART], 5);
	cr_expect_eq(t->nr_cma_allocs, 1);
	cr_expect_eq(t->nr_cma_releases, 1);
	cr_expect_eq(t->nr_lines, t->nr_events + 5 + 1);
	trace_free(t);
}

/* 4.x: no name, and frames without 0x, of digits only too; -1 is none. */
Test(trace_cma, ftrace_of_4_19)
{
	struct trace *t = parse_text(
		"  a-1 [000] .... 1.000001: cma_alloc: pfn=78000 page=00000000d1e2 count=256 "
		"align=8\n"
		"  a-1 [000] .... 1.000002: cma_alloc: pfn=7bf00 page=00000000d1e3 count=1 "
		"align=0\n"
		"  a-1 [000] .... 1.000003: cma_release: pfn=78000 page=00000000d1e2 count=256\n"
		"  a-1 [000] .... 1.000004: cma_alloc: pfn=ffffffffffffffff page=          (null) "
		"count=2 align=1\n");

	cr_assert_eq(t->nr_events, 4);
	is_alloc(t, 0, 0, 256, 8);
	is_alloc(t, 1, 1, 1, 0);
	is_release(t, 2, 0, false);
	is_alloc(t, 3, TRACE_NO_PAGE, 2, 1);
	cr_expect_eq(trace_pfn(t, 0), 0x78000);
	cr_expect_eq(trace_pfn(t, 1), 0x7bf00);
	trace_free(t);
}

Test(trace_cma, perf_script_of_6_3)
{
	struct trace *t = parse_text(
		"cat   7 [000]     5.000001: cma:cma_alloc_start: name=linux,cma count=16 align=4\n"
		"cat   7 [000]     5.000002: cma:cma_alloc_finish: name=linux,cma pfn=0x3f000 "
		"page=0xffffea0000fc0000 count=16 align=4 errorno=0\n"
		"cat   7 [003]     5.000003: cma:cma_release: name=linux,cma pfn=0x3f000 "
		"page=0xffffea0000fc0000 count=16\n");

	cr_assert_eq(t->nr_events, 2);
	is_alloc(t, 0, 0, 16, 4);
	cr_expect_eq(t->events[0].time_ps, 0, "the start of it does not start the clock");
	is_release(t, 1, 0, false);
	cr_expect_eq(t->events[1].cpu, 3);
	trace_free(t);
}

/* Frames of two that are allocated: both were released in silence. What is left is a part of what
 * was, or from before. */
Test(trace_cma, releases_that_are_missing_or_do_not_fit)
{
	struct trace *t = parse_text(
		"  a-1 [000] .... 1.000001: cma_alloc_finish: pfn=0x100 page=x count=8 align=0\n"
		"  a-1 [000] .... 1.000002: cma_alloc_finish: pfn=0x110 page=x count=8 align=0\n"
		"  a-1 [000] .... 1.000002: cma_alloc_finish: pfn=0x118 page=x count=8 align=0\n"
		"  a-1 [001] .... 1.000003: cma_alloc_finish: pfn=0x107 page=x count=10 align=0\n"
		"  a-1 [000] .... 1.000004: cma_release: pfn=0x108 page=x count=9\n"
		"  a-1 [000] .... 1.000005: cma_release: pfn=0x107 page=x count=9\n"
		"  a-1 [000] .... 1.000006: cma_release: pfn=0x106 page=x count=1\n"
		"  a-1 [000] .... 1.000007: cma_release: pfn=0x118 page=x count=8\n");

	cr_assert_eq(t->nr_events, 7);
	is_release(t, 3, 0, true);
	is_release(t, 4, 1, true);
	cr_expect_eq(t->events[4].cpu, 1);
	is_alloc(t, 5, 3, 10, 0);
	is_release(t, 6, 2, false);
	cr_expect_eq(t->inferred[TRACE_INFER_FREE], 2);
	cr_expect_eq(t->skipped[TRACE_SKIP_ORDER_MISMATCH], 2);
	cr_expect_eq(t->skipped[TRACE_SKIP_CMA_HELD], 1);
	trace_free(t);
}

Test(trace_cma, damaged_lines_are_counted)
{
	struct trace *t = parse_text(
		"  a-1 [000] .... 1.000001: cma_alloc_finish: pfn=0x100 page=x count=8 align=0\n"
		"  a-1 [000] .... 1.000002: cma_alloc_finish: pfn=0x200 page=x count=0 align=0\n"
		"  a-1 [000] .... 1.000003: cma_alloc_finish: pfn=0x200 page=x count=8\n"
		"  a-1 [000] .... 1.000004: cma_alloc_finish: pfn=0x2g0 page=x count=8 align=0\n"
		"  a-1 [000] .... 1.000005: cma_alloc_finish: pfn=0x200 page=x count=8 align=32\n"
		"  a-1 [000] .... 1.000006: cma_alloc_finish: pfn=0xfffffffffffff page=x count=2 "
		"align=0\n"
		"  a-1 [000] .... 1.000007: cma_alloc_finish: page=x count=2 align=0\n"
		"  a-1 [000] .... 1.000008: cma_release: pfn=0x100 page=(null) count=8\n");

	cr_expect_eq(t->nr_events, 1);
	cr_expect_eq(t->skipped[TRACE_SKIP_UNREADABLE], 7);
	trace_free(t);
}

/* Written and read back. Free with trace_free(). */
static struct trace *through(const struct trace *t, const char *form)
{
	struct diag d = DIAG_INIT;
	struct trace *back;
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	cr_assert(f);
	cr_assert_eq(trace_find_writer(form)->write(t, f, &d), 0, "%s: %s", form, d.error.text);
	fclose(f);
	back = parse(text, len);
	free(text);
	diag_clear(&d);
	return back;
}

static void is_same(const struct trace *got, const struct trace *want, const char *form)
{
	cr_assert_eq(got->nr_events, want->nr_events, "%s", form);
	for (size_t i = 0; i < got->nr_events; i++) {
		struct trace_event a = got->events[i], b = want->events[i];

		a.line = b.line = 0;
		cr_assert_arr_eq(&a, &b, sizeof(a), "event %zu, %s", i, form);
	}
	cr_assert_eq(got->nr_pages, want->nr_pages, "%s", form);
	for (uint32_t i = 0; i < got->nr_pages; i++)
		cr_assert_eq(trace_pfn(got, i), trace_pfn(want, i), "page %u, %s", i, form);
	for (int i = 0; i < TRACE_NR_SKIPS; i++)
		cr_assert_eq(got->skipped[i], want->skipped[i], "%s, %s",
			     trace_skip_name((enum trace_skip)i), form);
}

static const char *const forms[] = {"native", "ftrace", "perf", "trace-cmd", "binary"};
#define NR_FORMS (sizeof(forms) / sizeof(forms[0]))

/* Each form back, and from each to each. */
Test(trace_cma, every_form_keeps_them)
{
	struct trace *t = parse_text(linux_6_1);

	for (size_t i = 0; i < NR_FORMS; i++) {
		struct trace *first = through(t, forms[i]);

		is_same(first, t, forms[i]);
		for (size_t k = 0; k < NR_FORMS; k++) {
			struct trace *second = through(first, forms[k]);

			is_same(second, t, forms[k]);
			trace_free(second);
		}
		trace_free(first);
	}
	trace_free(t);
}

/* By hand: frames that are not known, or those of a page, touched, and released by inference. */
Test(trace_cma, native_text)
{
	struct trace *t = parse_text("# numasim trace 1\n"
				     "cpu=0 alloc page gfp=GFP_KERNEL pfn=0x40\n"
				     "cpu=0 cma_alloc a pages=1000 align=9\n"
				     "cpu=0 cma_alloc b pages=1 align=0 pfn=0x40\n"
				     "cpu=1 touch a write 2MiB\n"
				     "cpu=0 cma_alloc - pages=5 align=31\n"
				     "cpu=0 free page\n"
				     "cpu=0 touch b read 64B\n"
				     "1us cpu=0 inferred cma_release b\n"
				     "cpu=1 cma_release a\n");

	cr_assert_eq(t->nr_events, 9);
	is_alloc(t, 1, 1, 1000, 9);
	is_alloc(t, 2, 2, 1, 0);
	is_alloc(t, 4, TRACE_NO_PAGE, 5, 31);
	is_release(t, 7, 2, true);
	is_release(t, 8, 1, false);
	cr_expect_eq(trace_pfn(t, 1), TRACE_NO_PFN);
	for (size_t i = 0; i < NR_FORMS; i++) {
		struct trace *back = through(t, forms[i]);

		cr_assert_eq(back->nr_events, t->nr_events);
		for (size_t e = 0; e < t->nr_events; e++) {
			back->events[e].line = t->events[e].line = 0;
			cr_assert_arr_eq(&back->events[e], &t->events[e], sizeof(*t->events),
					 "event %zu, %s", e, forms[i]);
		}
		trace_free(back);
	}
	trace_free(t);
}

static void is_refused(const char *before, const char *line, const char *message)
{
	struct diag d = DIAG_INIT;
	struct trace *t = NULL;
	char text[1024];

	snprintf(text, sizeof(text), "%s%s\n", before, line);
	cr_assert_neq(trace_parse(text, strlen(text), "t", &d, &t), 0, "%s", line);
	cr_expect(strstr(d.error.text, message), "%s\nhas not: %s", d.error.text, message);
	diag_clear(&d);
}

Test(trace_cma, native_errors)
{
	static const char before[] = "# numasim trace 1\n"
				     "cpu=0 alloc page gfp=GFP_KERNEL order=1\n"
				     "cpu=0 kmalloc object bytes=8 gfp=GFP_KERNEL\n"
				     "cpu=0 cma_alloc a pages=7 align=0\n";

	is_refused(before, "cpu=0 cma_alloc b", "expected pages= and a number from 1 to 268435456");
	is_refused(before, "cpu=0 cma_alloc b pages=0 align=0", "found \"pages=0\"");
	is_refused(before, "cpu=0 cma_alloc b pages=1 align=32", "a number from 0 to 31");
	is_refused(before, "cpu=0 cma_alloc b pages=1 align=1 order=3",
		   "found \"order=3\", expected pfn=");
	is_refused(before, "cpu=0 cma_alloc a pages=1 align=1", "\"a\" is in use");
	is_refused(before, "cpu=0 cma_release page", "which is a page: expected free");
	is_refused(before, "cpu=0 cma_release object", "a slab object: expected kfree");
	is_refused(before, "cpu=0 cma_release c", "which no line before allocates");
	is_refused(before, "cpu=0 free a", "of the CMA area: expected cma_release");
	is_refused(before, "cpu=0 kfree a", "of the CMA area: expected cma_release");
	is_refused(before, "cpu=0 split a b", "which is of the CMA area");
	is_refused(before, "cpu=0 touch a write 16385B", "beyond \"a\"");
	is_refused(before, "cpu=0 inferred cma_alloc b pages=1 align=0", "behind inferred");
	is_refused(before, "cpu=0 cma_relase a", "did you mean \"cma_release\"?");
}

#define LINE "  a-1 [000] .... 0.000001: "

/* Texts that numasim wrote and somebody has changed. */
Test(trace_cma, errors_in_our_kernel_text)
{
	static const char before[] =
		LINE "tracing_mark_write: numasim: trace 1\n" LINE
		     "cma_alloc_finish: name=reserved pfn=0x100 page=0x1 count=8 align=0\n";

	is_refused(before,
		   LINE "cma_alloc_finish: name=reserved pfn=0x100 page=0x1 count=8 align=0",
		   "frame 0x100 is allocated again");
	is_refused(before, LINE "cma_release: name=reserved pfn=0x100 page=0x1 count=7",
		   "a release of 7 frames from 0x100, expected 8");
	is_refused(before, LINE "cma_release: name=reserved pfn=0x101 page=0x1 count=8",
		   "which no line has allocated from the CMA area");
	is_refused(before, LINE "cma_release: name=reserved page=0x1 count=8", "found no pfn");
	is_refused(before,
		   LINE "mm_page_alloc: page=0x1 pfn=0x100 order=0 migratetype=0 "
			"gfp_flags=GFP_KERNEL",
		   "frame 0x100 is allocated again");
}
