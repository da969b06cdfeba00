/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kmalloc(): caches of fixed sizes, each in several kinds, and whole pages beyond 8 KiB.
 *
 * Follows create_kmalloc_caches(), kmalloc_slab(), kmalloc_type(), __kmalloc_large_node(), kfree()
 * and __do_krealloc() of Linux 6.1 mm/slab_common.c.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mm/gfp.h"
#include "mm/slab/slub.h"

#define MAX_CACHE_SIZE 8192

/* In the order in which they are made: 96 and 192 before the power of two above. */
static const uint32_t sizes[SLAB_NR_KMALLOC] = {8,   16,  32,   64,   96,   128, 192,
						256, 512, 1024, 2048, 4096, 8192};

static const char *const prefixes[MM_NR_KMALLOC_TYPES] = {
	[MM_KMALLOC_NORMAL] = "kmalloc",
	[MM_KMALLOC_CGROUP] = "kmalloc-cg",
	[MM_KMALLOC_RECLAIM] = "kmalloc-rcl",
	[MM_KMALLOC_DMA] = "dma-kmalloc",
};

static const unsigned type_flags[MM_NR_KMALLOC_TYPES] = {
	[MM_KMALLOC_CGROUP] = MM_SLAB_ACCOUNT,
	[MM_KMALLOC_RECLAIM] = MM_SLAB_RECLAIM_ACCOUNT,
	[MM_KMALLOC_DMA] = MM_SLAB_CACHE_DMA,
};

/* Where not all devices snoop, no two objects share a line that one of them may write to. */
static bool has_size(const struct mm *mm, uint32_t size)
{
	bool power_of_two = !(size & (size - 1));

	return power_of_two ? size >= mm->arch->kmalloc_min : size / 3 >= mm->arch->kmalloc_min;
}

static unsigned nr_sizes(const struct mm *mm)
{
	unsigned nr = 0;

	for (int i = 0; i < SLAB_NR_KMALLOC; i++)
		nr += has_size(mm, sizes[i]);
	return nr;
}

/* The n-th size that there is. */
static unsigned nth_size(const struct mm *mm, unsigned n)
{
	unsigned i = 0;

	while (!has_size(mm, sizes[i]) || n--)
		i++;
	return i;
}

unsigned mm_kmalloc_nr_caches(const struct mm *mm)
{
	return MM_NR_KMALLOC_TYPES * nr_sizes(mm);
}

void mm_kmalloc_args(const struct mm *mm, unsigned i, char name[MM_SLAB_NAME],
		     struct mm_cache_args *args)
{
	unsigned type = i / nr_sizes(mm);
	uint32_t size = sizes[nth_size(mm, i % nr_sizes(mm))];

	snprintf(name, MM_SLAB_NAME, "%s-%u%s", prefixes[type], size < 1024 ? size : size / 1024,
		 size < 1024 ? "" : "k");
	*args = (struct mm_cache_args){
		.name = name,
		.size = size,
		.align = size & (size - 1) ? 0 : size,
		.flags = type_flags[type] | MM_SLAB_KMALLOC | MM_SLAB_USERCOPY,
	};
}

static int make(struct mm *mm, unsigned i)
{
	char name[MM_SLAB_NAME];
	struct mm_kmem_cache *cache;
	struct mm_cache_args args;
	struct mm_slab_layout l;

	mm_kmalloc_args(mm, i, name, &args);
	if (mm_slab_layout(mm, &args, &l))
		return -EINVAL;
	cache = mm_slab_make_cache(mm, name, &l);
	if (!cache)
		return -ENOMEM;
	mm->slab->kmalloc[i / nr_sizes(mm)][nth_size(mm, i % nr_sizes(mm))] = cache;
	return mm_slab_place_cache(mm, 0, cache);
}

int mm_kmalloc_start(struct mm *mm)
{
	int err = 0;

	for (unsigned i = 0; i < mm_kmalloc_nr_caches(mm) && !err; i++)
		err = make(mm, i);
	return err;
}

static enum mm_kmalloc_type type_of(gfp_t gfp)
{
	if (gfp & __GFP_DMA)
		return MM_KMALLOC_DMA;
	if (gfp & __GFP_RECLAIMABLE)
		return MM_KMALLOC_RECLAIM;
	return gfp & __GFP_ACCOUNT ? MM_KMALLOC_CGROUP : MM_KMALLOC_NORMAL;
}

