/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ftrace text, as /sys/kernel/tracing/trace has it and as trace-cmd report prints it:
 *
 *       comm-pid (tgid) [cpu] FLAGS seconds.fraction: event: ...
 *
 * FLAGS has four characters up to Linux 5.x and five in 6.x, more with PREEMPT_RT; it and the tgid
 * may be missing; trace-cmd report -l has the CPU in front of the flags. comm may hold blanks,
 * dashes and brackets, so the line is recognised from its [cpu] outwards. What the event says is
 * kmem.c's business.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/trace/kmem.h"
#include "sim/trace/reader.h"
#include "sim/trace/scan.h"

#define MIN_FLAGS 4
#define MAX_FLAGS 8

/* "(1234)" or "(-----)", also padded. Returns what follows, or `p` where there is none. */
static const char *skip_tgid(const char *p)
{
	const char *q = p;

	if (*q != '(')
		return p;
	for (q++; scan_is_digit(*q) || *q == ' ' || *q == '-';)
		q++;
	return *q == ')' ? scan_blanks(q + 1) : p;
}

/* "comm-pid " before `cpu`, perhaps with a tgid between them. False where it is not there. */
static bool task_before(const char *from, const char *cpu, struct kmem_origin *origin)
{
	const char *p = scan_blanks_before(from, cpu), *digits;

	if (p == cpu)
		return false;
	if (p > from && p[-1] == ')') {
		for (p--; p > from && (scan_is_digit(p[-1]) || p[-1] == ' ' || p[-1] == '-');)
			p--;
		if (p == from || p[-1] != '(')
			return false;
		p = scan_blanks_before(from, p - 1);
	}
	digits = p;
	while (p > from && scan_is_digit(p[-1]))
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

/* "seconds.fraction:", and with --ts-diff of trace-cmd "(+123)" behind it. */
static const char *parse_time(const char *p, struct kmem_origin *origin)
{
	const char *event = kmem_parse_time(p, origin);

	if (!event)
		return NULL;
	event = scan_blanks(event);
	if (event[0] == '(' && (event[1] == '+' || event[1] == '-') && scan_is_digit(event[2])) {
		const char *end = event + 2 + strspn(event + 2, "0123456789.");

		if (*end == ')')
			event = scan_blanks(end + 1);
	}
	return event;
}

/* From "[cpu]" to the event, which is returned; NULL where it is anything else. */
static const char *parse_from_cpu(const char *p, struct kmem_origin *origin)
{
	const char *event;
	size_t flags;

	origin->interrupt = false;
	p = scan_cpu(p, &origin->cpu);
	if (!p || *p != ' ')
		return NULL;
	p = skip_tgid(scan_blanks(p));
	event = parse_time(p, origin);
	if (event)
		return event;
	for (flags = 0; flags <= MAX_FLAGS && p[flags] > ' ' && p[flags] != ':' && p[flags] != '[';)
		flags++;
	if (flags < MIN_FLAGS || flags > MAX_FLAGS || p[flags] != ' ')
		return NULL;
	origin->interrupt = in_interrupt(p);
	return parse_time(scan_blanks(p + flags), origin);
}

/*
 * The latency format of trace-cmd report -l: "comm-pid  12d.h1. seconds: event", where the CPU
 * stands at the head of the flags.
 */
static const char *parse_latency(const char *text, struct kmem_origin *origin)
{
	for (const char *p = strchr(text, ' '); p; p = strchr(p, ' ')) {
		const char *word = p = scan_blanks(p), *event;
		size_t digits = strspn(word, "0123456789"), flags;

		flags = strcspn(word + digits, " \t:[");
		if (!digits || digits > 4 || flags < MIN_FLAGS || flags > MAX_FLAGS ||
		    word[digits + flags] != ' ')
			continue;
		event = parse_time(scan_blanks(word + digits + flags), origin);
		if (!event || !task_before(text, word, origin))
			continue;
		origin->cpu = strtoull(word, NULL, 10);
		origin->interrupt = in_interrupt(word + digits);
		return event;
	}
	return NULL;
}

static const char *parse_line(const char *text, struct kmem_origin *origin)
{
	for (const char *p = strchr(text, '['); p; p = strchr(p + 1, '[')) {
		const char *event = task_before(text, p, origin) ? parse_from_cpu(p, origin) : NULL;

		if (event)
			return event;
	}
	return parse_latency(text, origin);
}

static bool maybe_ftrace(const char *line)
{
	struct kmem_origin origin;

	return line[0] != '#' && parse_line(line, &origin);
}

/* With the event's system in front of it, it is rather perf's, of a task called "a -1". */
static bool is_ftrace(const char *line)
{
	struct kmem_origin origin;
	const char *event;

	if (line[0] == '#')
		return scan_begins(line, "# tracer:");
	event = parse_line(line, &origin);
	return event && !scan_is_digit(*event) && !scan_system_event(event);
}

static enum trace_probe ftrace_probe(const char *text, size_t len)
{
	static const char says[] = "# tracer:";

	if (len >= sizeof(says) - 1 && memcmp(text, says, sizeof(says) - 1) == 0)
		return TRACE_PROBE_SAYS;
	if (scan_any_line(text, len, is_ftrace))
		return TRACE_PROBE_LOOKS;
	return scan_any_line(text, len, maybe_ftrace) ? TRACE_PROBE_MAYBE : TRACE_PROBE_NO;
}

/* "CPU:3 [LOST 12 EVENTS]", of trace-cmd "CPU:3 [12 EVENTS DROPPED]"; the number may be missing. */
static bool take_lost(const char *text, struct trace *t)
{
	const char *p = scan_begins(text, "CPU:") ? strchr(text, '[') : NULL;

	if (!p || (!scan_begins(p, "[LOST ") && !strstr(p, "EVENTS DROPPED]")))
		return false;
	p += strcspn(p, "0123456789");
	scan_lost(t, *p ? strtoull(p, NULL, 10) : 0);
	return true;
}

/* Lines around the events in what trace-cmd report prints. */
static bool is_heading(const char *text)
{
	return scan_begins(text, "cpus=") || scan_begins(text, "version =") ||
	       (scan_begins(text, "CPU ") && strstr(text, " is empty"));
}

static int ftrace_line(void *state, const struct stream_line *line, struct trace *t,
		       struct diag *diag)
{
	const char *text = scan_blanks(line->text), *event;
	struct kmem_origin origin;

	if (!line->too_long) {
		if (text == line->text + line->len || *text == '#') {
			trace_skip(t, TRACE_SKIP_COMMENT);
			return 0;
		}
		event = parse_line(text, &origin);
		if (event)
			return kmem_event(state, &origin, event, line, t, diag);
		if (is_heading(text)) {
			trace_skip(t, TRACE_SKIP_COMMENT);
			return 0;
		}
		if (take_lost(text, t))
			return 0;
		if (scan_begins(text,
				"=> ")) { /* a line of the stack trace that an event may have */
			trace_skip(t, TRACE_SKIP_OTHER_EVENT);
			return 0;
		}
	}
	trace_unreadable(t, line);
	return 0;
}

#define EXPECTED "ftrace text (lines like \"comm-pid [cpu] flags seconds: mm_page_alloc: ...\")"

static int ftrace_read(struct stream *s, const struct trace_progress *progress, struct trace *t,
		       struct diag *diag)
{
	struct kmem *k = kmem_new();
	int err = k ? trace_read_lines(s, progress, ftrace_line, k, t, diag) : -ENOMEM;

	if (!err)
		err = kmem_finish(k, EXPECTED, t, diag);
	kmem_free(k);
	return err;
}

const struct trace_reader trace_reader_ftrace = {
	.name = "ftrace",
	.expected = EXPECTED,
	.probe = ftrace_probe,
	.read = ftrace_read,
};
