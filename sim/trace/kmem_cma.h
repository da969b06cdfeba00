/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's events of the CMA area as text: cma_alloc (up to 5.12), cma_alloc_start,
 * cma_alloc_busy_retry, cma_alloc_finish and cma_release. Fields are found by name: `name=`, of
 * the area, since 5.13; frames are hexadecimal, with 0x since 5.15.
 */
#ifndef SIM_TRACE_KMEM_CMA_H
#define SIM_TRACE_KMEM_CMA_H

#include "sim/trace/trace.h"

enum kmem_cma_kind {
	KMEM_NO_CMA,
	KMEM_CMA_ALLOC,   /* cma_alloc, cma_alloc_finish */
	KMEM_CMA_RELEASE, /* cma_release */
	KMEM_CMA_STEP,    /* cma_alloc_start, cma_alloc_busy_retry: another line says what became */
};

/** Which of them the event at `text` is; *rest is what follows its name. */
enum kmem_cma_kind kmem_cma_kind(const char *text, const char **rest);

struct cma_fields {
	uint64_t pfn; /* not of an allocation that failed */
	uint32_t count;
	uint32_t align; /* log2 of frames; 0 of a release */
	bool failed;
};

/**
 * Fields of KMEM_CMA_ALLOC or, with `release`, of KMEM_CMA_RELEASE. False where one is missing or
 * no such frames can be: 1 to TRACE_MAX_CMA, up to max_pfn.
 */
bool kmem_cma_fields(const char *text, bool release, uint64_t max_pfn, struct cma_fields *f);

/** Make the event an allocation with such fields. */
static inline void kmem_cma_describe(const struct cma_fields *f, struct trace_event *ev)
{
	ev->op = TRACE_CMA_ALLOC;
	ev->bytes = f->count;
	ev->align = f->align;
}

/** The frames that are allocated. NULL where there is no memory. */
struct kmem_cma *kmem_cma_new(void);
void kmem_cma_free(struct kmem_cma *c); /* may be NULL */

/** Is the frame of an allocation that is not released yet? */
bool kmem_cma_has(const struct kmem_cma *c, uint64_t pfn);

/**
 * Take an event: all of `ev` but what its fields say, and append it to `t`, behind what follows
 * from it, or count there why not. Returns 0; -EINVAL where its fields are not there; -E2BIG where
 * `t` has more allocations than can be numbered; -ENOMEM.
 */
int kmem_cma_take(struct kmem_cma *c, enum kmem_cma_kind kind, const char *fields, struct trace *t,
		  struct trace_event *ev);

#endif
