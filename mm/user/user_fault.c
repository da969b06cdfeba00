/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page faults of users, in the order in which Linux 6.1 does things (mm/memory.c,
 * mm/huge_memory.c): tables of all levels, then a huge page where one is wanted, else the table and
 * the page; content is zeroed, copied or read; the entry is written last, and the page goes to the
 * LRU lists. Looking for memory takes time, in which other threads and reclaim run: what was found
 * is looked at again before it is changed.
 */
#include <errno.h>

#include "mm/huge/huge_pool.h"
#include "mm/huge/hugetlb.h"
#include "mm/huge/thp.h"
#include "mm/reclaim/lru_lists.h"
#include "mm/user/user_state.h"

#define ANON_GFP (GFP_USER_FOLIO | __GFP_ZERO)

struct fault {
	struct mm *mm;
	int cpu;
	struct mm_space *space;
	struct mm_vma *vma;
	uint64_t address;
	bool write;
	bool fell_back;          /* a huge page was wanted in vain */
	bool major;              /* a disk's content was read, whatever else happened */
	bool waited;             /* for what somebody else has a disk read */
	struct mm_utable *table; /* of the entry */
	uint64_t *entry, old;
};

/* Interleaving in a fault goes by address. */
static uint32_t turn(const struct mm *mm, const struct mm_vma *vma, uint64_t address)
{
	return (uint32_t)(vma->pgoff + ((address - vma->start) >> mm_user_shift(mm)));
}

static uint32_t turn_of(const struct fault *f)
{
	return turn(f->mm, f->vma, f->address);
}

struct page *mm_user_take_page(struct mm *mm, int cpu, const struct mm_space *space,
			       const struct mm_vma *vma, uint64_t address, gfp_t gfp)
{
	const struct mm_request req = {.cpu = cpu, .nid = MM_NO_NODE, .gfp = gfp};
	const struct mm_policy_use use = {.policy = mm_user_policy(mm, space, vma, address),
					  .turn = turn(mm, vma, address)};
	struct page *page;

	return mm_alloc_pages_policy(mm, &req, &use, &page) ? NULL : page;
}

static struct page *take_page(const struct fault *f, gfp_t gfp)
{
	return mm_user_take_page(f->mm, f->cpu, f->space, f->vma, f->address, gfp);
}

static uint64_t vpn_of(const struct fault *f)
{
	return f->address >> mm_user_shift(f->mm);
}

/* With the table's lock: is it still in its place, and the entry what it was? */
static bool is_same(const struct fault *f)
{
	struct mm_utable *table;

	mm_work(f->mm, f->cpu, MM_SITE_LOCK, 1);
	mm_touch_page(f->mm, f->cpu, f->table->page, MM_WRITE);
	mm_user_entry(f->space, f->address, &table);
	return table == f->table && *f->entry == f->old;
}

/* A new page of the space's own is mapped, to be written to, and goes to the lists. */
static int install(const struct fault *f, struct page *page)
{
	struct mm *mm = f->mm;
	uint64_t index = vpn_of(f) & ~((UINT64_C(1) << page->order) - 1);

	if (mm_upage_add(mm, page, UP_ANON, f->space->family, index)) {
		mm_free_pages(mm, f->cpu, page, page->order);
		return -ENOMEM;
	}
	f->vma->copied = true;
	mm_user_map(mm, f->cpu, page, f->vma->locked);
	mm_page_to_pfn(mm, f->cpu, page);
	mm_user_set(mm, f->cpu, f->table, f->entry, e_make(page, E_PAGE | E_WRITE));
	mm_lru_add(mm, f->cpu, page, MM_PAGE_ANON);
	if (f->vma->locked && page->user)
		mm_page_lock_in(mm, f->cpu, page, true);
	return 0;
}

static void copy_page(const struct fault *f, phys_addr_t from, const struct page *to)
{
	uint64_t bytes = mm_user_page_bytes(f->mm);

	mm_work(f->mm, f->cpu, MM_SITE_COPY, 1);
	mm_touch(f->mm, f->cpu, from, bytes, MM_COPY_FROM);
	mm_touch(f->mm, f->cpu, mm_page_address(f->mm, to), bytes, MM_COPY_TO);
}

