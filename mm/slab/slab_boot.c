/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first caches: those of the descriptors of caches and of their nodes, which are objects of
 * each other; kmalloc's; and what else the kernel makes at boot, as its profile lists it.
 *
 * Follows kmem_cache_init() and early_kmem_cache_node_alloc() of Linux 6.1 mm/slub.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mm/boot/profile.h"
#include "mm/gfp.h"
#include "mm/slab/slub.h"

/* Where no profile says otherwise: the sizes of Debian's kernels with 64 and 32 bits. */
static const struct mm_boot_cache defaults[2][2] = {
	{{.name = "kmem_cache", .size = 216, .size_per_node = 8},
	 {.name = "kmem_cache_node", .size = 64}},
	{{.name = "kmem_cache", .size = 136, .size_per_node = 4},
	 {.name = "kmem_cache_node", .size = 32}},
};

static const struct mm_boot_cache *boot_cache(const struct mm *mm, int which)
{
	const struct mm_boot_cache *otherwise = &defaults[mm_slab_word(mm) == 4][which];

	for (unsigned i = 0; i < mm->nr_boot_caches; i++)
		if (!strcmp(mm->boot_caches[i].name, otherwise->name))
			return &mm->boot_caches[i];
	return otherwise;
}

struct mm_cache_args mm_boot_cache_args(const struct mm *mm, const struct mm_boot_cache *b)
{
	uint32_t word = mm_slab_word(mm);
	uint32_t mask_words = ((uint32_t)mm->nr_cpus + 8 * word - 1) / (8 * word);

	return (struct mm_cache_args){
		.name = b->name,
		.size = b->size + b->size_per_node * (uint32_t)mm->nr_nodes +
			b->size_per_cpus * mask_words +
			(b->has_xstate ? mm->params.slab.xstate_bytes : 0),
		.align = b->align,
		.flags = b->flags,
	};
}

/* A cache that is not to be merged, nor looked for. */
static struct mm_kmem_cache *make(struct mm *mm, const struct mm_boot_cache *b)
{
	struct mm_cache_args args = mm_boot_cache_args(mm, b);
	struct mm_slab_layout l;

	args.flags |= MM_SLAB_HWCACHE_ALIGN | MM_SLAB_BOOT;
	return mm_slab_layout(mm, &args, &l) ? NULL : mm_slab_make_cache(mm, b->name, &l);
}

/* The descriptor of a node of kmem_cache_node is the first object of its first slab there. */
static int first_node(struct mm *mm, struct mm_kmem_cache *cache, int nid)
{
	struct mm_slab_request req = {.cpu = 0, .gfp = GFP_NOWAIT, .nid = nid};
	struct mm_cache_node *n = &cache->node[nid];
	struct mm_slab *slab = mm_slab_new(mm, cache, &req, nid);
	uint16_t i;

	if (!slab)
		return -ENOMEM;
	i = slab->freelist;
	slab->freelist = slab->next_free[i];
	slab->inuse = 1;
	mm_slab_mark(slab, i, true);
	n->at = mm_slab_object(slab, i);
	n->list_lock =
		(struct mm_lock){.kind = MM_LOCK_SLAB_LIST, .at = n->at, .holder = MM_NO_CPU};
	/* Where the node is full, the slab is another's: that one has its own descriptor by then.
	 */
	mm_slab_add_partial(mm, MM_NO_CPU, slab, false);
	return 0;
}

static int make_first(struct mm *mm)
{
	struct mm_slab_state *s = mm->slab;
	int err = 0;

	s->cache_cache = make(mm, boot_cache(mm, 0));
	s->node_cache = make(mm, boot_cache(mm, 1));
	if (!s->cache_cache || !s->node_cache)
		return -ENOMEM;
	for (int nid = 0; nid < mm->nr_nodes && !err; nid++)
		if (mm_slab_node_has(mm, nid))
			err = first_node(mm, s->node_cache, nid);
	if (!err)
		err = mm_slab_place_first(mm, 0, s->cache_cache);
	return err ? err : mm_slab_place_first(mm, 0, s->node_cache);
}

