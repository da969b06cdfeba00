/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slabs from and to the page allocator, and the way from an address to its slab: what the kernel
 * finds through the page descriptor. Owns struct mm_slab and page->slab.
 *
 * Follows allocate_slab() and __free_slab() of Linux 6.1 mm/slub.c. Objects are linked in the order
 * of their addresses (CONFIG_SLAB_FREELIST_RANDOM shuffles them).
 */
#include <stdlib.h>

#include "mm/gfp.h"
#include "mm/slab/slub.h"
#include "mm/zone_count.h"

#define MAP_BITS 8 /* of an empty map */
/* What of the caller's flags the page allocator gets to see. */
#define RECLAIM_MASK                                                                               \
	(__GFP_RECLAIM | __GFP_HIGH | __GFP_IO | __GFP_FS | __GFP_NOWARN | __GFP_RETRY_MAYFAIL |   \
	 __GFP_NOFAIL | __GFP_NORETRY | __GFP_MEMALLOC | __GFP_NOMEMALLOC | __GFP_ATOMIC)
#define CONSTRAINT_MASK (__GFP_HARDWALL | __GFP_THISNODE)
#define BAD_MASK        (__GFP_DMA32 | __GFP_HIGHMEM)

static size_t hash(const struct mm_slab_state *s, pfn_t pfn)
{
	return (size_t)(pfn * UINT64_C(0x9e3779b97f4a7c15) >> (64 - s->map_bits));
}

static size_t map_mask(const struct mm_slab_state *s)
{
	return ((size_t)1 << s->map_bits) - 1;
}

/* Of the frame's entry, or of the free one where it would be. */
static size_t map_find(const struct mm_slab_state *s, pfn_t pfn)
{
	size_t i = hash(s, pfn);

	while (s->map[i].slab && s->map[i].pfn != pfn)
		i = (i + 1) & map_mask(s);
	return i;
}

struct mm_slab *mm_slab_of(const struct mm *mm, phys_addr_t at)
{
	const struct mm_slab_state *s = mm->slab;

	return s && s->map ? s->map[map_find(s, at >> mm->arch->page_shift)].slab : NULL;
}

static bool map_grow(struct mm_slab_state *s)
{
	struct mm_slab_entry *old = s->map;
	size_t nr = old ? (size_t)1 << s->map_bits : 0;
	unsigned bits = old ? s->map_bits + 1 : MAP_BITS;
	struct mm_slab_entry *map = calloc((size_t)1 << bits, sizeof(*map));

	if (!map)
		return false;
	s->map = map;
	s->map_bits = bits;
	for (size_t i = 0; i < nr; i++)
		if (old[i].slab)
			map[map_find(s, old[i].pfn)] = old[i];
	free(old);
	return true;
}

/* Of a block of kmalloc() the first frame is enough: only its beginning is ever asked for. */
static size_t map_frames(const struct mm_slab *slab)
{
	return slab->cache ? (size_t)1 << slab->order : 1;
}

static bool map_add(struct mm_slab_state *s, struct mm_slab *slab)
{
	size_t frames = map_frames(slab);

	while (!s->map || 2 * (s->map_used + frames) > (size_t)1 << s->map_bits)
		if (!map_grow(s))
			return false;
	for (size_t f = 0; f < frames; f++)
		s->map[map_find(s, slab->pfn + f)] = (struct mm_slab_entry){slab->pfn + f, slab};
	s->map_used += frames;
	s->nr_slabs++;
	return true;
}

/* Entries behind a hole move up, or a search for them would end there. */
static void map_remove_frame(struct mm_slab_state *s, pfn_t pfn)
{
	size_t mask = map_mask(s), hole = map_find(s, pfn);

	for (size_t i = (hole + 1) & mask; s->map[i].slab; i = (i + 1) & mask) {
		if (((i - hash(s, s->map[i].pfn)) & mask) < ((i - hole) & mask))
			continue;
		s->map[hole] = s->map[i];
		hole = i;
	}
	s->map[hole].slab = NULL;
	s->map_used--;
}

static void map_remove(struct mm_slab_state *s, const struct mm_slab *slab)
{
	for (size_t f = 0; f < map_frames(slab); f++)
		map_remove_frame(s, slab->pfn + f);
	s->nr_slabs--;
}

void mm_slab_map_free(struct mm_slab_state *s)
{
	for (size_t i = 0; s->map && i <= map_mask(s); i++)
		if (s->map[i].slab && s->map[i].pfn != s->map[i].slab->pfn)
			s->map[i].slab = NULL;
	for (size_t i = 0; s->map && i <= map_mask(s); i++)
		free(s->map[i].slab);
	free(s->map);
	s->map = NULL;
}

