/* SPDX-License-Identifier: Apache-2.0 */
/* The native format: what it says, every way to get it wrong, and writing it back. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mm/gfp.h"
#include "sim/trace/trace.h"

#include "../trace_expect.h"

#define HEADER "# numasim trace 1\n"
#define NS     UINT64_C(1000) /* picoseconds */
#define US     (1000 * NS)

static struct trace *parse(const char *text)
{
	struct diag diag = DIAG_INIT;
	struct trace *t = NULL;
	int err = trace_parse(text, strlen(text), "text", &diag, &t);

	cr_assert_eq(err, 0, "line %u: %s", diag.error.line, diag.error.text);
	cr_assert_str_eq(t->format, "native");
	return t;
}

/* The example that users see, event by event. */
Test(trace_native, example)
{
	struct diag diag = DIAG_INIT;
	struct trace *t = NULL;
	const uint32_t none = TRACE_NO_PAGE;

	cr_assert_eq(trace_load(SOURCE_DIR "/traces/example.nst", NULL, &diag, &t), 0, "%s",
		     diag.error.text);
	cr_assert_eq(t->nr_events, 13);
	EXPECT(t, 0, .op = TRACE_ALLOC, .gfp = GFP_KERNEL | __GFP_ZERO, .line = 7);
	EXPECT(t, 1, .op = TRACE_TOUCH, .write = 1, .bytes = 64, .line = 8);
	EXPECT(t, 2, .op = TRACE_ALLOC, .time_ps = US, .page = 1, .order = 3,
	       .gfp = GFP_HIGHUSER_MOVABLE, .migratetype = MM_MOVABLE, .line = 9);
	EXPECT(t, 3, .op = TRACE_TOUCH, .time_ps = US, .page = 1, .write = 1, .bytes = 8 * 4096,
	       .line = 10);
	EXPECT(t, 4, .op = TRACE_WAIT, .time_ps = 10 * US, .page = none, .cpu = 1, .line = 12);
	EXPECT(t, 5, .op = TRACE_TOUCH, .time_ps = 12500 * NS, .cpu = 1, .bytes = 64, .line = 13);
	EXPECT(t, 6, .op = TRACE_TOUCH, .time_ps = 12500 * NS, .page = 1, .cpu = 1,
	       .bytes = 8 * 4096, .line = 14);
	EXPECT(t, 7, .op = TRACE_FREE, .time_ps = 20 * US, .page = 1, .order = 3, .cpu = 1,
	       .line = 16);
	EXPECT(t, 8, .op = TRACE_ALLOC, .time_ps = 20 * US, .page = none, .order = 10, .cpu = 1,
	       .gfp = GFP_TRANSHUGE | __GFP_NORETRY, .migratetype = MM_MOVABLE,
	       .flags = TRACE_F_FAILED, .line = 17);
	EXPECT(t, 9, .op = TRACE_ALLOC, .time_ps = 25 * US, .page = 2, .gfp = GFP_ATOMIC,
	       .line = 18);
	EXPECT(t, 10, .op = TRACE_FREE, .time_ps = 25 * US, .page = 2, .line = 19);
	EXPECT(t, 11, .op = TRACE_FREE, .time_ps = 25 * US, .page = 0, .line = 20);
	EXPECT(t, 12, .op = TRACE_ALLOC, .time_ps = 25 * US, .page = 3, .cpu = 1,
	       .gfp = GFP_NOFS | __GFP_RECLAIMABLE, .migratetype = MM_RECLAIMABLE, .line = 21);
	cr_assert_eq(t->nr_allocs, 4);
	cr_assert_eq(t->nr_pages, 4);
	cr_assert_eq(t->nr_failed, 1);
	cr_assert_eq(t->nr_frees, 3);
	cr_assert_eq(t->nr_touches, 4);
	cr_assert_eq(t->nr_waits, 1);
	cr_assert_eq(t->pages_allocated, 1 + 8 + 1 + 1);
	cr_assert_eq(t->pages_freed, 8 + 1 + 1);
	cr_assert_eq(t->allocs_by_order[0], 3);
	cr_assert_eq(t->allocs_by_order[3], 1);
	cr_assert_eq(t->nr_cpus, 2);
	cr_assert_eq(t->span_ps, 25 * US);
	cr_assert_gt(t->min_pfn, t->max_pfn);
	cr_assert_eq(t->nr_lines, t->nr_events + t->skipped[TRACE_SKIP_COMMENT]);
	trace_free(t);
}

