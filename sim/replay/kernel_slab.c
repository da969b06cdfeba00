/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the slab allocator's functions. */
#include <inttypes.h>

#include "mm/slab/slab.h"
#include "mm/warn.h"
#include "sim/replay/kernel_state.h"

static struct mm_slab_request request(const struct kernel_run *x)
{
	return (struct mm_slab_request){
		.cpu = x->cpu,
		.gfp = x->call->what == KERNEL_KZALLOC ? x->call->gfp | __GFP_ZERO : x->call->gfp,
		.nid = x->call->nid == MM_NO_NODE ? MM_NO_NODE : x->call->nid % mm_nr_nodes(x->mm),
		.atomic = x->task->atomic,
	};
}

static bool kmalloc_one(struct kernel_run *x, struct kernel_value *v, struct kernel_item *i)
{
	struct mm_slab_request req = request(x);

	return !mm_kmalloc(x->mm, v->bytes, &req, &i->at);
}

static bool krealloc_one(struct kernel_run *x, struct kernel_item *i)
{
	struct mm_slab_request req = request(x);

	x->of->bytes = x->call->bytes;
	return !mm_krealloc(x->mm, i->at, x->call->bytes, &req, &i->at);
}

static void ksize(struct kernel_run *x)
{
	x->sum->nothing += !x->of->nr;
	if (!x->of->nr)
		return;
	x->sum->calls++;
	kernel_print(x, "ksize: %" PRIu64 " bytes at 0x%" PRIx64,
		     mm_ksize(x->mm, x->of->items[0].at),
		     kernel_address(x, x->of, &x->of->items[0]));
}

/* kfree() takes any address; one beyond the direct mapping is no object's. */
static bool kfree_one(struct kernel_run *x, struct kernel_item *i)
{
	const struct mm_vm_range *direct = &mm_get_vm_map(x->mm)->direct;
	uint64_t at = kernel_address(x, x->of, i) + x->call->offset;

	if (at >= direct->start && at < direct->end)
		return !mm_kfree(x->mm, x->cpu, at - direct->start);
	mm_warn(x->mm, "kfree of 0x%" PRIx64 ": it is not in the direct mapping", at);
	return false;
}

static void create(struct kernel_run *x)
{
	struct kernel_value v = {.kind = KERNEL_CACHE};
	const struct mm_cache_args args = {
		.name = x->k->plan->texts[x->call->text],
		.size = (uint32_t)x->call->bytes,
		.align = x->call->align,
		.flags = x->call->flags,
	};

	if (kernel_sleeps(x))
		return;
	x->sum->calls++;
	if (mm_kmem_cache_create(x->mm, x->cpu, &args, &v.cache)) {
		v.cache = NULL;
		x->sum->failed++;
		mm_warn(x->mm, "kmem_cache_create(%s) failed: %u bytes, aligned to %u", args.name,
			args.size, args.align);
	}
	kernel_store(x, &v);
}

/* The cache that the call is of; NULL: it is not there, which is counted. */
static struct mm_kmem_cache *cache_of(struct kernel_run *x)
{
	if (!x->of->cache)
		x->sum->nothing++;
	return x->of->cache;
}

static bool cache_alloc_one(struct kernel_run *x, struct kernel_value *v, struct kernel_item *i)
{
	struct mm_slab_request req = request(x);

	(void)v;
	return !mm_kmem_cache_alloc(x->mm, x->of->cache, &req, &i->at);
}

static bool cache_free_one(struct kernel_run *x, struct kernel_item *i)
{
	uint32_t name = x->call->from != KERNEL_NONE ? x->call->from : x->of->cache_name;
	struct mm_kmem_cache *cache = name == KERNEL_NONE ? NULL : x->task->values[name].cache;

	if (cache)
		return !mm_kmem_cache_free(x->mm, x->cpu, cache, i->at + x->call->offset);
	mm_warn(x->mm, "kmem_cache_free of 0x%" PRIx64 ": there is no such cache",
		kernel_address(x, x->of, i));
	return false;
}

static void of_cache(struct kernel_run *x)
{
	struct mm_kmem_cache *cache;

	if (kernel_sleeps(x))
		return;
	cache = cache_of(x);
	if (!cache)
		return;
	x->sum->calls++;
	if (x->call->what == KERNEL_CACHE_SHRINK)
		mm_kmem_cache_shrink(x->mm, x->cpu, cache);
	else if (x->call->what == KERNEL_CACHE_VALIDATE)
		x->sum->failed += mm_slab_validate(x->mm, x->cpu, cache) != 0;
	else if (mm_kmem_cache_destroy(x->mm, x->cpu, cache, NULL))
		x->sum->failed++;
	else
		x->of->cache = NULL;
}

void kernel_slab(struct kernel_run *x)
{
	switch (x->call->what) {
	case KERNEL_KMALLOC:
	case KERNEL_KZALLOC:
		kernel_make(x,
			    (struct kernel_value){.kind = KERNEL_OBJECT,
						  .bytes = x->call->bytes,
						  .cache_name = KERNEL_NONE},
			    kmalloc_one);
		break;
	case KERNEL_KREALLOC:
		kernel_each(x, krealloc_one, false);
		break;
	case KERNEL_KSIZE:
		ksize(x);
		break;
	case KERNEL_KFREE:
		kernel_each(x, kfree_one, true);
		break;
	case KERNEL_CACHE_CREATE:
		create(x);
		break;
	case KERNEL_CACHE_ALLOC:
		if (cache_of(x))
			kernel_make(x,
				    (struct kernel_value){.kind = KERNEL_OBJECT,
							  .cache_name = x->call->of},
				    cache_alloc_one);
		break;
	case KERNEL_CACHE_FREE:
		kernel_each(x, cache_free_one, true);
		break;
	default:
		of_cache(x);
	}
}
