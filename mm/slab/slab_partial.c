/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slabs with free objects: each node has a list of them, under its lock, and each CPU a chain of
 * frozen ones of its own, from which it takes without a lock. Owns both.
 *
 * Follows get_partial(), get_any_partial(), put_cpu_partial() and __unfreeze_partials() of Linux
 * 6.1 mm/slub.c. The kernel goes by the cycle counter where it decides whether to look at other
 * nodes; here a counter of the searches stands for it, multiplied so that it spreads.
 */
#include "mm/gfp.h"
#include "mm/slab/slub.h"

void mm_slab_lock(struct mm *mm, int cpu, struct mm_cache_node *n)
{
	mm_work(mm, cpu, MM_SITE_LOCK, 1);
	mm_touch(mm, cpu, n->list_lock.at, SLAB_LOCK_BYTES, MM_WRITE);
	if (mm->ops.lock && cpu != MM_NO_CPU)
		mm->ops.lock(mm->ctx, cpu, &n->list_lock);
	n->list_lock.holder = cpu;
}

void mm_slab_unlock(struct mm *mm, int cpu, struct mm_cache_node *n)
{
	n->list_lock.holder = MM_NO_CPU;
	if (mm->ops.unlock && cpu != MM_NO_CPU)
		mm->ops.unlock(mm->ctx, cpu, &n->list_lock);
}

/* The list head and its count are beside the lock; the neighbours are in other descriptors. */
static void charge_list(struct mm *mm, int cpu, const struct mm_cache_node *n,
			const struct mm_slab *slab, const struct mm_slab *neighbour)
{
	mm_work(mm, cpu, MM_SITE_SLAB_PARTIAL, 1);
	mm_touch(mm, cpu, n->at + SLAB_LOCK_BYTES, 24, MM_WRITE);
	mm_touch_page(mm, cpu, slab->page, MM_WRITE);
	if (neighbour)
		mm_touch_page(mm, cpu, neighbour->page, MM_WRITE);
}

void mm_slab_add_partial(struct mm *mm, int cpu, struct mm_slab *slab, bool tail)
{
	struct mm_cache_node *n = &slab->cache->node[slab->nid];
	struct mm_slab *neighbour = tail ? n->partial_tail : n->partial;

	slab->next = tail ? NULL : neighbour;
	slab->prev = tail ? neighbour : NULL;
	if (!neighbour)
		n->partial = n->partial_tail = slab;
	else if (tail)
		neighbour->next = n->partial_tail = slab;
	else
		neighbour->prev = n->partial = slab;
	slab->place = SLAB_NODE_PARTIAL;
	n->nr_partial++;
	charge_list(mm, cpu, n, slab, neighbour);
}

void mm_slab_remove_partial(struct mm *mm, int cpu, struct mm_slab *slab)
{
	struct mm_cache_node *n = &slab->cache->node[slab->nid];
	struct mm_slab *neighbour = slab->next ? slab->next : slab->prev;

	if (slab->prev)
		slab->prev->next = slab->next;
	else
		n->partial = slab->next;
	if (slab->next)
		slab->next->prev = slab->prev;
	else
		n->partial_tail = slab->prev;
	slab->next = slab->prev = NULL;
	slab->place = SLAB_NOWHERE;
	n->nr_partial--;
	charge_list(mm, cpu, n, slab, neighbour);
}

/* The first slab of the node for the CPU; half as many as a CPU may keep for its own list. */
static struct mm_slab *take_from_node(struct mm *mm, struct mm_kmem_cache *cache, int cpu, int nid,
				      uint16_t *list)
{
	struct mm_cache_node *n = &cache->node[nid];
	struct mm_slab *taken = NULL, *slab;
	unsigned kept = 0;

	if (!n->at || !n->nr_partial)
		return NULL;
	mm_slab_lock(mm, cpu, n);
	while ((slab = n->partial)) {
		mm_slab_remove_partial(mm, cpu, slab);
		slab->frozen = true;
		if (!taken) {
			taken = slab;
			*list = slab->freelist;
			slab->freelist = SLAB_NONE;
			slab->inuse = slab->objects;
			slab_count(cache, MM_SLAB_STAT_ALLOC_FROM_PARTIAL, 1);
		} else {
			mm_slab_put_cpu_partial(mm, cpu, slab, false);
			slab_count(cache, MM_SLAB_STAT_CPU_PARTIAL_NODE, 1);
			kept++;
		}
		if (kept > cache->l.cpu_partial_slabs / 2)
			break;
	}
	mm_slab_unlock(mm, cpu, n);
	return taken;
}

/* Where the search among other nodes begins: where a new slab would come from. */
static const struct mm_zonelist *search_list(const struct mm *mm, const struct mm_slab_request *req)
{
	struct mm_request from = {.cpu = req->cpu, .nid = MM_NO_NODE, .gfp = req->gfp};
	struct mm_policy_use use = {.policy = req->policy, .turn = req->turn};
	struct mm_nodemask mask;

	if (req->policy)
		mm_policy_request(mm, &use, &from, &mask);
	if (from.nid == MM_NO_NODE)
		from.nid = mm_slab_near(mm, req->cpu);
	return &mm->nodes[from.nid].fallback;
}

