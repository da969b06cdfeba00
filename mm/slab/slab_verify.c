/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recomputes the invariants of slub.h: every object is in somebody's hands or on exactly one list
 * of free ones, every slab in exactly one place, and all counts are what is counted. Wants a quiet
 * mm core, as mm_verify() does, which calls it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/slab/slub.h"
#include "mm/zone_count.h"

struct report {
	const struct mm *mm;
	char *why;
	size_t size;
	uint8_t *seen; /* by object of the slab that is looked at */
	uint64_t pages[2];
	int nid;
};

__attribute__((format(printf, 2, 3))) static int violated(struct report *r, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(r->why, r->size, fmt, args);
	va_end(args);
	return -EINVAL;
}

/* Marks what is on a list of free objects; *nr of them. */
static int walk(struct report *r, const struct mm_slab *slab, uint16_t first, unsigned *nr)
{
	const char *name = slab->cache->name;

	*nr = 0;
	for (uint16_t i = first; i != SLAB_NONE; i = slab->next_free[i]) {
		if (i >= slab->objects)
			return violated(r, "%s: slab 0x%" PRIx64 ": a list leads out of it", name,
					slab->at);
		if (r->seen[i] || slab_in_use(slab, i))
			return violated(r, "%s: object 0x%" PRIx64 " in more than one place", name,
					mm_slab_object(slab, i));
		r->seen[i] = 1;
		(*nr)++;
	}
	return 0;
}

static int check_objects(struct report *r, const struct mm_slab *slab, uint16_t cpu_list)
{
	unsigned own, cpus, used = 0, lost = 0;
	int err;

	memset(r->seen, 0, slab->objects);
	err = walk(r, slab, slab->freelist, &own);
	if (!err)
		err = walk(r, slab, cpu_list, &cpus);
	if (err)
		return err;
	for (uint16_t i = 0; i < slab->objects; i++) {
		used += slab_in_use(slab, i);
		lost += !slab_in_use(slab, i) && !r->seen[i];
	}
	if (used != slab->used || slab->objects != slab->inuse + own ||
	    (slab->condemned ? slab->inuse != used + lost : lost || slab->inuse != used + cpus))
		return violated(r,
				"%s: slab 0x%" PRIx64 ": %u objects, %u in use, %u used, %u and %u "
				"listed free, %u lost",
				slab->cache->name, slab->at, slab->objects, slab->inuse, used, own,
				cpus, lost);
	return 0;
}

/* Is it where it says? By what it says, one of the lists has it. */
static int check_slab(struct report *r, const struct mm_slab *slab, uint16_t cpu_list)
{
	bool frozen = slab->place == SLAB_OF_CPU || slab->place == SLAB_CPU_PARTIAL;

	if (slab->frozen != frozen)
		return violated(r, "%s: slab 0x%" PRIx64 ": frozen %d in place %d",
				slab->cache->name, slab->at, slab->frozen, slab->place);
	if (!frozen && (slab->place == SLAB_NODE_PARTIAL) != (slab->freelist != SLAB_NONE))
		return violated(r, "%s: slab 0x%" PRIx64 ": %u of %u in use, in place %d",
				slab->cache->name, slab->at, slab->inuse, slab->objects,
				slab->place);
	return check_objects(r, slab, cpu_list);
}

static int check_cpu(struct report *r, const struct mm_kmem_cache *cache, int cpu, uint64_t *nr)
{
	const struct mm_cache_cpu *c = &cache->cpu[cpu];
	unsigned behind = c->partial ? c->partial->behind : 0;
	int err = 0;

	if (c->slab && (c->slab->place != SLAB_OF_CPU || c->slab->cache != cache))
		return violated(r, "%s: slab of CPU %d is in another place", cache->name, cpu);
	if (c->slab) {
		err = check_slab(r, c->slab, c->freelist);
		(*nr)++;
	}
	for (const struct mm_slab *p = c->partial; p && !err; p = p->next, behind--, (*nr)++) {
		if (p->place != SLAB_CPU_PARTIAL || p->cache != cache || p->behind != behind)
			return violated(r, "%s: partial slabs of CPU %d: %u in the chain, in %d",
					cache->name, cpu, p->behind, p->place);
		err = check_slab(r, p, SLAB_NONE);
	}
	return err;
}

