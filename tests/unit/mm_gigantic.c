/* SPDX-License-Identifier: Apache-2.0 */
/* Huge pages of 1 GiB: from memblock, from ranges that are emptied, in page tables, and back. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../mm_fixture.h"
#include "mm/alloc/contig.h"
#include "mm/gfp.h"
#include "mm/huge/hugetlb.h"
#include "mm/user/user.h"

#define GIGA_PAGES (UINT64_C(1) << 18)
#define SMALL      0
#define GIGANTIC   1

/* Nothing is taken by rule, so that all frames are free but the first and what a test reserves. */
static const struct machine two = {
	.model = MM_SPARSE_VMEMMAP,
	.reserved = {{.start = 0, .bytes = 4096}},
	.memory = {{0, 3 * GiB, 0}, {4 * GiB, 3 * GiB, 1}},
	.cpus = {1, 1},
	.no_thp = true,
};

static struct mm_hugetlb_info info_of(const struct mm *mm, unsigned size, int nid)
{
	struct mm_hugetlb_info info;

	mm_hugetlb_info(mm, size, nid, &info);
	return info;
}

static void must_be(const struct mm *mm, uint64_t node0, uint64_t node1)
{
	cr_assert(
		info_of(mm, GIGANTIC, 0).total == node0 && info_of(mm, GIGANTIC, 1).total == node1,
		"%lu and %lu pages, not %lu and %lu", (unsigned long)info_of(mm, GIGANTIC, 0).total,
		(unsigned long)info_of(mm, GIGANTIC, 1).total, (unsigned long)node0,
		(unsigned long)node1);
	must_verify(mm, "gigantic");
}

static uint64_t managed(const struct mm *mm)
{
	uint64_t pages = 0;

	for (int nid = 0; nid < 2; nid++)
		for (int z = 0; z < mm_get_arch(mm)->nr_zones; z++)
			pages += zone_info(mm, nid, z).managed;
	return pages;
}

static uint64_t free_pages(const struct mm *mm)
{
	uint64_t pages = 0;

	for (int nid = 0; nid < 2; nid++)
		for (int z = 0; z < mm_get_arch(mm)->nr_zones; z++)
			pages += zone_info(mm, nid, z).free;
	return pages;
}

static void write_sysctl(struct mm *mm, const char *key, const char *value, int err)
{
	struct mm_refusal refusal = {.why = ""};

	cr_assert_eq(mm_sysctl(mm, key, value, &refusal), err, "%s: %s", key, refusal.why);
}

static struct page *take(struct mm *mm, int cpu, bool reserved)
{
	const struct mm_policy by_default = {.home_nid = MM_NO_NODE};
	const struct mm_policy_use use = {.policy = &by_default};
	struct page *page;

	return mm_hugetlb_alloc(mm, cpu, GIGANTIC, &use, reserved, &page) ? NULL : page;
}

/*
 * In turn: nodes 0, 1, 0, each from the top down. They are taken before anything is managed, but
 * count as managed in the end, so that only what is free is less.
 */
Test(gigantic, of_boot_by_nodes_in_turn)
{
	struct machine m = two;
	struct mm *plain = boot(&m), *mm;
	struct page *first, *second;

	m.gigantic = 3;
	mm = boot(&m);
	must_be(mm, 2, 1);
	cr_expect_eq(managed(mm), managed(plain));
	cr_expect_eq(free_pages(plain) - free_pages(mm), 3 * GIGA_PAGES);
	first = take(mm, 0, false);
	second = take(mm, 0, false);
	cr_expect_eq(mm_page_address(mm, first), 2 * GiB, "the first one is the first to go");
	cr_expect_eq(mm_page_address(mm, second), 1 * GiB);
	cr_expect_eq(mm_page_address(mm, take(mm, 0, false)), 6 * GiB, "then the other node's");
	cr_expect_null(take(mm, 0, false));
	must_verify(mm, "taken");
	mm_destroy(plain);
	mm_destroy(mm);
}

/* A node that is full lets the others serve, as memblock does; and what is in the way stays. */
Test(gigantic, of_boot_by_node)
{
	struct machine m = two;
	struct mm *mm;

	m.reserved[1] = (struct mm_reservation){.start = 2 * GiB + 512 * MiB, .bytes = 4096};
	m.gigantic_of[0] = 3;
	m.nodes_with_gigantic = 1;
	mm = boot(&m);
	must_be(mm, 1, 2);
	mm_destroy(mm);
	m.gigantic_of[0] = 100;
	mm = boot(&m);
	must_be(mm, 1, 3);
	mm_destroy(mm);
}