Test(trace_native, attributes_come_in_any_order)
{
	struct trace *t = parse(HEADER "cpu=8191 alloc a gfp=0x140cca order=10\r\n"
				       "cpu=0\talloc\tb mobility=movable gfp=GFP_KERNEL # c\n"
				       "cpu=0 alloc c gfp=none|0x10");

	cr_assert_eq(t->nr_events, 3);
	EXPECT(t, 0, .op = TRACE_ALLOC, .cpu = 8191, .order = 10, .gfp = 0x140cca,
	       .migratetype = MM_MOVABLE, .line = 2);
	EXPECT(t, 1, .op = TRACE_ALLOC, .page = 1, .gfp = GFP_KERNEL, .migratetype = MM_MOVABLE,
	       .line = 3);
	EXPECT(t, 2, .op = TRACE_ALLOC, .page = 2, .gfp = 0x10, .migratetype = MM_RECLAIMABLE,
	       .line = 4);
	trace_free(t);
}

/* What a user may get wrong, and the whole message for it. The line is the last one. */
static const struct mistake {
	const char *lines, *message;
} mistakes[] = {
	{"5 cpu=0 alloc a gfp=GFP_KERNEL", "time \"5\" has no unit (known: ps, ns, us, ms, s)"},
	{"5parsec cpu=0 alloc a gfp=GFP_KERNEL",
	 "time \"5parsec\" has an unknown unit (known: ps, ns, us, ms, s)"},
	{"5us cpu=0 alloc a gfp=GFP_KERNEL\n4us cpu=0 free a",
	 "time 4us goes back: a line before has 5us"},
	{"alloc a gfp=GFP_KERNEL",
	 "found \"alloc\", expected a time (\"12.5us\") or the CPU (\"cpu=0\")"},
	{"5us alloc a gfp=GFP_KERNEL", "found \"alloc\", expected the CPU (\"cpu=0\")"},
	{"5us", "found the end of the line, expected the CPU (\"cpu=0\")"},
	{"cpu=", "found \"cpu=\", expected the CPU (\"cpu=0\")"},
	{"cpu=-1 free a", "found \"cpu=-1\", expected the CPU (\"cpu=0\")"},
	{"cpu=8192 free a", "cpu=8192 is too large: 8191 is the highest CPU"},
	{"cpu=99999999999999999999999 free a",
	 "cpu=99999999999999999999999 is too large: 8191 is the highest CPU"},
	{"cpu=0", "found the end of the line, expected alloc, free, split, touch, wait, kmalloc, "
		  "cache_alloc, kfree, cma_alloc, cma_release or hotplug"},
	{"cpu=0 aloc a gfp=GFP_KERNEL", "unknown operation \"aloc\"; did you mean \"alloc\"?"},
	{"cpu=0 split a b", "a split of \"a\", which no line before allocates"},
	{"cpu=0 alloc a gfp=GFP_KERNEL\ncpu=0 split a b",
	 "a split of \"a\", which is a single page"},
	{"cpu=0 alloc a order=1 gfp=GFP_KERNEL\ncpu=0 split a a",
	 "\"a\" is in use: line 2 allocated it and none has freed it"},
	{"cpu=0 alloc a order=1 gfp=GFP_KERNEL\ncpu=0 split a",
	 "found the end of the line, expected the name of the upper half"},
	{"cpu=0 alloc a order=1 gfp=GFP_KERNEL\ncpu=0 split a b c",
	 "found \"c\", expected the end of the line"},
	{"cpu=0 defragment", "found \"defragment\", expected alloc, free, split, touch, wait, "
			     "kmalloc, cache_alloc, kfree, cma_alloc, cma_release or hotplug"},
	{"cpu=0 alloc", "found the end of the line, expected the name of an allocation"},
	{"cpu=0 alloc a",
	 "found the end of the line, expected gfp= with the kernel's names (\"gfp=GFP_KERNEL\")"},
	{"cpu=0 alloc a gfp=GFP_KERNAL",
	 "unknown gfp flag \"GFP_KERNAL\"; did you mean \"GFP_KERNEL\"?"},
	{"cpu=0 alloc a gfp=GFP_KERNEL|__GFP_ZER0",
	 "unknown gfp flag \"__GFP_ZER0\"; did you mean \"__GFP_ZERO\"?"},
	{"cpu=0 alloc a gfp=",
	 "unknown gfp flag \"\"; expected the kernel's names joined by '|', as in "
	 "GFP_KERNEL|__GFP_ZERO"},
	{"cpu=0 alloc a gfp=GFP_KERNEL||__GFP_ZERO",
	 "unknown gfp flag \"\"; expected the kernel's names joined by '|', as in "
	 "GFP_KERNEL|__GFP_ZERO"},
	{"cpu=0 alloc a gfp=0x100000000", "gfp \"0x100000000\" is not a number of 32 bits"},
	{"cpu=0 alloc a gfp=0x1g", "gfp \"0x1g\" is not a number of 32 bits"},
	{"cpu=0 alloc a order=11 gfp=GFP_KERNEL", "order 11 is too large: an order is 0 to 10"},
	{"cpu=0 alloc a order=two gfp=GFP_KERNEL", "order \"two\" is not a number from 0 to 10"},
	{"cpu=0 alloc a order=1 gfp=GFP_KERNEL order=1", "order= stands twice in the line"},
	{"cpu=0 alloc a odrer=1 gfp=GFP_KERNEL",
	 "unknown word \"odrer=\"; did you mean \"order=\"?"},
	{"cpu=0 alloc a 1 gfp=GFP_KERNEL",
	 "found \"1\", expected order=, gfp=, mobility=, node=, policy=, turn=, for=, by= or "
	 "pfn="},
	{"cpu=0 alloc a gfp=GFP_KERNEL mobility=moveable",
	 "unknown mobility \"moveable\"; did you mean \"movable\"?"},
	{"cpu=0 alloc a gfp=GFP_KERNEL mobility=1",
	 "unknown mobility \"1\"; expected unmovable, movable or reclaimable"},
	{"cpu=0 alloc a gfp=GFP_KERNEL\n\n1us cpu=1 alloc a gfp=GFP_KERNEL",
	 "\"a\" is in use: line 2 allocated it and none has freed it"},
	{"cpu=0 free a", "a free of \"a\", which no line before allocates"},
	{"cpu=0 alloc - gfp=GFP_KERNEL\ncpu=0 free -",
	 "found the end of the line, expected order= of a page from before the trace"},
	{"cpu=0 free - order=0 gfp=GFP_KERNEL", "found \"gfp=\", expected order=, pfn= or by="},
	{"cpu=0 free - order=0 pfn=17",
	 "pfn \"17\" is not a page frame number from 0x0 to 0xfffffffffffff"},
	{"cpu=0 free - order=0 pfn=0x10000000000000",
	 "pfn \"0x10000000000000\" is not a page frame number from 0x0 to 0xfffffffffffff"},
	{"cpu=0 inferred wait 5us",
	 "found \"wait\", expected alloc, free or split behind inferred"},
	{"cpu=0 inferred", "found the end of the line, expected alloc, free, split, touch, wait, "
			   "kmalloc, cache_alloc, kfree, cma_alloc, cma_release or hotplug"},
	{"cpu=0 alloc a gfp=GFP_KERNEL\ncpu=0 free a\ncpu=1 free a",
	 "a free of \"a\", which line 3 freed"},
	{"cpu=0 alloc a gfp=GFP_KERNEL\ncpu=0 free a now",
	 "found \"now\", expected by= or the end of the line"},
	{"cpu=0 touch a read 1B", "a touch of \"a\", which no line before allocates"},
	{"cpu=0 alloc a gfp=GFP_KERNEL\ncpu=0 free a\ncpu=1 touch a read 1B",
	 "a touch of \"a\", which line 3 freed"},
	{"cpu=0 alloc a gfp=GFP_KERNEL\ncpu=0 touch a",
	 "found the end of the line, expected read or write"},
	{"cpu=0 alloc a gfp=GFP_KERNEL\ncpu=0 touch a look 1B",
	 "found \"look\", expected read or write"},
	{"cpu=0 alloc a gfp=GFP_KERNEL\ncpu=0 touch a read",
	 "found the end of the line, expected a size (\"64B\", \"4KiB\")"},
	{"cpu=0 alloc a gfp=GFP_KERNEL\ncpu=0 touch a read 64",
	 "size \"64\" has no unit (known: B, kB, MB, GB, TB, PB, KiB, MiB, GiB, TiB, PiB)"},
	{"cpu=0 alloc a gfp=GFP_KERNEL\ncpu=0 touch a read 0B",
	 "a touch of nothing: the size is 0"},
	{"cpu=0 alloc a order=1 gfp=GFP_KERNEL\ncpu=0 touch a read 8193B",
	 "a touch of 8193B goes beyond \"a\", which has 8KiB (order 1)"},
	{"cpu=0 alloc a gfp=GFP_KERNEL\ncpu=0 touch a read 64B twice",
	 "found \"twice\", expected the end of the line"},
	{"cpu=0 wait", "found the end of the line, expected a time (\"12.5us\")"},
	{"cpu=0 wait long", "found \"long\", expected a time (\"12.5us\")"},
	{"cpu=0 wait 5", "time \"5\" has no unit (known: ps, ns, us, ms, s)"},
	{"cpu=0 wait 5us more", "found \"more\", expected the end of the line"},
	{"5us cpu=3 wait 5us",
	 "found a time before a wait, which begins when its CPU gets there: expected \"cpu=3 "
	 "wait TIME\""},
	{"cpu=0 alloc a\x01 gfp=GFP_KERNEL", "found a control character (0x01), expected text"},
	{"cpu=0 alloc \xc3\xa4 gfp=GFP_KERNEL",
	 "the name \"??\" is not of printable ASCII characters"},
	{"1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", "found more than 16 words in a line"},
};

