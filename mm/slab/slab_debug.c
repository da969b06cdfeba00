/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What slub_debug= adds: slabs are nobody's own, each allocation and free is done under the node's
 * lock, and looks at the object first. Owns what is known to be damaged, and the reports.
 *
 * Follows alloc_single_from_partial(), alloc_single_from_new_slab(), free_debug_processing() and
 * check_object() of Linux 6.1 mm/slub.c. Memory has no content here: mm_slab_store() marks what a
 * store hits that is not its object's. What the kernel would only find by a crash, freeing twice
 * or what is no object, is refused always, and said where anything is debugged.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/slab/slub.h"

void mm_slab_say(struct mm *mm, const char *fmt, ...)
{
	struct mm_slab_state *s = mm->slab;
	char text[320];
	va_list args;

	if (s->nr_reports < SLAB_MAX_REPORTS) {
		va_start(args, fmt);
		vsnprintf(text, sizeof(text), fmt, args);
		va_end(args);
		s->reports[s->nr_reports] = strdup(text);
	}
	s->nr_reports++;
}

const char *mm_slab_report(const struct mm *mm, unsigned i)
{
	const struct mm_slab_state *s = mm->slab;

	if (!s || i >= s->nr_reports || i >= SLAB_MAX_REPORTS)
		return NULL;
	return s->reports[i] ? s->reports[i] : "no memory for the report";
}

uint64_t mm_slab_nr_reports(const struct mm *mm)
{
	return mm->slab ? mm->slab->nr_reports : 0;
}

static bool watched(const struct mm *mm, const struct mm_kmem_cache *cache)
{
	unsigned flags = cache ? cache->l.flags : mm->params.slab.debug;

	return flags & MM_SLAB_CONSISTENCY;
}

void mm_slab_bad_free(struct mm *mm, const char *what, const struct mm_kmem_cache *cache,
		      phys_addr_t object)
{
	const struct mm_slab *slab = mm_slab_of(mm, object);
	const struct mm_kmem_cache *owner = slab ? slab->cache : NULL;
	uint16_t i = slab ? mm_slab_index(slab, object) : SLAB_NONE;

	if (!mm->slab || (!watched(mm, cache) && !(owner && watched(mm, owner))))
		return;
	if (!slab)
		mm_slab_say(mm, "%s: 0x%" PRIx64 " is no slab object: its page is not a slab's",
			    what, object);
	else if (owner && i == SLAB_NONE)
		mm_slab_say(mm, "%s: invalid object pointer 0x%" PRIx64 " in a slab of %s", what,
			    object, owner->name);
	else if (cache && owner != cache)
		mm_slab_say(mm, "%s: wrong slab cache: %s, but object 0x%" PRIx64 " is from %s",
			    what, cache->name, object, owner ? owner->name : "kmalloc's pages");
	else
		mm_slab_say(mm, "%s: object 0x%" PRIx64 " of %s already free", what, object,
			    owner ? owner->name : "kmalloc's pages");
}

/* What debugging looks at costs reading it. */
static void charge_check(struct mm *mm, int cpu, const struct mm_slab *slab, uint16_t i,
			 enum mm_access how)
{
	const struct mm_slab_layout *l = &slab->cache->l;

	mm_work(mm, cpu, MM_SITE_SLAB_CHECK, 1);
	mm_touch(mm, cpu, mm_slab_object(slab, i) - l->red_left_pad, l->size, how);
}

static uint64_t say_damage(struct mm *mm, const struct mm_slab *slab, uint16_t i, unsigned hurt)
{
	static const char *const words[] = {"left redzone overwritten", "right redzone overwritten",
					    "poison overwritten", "object padding overwritten"};
	uint64_t nr = 0;

	for (unsigned bit = 0; bit < 4; bit++)
		if (hurt & 1u << bit) {
			mm_slab_say(mm, "BUG %s: %s, object 0x%" PRIx64 " on node %d",
				    slab->cache->name, words[bit], mm_slab_object(slab, i),
				    slab->nid);
			nr++;
		}
	return nr;
}

/* Is it as it should be? What is wrong is said once, and mended. */
static bool sound(struct mm *mm, int cpu, struct mm_slab *slab, uint16_t i)
{
	unsigned hurt = slab->hurt[i];

	charge_check(mm, cpu, slab, i, MM_READ);
	slab->hurt[i] = 0;
	return !say_damage(mm, slab, i, hurt);
}

