/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Caches come and go. A cache that is like one there is becomes another name of that (merging).
 * Owns the list of caches, and the places in the CPUs' areas.
 *
 * Follows kmem_cache_create_usercopy(), find_mergeable() and kmem_cache_destroy() of Linux 6.1
 * mm/slab_common.c, __kmem_cache_alias() and __kmem_cache_shutdown() of mm/slub.c. Slabs of
 * SLAB_TYPESAFE_BY_RCU caches are given back at once: there is no RCU to wait for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mm/gfp.h"
#include "mm/slab/slub.h"

#define NEVER_MERGE                                                                                \
	(MM_SLAB_RED_ZONE | MM_SLAB_POISON | MM_SLAB_STORE_USER | MM_SLAB_RCU | MM_SLAB_CTOR |     \
	 MM_SLAB_USERCOPY | MM_SLAB_KMALLOC | MM_SLAB_BOOT)
#define MERGE_SAME (MM_SLAB_RECLAIM_ACCOUNT | MM_SLAB_CACHE_DMA | MM_SLAB_ACCOUNT)

/* Behind the zones' lists in each CPU's area. */
static bool take_cpu_place(struct mm *mm, uint64_t *offset)
{
	struct mm_slab_state *s = mm->slab;

	if (s->nr_percpu_free) {
		*offset = s->percpu_free[--s->nr_percpu_free];
		return true;
	}
	*offset = mm->percpu_used + s->percpu_used;
	if (*offset + SLAB_CPU_BYTES > mm->arch->percpu_bytes)
		return false;
	s->percpu_used += SLAB_CPU_BYTES;
	return true;
}

static void give_cpu_place(struct mm_slab_state *s, uint64_t offset)
{
	uint64_t *grown = realloc(s->percpu_free, (s->nr_percpu_free + 1) * sizeof(*grown));

	if (!grown)
		return; /* then it is lost */
	s->percpu_free = grown;
	grown[s->nr_percpu_free++] = offset;
}

static bool add_to_list(struct mm_slab_state *s, struct mm_kmem_cache *cache)
{
	if (s->nr_caches == s->room) {
		unsigned room = s->room ? 2 * s->room : 256;
		void *grown = realloc(s->caches, room * sizeof(*s->caches));

		if (!grown)
			return false;
		s->caches = grown;
		s->room = room;
	}
	s->caches[s->nr_caches++] = cache;
	return true;
}

static void free_cache(struct mm_kmem_cache *cache)
{
	free(cache->name);
	free(cache->cpu);
	free(cache->node);
	free(cache);
}

struct mm_kmem_cache *mm_slab_make_cache(struct mm *mm, const char *name,
					 const struct mm_slab_layout *l)
{
	struct mm_kmem_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return NULL;
	cache->name = strdup(name);
	cache->l = *l;
	cache->refs = 1;
	cache->cpu = calloc((size_t)mm->nr_cpus, sizeof(*cache->cpu));
	cache->node = calloc((size_t)mm->nr_nodes, sizeof(*cache->node));
	if (!cache->name || !cache->cpu || !cache->node ||
	    !take_cpu_place(mm, &cache->cpu_offset)) {
		free_cache(cache);
		return NULL;
	}
	for (int cpu = 0; cpu < mm->nr_cpus; cpu++)
		cache->cpu[cpu].freelist = SLAB_NONE;
	if (!add_to_list(mm->slab, cache)) {
		give_cpu_place(mm->slab, cache->cpu_offset);
		free_cache(cache);
		return NULL;
	}
	return cache;
}

/* The descriptor of a node. While it is taken, somebody else may give the cache one. */
static int place_node(struct mm *mm, struct mm_kmem_cache *cache, int nid,
		      const struct mm_slab_request *req)
{
	struct mm_cache_node *n = &cache->node[nid];
	phys_addr_t at;
	int err = mm_kmem_cache_alloc(mm, mm->slab->node_cache, req, &at);

	if (err)
		return err;
	if (n->at)
		return mm_kmem_cache_free(mm, req->cpu, mm->slab->node_cache, at);
	n->at = at;
	mm_touch(mm, req->cpu, n->at, mm->slab->node_cache->l.object_size, MM_WRITE);
	n->list_lock =
		(struct mm_lock){.kind = MM_LOCK_SLAB_LIST, .at = n->at, .holder = MM_NO_CPU};
	return 0;
}

