/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What perf script prints of tracepoints:
 *
 *       comm pid [cpu] seconds.fraction: sys:event: ...
 *
 * The pid may be pid/tid, a period may stand before the event, and with some -F the [cpu] is
 * missing. comm may hold blanks, so the line is recognised from its time outwards: the first word
 * that is one, with what a task is before it and the name of an event behind it. Callchains are
 * lines of their own behind an event. What the event says is kmem.c's business.
 */
#include <errno.h>
#include <stdlib.h>

#include "sim/trace/gfp_bits.h"
#include "sim/trace/kmem.h"
#include "sim/trace/reader.h"
#include "sim/trace/scan.h"

struct perf {
	struct kmem *kmem;
	bool has_warned; /* that there is no CPU */
};

/* The digits that end at `end`, with a '-' before them (-1: a task that perf does not know). */
static const char *id_before(const char *from, const char *end)
{
	const char *p = end;

	while (p > from && scan_is_digit(p[-1]))
		p--;
	return p < end && p > from && p[-1] == '-' ? p - 1 : p;
}

/* "comm pid" or "comm pid/tid" between `from` and `end`; of the thread. */
static bool task_before(const char *from, const char *end, struct kmem_origin *origin)
{
	const char *id = id_before(from, end), *comm_end;

	if (id == end)
		return false;
	origin->pid = (uint32_t)strtol(id, NULL, 10);
	if (id > from && id[-1] == '/') {
		end = id - 1;
		id = id_before(from, end);
		if (id == end)
			return false;
	}
	comm_end = scan_blanks_before(from, id);
	if (comm_end == id || comm_end == from)
		return false;
	origin->comm = from;
	origin->comm_len = (size_t)(comm_end - from);
	return true;
}

/* What stands before the time: a task, and a CPU or none. */
static bool parse_before(const char *from, const char *time, struct kmem_origin *origin,
			 bool *has_cpu)
{
	const char *end = scan_blanks_before(from, time), *cpu = end;

	*has_cpu = false;
	origin->cpu = 0;
	if (end > from && end[-1] == ']') {
		while (cpu > from && *cpu != '[')
			cpu--;
		if (scan_cpu(cpu, &origin->cpu) != end)
			return false;
		*has_cpu = true;
		end = scan_blanks_before(from, cpu);
		if (end == cpu)
			return false;
	}
	return end < time && task_before(from, end, origin);
}

/* The event of a line, behind its system; NULL where it is no line of an event. */
static const char *parse_line(const char *text, struct kmem_origin *origin, bool *has_cpu)
{
	const char *from = scan_blanks(text);

	*origin = (struct kmem_origin){0};
	for (const char *p = strchr(from, ' '); p; p = strchr(p, ' ')) {
		const char *event;

		p = scan_blanks(p);
		if (!scan_is_digit(*p))
			continue;
		event = kmem_parse_time(p, origin);
		if (!event || !parse_before(from, p, origin, has_cpu))
			continue;
		event = scan_blanks(event);
		if (scan_is_digit(*event)) { /* the period */
			while (scan_is_digit(*event))
				event++;
			event = scan_blanks(event);
		}
		if (!scan_begins(event, "PERF_RECORD_"))
			event = scan_system_event(event);
		if (event)
			return event;
	}
	return NULL;
}

static bool is_event(const char *line)
{
	struct kmem_origin origin;
	bool has_cpu;

	return line[0] != '#' && parse_line(line, &origin, &has_cpu);
}

static enum trace_probe perf_probe(const char *text, size_t len)
{
	return scan_any_line(text, len, is_event) ? TRACE_PROBE_LOOKS : TRACE_PROBE_NO;
}

/* A function of a callchain: "    ffffffff8124e3a2 __alloc_pages+0x22e (...)". */
static bool is_call(const char *text)
{
	size_t hex = strspn(text, "0123456789abcdef");

	return hex && (text[hex] == ' ' || !text[hex]);
}

/* "PERF_RECORD_LOST lost 12" with --show-lost-events; other records are no events. */
static int take_record(const char *text, struct trace *t)
{
	const char *lost = strstr(text, " lost ");

	if (scan_begins(text, "PERF_RECORD_LOST"))
		scan_lost(t, lost ? strtoull(lost + strlen(" lost "), NULL, 10) : 0);
	else
		trace_skip(t, TRACE_SKIP_OTHER_EVENT);
	return 0;
}

/* "# os release : 5.10.0-8-amd64", with --header. */
static void take_header(const char *text, struct trace *t)
{
	const char *p = scan_begins(text, "# os release :") ? strchr(text, ':') : NULL;
	unsigned release = p ? kernel_release(scan_blanks(p + 1)) : KERNEL_UNKNOWN;

	if (release == KERNEL_UNKNOWN || (t->release != KERNEL_UNKNOWN && !t->release_assumed))
		return;
	t->release = release;
	t->release_assumed = false;
}

static int perf_line(void *state, const struct stream_line *line, struct trace *t,
		     struct diag *diag)
{
	const char *text = scan_blanks(line->text), *event;
	struct perf *perf = state;
	struct kmem_origin origin;
	bool has_cpu;

	if (!line->too_long) {
		if (text == line->text + line->len || *text == '#') {
			take_header(text, t);
			trace_skip(t, TRACE_SKIP_COMMENT);
			return 0;
		}
		event = parse_line(text, &origin, &has_cpu);
		if (event && scan_begins(event, "PERF_RECORD_"))
			return take_record(event, t);
		if (event && !has_cpu && !perf->has_warned) {
			diag_warn(diag, t->file, trace_line_number(line),
				  "the trace does not say on which CPU anything was: all is done "
				  "on CPU 0");
			perf->has_warned = true;
		}
		if (event)
			return kmem_event(perf->kmem, &origin, event, line, t, diag);
		if (text > line->text && is_call(text)) {
			trace_skip(t, TRACE_SKIP_OTHER_EVENT);
			return 0;
		}
	}
	trace_unreadable(t, line);
	return 0;
}

#define EXPECTED                                                                                   \
	"perf script text (lines like \"comm pid [cpu] seconds: kmem:mm_page_alloc: "              \
	"...\")"

static int perf_read(struct stream *s, const struct trace_progress *progress, struct trace *t,
		     struct diag *diag)
{
	struct perf perf = {.kmem = kmem_new()};
	int err = perf.kmem ? trace_read_lines(s, progress, perf_line, &perf, t, diag) : -ENOMEM;

	if (!err)
		err = kmem_finish(perf.kmem, EXPECTED, t, diag);
	kmem_free(perf.kmem);
	return err;
}

const struct trace_reader trace_reader_perf = {
	.name = "perf",
	.expected = EXPECTED,
	.probe = perf_probe,
	.read = perf_read,
};
