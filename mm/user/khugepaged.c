/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a range has room for a huge page but is mapped by single pages, these are copied into one
 * if enough of them are there and in use, and their table is laid aside for it. khugepaged does so
 * by its settings; a task may ask for it itself (MADV_COLLAPSE), whatever they are, and waits.
 *
 * Follows Linux 6.1 mm/khugepaged.c (khugepaged_scan_mm_slot, hpage_collapse_scan_pmd,
 * collapse_huge_page, madvise_collapse). The kernel has a list of spaces that once had a fault
 * where a huge page was wanted; here it is all that have such a range. Not there: files and tmpfs,
 * and parts of huge pages that are mapped by single entries, which stay.
 */
#include "mm/user/khugepaged.h"

#include <errno.h>

#include "mm/huge/thp.h"
#include "mm/kthread.h"
#include "mm/reclaim/lru_lists.h"
#include "mm/user/user_state.h"

#define US_PER_MS 1000

/* A huge page's worth of a range that is looked at. */
struct site {
	struct mm_space *space;
	struct mm_vma *vma;
	struct mm_utable *table; /* of its single pages */
	uint64_t at;
	bool asked; /* by the task itself: settings do not count */
};

struct findings {
	uint64_t none, swap, shared, young, present;
	bool writable;
	int nid;                  /* that most of them are on, */
	struct mm_nodemask nodes; /* and all that have as many */
};

/* What comes of a place; what the kernel calls SCAN_*, by what is done about it. */
enum scan_result {
	SCAN_DONE,
	SCAN_NOT,       /* it is not such that it could be collapsed */
	SCAN_HELD,      /* somebody has a hold of one of the pages just now */
	SCAN_CHANGED,   /* ranges or pages have changed meanwhile: no further */
	SCAN_NO_MEMORY, /* no huge page: no further */
};

static uint64_t huge_bytes(const struct mm *mm)
{
	return UINT64_C(1) << mm_huge_shift(mm);
}

static bool qualifies(const struct mm *mm, const struct mm_vma *vma, bool asked)
{
	return !vma->file && !vma->hugetlb && !vma->refused &&
	       (asked || mm_thp_wanted(mm, vma->advised));
}

/* The range around a boundary of a huge page, if there is a table of single pages. */
static bool find_site(const struct mm *mm, struct mm_space *space, uint64_t at, bool asked,
		      struct site *site)
{
	*site = (struct site){
		.space = space, .vma = mm_user_vma(space, at), .at = at, .asked = asked};
	if (space->busy || !site->vma || !qualifies(mm, site->vma, asked) ||
	    at + huge_bytes(mm) > site->vma->end)
		return false;
	mm_user_entry(space, at, &site->table);
	return site->table->shift == mm_user_shift(mm);
}

static enum scan_result fits_page(const struct mm *mm, const struct page *page, struct findings *f)
{
	const struct mm_upage *up = page->user ? mm_upage(mm, page) : NULL;

	/* Parts of huge pages are not registered, their heads are. */
	if (!up || up->kind != UP_ANON || page->order)
		return SCAN_NOT;
	if (up->slot || !(page->flags & (PG_ON_LRU | PG_BATCHED)) || (page->flags & PG_WRITEBACK) ||
	    page->refcount != 1)
		return SCAN_HELD;
	f->shared += up->mapcount > 1;
	f->young += (page->flags & (PG_YOUNG | PG_REFERENCED)) != 0;
	f->present++;
	return SCAN_DONE;
}

/* Where most are; at no cost. */
static void find_nodes(const struct mm *mm, const struct site *s, struct findings *f)
{
	uint32_t on[MM_MAX_NODES] = {0};

	f->nid = 0;
	for (unsigned i = 0; i < s->table->nr; i++)
		if (e_kind(s->table->entries[i]) == E_PAGE)
			on[mm_page_to_nid(mm, e_pointer(s->table->entries[i]))]++;
	for (int n = 1; n < mm->nr_nodes; n++)
		f->nid = on[n] > on[f->nid] ? n : f->nid;
	for (int n = 0; n < mm->nr_nodes; n++)
		if (on[n] == on[f->nid])
			mm_nodemask_set(&f->nodes, n);
}

/* More than khugepaged is set to put up with? */
static bool is_beyond(const struct mm *mm, const struct site *s, const struct findings *f)
{
	const struct mm_khugepaged_params *p = &mm->params.khugepaged;

	return !s->asked && (f->none > p->max_ptes_none || f->swap > p->max_ptes_swap ||
			     f->shared > p->max_ptes_shared);
}

