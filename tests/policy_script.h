/* SPDX-License-Identifier: Apache-2.0 */
/* Traces of a few lines, for tests of whose policy an allocation follows. Needs Criterion. */
#ifndef TESTS_POLICY_SCRIPT_H
#define TESTS_POLICY_SCRIPT_H

#include <criterion/criterion.h>
#include <stdio.h>

#include "sim/trace/trace.h"

/* Lines of a trace: task, flags and event; each a microsecond after the one before. */
struct script {
	char text[16384];
	size_t len;
	unsigned lines;
};

static inline void line(struct script *s, const char *task, const char *flags, const char *event)
{
	if (!s->lines)
		s->len = (size_t)sprintf(s->text, "# tracer: nop\n");
	s->len += (size_t)sprintf(s->text + s->len, "%s [000] %s 1.%06u: %s\n", task, flags,
				  s->lines++, event);
	cr_assert_lt(s->len, sizeof(s->text) - 512);
}

#define RUN(s, event) line(s, "wl-5", ".....", event)

static inline struct trace *read_script(const struct script *s)
{
	struct diag diag = DIAG_INIT;
	struct trace *t = NULL;

	cr_assert_eq(trace_parse(s->text, s->len, "script", &diag, &t), 0, "line %u: %s",
		     diag.error.line, diag.error.text);
	cr_assert_eq(t->skipped[TRACE_SKIP_UNREADABLE], 0);
	return t;
}

static inline void alloc_by(struct script *s, const char *task, const char *flags, unsigned pfn,
			    unsigned order, const char *gfp)
{
	char event[200];

	sprintf(event, "mm_page_alloc: page=1 pfn=0x%x order=%u migratetype=1 gfp_flags=%s", pfn,
		order, gfp);
	line(s, task, flags, event);
}

/* The i-th allocation of the trace. */
static inline const struct trace_event *nth(const struct trace *t, unsigned i)
{
	for (size_t e = 0; e < t->nr_events; e++)
		if (t->events[e].op == TRACE_ALLOC && !i--)
			return &t->events[e];
	cr_assert_fail("there are not so many allocations");
	return NULL;
}

#endif
