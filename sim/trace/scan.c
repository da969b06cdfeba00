/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of kernel traces share. */
#include "sim/trace/scan.h"

#include "sim/trace/reader.h"

#define PROBE_LINE 512 /* bytes of a line that a probe looks at */

const char *scan_cpu(const char *p, uint64_t *cpu)
{
	const char *digits = p + 1;

	if (*p != '[')
		return NULL;
	*cpu = 0;
	for (p = digits; scan_is_digit(*p) && p - digits < 10; p++)
		*cpu = *cpu * 10 + (uint64_t)(*p - '0');
	return p > digits && *p == ']' ? p + 1 : NULL;
}

static bool is_name(char c)
{
	return c == '_' || scan_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

const char *scan_system_event(const char *p)
{
	const char *event, *end = p;

	while (is_name(*end) || *end == '-')
		end++;
	if (end == p || *end != ':')
		return NULL;
	event = ++end;
	while (is_name(*end))
		end++;
	return end > event && *end == ':' ? event : NULL;
}

void scan_lost(struct trace *t, uint64_t nr)
{
	t->lost_events = nr > UINT64_MAX - t->lost_events ? UINT64_MAX : t->lost_events + nr;
	trace_skip(t, TRACE_SKIP_LOST);
}

bool scan_any_line(const char *text, size_t len, bool (*is_one)(const char *line))
{
	const char *end = text + len;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t line_len = (size_t)((newline ? newline : end) - text);
		char line[PROBE_LINE];

		if (line_len >= sizeof(line))
			line_len = sizeof(line) - 1;
		memcpy(line, text, line_len);
		line[line_len] = 0;
		if (is_one(line))
			return true;
		text = newline ? newline + 1 : end;
	}
	return false;
}
