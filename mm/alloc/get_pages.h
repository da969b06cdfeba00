/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages by their address in the direct mapping, as much kernel code asks for them. High memory has
 * no such address: these never give it.
 */
#ifndef MM_GET_PAGES_H
#define MM_GET_PAGES_H

#include "mm/mm.h"

/**
 * __get_free_pages(): mm_alloc_pages() without __GFP_HIGHMEM. Returns what it does, and *address.
 * Simulated time may pass. Free with mm_free_pages_at().
 */
int mm_get_free_pages(struct mm *mm, const struct mm_request *req, uint64_t *address);
/** get_zeroed_page(): one page, zeroed. req->order is not read. */
int mm_get_zeroed_page(struct mm *mm, const struct mm_request *req, uint64_t *address);
/**
 * free_pages(): 0 is no address and is fine. Returns 0; -EINVAL with a warning (warn.h) where no
 * block of that order in use begins there.
 */
int mm_free_pages_at(struct mm *mm, int cpu, uint64_t address, unsigned order);

/**
 * alloc_pages_exact(): contiguous pages for `bytes` and no more; what is too much of the block is
 * free again. req->order is not read. Returns 0 and *address; -EINVAL beyond the largest block or
 * for nothing; -ENOMEM. Free with mm_free_pages_exact(), and the same `bytes`.
 */
int mm_alloc_pages_exact(struct mm *mm, const struct mm_request *req, uint64_t bytes,
			 uint64_t *address);
/** Returns 0; -EINVAL with a warning at the first page that is none in use. */
int mm_free_pages_exact(struct mm *mm, int cpu, uint64_t address, uint64_t bytes);

/** virt_to_page(): of an address of the direct mapping; NULL where there is no page. */
struct page *mm_virt_to_page(struct mm *mm, int cpu, uint64_t address);

#endif
