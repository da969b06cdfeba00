/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What flags a descriptor shows, by what its frame is used for: as Linux 6.1 sets them. Node and
 * zone are above bit 22.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../mm_fixture.h"
#include "mm/page_info.h"
#include "mm/slab/slab.h"
#include "mm/user/user.h"

static const struct machine plain = {.model = MM_SPARSE_VMEMMAP, .memory = {{0, 256 * MiB, 0}}};

/* The names of the page's flags, joined by '|'. */
static const char *flags_of(struct mm *mm, pfn_t pfn, struct mm_page_info *info)
{
	static char text[256];

	text[0] = '\0';
	cr_assert_eq(mm_page_info(mm, pfn, info), 0);
	for (unsigned bit = 0; mm_page_flag_name(bit); bit++)
		if (info->flags >> bit & 1) {
			strcat(text, *text ? "|" : "");
			strcat(text, mm_page_flag_name(bit));
		}
	return text;
}

static void shows(struct mm *mm, const struct page *page, const char *flags)
{
	struct mm_page_info info;

	cr_expect_str_eq(flags_of(mm, pfn_of(mm, page), &info), flags);
}

Test(page_info, only_compound_pages_have_a_head)
{
	struct mm *mm = boot(&plain);
	struct page *plain_block = alloc(mm, 0, 2, GFP_KERNEL);
	struct page *compound = alloc(mm, 0, 2, GFP_KERNEL | __GFP_COMP);
	struct page *single = alloc(mm, 0, 0, GFP_KERNEL | __GFP_COMP);

	shows(mm, plain_block, "");
	shows(mm, compound, "head");
	shows(mm, compound + 1, "");
	shows(mm, single, "");
	/* What is compound no longer does not say so. */
	mm_free_pages(mm, 0, compound, 2);
	cr_assert_eq(alloc(mm, 0, 2, GFP_KERNEL), compound);
	shows(mm, compound, "");
	mm_destroy(mm);
}

/* 6.1 gives a large request whole pages, of a compound page that is no slab. */
Test(page_info, slabs_and_large_requests)
{
	const struct mm_slab_request req = {.gfp = GFP_KERNEL, .nid = MM_NO_NODE};
	struct mm *mm = boot(&plain);
	struct mm_page_info info;
	phys_addr_t small, large;

	cr_assert_eq(mm_slab_start(mm), 0);
	cr_assert_eq(mm_kmalloc(mm, 4096, &req, &small), 0);
	cr_assert_eq(mm_kmalloc(mm, 64 * KiB, &req, &large), 0);
	cr_assert_eq(mm_page_info(mm, small >> 12, &info), 0);
	cr_expect_str_eq(info.use, "in use");
	cr_expect_str_eq(info.slab, "kmalloc-4k");
	cr_expect_str_eq(flags_of(mm, info.head, &info), "slab|head");
	cr_expect_str_eq(flags_of(mm, large >> 12, &info), "head");
	cr_expect_str_eq(info.use, "kmalloc");
	cr_expect_null(info.slab);
	cr_expect_str_eq(flags_of(mm, (large >> 12) + 1, &info), "");
	cr_expect_str_eq(info.use, "kmalloc");
	mm_destroy(mm);
}

/* Touch `pages` pages of a new range: where the first of them is. */
static phys_addr_t touch(struct mm *mm, struct mm_space *space, const struct mm_mmap_args *args,
			 uint64_t *start)
{
	phys_addr_t first = 0, at;

	cr_assert_eq(mm_mmap(mm, 0, space, args, start), 0);
	for (uint64_t offset = 0; offset < args->bytes; offset += 4 * KiB) {
		cr_assert_geq(mm_user_access(mm, 0, space, *start + offset, true, &at), 0);
		first = offset ? first : at;
	}
	return first;
}

static const char *frame_flags(struct mm *mm, phys_addr_t at)
{
	struct mm_page_info info;

	return flags_of(mm, at >> 12, &info);
}

/*
 * Anonymous memory begins on the inactive list, once a batch of 15 pages is full; dirty is in its
 * page table entry. What is locked in memory goes to the unevictable list.
 */
Test(page_info, anonymous_memory)
{
	struct machine m = plain;
	struct mm_space *space;
	struct mm *mm;
	uint64_t start;
	phys_addr_t at;

	m.no_thp = true;
	mm = boot(&m);
	cr_assert_eq(mm_space_new(mm, 0, "a", NULL, &space), 0);
	at = touch(mm, space, &(struct mm_mmap_args){.bytes = 4 * KiB}, &start);
	cr_expect_str_eq(frame_flags(mm, at), "uptodate|swapbacked");
	touch(mm, space, &(struct mm_mmap_args){.bytes = 15 * 4 * KiB}, &start);
	cr_expect_str_eq(frame_flags(mm, at), "uptodate|lru|swapbacked");
	at = touch(mm, space, &(struct mm_mmap_args){.bytes = 16 * 4 * KiB}, &start);
	cr_assert_eq(mm_mlock(mm, 0, space, start, 16 * 4 * KiB, true), 0);
	cr_expect_str_eq(frame_flags(mm, at), "uptodate|lru|swapbacked|unevictable|mlocked");
	mm_space_exit(mm, 0, space);
	mm_destroy(mm);
}

/* A huge page is one on the list: its head has the flags, its other descriptors have none. */
Test(page_info, a_huge_page)
{
	struct mm *mm = boot(&plain);
	struct mm_space *space;
	uint64_t start;
	phys_addr_t at;

	cr_assert_eq(mm_space_new(mm, 0, "a", NULL, &space), 0);
	at = touch(mm, space, &(struct mm_mmap_args){.bytes = 2 * MiB}, &start);
	cr_expect_str_eq(frame_flags(mm, at), "uptodate|lru|head|swapbacked");
	cr_expect_str_eq(frame_flags(mm, at + 4 * KiB), "");
	mm_space_exit(mm, 0, space);
	mm_destroy(mm);
}

/* Read once it is referenced, written it is dirty: it is the file's, so the flag is in the page. */
Test(page_info, page_cache)
{
	struct mm *mm = boot(&plain);
	struct mm_space *space;
	struct mm_file *file;
	phys_addr_t at, first = 0;

	cr_assert_eq(mm_space_new(mm, 0, "a", NULL, &space), 0);
	file = mm_file_open(mm, "/data/f", false);
	for (uint64_t i = 0; i < 16; i++) {
		cr_assert_geq(mm_file_access(mm, 0, space, file, i, 0, i > 0, true, &at), 0);
		mm_file_used(mm, 0, file, i);
		first = i ? first : at;
	}
	cr_expect_str_eq(frame_flags(mm, first), "referenced|uptodate|lru");
	cr_assert_geq(mm_file_access(mm, 0, space, file, 1, 0, false, true, &at), 0);
	cr_expect_not_null(strstr(frame_flags(mm, at), "uptodate|dirty|lru"));
	mm_space_exit(mm, 0, space);
	mm_destroy(mm);
}
