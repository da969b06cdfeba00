/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An allocation: from the list that the CPU has at hand; else from what others have freed to its
 * slab, from its partial slabs, from those of the node and of other nodes, and last from a new
 * slab. Owns struct mm_cache_cpu.
 *
 * Follows slab_alloc_node() and ___slab_alloc() of Linux 6.1 mm/slub.c.
 */
#include <errno.h>

#include "mm/gfp.h"
#include "mm/slab/slub.h"

int mm_slab_near(const struct mm *mm, int cpu)
{
	const struct mm_node *node = &mm->nodes[mm->cpu_nid[cpu]];

	for (int i = 0; i < node->nr_order; i++)
		if (mm_slab_node_has(mm, node->order[i]))
			return node->order[i];
	return node->nid;
}

bool mm_slab_node_has(const struct mm *mm, int nid)
{
	int highest = mm_arch_zone_index(mm->arch, MM_ZONE_NORMAL);

	for (int z = 0; z <= highest; z++)
		if (mm->nodes[nid].zones[z].present)
			return true;
	return false;
}

int mm_slab_check_request(struct mm *mm, const char *what, const struct mm_slab_request *req)
{
	if (req->nid != MM_NO_NODE && (req->nid < 0 || req->nid >= mm->nr_nodes))
		return -EINVAL;
	if (req->atomic && (req->gfp & __GFP_DIRECT_RECLAIM)) {
		char gfp[160];

		gfp_print(req->gfp, gfp, sizeof(gfp));
		mm_slab_say(mm,
			    "sleeping function called from invalid context: %s, %s, CPU %d is "
			    "atomic",
			    what, gfp, req->cpu);
		return -EWOULDBLOCK;
	}
	return 0;
}

static phys_addr_t cpu_at(const struct mm *mm, const struct mm_kmem_cache *cache, int cpu)
{
	return mm->percpu_at[cpu] + cache->cpu_offset;
}

/* The first object of the CPU's list. The next one is found in it. */
static phys_addr_t pop(struct mm *mm, struct mm_kmem_cache *cache, int cpu)
{
	struct mm_cache_cpu *c = &cache->cpu[cpu];
	struct mm_slab *slab = c->slab;
	uint16_t i = c->freelist;

	c->freelist = slab->next_free[i];
	mm_slab_mark(slab, i, true);
	mm_touch(mm, cpu, cpu_at(mm, cache, cpu), 16, MM_WRITE);
	mm_touch(mm, cpu, mm_slab_link(slab, i), mm_slab_word(mm), MM_READ);
	return mm_slab_object(slab, i);
}

/* What others have freed to the CPU's slab becomes the CPU's. False: the slab has no more. */
static bool refill(struct mm *mm, struct mm_kmem_cache *cache, int cpu)
{
	struct mm_cache_cpu *c = &cache->cpu[cpu];
	struct mm_slab *slab = c->slab;

	mm_touch_page(mm, cpu, slab->page, MM_WRITE);
	if (slab->freelist == SLAB_NONE) {
		slab->frozen = false;
		slab->place = SLAB_NOWHERE;
		c->slab = NULL;
		slab_count(cache, MM_SLAB_STAT_DEACTIVATE_BYPASS, 1);
		return false;
	}
	c->freelist = slab->freelist;
	slab->freelist = SLAB_NONE;
	slab->inuse = slab->objects;
	slab_count(cache, MM_SLAB_STAT_ALLOC_REFILL, 1);
	return true;
}

/* A slab that is frozen, and its list, become the CPU's, which may have got another one since. */
static void install(struct mm *mm, struct mm_kmem_cache *cache, int cpu, struct mm_slab *slab,
		    uint16_t list)
{
	struct mm_cache_cpu *c = &cache->cpu[cpu];

	while (c->slab) {
		slab_count(cache, MM_SLAB_STAT_CPUSLAB_FLUSH, 1);
		mm_slab_deactivate(mm, cpu, cache, cpu);
	}
	c->slab = slab;
	c->freelist = list;
	slab->place = SLAB_OF_CPU;
	mm_touch(mm, cpu, cpu_at(mm, cache, cpu), 24, MM_WRITE);
}

static bool install_new(struct mm *mm, struct mm_kmem_cache *cache,
			const struct mm_slab_request *req, int nid)
{
	struct mm_slab *slab = mm_slab_new(mm, cache, req, nid);
	uint16_t list;

	if (!slab)
		return false;
	list = slab->freelist;
	slab->freelist = SLAB_NONE;
	slab->inuse = slab->objects;
	slab->frozen = true;
	slab_count(cache, MM_SLAB_STAT_ALLOC_SLAB, 1);
	install(mm, cache, req->cpu, slab, list);
	return true;
}

