/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Has the kernel's caches shrink, as Linux 6.1 mm/vmscan.c (shrink_slab, do_shrink_slab): 4 / seeks
 * of what there is, scaled down by priority as the LRU lists are, in batches; what is too little
 * for a batch is put off to the next time. Not there: memory control groups.
 */
#include "mm/reclaim/shrinker.h"

#include <errno.h>
#include <stdlib.h>

#include "mm/reclaim/vmscan.h"

int mm_register_shrinker(struct mm *mm, struct mm_shrinker *s)
{
	struct mm_shrinker **link = &mm->shrinkers;

	s->deferred = calloc((size_t)mm->nr_nodes, sizeof(*s->deferred));
	if (!s->deferred)
		return -ENOMEM;
	s->next = NULL;
	while (*link)
		link = &(*link)->next;
	*link = s;
	return 0;
}

void mm_unregister_shrinker(struct mm *mm, struct mm_shrinker *s)
{
	struct mm_shrinker **link = &mm->shrinkers;

	while (*link && *link != s)
		link = &(*link)->next;
	if (!*link)
		return;
	*link = s->next;
	free(s->deferred);
	s->deferred = NULL;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* One batch. Returns whether it is to go on; what it frees of slabs is added to *pages. */
static bool scan(struct mm *mm, const struct mm_node *node, struct mm_scan *sc,
		 struct mm_shrinker *s, uint64_t nr, uint64_t *pages)
{
	uint64_t before = mm->slab_pages_freed[sc->cpu];
	bool stop = s->scan(mm, sc->cpu, s, node->nid, nr) == MM_SHRINK_STOP;

	*pages += mm->slab_pages_freed[sc->cpu] - before;
	return !stop;
}

static void shrink(struct mm *mm, const struct mm_node *node, struct mm_scan *sc,
		   struct mm_shrinker *s, uint64_t *pages)
{
	uint64_t batch = s->batch ? s->batch : MM_SHRINK_BATCH;
	uint64_t freeable = s->count(mm, s, node->nid), put_off, share, total, scanned = 0;

	if (!freeable)
		return;
	put_off = s->deferred[node->nid];
	s->deferred[node->nid] = 0;
	share = (freeable >> sc->priority) * 4 / (s->seeks ? s->seeks : MM_DEFAULT_SEEKS);
	total = smaller((put_off >> sc->priority) + share, 2 * freeable);
	while (total >= batch || total >= freeable) {
		uint64_t nr = smaller(batch, total);

		if (!scan(mm, node, sc, s, nr, pages))
			break;
		mm_count(mm, sc->cpu, MM_VM_SLABS_SCANNED, nr);
		total -= nr;
		scanned += nr;
		sc->cpu = mm_resched(mm, sc->cpu);
	}
	put_off = put_off + share > scanned ? put_off + share - scanned : 0;
	s->deferred[node->nid] += smaller(put_off, 2 * freeable);
}

uint64_t mm_shrink_slab(struct mm *mm, const struct mm_node *node, struct mm_scan *sc)
{
	uint64_t pages = 0;

	for (struct mm_shrinker *s = mm->shrinkers; s; s = s->next)
		if ((sc->gfp & s->needs) == s->needs)
			shrink(mm, node, sc, s, &pages);
	return pages;
}
