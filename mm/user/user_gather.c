/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unmapping a range: entries are cleared and pages gathered, the TLBs flushed once for a batch, the
 * pages taken off their LRU lists under as few locks as they have nodes, and freed. A batch is what
 * fits a page of pointers, as Linux 6.1's struct mmu_gather_batch; where Linux strings up to 20 of
 * them before it flushes, here each is flushed. Others may run after each.
 */
#include "mm/huge/hugetlb.h"
#include "mm/reclaim/lru_lists.h"
#include "mm/user/user_state.h"

#define GATHER_MOST 510 /* (4096 - the batch's header of 16) / 8 */

struct gather {
	struct mm_space *space;
	struct page *pages[GATHER_MOST];
	unsigned nr;
	uint64_t flushed;    /* entries cleared since the last flush, */
	uint64_t start, end; /* in that range */
};

/* Those of one node that come one after the other go with one lock (release_pages()). */
static void off_lists(struct mm *mm, int cpu, struct gather *g)
{
	struct mm_node *locked = NULL;

	for (unsigned i = 0; i < g->nr; i++) {
		struct page *page = g->pages[i];
		struct mm_node *node = mm_page_node(mm, page);

		if (!(page->flags & PG_ON_LRU))
			continue;
		if (locked != node) {
			if (locked)
				mm_lru_unlock(mm, cpu, locked);
			mm_lru_lock(mm, cpu, node);
			locked = node;
		}
		if (!(page->flags & PG_ON_LRU))
			continue;
		mm_work(mm, cpu, MM_SITE_LRU_DEL, 1);
		mm_lru_unlink(mm, cpu, page);
	}
	if (locked)
		mm_lru_unlock(mm, cpu, locked);
}

static void flush(struct mm *mm, int cpu, struct gather *g)
{
	mm_user_flush(mm, cpu, g->space, g->start, g->end, g->flushed);
	g->flushed = 0;
	g->start = g->end;
	off_lists(mm, cpu, g);
	mm_free_gathered(mm, cpu, g->pages, g->nr);
	g->nr = 0;
	mm_resched(mm, cpu);
}

static void drop_page(struct mm *mm, int cpu, struct gather *g, struct page *head, bool locked)
{
	struct mm_upage *up = mm_upage(mm, head);

	g->flushed++;
	if (mm_user_unmap(mm, cpu, head, locked)) {
		/* Whoever reclaims it just now frees it otherwise. */
		if (mm_drop_page(mm, head))
			g->pages[g->nr++] = head;
	} else if (locked && !up->locked) {
		mm_page_lock_in(mm, cpu, head, false);
	}
}

/* A part of a huge page goes, perhaps. */
static void drop_part(struct mm *mm, int cpu, struct gather *g, struct page *page, bool locked)
{
	struct page *head = mm_user_head(mm, page);

	drop_page(mm, cpu, g, head, locked);
	mm_user_defer(mm, cpu, head, page);
}

/* A huge page, and the table that was laid aside for it. */
static void zap_huge(struct mm *mm, int cpu, struct gather *g, const struct mm_vma *vma,
		     struct mm_utable *table, uint64_t *entry)
{
	struct page *head = e_pointer(*entry);
	struct mm_utable *leaf;

	mm_user_set(mm, cpu, table, entry, E_NONE);
	if (vma->hugetlb) {
		g->flushed++;
		mm_hugetlb_free(mm, cpu, head);
		return;
	}
	leaf = mm_utable_withdraw(table);
	drop_page(mm, cpu, g, head, vma->locked);
	if (leaf)
		mm_utable_free(mm, cpu, g->space, leaf);
}

static void zap_entry(struct mm *mm, int cpu, struct gather *g, const struct mm_vma *vma,
		      struct mm_utable *table, uint64_t *entry)
{
	uint64_t old = *entry;

	mm_user_set(mm, cpu, table, entry, E_NONE);
	if (e_kind(old) == E_SWAP)
		mm_slot_put(mm, cpu, e_pointer(old));
	else if (e_kind(old) == E_PAGE)
		drop_part(mm, cpu, g, e_pointer(old), vma->locked);
	else
		g->flushed++;
}

void mm_user_zap(struct mm *mm, int cpu, struct mm_space *space, const struct mm_vma *vma,
		 uint64_t start, uint64_t end)
{
	struct gather g = {.space = space, .start = start};

	for (uint64_t at = start; at < end;) {
		struct mm_utable *table;
		uint64_t *entry = mm_user_entry(space, at, &table);

		at = (at | ((UINT64_C(1) << table->shift) - 1)) + 1;
		g.end = at;
		if (e_kind(*entry) == E_NONE)
			continue;
		if (table->shift == mm_user_shift(mm))
			zap_entry(mm, cpu, &g, vma, table, entry);
		else
			zap_huge(mm, cpu, &g, vma, table, entry);
		if (g.nr == GATHER_MOST)
			flush(mm, cpu, &g);
	}
	flush(mm, cpu, &g);
}
