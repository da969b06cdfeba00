/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever the bytes, trace_parse() returns a trace whose counts agree or an error with a message,
 * and what it read can be written in each form of text and read back.
 */
#define _GNU_SOURCE /* memmem */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sim/trace/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* `converted`: its text may say how many lines there were before. */
static void check(const struct trace *t, bool converted)
{
	uint64_t lines = t->nr_events;
	uint64_t last_ps = 0, splits = 0;

	for (int i = 0; i < TRACE_NR_SKIPS; i++)
		lines += t->skipped[i];
	for (int i = 0; i < TRACE_NR_INFERS; i++)
		lines -= t->inferred[i];
	require(t->nr_lines == lines || strcmp(t->format, "ftrace") || converted);
	require(t->nr_pfns <= t->nr_pages);
	for (size_t i = 0; i < t->nr_moves; i++)
		require(t->moves[i].event <= t->nr_events);
	require(t->pages_freed <= t->pages_allocated);
	for (size_t i = 0; i < t->nr_events; i++) {
		const struct trace_event *ev = &t->events[i];

		require(ev->cpu < t->nr_cpus && ev->order <= MAX_PAGE_ORDER);
		require(ev->page < t->nr_pages || ev->page == TRACE_NO_PAGE);
		splits += ev->op == TRACE_SPLIT;
		if (ev->op == TRACE_WAIT)
			continue;
		require(ev->time_ps >= last_ps);
		last_ps = ev->time_ps;
	}
	require(t->nr_object_allocs ||
		t->nr_pages == t->nr_allocs + t->nr_held_frees + t->nr_cma_allocs + splits);
}

static void write_and_read(const struct trace *t, const char *form)
{
	struct diag diag = DIAG_INIT;
	struct trace *back = NULL;
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	require(f && trace_find_writer(form)->write(t, f, &diag) == 0);
	fclose(f);
	require(trace_parse(text, len, "written", &diag, &back) == 0);
	require(back->nr_events == t->nr_events && back->nr_pages == t->nr_pages);
	require(back->span_ps == t->span_ps && back->nr_moves == t->nr_moves);
	for (uint32_t i = 0; i < t->nr_pages; i++)
		require(trace_pfn(back, i) == trace_pfn(t, i));
	for (size_t i = 0; i < t->nr_events; i++) {
		struct trace_event got = back->events[i], want = t->events[i];

		got.line = want.line = 0;
		require(memcmp(&got, &want, sizeof(got)) == 0);
	}
	trace_free(back);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag diag = DIAG_INIT;
	struct trace *t = NULL;

	int err = trace_parse(data, size, "input", &diag, &t);

	if (!err) {
		require(!diag.failed);
		check(t, memmem(data, size, "numasim: trace", 14));
		write_and_read(t, "native");
		if (!(t->nr_object_allocs + t->nr_object_frees)) {
			write_and_read(t, "ftrace");
			write_and_read(t, "perf");
			write_and_read(t, "trace-cmd");
		}
	} else {
		require(!t && (diag.failed || err == -ENOMEM));
	}
	trace_free(t);
	diag_clear(&diag);
	return 0;
}
