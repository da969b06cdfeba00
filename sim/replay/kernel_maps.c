/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of vmalloc()'s and kmap()'s functions, and accesses to what all the functions gave. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "mm/page.h"
#include "mm/slab/slab.h"
#include "mm/vmalloc/kmap.h"
#include "mm/vmalloc/vmalloc.h"
#include "mm/warn.h"
#include "sim/replay/kernel_state.h"

static uint64_t page_bytes(const struct kernel_run *x)
{
	return UINT64_C(1) << mm_get_arch(x->mm)->page_shift;
}

/* For vmallocinfo: what the scenario calls the area, of which it is a part. */
static const char *caller(const struct kernel_run *x)
{
	return x->call->name == KERNEL_NONE || x->call->about == KERNEL_NONE
		       ? "workload"
		       : x->k->plan->texts[x->call->about];
}

static bool vmalloc_one(struct kernel_run *x, struct kernel_value *v, struct kernel_item *i)
{
	enum kernel_do what = x->call->what;
	bool zeroed = what == KERNEL_VZALLOC || what == KERNEL_VMALLOC_USER;
	const struct mm_vmalloc_request req = {
		.cpu = x->cpu,
		.bytes = v->bytes,
		.gfp = zeroed ? x->call->gfp | __GFP_ZERO : x->call->gfp,
		.nid = x->call->nid == MM_NO_NODE ? MM_NO_NODE : x->call->nid % mm_nr_nodes(x->mm),
		.flags = what == KERNEL_VMALLOC_HUGE   ? MM_VMALLOC_HUGE
			 : what == KERNEL_VMALLOC_USER ? MM_VMALLOC_USER
						       : 0,
		.atomic = x->task->atomic,
		.caller = caller(x),
	};

	return !mm_vmalloc(x->mm, &req, &i->at);
}

static bool vfree_one(struct kernel_run *x, struct kernel_item *i)
{
	uint64_t at = kernel_address(x, x->of, i) + x->call->offset;

	if (x->call->what == KERNEL_VUNMAP) {
		if (mm_vunmap(x->mm, x->cpu, at, x->task->atomic))
			return false;
		while (x->of->nr_mapped)
			kernel_map(x, x->of->mapped[--x->of->nr_mapped], -1);
		return true;
	}
	return !mm_vfree(x->mm, x->cpu, at, x->task->atomic);
}

/* All pages of the blocks, which have to be the caller's. *nr of them; NULL: not so, or no memory.
 */
static struct page **all_pages(struct kernel_run *x, uint64_t *nr)
{
	const struct kernel_value *v = x->of;
	uint64_t each = UINT64_C(1) << v->order;
	struct page **pages = calloc(v->nr * each + 1, sizeof(struct page *));

	*nr = v->nr * each;
	for (uint64_t i = 0; pages && i < v->nr; i++) {
		if (!kernel_owns(x, v->items[i].page, v->order)) {
			mm_warn(x->mm, "vmap of pfn 0x%" PRIx64 ", which is not in use",
				mm_page_to_pfn(x->mm, MM_NO_CPU, v->items[i].page));
			free(pages);
			return NULL;
		}
		for (uint64_t p = 0; p < each; p++)
			pages[i * each + p] = v->items[i].page + p;
	}
	return pages;
}

static void do_vmap(struct kernel_run *x)
{
	struct kernel_value v = {.kind = KERNEL_AREA};
	struct page **pages;
	uint64_t nr = 0;

	if (kernel_sleeps(x))
		return;
	pages = all_pages(x, &nr);
	v.items = calloc(1, sizeof(*v.items));
	v.mapped = calloc(x->of->nr + 1, sizeof(struct page *));
	x->sum->calls++;
	if (pages && v.items && v.mapped &&
	    !mm_vmap(x->mm, x->cpu, pages, nr, caller(x), &v.items[0].at))
		v.nr = 1;
	for (uint64_t i = 0; v.nr && i < x->of->nr; i++) {
		v.mapped[v.nr_mapped++] = x->of->items[i].page;
		kernel_map(x, x->of->items[i].page, 1);
	}
	x->sum->failed += !v.nr;
	v.bytes = nr * page_bytes(x);
	free(pages);
	kernel_store(x, &v);
}

static void do_vmalloc_to_page(struct kernel_run *x)
{
	struct kernel_value v = {.kind = KERNEL_PAGES,
				 .bytes = page_bytes(x),
				 .items = calloc(x->of->nr + 1, sizeof(*v.items))};

	x->sum->nothing += !x->of->nr;
	for (uint64_t i = 0; v.items && i < x->of->nr; i++) {
		struct page *page =
			mm_vmalloc_to_page(x->mm, x->cpu, x->of->items[i].at + x->call->offset);

		x->sum->calls++;
		x->sum->failed += !page;
		if (page)
			v.items[v.nr++].page = page;
	}
	kernel_store(x, &v);
}

static int map_local(struct kernel_run *x, struct kernel_item *to)
{
	struct kernel_slots *slots = &x->k->slots[x->cpu];
	int err = mm_kmap_local(x->mm, x->cpu, to->page, &to->at);

	if (!err && mm_page_high(x->mm, to->page)) {
		slots->pages[slots->nr++] = to->page;
		kernel_map(x, to->page, 1);
	}
	return err;
}

static int map_for_all(struct kernel_run *x, struct kernel_item *to)
{
	int err = mm_kmap(x->mm, x->cpu, to->page, x->task->atomic, &to->at);

	if (!err && mm_page_high(x->mm, to->page))
		kernel_map(x, to->page, 1);
	return err;
}

