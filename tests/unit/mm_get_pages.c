/* SPDX-License-Identifier: Apache-2.0 */
/* Pages by their address: what comes, what goes back, what is refused. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../mm_fixture.h"
#include "mm/alloc/get_pages.h"
#include "mm/vmalloc/kmap.h"
#include "mm/warn.h"

#define PAGE (4 * KiB)

static const struct machine one = {.model = MM_SPARSE_VMEMMAP, .memory = {{0, 64 * MiB, 0}}};
static const struct machine pae = {.arch = MM_I386, .memory = {{MiB, GiB - MiB, 0}}};

static struct mm_request of(unsigned order, gfp_t gfp)
{
	return (struct mm_request){.nid = MM_NO_NODE, .order = order, .gfp = gfp};
}

/* Even where high memory is allowed: it has no address. */
Test(get_pages, never_high_memory)
{
	struct mm_request req = of(1, GFP_HIGHUSER);
	struct mm *mm = boot(&pae);
	uint64_t at;

	cr_assert_eq(mm_get_free_pages(mm, &req, &at), 0);
	cr_expect(at >= 0xc0000000 && at < 0xf6ffe000);
	cr_expect(!mm_page_high(mm, mm_virt_to_page(mm, 0, at)));
	cr_expect_null(mm_virt_to_page(mm, 0, 0xf6ffe000), "beyond the direct mapping");
	cr_expect_eq(mm_free_pages_at(mm, 0, at, 1), 0);
	must_verify(mm, "freed");
	mm_destroy(mm);
}

Test(get_pages, a_zeroed_page)
{
	struct mm_request req = of(3, GFP_KERNEL);
	struct recorder rec;
	struct mm *mm = boot_recorded(&one, &rec);
	uint64_t at;

	cr_assert_eq(mm_get_zeroed_page(mm, &req, &at), 0);
	cr_expect_eq(count_work(&rec, MM_SITE_ZERO), 1, "of order 0, whatever the request says");
	cr_expect_eq(mm_free_pages_at(mm, 0, at, 0), 0);
	mm_destroy(mm);
	free(rec.records);
}

/* 5 pages of a block of 8: three are free again, and go back one by one. */
Test(get_pages, exactly_so_many)
{
	struct mm_request req = of(0, GFP_KERNEL);
	struct mm *mm = boot(&one);
	struct mm_counters c;
	uint64_t at;

	cr_assert_eq(mm_alloc_pages_exact(mm, &req, 5 * PAGE - 100, &at), 0);
	mm_counters(mm, &c);
	cr_expect_eq(c.allocs + c.parts - c.frees, 5);
	must_verify(mm, "exact");
	cr_expect_eq(mm_free_pages_at(mm, 0, at, 3), -EINVAL, "no block any more");
	cr_expect_eq(mm_free_pages_exact(mm, 0, at, 5 * PAGE - 100), 0);
	mm_counters(mm, &c);
	cr_expect_eq(c.allocs + c.parts - c.frees, 0);
	cr_expect_eq(mm_alloc_pages_exact(mm, &req, 4 * MiB + 1, &at), -EINVAL);
	cr_expect_eq(mm_alloc_pages_exact(mm, &req, 0, &at), -EINVAL);
	cr_assert_eq(mm_alloc_pages_exact(mm, &req, 4 * MiB, &at), 0);
	cr_expect_eq(mm_free_pages_exact(mm, 0, at, 4 * MiB), 0);
	must_verify(mm, "freed");
	mm_destroy(mm);
}

Test(get_pages, misuse_is_told)
{
	struct mm_request req = of(2, GFP_KERNEL);
	struct mm *mm = boot(&one);
	uint64_t at;

	cr_assert_eq(mm_get_free_pages(mm, &req, &at), 0);
	cr_expect_eq(mm_free_pages_at(mm, 0, 0, 2), 0, "NULL is fine");
	cr_expect_eq(mm_free_pages_at(mm, 0, 4096, 0), -EINVAL);
	cr_expect_str_eq(mm_warning(mm, 0),
			 "free_pages of 0x1000: no block of order 0 in use begins there");
	cr_expect_eq(mm_free_pages_at(mm, 0, at + PAGE, 2), -EINVAL);
	cr_expect_eq(mm_free_pages_at(mm, 0, at + 8, 2), -EINVAL);
	cr_expect_eq(mm_free_pages_at(mm, 0, at, 1), -EINVAL);
	cr_expect_eq(mm_free_pages_at(mm, 0, at, 2), 0);
	cr_expect_eq(mm_free_pages_at(mm, 0, at, 2), -EINVAL, "twice");
	cr_expect_eq(mm_nr_warnings(mm), 5);
	must_verify(mm, "misused");
	mm_destroy(mm);
}
