/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fault on anonymous memory, in the order in which Linux 6.1 allocates (mm/memory.c,
 * mm/huge_memory.c), as its traces show: the huge page, then the table that is laid aside for it,
 * then it is zeroed; or, once that has failed, the table and then the page. A huge page is tried
 * only while there is no table.
 *
 * The caller owns ranges; what is in them belongs to the task whose memory it is.
 */
#include "mm/user/fault.h"

#include <errno.h>
#include <stdlib.h>

#include "mm/gfp.h"
#include "mm/huge/hugetlb.h"
#include "mm/huge/thp.h"
#include "mm/internal.h"

#define FAULT_GFP (GFP_HIGHUSER_MOVABLE | __GFP_COMP | __GFP_ZERO)

static uint32_t index_in_range(const struct mm *mm, uint32_t offset)
{
	return offset & ((UINT32_C(1) << mm_hugetlb_order(mm)) - 1);
}

static bool add_table(struct mm *mm, const struct mm_fault *f, struct mm_fault_range *range,
		      bool *tables)
{
	const struct mm_request req = {.cpu = f->cpu, .gfp = MM_PAGE_TABLE_GFP};

	*tables = true;
	if (!mm_alloc_pages_policy(mm, &req, &f->tables, &range->table))
		return true;
	range->table = NULL;
	return false;
}

/* A huge page is zeroed page by page. */
static void clear_huge(struct mm *mm, int cpu, const struct page *page)
{
	uint64_t nr_pages = UINT64_C(1) << mm_hugetlb_order(mm);

	mm_work(mm, cpu, MM_SITE_ZERO, (uint32_t)nr_pages);
	mm_touch(mm, cpu, mm_page_address(mm, page), nr_pages << mm->arch->page_shift, MM_ZERO);
}

static struct mm_node *node_of(struct mm *mm, const struct page *page)
{
	return &mm->nodes[mm_page_to_nid(mm, page)];
}

/* MM_FAULT_FALLBACK where there is no huge page, but perhaps a single one. */
static enum mm_fault_result try_huge(struct mm *mm, const struct mm_fault *f,
				     struct mm_fault_range *range, bool *tables)
{
	unsigned order = mm_hugetlb_order(mm);
	const struct mm_request req = {
		.cpu = f->cpu, .order = order, .gfp = mm_thp_gfp(mm, f->advised)};
	const struct mm_policy_use use = {
		.policy = f->policy, .turn = f->offset >> order, .huge = true};
	struct page *page;

	if (mm_alloc_pages_policy(mm, &req, &use, &page)) {
		mm_count(mm, MM_VM_THP_FAULT_FALLBACK, 1);
		return MM_FAULT_FALLBACK;
	}
	if (!add_table(mm, f, range, tables)) {
		mm_free_pages(mm, f->cpu, page, order);
		return MM_FAULT_OOM;
	}
	clear_huge(mm, f->cpu, page);
	range->huge = page;
	node_of(mm, page)->nr_anon_huge++;
	mm_count(mm, MM_VM_THP_FAULT_ALLOC, 1);
	return MM_FAULT_HUGE;
}

static enum mm_fault_result add_page(struct mm *mm, const struct mm_fault *f,
				     struct mm_fault_range *range, bool *tables)
{
	const struct mm_request req = {.cpu = f->cpu, .gfp = FAULT_GFP};
	const struct mm_policy_use use = {.policy = f->policy, .turn = f->offset};
	struct page **slot = &range->pages[index_in_range(mm, f->offset)];

	if (!range->table && !add_table(mm, f, range, tables))
		return MM_FAULT_OOM;
	if (mm_alloc_pages_policy(mm, &req, &use, slot)) {
		*slot = NULL;
		return MM_FAULT_OOM;
	}
	return MM_FAULT_SMALL;
}

/* A page of the pool; without one the task gets SIGBUS. */
static enum mm_fault_result add_pools(struct mm *mm, const struct mm_fault *f,
				      struct mm_fault_range *range)
{
	const struct mm_policy_use use = {.policy = f->policy,
					  .turn = f->offset >> mm_hugetlb_order(mm)};
	struct page *page;

	if (mm_hugetlb_alloc(mm, f->cpu, &use, f->reserved, &page))
		return MM_FAULT_OOM;
	clear_huge(mm, f->cpu, page);
	range->huge = page;
	range->hugetlb = true;
	return MM_FAULT_HUGE;
}

int mm_fault(struct mm *mm, const struct mm_fault *f, struct mm_fault_range *range, bool *tables)
{
	enum mm_fault_result result = MM_FAULT_SMALL, small;
	uint32_t index;

	*tables = false;
	if (mm_fault_page(mm, range, f->offset, &index))
		return MM_FAULT_PRESENT;
	mm_count(mm, MM_VM_PGFAULT, 1);
	if (f->hugetlb)
		return (int)add_pools(mm, f, range);
	if (!range->table && f->whole && mm_thp_wanted(mm, f->advised))
		result = try_huge(mm, f, range, tables);
	if (result == MM_FAULT_HUGE || result == MM_FAULT_OOM)
		return (int)result;
	if (!range->pages)
		range->pages = calloc((size_t)1 << mm_hugetlb_order(mm), sizeof(*range->pages));
	if (!range->pages)
		return -ENOMEM;
	small = add_page(mm, f, range, tables);
	return (int)(small == MM_FAULT_SMALL ? result : small);
}

struct page *mm_fault_page(const struct mm *mm, const struct mm_fault_range *range, uint32_t offset,
			   uint32_t *index)
{
	uint32_t at = index_in_range(mm, offset);

	*index = range->huge ? at : 0;
	if (range->huge)
		return range->huge;
	return range->pages ? range->pages[at] : NULL;
}

/* The table that was laid aside goes before its huge page, one that maps pages after them. */
static uint64_t unmap_huge(struct mm *mm, int cpu, struct mm_fault_range *range)
{
	if (range->hugetlb) {
		mm_hugetlb_free(mm, cpu, range->huge);
		return 1;
	}
	node_of(mm, range->huge)->nr_anon_huge--;
	mm_free_pages(mm, cpu, range->table, 0);
	mm_free_pages(mm, cpu, range->huge, mm_hugetlb_order(mm));
	return 2;
}

static uint64_t unmap_table(struct mm *mm, int cpu, struct mm_fault_range *range)
{
	uint64_t freed = 0;

	for (uint32_t i = 0; range->pages && i >> mm_hugetlb_order(mm) == 0; i++)
		if (range->pages[i]) {
			mm_free_pages(mm, cpu, range->pages[i], 0);
			freed++;
		}
	if (range->table) {
		mm_free_pages(mm, cpu, range->table, 0);
		freed++;
	}
	return freed;
}

uint64_t mm_fault_unmap(struct mm *mm, int cpu, struct mm_fault_range *range)
{
	uint64_t freed = range->huge ? unmap_huge(mm, cpu, range) : unmap_table(mm, cpu, range);

	free(range->pages);
	*range = (struct mm_fault_range){0};
	return freed;
}
