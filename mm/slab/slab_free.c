/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A free: onto the CPU's own list where the object's slab is the CPU's, else onto the slab's, which
 * then may have to change its place.
 *
 * Follows do_slab_free() and __slab_free() of Linux 6.1 mm/slub.c. What the kernel does by a
 * compare-and-exchange of the slab's list and counts is one step here, taken after any lock.
 */
#include <errno.h>

#include "mm/slab/slub.h"

/* The slab's own list: whoever allocates next from the slab finds it there. */
static void push(struct mm *mm, int cpu, struct mm_slab *slab, uint16_t i)
{
	slab->next_free[i] = slab->freelist;
	slab->freelist = i;
	slab->inuse--;
	mm_touch(mm, cpu, mm_slab_link(slab, i), mm_slab_word(mm), MM_WRITE);
	mm_touch_page(mm, cpu, slab->page, MM_WRITE);
}

static void free_fast(struct mm *mm, int cpu, struct mm_slab *slab, uint16_t i)
{
	struct mm_cache_cpu *c = &slab->cache->cpu[cpu];

	slab->next_free[i] = c->freelist;
	c->freelist = i;
	slab_count(slab->cache, MM_SLAB_STAT_FREE_FASTPATH, 1);
	mm_touch(mm, cpu, mm_slab_link(slab, i), mm_slab_word(mm), MM_WRITE);
	mm_touch(mm, cpu, mm->percpu_at[cpu] + slab->cache->cpu_offset, 16, MM_WRITE);
}

/* A slab on its node's list has become empty, under the lock. */
static void free_empty(struct mm *mm, int cpu, struct mm_slab *slab)
{
	struct mm_cache_node *n = &slab->cache->node[slab->nid];

	if (slab->place == SLAB_NODE_PARTIAL) {
		mm_slab_remove_partial(mm, cpu, slab);
		slab_count(slab->cache, MM_SLAB_STAT_FREE_REMOVE_PARTIAL, 1);
	}
	mm_slab_unlock(mm, cpu, n);
	mm_slab_discard(mm, cpu, slab);
}

static void free_slow(struct mm *mm, int cpu, struct mm_slab *slab, uint16_t i)
{
	struct mm_kmem_cache *cache = slab->cache;
	struct mm_cache_node *n = &cache->node[slab->nid];
	bool locked = false, was_frozen, freeze;

	mm_work(mm, cpu, MM_SITE_SLAB_SLOW, 1);
	slab_count(cache, MM_SLAB_STAT_FREE_SLOWPATH, 1);
	for (;;) {
		bool full = slab->freelist == SLAB_NONE, want;

		was_frozen = slab->frozen;
		/* A slab that was full becomes the CPU's, since it is likely to free more of it. */
		freeze = !was_frozen && full && cache->l.cpu_partial;
		want = !was_frozen && !freeze && (full || slab->inuse == 1);
		if (want == locked)
			break;
		locked = want;
		if (want)
			mm_slab_lock(mm, cpu, n);
		else
			mm_slab_unlock(mm, cpu, n);
	}
	if (freeze)
		slab->frozen = true;
	push(mm, cpu, slab, i);
	if (!locked) {
		if (was_frozen) {
			slab_count(cache, MM_SLAB_STAT_FREE_FROZEN, 1);
		} else if (freeze) {
			slab_count(cache, MM_SLAB_STAT_CPU_PARTIAL_FREE, 1);
			mm_slab_put_cpu_partial(mm, cpu, slab, true);
		}
		return;
	}
	if (!slab->inuse && n->nr_partial >= cache->l.min_partial) {
		free_empty(mm, cpu, slab);
		return;
	}
	if (slab->place == SLAB_NOWHERE) {
		mm_slab_add_partial(mm, cpu, slab, true);
		slab_count(cache, MM_SLAB_STAT_FREE_ADD_PARTIAL, 1);
	}
	mm_slab_unlock(mm, cpu, n);
}

void mm_slab_give_object(struct mm *mm, int cpu, struct mm_slab *slab, uint16_t i)
{
	struct mm_kmem_cache *cache = slab->cache;

	/* At once: it is freed once, whatever others do while a lock is waited for. */
	mm_slab_mark(slab, i, false);
	mm_work(mm, cpu, MM_SITE_SLAB_FREE, 1);
	mm_touch_page(mm, cpu, slab->page, MM_READ);
	mm_touch(mm, cpu, cache->at, 8, MM_READ);
	if (slab->nid != mm_slab_near(mm, cpu))
		slab_count(cache, MM_SLAB_STAT_FREE_REMOTE, 1);
	if (slab_debugged(cache)) {
		mm_slab_debug_free(mm, cpu, slab, i);
		return;
	}
	mm_touch(mm, cpu, mm->percpu_at[cpu] + cache->cpu_offset, 24, MM_READ);
	if (slab == cache->cpu[cpu].slab)
		free_fast(mm, cpu, slab, i);
	else
		free_slow(mm, cpu, slab, i);
}

int mm_kmem_cache_free(struct mm *mm, int cpu, struct mm_kmem_cache *cache, phys_addr_t object)
{
	struct mm_slab *slab = mm_slab_of(mm, object);
	uint16_t i = slab ? mm_slab_index(slab, object) : SLAB_NONE;

	if (!slab || slab->cache != cache || i == SLAB_NONE || !slab_in_use(slab, i)) {
		mm_slab_bad_free(mm, "kmem_cache_free", cache, object);
		return -EINVAL;
	}
	mm_slab_emit_free(mm, cpu, cache, object);
	mm_slab_give_object(mm, cpu, slab, i);
	return 0;
}
