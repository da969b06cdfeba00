/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mm core's tracepoints as ftrace text of Linux 6.x, so that tools for the kernel's traces, and
 * our own reader, take them. Times are simulated, with nanosecond digits.
 */
#ifndef SIM_EVENT_LOG_H
#define SIM_EVENT_LOG_H

#include <stdio.h>

#include "mm/ops.h"

/** Write what stands before the first event. */
void event_log_begin(FILE *out);

/** A sim_event_hook (sim.h) that writes one line; `arg` is the FILE. Errors show in the stream. */
void event_log_hook(void *arg, int cpu, const struct mm_kthread *thread, uint64_t at_ps,
		    const struct mm_event *ev);

#endif