/* Nodes with more partial slabs than they like to keep have some to give. */
static struct mm_slab *search_others(struct mm *mm, struct mm_kmem_cache *cache,
				     const struct mm_slab_request *req, mm_slab_take *take,
				     uint16_t *list)
{
	uint64_t cycles = ++mm->slab->searches * UINT64_C(0x9e3779b97f4a7c15) >> 32;
	unsigned ratio = mm->params.slab.remote_node_defrag_ratio;
	int highest = gfp_zone(mm->arch, req->gfp & ~(__GFP_HIGHMEM | __GFP_MOVABLE));
	const struct mm_zonelist *zones = search_list(mm, req);

	if (!ratio || cycles % SLAB_DEFRAG_CYCLES > ratio)
		return NULL;
	for (size_t i = 0; i < zones->nr; i++) {
		const struct mm_zone *zone = zones->zones[i];
		const struct mm_cache_node *n = &cache->node[zone->nid];
		struct mm_slab *slab;

		if (zone->index > highest || !n->at || n->nr_partial <= cache->l.min_partial)
			continue;
		slab = take(mm, cache, req->cpu, zone->nid, list);
		if (slab) {
			slab_count(cache, MM_SLAB_STAT_ALLOC_REMOTE_PARTIAL, 1);
			return slab;
		}
	}
	return NULL;
}

struct mm_slab *mm_slab_search(struct mm *mm, struct mm_kmem_cache *cache,
			       const struct mm_slab_request *req, int nid, mm_slab_take *take,
			       uint16_t *list)
{
	int near = nid == MM_NO_NODE ? mm_slab_near(mm, req->cpu) : nid;
	struct mm_slab *slab;

	mm_touch(mm, req->cpu, cache->node[near].at + SLAB_LOCK_BYTES, 8, MM_READ);
	slab = take(mm, cache, req->cpu, near, list);
	if (slab || nid != MM_NO_NODE)
		return slab;
	return search_others(mm, cache, req, take, list);
}

struct mm_slab *mm_slab_get_partial(struct mm *mm, struct mm_kmem_cache *cache,
				    const struct mm_slab_request *req, int nid, uint16_t *list)
{
	return mm_slab_search(mm, cache, req, nid, take_from_node, list);
}

void mm_slab_put_cpu_partial(struct mm *mm, int cpu, struct mm_slab *slab, bool drain)
{
	struct mm_kmem_cache *cache = slab->cache;
	struct mm_cache_cpu *c = &cache->cpu[cpu];
	struct mm_slab *full = NULL;

	if (drain && c->partial && c->partial->behind >= cache->l.cpu_partial_slabs) {
		full = c->partial;
		c->partial = NULL;
	}
	slab->behind = (c->partial ? c->partial->behind : 0) + 1;
	slab->next = c->partial;
	slab->place = SLAB_CPU_PARTIAL;
	c->partial = slab;
	mm_touch(mm, cpu, mm->percpu_at[cpu] + cache->cpu_offset + 24, 8, MM_WRITE);
	mm_touch_page(mm, cpu, slab->page, MM_WRITE);
	if (full) {
		slab_count(cache, MM_SLAB_STAT_CPU_PARTIAL_DRAIN, 1);
		mm_slab_unfreeze(mm, cpu, cache, full);
	}
}

/* One slab of the chain, under its node's lock: is it to be given up? */
static bool unfreeze_one(struct mm *mm, int cpu, struct mm_cache_node *n, struct mm_slab *slab)
{
	struct mm_kmem_cache *cache = slab->cache;

	slab->frozen = false;
	slab->place = SLAB_NOWHERE;
	slab->next = NULL;
	mm_touch_page(mm, cpu, slab->page, MM_WRITE);
	if (!slab->inuse && n->nr_partial >= cache->l.min_partial)
		return true;
	mm_slab_add_partial(mm, cpu, slab, true);
	slab_count(cache, MM_SLAB_STAT_FREE_ADD_PARTIAL, 1);
	return false;
}

/* Slabs of one node in a row are put away under its lock, taken once; empty ones go afterwards. */
void mm_slab_unfreeze(struct mm *mm, int cpu, struct mm_kmem_cache *cache, struct mm_slab *chain)
{
	struct mm_slab *empty = NULL;

	/* They are on no list that others see: the chain stays as it is while a lock is waited for.
	 */
	for (struct mm_slab *slab = chain; slab; slab = slab->next)
		slab->place = SLAB_NOWHERE;
	while (chain) {
		int nid = chain->nid;
		struct mm_cache_node *n = &cache->node[nid];

		mm_slab_lock(mm, cpu, n);
		while (chain && chain->nid == nid) {
			struct mm_slab *slab = chain;

			chain = slab->next;
			if (unfreeze_one(mm, cpu, n, slab)) {
				slab->next = empty;
				empty = slab;
			}
		}
		mm_slab_unlock(mm, cpu, n);
	}
	while (empty) {
		struct mm_slab *slab = empty;

		empty = slab->next;
		slab_count(cache, MM_SLAB_STAT_DEACTIVATE_EMPTY, 1);
		mm_slab_discard(mm, cpu, slab);
	}
}
