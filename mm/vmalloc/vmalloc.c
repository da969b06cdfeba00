/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vmalloc(), from top to bottom: addresses, an array for the pages, the pages, their page table
 * entries. Huge pages first where they were asked for, then all over again with single ones. And
 * vfree(), the other way round. Follows __vmalloc_node_range(), vm_area_alloc_pages() and
 * __vunmap() of Linux 6.1 mm/vmalloc.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "mm/kthread.h"
#include "mm/vmalloc/vmalloc_state.h"
#include "mm/warn.h"

#define BULK 100 /* pages asked for at once */

static const struct mm_policy default_policy = {.home_nid = MM_NO_NODE};

static uint64_t page_bytes(const struct mm *mm)
{
	return UINT64_C(1) << mm->arch->page_shift;
}

static unsigned pointer_bytes(const struct mm *mm)
{
	return mm->arch->flags_bits / 8;
}

/* What the kernel keeps of the area itself: only how to reclaim is as for the pages. */
static struct mm_slab_request own_request(const struct mm_vmalloc_request *req)
{
	return (struct mm_slab_request){
		.cpu = req->cpu,
		.nid = req->nid,
		.gfp = (req->gfp & (__GFP_RECLAIM | __GFP_IO | __GFP_FS | __GFP_NORETRY |
				    __GFP_RETRY_MAYFAIL | __GFP_NOWARN)) |
		       __GFP_ZERO,
		.policy = req->policy};
}

static struct mm_vm_struct *new_vm(struct mm *mm, const struct mm_slab_request *req)
{
	struct mm_vm_struct *vm = calloc(1, sizeof(*vm));

	if (vm && mm_kmalloc(mm, mm->arch->vm_struct_bytes, req, &vm->object)) {
		free(vm);
		return NULL;
	}
	return vm;
}

static int free_at(struct mm *mm, int *cpu, uint64_t address);

/* Threads of the kernel free, too: they may come to another CPU where others run. */
static void drop_vm(struct mm *mm, int *cpu, struct mm_vm_struct *vm)
{
	mm_kfree(mm, *cpu, vm->array);
	if (vm->array_address)
		free_at(mm, cpu, vm->array_address);
	mm_kfree(mm, *cpu, vm->object);
	free(vm->pages);
	free(vm);
}

/* Addresses, with a guard page behind them that nothing is mapped to. Returns 0 or -ENOMEM. */
static int get_vm_area(struct mm *mm, const struct mm_vmalloc_request *req, uint64_t bytes,
		       uint64_t align, struct mm_vm_struct **out)
{
	struct mm_slab_request own = own_request(req);
	struct mm_vm_struct *vm = new_vm(mm, &own);
	uint64_t guard = req->flags & MM_VMALLOC_NO_GUARD ? 0 : page_bytes(mm);

	if (!vm)
		return -ENOMEM;
	if (mm_vmap_area_alloc(mm, &own, bytes + guard, align, &vm->area)) {
		drop_vm(mm, &own.cpu, vm);
		return -ENOMEM;
	}
	vm->address = vm->area->start;
	vm->bytes = bytes + guard;
	vm->caller = req->caller;
	vm->area->vm = vm;
	*out = vm;
	return 0;
}

/* The pointers to pages: an object or, beyond a page of them, an area of their own. */
static int get_array(struct mm *mm, const struct mm_vmalloc_request *req, struct mm_vm_struct *vm,
		     uint64_t nr)
{
	uint64_t bytes = nr * pointer_bytes(mm);
	struct mm_slab_request own = own_request(req);
	struct mm_vmalloc_request nested = {.cpu = req->cpu,
					    .bytes = bytes,
					    .gfp = own.gfp,
					    .nid = req->nid,
					    .policy = req->policy,
					    .turn = req->turn,
					    .caller = req->caller};

	vm->pages = calloc(nr, sizeof(struct page *));
	vm->nr_pages = nr;
	if (!vm->pages)
		return -ENOMEM;
	if (bytes > page_bytes(mm))
		return mm_vmalloc(mm, &nested, &vm->array_address);
	return mm_kmalloc(mm, bytes, &own, &vm->array);
}

