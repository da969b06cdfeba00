/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces in the kernel's text that numasim wrote (trace convert --format ftrace or perf). Their
 * first event is the marker "numasim: trace 1", and nothing is to be inferred from them: what the
 * kernel has no field for stands in further markers, as native traces say it
 * (docs/trace-format.md).
 */
#ifndef SIM_TRACE_TOLD_H
#define SIM_TRACE_TOLD_H

#include "sim/trace/kmem.h"

#define TOLD_MARK    "numasim: "
#define TOLD_TRACE   "trace"
#define TOLD_VERSION "1"
#define TOLD_NEXT    "next" /* of the allocation or free in the next such line */
#define TOLD_SPLIT   "split"
#define TOLD_TOUCH   "touch"
#define TOLD_WAIT    "wait"
#define TOLD_HOTPLUG "hotplug"

/*
 * Pages whose frame is not known still need a pfn that tells them apart: their number beyond all
 * that a physical address can have.
 */
#define TOLD_NO_FRAME (TRACE_MAX_PFN + 1)

struct told;

/** Is the event at `text` the marker of such a trace? */
bool told_begins(const char *text);
/** NULL where there is no memory. */
struct told *told_new(void);
void told_free(struct told *told); /* may be NULL */
/** As kmem_event(); the event at `text` without "kmem:". */
int told_event(struct told *told, const struct kmem_origin *origin, const char *text,
	       const struct stream_line *line, struct trace *t, struct diag *diag);
/** Behind the last line of `t`: its counts are those of the original. */
void told_finish(struct told *told, struct trace *t);

#endif
