/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Putting away what CPUs have of a cache, and giving back what nobody uses.
 *
 * Follows deactivate_slab(), __flush_cpu_slab() and __kmem_cache_do_shrink() of Linux 6.1
 * mm/slub.c. Other CPUs' slabs are put away by who asks, while they are in no edit of theirs; the
 * kernel has each CPU do it itself.
 */
#include <string.h>

#include "mm/slab/slub.h"

#define SHRINK_PROMOTE_MAX 32 /* free objects up to which a slab is sorted by them */

/* The CPU's list goes back onto the slab's own. Returns how many objects that are. */
static unsigned splice(struct mm *mm, int cpu, struct mm_slab *slab, uint16_t list)
{
	unsigned nr = 0;
	uint16_t last = SLAB_NONE;

	for (uint16_t i = list; i != SLAB_NONE; i = slab->next_free[i]) {
		mm_touch(mm, cpu, mm_slab_link(slab, i), mm_slab_word(mm), MM_READ);
		last = i;
		nr++;
	}
	if (last != SLAB_NONE) {
		slab->next_free[last] = slab->freelist;
		slab->freelist = list;
		slab->inuse = (uint16_t)(slab->inuse - nr);
		mm_touch(mm, cpu, mm_slab_link(slab, last), mm_slab_word(mm), MM_WRITE);
	}
	return nr;
}

/* A slab that has left its CPU, still frozen, finds its place. */
static void settle(struct mm *mm, int cpu, struct mm_slab *slab, bool remote)
{
	struct mm_kmem_cache *cache = slab->cache;
	struct mm_cache_node *n = &cache->node[slab->nid];
	bool locked = false;

	for (;;) {
		bool empty = !slab->inuse && n->nr_partial >= cache->l.min_partial;
		bool listed = !empty && slab->freelist != SLAB_NONE;

		if (listed == locked)
			break;
		/* Others may free to it meanwhile: look again. */
		locked = listed;
		if (listed)
			mm_slab_lock(mm, cpu, n);
		else
			mm_slab_unlock(mm, cpu, n);
	}
	slab->frozen = false;
	mm_touch_page(mm, cpu, slab->page, MM_WRITE);
	if (locked) {
		mm_slab_add_partial(mm, cpu, slab, remote);
		slab_count(cache,
			   remote ? MM_SLAB_STAT_DEACTIVATE_TO_TAIL
				  : MM_SLAB_STAT_DEACTIVATE_TO_HEAD,
			   1);
		mm_slab_unlock(mm, cpu, n);
	} else if (!slab->inuse) {
		slab_count(cache, MM_SLAB_STAT_DEACTIVATE_EMPTY, 1);
		mm_slab_discard(mm, cpu, slab);
	} else {
		slab_count(cache, MM_SLAB_STAT_DEACTIVATE_FULL, 1);
	}
}

void mm_slab_deactivate(struct mm *mm, int cpu, struct mm_kmem_cache *cache, int of)
{
	struct mm_cache_cpu *c = &cache->cpu[of];
	struct mm_slab *slab = c->slab;
	uint16_t list = c->freelist;
	bool remote;

	if (!slab)
		return;
	c->slab = NULL;
	c->freelist = SLAB_NONE;
	slab->place = SLAB_NOWHERE;
	mm_work(mm, cpu, MM_SITE_SLAB_SLOW, 1);
	mm_touch(mm, cpu, mm->percpu_at[of] + cache->cpu_offset, 24, MM_WRITE);
	/* What others have freed to it is cold: such a slab is used last. */
	remote = slab->freelist != SLAB_NONE;
	if (remote)
		slab_count(cache, MM_SLAB_STAT_DEACTIVATE_REMOTE_FREES, 1);
	splice(mm, cpu, slab, list);
	settle(mm, cpu, slab, remote);
}

static void flush_cpu(struct mm *mm, int cpu, struct mm_kmem_cache *cache, int of)
{
	struct mm_cache_cpu *c = &cache->cpu[of];
	struct mm_slab *chain;

	if (c->slab) {
		slab_count(cache, MM_SLAB_STAT_CPUSLAB_FLUSH, 1);
		mm_slab_deactivate(mm, cpu, cache, of);
	}
	chain = c->partial;
	c->partial = NULL;
	if (chain)
		mm_slab_unfreeze(mm, cpu, cache, chain);
}

void mm_slab_flush_all(struct mm *mm, int cpu, struct mm_kmem_cache *cache)
{
	for (int of = 0; of < mm->nr_cpus; of++)
		flush_cpu(mm, cpu, cache, of);
}

/*
 * The partial list by free objects, fewest first, as far as they are few; empty slabs go to
 * *empty. Under the lock.
 */
static void sort_partial(struct mm *mm, int cpu, struct mm_cache_node *n, struct mm_slab **empty)
{
	struct mm_slab *by_free[SHRINK_PROMOTE_MAX] = {NULL}, *next;

	for (struct mm_slab *slab = n->partial; slab; slab = next) {
		unsigned nr_free = (unsigned)slab->objects - slab->inuse;

		next = slab->next;
		mm_touch_page(mm, cpu, slab->page, MM_READ);
		if (slab->inuse && nr_free > SHRINK_PROMOTE_MAX)
			continue;
		mm_slab_remove_partial(mm, cpu, slab);
		slab->next = slab->inuse ? by_free[nr_free - 1] : *empty;
		if (slab->inuse)
			by_free[nr_free - 1] = slab;
		else
			*empty = slab;
	}
	for (int i = SHRINK_PROMOTE_MAX - 1; i >= 0; i--)
		for (struct mm_slab *slab = by_free[i]; slab; slab = next) {
			next = slab->next;
			mm_slab_add_partial(mm, cpu, slab, false);
		}
}

uint64_t mm_kmem_cache_shrink(struct mm *mm, int cpu, struct mm_kmem_cache *cache)
{
	uint64_t before = cache->pages;

	mm_slab_flush_all(mm, cpu, cache);
	for (int nid = 0; nid < mm->nr_nodes; nid++) {
		struct mm_cache_node *n = &cache->node[nid];
		struct mm_slab *empty = NULL;

		if (!n->at || !n->nr_partial)
			continue;
		mm_slab_lock(mm, cpu, n);
		sort_partial(mm, cpu, n, &empty);
		mm_slab_unlock(mm, cpu, n);
		while (empty) {
			struct mm_slab *slab = empty;

			empty = slab->next;
			mm_slab_discard(mm, cpu, slab);
		}
	}
	return before > cache->pages ? before - cache->pages : 0;
}