static int place_nodes(struct mm *mm, int cpu, struct mm_kmem_cache *cache)
{
	int err = 0;

	for (int nid = 0; nid < mm->nr_nodes && !err; nid++) {
		struct mm_slab_request req = {.cpu = cpu, .gfp = GFP_KERNEL, .nid = nid};

		if (!cache->node[nid].at && mm_slab_node_has(mm, nid))
			err = place_node(mm, cache, nid, &req);
	}
	return err;
}

int mm_slab_going_online(struct mm *mm, int cpu, int nid)
{
	struct mm_slab_request req = {.cpu = cpu, .gfp = GFP_KERNEL, .nid = MM_NO_NODE};

	int err = 0;

	for (unsigned i = 0; mm->slab && i < mm->slab->nr_caches && !err; i++)
		if (!mm->slab->caches[i]->node[nid].at)
			err = place_node(mm, mm->slab->caches[i], nid, &req);
	return err;
}

void mm_slab_going_offline(struct mm *mm, int cpu)
{
	for (unsigned i = 0; mm->slab && i < mm->slab->nr_caches; i++)
		mm_kmem_cache_shrink(mm, cpu, mm->slab->caches[i]);
}

static int take_descriptor(struct mm *mm, int cpu, phys_addr_t *at)
{
	struct mm_slab_request req = {
		.cpu = cpu, .gfp = GFP_KERNEL | __GFP_ZERO, .nid = MM_NO_NODE};

	return mm_kmem_cache_alloc(mm, mm->slab->cache_cache, &req, at);
}

/* The very first two have theirs in objects of each other, once these have nodes. */
int mm_slab_place_first(struct mm *mm, int cpu, struct mm_kmem_cache *cache)
{
	int err = place_nodes(mm, cpu, cache);

	return err ? err : take_descriptor(mm, cpu, &cache->at);
}

/* While its nodes come it is nobody's to merge with: it has no place of its own until then. */
int mm_slab_place_cache(struct mm *mm, int cpu, struct mm_kmem_cache *cache)
{
	phys_addr_t at;
	int err = take_descriptor(mm, cpu, &at);

	if (err)
		return err;
	err = place_nodes(mm, cpu, cache);
	if (err)
		mm_kmem_cache_free(mm, cpu, mm->slab->cache_cache, at);
	else
		cache->at = at;
	return err;
}

void mm_slab_drop_cache(struct mm *mm, int cpu, struct mm_kmem_cache *cache)
{
	struct mm_slab_state *s = mm->slab;
	unsigned i = 0;

	while (s->caches[i] != cache)
		i++;
	memmove(&s->caches[i], &s->caches[i + 1], (s->nr_caches - i - 1) * sizeof(*s->caches));
	s->nr_caches--;
	give_cpu_place(s, cache->cpu_offset);
	for (int nid = 0; nid < mm->nr_nodes; nid++)
		if (cache->node[nid].at)
			mm_kmem_cache_free(mm, cpu, s->node_cache, cache->node[nid].at);
	if (cache->at)
		mm_kmem_cache_free(mm, cpu, s->cache_cache, cache->at);
	free_cache(cache);
}

/* Has an object of that size, in a slab of this cache, its place and its alignment? */
static bool serves(const struct mm *mm, const struct mm_kmem_cache *cache, uint32_t size,
		   uint32_t align, unsigned flags)
{
	const struct mm_slab_layout *l = &cache->l;

	/* Nor one that somebody is just making. */
	if (!cache->at || (l->flags & NEVER_MERGE) ||
	    (l->flags & MERGE_SAME) != (flags & MERGE_SAME))
		return false;
	return size <= l->size && l->size % align == 0 && l->size - size < mm_slab_word(mm);
}

static struct mm_kmem_cache *find_mergeable(struct mm *mm, const struct mm_slab_layout *l)
{
	struct mm_slab_state *s = mm->slab;
	uint32_t word = mm_slab_word(mm), size = (l->object_size + word - 1) & ~(word - 1);

	size = (size + l->align - 1) & ~(l->align - 1);
	if (mm->params.slab.nomerge || (l->flags & NEVER_MERGE))
		return NULL;
	for (unsigned i = 0; i < s->nr_caches; i++)
		if (serves(mm, s->caches[i], size, l->align, l->flags))
			return s->caches[i];
	return NULL;
}