/* It is not wanted after all. */
static int drop(const struct fault *f, struct page *page, int result)
{
	mm_free_pages(f->mm, f->cpu, page, page->order);
	return result;
}

static int zeroed_page(const struct fault *f)
{
	struct page *page = take_page(f, ANON_GFP);

	if (!page)
		return -ENOMEM;
	if (!is_same(f))
		return drop(f, page, MM_USER_PRESENT);
	return install(f, page) ? -ENOMEM : MM_USER_SMALL;
}

static int zero_page(const struct fault *f)
{
	if (!is_same(f))
		return MM_USER_PRESENT;
	mm_user_set(f->mm, f->cpu, f->table, f->entry, E_ZERO);
	return MM_USER_MINOR;
}

/* Is it still what the entry maps, or what the file has there? */
static bool is_source(const struct fault *f, const struct page *from)
{
	const struct mm_file *file = f->vma->file;

	if (!is_same(f))
		return false;
	return e_kind(f->old) == E_PAGE ||
	       (file && file->entries[turn_of(f)] == e_make(from, E_PAGE));
}

/* Content of a page of the file, or of another process's, to one of the space's own, a new one. */
static int copy_to(const struct fault *f, struct page *from, struct page *page)
{
	struct mm *mm = f->mm;
	struct page *head;
	bool locked = f->vma->locked, last;
	int result = MM_USER_COPY;

	if (!is_source(f, from))
		return drop(f, page, MM_USER_PRESENT);
	copy_page(f, mm_page_address(mm, from), page);
	if (e_kind(f->old) != E_PAGE)
		return install(f, page) ? -ENOMEM : MM_USER_COPY;
	head = mm_user_head(mm, from);
	mm_user_set(mm, f->cpu, f->table, f->entry, E_NONE);
	mm_user_flush(mm, f->cpu, f->space, f->address, f->address + 1, 1);
	last = mm_user_unmap(mm, f->cpu, head, locked) && mm_drop_page(mm, head);
	mm_user_defer(mm, f->cpu, head, from);
	if (install(f, page))
		result = -ENOMEM;
	if (last)
		mm_free_dropped(mm, f->cpu, head);
	else if (locked && head->user && !mm_upage(mm, head)->locked)
		mm_page_lock_in(mm, f->cpu, head, false);
	return result;
}

static int copy_from(const struct fault *f, struct page *from)
{
	struct page *page = take_page(f, GFP_USER_FOLIO);

	return page ? copy_to(f, from, page) : -ENOMEM;
}

static bool is_shared(const struct mm *mm, const struct page *head)
{
	const struct mm_upage *up = mm_upage(mm, head);

	return up->kind != UP_ANON || up->mapcount > 1 || up->slot;
}

/* A store to a page that may only be read. */
static int write_protected(const struct fault *f)
{
	struct mm *mm = f->mm;
	struct page *page = e_pointer(f->old), *head = mm_user_head(mm, page);

	/* A fault drops what the CPU has of the address. */
	mm_forget(mm, f->cpu,
		  &(struct mm_forget){.space = f->space,
				      .start = f->address,
				      .end = f->address + 1,
				      .own = true});
	if (f->vma->shared && f->vma->file) {
		mm_user_set(mm, f->cpu, f->table, f->entry, f->old | E_WRITE);
		return MM_USER_REUSE;
	}
	if (is_shared(mm, head))
		return copy_from(f, page);
	if (!is_same(f))
		return MM_USER_PRESENT;
	mm_touch_page(mm, f->cpu, head, MM_WRITE);
	mm_user_set(mm, f->cpu, f->table, f->entry, f->old | E_WRITE);
	return MM_USER_REUSE;
}

/*
 * Who writes to what nobody else has, has no use for its place in swap; nor has a page that is
 * locked in, or a swap that is soon full (should_try_to_free_swap()).
 */
static void swapped_in(const struct fault *f, struct page *head, struct mm_slot *slot, bool alone)
{
	mm_slot_put(f->mm, f->cpu, slot);
	if ((f->write && alone) || f->vma->locked || mm_swap_full(f->mm))
		mm_swap_try_free(f->mm, f->cpu, head);
}

