/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's slab events as text: kmalloc, kmem_cache_alloc, their _node variants, kfree and
 * kmem_cache_free, of Linux 4.x to 6.x. Fields are found by name: `name=` since 5.12, `node=` in
 * the variants and everywhere since 6.1, `accounted=` since 5.19. Objects are told apart by ptr=,
 * which is the same for an object all along, whether it is an address or a hash of one.
 */
#ifndef SIM_TRACE_KMEM_SLAB_H
#define SIM_TRACE_KMEM_SLAB_H

#include "sim/trace/kmem_fields.h"

struct kmem_slab;

/* The fields of an allocation or a free. */
struct object_fields {
	uint64_t ptr; /* 0: NULL */
	uint64_t req,
		room; /* bytes that were asked for, and that it takes; up to TRACE_MAX_OBJECT */
	uint64_t nid; /* UINT64_MAX: none */
	const char *name, *gfp;
	size_t name_len, gfp_len;
};

/** ptr= and, if it is there, name=. False where the former is not. */
bool kmem_object(const char *text, struct object_fields *f);
/** These, bytes_req=, bytes_alloc=, gfp_flags= and, if it is there, node=. */
bool kmem_object_alloc(const char *text, struct object_fields *f);

enum kmem_slab_kind {
	KMEM_NO_SLAB,
	KMEM_KMALLOC,     /* kmalloc, kmalloc_node */
	KMEM_CACHE_ALLOC, /* kmem_cache_alloc, kmem_cache_alloc_node */
	KMEM_OBJECT_FREE, /* kfree, kmem_cache_free */
};

/** Which of them the event at `text` is; *rest is what follows its name. */
enum kmem_slab_kind kmem_slab_kind(const char *text, const char **rest);

/** NULL where there is no memory. */
struct kmem_slab *kmem_slab_new(void);
void kmem_slab_free(struct kmem_slab *s); /* may be NULL */

/**
 * Take an event: all of `ev` but what its fields say, and append it to `t` behind what follows from
 * it. Returns 0; -EINVAL where its fields are not there; -E2BIG where `t` has more objects than can
 * be numbered, -ENOSPC more caches; -ENOMEM.
 */
int kmem_slab_take(struct kmem_slab *s, enum kmem_slab_kind kind, const char *fields,
		   struct gfp_meanings *gfp, struct trace *t, struct trace_event *ev);

/**
 * A page was allocated by the event with that index; or (any other page event) SIZE_MAX. The next
 * object of the CPU tells whether that was for a slab.
 */
void kmem_slab_page(struct kmem_slab *s, unsigned cpu, size_t event);

#endif