static int map_one(struct kernel_run *x, struct kernel_item *to)
{
	if (kernel_owns(x, to->page, x->of->order))
		return x->call->what == KERNEL_KMAP ? map_for_all(x, to) : map_local(x, to);
	mm_warn(x->mm, "%s of pfn 0x%" PRIx64 ", which is not in use",
		kernel_do_name(x->call->what), mm_page_to_pfn(x->mm, MM_NO_CPU, to->page));
	return -EINVAL;
}

/* Of the caller's pages; it keeps those that it could map. */
static void do_kmap(struct kernel_run *x)
{
	struct kernel_value v = {.kind = KERNEL_MAP,
				 .bytes = x->of->bytes,
				 .items = calloc(x->of->nr + 1, sizeof(*v.items))};

	x->sum->nothing += !x->of->nr;
	for (uint64_t i = 0; v.items && i < x->of->nr && !x->err; i++) {
		int err;

		v.items[v.nr].page = x->of->items[i].page;
		err = map_one(x, &v.items[v.nr]);
		x->sum->calls++;
		x->sum->failed += err != 0;
		x->err = err == -EDEADLK ? err : 0;
		v.nr += !err;
	}
	if (x->call->what == KERNEL_KMAP_ATOMIC)
		x->task->atomic++;
	kernel_store(x, &v);
}

static bool kunmap_one(struct kernel_run *x, struct kernel_item *i)
{
	bool high = mm_page_high(x->mm, i->page);

	if (mm_kunmap(x->mm, x->cpu, i->page))
		return false;
	if (high)
		kernel_map(x, i->page, -1);
	return true;
}

/* Whatever page is in the slot: the value may be of an earlier use of it. */
static bool unmap_local(struct kernel_run *x, const struct kernel_item *i)
{
	const struct mm_vm_range *direct = &mm_get_vm_map(x->mm)->direct;
	struct kernel_slots *slots = &x->k->slots[x->cpu];

	if (mm_kunmap_local(x->mm, x->cpu, i->at))
		return false;
	if (slots->nr && (i->at < direct->start || i->at >= direct->end))
		kernel_map(x, slots->pages[--slots->nr], -1);
	return true;
}

/* The last one first, as the slots want it. */
static void do_kunmap_local(struct kernel_run *x)
{
	x->sum->nothing += !x->of->nr;
	for (uint64_t i = x->of->nr; i-- > 0;) {
		x->sum->calls++;
		x->sum->failed += !unmap_local(x, &x->of->items[i]);
	}
	if (x->call->what == KERNEL_KUNMAP_ATOMIC && x->task->atomic)
		x->task->atomic--;
}

/* Where a byte of an item is in simulated memory; UINT64_MAX: nowhere. */
static phys_addr_t where(struct kernel_run *x, const struct kernel_item *i, uint64_t offset)
{
	unsigned shift = mm_get_arch(x->mm)->page_shift;
	phys_addr_t at;
	int nid, zone;

	if (x->of->kind == KERNEL_AREA)
		return mm_vmalloc_phys(x->mm, i->at + offset);
	if (i->page)
		at = mm_page_address(x->mm, i->page);
	else
		at = kernel_address(x, x->of, i) - mm_get_vm_map(x->mm)->direct.start;
	return mm_pfn_zone(x->mm, (at + offset) >> shift, &nid, &zone) ? UINT64_MAX : at + offset;
}

/* Page by page: what is contiguous in addresses need not be in frames. */
static bool touch_one(struct kernel_run *x, struct kernel_item *i)
{
	uint64_t at = x->call->offset, end = at + x->call->bytes, page = page_bytes(x);

	while (at < end) {
		uint64_t within = (i->at + at) % page;
		uint64_t bytes = page - within < end - at ? page - within : end - at;
		phys_addr_t phys = where(x, i, at);

		if (phys == UINT64_MAX) {
			mm_warn(x->mm, "BUG: unable to handle page fault for address: %016" PRIx64,
				kernel_address(x, x->of, i) + at);
			return false;
		}
		if (x->of->kind == KERNEL_AREA)
			sim_touch_kernel(x->k->sim, x->cpu, i->at + at, phys, bytes,
					 x->call->write);
		else
			sim_touch(x->k->sim, x->cpu, phys, bytes, x->call->write);
		if (x->call->write)
			mm_slab_store(x->mm, x->cpu, phys, bytes);
		at += bytes;
	}
	return true;
}

void kernel_maps(struct kernel_run *x)
{
	switch (x->call->what) {
	case KERNEL_VMALLOC:
	case KERNEL_VZALLOC:
	case KERNEL_VMALLOC_USER:
	case KERNEL_VMALLOC_HUGE:
		kernel_make(x, (struct kernel_value){.kind = KERNEL_AREA, .bytes = x->call->bytes},
			    vmalloc_one);
		break;
	case KERNEL_VFREE:
	case KERNEL_VUNMAP:
		kernel_each(x, vfree_one, true);
		break;
	case KERNEL_VMAP:
		do_vmap(x);
		break;
	case KERNEL_VMALLOC_TO_PAGE:
		do_vmalloc_to_page(x);
		break;
	case KERNEL_VM_UNMAP_ALIASES:
		if (kernel_sleeps(x))
			break;
		x->sum->calls++;
		mm_vmap_purge(x->mm, x->cpu);
		break;
	case KERNEL_KMAP:
	case KERNEL_KMAP_LOCAL:
	case KERNEL_KMAP_ATOMIC:
		do_kmap(x);
		break;
	case KERNEL_KUNMAP:
		kernel_each(x, kunmap_one, false);
		break;
	case KERNEL_KUNMAP_LOCAL:
	case KERNEL_KUNMAP_ATOMIC:
		do_kunmap_local(x);
		break;
	default:
		kernel_each(x, touch_one, false);
	}
}
