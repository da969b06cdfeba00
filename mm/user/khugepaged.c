/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a range has room for a huge page but is mapped by single pages, these are copied into one
 * if enough of them are there and in use, and their table is laid aside for it.
 *
 * Follows Linux 6.1 mm/khugepaged.c (khugepaged_scan_mm_slot, hpage_collapse_scan_pmd,
 * collapse_huge_page). The kernel has a list of spaces that once had a fault where a huge page was
 * wanted; here it is all that have such a range. Not there: files and tmpfs, and parts of huge
 * pages that are mapped by single entries, which stay.
 */
#include "mm/user/khugepaged.h"

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
};

struct findings {
	uint64_t none, swap, shared, young, present;
	bool writable;
	int nid; /* that most of them are on */
};

static uint64_t huge_bytes(const struct mm *mm)
{
	return UINT64_C(1) << mm_huge_shift(mm);
}

static bool qualifies(const struct mm *mm, const struct mm_vma *vma)
{
	return !vma->file && !vma->hugetlb && !vma->refused && mm_thp_wanted(mm, vma->advised);
}

/* The range around a boundary of a huge page, if there is a table of single pages. */
static bool find_site(const struct mm *mm, struct mm_space *space, uint64_t at, struct site *site)
{
	*site = (struct site){.space = space, .vma = mm_user_vma(space, at), .at = at};
	if (space->busy || !site->vma || !qualifies(mm, site->vma) ||
	    at + huge_bytes(mm) > site->vma->end)
		return false;
	mm_user_entry(space, at, &site->table);
	return site->table->shift == mm_user_shift(mm);
}

static bool fits_page(const struct mm *mm, const struct page *page, struct findings *f)
{
	const struct mm_upage *up = page->user ? mm_upage(mm, page) : NULL;

	/* Parts of huge pages are not registered, their heads are. */
	if (!up || up->kind != UP_ANON || page->order || up->slot ||
	    !(page->flags & (PG_ON_LRU | PG_BATCHED)) || (page->flags & PG_WRITEBACK) ||
	    page->refcount != 1)
		return false;
	f->shared += up->mapcount > 1;
	f->young += (page->flags & (PG_YOUNG | PG_REFERENCED)) != 0;
	f->present++;
	return true;
}

/* Where most are; at no cost. */
static int most_of(const struct mm *mm, const struct site *s)
{
	uint32_t on[MM_MAX_NODES] = {0};
	int best = 0;

	for (unsigned i = 0; i < s->table->nr; i++)
		if (e_kind(s->table->entries[i]) == E_PAGE)
			on[mm_page_to_nid(mm, e_pointer(s->table->entries[i]))]++;
	for (int n = 1; n < mm->nr_nodes; n++)
		best = on[n] > on[best] ? n : best;
	return best;
}

/* All entries, and what they map. Is it worth a huge page, and can it be done? */
static bool look(struct mm *mm, int cpu, const struct site *s, struct findings *f)
{
	const struct mm_khugepaged_params *p = &mm->params.khugepaged;

	*f = (struct findings){0};
	mm_work(mm, cpu, MM_SITE_PTE_WALK, s->table->nr);
	mm_touch(mm, cpu, s->table->at, mm_user_page_bytes(mm), MM_READ);
	for (unsigned i = 0; i < s->table->nr; i++) {
		uint64_t entry = s->table->entries[i];

		f->writable |= (entry & E_WRITE) != 0;
		f->none += e_kind(entry) == E_NONE || e_kind(entry) == E_ZERO;
		f->swap += e_kind(entry) == E_SWAP;
		if (f->none > p->max_ptes_none || f->swap > p->max_ptes_swap)
			return false;
		if (e_kind(entry) != E_PAGE)
			continue;
		mm_touch_page(mm, cpu, e_pointer(entry), MM_READ);
		if (!fits_page(mm, e_pointer(entry), f) || f->shared > p->max_ptes_shared)
			return false;
	}
	f->nid = most_of(mm, s);
	return f->writable && f->young && (!f->swap || f->young >= s->table->nr / 2);
}

/* What is in swap is read back, one after the other. */
static bool bring_back(struct mm *mm, int cpu, const struct site *s)
{
	phys_addr_t phys;

	for (unsigned i = 0; i < s->table->nr; i++) {
		uint64_t at = s->at + ((uint64_t)i << mm_user_shift(mm));
		struct site again;

		if (!find_site(mm, s->space, s->at, &again) || again.table != s->table)
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
	mm->khugepaged_state.pages_collapsed++;
	mm_lru_add(mm, cpu, huge, MM_PAGE_ANON);
	if (huge->user && mm_upage(mm, huge)->locked)
		mm_page_lock_in(mm, cpu, huge, true);
	for (unsigned i = 0; i < nr_gone; i++)
		mm_free_dropped(mm, cpu, gone[i]);
	return true;
}

/* False where there was no huge page. */
static bool collapse(struct mm *mm, int cpu, struct site *s, int nid)
{
	const struct mm_request req = {
		.cpu = cpu,
		.nid = nid,
		.order = mm->arch->pageblock_order,
		.gfp = (mm->params.khugepaged.defrag ? GFP_TRANSHUGE : GFP_TRANSHUGE_LIGHT) |
		       __GFP_THISNODE};
	struct mm_khugepaged *k = &mm->khugepaged_state;
	struct page *huge;
	struct findings f;
	bool done = false;

	if (mm_alloc_pages(mm, &req, &huge)) {
		mm_count(mm, cpu, MM_VM_THP_COLLAPSE_ALLOC_FAILED, 1);
		return false;
	}
	mm_count(mm, cpu, MM_VM_THP_COLLAPSE_ALLOC, 1);
	/* That took time, and so does reading back: what was found may be another thing by now. */
	if (k->space == s->space && find_site(mm, s->space, s->at, s) && look(mm, cpu, s, &f) &&
	    (!f.swap || bring_back(mm, cpu, s)) && k->space == s->space &&
	    find_site(mm, s->space, s->at, s) && look(mm, cpu, s, &f) && !f.swap)
		done = replace(mm, cpu, s, huge);
	if (!done)
		mm_free_pages(mm, cpu, huge, req.order);
	return true;
}

/* The next place of the current space; false where it has no more. */
static bool next_site(const struct mm *mm, struct mm_khugepaged *k, uint64_t *pages)
{
	const uint64_t size = huge_bytes(mm);
	struct mm_vma *vma = k->space->vmas;

	while (vma) {
		uint64_t at = (vma->start > k->at ? vma->start : k->at) + size - 1;

		at &= ~(size - 1);
		if (vma->end > k->at && qualifies(mm, vma) && at + size <= vma->end) {
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
		if (find_site(mm, k->space, k->at, &site) && look(mm, *cpu, &site, &f) &&
		    !collapse(mm, *cpu, &site, f.nid))
			return false;
		k->at += k->space == site.space ? huge_bytes(mm) : 0;
		*cpu = mm_resched(mm, *cpu);
	}
	return true;
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