/* Worth it: stored to, and where nobody asked for it, in use. */
static bool is_wanted(const struct site *s, const struct findings *f)
{
	return f->writable &&
	       (s->asked || (f->young && (!f->swap || f->young >= s->table->nr / 2)));
}

/* All entries, and what they map. Is it worth a huge page, and can it be done? */
static enum scan_result look(struct mm *mm, int cpu, const struct site *s, struct findings *f)
{
	*f = (struct findings){0};
	mm_work(mm, cpu, MM_SITE_PTE_WALK, s->table->nr);
	mm_touch(mm, cpu, s->table->at, mm_user_page_bytes(mm), MM_READ);
	for (unsigned i = 0; i < s->table->nr; i++) {
		uint64_t entry = s->table->entries[i];
		enum scan_result result = SCAN_DONE;

		f->writable |= (entry & E_WRITE) != 0;
		f->none += e_kind(entry) == E_NONE || e_kind(entry) == E_ZERO;
		f->swap += e_kind(entry) == E_SWAP;
		if (e_kind(entry) == E_PAGE && !is_beyond(mm, s, f)) {
			mm_touch_page(mm, cpu, e_pointer(entry), MM_READ);
			result = fits_page(mm, e_pointer(entry), f);
		}
		if (result != SCAN_DONE)
			return result;
		if (is_beyond(mm, s, f))
			return SCAN_NOT;
	}
	find_nodes(mm, s, f);
	return is_wanted(s, f) ? SCAN_DONE : SCAN_NOT;
}

/* What is in swap is read back, one after the other. */
static bool bring_back(struct mm *mm, int cpu, const struct site *s)
{
	phys_addr_t phys;

	for (unsigned i = 0; i < s->table->nr; i++) {
		uint64_t at = s->at + ((uint64_t)i << mm_user_shift(mm));
		struct site again;

		if (!find_site(mm, s->space, s->at, s->asked, &again) || again.table != s->table)
			return false;
		if (e_kind(s->table->entries[i]) == E_SWAP &&
		    mm_user_access(mm, cpu, s->space, at, false, &phys) < 0)
			return false;
	}
	return true;
}

static void fill_part(struct mm *mm, int cpu, uint64_t entry, const struct page *part)
{
	uint64_t bytes = mm_user_page_bytes(mm);

	if (e_kind(entry) != E_PAGE) {
		mm_work(mm, cpu, MM_SITE_ZERO, 1);
		mm_touch(mm, cpu, mm_page_address(mm, part), bytes, MM_ZERO);
		return;
	}
	mm_work(mm, cpu, MM_SITE_COPY, 1);
	mm_touch(mm, cpu, mm_page_address(mm, e_pointer(entry)), bytes, MM_COPY_FROM);
	mm_touch(mm, cpu, mm_page_address(mm, part), bytes, MM_COPY_TO);
}

/* The entry goes; returns its page if that was its last one, for the caller to free. */
static struct page *take_entry(struct mm *mm, int cpu, const struct site *s, uint64_t *entry)
{
	struct page *page = e_kind(*entry) == E_PAGE ? e_pointer(*entry) : NULL;

	mm_user_set(mm, cpu, s->table, entry, E_NONE);
	if (page && mm_user_unmap(mm, cpu, page, s->vma->locked) && mm_drop_page(mm, page))
		return page;
	return NULL;
}

