/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel has for itself: objects of caches, vmalloc areas, and addresses of pages. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "mm/mempolicy.h"
#include "mm/vmalloc/vmalloc.h"
#include "world.h"

static struct mm_slab_request request(struct world *w, int cpu, const struct mm_policy *policy)
{
	static const gfp_t flags[] = {GFP_KERNEL,
				      GFP_ATOMIC,
				      GFP_NOWAIT,
				      GFP_KERNEL | __GFP_ZERO,
				      GFP_KERNEL_ACCOUNT,
				      GFP_KERNEL | __GFP_RECLAIMABLE,
				      GFP_KERNEL | __GFP_THISNODE};

	return (struct mm_slab_request){
		.cpu = cpu,
		.gfp = flags[world_below(w, sizeof(flags) / sizeof(flags[0]))],
		.nid = world_one_in(w, 3) ? world_node(w) : MM_NO_NODE,
		.policy = world_one_in(w, 4) ? policy : NULL,
		.turn = (uint32_t)random_next(&w->rng),
	};
}

/* The slot is the caller's before others run. */
static struct world_object *free_object_slot(struct world *w)
{
	for (size_t i = 0; i < WORLD_OBJECTS; i++)
		if (!w->objects[i].bytes)
			return &w->objects[i];
	return NULL;
}

static void take_object(struct world *w, int cpu)
{
	struct mm_policy policy = {.mode = MM_POLICY_DEFAULT};
	struct mm_slab_request req = request(w, cpu, &policy);
	int c = (int)world_below(w, WORLD_CACHES + 3), err;
	struct world_object *o = free_object_slot(w), got = {.cache = -1};

	if (!o)
		return;
	world_policy(w, &policy);
	o->bytes = 1; /* at 0: nobody frees that */
	o->at = 0;
	if (c < WORLD_CACHES && w->caches[c].cache) {
		got.cache = c;
		got.bytes = w->caches[c].args.size;
		w->caches[c].users++;
		err = mm_kmem_cache_alloc(w->mm, w->caches[c].cache, &req, &got.at);
		w->caches[c].users -= err != 0;
	} else {
		got.bytes = 1 + world_below(w, UINT64_C(1) << (3 + world_below(w, 13)));
		err = mm_kmalloc(w->mm, got.bytes, &req, &got.at);
	}
	cr_assert(err == 0 || err == -ENOMEM, "%d", err);
	w->slab_allocs += !err;
	o->bytes = 0;
	if (!err)
		*o = got;
}

static void free_object(struct world *w, int cpu, struct world_object *o)
{
	struct world_object gone = *o;

	if (!o->bytes || !o->at)
		return;
	o->bytes = 0;
	if (gone.cache < 0) {
		cr_assert_eq(mm_kfree(w->mm, cpu, gone.at), 0);
	} else {
		cr_assert_eq(mm_kmem_cache_free(w->mm, cpu, w->caches[gone.cache].cache, gone.at),
			     0);
		w->caches[gone.cache].users--;
	}
}

static void resize_object(struct world *w, int cpu, struct world_object *o)
{
	struct mm_slab_request req = {.cpu = cpu, .gfp = GFP_KERNEL, .nid = MM_NO_NODE};
	struct world_object old = *o;
	uint64_t bytes = 1 + world_below(w, 12000);
	phys_addr_t at;
	int err;

	if (!o->bytes || !o->at || o->cache >= 0)
		return;
	o->at = 0;
	err = mm_krealloc(w->mm, old.at, bytes, &req, &at);
	cr_assert(err == 0 || err == -ENOMEM, "%d", err);
	*o = err ? old : (struct world_object){at, bytes, -1};
}