static bool is_first(const struct mm *mm, const struct mm_boot_cache *b)
{
	return !strcmp(b->name, mm->slab->cache_cache->name) ||
	       !strcmp(b->name, mm->slab->node_cache->name);
}

static int make_boot_caches(struct mm *mm)
{
	int err = 0;

	for (unsigned i = 0; i < mm->nr_boot_caches && !err; i++) {
		const struct mm_boot_cache *b = &mm->boot_caches[i];
		struct mm_cache_args args = mm_boot_cache_args(mm, b);
		struct mm_kmem_cache *cache;

		if (!b->optional && !is_first(mm, b))
			err = mm_kmem_cache_create(mm, 0, &args, &cache);
	}
	return err;
}

int mm_slab_start(struct mm *mm)
{
	const struct mm_ops ops = mm->ops;
	int err;

	if (mm->slab)
		return mm->slab->start_err;
	mm->slab = calloc(1, sizeof(*mm->slab));
	if (!mm->slab)
		return -ENOMEM;
	mm->ops = (struct mm_ops){0};
	err = make_first(mm);
	if (!err)
		err = mm_kmalloc_start(mm);
	if (!err)
		err = make_boot_caches(mm);
	mm->ops = ops;
	for (unsigned i = 0; i < mm->slab->nr_caches; i++)
		memset(mm->slab->caches[i]->stats, 0, sizeof(mm->slab->caches[i]->stats));
	mm->slab->start_err = err;
	return err;
}

int mm_kmem_cache_create_at_boot(struct mm *mm, const struct mm_cache_args *args,
				 struct mm_kmem_cache **out)
{
	const struct mm_ops ops = mm->ops;
	int err;

	mm->ops = (struct mm_ops){0};
	err = mm_kmem_cache_create(mm, 0, args, out);
	mm->ops = ops;
	return err;
}

/* The two first ones, kmalloc's, then the profile's others. */
bool mm_slab_boot_cache(const struct mm *mm, unsigned i, char *name, struct mm_slab_layout *layout)
{
	unsigned nr_kmalloc = mm_kmalloc_nr_caches(mm);
	struct mm_cache_args args;

	if (i >= 2 && i < 2 + nr_kmalloc) {
		mm_kmalloc_args(mm, i - 2, name, &args);
		return mm_slab_layout(mm, &args, layout) == 0;
	}
	if (i < 2) {
		args = mm_boot_cache_args(mm, boot_cache(mm, (int)i));
		args.flags |= MM_SLAB_HWCACHE_ALIGN | MM_SLAB_BOOT;
	} else if (i - 2 - nr_kmalloc < mm->nr_boot_caches) {
		args = mm_boot_cache_args(mm, &mm->boot_caches[i - 2 - nr_kmalloc]);
	} else {
		return false;
	}
	strcpy(name, args.name);
	return mm_slab_layout(mm, &args, layout) == 0;
}

int mm_slab_copy_profile(struct mm *mm, const struct mm_profile *profile)
{
	size_t bytes = profile ? profile->nr_caches * sizeof(*mm->boot_caches) : 0;

	if (profile && !mm->params.slab.xstate_bytes)
		mm->params.slab.xstate_bytes = profile->xstate_bytes;
	if (!bytes)
		return 0;
	mm->boot_caches = malloc(bytes);
	if (!mm->boot_caches)
		return -ENOMEM;
	memcpy(mm->boot_caches, profile->caches, bytes);
	mm->nr_boot_caches = profile->nr_caches;
	return 0;
}

void mm_slab_end(struct mm *mm)
{
	struct mm_slab_state *s = mm->slab;

	free(mm->boot_caches);
	if (!s)
		return;
	mm_slab_map_free(s);
	for (unsigned i = 0; i < s->nr_caches; i++) {
		free(s->caches[i]->name);
		free(s->caches[i]->cpu);
		free(s->caches[i]->node);
		free(s->caches[i]);
	}
	for (unsigned i = 0; i < s->nr_aliases; i++)
		free(s->aliases[i].name);
	for (unsigned i = 0; i < SLAB_MAX_REPORTS; i++)
		free(s->reports[i]);
	free(s->caches);
	free(s->aliases);
	free(s->percpu_free);
	free(s);
}
