/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual areas: the lowest free range that fits; and back, by way of the lazy tree. There they
 * wait, merged with their neighbours, until so many pages are unmapped that one flush of all TLBs
 * pays. Follows alloc_vmap_area(), free_vmap_area_noflush() and __purge_vmap_area_lazy() of Linux
 * 6.1 mm/vmalloc.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "mm/kthread.h"
#include "mm/vmalloc/vmalloc_state.h"
#include "mm/warn.h"

#define LAZY_BYTES (UINT64_C(32) << 20) /* for each doubling of the CPUs */

static unsigned fls(unsigned n)
{
	return n ? 32 - (unsigned)__builtin_clz(n) : 0;
}

uint64_t mm_vmap_lazy_max(const struct mm *mm)
{
	return fls((unsigned)mm->nr_cpus) * (LAZY_BYTES >> mm->arch->page_shift);
}

static struct mm_kmem_cache *area_cache(struct mm *mm)
{
	const struct mm_cache_args args = {.name = "vmap_area", .size = MM_VMAP_AREA_BYTES};
	struct mm_vmalloc *v = mm->vmalloc;

	if (!v->area_cache)
		v->area_cache = mm_slab_find(mm, args.name);
	/* A kernel makes it at boot. */
	if (!v->area_cache && mm_kmem_cache_create_at_boot(mm, &args, &v->area_cache))
		v->area_cache = NULL;
	return v->area_cache;
}

static struct mm_vmap_area *new_area(struct mm *mm, const struct mm_slab_request *req)
{
	struct mm_kmem_cache *cache = area_cache(mm);
	struct mm_vmap_area *area = cache ? calloc(1, sizeof(*area)) : NULL;

	if (area && mm_kmem_cache_alloc(mm, cache, req, &area->object)) {
		free(area);
		return NULL;
	}
	return area;
}

static void drop_area(struct mm *mm, int cpu, struct mm_vmap_area *area)
{
	if (area->object != mm->vmalloc->first_object)
		mm_kmem_cache_free(mm, cpu, mm->vmalloc->area_cache, area->object);
	free(area);
}

/* Those that a merge has left over, linked by `right`. */
static void drop_areas(struct mm *mm, int cpu, struct mm_vmap_area *area)
{
	while (area) {
		struct mm_vmap_area *next = area->right;

		drop_area(mm, cpu, area);
		area = next;
	}
}

/*
 * Take [start, start + bytes) out of a free area: at its end or its beginning it only shrinks,
 * whole it goes (*whole), and in its midst *spare becomes what lies above.
 */
static void carve(struct mm *mm, int cpu, struct mm_vmap_area *from, uint64_t start, uint64_t bytes,
		  struct mm_vmap_area **spare)
{
	struct mm_vmap_tree *tree = &mm->vmalloc->free;
	uint64_t end = start + bytes;

	if (from->start == start && from->end == end) {
		mm_vmap_remove(mm, cpu, tree, from);
		from->right = *spare;
		*spare = from; /* dropped by the caller */
	} else if (from->start == start) {
		mm_vmap_resize(mm, cpu, tree, from, end, from->end);
	} else if (from->end == end) {
		mm_vmap_resize(mm, cpu, tree, from, from->start, start);
	} else {
		struct mm_vmap_area *above = *spare;

		*spare = NULL;
		above->start = end;
		above->end = from->end;
		mm_vmap_resize(mm, cpu, tree, from, from->start, start);
		mm_vmap_insert(mm, cpu, tree, above);
	}
}

/* Returns whether there was room. */
static bool take_addresses(struct mm *mm, int cpu, uint64_t bytes, uint64_t align,
			   struct mm_vmap_area *area, struct mm_vmap_area **spare)
{
	struct mm_vmap_tree *tree = &mm->vmalloc->free;
	struct mm_vmap_area *from;

	mm_take_lock(mm, cpu, &tree->lock);
	from = mm_vmap_lowest_fit(mm, cpu, tree, bytes, align);
	if (from) {
		area->start = (from->start + align - 1) & ~(align - 1);
		area->end = area->start + bytes;
		carve(mm, cpu, from, area->start, bytes, spare);
	}
	mm_leave_lock(mm, cpu, &tree->lock);
	return from;
}