/* kernelcore ends at 5.5 GiB and 1.5 GiB, amid pages: each zone manages its own when they go. */
Test(gigantic, of_boot_across_zones)
{
	struct machine m = two;
	struct mm *plain, *mm;

	m.kernelcore_bytes = 3 * GiB;
	plain = boot(&m);
	m.gigantic = 6;
	mm = boot(&m);
	must_be(mm, 2, 3);
	cr_expect_eq(managed(mm), managed(plain));
	cr_assert_eq(mm_hugetlb_resize(mm, 0, GIGANTIC, MM_NO_NODE, NULL, 0), 0);
	must_be(mm, 0, 0);
	for (int nid = 0; nid < 2; nid++)
		for (int z = 0; z < mm_get_arch(mm)->nr_zones; z++)
			cr_expect_eq(zone_info(mm, nid, z).managed,
				     zone_info(plain, nid, z).managed);
	mm_destroy(plain);
	mm_destroy(mm);
}

Test(gigantic, is_the_default_size_where_one_says_so)
{
	struct machine m = two;
	char text[32];
	struct mm *mm;

	m.gigantic = 2;
	m.gigantic_by_default = true;
	mm = boot(&m);
	cr_expect_eq(mm_hugetlb_default(mm), GIGANTIC);
	mm_sysctl_text(mm, "nr_hugepages", text, sizeof(text));
	cr_expect_str_eq(text, "2");
	write_sysctl(mm, "nr_overcommit_hugepages", "1", -EINVAL);
	write_sysctl(mm, "hugepages-2048kB/nr_overcommit_hugepages", "1", 0);
	write_sysctl(mm, "nr_hugepages", "1", 0);
	must_be(mm, 0, 1);
	write_sysctl(mm, "node0/hugepages-1048576kB/nr_hugepages", "2", 0);
	must_be(mm, 2, 1);
	write_sysctl(mm, "node0/hugepages-2048kB/nr_hugepages", "7", 0);
	cr_expect_eq(info_of(mm, SMALL, 0).total, 7);
	write_sysctl(mm, "hugepages-64kB/nr_hugepages", "7", -ENOENT);
	write_sysctl(mm, "node0/nr_overcommit_hugepages", "7", -ENOENT);
	write_sysctl(mm, "node7/nr_hugepages", "7", -EINVAL);
	must_verify(mm, "written");
	mm_destroy(mm);
}

/*
 * While the kernel runs: the second GiB has a page of the kernel's, the third one that boot has
 * reserved; what is left are frames from 0 on, or from 1 GiB on where boot has something there.
 */
Test(gigantic, at_run_time)
{
	struct machine m = two;
	uint64_t before;
	struct mm *mm;

	m.memory[1].bytes = 0;
	m.reserved[1] = (struct mm_reservation){.start = 2 * GiB + 512 * MiB, .bytes = 4096};
	mm = boot(&m);
	cr_assert_eq(mm_alloc_contig_range(mm, 0, GIGA_PAGES + 5, GIGA_PAGES + 6, false), 0);
	before = free_pages(mm);
	cr_expect_eq(mm_hugetlb_resize(mm, 0, GIGANTIC, MM_NO_NODE, NULL, 2), 0,
		     "the first GiB is not one zone");
	cr_expect_eq(free_pages(mm), before);
	must_verify(mm, "nothing");
	mm_free_contig_range(mm, 0, mm_pfn_to_page(mm, MM_NO_CPU, GIGA_PAGES + 5), 1);
	cr_assert_eq(mm_hugetlb_resize(mm, 0, GIGANTIC, MM_NO_NODE, NULL, 2), 1);
	must_verify(mm, "one");
	drain_all(mm);
	cr_expect_eq(free_pages(mm), before + 1 - GIGA_PAGES);
	cr_assert_eq(mm_hugetlb_resize(mm, 0, GIGANTIC, MM_NO_NODE, NULL, 0), 0);
	drain_all(mm);
	cr_expect_eq(free_pages(mm), before + 1);
	must_verify(mm, "given back");
	mm_destroy(mm);
}

/* Two of 1 GiB become 1024 of 2 MiB, but not those that somebody counts on. */
Test(gigantic, are_demoted)
{
	struct machine m = two;
	struct mm *mm;

	m.gigantic = 4;
	mm = boot(&m);
	cr_assert_eq(mm_hugetlb_reserve(mm, 0, GIGANTIC, 2), 0);
	cr_expect_eq(mm_hugetlb_demote(mm, 0, SMALL, MM_NO_NODE, 1), -EINVAL);
	cr_assert_eq(mm_hugetlb_demote(mm, 0, GIGANTIC, MM_NO_NODE, 3), 2);
	must_be(mm, 1, 1);
	cr_expect_eq(info_of(mm, SMALL, 0).free, 512);
	cr_expect_eq(info_of(mm, SMALL, 1).free, 512);
	cr_assert_eq(mm_hugetlb_resize(mm, 0, SMALL, MM_NO_NODE, NULL, 0), 0);
	must_verify(mm, "the small ones are freed");
	mm_hugetlb_unreserve(mm, 0, GIGANTIC, 2);
	write_sysctl(mm, "node1/hugepages-1048576kB/demote", "1", 0);
	must_be(mm, 1, 0);
	cr_expect_eq(info_of(mm, SMALL, 1).free, 512);
	mm_destroy(mm);
}