static void create(struct world *w, int cpu, struct world_cache *c)
{
	static const unsigned flags[] = {0, MM_SLAB_HWCACHE_ALIGN, MM_SLAB_RCU, MM_SLAB_CTOR,
					 MM_SLAB_RECLAIM_ACCOUNT};
	struct mm_kmem_cache *cache = NULL;

	c->users = 1; /* nobody else makes one of it */
	snprintf(c->name, sizeof(c->name), "w%u", w->serial++ % 100000);
	c->args = (struct mm_cache_args){
		.name = c->name,
		.size = 1 + (uint32_t)world_below(w, UINT64_C(1) << (1 + world_below(w, 13))),
		.align = world_one_in(w, 3) ? 1u << world_below(w, 8) : 0,
		.flags = flags[world_below(w, sizeof(flags) / sizeof(flags[0]))],
	};
	if (!mm_kmem_cache_create(w->mm, cpu, &c->args, &cache))
		c->cache = cache;
	c->users = 0;
}

static void destroy(struct world *w, int cpu, struct world_cache *c)
{
	struct mm_kmem_cache *cache = c->cache;
	uint64_t left = 0;

	c->cache = NULL;
	c->users = 1;
	cr_assert_eq(mm_kmem_cache_destroy(w->mm, cpu, cache, &left), 0, "%s: %lu left", c->name,
		     left);
	c->users = 0;
}

void world_slab(struct world *w, int cpu)
{
	struct world_object *o = &w->objects[world_below(w, WORLD_OBJECTS)];
	struct world_cache *c = &w->caches[world_below(w, WORLD_CACHES)];
	uint64_t what = world_below(w, 100);

	if (what < 60)
		take_object(w, cpu);
	else if (what < 88)
		free_object(w, cpu, o);
	else if (what < 93)
		resize_object(w, cpu, o);
	else if (!c->cache && !c->users)
		create(w, cpu, c);
	else if (what < 96 && c->cache && !c->users)
		destroy(w, cpu, c);
	else if (c->cache) {
		c->users++;
		mm_kmem_cache_shrink(w->mm, cpu, c->cache);
		c->users--;
	}
}

static void do_vmalloc(struct world *w, int cpu, struct world_area *a)
{
	struct mm_policy policy;
	uint32_t turn = (uint32_t)random_next(&w->rng);
	struct mm_vmalloc_request req = {
		.cpu = cpu,
		.bytes = 1 + world_below(w, world_one_in(w, 8) ? 3 * MiB : 64 * KiB),
		.align = world_one_in(w, 4) ? 4096u << world_below(w, 6) : 0,
		.gfp = GFP_KERNEL | (world_one_in(w, 2) ? __GFP_ZERO : 0) | __GFP_NORETRY,
		.nid = world_one_in(w, 3) ? world_node(w) : MM_NO_NODE,
		.policy = world_one_in(w, 3) ? &policy : NULL,
		.turn = &turn,
		.flags = world_one_in(w, 3) ? MM_VMALLOC_HUGE : 0,
		.caller = "world",
	};
	int err;

	world_policy(w, &policy);
	*a = (struct world_area){.in_use = true};
	err = mm_vmalloc(w->mm, &req, &a->at);
	cr_assert(err == 0 || err == -ENOMEM || err == -EINVAL, "%d", err);
	a->in_use = !err;
	w->vmallocs += !err;
	if (err)
		return;
	for (uint64_t at = a->at; at < a->at + req.bytes; at += 4096)
		cr_assert_not_null(mm_vmalloc_to_page(w->mm, MM_NO_CPU, at));
}

static void do_vmap(struct world *w, int cpu, struct world_area *a)
{
	struct page *pages[WORLD_MAPPED];

	*a = (struct world_area){.in_use = true};
	while (a->nr_pages < 1 + w->serial % WORLD_MAPPED) {
		struct world_block *b = world_pinnable(w);

		if (!b)
			break;
		b->pins++;
		pages[a->nr_pages] = b->page;
		a->pages[a->nr_pages++] = b;
	}
	if (a->nr_pages && !mm_vmap(w->mm, cpu, pages, a->nr_pages, "world", &a->at))
		return;
	while (a->nr_pages)
		a->pages[--a->nr_pages]->pins--;
	a->in_use = false;
}