/*
 * Somebody else has read it already, or reclaim has not got to freeing it. Of a huge page that is
 * mapped by parts it is not known who else has which: an entry may write as it might before.
 */
static int from_swap_cache(const struct fault *f, struct mm_slot *slot)
{
	struct mm *mm = f->mm;
	struct page *head;
	bool alone, writable;

	if (!is_same(f) || !slot->page)
		return MM_USER_PRESENT;
	head = mm_user_head(mm, slot->page);
	alone = slot->refs == 1 && !mm_upage(mm, head)->mapcount;
	writable = head->order ? f->old & E_WRITE : f->write && alone;
	f->vma->copied = true;
	mm_user_map(mm, f->cpu, head, f->vma->locked);
	mm_page_account(mm, f->cpu, head, head->flags | PG_MAPPED | PG_YOUNG);
	mm_user_set(mm, f->cpu, f->table, f->entry,
		    e_make(slot->page, E_PAGE | (writable ? E_WRITE : 0)));
	swapped_in(f, head, slot, alone);
	if (f->vma->locked && head->user)
		mm_page_lock_in(mm, f->cpu, head, true);
	return MM_USER_MINOR;
}

static int swap_in(const struct fault *f)
{
	struct mm_slot *slot = e_pointer(f->old);
	int err;

	if (slot->page) {
		mm_swap_found(f->mm, f->cpu, f->vma, f->address, mm_user_head(f->mm, slot->page));
		return from_swap_cache(f, slot);
	}
	err = mm_swap_readahead(f->mm, f->cpu, f->space, f->vma, f->address);
	if (err)
		return err;
	from_swap_cache(f, slot);
	return MM_USER_MAJOR;
}

/* Is the page, and what is around it, mapped without further ado? Only loads do that. */
static bool mapped_around(const struct fault *f)
{
	uint64_t nr;

	if (f->write || f->mm->params.fault_around_bytes <= mm_user_page_bytes(f->mm))
		return false;
	nr = mm_user_map_around(f->mm, f->cpu, f->space, f->vma, f->table, f->address);
	f->space->done.around += nr;
	if (e_kind(*f->entry) != E_PAGE)
		return false;
	f->space->done.around--;
	return true;
}

/* The file's page, NULL: it is gone again. Returns as mm_file_fault(). */
static int find_page(struct fault *f, bool write, struct page **page)
{
	struct mm_file *file = f->vma->file;
	uint64_t index = turn_of(f);
	phys_addr_t at;
	int result = mm_file_fault(f->mm, f->cpu, f->space, file, index, write, &at, &f->waited);

	*page = NULL;
	f->major = result == MM_USER_MAJOR;
	if (result == -ENOSPC)
		result = -EIO; /* SIGBUS */
	if (result >= 0 && e_kind(file->entries[index]) == E_PAGE)
		*page = e_pointer(file->entries[index]);
	return result;
}

/* A store to a private range: memory for the copy comes first (do_cow_fault()). */
static int cow_fault(struct fault *f)
{
	struct page *copy = take_page(f, GFP_USER_FOLIO), *page;
	int result;

	if (!copy)
		return -ENOMEM;
	result = find_page(f, false, &page);
	if (!page)
		return drop(f, copy, result < 0 ? result : MM_USER_PRESENT);
	return copy_to(f, page, copy);
}

/* What is in the file, for all who map it. */
static int file_fault(struct fault *f)
{
	struct mm *mm = f->mm;
	struct page *page;
	int result;

	if (f->write && !f->vma->shared)
		return cow_fault(f);
	if (mapped_around(f))
		return MM_USER_MINOR;
	result = find_page(f, f->write, &page);
	if (result < 0)
		return result;
	if (!page || !is_same(f))
		return MM_USER_PRESENT;
	mm_user_map(mm, f->cpu, page, f->vma->locked);
	mm_user_set(mm, f->cpu, f->table, f->entry,
		    e_make(page, E_PAGE | (mm_user_maps_writable(f->vma, f->write) ? E_WRITE : 0)));
	if (f->vma->locked)
		mm_page_lock_in(mm, f->cpu, page, true);
	return result == MM_USER_PRESENT ? MM_USER_MINOR : result;
}

