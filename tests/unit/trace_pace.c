/* SPDX-License-Identifier: Apache-2.0 */
/* How quick kswapd was on the traced machine: from its lines, and kept by each form of a trace. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/trace_forge.h"

#define US UINT64_C(1000000) /* picoseconds */

struct script {
	char *text;
	size_t len;
	FILE *out;
};

static void begin(struct script *s)
{
	s->out = open_memstream(&s->text, &s->len);
	fputs("# tracer: nop\n", s->out);
	fputs("  task-1  [000] .....  1.000000: mm_page_alloc: page=0000000000000001 pfn=0x1 "
	      "order=0 "
	      "migratetype=0 gfp_flags=GFP_KERNEL\n",
	      s->out);
}

static void line(struct script *s, const char *who, unsigned us, const char *event)
{
	fprintf(s->out, "  %s  [001] .....  1.%06u: %s\n", who, us, event);
}

/* Pages from before the window, one after the other. */
static void free_pages(struct script *s, const char *who, unsigned us, unsigned step, unsigned nr)
{
	static unsigned pfn = 0x1000;

	for (unsigned i = 0; i < nr; i++)
		fprintf(s->out,
			"  %s  [001] .....  1.%06u: mm_page_free: page=0000000000000001 "
			"pfn=0x%x order=0\n",
			who, us + i * step, pfn++);
}

static struct trace *end(struct script *s)
{
	struct diag diag = DIAG_INIT;
	struct trace *t;

	fclose(s->out);
	cr_assert_eq(trace_parse(s->text, s->len, "script", &diag, &t), 0, "%s",
		     diag.failed ? diag.error.text : "");
	free(s->text);
	return t;
}

/* Three passes of 40 pages at 7 us, of which one has a pause of 30 us; what is between them is
 * sleep.
 */
Test(trace_pace, a_page_takes_its_share_of_the_passes)
{
	struct script s;
	struct trace *t;

	begin(&s);
	free_pages(&s, "kswapd0-44", 1000, 7, 40);
	free_pages(&s, "kswapd0-44", 300000, 7, 20);
	free_pages(&s, "kswapd0-44", 300163, 7, 20);
	free_pages(&s, "kswapd0-44", 600000, 7, 40);
	t = end(&s);
	/* 3 * 39 times from page to page, 116 of 7 us and one of 30. */
	cr_assert_eq(t->kswapd_page_ps, (116 * 7 + 30) * US / 117);
	cr_assert_eq(t->kswapd_wake_ps, 0);
	trace_free(t);
}

/* 3 ms between two pages are its own, if it is slow; more are not. */
Test(trace_pace, a_slow_kswapd_is_not_asleep)
{
	struct script s;
	struct trace *t;

	begin(&s);
	free_pages(&s, "kswapd0-44", 1000, 3000, 40);
	t = end(&s);
	cr_assert_eq(t->kswapd_page_ps, 3000 * US);
	trace_free(t);
	begin(&s);
	free_pages(&s, "kswapd0-44", 1000, 3001, 40);
	t = end(&s);
	cr_assert_eq(t->kswapd_page_ps, 0);
	trace_free(t);
}

/* Each kswapd by itself: two that take turns are not twice as quick. Others do not count. */
Test(trace_pace, each_thread_has_its_own_pace)
{
	struct script s;
	struct trace *t;

	begin(&s);
	for (unsigned i = 0; i < 100; i++) {
		free_pages(&s, "kswapd0-44", 1000 + 10 * i, 0, 1);
		free_pages(&s, "kswapd1-45", 1005 + 10 * i, 0, 1);
		free_pages(&s, "kcompactd0-46", 1006 + 10 * i, 0, 1);
		free_pages(&s, "kswapdoodle-47", 1007 + 10 * i, 0, 1);
	}
	t = end(&s);
	cr_assert_eq(t->kswapd_page_ps, 10 * US);
	trace_free(t);
}

/* 32 pages are 31 times from page to page, less than a batch. */
Test(trace_pace, too_few_pages_tell_nothing)
{
	struct script s;
	struct trace *t;

	begin(&s);
	free_pages(&s, "kswapd0-44", 1000, 7, 32);
	t = end(&s);
	cr_assert_eq(t->kswapd_page_ps, 0);
	trace_free(t);
}

/*
 * 40, 90 and 300 us; a second wake-up before it runs is not the beginning, and one of another
 * node's is not its own.
 */
Test(trace_pace, a_wake_up_takes_until_that_thread_runs)
{
	struct script s;
	struct trace *t;

	begin(&s);
	line(&s, "task-1", 100, "mm_vmscan_kswapd_wake: nid=0 order=0");
	line(&s, "task-1", 200, "mm_vmscan_wakeup_kswapd: nid=0 order=0 gfp_flags=none");
	line(&s, "kswapd0-44", 240, "mm_vmscan_kswapd_wake: nid=0 order=0");
	line(&s, "task-1", 400, "mm_vmscan_wakeup_kswapd: nid=1 order=0 gfp_flags=none");
	line(&s, "task-1", 500, "mm_vmscan_wakeup_kswapd: nid=0 order=0 gfp_flags=none");
	line(&s, "task-1", 550, "mm_vmscan_wakeup_kswapd: nid=0 order=0 gfp_flags=none");
	line(&s, "kswapd0-44", 590, "mm_vmscan_kswapd_wake: nid=0 order=0");
	line(&s, "kswapd1-45", 700, "mm_vmscan_kswapd_wake: nid=1 order=0");
	line(&s, "kswapd1-45", 800, "mm_vmscan_kswapd_wake: nid=x");
	t = end(&s);
	cr_assert_eq(t->kswapd_wake_ps, (40 + 90 + 300) * US / 3);
	cr_assert_eq(t->kswapd_page_ps, 0);
	trace_free(t);
}

Test(trace_pace, more_than_a_second_is_refused)
{
	static const char text[] = "# numasim trace 1\n"
				   "original kswapd_page_ps=1000000000001\n"
				   "1us cpu=0 alloc a order=0 gfp=GFP_KERNEL\n";
	struct diag diag = DIAG_INIT;
	struct trace *t;

	cr_assert_eq(trace_parse(text, strlen(text), "a.nst", &diag, &t), -EINVAL);
	cr_assert_eq(diag.error.line, 2);
}

Test(trace_pace, every_form_keeps_it)
{
	static const char *const forms[] = {"native", "binary", "ftrace", "perf", "trace-cmd"};
	struct diag diag = DIAG_INIT;
	struct script s;
	struct trace *t, *back;

	begin(&s);
	free_pages(&s, "kswapd0-44", 1000, 7, 64);
	line(&s, "task-1", 2000, "mm_vmscan_wakeup_kswapd: nid=0 order=0 gfp_flags=none");
	line(&s, "kswapd0-44", 2150, "mm_vmscan_kswapd_wake: nid=0 order=0");
	t = end(&s);
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		struct bytes b = forge_write(t, forms[i], &diag);

		cr_assert_not_null(b.data, "%s", forms[i]);
		cr_assert_eq(trace_parse(b.data, b.len, "back", &diag, &back), 0, "%s", forms[i]);
		cr_assert_eq(back->kswapd_page_ps, 7 * US, "%s", forms[i]);
		cr_assert_eq(back->kswapd_wake_ps, 150 * US, "%s", forms[i]);
		trace_free(back);
		free(b.data);
	}
	trace_free(t);
}
