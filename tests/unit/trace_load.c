/* SPDX-License-Identifier: Apache-2.0 */
/* Which files are traces, what is said of those that are none, and how a trace gets in. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/trace/trace.h"

#define EXPECTED                                                                                   \
	"numasim binary trace, ftrace text (lines like \"comm-pid [cpu] flags seconds: "           \
	"mm_page_alloc: ...\"), "                                                                  \
	"numasim native trace (first line \"# numasim trace 1\"), "                                \
	"perf script text (lines like \"comm pid [cpu] seconds: kmem:mm_page_alloc: ...\")"
#define W1B SOURCE_DIR "/traces/W1b_touch_4k_2x512m.trace.zst"

static void expect_no_trace(const void *data, size_t len, unsigned line, const char *found)
{
	struct diag diag = DIAG_INIT;
	struct trace *t = NULL;
	char message[512];

	snprintf(message, sizeof(message), "found %s, expected one of: " EXPECTED, found);
	cr_assert_eq(trace_parse(data, len, "some.file", &diag, &t), -EINVAL);
	cr_assert_null(t);
	cr_expect_str_eq(diag.error.file, "some.file");
	cr_expect_eq(diag.error.line, line);
	cr_expect_str_eq(diag.error.text, message);
	diag_clear(&diag);
}

Test(trace_load, what_is_no_trace_is_told_so)
{
	static const char text[] = "\n\nmachine = {\n";
	static const char junk[] = "\x7f"
				   "ELF\2\1\1\0\0\0";
	static const char lines[] = "a-1 000 1.0: mm_page_alloc: page=1\n\n";

	expect_no_trace("", 0, 1, "the end of the file");
	expect_no_trace("\n\n", 2, 3, "the end of the file");
	expect_no_trace(text, sizeof(text) - 1, 3, "\"machine = {\"");
	expect_no_trace(junk, sizeof(junk) - 1, 1, "\"?ELF??????\"");
	expect_no_trace(lines, sizeof(lines) - 1, 1, "\"a-1 000 1.0: mm_page_alloc: page=1\"");
}

/* 70 characters of which 63 fit: 60 and three dots. */
Test(trace_load, a_long_first_line_is_shortened)
{
	char text[71], found[80];

	memset(text, 'x', 70);
	text[70] = 0;
	snprintf(found, sizeof(found), "\"%.60s...\"", text);
	expect_no_trace(text, 70, 1, found);
}

/* Every file of random bytes is refused, or read as lines; none takes the reader down. */
Test(trace_load, junk_is_survived)
{
	uint64_t x = 88172645463325252u;
	uint8_t data[3000];

	for (int round = 0; round < 300; round++) {
		struct diag diag = DIAG_INIT;
		struct trace *t = NULL;
		size_t len = round * 10;

		for (size_t i = 0; i < len; i++) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			data[i] = x;
		}
		if (round % 2 && len > 16)
			memcpy(data, "# tracer: nop\n", 14);
		if (trace_parse(data, len, "junk", &diag, &t) == 0) {
			cr_assert_eq(t->nr_events, 0);
			cr_assert_gt(t->skipped[TRACE_SKIP_UNREADABLE], 0);
			trace_free(t);
		}
		diag_clear(&diag);
	}
}

/* The format is recognised far behind the beginning, where other lines come first. */
Test(trace_load, a_trace_may_begin_with_other_lines)
{
	char *text = malloc(100000);
	struct diag diag = DIAG_INIT;
	struct trace *t;
	size_t at = 0;

	while (at < 60000)
		at += sprintf(text + at, "some line of a log, [000] or whatever\n");
	at += sprintf(text + at, "a-1 [000] .... 1.0: mm_page_free: page=1 pfn=1 order=0\n");
	cr_assert_eq(trace_parse(text, at, "log", &diag, &t), 0);
	cr_assert_str_eq(t->format, "ftrace");
	cr_assert_eq(t->nr_held_frees, 1);
	cr_assert_eq(t->skipped[TRACE_SKIP_UNREADABLE], t->nr_lines - 1);
	trace_free(t);
	free(text);
}

