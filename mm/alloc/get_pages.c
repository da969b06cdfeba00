/* SPDX-License-Identifier: Apache-2.0 */
/* Pages by address: __get_free_pages() and its like of Linux 6.1 mm/page_alloc.c. */
#include "mm/alloc/get_pages.h"

#include <errno.h>
#include <inttypes.h>

#include "mm/internal.h"
#include "mm/vmalloc/kmap_state.h"
#include "mm/warn.h"

static unsigned order_of(const struct mm *mm, uint64_t bytes)
{
	unsigned order = 0;

	while (order <= MAX_PAGE_ORDER && UINT64_C(1) << (mm->arch->page_shift + order) < bytes)
		order++;
	return order;
}

static uint64_t pages_of(const struct mm *mm, uint64_t bytes)
{
	return (bytes + (UINT64_C(1) << mm->arch->page_shift) - 1) >> mm->arch->page_shift;
}

static int get_block(struct mm *mm, const struct mm_request *req, struct page **page,
		     uint64_t *address)
{
	struct mm_request low = *req;
	int err;

	low.gfp &= ~__GFP_HIGHMEM;
	err = mm_alloc_pages(mm, &low, page);
	if (!err)
		*address = mm_lowmem_address(mm, req->cpu, *page);
	return err;
}

int mm_get_free_pages(struct mm *mm, const struct mm_request *req, uint64_t *address)
{
	struct page *page;

	return get_block(mm, req, &page, address);
}

int mm_get_zeroed_page(struct mm *mm, const struct mm_request *req, uint64_t *address)
{
	struct mm_request one = *req;

	one.order = 0;
	one.gfp |= __GFP_ZERO;
	return mm_get_free_pages(mm, &one, address);
}

struct page *mm_virt_to_page(struct mm *mm, int cpu, uint64_t address)
{
	const struct mm_vm_range *direct = &mm->vm_map.direct;
	pfn_t pfn = (address - direct->start) >> mm->arch->page_shift;

	if (address < direct->start || address >= direct->end || !mm_pfn_valid(mm, pfn))
		return NULL;
	return mm_pfn_to_page(mm, cpu, pfn);
}

int mm_free_pages_at(struct mm *mm, int cpu, uint64_t address, unsigned order)
{
	struct page *page = address ? mm_virt_to_page(mm, cpu, address) : NULL;
	bool aligned = !(address & ((UINT64_C(1) << mm->arch->page_shift) - 1));

	if (!address || (page && aligned && !mm_free_pages(mm, cpu, page, order)))
		return 0;
	mm_warn(mm, "free_pages of 0x%" PRIx64 ": no block of order %u in use begins there",
		address, order);
	return -EINVAL;
}

int mm_alloc_pages_exact(struct mm *mm, const struct mm_request *req, uint64_t bytes,
			 uint64_t *address)
{
	struct mm_request block = *req;
	struct page *page;
	int err;

	block.order = order_of(mm, bytes);
	block.gfp &= ~__GFP_COMP;
	if (!bytes || block.order > MAX_PAGE_ORDER)
		return -EINVAL;
	err = get_block(mm, &block, &page, address);
	if (err || !block.order)
		return err;
	mm_split_page(mm, req->cpu, page, 0);
	for (uint64_t i = pages_of(mm, bytes); i >> block.order == 0; i++)
		mm_free_pages(mm, req->cpu, page + i, 0);
	return 0;
}

int mm_free_pages_exact(struct mm *mm, int cpu, uint64_t address, uint64_t bytes)
{
	int err = 0;

	for (uint64_t i = 0; i < pages_of(mm, bytes) && !err; i++)
		err = mm_free_pages_at(mm, cpu, address + (i << mm->arch->page_shift), 0);
	return err;
}