/* Its objects are as large as the largest of those that it serves. */
static int merge(struct mm *mm, struct mm_kmem_cache *cache, const char *name,
		 const struct mm_slab_layout *l)
{
	struct mm_slab_state *s = mm->slab;
	void *grown = realloc(s->aliases, (s->nr_aliases + 1) * sizeof(*s->aliases));
	char *copy = strdup(name);

	if (grown)
		s->aliases = grown;
	if (!grown || !copy) {
		free(copy);
		return -ENOMEM;
	}
	s->aliases[s->nr_aliases++] = (struct mm_slab_alias){copy, cache};
	cache->refs++;
	if (l->object_size > cache->l.object_size)
		cache->l.object_size = l->object_size;
	if (l->inuse > cache->l.inuse)
		cache->l.inuse = l->inuse;
	return 0;
}

int mm_kmem_cache_create(struct mm *mm, int cpu, const struct mm_cache_args *args,
			 struct mm_kmem_cache **out)
{
	struct mm_kmem_cache *cache;
	struct mm_slab_layout l;
	int err = args->name ? mm_slab_layout(mm, args, &l) : -EINVAL;

	if (!err)
		err = mm_slab_start(mm);
	if (err)
		return err;
	mm_work(mm, cpu, MM_SITE_SLAB_SLOW, 1);
	*out = find_mergeable(mm, &l);
	if (*out)
		return merge(mm, *out, args->name, &l);
	cache = mm_slab_make_cache(mm, args->name, &l);
	if (!cache)
		return -ENOMEM;
	err = mm_slab_place_cache(mm, cpu, cache);
	if (err)
		mm_slab_drop_cache(mm, cpu, cache);
	else
		*out = cache;
	return err;
}

/* One of its users is gone; which of the names that was nobody says: the newest. */
static void drop_alias(struct mm_slab_state *s, const struct mm_kmem_cache *cache)
{
	for (unsigned i = s->nr_aliases; i-- > 0;)
		if (s->aliases[i].cache == cache) {
			free(s->aliases[i].name);
			s->nr_aliases--;
			memmove(&s->aliases[i], &s->aliases[i + 1],
				(s->nr_aliases - i) * sizeof(*s->aliases));
			return;
		}
}

static uint64_t objects_left(const struct mm *mm, const struct mm_kmem_cache *cache)
{
	uint64_t used = 0;

	for (size_t i = 0; mm->slab->map && i < (size_t)1 << mm->slab->map_bits; i++) {
		const struct mm_slab *slab = mm->slab->map[i].slab;

		if (slab && slab->cache == cache && slab->pfn == mm->slab->map[i].pfn)
			used += slab->used;
	}
	return used;
}

/* Slabs that are damaged stay behind, with what is left in them. */
static uint64_t slabs_left(const struct mm *mm, const struct mm_kmem_cache *cache)
{
	uint64_t nr = 0;

	for (int nid = 0; nid < mm->nr_nodes; nid++)
		nr += cache->node[nid].nr_slabs;
	return nr;
}

int mm_kmem_cache_destroy(struct mm *mm, int cpu, struct mm_kmem_cache *cache, uint64_t *left)
{
	uint64_t used;

	if (left)
		*left = 0;
	if (cache->refs > 1) {
		cache->refs--;
		drop_alias(mm->slab, cache);
		return 0;
	}
	/* All empty slabs go; the kernel does the same by other means. */
	mm_kmem_cache_shrink(mm, cpu, cache);
	used = objects_left(mm, cache);
	if (left)
		*left = used;
	if (slabs_left(mm, cache)) {
		mm_slab_say(mm, "kmem_cache_destroy %s: cache still has %llu objects", cache->name,
			    (unsigned long long)used);
		return -EBUSY;
	}
	mm_slab_drop_cache(mm, cpu, cache);
	return 0;
}

struct mm_kmem_cache *mm_slab_find(struct mm *mm, const char *name)
{
	const struct mm_slab_state *s = mm->slab;

	for (unsigned i = 0; s && i < s->nr_caches; i++)
		if (s->caches[i]->at && !strcmp(s->caches[i]->name, name))
			return s->caches[i];
	for (unsigned i = 0; s && i < s->nr_aliases; i++)
		if (!strcmp(s->aliases[i].name, name))
			return s->aliases[i].cache;
	return NULL;
}