/* No time passes before the huge page is mapped. Returns whether it was; else it is not used. */
static bool replace(struct mm *mm, int cpu, const struct site *s, struct page *huge)
{
	uint64_t index = s->at >> mm_user_shift(mm);
	struct page *gone[1u << MAX_PAGE_ORDER];
	unsigned nr_gone = 0;
	struct mm_utable *above;

	if (mm_upage_add(mm, huge, UP_ANON, s->space->family, index))
		return false;
	above = mm_user_table(mm, cpu, s->space, s->at, mm_huge_shift(mm));
	mm_touch_page(mm, cpu, s->space->root->page, MM_WRITE);
	mm_user_flush(mm, cpu, s->space, s->at, s->at + huge_bytes(mm), s->table->nr);
	for (unsigned i = 0; i < s->table->nr; i++) {
		struct page *page;

		fill_part(mm, cpu, s->table->entries[i], huge + i);
		page = take_entry(mm, cpu, s, &s->table->entries[i]);
		if (page)
			gone[nr_gone++] = page;
	}
	mm_utable_deposit(above, s->table);
	mm_user_map(mm, cpu, huge, s->vma->locked);
	mm_user_set(mm, cpu, above, &above->entries[s->at >> above->shift & (above->nr - 1)],
		    e_make(huge, E_PAGE | E_WRITE));
	mm_user_count_huge(mm, cpu, huge, 1);
	s->vma->copied = true;
	mm_lru_add(mm, cpu, huge, MM_PAGE_ANON);
	if (huge->user && mm_upage(mm, huge)->locked)
		mm_page_lock_in(mm, cpu, huge, true);
	for (unsigned i = 0; i < nr_gone; i++)
		mm_free_dropped(mm, cpu, gone[i]);
	return true;
}

/* Time has passed: is the space still there, and is the place as it was? */
static enum scan_result look_again(struct mm *mm, int cpu, struct site *s, struct findings *f)
{
	if ((!s->asked && mm->khugepaged_state.space != s->space) ||
	    !find_site(mm, s->space, s->at, s->asked, s))
		return SCAN_CHANGED;
	return look(mm, cpu, s, f);
}

/* Into a huge page that is there. */
static enum scan_result collapse_into(struct mm *mm, int cpu, struct site *s, struct page *huge)
{
	struct findings f;
	enum scan_result result = look_again(mm, cpu, s, &f);

	if (result == SCAN_DONE && f.swap) {
		if (!bring_back(mm, cpu, s))
			return SCAN_CHANGED;
		result = look_again(mm, cpu, s, &f);
		if (result == SCAN_DONE && f.swap)
			return SCAN_CHANGED;
	}
	if (result == SCAN_DONE && !replace(mm, cpu, s, huge))
		return SCAN_NO_MEMORY; /* of the host */
	return result;
}

static enum scan_result collapse(struct mm *mm, int cpu, struct site *s, const struct findings *f)
{
	bool hard = s->asked || mm->params.khugepaged.defrag;
	const struct mm_request req = {.cpu = cpu,
				       .nid = f->nid,
				       .order = mm->arch->pageblock_order,
				       .gfp = hard ? GFP_TRANSHUGE : GFP_TRANSHUGE_LIGHT,
				       .nodes = &f->nodes};
	enum scan_result result;
	struct page *huge;

	if (mm_alloc_pages(mm, &req, &huge)) {
		mm_count(mm, cpu, MM_VM_THP_COLLAPSE_ALLOC_FAILED, 1);
		return SCAN_NO_MEMORY;
	}
	mm_count(mm, cpu, MM_VM_THP_COLLAPSE_ALLOC, 1);
	result = collapse_into(mm, cpu, s, huge);
	if (result != SCAN_DONE)
		mm_free_pages(mm, cpu, huge, req.order);
	return result;
}

/* The next place of the current space; false where it has no more. */
static bool next_site(const struct mm *mm, struct mm_khugepaged *k, uint64_t *pages)
{
	const uint64_t size = huge_bytes(mm);
	struct mm_vma *vma = k->space->vmas;

	while (vma) {
		uint64_t at = (vma->start > k->at ? vma->start : k->at) + size - 1;

		at &= ~(size - 1);
		if (vma->end > k->at && qualifies(mm, vma, false) && at + size <= vma->end) {
			k->at = at;
			return true;
		}
		*pages += vma->end > k->at;
		vma = vma->next;
	}
	return false;
}

/* Up to `pages_to_scan`, but no space twice. Returns whether huge pages are to be had. */
static bool scan(struct mm *mm, int *cpu)
{
	struct mm_khugepaged *k = &mm->khugepaged_state;
	uint64_t pages = 0;
	unsigned rounds = 0;

	while (mm->user && pages < mm->params.khugepaged.pages_to_scan) {
		struct findings f;
		struct site site;

		if (!k->space) {
			if (rounds++ == 1 || !mm->user->spaces)
				break;
			k->space = mm->user->spaces;
			k->at = 0;
		}
		if (!k->space->root || !next_site(mm, k, &pages)) {
			k->space = k->space->next;
			k->at = 0;
			k->full_scans += !k->space;
			continue;
		}
		pages += UINT64_C(1) << mm->arch->pageblock_order;
		if (find_site(mm, k->space, k->at, false, &site) &&
		    look(mm, *cpu, &site, &f) == SCAN_DONE) {
			enum scan_result result = collapse(mm, *cpu, &site, &f);

			if (result == SCAN_NO_MEMORY)
				return false;
			k->pages_collapsed += result == SCAN_DONE;
		}
		k->at += k->space == site.space ? huge_bytes(mm) : 0;
		*cpu = mm_resched(mm, *cpu);
	}
	return true;
}

