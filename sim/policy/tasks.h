/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose memory policy an allocation of a trace follows, from the lines of the trace alone: system
 * calls and markers (set_mempolicy, mbind, ...), page faults, fork, exec and exit. Knows no format
 * of lines beyond the kernel's texts of these events; what a line says before them is its origin.
 */
#ifndef SIM_POLICY_TASKS_H
#define SIM_POLICY_TASKS_H

#include "sim/trace/kmem.h"

struct tasks;

/** NULL where there is no memory. */
struct tasks *tasks_new(void);
void tasks_free(struct tasks *ts);

/**
 * Take a line that is no allocation or free: `text` is its event ("sys_mbind(start: ...)").
 * Returns 1 where it is one of those that tell about tasks, 0 where not, -ENOMEM.
 */
int tasks_line(struct tasks *ts, const struct kmem_origin *origin, const char *text,
	       struct trace *t);

/**
 * Before an allocation is appended: which policy it follows, and at which turn. Sets ev->policy,
 * the turn or the node, and TRACE_F_MIGRATE. Returns 0 or -ENOMEM.
 */
int tasks_alloc(struct tasks *ts, const struct kmem_origin *origin, struct trace *t,
		struct trace_event *ev);
/** The same allocation, once it is the last event of `t`. Returns 0 or -ENOMEM. */
int tasks_allocated(struct tasks *ts, const struct kmem_origin *origin, struct trace *t);

/** A free by this task of a page, by its number: of what a page that has moved leaves behind? */
void tasks_freed(struct tasks *ts, const struct kmem_origin *origin, struct trace *t,
		 uint32_t page);
/**
 * TRACE_F_RECLAIM where what the task frees is reclaimed memory, or has moved (tasks_moves()), and
 * by kswapd TRACE_F_KSWAPD.
 */
uint8_t tasks_reclaims(struct tasks *ts, const struct kmem_origin *origin);
/** The same where what it allocates is for that (PF_MEMALLOC): not a kcompactd's. */
uint8_t tasks_memalloc(struct tasks *ts, const struct kmem_origin *origin);
/** Does the task compact a zone, for itself or as a kcompactd? What it frees has moved there. */
bool tasks_moves(struct tasks *ts, const struct kmem_origin *origin);

#endif