static void expect_mistake(const char *text, unsigned line, const char *message)
{
	struct diag diag = DIAG_INIT;
	struct trace *t = NULL;

	cr_assert_eq(trace_parse(text, strlen(text), "bad.nst", &diag, &t), -EINVAL, "%s", text);
	cr_assert_null(t);
	cr_assert(diag.failed);
	cr_expect_str_eq(diag.error.file, "bad.nst");
	cr_expect_eq(diag.error.line, line, "%s: line %u", text, diag.error.line);
	cr_expect_str_eq(diag.error.text, message);
	diag_clear(&diag);
}

Test(trace_native, mistakes_are_named)
{
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		char text[512];
		unsigned line = 2;

		for (const char *p = mistakes[i].lines; *p; p++)
			line += *p == '\n';
		snprintf(text, sizeof(text), HEADER "%s\n", mistakes[i].lines);
		expect_mistake(text, line, mistakes[i].message);
	}
}

Test(trace_native, a_name_or_a_line_may_be_too_long)
{
	char text[8192], name[80], message[256];

	memset(name, 'n', 65);
	name[65] = 0;
	snprintf(text, sizeof(text), HEADER "cpu=0 free %s\n", name);
	snprintf(message, sizeof(message), "the name \"%s\" is longer than 64 bytes", name);
	expect_mistake(text, 2, message);

	name[64] = 0;
	snprintf(text, sizeof(text), HEADER "cpu=0 alloc %s gfp=none\ncpu=0 free %s\n", name, name);
	trace_free(parse(text));

	snprintf(text, sizeof(text), HEADER "cpu=0 %4200s\n", "");
	expect_mistake(text, 2, "the line is longer than 4095 bytes");
	snprintf(text, sizeof(text), HEADER "# %5000s\n", ""); /* a comment may */
	trace_free(parse(text));
}