/* A huge page and the table that is laid aside for it. */
static int huge_page(struct fault *f)
{
	struct mm *mm = f->mm;
	unsigned order = mm->arch->pageblock_order;
	const struct mm_request req = {
		.cpu = f->cpu, .order = order, .gfp = mm_thp_gfp(mm, f->vma->advised)};
	const struct mm_policy_use use = {
		.policy = mm_user_policy(f->mm, f->space, f->vma, f->address),
		.turn = turn_of(f) >> order,
		.huge = true};
	uint64_t bytes = UINT64_C(1) << mm_huge_shift(mm);
	struct mm_utable *leaf;
	struct page *page;

	if (mm_alloc_pages_policy(mm, &req, &use, &page)) {
		mm_count(mm, f->cpu, MM_VM_THP_FAULT_FALLBACK, 1);
		f->fell_back = true;
		return MM_USER_PRESENT;
	}
	leaf = mm_utable_new(mm, f->cpu, f->space, mm_user_shift(mm));
	if (!leaf)
		return drop(f, page, -ENOMEM);
	mm_work(mm, f->cpu, MM_SITE_ZERO, (uint32_t)(bytes >> mm_user_shift(mm)));
	mm_touch(mm, f->cpu, mm_page_address(mm, page), bytes, MM_ZERO);
	if (!is_same(f)) {
		mm_utable_free(mm, f->cpu, f->space, leaf);
		return drop(f, page, MM_USER_MINOR);
	}
	mm_utable_deposit(f->table, leaf);
	mm_user_count_huge(mm, f->cpu, page, 1);
	mm_count(mm, f->cpu, MM_VM_THP_FAULT_ALLOC, 1);
	return install(f, page) ? -ENOMEM : MM_USER_HUGE;
}

static bool wants_huge(const struct fault *f)
{
	uint64_t size = UINT64_C(1) << mm_huge_shift(f->mm), start = f->address & ~(size - 1);

	return f->write && !f->vma->file && !f->vma->refused && start >= f->vma->start &&
	       start + size <= f->vma->end && mm_thp_wanted(f->mm, f->vma->advised);
}

static int pool_page(const struct fault *f)
{
	struct mm *mm = f->mm;
	unsigned shift = mm_pool_shift(mm, f->vma);
	const struct mm_policy_use use = {
		.policy = mm_user_policy(f->mm, f->space, f->vma, f->address),
		.turn = turn_of(f) >> (shift - mm_user_shift(mm))};
	uint64_t bytes = UINT64_C(1) << shift;
	struct page *page;

	if (mm_hugetlb_alloc(mm, f->cpu, f->vma->pool, &use, !f->vma->noreserve, &page))
		return -ENOMEM;
	mm_work(mm, f->cpu, MM_SITE_ZERO, (uint32_t)(bytes >> mm_user_shift(mm)));
	mm_touch(mm, f->cpu, mm_page_address(mm, page), bytes, MM_ZERO);
	if (!is_same(f)) {
		if (f->vma->noreserve)
			mm_hugetlb_free(mm, f->cpu, page);
		else
			mm_hugetlb_put_back(mm, page);
		return MM_USER_PRESENT;
	}
	mm_user_set(mm, f->cpu, f->table, f->entry, e_make(page, E_PAGE | E_WRITE));
	return MM_USER_HUGE;
}

/* The entry that a huge page would have. PRESENT: go on with the tables below it. */
static int huge_level(struct fault *f)
{
	struct mm *mm = f->mm;

	f->table = mm_user_table(mm, f->cpu, f->space, f->address,
				 f->vma->hugetlb ? mm_pool_shift(mm, f->vma) : mm_huge_shift(mm));
	if (!f->table)
		return -ENOMEM;
	f->entry = &f->table->entries[f->address >> f->table->shift & (f->table->nr - 1)];
	f->old = *f->entry;
	if (f->vma->hugetlb)
		return e_kind(f->old) == E_NONE ? pool_page(f) : MM_USER_MINOR;
	if (e_kind(f->old) == E_NONE && wants_huge(f))
		return huge_page(f);
	if (e_kind(f->old) != E_PAGE)
		return MM_USER_PRESENT;
	if (!f->write || (f->old & E_WRITE))
		return MM_USER_MINOR; /* another thread was first */
	if (!is_shared(mm, e_pointer(f->old)))
		return write_protected(f);
	/* Its parts are copied one by one. */
	mm_user_split(mm, f->cpu, f->table, f->entry, f->vma->locked);
	mm_user_flush(mm, f->cpu, f->space, f->address, f->address + 1, 1);
	return MM_USER_PRESENT;
}

