/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The beginning and the end of vmalloc(): all its addresses are one free area, and a thread waits
 * to purge. What it counts, what /proc/vmallocinfo prints, and whether it all agrees.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "mm/kthread.h"
#include "mm/vmalloc/vmalloc_state.h"

static uint64_t whole_pages(const struct mm *mm, uint64_t address)
{
	return address & ~((UINT64_C(1) << mm->arch->page_shift) - 1);
}

/* What the kernel's workqueue would do: drain_vmap_work and delayed_vfree_work. */
static uint64_t work(struct mm *mm, struct mm_kthread *thread, int *cpu, bool woken)
{
	(void)thread;
	(void)woken;
	mm_vfree_deferred(mm, cpu);
	if (mm->vmalloc->drain) {
		mm->vmalloc->drain = false;
		mm_vmap_purge(mm, *cpu);
	}
	return MM_KTHREAD_FOREVER;
}

static void place_lock(struct mm *mm, struct mm_lock *lock, enum mm_lock_kind kind)
{
	*lock = (struct mm_lock){
		.kind = kind, .at = mm_image_home(mm, 64, 64), .holder = MM_NO_CPU};
}

int mm_vmalloc_init(struct mm *mm)
{
	const struct mm_vm_range *range = &mm->vm_map.vmalloc;
	struct mm_vmalloc *v = calloc(1, sizeof(*v));
	struct mm_vmap_area *all;

	mm->vmalloc = v;
	if (!v)
		return -ENOMEM;
	place_lock(mm, &v->free.lock, MM_LOCK_VMAP_FREE);
	place_lock(mm, &v->used.lock, MM_LOCK_VMAP_USED);
	place_lock(mm, &v->lazy.lock, MM_LOCK_VMAP_LAZY);
	place_lock(mm, &v->purge_lock, MM_LOCK_VMAP_PURGE);
	v->worker = (struct mm_kthread){.name = "kworker/vmalloc",
					.nid = mm->cpu_nid[0],
					.cpu = MM_NO_CPU,
					.first_us = MM_KTHREAD_FOREVER,
					.run = work,
					.asleep = true};
	all = calloc(1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	all->start = range->start;
	all->end = whole_pages(mm, range->end);
	/* Of the kernel's image: never given back. */
	v->first_object = mm_image_home(mm, MM_VMAP_AREA_BYTES, MM_VMAP_AREA_BYTES);
	all->object = v->first_object;
	mm_vmap_insert(mm, MM_NO_CPU, &v->free, all);
	return mm_pgtable_init(mm, &v->tables);
}

static void free_areas(struct mm_vmap_area *area)
{
	if (!area)
		return;
	free_areas(area->left);
	free_areas(area->right);
	if (area->vm) {
		free(area->vm->pages);
		free(area->vm);
	}
	free(area);
}

void mm_vmalloc_destroy(struct mm *mm)
{
	struct mm_vmalloc *v = mm->vmalloc;

	if (!v)
		return;
	free_areas(v->free.root);
	free_areas(v->used.root);
	free_areas(v->lazy.root);
	mm_pgtable_clear(&v->tables);
	free(v);
}

uint64_t mm_vmalloc_pages(const struct mm *mm)
{
	return mm->vmalloc->pages;
}

void mm_vmalloc_info(const struct mm *mm, struct mm_vmalloc_info *info)
{
	const struct mm_vmalloc *v = mm->vmalloc;

	*info = v->counts;
	info->areas = v->used.nr;
	info->lazy_areas = v->lazy.nr;
	info->lazy_pages = v->lazy_pages;
	info->lazy_max_pages = mm_vmap_lazy_max(mm);
	info->pages = v->pages;
	info->tables = v->tables.nr_tables;
}

/* " N0=12 N1=4": as show_numa_info(). */
static void put_nodes(const struct mm *mm, const struct mm_vm_struct *vm, char *line, size_t size)
{
	size_t len = 0;

	for (int nid = 0; nid < mm->nr_nodes && len < size; nid++) {
		uint64_t pages = 0;

		for (uint64_t i = 0; i < vm->nr_pages; i++)
			pages += vm->pages[i] && mm_page_to_nid(mm, vm->pages[i]) == nid;
		if (pages)
			len += (size_t)snprintf(line + len, size - len, " N%d=%" PRIu64, nid,
						pages);
	}
}

static void put_used(const struct mm *mm, const struct mm_vmap_area *area, char *line, size_t size)
{
	int digits = (int)mm->arch->flags_bits / 4;
	int len = snprintf(line, size, "0x%0*" PRIx64 "-0x%0*" PRIx64 " %7" PRIu64, digits,
			   area->start, digits, area->end, area->end - area->start);
	const struct mm_vm_struct *vm = area->vm;

	if (!vm || len < 0 || (size_t)len >= size)
		return;
	len += snprintf(line + len, size - (size_t)len, "%s%s", vm->caller ? " " : "",
			vm->caller ? vm->caller : "");
	if (vm->nr_pages && (size_t)len < size)
		len += snprintf(line + len, size - (size_t)len, " pages=%" PRIu64, vm->nr_pages);
	if ((size_t)len < size)
		len += snprintf(line + len, size - (size_t)len, "%s%s%s",
				vm->flags & VM_ALLOC ? " vmalloc" : " vmap",
				vm->user ? " user" : "", vm->array_address ? " vpages" : "");
	if ((size_t)len < size)
		put_nodes(mm, vm, line + len, size - (size_t)len);
}

bool mm_vmallocinfo_next(const struct mm *mm, struct mm_vmallocinfo *at, char *line, size_t size)
{
	const struct mm_vmalloc *v = mm->vmalloc;
	int digits = (int)mm->arch->flags_bits / 4;
	const struct mm_vmap_area *area = at->lazy ? NULL : mm_vmap_from(&v->used, at->address);

	line[0] = '\0';
	if (area) {
		at->address = area->end;
		put_used(mm, area, line, size);
		return true;
	}
	at->address = at->lazy ? at->address : 0;
	at->lazy = true;
	area = mm_vmap_from(&v->lazy, at->address);
	if (!area)
		return false;
	at->address = area->end;
	snprintf(line, size, "0x%0*" PRIx64 "-0x%0*" PRIx64 " %7" PRIu64 " unpurged vm_area",
		 digits, area->start, digits, area->end, area->end - area->start);
	return true;
}

/* vmap() may have been given a page within a block. */
static bool in_use(struct mm *mm, const struct page *page)
{
	pfn_t pfn = mm_pfn_of(mm, page);

	return mm_block_in_use(mm, &pfn)->refcount > 0;
}

/* Each page of the area is mapped where it belongs, and nothing is mapped behind. */
static bool area_holds(struct mm *mm, const struct mm_vmap_area *area, uint64_t *entries, char *why,
		       size_t size)
{
	const struct mm_vm_struct *vm = area->vm;
	unsigned shift = mm->arch->page_shift;

	if (!vm || vm->area != area || vm->address != area->start ||
	    vm->bytes != area->end - area->start) {
		snprintf(why, size, "vmalloc: area 0x%" PRIx64 " and what is known of it disagree",
			 area->start);
		return false;
	}
	for (uint64_t at = area->start, i = 0; at < area->end; at += UINT64_C(1) << shift, i++) {
		const struct page *page = mm_vmalloc_to_page(mm, MM_NO_CPU, at);
		bool right =
			!(vm->flags & VM_ALLOC) || page == (i < vm->nr_pages ? vm->pages[i] : NULL);

		*entries += page ? 1 : 0;
		if (right && (!page || in_use(mm, page)))
			continue;
		snprintf(why, size, "vmalloc: 0x%" PRIx64 " maps pfn 0x%" PRIx64 "%s", at,
			 page ? mm_pfn_of(mm, page) : 0,
			 right ? ", which is free" : ", not its page");
		return false;
	}
	return true;
}

int mm_vmalloc_verify(const struct mm *const_mm, char *why, size_t size)
{
	struct mm *mm = (struct mm *)const_mm;
	const struct mm_vmalloc *v = mm->vmalloc;
	const struct mm_vm_range *range = &mm->vm_map.vmalloc;
	uint64_t free_bytes, used_bytes, lazy_bytes, entries = 0, pages = 0, mapped;
	const struct mm_vmap_area *area;

	if (!mm_vmap_tree_holds(&v->free, false, &free_bytes, why, size) ||
	    !mm_vmap_tree_holds(&v->used, true, &used_bytes, why, size) ||
	    !mm_vmap_tree_holds(&v->lazy, false, &lazy_bytes, why, size) ||
	    !mm_pgtable_holds(mm, &v->tables, why, size))
		return -EINVAL;
	if (free_bytes + used_bytes + lazy_bytes != whole_pages(mm, range->end) - range->start) {
		snprintf(why, size,
			 "vmalloc: %" PRIu64 " bytes free, %" PRIu64 " in use, %" PRIu64
			 " lazy do not add up",
			 free_bytes, used_bytes, lazy_bytes);
		return -EINVAL;
	}
	for (uint64_t at = 0; (area = mm_vmap_from(&v->used, at)); at = area->end) {
		if (!area_holds(mm, area, &entries, why, size))
			return -EINVAL;
		pages += area->vm->flags & VM_ALLOC ? area->vm->nr_pages : 0;
	}
	mapped = v->tables.nr_small + (v->tables.nr_huge << mm->arch->pageblock_order);
	if (entries == mapped && pages == v->pages &&
	    lazy_bytes >> mm->arch->page_shift == v->lazy_pages)
		return 0;
	snprintf(why, size,
		 "vmalloc: %" PRIu64 " pages mapped, %" PRIu64 " in areas; %" PRIu64
		 " its own, %" PRIu64 " counted; %" PRIu64 " bytes lazy, %" PRIu64 " pages counted",
		 mapped, entries, pages, v->pages, lazy_bytes, v->lazy_pages);
	return -EINVAL;
}