phys_addr_t mm_slab_object(const struct mm_slab *slab, uint16_t index)
{
	if (!slab->cache)
		return slab->at;
	return slab->at + (uint64_t)index * slab->cache->l.size + slab->cache->l.red_left_pad;
}

phys_addr_t mm_slab_link(const struct mm_slab *slab, uint16_t index)
{
	return mm_slab_object(slab, index) + slab->cache->l.free_pointer;
}

uint16_t mm_slab_index(const struct mm_slab *slab, phys_addr_t at)
{
	uint64_t offset = at - slab->at;

	if (!slab->cache)
		return offset ? SLAB_NONE : 0;
	if (offset < slab->cache->l.red_left_pad)
		return SLAB_NONE;
	offset -= slab->cache->l.red_left_pad;
	if (offset % slab->cache->l.size || offset / slab->cache->l.size >= slab->objects)
		return SLAB_NONE;
	return (uint16_t)(offset / slab->cache->l.size);
}

void mm_slab_mark(struct mm_slab *slab, uint16_t i, bool used)
{
	if (used) {
		slab->in_use[i / 64] |= UINT64_C(1) << (i % 64);
		slab->used++;
	} else {
		slab->in_use[i / 64] &= ~(UINT64_C(1) << (i % 64));
		slab->used--;
	}
}

/* The host's record of a slab: links, bits and, with debugging, what is wrong, in one piece. */
static struct mm_slab *new_record(struct mm_kmem_cache *cache, unsigned objects)
{
	size_t links = (sizeof(struct mm_slab) + objects * sizeof(uint16_t) + 7) & ~(size_t)7;
	size_t bits = (objects + 63) / 64 * sizeof(uint64_t);
	bool hurt = cache && slab_debugged(cache);
	struct mm_slab *slab = calloc(1, links + bits + (hurt ? objects : 0));

	if (!slab)
		return NULL;
	slab->cache = cache;
	slab->objects = (uint16_t)objects;
	slab->freelist = SLAB_NONE;
	slab->in_use = (uint64_t *)((char *)slab + links);
	if (hurt)
		slab->hurt = (uint8_t *)slab->in_use + bits;
	return slab;
}

static bool reclaimable(const struct mm_slab *slab)
{
	return slab->cache && (slab->cache->l.flags & MM_SLAB_RECLAIM_ACCOUNT);
}

/* The pages are the slab's from now on. On failure they go back. */
static struct mm_slab *adopt(struct mm *mm, int cpu, struct mm_slab *slab, struct page *page)
{
	if (slab) {
		slab->page = page;
		slab->order = page->order;
		slab->pfn = mm_pfn_of(mm, page);
		slab->at = mm_page_address(mm, page);
		slab->nid = mm_page_to_nid(mm, page);
	}
	if (!slab || !map_add(mm->slab, slab)) {
		free(slab);
		mm_free_pages(mm, cpu, page, page->order);
		return NULL;
	}
	page->flags &= ~(uint64_t)PG_LRU;
	page->slab = true;
	mm_mod_node_stat(mm, cpu, &mm->nodes[slab->nid],
			 MM_NS_SLAB_UNRECLAIMABLE + reclaimable(slab), INT64_C(1) << slab->order);
	return slab;
}

static struct page *take_pages(struct mm *mm, const struct mm_slab_request *req, int nid,
			       unsigned order, gfp_t gfp)
{
	const struct mm_request pages = {.cpu = req->cpu, .nid = nid, .order = order, .gfp = gfp};
	struct mm_policy_use use = {.policy = req->policy, .turn = req->turn};
	struct page *page;
	int err;

	/* Interleaving counts pages, not objects. */
	use.turn += req->policy ? mm->slab->nr_policy_pages++ : 0;
	if (nid == MM_NO_NODE && req->policy)
		err = mm_alloc_pages_policy(mm, &pages, &use, &page);
	else
		err = mm_alloc_pages(mm, &pages, &page);
	return err ? NULL : page;
}

/* Flags that no slab can follow are dropped, and said. */
static gfp_t allowed(struct mm *mm, gfp_t gfp)
{
	if (gfp & BAD_MASK)
		mm_slab_say(mm, "unexpected allocation flags 0x%x for a slab, taken without", gfp);
	return gfp & ~BAD_MASK;
}