Test(trace_native, other_versions_are_refused)
{
	expect_mistake("# numasim trace 2\n", 1,
		       "found \"# numasim trace 2\", expected \"# numasim trace 1\" (this numasim "
		       "reads version 1)");
	expect_mistake(
		"# numasim trace 1.1\n", 1,
		"found \"# numasim trace 1.1\", expected \"# numasim trace 1\" (this numasim "
		"reads version 1)");
}

#define NR_RANDOM 20000

/* Events of every kind with any value that the format can hold. */
/* Most pages have a frame. */
static void number_page(struct trace *t, uint32_t page, uint64_t *x)
{
	if (next(x) % 4)
		cr_assert_eq(trace_set_pfn(t, page, next(x) % TRACE_MAX_PFN), 0);
}

static struct trace *random_trace(uint64_t x)
{
	static uint32_t live[NR_RANDOM];
	static uint8_t order[NR_RANDOM]; /* by page */
	struct trace *t = trace_new("random");
	uint64_t now = next(&x) % 2 ? 0 : next(&x) % (1000 * US);
	size_t nr_live = 0;

	for (int i = 0; i < NR_RANDOM; i++) {
		struct trace_event ev = {.cpu = next(&x) % 8192, .op = next(&x) % 5};
		size_t which = nr_live ? next(&x) % nr_live : 0;

		/* From no time at all to days, in picoseconds. */
		now += next(&x) % 3 ? next(&x) % (UINT64_C(1) << next(&x) % 45) : 0;
		ev.time_ps = now;
		if (!nr_live && (ev.op == TRACE_FREE || ev.op == TRACE_TOUCH))
			ev.op = TRACE_ALLOC;
		switch (ev.op) {
		case TRACE_ALLOC:
			ev.order = next(&x) % NR_PAGE_ORDERS;
			ev.gfp = next(&x) % 2 ? GFP_HIGHUSER_MOVABLE : (gfp_t)next(&x);
			ev.migratetype = next(&x) % MM_NR_PCPTYPES;
			ev.flags = next(&x) % 10 ? 0 : TRACE_F_FAILED;
			ev.page = ev.flags ? TRACE_NO_PAGE : t->nr_pages;
			if (!ev.flags) {
				number_page(t, ev.page, &x);
				ev.flags = next(&x) % 10 ? 0 : TRACE_F_INFERRED;
				order[ev.page] = ev.order;
				live[nr_live++] = ev.page;
			}
			break;
		case TRACE_FREE:
			ev.page = live[which];
			ev.order = order[ev.page];
			live[which] = live[--nr_live];
			ev.flags = next(&x) % 10 ? 0 : TRACE_F_INFERRED;
			break;
		case TRACE_FREE_HELD:
			ev.page = t->nr_pages;
			ev.order = next(&x) % NR_PAGE_ORDERS;
			number_page(t, ev.page, &x);
			break;
		case TRACE_TOUCH:
			ev.page = live[which];
			ev.bytes = 1 + next(&x) % (UINT64_C(4096) << order[ev.page]);
			ev.write = next(&x) % 2;
			break;
		case TRACE_WAIT:
			ev.page = TRACE_NO_PAGE;
			ev.time_ps = next(&x) % (UINT64_C(1) << next(&x) % 60);
			break;
		}
		cr_assert_eq(trace_append(t, &ev), 0);
	}
	return t;
}