static bool unfit(const struct mm_slab *slab, int nid)
{
	return nid != MM_NO_NODE && slab->nid != nid;
}

/* The first of the CPU's partial slabs; its list is taken when it is looked at next. */
static void use_cpu_partial(struct mm *mm, struct mm_kmem_cache *cache, int cpu)
{
	struct mm_cache_cpu *c = &cache->cpu[cpu];
	struct mm_slab *slab = c->partial;

	c->partial = slab->next;
	slab->next = NULL;
	slab->place = SLAB_OF_CPU;
	c->slab = slab;
	mm_touch(mm, cpu, cpu_at(mm, cache, cpu), SLAB_CPU_BYTES, MM_WRITE);
	mm_touch_page(mm, cpu, slab->page, MM_READ);
	slab_count(cache, MM_SLAB_STAT_CPU_PARTIAL_ALLOC, 1);
}

/* Until the CPU has a list with an object in it, from a node that may be. */
static int find_list(struct mm *mm, struct mm_kmem_cache *cache, const struct mm_slab_request *req,
		     int nid)
{
	struct mm_cache_cpu *c = &cache->cpu[req->cpu];

	for (;;) {
		struct mm_slab *slab;
		uint16_t list;

		if (c->slab && unfit(c->slab, nid)) {
			slab_count(cache, MM_SLAB_STAT_ALLOC_NODE_MISMATCH, 1);
			mm_slab_deactivate(mm, req->cpu, cache, req->cpu);
			continue;
		}
		if (c->slab && (c->freelist != SLAB_NONE || refill(mm, cache, req->cpu)))
			return 0;
		if (c->partial) {
			use_cpu_partial(mm, cache, req->cpu);
			continue;
		}
		slab = mm_slab_get_partial(mm, cache, req, nid, &list);
		if (slab)
			install(mm, cache, req->cpu, slab, list);
		/* A new one may be another node's, where the one that was asked for is full. */
		else if (!install_new(mm, cache, req, nid))
			return -ENOMEM;
		return 0;
	}
}

static int take_object(struct mm *mm, struct mm_kmem_cache *cache,
		       const struct mm_slab_request *req, phys_addr_t *object)
{
	const struct mm_cache_cpu *c = &cache->cpu[req->cpu];
	int nid = req->nid, err = 0;

	mm_work(mm, req->cpu, MM_SITE_SLAB_ALLOC, 1);
	mm_touch(mm, req->cpu, cache->at, 8, MM_READ);
	mm_touch(mm, req->cpu, cpu_at(mm, cache, req->cpu), 24, MM_READ);
	if (c->freelist != SLAB_NONE && !unfit(c->slab, nid)) {
		slab_count(cache, MM_SLAB_STAT_ALLOC_FASTPATH, 1);
	} else {
		slab_count(cache, MM_SLAB_STAT_ALLOC_SLOWPATH, 1);
		mm_work(mm, req->cpu, MM_SITE_SLAB_SLOW, 1);
		/* A node without memory of its own has no slabs. */
		if (nid != MM_NO_NODE && !mm_slab_node_has(mm, nid))
			nid = MM_NO_NODE;
		err = find_list(mm, cache, req, nid);
	}
	if (!err)
		*object = pop(mm, cache, req->cpu);
	return err;
}

int mm_slab_take_object(struct mm *mm, struct mm_kmem_cache *cache,
			const struct mm_slab_request *req, phys_addr_t *object)
{
	int err = slab_debugged(cache) ? mm_slab_debug_alloc(mm, cache, req, object)
				       : take_object(mm, cache, req, object);

	if (!err && (req->gfp & __GFP_ZERO))
		mm_touch(mm, req->cpu, *object, cache->l.object_size, MM_WRITE);
	return err;
}

int mm_kmem_cache_alloc(struct mm *mm, struct mm_kmem_cache *cache,
			const struct mm_slab_request *req, phys_addr_t *object)
{
	int err = mm_slab_check_request(mm, cache->name, req);

	if (err)
		return err;
	err = mm_slab_take_object(mm, cache, req, object);
	mm_slab_emit_alloc(mm, req, cache, false, cache->l.object_size, err ? 0 : *object);
	return err;
}