/* As large as is good, if that is to be had for nothing; else as small as possible. */
static struct page *slab_pages(struct mm *mm, struct mm_kmem_cache *cache,
			       const struct mm_slab_request *req, int nid)
{
	const struct mm_slab_layout *l = &cache->l;
	gfp_t gfp = allowed(mm, req->gfp) & (RECLAIM_MASK | CONSTRAINT_MASK), high;
	struct page *page;

	gfp |= l->flags & MM_SLAB_CACHE_DMA ? __GFP_DMA : 0;
	gfp |= l->flags & MM_SLAB_RECLAIM_ACCOUNT ? __GFP_RECLAIMABLE : 0;
	gfp |= l->order ? __GFP_COMP : 0;
	high = (gfp | __GFP_NOWARN | __GFP_NORETRY) & ~__GFP_NOFAIL;
	if ((high & __GFP_DIRECT_RECLAIM) && l->order > l->min_order)
		high = (high | __GFP_NOMEMALLOC) & ~__GFP_RECLAIM;
	page = take_pages(mm, req, nid, l->order, high);
	if (page)
		return page;
	page = take_pages(mm, req, nid, l->min_order, gfp);
	if (page)
		slab_count(cache, MM_SLAB_STAT_ORDER_FALLBACK, 1);
	return page;
}

/* Each object gets its place on the list: a store to each of them. */
static void link_objects(struct mm *mm, int cpu, struct mm_slab *slab)
{
	const struct mm_slab_layout *l = &slab->cache->l;

	mm_work(mm, cpu, MM_SITE_SLAB_OBJECT, slab->objects);
	for (uint16_t i = 0; i < slab->objects; i++) {
		slab->next_free[i] = i + 1 < slab->objects ? (uint16_t)(i + 1) : SLAB_NONE;
		if (l->flags & (MM_SLAB_CTOR | MM_SLAB_POISON | MM_SLAB_RED_ZONE))
			mm_touch(mm, cpu, mm_slab_object(slab, i) - l->red_left_pad, l->size,
				 MM_WRITE);
		else
			mm_touch(mm, cpu, mm_slab_link(slab, i), mm_slab_word(mm), MM_WRITE);
	}
	slab->freelist = 0;
}

struct mm_slab *mm_slab_new(struct mm *mm, struct mm_kmem_cache *cache,
			    const struct mm_slab_request *req, int nid)
{
	struct page *page = slab_pages(mm, cache, req, nid);
	struct mm_slab *slab;
	unsigned objects;

	if (!page)
		return NULL;
	objects = page->order == cache->l.order ? cache->l.objects : cache->l.min_objects;
	slab = adopt(mm, req->cpu, new_record(cache, objects), page);
	if (!slab)
		return NULL;
	mm_work(mm, req->cpu, MM_SITE_SLAB_NEW, 1);
	mm_touch_page(mm, req->cpu, page, MM_WRITE);
	link_objects(mm, req->cpu, slab);
	cache->node[slab->nid].nr_slabs++;
	cache->node[slab->nid].nr_objects += objects;
	cache->pages += UINT64_C(1) << slab->order;
	return slab;
}

void mm_slab_discard(struct mm *mm, int cpu, struct mm_slab *slab)
{
	struct mm_kmem_cache *cache = slab->cache;
	struct page *page = slab->page;
	unsigned order = slab->order;

	if (cpu != MM_NO_CPU)
		mm->slab_pages_freed[cpu] += UINT64_C(1) << order;
	if (cache) {
		slab_count(cache, MM_SLAB_STAT_FREE_SLAB, 1);
		cache->node[slab->nid].nr_slabs--;
		cache->node[slab->nid].nr_objects -= slab->objects;
		cache->pages -= UINT64_C(1) << order;
	}
	mm_mod_node_stat(mm, cpu, &mm->nodes[slab->nid],
			 MM_NS_SLAB_UNRECLAIMABLE + reclaimable(slab), -(INT64_C(1) << order));
	map_remove(mm->slab, slab);
	free(slab);
	page->slab = false;
	mm_work(mm, cpu, MM_SITE_SLAB_NEW, 1);
	mm_touch_page(mm, cpu, page, MM_WRITE);
	mm_free_pages(mm, cpu, page, order);
}

struct mm_slab *mm_slab_new_block(struct mm *mm, const struct mm_slab_request *req, unsigned order)
{
	int nid = req->nid == MM_NO_NODE ? mm_slab_near(mm, req->cpu) : req->nid;
	gfp_t gfp = (allowed(mm, req->gfp) & ~__GFP_ACCOUNT) | __GFP_COMP;
	struct page *page = take_pages(mm, req, nid, order, gfp);
	struct mm_slab *slab;

	if (!page)
		return NULL;
	slab = adopt(mm, req->cpu, new_record(NULL, 1), page);
	if (!slab)
		return NULL;
	slab->inuse = 1;
	mm_slab_mark(slab, 0, true);
	return slab;
}