/* hugepage_vma_check() without what sysfs says: it has pages, and room for a huge one. */
static bool may_ask(const struct mm *mm, const struct mm_vma *vma)
{
	uint64_t size = huge_bytes(mm);

	return mm->vm_map.table_shift == mm->arch->pageblock_order && qualifies(mm, vma, true) &&
	       vma->copied && vma->end >= size && ((vma->end - size) & ~(size - 1)) >= vma->start;
}

/* SCAN_DONE where it is one already, too. */
static enum scan_result collapse_at(struct mm *mm, int cpu, struct mm_space *space, uint64_t at)
{
	enum scan_result result;
	struct findings f;
	struct site site;

	if (!find_site(mm, space, at, true, &site)) {
		if (!site.table)
			return SCAN_CHANGED;
		return site.table->shift == mm_huge_shift(mm) &&
				       e_kind(*mm_user_entry(space, at, &site.table)) == E_PAGE
			       ? SCAN_DONE
			       : SCAN_NOT;
	}
	result = look(mm, cpu, &site, &f);
	return result == SCAN_DONE ? collapse(mm, cpu, &site, &f) : result;
}

/* madvise_collapse_errno(). Where one does not fit the others are tried; of the last it is told. */
int mm_user_collapse(struct mm *mm, int cpu, struct mm_space *space, uint64_t start, uint64_t end)
{
	uint64_t size = huge_bytes(mm), first = (start + size - 1) & ~(size - 1);
	enum scan_result last = SCAN_DONE;

	end &= ~(size - 1);
	if (!may_ask(mm, mm_user_vma(space, start)) || first > end)
		return -EINVAL;
	mm_lru_drain(mm, cpu);
	for (uint64_t at = first; at < end && last < SCAN_CHANGED; at += size) {
		enum scan_result result = collapse_at(mm, cpu, space, at);

		last = result == SCAN_DONE ? last : result;
		mm_resched(mm, cpu);
	}
	switch (last) {
	case SCAN_DONE:
		return 0;
	case SCAN_HELD:
		return -EAGAIN;
	case SCAN_NO_MEMORY:
		return -ENOMEM;
	default:
		return -EINVAL;
	}
}

static uint64_t run(struct mm *mm, struct mm_kthread *thread, int *cpu, bool woken)
{
	const struct mm_khugepaged_params *p = &mm->params.khugepaged;

	(void)thread;
	(void)woken;
	if (mm->params.thp == MM_THP_NEVER || mm->vm_map.table_shift != mm->arch->pageblock_order)
		return MM_KTHREAD_FOREVER;
	return US_PER_MS * (scan(mm, cpu) ? p->scan_sleep_ms : p->alloc_sleep_ms);
}

void mm_khugepaged_init(struct mm *mm)
{
	mm->khugepaged_state.thread = (struct mm_kthread){.name = "khugepaged",
							  .nid = MM_NO_NODE,
							  .cpu = MM_NO_CPU,
							  .first_us = MM_KTHREAD_FOREVER,
							  .index = mm_nr_kthreads(mm) - 1,
							  .run = run,
							  .asleep = true};
}

void mm_khugepaged_start(struct mm *mm)
{
	if (mm->params.thp != MM_THP_NEVER && !mm->reclaim_outside)
		mm->khugepaged_state.thread.first_us =
			US_PER_MS * mm->params.khugepaged.scan_sleep_ms;
}

void mm_khugepaged_forget(struct mm *mm, const struct mm_space *space)
{
	struct mm_khugepaged *k = &mm->khugepaged_state;

	if (k->space != space)
		return;
	k->space = space->next;
	k->at = 0;
}

void mm_khugepaged_info(const struct mm *mm, struct mm_khugepaged_info *info)
{
	info->pages_collapsed = mm->khugepaged_state.pages_collapsed;
	info->full_scans = mm->khugepaged_state.full_scans;
}
