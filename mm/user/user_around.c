/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fault-around: a load of a mapped file maps, with the page that it is of, those around it that are
 * in memory and can be read, up to fault_around_bytes of them, at the price of their entries only.
 * Nothing is read for it. Follows do_fault_around() of Linux 6.1 mm/memory.c and
 * filemap_map_pages() of mm/filemap.c: pages that a disk still fills are left out, and so are those
 * marked for readahead, whose own fault is to have the next ones read.
 */
#include "mm/reclaim/lru_lists.h"
#include "mm/user/user_readahead.h"

/* Page numbers of addresses; [first, end) are within one range and one table. */
struct window {
	uint64_t first, end;
};

/*
 * Aligned to its size; where it would begin before the range it begins with that, and is as long.
 * It ends with the range or the table at the latest.
 */
static struct window window_of(const struct mm *mm, const struct mm_vma *vma,
			       const struct mm_utable *table, uint64_t address)
{
	unsigned shift = mm_user_shift(mm);
	uint64_t pages = mm->params.fault_around_bytes >> shift, at = address >> shift;
	struct window w = {.first = at & ~(pages - 1)};
	uint64_t table_end = (at | (table->nr - 1)) + 1;

	if (w.first < vma->start >> shift)
		w.first = vma->start >> shift;
	w.end = w.first + pages;
	if (w.end > vma->end >> shift)
		w.end = vma->end >> shift;
	if (w.end > table_end)
		w.end = table_end;
	return w;
}

/* The page of the file that could be mapped at once; NULL: none. */
static struct page *mappable(const struct mm_file *file, uint64_t index)
{
	struct page *page;

	if (index >= file->nr || e_kind(file->entries[index]) != E_PAGE)
		return NULL;
	page = e_pointer(file->entries[index]);
	return page->locked || (page->flags & PG_RECLAIM) ? NULL : page;
}

static void map_one(struct mm *mm, int cpu, const struct mm_vma *vma, struct mm_utable *table,
		    uint64_t *entry, struct page *page)
{
	/* x86 makes entries young that nobody has used yet; arm64 leaves that to its hardware. */
	uint64_t young = mm->arch->id == MM_ARM64 ? 0 : PG_YOUNG;

	mm_user_map(mm, cpu, page, vma->locked);
	mm_page_account(mm, cpu, page, page->flags | PG_MAPPED | young);
	mm_user_set(mm, cpu, table, entry,
		    e_make(page, E_PAGE | (mm_user_maps_writable(vma, false) ? E_WRITE : 0)));
}

/* Pages that were there are as many misses less. */
static void note_hits(const struct mm_space *space, struct mm_file *file, uint64_t hits)
{
	struct mm_ra *ra = hits && !file->tmpfs ? mm_ra_of(file, space) : NULL;

	if (ra)
		ra->mmap_misses -= hits < ra->mmap_misses ? (unsigned)hits : ra->mmap_misses;
}

uint64_t mm_user_map_around(struct mm *mm, int cpu, const struct mm_space *space,
			    const struct mm_vma *vma, struct mm_utable *table, uint64_t address)
{
	uint64_t start = vma->start >> mm_user_shift(mm), nr = 0, hits = 0;
	struct window w = window_of(mm, vma, table, address);

	for (uint64_t at = w.first; at < w.end; at++) {
		struct page *page = mappable(vma->file, vma->pgoff + (at - start));
		uint64_t *entry = &table->entries[at & (table->nr - 1)];

		hits += page ? 1 : 0;
		if (!page || *entry != E_NONE)
			continue;
		if (!nr++) {
			mm_work(mm, cpu, MM_SITE_LOCK, 1);
			mm_touch_page(mm, cpu, table->page, MM_WRITE);
		}
		map_one(mm, cpu, vma, table, entry, page);
		if (vma->locked)
			mm_page_lock_in(mm, cpu, page, true);
	}
	note_hits(space, vma->file, hits);
	return nr;
}
