/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ftrace text, as /sys/kernel/tracing/trace has it and as trace-cmd report prints it:
 *
 *       comm-pid (tgid) [cpu] FLAGS seconds.fraction: event: ...
 *
 * FLAGS has four characters up to Linux 5.x and five in 6.x, more with PREEMPT_RT; it and the tgid
 * may be missing. comm may hold blanks, dashes and brackets, so the line is recognised from its
 * [cpu] outwards. What the event says is kmem.c's business.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/trace/kmem.h"
#include "sim/trace/reader.h"

#define MIN_FLAGS  4
#define MAX_FLAGS  8
#define PROBE_LINE 512 /* bytes of a line that a probe looks at */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *skip_blanks(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

static const char *blanks_before(const char *from, const char *p)
{
	while (p > from && (p[-1] == ' ' || p[-1] == '\t'))
		p--;
	return p;
}

/* "(1234)" or "(-----)", also padded. Returns what follows, or `p` where there is none. */
static const char *skip_tgid(const char *p)
{
	const char *q = p;

	if (*q != '(')
		return p;
	for (q++; is_digit(*q) || *q == ' ' || *q == '-';)
		q++;
	return *q == ')' ? skip_blanks(q + 1) : p;
}

/* "comm-pid " before `cpu`, perhaps with a tgid between them. False where it is not there. */
static bool task_before(const char *from, const char *cpu, struct kmem_origin *origin)
{
	const char *p = blanks_before(from, cpu), *digits;

	if (p == cpu)
		return false;
	if (p > from && p[-1] == ')') {
		for (p--; p > from && (is_digit(p[-1]) || p[-1] == ' ' || p[-1] == '-');)
			p--;
		if (p == from || p[-1] != '(')
			return false;
		p = blanks_before(from, p - 1);
	}
	digits = p;
	while (p > from && is_digit(p[-1]))
		p--;
	if (p == digits || p == from || p[-1] != '-')
		return false;
	origin->comm = from;
	origin->comm_len = (size_t)(p - 1 - from);
	origin->pid = 0;
	for (; p < digits; p++)
		origin->pid = origin->pid * 10 + (uint32_t)(*p - '0');
	return true;
}

/* FLAGS: irqs off or BH disabled; need-resched; hardirq or softirq; ... */
static bool in_interrupt(const char *flags)
{
	return strchr("bD", flags[0]) || strchr("hHsSzZ", flags[2]);
}

/* From "[cpu]" to the event, which is returned; NULL where it is anything else. */
static const char *parse_from_cpu(const char *p, struct kmem_origin *origin)
{
	const char *digits = ++p, *event;
	size_t flags;

	origin->cpu = 0;
	origin->interrupt = false;
	for (; is_digit(*p) && p - digits < 10; p++)
		origin->cpu = origin->cpu * 10 + (*p - '0');
	if (p == digits || p[0] != ']' || p[1] != ' ')
		return NULL;
	p = skip_tgid(skip_blanks(p + 1));
	event = kmem_parse_time(p, origin);
	if (!event) {
		flags = strcspn(p, " \t:[");
		if (flags < MIN_FLAGS || flags > MAX_FLAGS || p[flags] != ' ')
			return NULL;
		origin->interrupt = in_interrupt(p);
		event = kmem_parse_time(skip_blanks(p + flags), origin);
	}
	return event ? skip_blanks(event) : NULL;
}

static const char *parse_line(const char *text, struct kmem_origin *origin)
{
	for (const char *p = strchr(text, '['); p; p = strchr(p + 1, '[')) {
		const char *event = task_before(text, p, origin) ? parse_from_cpu(p, origin) : NULL;

		if (event)
			return event;
	}
	return NULL;
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static enum trace_probe ftrace_probe(const char *text, size_t len)
{
	const char *end = text + len;
	bool first = true;

	for (; text < end; first = false) {
		const char *newline = memchr(text, '\n', end - text);
		size_t line_len = (newline ? newline : end) - text;
		struct kmem_origin origin;
		char line[PROBE_LINE];

		if (line_len >= sizeof(line))
			line_len = sizeof(line) - 1;
		memcpy(line, text, line_len);
		line[line_len] = 0;
		if (begins(line, "# tracer:"))
			return first ? TRACE_PROBE_SAYS : TRACE_PROBE_LOOKS;
		if (line[0] != '#' && parse_line(line, &origin))
			return TRACE_PROBE_LOOKS;
		text = newline ? newline + 1 : end;
	}
	return TRACE_PROBE_NO;
}

/* "CPU:3 [LOST 12 EVENTS]", or without the number. */
static bool take_lost(const char *text, struct trace *t)
{
	const char *p;
	char *end;
	unsigned long long nr;

	if (!begins(text, "CPU:") || !(p = strstr(text, "[LOST ")))
		return false;
	p += strlen("[LOST ");
	nr = is_digit(*p) ? strtoull(p, &end, 10) : 0;
	t->lost_events = nr > UINT64_MAX - t->lost_events ? UINT64_MAX : t->lost_events + nr;
	trace_skip(t, TRACE_SKIP_LOST);
	return true;
}

static int ftrace_line(void *state, const struct stream_line *line, struct trace *t,
		       struct diag *diag)
{
	const char *text = skip_blanks(line->text), *event;
	struct kmem_origin origin;

	if (!line->too_long) {
		if (text == line->text + line->len || *text == '#' || begins(text, "cpus=") ||
		    begins(text, "version =")) { /* the last two are how trace-cmd report begins */
			trace_skip(t, TRACE_SKIP_COMMENT);
			return 0;
		}
		event = parse_line(text, &origin);
		if (event)
			return kmem_event(state, &origin, event, line, t, diag);
		if (take_lost(text, t))
			return 0;
		if (begins(text, "=> ")) { /* a line of the stack trace that an event may have */
			trace_skip(t, TRACE_SKIP_OTHER_EVENT);
			return 0;
		}
	}
	trace_unreadable(t, line);
	return 0;
}

static int ftrace_read(struct stream *s, const struct trace_progress *progress, struct trace *t,
		       struct diag *diag)
{
	struct kmem *k = kmem_new();
	int err = k ? trace_read_lines(s, progress, ftrace_line, k, t, diag) : -ENOMEM;

	kmem_free(k);
	return err;
}

const struct trace_reader trace_reader_ftrace = {
	.name = "ftrace",
	.expected = "ftrace text (lines like \"comm-pid [cpu] flags seconds: mm_page_alloc: ...\")",
	.probe = ftrace_probe,
	.read = ftrace_read,
};