/* Write, read back, and compare all but the line numbers. */
static void round_trip(const struct trace *t)
{
	struct diag diag = DIAG_INIT;
	struct trace *back = NULL;
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	cr_assert_eq(trace_write_native(t, f), 0);
	fclose(f);
	cr_assert_eq(trace_parse(text, len, "back", &diag, &back), 0, "line %u: %s",
		     diag.error.line, diag.error.text);
	cr_assert_eq(back->nr_events, t->nr_events);
	for (size_t i = 0; i < t->nr_events; i++) {
		struct trace_event got = back->events[i], want = t->events[i];

		/* An event a line, behind the header, but for what else a kernel's trace has. */
		if (!strcmp(t->format, "native"))
			cr_assert_eq(got.line, i + 2);
		got.line = want.line = 0;
		cr_assert_eq(memcmp(&got, &want, sizeof(got)), 0, "event %zu of op %u", i, want.op);
	}
	cr_assert_eq(back->nr_pages, t->nr_pages);
	for (uint32_t page = 0; page < t->nr_pages; page++)
		cr_assert_eq(trace_pfn(back, page), trace_pfn(t, page), "page %u", page);
	cr_assert_eq(back->nr_held_frees, t->nr_held_frees);
	cr_assert_eq(back->nr_cpus, t->nr_cpus);
	cr_assert_eq(back->span_ps, t->span_ps);
	cr_assert_eq(back->pages_allocated, t->pages_allocated);
	cr_assert_eq(back->pages_freed, t->pages_freed);
	cr_assert_eq(back->nr_failed, t->nr_failed);
	cr_assert_eq(back->nr_moves, t->nr_moves);
	trace_free(back);
	free(text);
}