/* Entry `i` of the array is read or written. */
static void touch_array(struct mm *mm, int cpu, const struct mm_vm_struct *vm, uint64_t i,
			enum mm_access how)
{
	uint64_t offset = i * pointer_bytes(mm);
	uint64_t address = vm->array_address + offset;

	if (vm->array_address)
		mm_touch_mapped(mm, cpu, address, mm_vmalloc_phys(mm, address), pointer_bytes(mm),
				how);
	else
		mm_touch(mm, cpu, vm->array + offset, pointer_bytes(mm), how);
}

static uint64_t bulk(struct mm *mm, const struct mm_vmalloc_request *req, uint64_t nr,
		     struct page **pages, uint32_t *turn)
{
	const struct mm_request r = {
		.cpu = req->cpu, .nid = req->nid, .gfp = req->gfp & ~__GFP_NOFAIL};
	const struct mm_policy *policy = req->policy ? req->policy : &default_policy;

	if (req->nid != MM_NO_NODE)
		return mm_alloc_pages_bulk(mm, &r, nr, pages);
	return mm_alloc_pages_bulk_policy(mm, &r, policy, turn, nr, pages);
}

static int one_block(struct mm *mm, const struct mm_vmalloc_request *req, unsigned order,
		     struct page **page, uint32_t *turn)
{
	const struct mm_request r = {
		.cpu = req->cpu, .nid = req->nid, .order = order, .gfp = req->gfp};
	const struct mm_policy_use use = {.policy = req->policy ? req->policy : &default_policy,
					  .turn = *turn};

	if (req->nid != MM_NO_NODE)
		return mm_alloc_pages(mm, &r, page);
	*turn += 1;
	return mm_alloc_pages_policy(mm, &r, &use, page);
}

/* Single pages in bulk as long as that brings all that is asked for; then, and huge ones, singly.
 */
static uint64_t get_pages(struct mm *mm, const struct mm_vmalloc_request *req,
			  struct mm_vm_struct *vm, uint32_t *turn)
{
	struct mm_vmalloc_info *counts = &mm->vmalloc->counts;
	uint64_t got = 0, last = 0;

	while (!vm->order && got < vm->nr_pages) {
		uint64_t want = vm->nr_pages - got < BULK ? vm->nr_pages - got : BULK;
		uint64_t came = bulk(mm, req, want, vm->pages + got, turn);

		got += came;
		*(came > 1 ? &counts->bulk_pages : &counts->single_pages) += came;
		mm_resched(mm, req->cpu);
		for (; last < got; last++)
			touch_array(mm, req->cpu, vm, last, MM_WRITE);
		if (came != want)
			break;
	}
	while (got < vm->nr_pages) {
		struct page *page;

		if (one_block(mm, req, vm->order, &page, turn))
			break;
		if (vm->order)
			mm_split_page(mm, req->cpu, page, 0);
		for (uint64_t i = 0; i >> vm->order == 0; i++, got++) {
			vm->pages[got] = page + i;
			touch_array(mm, req->cpu, vm, got, MM_WRITE);
		}
		counts->single_pages += UINT64_C(1) << vm->order;
		mm_resched(mm, req->cpu);
	}
	mm->vmalloc->pages += got;
	return got;
}

static void put_pages(struct mm *mm, int *cpu, struct mm_vm_struct *vm)
{
	for (uint64_t i = 0; i < vm->nr_pages && vm->pages; i++) {
		if (!vm->pages[i])
			continue;
		touch_array(mm, *cpu, vm, i, MM_READ);
		mm->vmalloc->pages--;
		mm_free_pages(mm, *cpu, vm->pages[i], 0);
		vm->pages[i] = NULL;
		*cpu = mm_resched(mm, *cpu);
	}
}

/* As far as it has come. */
static void undo(struct mm *mm, int *cpu, struct mm_vm_struct *vm)
{
	vm->busy = true;
	mm_vmap_area_free(mm, *cpu, vm->area);
	vm->area = NULL;
	if (vm->flags & VM_ALLOC)
		put_pages(mm, cpu, vm);
	drop_vm(mm, cpu, vm);
}