/* One entry of an upper table maps it; what was set apart comes back. */
Test(gigantic, in_a_space)
{
	const struct mm_mmap_args args = {.bytes = 2 * GiB, .hugetlb = true, .huge_bytes = 1 * GiB};
	struct machine m = two;
	struct mm_space *space;
	struct mm_space_info info;
	uint64_t at, none;
	phys_addr_t phys;
	char line[256];
	struct mm *mm;

	m.gigantic = 2;
	mm = boot(&m);
	cr_assert_eq(mm_space_new(mm, 0, "task", NULL, &space), 0);
	cr_assert_eq(mm_mmap(mm, 0, space,
			     &(struct mm_mmap_args){
				     .bytes = 2 * MiB, .hugetlb = true, .huge_bytes = 1 * GiB},
			     &none),
		     -EINVAL, "no whole page");
	cr_assert_eq(mm_mmap(mm, 0, space,
			     &(struct mm_mmap_args){
				     .bytes = 64 * KiB, .hugetlb = true, .huge_bytes = 64 * KiB},
			     &none),
		     -EINVAL, "no such size");
	cr_assert_eq(mm_mmap(mm, 0, space, &args, &at), 0);
	cr_expect_eq(at % GiB, 0);
	cr_expect_eq(info_of(mm, GIGANTIC, MM_NO_NODE).reserved, 2);
	cr_expect_eq(mm_mmap(mm, 0, space, &args, &none), -ENOMEM, "none is left");
	cr_expect_eq(mm_user_access(mm, 0, space, at + GiB + 4097, true, &phys), MM_USER_HUGE);
	cr_expect_eq(phys, 2 * GiB + 4097);
	cr_expect_eq(mm_user_access(mm, 0, space, at + 2 * GiB - 1, false, &phys), MM_USER_PRESENT);
	mm_space_info(mm, space, &info);
	cr_expect_eq(info.mapped, GIGA_PAGES);
	cr_expect_eq(info.tables, 2, "the topmost one, and the one with the entry");
	cr_assert(mm_numa_maps_line(mm, space, 0, line, sizeof(line)));
	cr_expect(strstr(line, "N0=1 kernelpagesize_kB=1048576"), "%s", line);
	cr_expect_eq(info_of(mm, GIGANTIC, MM_NO_NODE).reserved, 1);
	cr_expect_eq(mm_munmap(mm, 0, space, at, GiB / 2), -EINVAL, "half a page");
	must_verify(mm, "mapped");
	mm_space_exit(mm, 0, space);
	cr_expect_eq(info_of(mm, GIGANTIC, MM_NO_NODE).reserved, 0);
	cr_expect_eq(info_of(mm, GIGANTIC, MM_NO_NODE).free, 2);
	must_verify(mm, "gone");
	mm_destroy(mm);
}

/* More than the pool has is not to be had: nr_overcommit_hugepages is not for them. */
Test(gigantic, are_never_surplus)
{
	struct machine m = two;
	struct page *page;
	struct mm *mm;

	m.gigantic = 1;
	mm = boot(&m);
	cr_expect_eq(mm_hugetlb_reserve(mm, 0, GIGANTIC, 2), -ENOMEM);
	page = take(mm, 0, false);
	cr_assert_not_null(page);
	cr_expect_null(take(mm, 0, false));
	/* Unless the pool is made smaller than what is in use. */
	cr_expect_eq(mm_hugetlb_resize(mm, 0, GIGANTIC, MM_NO_NODE, NULL, 0), 0);
	cr_expect_eq(info_of(mm, GIGANTIC, MM_NO_NODE).surplus, 1);
	cr_assert_eq(mm_hugetlb_free(mm, 0, page), 0);
	must_be(mm, 0, 0);
	mm_destroy(mm);
}

/* Whoever looks for a range leaves alone those with a reserved frame or a page of the pool. */
Test(gigantic, ranges_without_hope_cost_little)
{
	struct machine m = two;
	const struct mm_request req = {.nid = 0, .gfp = GFP_KERNEL | __GFP_THISNODE};
	struct recorder rec = {0};
	struct page *first;
	uint64_t looked = 0;
	struct mm *mm;

	m.memory[1].bytes = 0;
	m.reserved[1] = (struct mm_reservation){.start = 2 * GiB + 4096, .bytes = 4096};
	m.gigantic = 1; /* at 1 GiB */
	mm = boot_recorded(&m, &rec);
	cr_assert_eq(mm_alloc_contig_pages(mm, &req, GIGA_PAGES, &first), -ENOMEM);
	for (size_t i = 0; i < rec.nr; i++)
		if (rec.records[i].kind == REC_WORK && rec.records[i].site == MM_SITE_BLOCK_SCAN)
			looked += rec.records[i].nr;
	/* The head of the pool's page; the frame before the reserved one, and that. */
	cr_expect_eq(looked, 1 + 2);
	free(rec.records);
	mm_destroy(mm);
}
