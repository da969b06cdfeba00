/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at caches: what /proc/slabinfo shows, and what was counted. */
#include "mm/slab/slub.h"
#include "mm/zone_count.h"

const char *mm_slab_stat_name(enum mm_slab_stat stat)
{
	static const char *const names[] = {
#define X(id, name, what) [MM_SLAB_STAT_##id] = name,
		MM_SLAB_STATS(X)
#undef X
	};
	return names[stat];
}

bool mm_slab_info(const struct mm *mm, unsigned i, struct mm_slab_info *info)
{
	const struct mm_slab_state *s = mm->slab;
	const struct mm_kmem_cache *cache;
	uint64_t nr_free = 0;

	if (!s || i >= s->nr_caches)
		return false;
	cache = s->caches[s->nr_caches - 1 - i];
	*info = (struct mm_slab_info){
		.name = cache->name, .layout = cache->l, .nr_pages = cache->pages};
	for (int nid = 0; nid < mm->nr_nodes; nid++) {
		info->nr_slabs += cache->node[nid].nr_slabs;
		info->nr_objs += cache->node[nid].nr_objects;
		for (const struct mm_slab *p = cache->node[nid].partial; p; p = p->next)
			nr_free += (uint64_t)p->objects - p->inuse;
	}
	info->active_objs = info->nr_objs - nr_free;
	for (size_t e = 0; s->map && e < (size_t)1 << s->map_bits; e++) {
		const struct mm_slab *slab = s->map[e].slab;

		if (slab && slab->cache == cache && slab->pfn == s->map[e].pfn)
			info->allocated += slab->used;
	}
	for (int stat = 0; stat < MM_NR_SLAB_STATS; stat++)
		info->stats[stat] = cache->stats[stat];
	return true;
}

bool mm_slab_sums(const struct mm *mm, uint64_t *stats)
{
	for (int stat = 0; stat < MM_NR_SLAB_STATS; stat++)
		stats[stat] = 0;
	for (unsigned i = 0; mm->slab && i < mm->slab->nr_caches; i++)
		for (int stat = 0; stat < MM_NR_SLAB_STATS; stat++)
			stats[stat] += mm->slab->caches[i]->stats[stat];
	return mm->slab;
}

void mm_slab_pages(const struct mm *mm, int nid, uint64_t pages[2])
{
	pages[0] = mm_node_stat_exactly(mm, &mm->nodes[nid], MM_NS_SLAB_UNRECLAIMABLE);
	pages[1] = mm_node_stat_exactly(mm, &mm->nodes[nid], MM_NS_SLAB_RECLAIMABLE);
}