/* A native trace may quote ftrace lines in its comments. */
Test(trace_load, what_a_file_says_goes_before_what_it_looks_like)
{
	static const char text[] = "# numasim trace 1\n"
				   "#a-1 [000] .... 1.0: mm_page_free: page=1 pfn=1 order=0\n"
				   "# tracer: nop\n";
	struct diag diag = DIAG_INIT;
	struct trace *t;

	cr_assert_eq(trace_parse(text, sizeof(text) - 1, "text", &diag, &t), 0);
	cr_assert_str_eq(t->format, "native");
	trace_free(t);
}

static void *read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	char *data = malloc(4 << 20);

	cr_assert_not_null(f);
	*len = fread(data, 1, 4 << 20, f);
	fclose(f);
	return data;
}

Test(trace_load, a_truncated_file_is_no_shorter_trace)
{
	struct diag diag = DIAG_INIT;
	struct trace *t = NULL;
	size_t len;
	void *data = read_file(W1B, &len);

	cr_assert_eq(trace_parse(data, len - 1000, "cut.zst", &diag, &t), -EINVAL);
	cr_assert_null(t);
	cr_assert_str_eq(diag.error.file, "cut.zst");
	cr_assert(strstr(diag.error.text, "zstd data end early, after byte "), "%s",
		  diag.error.text);
	diag_clear(&diag);
	free(data);
}

Test(trace_load, reads_standard_input)
{
	struct diag diag = DIAG_INIT;
	struct trace *t;

	cr_assert_not_null(freopen(W1B, "rb", stdin));
	cr_assert_eq(trace_load("-", NULL, &diag, &t), 0);
	cr_assert_str_eq(t->file, "-");
	cr_assert_str_eq(t->compression, "zstd");
	cr_assert_eq(t->nr_allocs, 143691 + 245);
	trace_free(t);
}

Test(trace_load, a_missing_file_is_named)
{
	struct diag diag = DIAG_INIT;
	struct trace *t = NULL;

	cr_assert_eq(trace_load("no/such.trace", NULL, &diag, &t), -ENOENT);
	cr_assert_str_eq(diag.error.file, "no/such.trace");
	cr_assert_str_eq(diag.error.text, "cannot open: No such file or directory");
	diag_clear(&diag);
}

struct seen {
	uint64_t calls, last, total;
};

static void report(void *arg, uint64_t bytes_read, uint64_t bytes_total)
{
	struct seen *seen = arg;

	cr_assert_geq(bytes_read, seen->last);
	cr_assert_leq(bytes_read, bytes_total);
	seen->last = bytes_read;
	seen->total = bytes_total;
	seen->calls++;
}

/* A report each 16384 of the 288251 lines, and one at the end, when all is read. */
Test(trace_load, progress_ends_at_the_whole)
{
	struct diag diag = DIAG_INIT;
	struct seen seen = {0};
	struct trace_progress progress = {report, &seen};
	struct trace *t;

	cr_assert_eq(trace_load(W1B, &progress, &diag, &t), 0);
	cr_assert_eq(seen.calls, 288251 / 16384 + 1);
	cr_assert_eq(seen.last, seen.total);
	trace_free(t);
}

Test(trace_load, every_reason_has_a_name)
{
	for (int i = 0; i < TRACE_NR_SKIPS; i++) {
		cr_assert_gt(strlen(trace_skip_name(i)), 0);
		cr_assert_gt(strlen(trace_skip_what(i)), 0);
	}
	for (int i = 0; i < TRACE_NR_INFERS; i++)
		cr_assert_gt(strlen(trace_infer_name(i)), 0);
	cr_assert_str_eq(trace_skip_name(TRACE_SKIP_BATCHED), "free_batched");
	cr_assert_str_eq(trace_infer_name(TRACE_INFER_BULK), "untraced_bulk");
}