Test(trace_native, what_is_written_reads_back)
{
	uint64_t x = seed();

	for (int i = 0; i < 5; i++) {
		struct trace *t = random_trace(next(&x));

		round_trip(t);
		trace_free(t);
	}
}

Test(trace_native, an_empty_trace_reads_back)
{
	struct trace *t = trace_new("empty");

	round_trip(t);
	trace_free(t);
}

Test(trace_native, a_kernels_trace_reads_back)
{
	static const char *const files[] = {"traces/W1b_touch_4k_2x512m.trace.zst",
					    "tests/reference/trace-forms/linux-4.9.txt",
					    "tests/reference/trace-forms/linux-6.1-names.txt",
					    "tests/reference/trace-forms/oddities.txt"};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct diag diag = DIAG_INIT;
		struct trace *t = NULL;
		char path[512];

		snprintf(path, sizeof(path), "%s/%s", SOURCE_DIR, files[i]);
		cr_assert_eq(trace_load(path, NULL, &diag, &t), 0);
		round_trip(t);
		trace_free(t);
	}
}

Test(trace_native, a_full_disk_is_reported)
{
	struct trace *t = random_trace(seed());
	FILE *f = fopen("/dev/full", "w");

	cr_assert_not_null(f);
	cr_assert_eq(trace_write_native(t, f), -EIO);
	fclose(f);
	trace_free(t);
}

Test(trace_native, appending_counts)
{
	struct trace *t = trace_new("by hand");
	struct trace_event ev = {.op = TRACE_ALLOC, .time_ps = 7 * US, .order = 10, .cpu = 3};

	cr_assert_eq(trace_append(t, &ev), 0);
	ev = (struct trace_event){.op = TRACE_FREE, .time_ps = 9 * US, .order = 10};
	cr_assert_eq(trace_append(t, &ev), 0);
	ev = (struct trace_event){.op = TRACE_WAIT, .time_ps = 100 * US, .page = TRACE_NO_PAGE};
	cr_assert_eq(trace_append(t, &ev), 0);
	cr_assert_eq(t->nr_pages, 1);
	cr_assert_eq(t->nr_cpus, 4);
	cr_assert_eq(t->pages_allocated, 1024);
	cr_assert_eq(t->pages_freed, 1024);
	cr_assert_eq(t->span_ps, 2 * US); /* a wait's time is a duration */
	ev.order = 11;
	cr_assert_eq(trace_append(t, &ev), -EINVAL);
	cr_assert_eq(t->nr_events, 3);
	trace_free(t);
}
