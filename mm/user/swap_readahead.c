/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Swap readahead: with a page that is wanted back, those beside it in the range that are in swap,
 * too, as many as were of use before. Follows Linux 6.1 mm/swap_state.c (swap_vma_readahead(),
 * __swapin_nr_pages()), which does so on a disk that does not rotate.
 *
 * The pages are one request, and all of them are waited for; they are in the swap cache from the
 * end of it. Not there: readahead by places in swap (tmpfs, disks that rotate).
 */
#include <errno.h>

#include "mm/reclaim/lru_lists.h"
#include "mm/reclaim/swap.h"
#include "mm/reclaim/vmscan.h"
#include "mm/user/user_state.h"

#define CLUSTER_MOST 5                    /* SWAP_RA_ORDER_CEILING */
#define WINDOW_MOST  (1u << CLUSTER_MOST) /* pages */
#define HITS_FIRST   4                    /* of a range without a history */
#define HITS_MOST    63                   /* SWAP_RA_HITS_MAX: 6 bits, with 4 KiB pages */

struct window {
	uint64_t first, nr; /* pages, by address */
};

static uint64_t most_pages(const struct mm *mm)
{
	uint64_t cluster = mm->params.page_cluster;

	return UINT64_C(1) << (cluster < CLUSTER_MOST ? cluster : CLUSTER_MOST);
}

/* __swapin_nr_pages(): twice as many as were of use, and no less than half of the last window. */
static uint64_t window_size(const struct mm_swap_ra *ra, uint64_t vpn, uint64_t most)
{
	uint64_t size = 4;

	if (!ra->hits) {
		size = vpn == ra->vpn + 1 || vpn + 1 == ra->vpn ? 2 : 1;
	} else {
		while (size < ra->hits + 2)
			size *= 2;
	}
	if (size > most)
		size = most;
	return size < ra->window / 2 ? ra->window / 2 : size;
}

/* Ahead where the last fault was beside it, else around; within the range and the page table. */
static struct window next_window(const struct mm *mm, struct mm_vma *vma, uint64_t vpn)
{
	struct mm_swap_ra *ra = &vma->swap_ra, last = *ra;
	uint64_t table = UINT64_C(1) << mm->vm_map.table_shift, most = most_pages(mm);
	uint64_t low = vpn & ~(table - 1), high = low + table;
	uint64_t start = vma->start >> mm_user_shift(mm), end = vma->end >> mm_user_shift(mm);
	uint64_t first = vpn, size;

	if (most == 1)
		return (struct window){vpn, 1};
	if (!last.known)
		last.hits = HITS_FIRST;
	size = window_size(&last, vpn, most);
	*ra = (struct mm_swap_ra){.vpn = vpn, .window = size, .known = true};
	low = low > start ? low : start;
	high = high < end ? high : end;
	if (vpn + 1 == last.vpn)
		first = vpn - (size - 1);
	else if (vpn != last.vpn + 1)
		first = vpn - (size - 1) / 2;
	/* Below zero it is large. */
	if (first > vpn || first < low) {
		size -= low - first;
		first = low;
	}
	if (first + size > high)
		size = high - first;
	return (struct window){first, size};
}

struct wanted {
	struct mm_slot *slot; /* that we refer to, too */
	struct page *page;
	uint64_t vpn;
};

/* A place in swap that nobody has read yet, and a page for it: 1. -ENOMEM: there is no page. */
static int begin(struct mm *mm, int cpu, struct mm_space *space, struct mm_vma *vma,
		 struct wanted *w)
{
	uint64_t at = w->vpn << mm_user_shift(mm);
	struct mm_utable *table;
	uint64_t entry = *mm_user_entry(space, at, &table);

	w->slot = e_pointer(entry);
	if (e_kind(entry) != E_SWAP || w->slot->page)
		return 0;
	w->page = mm_user_take_page(mm, cpu, space, vma, at, GFP_USER_FOLIO);
	if (!w->page)
		return -ENOMEM;
	/* That took time. */
	if (*mm_user_entry(space, at, &table) != entry || w->slot->page) {
		mm_free_pages(mm, cpu, w->page, 0);
		return 0;
	}
	w->slot->refs++;
	return 1;
}

/* It was read. Others may have done so meanwhile, or have no use for it any more. */
static void end(struct mm *mm, int cpu, struct mm_space *space, const struct wanted *w, bool ahead)
{
	struct mm_slot *slot = w->slot;

	if (slot->page || slot->refs == 1 ||
	    mm_upage_add(mm, w->page, UP_ANON, space->family, w->vpn)) {
		mm_free_pages(mm, cpu, w->page, 0);
	} else {
		w->page->flags |= ahead ? PG_RECLAIM : 0;
		mm_count(mm, cpu, MM_VM_SWAP_RA, ahead);
		mm_slot_cache(mm, cpu, slot, w->page);
		mm_refault(mm, cpu, w->page, MM_PAGE_ANON, slot->shadow);
		mm_lru_add(mm, cpu, w->page, MM_PAGE_ANON);
	}
	mm_slot_put(mm, cpu, slot);
}

int mm_swap_readahead(struct mm *mm, int cpu, struct mm_space *space, struct mm_vma *vma,
		      uint64_t address)
{
	uint64_t vpn = address >> mm_user_shift(mm);
	struct window window = next_window(mm, vma, vpn);
	struct wanted wanted[WINDOW_MOST];
	unsigned nr = 0;
	int err = 0;

	for (uint64_t i = 0; i < window.nr; i++) {
		int began;

		wanted[nr].vpn = window.first + i;
		began = begin(mm, cpu, space, vma, &wanted[nr]);
		if (began < 0 && wanted[nr].vpn == vpn)
			err = began;
		nr += began > 0;
	}
	if (nr)
		mm_swap_read(mm, cpu, nr);
	for (unsigned i = 0; i < nr; i++)
		end(mm, cpu, space, &wanted[i], wanted[i].vpn != vpn);
	if (nr)
		mm_lru_drain(mm, cpu);
	return err;
}

void mm_swap_found(struct mm *mm, int cpu, struct mm_vma *vma, uint64_t address, struct page *page)
{
	struct mm_swap_ra *ra = &vma->swap_ra;
	bool ahead = page->flags & PG_RECLAIM;

	/* Of huge pages the bit is that of reclaim only. */
	if (page->order)
		return;
	page->flags &= ~(uint64_t)PG_RECLAIM;
	if (!ra->known)
		ra->hits = HITS_FIRST;
	if (ahead && ra->hits < HITS_MOST)
		ra->hits++;
	ra->vpn = address >> mm_user_shift(mm);
	ra->known = true;
	mm_count(mm, cpu, MM_VM_SWAP_RA_HIT, ahead);
}
