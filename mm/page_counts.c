/* SPDX-License-Identifier: Apache-2.0 */
/* Counts pages in use by what they hold; page tables by walking those of all processes. */
#include "mm/page_counts.h"

#include "mm/internal.h"
#include "mm/reclaim/lru_lists.h"
#include "mm/user/user_state.h"

/* What a process or a file has: known by the entries that map it. */
static void count_user(const struct mm *mm, const struct page *page, uint64_t pages,
		       struct mm_page_counts *c)
{
	const struct mm_upage *up = mm_upage(mm, page);
	bool cached = (page->flags & PG_SWAPCACHE) || up->slot;

	if (up->kind == UP_ANON) {
		c->anon += up->mapcount ? pages : 0;
		c->swapcache += cached ? pages : 0;
		c->file += cached ? pages : 0;
		return;
	}
	c->file += pages;
	c->shmem += up->kind == UP_SHMEM ? pages : 0;
	c->mapped += up->mapcount ? pages : 0;
}

/* What a trace or a capture has: known by flags. What is on its way to swap is not mapped. */
static void count_owned(const struct page *page, uint64_t pages, struct mm_page_counts *c)
{
	bool cached = page->flags & PG_SWAPCACHE;

	if (!(page->flags & PG_SWAPBACKED)) {
		c->file += pages;
		c->mapped += page->flags & PG_MAPPED ? pages : 0;
	} else {
		c->anon += cached ? 0 : pages;
		c->swapcache += cached ? pages : 0;
		c->file += cached ? pages : 0;
	}
}

static void count_block(const struct mm *mm, const struct page *page, struct mm_page_counts *c)
{
	uint64_t pages = mm_page_pages(page);
	bool dirty_file = (page->flags & (PG_DIRTY | PG_SWAPBACKED)) == PG_DIRTY;

	if (!(page->flags & PG_PLACE_MASK) || page->unlisted || (page->flags & PG_DROPPED))
		return;
	c->mlocked += page->flags & PG_UNEVICTABLE ? pages : 0;
	c->write_pending += dirty_file ? pages : 0;
	c->write_pending += page->flags & PG_WRITEBACK ? pages : 0;
	if (page->user)
		count_user(mm, page, pages, c);
	else
		count_owned(page, pages, c);
}

/* The end of the extent that nobody has asked for since boot and that the frame is in; else 0. */
static pfn_t pristine_end(const struct mm_zone *zone, pfn_t pfn)
{
	for (size_t i = zone->next_pristine; i < zone->nr_pristine; i++)
		if (pfn >= zone->pristine[i].start && pfn < zone->pristine[i].end)
			return zone->pristine[i].end;
	return 0;
}

static void count_region(struct mm *mm, const struct mm_zone *zone, pfn_t pfn, pfn_t end,
			 struct mm_page_counts *c)
{
	while (pfn < end) {
		pfn_t beyond = pristine_end(zone, pfn);
		const struct page *page;

		if (beyond) {
			pfn = beyond;
			continue;
		}
		page = mm->model->pfn_to_page(mm, MM_NO_CPU, pfn);
		if (!(page->flags & PG_STATE_MASK) && page->refcount <= 0) {
			pfn++;
			continue;
		}
		if (!(page->flags & (PG_BUDDY | PG_PCP)))
			count_block(mm, page, c);
		pfn += mm_page_pages(page);
	}
}

/* Is any page followed by reclaim? If not, there is nothing to be found. */
static bool has_followed(const struct mm *mm, const struct mm_zone *zone)
{
	const struct mm_node *node = &mm->nodes[zone->nid];

	for (int l = 0; l < MM_NR_LRU; l++)
		if (zone->nr_lru[l])
			return true;
	for (int cpu = 0; cpu < mm->nr_cpus; cpu++)
		if (mm->lru_batches[cpu].nr)
			return true;
	return node->nr_isolated[0] || node->nr_isolated[1];
}

static bool is_in(const struct mm *mm, const struct page *page, const struct mm_zone *zone)
{
	return mm_page_zone(mm, page) == zone;
}

/* Tables below it, and laid aside in it: those of entries for pages and huge pages, never the
 * topmost. */
static uint64_t count_tables(const struct mm *mm, const struct mm_utable *table,
			     const struct mm_zone *zone)
{
	uint64_t nr = 0;

	for (const struct mm_utable *d = table->deposit; d; d = d->next)
		nr += is_in(mm, d->page, zone);
	for (unsigned i = 0; i < table->nr; i++)
		if (e_kind(table->entries[i]) == E_TABLE) {
			const struct mm_utable *below = e_pointer(table->entries[i]);

			nr += below->shift <= mm_huge_shift(mm) && is_in(mm, below->page, zone);
			nr += count_tables(mm, below, zone);
		}
	return nr;
}

void mm_page_counts(const struct mm *mm, int nid, int index, struct mm_page_counts *counts)
{
	const struct mm_zone *zone = &mm->nodes[nid].zones[index];
	const struct memblock_list *memory = &mm->memblock.memory;
	unsigned shift = mm->arch->page_shift;

	*counts = (struct mm_page_counts){0};
	for (size_t i = 0; i < memory->nr && has_followed(mm, zone); i++) {
		pfn_t start = memory->regions[i].start >> shift;
		pfn_t end = memory->regions[i].end >> shift;

		if (memory->regions[i].nid != nid ||
		    !mm_zone_takes(mm, zone, memory->regions[i].flags))
			continue;
		start = start > zone->start_pfn ? start : zone->start_pfn;
		end = end < zone->start_pfn + zone->spanned ? end : zone->start_pfn + zone->spanned;
		count_region((struct mm *)mm, zone, start, end, counts);
	}
	for (const struct mm_space *s = mm->user ? mm->user->spaces : NULL; s; s = s->next)
		if (s->root)
			counts->tables += count_tables(mm, s->root, zone);
}