/* The rest of a damaged slab is not given out: "Marking all objects used". */
static void condemn(struct mm_slab *slab)
{
	slab->condemned = true;
	slab->freelist = SLAB_NONE;
	slab->inuse = slab->objects;
}

/* The first object of a slab, under the node's lock. False: it is damaged, and so is the slab. */
static bool take_first(struct mm *mm, int cpu, struct mm_slab *slab, uint16_t *object)
{
	uint16_t i = slab->freelist;

	if ((slab->cache->l.flags & MM_SLAB_CONSISTENCY) && !sound(mm, cpu, slab, i)) {
		condemn(slab);
		return false;
	}
	slab->freelist = slab->next_free[i];
	slab->inuse++;
	mm_slab_mark(slab, i, true);
	slab->hurt[i] = 0;
	charge_check(mm, cpu, slab, i, MM_WRITE);
	mm_touch_page(mm, cpu, slab->page, MM_WRITE);
	*object = i;
	return true;
}

/* One object of a node's partial slabs; damaged slabs are left out from then on. */
static struct mm_slab *take_from_node(struct mm *mm, struct mm_kmem_cache *cache, int cpu, int nid,
				      uint16_t *object)
{
	struct mm_cache_node *n = &cache->node[nid];
	struct mm_slab *taken = NULL;

	if (!n->at || !n->nr_partial)
		return NULL;
	mm_slab_lock(mm, cpu, n);
	while (!taken && n->partial) {
		struct mm_slab *slab = n->partial;

		if (take_first(mm, cpu, slab, object))
			taken = slab;
		if (slab->freelist == SLAB_NONE)
			mm_slab_remove_partial(mm, cpu, slab);
	}
	if (taken)
		slab_count(cache, MM_SLAB_STAT_ALLOC_FROM_PARTIAL, 1);
	mm_slab_unlock(mm, cpu, n);
	return taken;
}

static struct mm_slab *take_from_new(struct mm *mm, struct mm_kmem_cache *cache,
				     const struct mm_slab_request *req, int nid, uint16_t *object)
{
	struct mm_slab *slab = mm_slab_new(mm, cache, req, nid);
	struct mm_cache_node *n;

	if (!slab)
		return NULL;
	n = &cache->node[slab->nid];
	mm_slab_lock(mm, req->cpu, n);
	take_first(mm, req->cpu, slab, object); /* it is new: nobody has damaged it */
	if (slab->freelist != SLAB_NONE)
		mm_slab_add_partial(mm, req->cpu, slab, false);
	slab_count(cache, MM_SLAB_STAT_ALLOC_SLAB, 1);
	mm_slab_unlock(mm, req->cpu, n);
	return slab;
}

int mm_slab_debug_alloc(struct mm *mm, struct mm_kmem_cache *cache,
			const struct mm_slab_request *req, phys_addr_t *object)
{
	int nid = req->nid == MM_NO_NODE || mm_slab_node_has(mm, req->nid) ? req->nid : MM_NO_NODE;
	struct mm_slab *slab;
	uint16_t i;

	mm_work(mm, req->cpu, MM_SITE_SLAB_ALLOC, 1);
	mm_work(mm, req->cpu, MM_SITE_SLAB_SLOW, 1);
	mm_touch(mm, req->cpu, cache->at, 8, MM_READ);
	slab_count(cache, MM_SLAB_STAT_ALLOC_SLOWPATH, 1);
	slab = mm_slab_search(mm, cache, req, nid, take_from_node, &i);
	if (!slab)
		slab = take_from_new(mm, cache, req, nid, &i);
	if (!slab)
		return -ENOMEM;
	*object = mm_slab_object(slab, i);
	return 0;
}

