/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of kernel traces share: scanning a line of text, which ends with a NUL. */
#ifndef SIM_TRACE_SCAN_H
#define SIM_TRACE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "sim/trace/trace.h"

static inline bool scan_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline const char *scan_blanks(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

/** Back over the blanks that stand before `p`, not beyond `from`. */
static inline const char *scan_blanks_before(const char *from, const char *p)
{
	while (p > from && (p[-1] == ' ' || p[-1] == '\t'))
		p--;
	return p;
}

static inline bool scan_begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/** "[12]" at `p`: what follows and *cpu, or NULL where it is anything else. */
const char *scan_cpu(const char *p, uint64_t *cpu);

/** "sys:event:" at `p`, as perf has it: the event, or NULL. */
const char *scan_system_event(const char *p);

/** Count so many lost events in `t`, with their line. */
void scan_lost(struct trace *t, uint64_t nr);

/**
 * Does a line of the text, which need not end with one, satisfy `is_one`? That gets its first
 * bytes.
 */
bool scan_any_line(const char *text, size_t len, bool (*is_one)(const char *line));

#endif