/* One attempt, by pages of that order. */
static int try_order(struct mm *mm, const struct mm_vmalloc_request *req, unsigned order,
		     uint32_t *turn, uint64_t *address)
{
	uint64_t unit = page_bytes(mm) << order, align = req->align > unit ? req->align : unit;
	uint64_t bytes = (req->bytes + unit - 1) & ~(unit - 1);
	uint64_t nr = bytes >> mm->arch->page_shift;
	struct mm_vm_struct *vm;
	int err = get_vm_area(mm, req, bytes, align, &vm);

	if (err)
		return err;
	vm->flags = VM_ALLOC;
	vm->user = req->flags & MM_VMALLOC_USER;
	vm->order = order;
	err = get_array(mm, req, vm, nr);
	if (!err && get_pages(mm, req, vm, turn) < nr)
		err = -ENOMEM;
	if (!err)
		err = mm_pgtable_map(mm, req->cpu, &mm->vmalloc->tables, vm->address, vm->pages,
				     nr >> order, order);
	if (err) {
		int cpu = req->cpu;

		undo(mm, &cpu, vm);
		return err;
	}
	mm->vmalloc->counts.huge_pages += order ? nr >> order : 0;
	*address = vm->address;
	return 0;
}

/* Huge pages where each node's share of it would fill one. */
static bool wants_huge(const struct mm *mm, const struct mm_vmalloc_request *req)
{
	uint64_t huge = page_bytes(mm) << mm->arch->pageblock_order, nodes = 0;

	for (int n = 0; n < mm->nr_nodes; n++)
		nodes += mm_node_online(mm, n);
	return (req->flags & MM_VMALLOC_HUGE) && mm->vm_map.huge &&
	       (req->nid == MM_NO_NODE ? req->bytes / nodes : req->bytes) >= huge;
}

static int refuse(struct mm *mm, const struct mm_vmalloc_request *req)
{
	if (req->atomic || !(req->gfp & __GFP_DIRECT_RECLAIM)) {
		mm_warn(mm, "vmalloc of %" PRIu64 " bytes by %s: it may sleep, %s", req->bytes,
			req->caller ? req->caller : "nobody",
			req->atomic ? "but was called in atomic context"
				    : "but its flags do not let it");
		return -EPERM;
	}
	if (!req->bytes || (req->align & (req->align - 1)) ||
	    req->bytes >> mm->arch->page_shift > mm_managed_pages(mm)) {
		mm_warn(mm, "vmalloc error: size %" PRIu64 "%s", req->bytes,
			req->align & (req->align - 1) ? ", alignment is no power of two"
			: req->bytes                  ? ", exceeds total pages"
						      : "");
		return -EINVAL;
	}
	return 0;
}

int mm_vmalloc(struct mm *mm, const struct mm_vmalloc_request *req, uint64_t *address)
{
	struct mm_vmalloc_request r = *req;
	uint32_t turn = 0, *turns = req->turn ? req->turn : &turn;
	int err = refuse(mm, req);

	if (err)
		return err;
	/* Pages that nobody needs an address of may be beyond the direct mapping. */
	r.gfp |= __GFP_NOWARN;
	if (!(r.gfp & (__GFP_DMA | __GFP_DMA32)))
		r.gfp |= __GFP_HIGHMEM;
	err = -ENOMEM;
	if (wants_huge(mm, &r))
		err = try_order(mm, &r, mm->arch->pageblock_order, turns, address);
	if (err == -ENOMEM)
		err = try_order(mm, &r, 0, turns, address);
	mm->vmalloc->counts.vmallocs += !err;
	mm->vmalloc->counts.failed += !!err;
	return err;
}

/* The area that begins at the address, for its end; NULL after a warning. */
static struct mm_vm_struct *find_to_free(struct mm *mm, int cpu, uint64_t address, unsigned flag)
{
	const char *call = flag == VM_ALLOC ? "vfree" : "vunmap";
	struct mm_vmalloc *v = mm->vmalloc;
	struct mm_vmap_area *area;
	struct mm_vm_struct *vm;