static int handle(struct fault *f)
{
	struct mm *mm = f->mm;
	bool has_huge = mm->vm_map.table_shift == mm->arch->pageblock_order || f->vma->hugetlb;
	int result = MM_USER_PRESENT;

	mm_work(mm, f->cpu, MM_SITE_FAULT, 1);
	mm_touch_page(mm, f->cpu, f->space->root->page, MM_WRITE);
	mm_count(mm, f->cpu, MM_VM_PGFAULT, 1);
	if (has_huge)
		result = huge_level(f);
	if (result != MM_USER_PRESENT)
		return result;
	f->table = mm_user_table(mm, f->cpu, f->space, f->address, mm_user_shift(mm));
	if (!f->table) {
		/* No memory; or another thread had a huge page mapped here meanwhile. */
		f->entry = mm_user_entry(f->space, f->address, &f->table);
		return e_kind(*f->entry) == E_PAGE ? MM_USER_PRESENT : -ENOMEM;
	}
	f->entry = &f->table->entries[f->address >> f->table->shift & (f->table->nr - 1)];
	f->old = *f->entry;
	switch (e_kind(f->old)) {
	case E_SWAP:
		return swap_in(f);
	case E_PAGE:
		return f->write && !(f->old & E_WRITE) ? write_protected(f) : MM_USER_PRESENT;
	case E_ZERO:
		/* Whoever has read it has the zero page in his TLB. */
		mm_user_forget(mm, f->cpu, f->space, f->table, f->address);
		return f->write ? zeroed_page(f) : MM_USER_PRESENT;
	default:
		if (f->vma->file)
			return file_fault(f);
		return f->write ? zeroed_page(f) : zero_page(f);
	}
}

/* A process's fault is major where it had to wait, whoever had the disk read (mm_account_fault()).
 */
static void count(const struct fault *f, struct mm_space_info *done, int result)
{
	bool major = f->major || result == MM_USER_MAJOR;

	mm_count(f->mm, f->cpu, MM_VM_PGMAJFAULT, major);
	done->faults++;
	done->zeroed += result == MM_USER_SMALL;
	done->zeroed_huge += result == MM_USER_HUGE;
	done->copied += result == MM_USER_COPY;
	done->reused += result == MM_USER_REUSE;
	done->major += major || f->waited;
	done->fallback += f->fell_back && result == MM_USER_SMALL;
}

/* The address, if its entry allows the access. */
static bool translate(struct mm *mm, int cpu, struct mm_space *space, uint64_t address, bool write,
		      phys_addr_t *at)
{
	struct mm_utable *table;
	uint64_t entry = *mm_user_entry(space, address, &table);
	struct page *page = e_pointer(entry), *head;

	if (e_kind(entry) == E_ZERO && !write) {
		*at = mm->user->zero_at + (address & (mm_user_page_bytes(mm) - 1));
		return true;
	}
	if (e_kind(entry) != E_PAGE || (write && !(entry & E_WRITE)))
		return false;
	*at = mm_page_address(mm, page) + (address & ((UINT64_C(1) << table->shift) - 1));
	if (page->flags & PG_HUGETLB)
		return true;
	head = mm_user_head(mm, page);
	mm_page_touched(mm, cpu, head, write);
	return true;
}

int mm_user_access(struct mm *mm, int cpu, struct mm_space *space, uint64_t address, bool write,
		   phys_addr_t *at)
{
	int last = MM_USER_PRESENT;

	while (!translate(mm, cpu, space, address, write, at)) {
		struct fault f = {.mm = mm,
				  .cpu = cpu,
				  .space = space,
				  .vma = mm_user_vma(space, address),
				  .address = address,
				  .write = write};
		int result;

		if (!f.vma)
			return -EFAULT;
		result = handle(&f);
		if (result < 0)
			return result;
		count(&f, &space->done, result);
		if (result != MM_USER_PRESENT || !last)
			last = result;
	}
	return last;
}