/* Back on the slab's list, under the lock. Is the slab to be given up? */
static bool put_back(struct mm *mm, int cpu, struct mm_cache_node *n, struct mm_slab *slab,
		     uint16_t i)
{
	struct mm_kmem_cache *cache = slab->cache;
	bool full = slab->freelist == SLAB_NONE, drop;

	slab->next_free[i] = slab->freelist;
	slab->freelist = i;
	slab->inuse--;
	charge_check(mm, cpu, slab, i, MM_WRITE);
	mm_touch_page(mm, cpu, slab->page, MM_WRITE);
	drop = !slab->inuse && n->nr_partial >= cache->l.min_partial;
	if (full && !drop) {
		mm_slab_add_partial(mm, cpu, slab, true);
		slab_count(cache, MM_SLAB_STAT_FREE_ADD_PARTIAL, 1);
	} else if (!full && drop) {
		mm_slab_remove_partial(mm, cpu, slab);
		slab_count(cache, MM_SLAB_STAT_FREE_REMOVE_PARTIAL, 1);
	}
	return drop;
}

bool mm_slab_debug_free(struct mm *mm, int cpu, struct mm_slab *slab, uint16_t i)
{
	struct mm_cache_node *n = &slab->cache->node[slab->nid];
	bool good = true, drop = false;

	mm_work(mm, cpu, MM_SITE_SLAB_SLOW, 1);
	slab_count(slab->cache, MM_SLAB_STAT_FREE_SLOWPATH, 1);
	mm_slab_lock(mm, cpu, n);
	if (slab->cache->l.flags & MM_SLAB_CONSISTENCY)
		good = sound(mm, cpu, slab, i);
	if (good && !slab->condemned) {
		drop = put_back(mm, cpu, n, slab, i);
	} else {
		/* It is not given out again. */
		if (!slab->condemned && slab->place == SLAB_NODE_PARTIAL)
			mm_slab_remove_partial(mm, cpu, slab);
		condemn(slab);
	}
	mm_slab_unlock(mm, cpu, n);
	if (drop)
		mm_slab_discard(mm, cpu, slab);
	return good;
}

/* Which of an object's parts [from, to) hits; offsets from where its left red zone begins. */
static unsigned parts_hit(const struct mm_slab *slab, uint16_t i, uint64_t from, uint64_t to)
{
	const struct mm_slab_layout *l = &slab->cache->l;
	uint64_t object = l->red_left_pad, end = object + l->object_size;
	uint64_t inuse = object + l->inuse;
	bool red = l->flags & MM_SLAB_RED_ZONE, used = slab_in_use(slab, i);
	unsigned hit = 0;

	if (red && from < object)
		hit |= SLAB_HURT_LEFT;
	if (red && from < inuse && to > end)
		hit |= SLAB_HURT_RIGHT;
	if ((l->flags & MM_SLAB_POISON) && !(l->flags & (MM_SLAB_RCU | MM_SLAB_CTOR)) && !used &&
	    from < end && to > object)
		hit |= SLAB_HURT_POISON;
	if ((l->flags & MM_SLAB_POISON) && to > inuse)
		hit |= SLAB_HURT_TRACK;
	return hit;
}

void mm_slab_store(struct mm *mm, int cpu, phys_addr_t at, uint64_t bytes)
{
	phys_addr_t end = at + bytes;

	mm_work(mm, cpu, MM_SITE_TOUCH, 1);
	mm_touch(mm, cpu, at, bytes, MM_WRITE);
	while (at < end) {
		struct mm_slab *slab = mm_slab_of(mm, at);
		uint64_t size, offset, stop;

		if (!slab || !slab->hurt)
			return;
		size = slab->cache->l.size;
		offset = at - slab->at;
		if (offset / size >= slab->objects)
			return;
		stop = offset % size + (end - at) < size ? offset % size + (end - at) : size;
		slab->hurt[offset / size] |=
			(uint8_t)parts_hit(slab, (uint16_t)(offset / size), offset % size, stop);
		at += stop - offset % size;
	}
}

uint64_t mm_slab_validate(struct mm *mm, int cpu, struct mm_kmem_cache *cache)
{
	uint64_t before = mm->slab->nr_reports;

	if (!slab_debugged(cache))
		return 0;
	for (pfn_t pfn = 0; pfn < mm->end_pfn; pfn++) {
		struct mm_slab *slab = mm_slab_of(mm, pfn << mm->arch->page_shift);

		if (!slab || slab->cache != cache || slab->pfn != pfn)
			continue;
		for (uint16_t i = 0; i < slab->objects; i++)
			sound(mm, cpu, slab, i);
	}
	return mm->slab->nr_reports - before;
}
