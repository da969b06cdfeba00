/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has a frame: what boot reserved it for, which cache's slab it is, whose page descriptors are
 * in it, or what kind of memory it is. For messages: it looks through all there is.
 */
#include <stdio.h>

#include "mm/alloc/pageblock.h"
#include "mm/hotplug/hotplug_state.h"
#include "mm/huge/huge_pool.h"
#include "mm/slab/slub.h"

static const char *const type_names[MM_NR_MIGRATETYPES] = {
	[MM_UNMOVABLE] = "unmovable",   [MM_MOVABLE] = "movable", [MM_RECLAIMABLE] = "reclaimable",
	[MM_HIGHATOMIC] = "highatomic", [MM_CMA] = "CMA",         [MM_ISOLATE] = "isolated",
};

static const char *const holds_names[MM_NR_HOLDS] = {
	[MM_HOLDS_OTHER] = "the kernel's image or the firmware",
	[MM_HOLDS_MEMMAP] = "page descriptors",
	[MM_HOLDS_NODE_DESCRIPTOR] = "a node descriptor",
	[MM_HOLDS_PER_CPU] = "per-CPU areas",
	[MM_HOLDS_SECTION_TABLE] = "the section table",
	[MM_HOLDS_PAGE_TABLES] = "page tables",
	[MM_HOLDS_ALLOCATED] = "the kernel's first allocations",
};

static bool in_memmap(const struct mm *mm, phys_addr_t at, pfn_t *number)
{
	const struct mm_sections *s = mm->model->sections((struct mm *)mm);
	uint64_t bytes = ((uint64_t)mm->arch->page_struct_bytes) << s->pfn_shift;

	for (pfn_t i = 0; i < s->nr; i++) {
		const struct mm_section *section = &s->sections[i];
		const struct mm_hot_section *hot = section->hot;

		*number = s->first + i;
		if (!section->present)
			continue;
		if (!hot || !hot->pages || hot->nr_pages == 1) {
			if (at >= section->at && at - section->at < bytes)
				return true;
			continue;
		}
		for (unsigned p = 0; p < hot->nr_pages; p++)
			if (hot->pages[p] && mm_page_address((struct mm *)mm, hot->pages[p]) == at)
				return true;
	}
	return false;
}

/* Reserved at boot, and for what. */
static void reserved_text(const struct mm *mm, phys_addr_t at, char *text, size_t size)
{
	enum mm_holds holds = MM_NR_HOLDS;

	for (size_t i = 0; i < mm->nr_homes; i++)
		if (at >= mm->homes[i].start && at < mm->homes[i].end)
			holds = mm->homes[i].holds;
	if (holds != MM_NR_HOLDS)
		snprintf(text, size, "reserved at boot, type reserved: %s", holds_names[holds]);
	else
		snprintf(text, size, "reserved at boot, type reserved: the kernel's own");
}

const struct page *mm_block_in_use(const struct mm *mm, pfn_t *pfn)
{
	for (unsigned order = 0; order <= MAX_PAGE_ORDER; order++) {
		pfn_t head = *pfn >> order << order;
		const struct page *page;

		if (!mm_pfn_valid(mm, head))
			break;
		page = mm->model->pfn_to_page((struct mm *)mm, MM_NO_CPU, head);
		if (page->refcount && head + (UINT64_C(1) << page->order) > *pfn) {
			*pfn = head;
			return page;
		}
	}
	if (mm_hugetlb_head(mm, *pfn)) {
		*pfn = *pfn >> mm->arch->gigantic_order << mm->arch->gigantic_order;
		return mm_hugetlb_head(mm, *pfn);
	}
	return mm->model->pfn_to_page((struct mm *)mm, MM_NO_CPU, *pfn);
}

static void user_text(const struct mm *mm, const struct page *page, char *text, size_t size)
{
	const char *why = "nobody could be told where it went";

	if (page->flags & PG_WRITEBACK)
		why = "it is being written to its disk";
	else if (page->locked)
		why = "it is being read from its disk";
	else if (page->flags & PG_ISOLATED)
		why = "reclaim or compaction has it";
	else if (page->refcount != 1)
		why = "somebody has another reference";
	else if ((page->flags & PG_HELD) ||
		 (mm->ops.moved && (!mm->ops.may_move || mm->ops.may_move(mm->ctx, page))))
		why = "there is no free memory for it elsewhere";
	snprintf(text, size, "user memory, type %s, order %u: %s", type_names[page->migratetype],
		 page->order, why);
}

static void slab_text(const struct mm *mm, pfn_t pfn, const struct page *page, char *text,
		      size_t size)
{
	const struct mm_slab *slab = mm_slab_of(mm, pfn << mm->arch->page_shift);

	if (slab && slab->cache)
		snprintf(text, size, "a slab of '%s', type %s, order %u", slab->cache->name,
			 type_names[page->migratetype], page->order);
	else
		snprintf(text, size, "memory of kmalloc(), type %s, order %u",
			 type_names[page->migratetype], page->order);
}

void mm_holder_text(const struct mm *mm, pfn_t pfn, char *text, size_t size)
{
	phys_addr_t at = pfn << mm->arch->page_shift;
	const struct page *page;
	pfn_t head = pfn, section;

	if (!mm_zone_of_pfn(mm, pfn)) {
		snprintf(text, size, "it is no memory");
		return;
	}
	page = mm_block_in_use(mm, &head);
	if (mm_pageblock_type(mm, mm_zone_of_pfn(mm, pfn), pfn) == MM_CMA && !page->refcount)
		snprintf(text, size, "its page block is of the area for devices, type CMA");
	else if (page->refcount && in_memmap(mm, head << mm->arch->page_shift, &section))
		snprintf(text, size, "page descriptors of section %llu, type %s, order %u",
			 (unsigned long long)section, type_names[page->migratetype], page->order);
	else if (!page->refcount && in_memmap(mm, at, &section))
		snprintf(text, size,
			 "reserved at boot, type reserved: page descriptors of section %llu",
			 (unsigned long long)section);
	else if (page->refcount && page->slab)
		slab_text(mm, head, page, text, size);
	else if (page->flags & PG_HUGETLB)
		snprintf(text, size, "a huge page of the pool, type movable, order %u",
			 page->order);
	else if (page->refcount && (page->flags & PG_LRU))
		user_text(mm, page, text, size);
	else if (page->refcount && (page->flags & PG_HELD))
		snprintf(text, size,
			 "in use since before the start, type %s, order %u, by the kernel or "
			 "somebody who is not known",
			 type_names[page->migratetype], page->order);
	else if (page->refcount)
		snprintf(text, size, "kernel memory, type %s, order %u",
			 type_names[page->migratetype], page->order);
	else
		reserved_text(mm, at, text, size);
}
