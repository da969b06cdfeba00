/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's page allocator events as text: `mm_page_alloc: page=... pfn=... order=...` and its
 * relatives, whoever wrote the line around them. Turns them into events of a trace: which free
 * belongs to which allocation, and the time since the first.
 */
#ifndef SIM_TRACE_KMEM_H
#define SIM_TRACE_KMEM_H

#include "sim/trace/reader.h"

struct kmem;

/* What a line says before its event. */
struct kmem_origin {
	uint64_t cpu;
	uint64_t seconds;
	uint64_t fraction_ps; /* below 10^12 */
	const char *comm;     /* comm_len bytes, in the line; NULL where it does not say */
	size_t comm_len;
	uint32_t pid;   /* of the thread; 0: a CPU's idle task */
	bool interrupt; /* taken by an interrupt, or with bottom halves off */
};

/** NULL where there is no memory. Free with kmem_free(). */
struct kmem *kmem_new(void);
void kmem_free(struct kmem *k);

/**
 * Parse "SECONDS.FRACTION:" with 1 to 12 digits of fraction. Returns what follows, or NULL where
 * it is no such thing.
 */
const char *kmem_parse_time(const char *text, struct kmem_origin *origin);

/**
 * Take the event at `text`, which lies in `line`: append it to `t` or count there why not.
 * Returns 0 or -ENOMEM; -EINVAL where the trace has more allocations than can be numbered.
 */
int kmem_event(struct kmem *k, const struct kmem_origin *origin, const char *text,
	       const struct stream_line *line, struct trace *t, struct diag *diag);

/** Behind the last line of `t`. Returns 0; -EINVAL where none was what the reader `expected`. */
int kmem_finish(struct kmem *k, const char *expected, struct trace *t, struct diag *diag);

#endif
