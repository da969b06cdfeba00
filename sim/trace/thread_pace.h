/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How quick kswapd was on the traced machine, as its lines in the trace show: how long it took for
 * a page, and how long after a wake-up it ran. Means: it is what reclaim takes in all that matters.
 */
#ifndef SIM_TRACE_THREAD_PACE_H
#define SIM_TRACE_THREAD_PACE_H

#include "sim/trace/kmem.h"

struct thread_pace;

/** NULL where there is no memory. */
struct thread_pace *thread_pace_new(void);
void thread_pace_free(struct thread_pace *p); /* may be NULL */
/** Whoever the line is of has freed a page at `ps`, which never goes back. */
void thread_pace_freed(struct thread_pace *p, const struct kmem_origin *origin, uint64_t ps);
/** The event at `text`, which is none of pages, at `ps`. */
void thread_pace_line(struct thread_pace *p, const char *text, uint64_t ps);
/** Behind the last line: trace->kswapd_page_ps and kswapd_wake_ps. */
void thread_pace_finish(struct thread_pace *p, struct trace *t);

#endif