static int check_node(struct report *r, const struct mm_kmem_cache *cache, int nid, uint64_t *nr)
{
	const struct mm_cache_node *n = &cache->node[nid];
	const struct mm_slab *last = NULL;
	unsigned listed = 0;

	for (const struct mm_slab *p = n->partial; p; last = p, p = p->next, listed++, (*nr)++) {
		if (p->place != SLAB_NODE_PARTIAL || p->cache != cache || p->nid != nid ||
		    p->prev != last || listed > n->nr_partial)
			return violated(r, "%s: broken partial list of node %d", cache->name, nid);
		if (check_slab(r, p, SLAB_NONE))
			return -EINVAL;
	}
	if (listed != n->nr_partial || n->partial_tail != last)
		return violated(r, "%s: %u partial slabs on node %d, %u counted", cache->name,
				listed, nid, n->nr_partial);
	return 0;
}

/* Slabs in no list: full, or condemned. And all of them, by their frames. */
static int check_rest(struct report *r, const struct mm_kmem_cache *cache, uint64_t listed)
{
	const struct mm_slab_state *s = r->mm->slab;
	uint64_t slabs = 0, objects = 0, counted_slabs = 0, counted_objects = 0;

	for (size_t i = 0; s->map && i < (size_t)1 << s->map_bits; i++) {
		const struct mm_slab *slab = s->map[i].slab;

		if (!slab || slab->cache != cache || slab->pfn != s->map[i].pfn)
			continue;
		slabs++;
		objects += slab->objects;
		if (slab->place != SLAB_NOWHERE)
			continue;
		listed++;
		if (check_slab(r, slab, SLAB_NONE))
			return -EINVAL;
	}
	for (int nid = 0; nid < r->mm->nr_nodes; nid++) {
		counted_slabs += cache->node[nid].nr_slabs;
		counted_objects += cache->node[nid].nr_objects;
	}
	if (slabs != listed || slabs != counted_slabs || objects != counted_objects)
		return violated(r,
				"%s: %" PRIu64 " slabs, %" PRIu64 " in their places, %" PRIu64
				" counted; %" PRIu64 " objects, %" PRIu64 " counted",
				cache->name, slabs, listed, counted_slabs, objects,
				counted_objects);
	return 0;
}

static int check_cache(struct report *r, const struct mm_kmem_cache *cache)
{
	uint64_t listed = 0;
	int err = 0;

	for (int cpu = 0; cpu < r->mm->nr_cpus && !err; cpu++)
		err = check_cpu(r, cache, cpu, &listed);
	for (int nid = 0; nid < r->mm->nr_nodes && !err; nid++)
		err = check_node(r, cache, nid, &listed);
	return err ? err : check_rest(r, cache, listed);
}

/* Pages of slabs say that they are, and nodes count them. */
static int check_pages(struct report *r)
{
	const struct mm_slab_state *s = r->mm->slab;

	for (int nid = 0; nid < r->mm->nr_nodes; nid++) {
		uint64_t pages[2] = {0, 0};

		for (size_t i = 0; s->map && i < (size_t)1 << s->map_bits; i++) {
			const struct mm_slab *slab = s->map[i].slab;
			bool rcl = slab && slab->cache &&
				   (slab->cache->l.flags & MM_SLAB_RECLAIM_ACCOUNT);

			if (!slab || slab->pfn != s->map[i].pfn || slab->nid != nid)
				continue;
			if (!slab->page->slab || slab->page->refcount != 1 ||
			    slab->page->order != slab->order)
				return violated(r,
						"pfn 0x%" PRIx64 ": a slab, but flags 0x%" PRIx64,
						slab->pfn, slab->page->flags);
			pages[rcl] += UINT64_C(1) << slab->order;
		}
		for (int rcl = 0; rcl < 2; rcl++)
			if (pages[rcl] != mm_node_stat_exactly(r->mm, &r->mm->nodes[nid],
							       MM_NS_SLAB_UNRECLAIMABLE + rcl))
				return violated(
					r,
					"node %d: %" PRIu64 " pages of slabs, %" PRIu64 " counted",
					nid, pages[rcl],
					mm_node_stat_exactly(r->mm, &r->mm->nodes[nid],
							     MM_NS_SLAB_UNRECLAIMABLE + rcl));
	}
	return 0;
}

int mm_slab_verify(const struct mm *mm, char *why, size_t size)
{
	struct report r = {.mm = mm, .why = why, .size = size};
	int err;

	if (!mm->slab)
		return 0;
	r.seen = malloc(UINT16_MAX);
	if (!r.seen)
		return violated(&r, "no memory to look at slabs");
	err = check_pages(&r);
	for (unsigned i = 0; i < mm->slab->nr_caches && !err; i++)
		err = check_cache(&r, mm->slab->caches[i]);
	free(r.seen);
	return err;
}
