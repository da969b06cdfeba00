/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cache of the trace is the kernel's of the same name; one that the kernel profile does not have
 * is made with the object's size, aligned so that it takes as much as it did on the real machine.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/replay/replay_slab.h"

struct replay_slab {
	const struct replay_policies *policies;
	struct mm *mm;
	struct replay_slab_counts *counts;
	struct mm_kmem_cache **caches; /* by index in the trace */
};

/* The smallest alignment with which an object of that size takes that much; else all of it. */
static struct mm_cache_args args_of(const struct trace_cache *cache, const char *name)
{
	struct mm_cache_args args = {.name = name, .size = cache->size};

	for (args.align = 8; args.align <= 4096; args.align *= 2)
		if (((cache->size + args.align - 1) & ~(args.align - 1)) == cache->room)
			return args;
	args.align = 0;
	args.size = cache->room > cache->size ? cache->room : cache->size;
	return args;
}

static int make_cache(struct replay_slab *s, uint32_t index)
{
	const struct trace_cache *cache = &s->policies->trace->caches[index];
	char name[MM_SLAB_NAME];
	struct mm_cache_args args;

	snprintf(name, sizeof(name), "%s", cache->name);
	if (!*name)
		snprintf(name, sizeof(name), "trace-%u-%u", cache->size, cache->room);
	s->caches[index] = mm_slab_find(s->mm, name);
	if (s->caches[index])
		return 0;
	args = args_of(cache, name);
	return mm_kmem_cache_create_at_boot(s->mm, &args, &s->caches[index]);
}

int replay_slab_new(const struct replay_policies *p, bool pages_only,
		    struct replay_slab_counts *counts, struct replay_slab **out)
{
	const struct trace *t = p->trace;
	struct replay_slab *s;
	int err;

	*out = NULL;
	if (pages_only || !(t->nr_object_allocs + t->nr_object_frees))
		return 0;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->policies = p;
	s->mm = p->mm;
	s->counts = counts;
	s->caches = calloc(t->nr_caches + 1, sizeof(struct mm_kmem_cache *));
	err = s->caches ? mm_slab_start(s->mm) : -ENOMEM;
	for (uint32_t i = 0; i < t->nr_caches && !err; i++)
		err = make_cache(s, i);
	if (err) {
		replay_slab_free(s);
		return err;
	}
	*out = s;
	return 0;
}

void replay_slab_free(struct replay_slab *s)
{
	if (!s)
		return;
	free(s->caches);
	free(s);
}

phys_addr_t replay_slab_alloc(struct replay_slab *s, int cpu, const struct trace_event *ev)
{
	int nid = trace_object_nid(ev);
	struct mm_slab_request req = {
		.cpu = cpu,
		.gfp = ev->gfp,
		.nid = nid == MM_NO_NODE ? nid : nid % s->policies->nr_nodes,
	};
	phys_addr_t object;
	int err;

	if (nid == MM_NO_NODE && ev->policy)
		req.policy = &s->policies->policies[ev->policy];
	if (ev->op == TRACE_KMALLOC)
		err = mm_kmalloc(s->mm, ev->bytes, &req, &object);
	else
		err = mm_kmem_cache_alloc(s->mm, s->caches[ev->bytes], &req, &object);
	if (err)
		s->counts->failed++;
	else
		s->counts->allocs++;
	return err ? 0 : object;
}

void replay_slab_give(struct replay_slab *s, int cpu, phys_addr_t object)
{
	mm_kfree(s->mm, cpu, object);
	s->counts->frees++;
}