/* Not while it is made, which is when it has no address yet. */
static void unmap(struct world *w, int cpu, struct world_area *a)
{
	struct world_area gone = *a;

	if (!a->at)
		return;
	a->at = 0;
	if (gone.nr_pages) {
		cr_assert_eq(mm_vfree(w->mm, cpu, gone.at, false), -EINVAL);
		cr_assert_eq(mm_vunmap(w->mm, cpu, gone.at, false), 0);
	} else {
		cr_assert_eq(mm_vfree(w->mm, cpu, gone.at, world_one_in(w, 3)), 0);
	}
	while (gone.nr_pages)
		gone.pages[--gone.nr_pages]->pins--;
	a->in_use = false;
}

static void kmap(struct world *w, int cpu)
{
	struct world_block *b = world_pinnable(w);
	struct mm_kmap_info info;
	uint64_t at;
	int err;

	mm_kmap_info(w->mm, &info);
	if (!b || b->pins > 3)
		return;
	b->pins++;
	err = mm_kmap(w->mm, cpu, b->page, false, &at);
	/* Full is the window only where so many have an entry. */
	cr_assert(err == 0 || (err == -EDEADLK && info.mapped + WORLD_CPUS > info.entries));
	if (!err)
		cr_assert_eq(mm_page_address_of(w->mm, MM_NO_CPU, b->page), at);
	/* Some stay mapped, and pinned, to the end. */
	if (!err && world_one_in(w, 4))
		return;
	if (!err)
		cr_assert_eq(mm_kunmap(w->mm, cpu, b->page), 0);
	b->pins--;
}

static void unslot(struct world *w, int cpu)
{
	struct world_slot *s = &w->slots[cpu][--w->nr_slots[cpu]];

	cr_assert_eq(mm_kunmap_local(w->mm, cpu, s->at), 0);
	s->block->pins--;
}

static void slot(struct world *w, int cpu)
{
	unsigned nr = w->nr_slots[cpu];
	struct world_block *b = world_pinnable(w);

	if (nr && world_one_in(w, 2)) {
		unslot(w, cpu);
	} else if (b && nr < WORLD_SLOTS && mm_page_high(w->mm, b->page)) {
		b->pins++;
		cr_assert_eq(mm_kmap_local(w->mm, cpu, b->page, &w->slots[cpu][nr].at), 0);
		w->slots[cpu][nr].block = b;
		w->nr_slots[cpu]++;
	}
}

void world_vmap(struct world *w, int cpu)
{
	struct world_area *a = &w->areas[world_below(w, WORLD_AREAS)];
	uint64_t what = world_below(w, 12);

	if (what < 3)
		kmap(w, cpu);
	else if (what < 5)
		slot(w, cpu);
	else if (what == 5)
		mm_vmap_purge(w->mm, cpu);
	else if (a->in_use)
		unmap(w, cpu, a);
	else if (what < 9)
		do_vmap(w, cpu, a);
	else
		do_vmalloc(w, cpu, a);
}

void world_kernel_end(struct world *w)
{
	for (int cpu = 0; cpu < mm_nr_cpus(w->mm); cpu++)
		while (w->nr_slots[cpu])
			unslot(w, cpu);
	for (size_t i = 0; i < WORLD_AREAS; i++)
		if (w->areas[i].in_use)
			unmap(w, 0, &w->areas[i]);
	mm_vmap_purge(w->mm, 0);
	for (size_t i = 0; i < WORLD_BLOCKS; i++)
		while (w->blocks[i].pins) {
			cr_assert_eq(mm_kunmap(w->mm, 0, w->blocks[i].page), 0);
			w->blocks[i].pins--;
		}
	for (size_t i = 0; i < WORLD_OBJECTS; i++)
		free_object(w, 0, &w->objects[i]);
	for (size_t i = 0; i < WORLD_CACHES; i++)
		if (w->caches[i].cache)
			destroy(w, 0, &w->caches[i]);
}