int mm_vmap_area_alloc(struct mm *mm, const struct mm_slab_request *req, uint64_t bytes,
		       uint64_t align, struct mm_vmap_area **out)
{
	uint64_t page = UINT64_C(1) << mm->arch->page_shift;
	struct mm_vmap_area *area = new_area(mm, req), *spare = NULL;
	bool found;

	/* A place in the midst of a free area leaves two. */
	if (area && align > page)
		spare = new_area(mm, req);
	if (!area || (align > page && !spare)) {
		drop_areas(mm, req->cpu, area);
		return -ENOMEM;
	}
	mm_work(mm, req->cpu, MM_SITE_VMAP_AREA, 1);
	found = take_addresses(mm, req->cpu, bytes, align, area, &spare);
	if (!found) {
		mm_vmap_purge(mm, req->cpu);
		found = take_addresses(mm, req->cpu, bytes, align, area, &spare);
	}
	drop_areas(mm, req->cpu, spare);
	if (!found) {
		drop_area(mm, req->cpu, area);
		mm_warn(mm,
			"vmap allocation for size %" PRIu64
			" failed: use vmalloc=<size> to increase size",
			bytes);
		return -ENOMEM;
	}
	mm_take_lock(mm, req->cpu, &mm->vmalloc->used.lock);
	mm_vmap_insert(mm, req->cpu, &mm->vmalloc->used, area);
	mm_leave_lock(mm, req->cpu, &mm->vmalloc->used.lock);
	*out = area;
	return 0;
}

void mm_vmap_area_free(struct mm *mm, int cpu, struct mm_vmap_area *area)
{
	struct mm_vmalloc *v = mm->vmalloc;
	uint64_t pages = (area->end - area->start) >> mm->arch->page_shift;
	struct mm_vmap_area *gone;

	mm_pgtable_unmap(mm, cpu, &v->tables, area->start, area->end);
	mm_work(mm, cpu, MM_SITE_VMAP_AREA, 1);
	mm_take_lock(mm, cpu, &v->used.lock);
	mm_vmap_remove(mm, cpu, &v->used, area);
	mm_leave_lock(mm, cpu, &v->used.lock);
	area->vm = NULL;
	mm_take_lock(mm, cpu, &v->lazy.lock);
	v->lazy_pages += pages;
	gone = mm_vmap_merge(mm, cpu, &v->lazy, area);
	mm_leave_lock(mm, cpu, &v->lazy.lock);
	drop_areas(mm, cpu, gone);
	if (v->lazy_pages <= mm_vmap_lazy_max(mm))
		return;
	v->drain = true;
	mm_kthread_wake(mm, cpu, &v->worker);
}

/* All lazy areas, unlinked from their tree, as a list by `right`; and what they span. */
static struct mm_vmap_area *take_lazy(struct mm *mm, int cpu, uint64_t *start, uint64_t *end)
{
	struct mm_vmap_tree *tree = &mm->vmalloc->lazy;
	struct mm_vmap_area *list = NULL, **last = &list, *area;

	mm_take_lock(mm, cpu, &tree->lock);
	*start = UINT64_MAX;
	*end = 0;
	for (uint64_t at = 0; (area = mm_vmap_from(tree, at));) {
		at = area->end;
		*start = area->start < *start ? area->start : *start;
		*end = area->end;
		mm_vmap_remove(mm, cpu, tree, area);
		area->right = NULL;
		*last = area;
		last = &area->right;
	}
	mm_leave_lock(mm, cpu, &tree->lock);
	return list;
}

void mm_vmap_purge(struct mm *mm, int cpu)
{
	struct mm_vmalloc *v = mm->vmalloc;
	struct mm_vmap_area *list, *gone = NULL, **last = &gone;
	uint64_t start, end;

	mm_take_lock(mm, cpu, &v->purge_lock);
	list = take_lazy(mm, cpu, &start, &end);
	if (list) {
		v->counts.purges++;
		mm_flush_kernel(mm, cpu, start, end);
		mm_take_lock(mm, cpu, &v->free.lock);
		while (list) {
			struct mm_vmap_area *area = list;

			list = area->right;
			v->lazy_pages -= (area->end - area->start) >> mm->arch->page_shift;
			*last = mm_vmap_merge(mm, cpu, &v->free, area);
			while (*last)
				last = &(*last)->right;
		}
		mm_leave_lock(mm, cpu, &v->free.lock);
	}
	mm_leave_lock(mm, cpu, &v->purge_lock);
	drop_areas(mm, cpu, gone);
}