/* NULL beyond the largest. */
static struct mm_kmem_cache *cache_for(const struct mm *mm, uint64_t bytes, gfp_t gfp)
{
	for (int i = 0; i < SLAB_NR_KMALLOC; i++)
		if (bytes <= sizes[i] && has_size(mm, sizes[i]))
			return mm->slab->kmalloc[type_of(gfp)][i];
	return NULL;
}

const char *mm_kmalloc_name(struct mm *mm, uint64_t bytes, gfp_t gfp)
{
	struct mm_kmem_cache *cache;

	if (!bytes || mm_slab_start(mm))
		return NULL;
	cache = cache_for(mm, bytes, gfp);
	return cache ? cache->name : NULL;
}

static int alloc_block(struct mm *mm, uint64_t bytes, const struct mm_slab_request *req,
		       phys_addr_t *object)
{
	struct mm_slab *slab;
	unsigned order;

	order = mm_slab_bytes_order(mm, bytes);
	slab = mm_slab_new_block(mm, req, order);
	if (!slab)
		return -ENOMEM;
	*object = slab->at;
	return 0;
}

int mm_kmalloc(struct mm *mm, uint64_t bytes, const struct mm_slab_request *req,
	       phys_addr_t *object)
{
	struct mm_kmem_cache *cache;
	int err = mm_slab_start(mm);

	if (!err)
		err = mm_slab_check_request(mm, "kmalloc", req);
	if (err)
		return err;
	if (!bytes) {
		*object = MM_ZERO_SIZE_PTR;
		return 0;
	}
	if (bytes > UINT64_C(1) << (MAX_PAGE_ORDER + mm->arch->page_shift))
		return -EINVAL;
	cache = cache_for(mm, bytes, req->gfp);
	err = cache ? mm_slab_take_object(mm, cache, req, object)
		    : alloc_block(mm, bytes, req, object);
	mm_slab_emit_alloc(mm, req, cache, true, bytes, err ? 0 : *object);
	return err;
}

int mm_kfree(struct mm *mm, int cpu, phys_addr_t object)
{
	struct mm_slab *slab;
	uint16_t i;

	if (object == 0 || object == MM_ZERO_SIZE_PTR)
		return 0;
	slab = mm_slab_of(mm, object);
	i = slab ? mm_slab_index(slab, object) : SLAB_NONE;
	if (i == SLAB_NONE || !slab_in_use(slab, i)) {
		mm_slab_bad_free(mm, "kfree", NULL, object);
		return -EINVAL;
	}
	mm_slab_emit_free(mm, cpu, NULL, object);
	if (slab->cache)
		mm_slab_give_object(mm, cpu, slab, i);
	else
		mm_slab_discard(mm, cpu, slab);
	return 0;
}

uint64_t mm_ksize(const struct mm *mm, phys_addr_t object)
{
	const struct mm_slab *slab = mm_slab_of(mm, object);
	uint16_t i = slab ? mm_slab_index(slab, object) : SLAB_NONE;
	const struct mm_slab_layout *l;

	if (i == SLAB_NONE || !slab_in_use(slab, i))
		return 0;
	if (!slab->cache)
		return UINT64_C(1) << (slab->order + mm->arch->page_shift);
	l = &slab->cache->l;
	if (l->flags & (MM_SLAB_RED_ZONE | MM_SLAB_POISON))
		return l->object_size;
	return l->flags & (MM_SLAB_RCU | MM_SLAB_STORE_USER) ? l->inuse : l->size;
}

int mm_krealloc(struct mm *mm, phys_addr_t object, uint64_t bytes,
		const struct mm_slab_request *req, phys_addr_t *out)
{
	bool none = object == 0 || object == MM_ZERO_SIZE_PTR;
	uint64_t room = none ? 0 : mm_ksize(mm, object);
	phys_addr_t fresh;
	int err;

	if (!none && !room) {
		mm_slab_bad_free(mm, "krealloc", NULL, object);
		return -EINVAL;
	}
	if (!bytes) {
		*out = MM_ZERO_SIZE_PTR;
		return mm_kfree(mm, req->cpu, object);
	}
	if (room >= bytes) {
		*out = object;
		return 0;
	}
	err = mm_kmalloc(mm, bytes, req, &fresh);
	if (err)
		return err;
	if (!none) {
		mm_touch(mm, req->cpu, object, room, MM_READ);
		mm_touch(mm, req->cpu, fresh, room, MM_WRITE);
		mm_kfree(mm, req->cpu, object);
	}
	*out = fresh;
	return 0;
}