	if (address & (page_bytes(mm) - 1)) {
		mm_warn(mm, "Trying to %s() bad address (%016" PRIx64 ")", call, address);
		return NULL;
	}
	mm_take_lock(mm, cpu, &v->used.lock);
	area = mm_vmap_find(mm, cpu, &v->used, address);
	vm = area ? area->vm : NULL;
	if (vm && (vm->busy || vm->address != address || vm->flags != flag)) {
		mm_warn(mm, "Trying to %s() %016" PRIx64 ", which is %s area %016" PRIx64 " of %s",
			call, address,
			vm->busy                 ? "given back already: the"
			: vm->address != address ? "inside the"
						 : "of the other kind: the",
			vm->address, vm->caller ? vm->caller : "nobody");
		vm = NULL;
	} else if (vm) {
		vm->busy = true;
	} else {
		mm_warn(mm, "Trying to %s() nonexistent vm area (%016" PRIx64 ")", call, address);
	}
	mm_leave_lock(mm, cpu, &v->used.lock);
	return vm;
}

static int free_at(struct mm *mm, int *cpu, uint64_t address)
{
	struct mm_vm_struct *vm = find_to_free(mm, *cpu, address, VM_ALLOC);

	if (!vm)
		return -EINVAL;
	mm->vmalloc->counts.vfrees++;
	undo(mm, cpu, vm);
	return 0;
}

int mm_vfree(struct mm *mm, int cpu, uint64_t address, bool atomic)
{
	struct mm_vmalloc *v = mm->vmalloc;
	struct mm_vm_struct *vm;

	if (!address)
		return 0;
	if (!atomic)
		return free_at(mm, &cpu, address);
	vm = find_to_free(mm, cpu, address, VM_ALLOC);
	if (!vm)
		return -EINVAL;
	v->counts.vfrees++;
	vm->next = v->deferred;
	v->deferred = vm;
	v->counts.deferred++;
	mm_kthread_wake(mm, cpu, &v->worker);
	return 0;
}

void mm_vfree_deferred(struct mm *mm, int *cpu)
{
	while (mm->vmalloc->deferred) {
		struct mm_vm_struct *vm = mm->vmalloc->deferred;

		mm->vmalloc->deferred = vm->next;
		mm->vmalloc->counts.deferred--;
		undo(mm, cpu, vm);
	}
}

int mm_vmap(struct mm *mm, int cpu, struct page *const *pages, uint64_t nr, const char *caller,
	    uint64_t *address)
{
	const struct mm_vmalloc_request req = {
		.cpu = cpu, .gfp = GFP_KERNEL, .nid = MM_NO_NODE, .caller = caller};
	struct mm_vm_struct *vm;
	int err;

	if (!nr || nr > mm_managed_pages(mm)) {
		mm_warn(mm, "vmap error: %" PRIu64 " pages, there are %" PRIu64, nr,
			mm_managed_pages(mm));
		return -EINVAL;
	}
	err = get_vm_area(mm, &req, nr << mm->arch->page_shift, page_bytes(mm), &vm);
	if (err)
		return err;
	vm->flags = VM_MAP;
	err = mm_pgtable_map(mm, cpu, &mm->vmalloc->tables, vm->address, pages, nr, 0);
	if (err) {
		undo(mm, &cpu, vm);
		return err;
	}
	mm->vmalloc->counts.vmaps++;
	*address = vm->address;
	return 0;
}

int mm_vunmap(struct mm *mm, int cpu, uint64_t address, bool atomic)
{
	struct mm_vm_struct *vm;

	if (!address)
		return 0;
	if (atomic) {
		mm_warn(mm,
			"vunmap of %016" PRIx64 ": it may sleep, but was called in atomic "
			"context",
			address);
		return -EPERM;
	}
	vm = find_to_free(mm, cpu, address, VM_MAP);
	if (!vm)
		return -EINVAL;
	undo(mm, &cpu, vm);
	return 0;
}

struct page *mm_vmalloc_to_page(struct mm *mm, int cpu, uint64_t address)
{
	const struct mm_vm_range *range = &mm->vm_map.vmalloc;
	unsigned order;
	struct page *page;

	if (address < range->start || address >= range->end)
		return NULL;
	page = mm_pgtable_walk(mm, cpu, &mm->vmalloc->tables, address, &order);
	if (!page)
		return NULL;
	return page + (address >> mm->arch->page_shift & ((UINT64_C(1) << order) - 1));
}

phys_addr_t mm_vmalloc_phys(struct mm *mm, uint64_t address)
{
	const struct page *page = mm_vmalloc_to_page(mm, MM_NO_CPU, address);

	return page ? mm_page_address(mm, page) + (address & (page_bytes(mm) - 1)) : UINT64_MAX;
}
