/* SPDX-License-Identifier: Apache-2.0 */
/* vmalloc(): which addresses, which pages, how many page tables, when they are flushed. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../mm_fixture.h"
#include "mm/kthread.h"
#include "mm/vmalloc/vmalloc.h"
#include "mm/vmalloc/vmalloc_state.h"
#include "mm/warn.h"

#define PAGE   (4 * KiB)
#define START  UINT64_C(0xffffc90000000000)
#define CALLER "test+0x10/0x20"

static const struct machine one = {.model = MM_SPARSE, .memory = {{0, 256 * MiB, 0}}};
static const struct machine two = {
	.model = MM_SPARSE,
	.memory = {{0, 128 * MiB, 0}, {128 * MiB, 128 * MiB, 1}},
	.cpus = {1, 1},
};

static struct mm_vmalloc_request of(uint64_t bytes)
{
	return (struct mm_vmalloc_request){
		.bytes = bytes, .gfp = GFP_KERNEL, .nid = MM_NO_NODE, .caller = CALLER};
}

static uint64_t get(struct mm *mm, uint64_t bytes)
{
	struct mm_vmalloc_request req = of(bytes);
	uint64_t at = 0;

	cr_assert_eq(mm_vmalloc(mm, &req, &at), 0);
	return at;
}

static struct mm_vmalloc_info info_of(const struct mm *mm)
{
	struct mm_vmalloc_info info;

	mm_vmalloc_info(mm, &info);
	return info;
}

/* The lowest addresses that fit, with a guard page behind each area; what maps them is walked to.
 */
Test(vmalloc, lowest_addresses_with_a_guard_page)
{
	struct mm *mm = boot(&one);
	uint64_t a = get(mm, 4 * PAGE), b = get(mm, 1);

	cr_expect_eq(a, START);
	cr_expect_eq(b, START + 5 * PAGE);
	cr_expect_not_null(mm_vmalloc_to_page(mm, 0, a + 3 * PAGE));
	cr_expect_null(mm_vmalloc_to_page(mm, 0, a + 4 * PAGE), "the guard page");
	cr_expect_null(mm_vmalloc_to_page(mm, 0, 4096), "no address of vmalloc's");
	cr_expect_eq(mm_vmalloc_phys(mm, b + 5),
		     mm_page_address(mm, mm_vmalloc_to_page(mm, 0, b)) + 5);
	cr_expect_eq(mm_vmalloc_pages(mm), 5);
	must_verify(mm, "allocated");
	mm_destroy(mm);
}

/* PUD, PMD, and a table for each 512 entries: 3 MiB and its guard page reach into the second. */
Test(vmalloc, page_tables_come_with_the_first_use)
{
	struct mm *mm = boot(&one);

	get(mm, PAGE);
	cr_expect_eq(info_of(mm).tables, 3);
	get(mm, PAGE);
	cr_expect_eq(info_of(mm).tables, 3);
	get(mm, 3 * MiB);
	cr_expect_eq(info_of(mm).tables, 4);
	must_verify(mm, "tables");
	mm_destroy(mm);
}

/* Three levels are gone down once for 64 pages; to map and to clear, 64 entries each are written.
 */
Test(vmalloc, tables_are_walked_once_for_all_pages)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&one, &rec);
	uint64_t at = get(mm, PAGE);

	record_from_here(&rec);
	at = get(mm, 64 * PAGE);
	cr_expect_eq(count_work(&rec, MM_SITE_PTE_WALK), 3);
	cr_expect_eq(count_work(&rec, MM_SITE_PTE), 64);
	record_from_here(&rec);
	cr_expect_eq(mm_vfree(mm, 0, at, false), 0);
	cr_expect_eq(count_work(&rec, MM_SITE_PTE_WALK), 3);
	cr_expect_eq(count_work(&rec, MM_SITE_PTE), 64);
	mm_destroy(mm);
	free(rec.records);
}

Test(vmalloc, five_levels_take_one_table_more)
{
	struct machine m = one;
	struct mm *mm;

	m.vm.la57 = true;
	mm = boot(&m);
	cr_expect_eq(get(mm, PAGE), UINT64_C(0xffa0000000000000));
	cr_expect_eq(info_of(mm).tables, 4);
	must_verify(mm, "five levels");
	mm_destroy(mm);
}

/* 250 pages are asked for as 100, 100 and 50: no tracepoint has them. Each entry is written once.
 */
Test(vmalloc, pages_come_in_bulk)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&one, &rec);
	size_t singly;

	get(mm, PAGE);
	record_from_here(&rec);
	get(mm, 250 * PAGE);
	cr_expect_eq(info_of(mm).bulk_pages, 250);
	cr_expect_eq(info_of(mm).single_pages, 1, "one page is not worth it");
	/* 2000 bytes of pointers have a page of objects of that size, the first of its kind. */
	singly = count_events(&rec, MM_EVENT_PAGE_ALLOC);
	cr_expect_eq(singly, 1, "%zu single allocations", singly);
	cr_expect_eq(count_work(&rec, MM_SITE_PTE), 250);
	cr_expect_eq(count_work(&rec, MM_SITE_PCP_ALLOC), 251);
	mm_destroy(mm);
	free(rec.records);
}

/* vmalloc_user(): zeroed, and marked as what users may map. vmap() has no pages of its own. */
Test(vmalloc, areas_for_users_and_mappings_are_listed_as_such)
{
	struct mm *mm = boot(&one);
	const struct mm_vmalloc_request req = {.bytes = 2 * PAGE,
					       .gfp = GFP_KERNEL | __GFP_ZERO,
					       .nid = MM_NO_NODE,
					       .flags = MM_VMALLOC_USER,
					       .caller = CALLER};
	struct mm_vmallocinfo read = {0};
	uint64_t user, map;
	struct page *page;
	char line[160];

	cr_assert_eq(mm_vmalloc(mm, &req, &user), 0);
	page = mm_vmalloc_to_page(mm, MM_NO_CPU, user);
	cr_assert_eq(mm_vmap(mm, 0, &page, 1, "mapper", &map), 0);
	cr_assert(mm_vmallocinfo_next(mm, &read, line, sizeof(line)));
	cr_expect_str_eq(line, "0xffffc90000000000-0xffffc90000003000   12288 " CALLER
			       " pages=2 vmalloc user N0=2");
	cr_assert(mm_vmallocinfo_next(mm, &read, line, sizeof(line)));
	cr_expect_str_eq(line, "0xffffc90000003000-0xffffc90000005000    8192 mapper vmap");
	cr_expect(!mm_vmallocinfo_next(mm, &read, line, sizeof(line)));
	cr_expect_eq(mm_vunmap(mm, 0, map, false), 0);
	cr_expect_eq(mm_vfree(mm, 0, user, false), 0);
	must_verify(mm, "freed");
	mm_destroy(mm);
}

/* 600 pointers of 8 bytes are more than a page: an area of their own, before the pages. */
Test(vmalloc, a_long_array_is_an_area_itself)
{
	struct mm *mm = boot(&one);
	uint64_t at = get(mm, 600 * PAGE);
	struct mm_vmallocinfo read = {0};
	char line[160];

	cr_expect_eq(info_of(mm).areas, 2);
	cr_expect_eq(mm_vmalloc_pages(mm), 602);
	cr_assert(mm_vmallocinfo_next(mm, &read, line, sizeof(line)));
	cr_expect_str_eq(line, "0xffffc90000000000-0xffffc90000259000 2461696 " CALLER
			       " pages=600 vmalloc vpages N0=600");
	cr_assert(mm_vmallocinfo_next(mm, &read, line, sizeof(line)));
	cr_expect_str_eq(line, "0xffffc90000259000-0xffffc9000025c000   12288 " CALLER
			       " pages=2 vmalloc N0=2");
	must_verify(mm, "nested");
	cr_expect_eq(mm_vfree(mm, 0, at, false), 0);
	cr_expect_eq(info_of(mm).areas, 0);
	read = (struct mm_vmallocinfo){0};
	cr_assert(mm_vmallocinfo_next(mm, &read, line, sizeof(line)));
	cr_expect_str_eq(line, "0xffffc90000000000-0xffffc9000025c000 2473984 unpurged vm_area");
	cr_expect(!mm_vmallocinfo_next(mm, &read, line, sizeof(line)));
	cr_expect_eq(mm_vmalloc_pages(mm), 0);
	must_verify(mm, "freed");
	mm_destroy(mm);
}

/*
 * With one CPU 32 MiB, 8192 pages, may wait. Areas of 2048 pages and a guard page: the fourth is
 * the 8196th page, and all CPUs flush everything, once.
 */
Test(vmalloc, addresses_come_back_with_the_lazy_purge)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&one, &rec);
	uint64_t at[4];

	for (int i = 0; i < 4; i++)
		at[i] = get(mm, 8 * MiB);
	record_from_here(&rec);
	for (int i = 0; i < 3; i++)
		cr_expect_eq(mm_vfree(mm, 0, at[i], false), 0);
	/* Each has an area for its pointers, of 16 KiB and a guard page: 5 pages. */
	cr_expect_eq(info_of(mm).lazy_pages, 3 * (2049 + 5));
	cr_expect_eq(info_of(mm).purges, 0);
	cr_expect_eq(count_records(&rec, REC_SHOOTDOWN), 0);
	cr_expect_eq(mm_vfree(mm, 0, at[3], false), 0);
	cr_expect_eq(info_of(mm).purges, 1);
	cr_expect_eq(count_records(&rec, REC_SHOOTDOWN), 1);
	cr_expect_null(nth_record(&rec, REC_SHOOTDOWN, 0)->page, "the kernel's own addresses");
	cr_expect_eq(count_work(&rec, MM_SITE_TLB_FLUSH_ALL), 1);
	cr_expect_eq(get(mm, PAGE), START);
	must_verify(mm, "purged");
	mm_destroy(mm);
	free(rec.records);
}

/* 4 MiB on one node are two huge pages: no table of single entries. They are freed one by one. */
Test(vmalloc, huge_pages_where_asked_for)
{
	struct mm *mm = boot(&one);
	struct mm_vmalloc_request req = of(4 * MiB);
	struct mm_counters before, after;
	uint64_t at;

	req.flags = MM_VMALLOC_HUGE;
	cr_assert_eq(mm_vmalloc(mm, &req, &at), 0);
	cr_expect_eq(at % (2 * MiB), 0);
	cr_expect_eq(info_of(mm).huge_pages, 2);
	/* PUD and PMD; the array of 1024 pointers is an area with a table of its own. */
	cr_expect_eq(info_of(mm).tables, 3);
	cr_expect_eq(mm_vmalloc_pages(mm), 1024 + 2);
	must_verify(mm, "huge");
	mm_counters(mm, &before);
	cr_expect_eq(mm_vfree(mm, 0, at, false), 0);
	mm_counters(mm, &after);
	cr_expect_geq(after.frees - before.frees, 1026);
	must_verify(mm, "freed");
	/* Less than a huge page a node is not tried. */
	req.bytes = MiB;
	cr_assert_eq(mm_vmalloc(mm, &req, &at), 0);
	cr_expect_eq(info_of(mm).huge_pages, 2);
	mm_destroy(mm);
}

/* Without a huge page free the same is mapped by single ones. */
Test(vmalloc, falls_back_to_single_pages)
{
	struct mm *mm = boot(&one);
	struct mm_vmalloc_request req = of(4 * MiB);
	uint64_t at;

	while (alloc(mm, 0, 9, GFP_KERNEL))
		;
	/* What is left is in smaller pieces: make some. */
	req.flags = MM_VMALLOC_HUGE;
	req.bytes = 2 * MiB;
	if (mm_vmalloc(mm, &req, &at) == 0)
		cr_expect_eq(info_of(mm).huge_pages, 0);
	must_verify(mm, "short of memory");
	mm_destroy(mm);
}

static uint64_t pages_on(struct mm *mm, uint64_t at, uint64_t nr, int nid)
{
	uint64_t on = 0;

	for (uint64_t i = 0; i < nr; i++)
		on += mm_page_to_nid(mm, mm_vmalloc_to_page(mm, 0, at + i * PAGE)) == nid;
	return on;
}

/* On a node; and by the task's policy: a bulk of 100 interleaved on two nodes is 50 and 50. */
Test(vmalloc, on_a_node_or_by_policy)
{
	struct mm *mm = boot(&two);
	struct mm_policy interleave = {.mode = MM_POLICY_INTERLEAVE, .home_nid = MM_NO_NODE};
	struct mm_vmalloc_request req = of(101 * PAGE);
	uint64_t at;

	interleave.nodes.bits[0] = 3;
	req.nid = 1;
	cr_assert_eq(mm_vmalloc(mm, &req, &at), 0);
	cr_expect_eq(pages_on(mm, at, 101, 1), 101);
	req.nid = MM_NO_NODE;
	req.policy = &interleave;
	cr_assert_eq(mm_vmalloc(mm, &req, &at), 0);
	/* The last one is asked for alone, at the turn that is then node 0's. */
	cr_expect_eq(pages_on(mm, at, 101, 0), 51);
	cr_expect_eq(pages_on(mm, at, 101, 1), 50);
	must_verify(mm, "nodes");
	mm_destroy(mm);
}

/* Nobody needs a direct address of them. Their tables and descriptions do. */
Test(vmalloc, pages_are_from_high_memory)
{
	const struct machine m = {.arch = MM_I386, .memory = {{MiB, GiB - MiB, 0}}};
	struct mm *mm = boot(&m);
	uint64_t at = get(mm, 20 * PAGE);

	cr_expect_eq(at, 0xf77fe000);
	for (uint64_t i = 0; i < 20; i++)
		cr_expect_eq(mm_page_zonenum(mm, mm_vmalloc_to_page(mm, 0, at + i * PAGE)), 2);
	/* Two pages below a boundary of 2 MiB; the upper tables are there from boot. */
	cr_expect_eq(info_of(mm).tables, 2);
	cr_expect_eq(zone_info(mm, 0, 2).alloc_pages, 20);
	must_verify(mm, "high");
	mm_destroy(mm);
}

static void must_warn(const struct mm *mm, unsigned i, const char *line)
{
	const char *have = mm_warning(mm, i);

	cr_expect(have && !strcmp(have, line), "warning %u: '%s', expected '%s'", i,
		  have ? have : "none", line);
}

Test(vmalloc, misuse_is_told)
{
	struct mm *mm = boot(&one);
	struct mm_vmalloc_request req = of(2 * PAGE);
	struct page *page = alloc(mm, 0, 0, GFP_KERNEL);
	uint64_t at = get(mm, 2 * PAGE), map, none;

	cr_assert_eq(mm_vmap(mm, 0, &page, 1, CALLER, &map), 0);
	req.atomic = true;
	cr_expect_eq(mm_vmalloc(mm, &req, &none), -EPERM);
	must_warn(mm, 0,
		  "vmalloc of 8192 bytes by " CALLER
		  ": it may sleep, but was called in atomic context");
	req.atomic = false;
	req.gfp = GFP_ATOMIC;
	cr_expect_eq(mm_vmalloc(mm, &req, &none), -EPERM);
	must_warn(mm, 1,
		  "vmalloc of 8192 bytes by " CALLER ": it may sleep, but its flags do not let it");
	cr_expect_eq(mm_vfree(mm, 0, at + 8, false), -EINVAL);
	must_warn(mm, 2, "Trying to vfree() bad address (ffffc90000000008)");
	cr_expect_eq(mm_vfree(mm, 0, at + 16 * PAGE, false), -EINVAL);
	must_warn(mm, 3, "Trying to vfree() nonexistent vm area (ffffc90000010000)");
	cr_expect_eq(mm_vfree(mm, 0, at + PAGE, false), -EINVAL);
	must_warn(mm, 4,
		  "Trying to vfree() ffffc90000001000, which is inside the area "
		  "ffffc90000000000 of " CALLER);
	cr_expect_eq(mm_vfree(mm, 0, map, false), -EINVAL);
	must_warn(mm, 5,
		  "Trying to vfree() ffffc90000003000, which is of the other kind: the area "
		  "ffffc90000003000 of " CALLER);
	cr_expect_eq(mm_vfree(mm, 0, at, false), 0);
	cr_expect_eq(mm_vfree(mm, 0, at, false), -EINVAL);
	must_warn(mm, 6, "Trying to vfree() nonexistent vm area (ffffc90000000000)");
	cr_expect_eq(mm_vunmap(mm, 0, map, true), -EPERM);
	cr_expect_eq(mm_vfree(mm, 0, 0, false), 0, "NULL is fine");
	req = of(0);
	cr_expect_eq(mm_vmalloc(mm, &req, &none), -EINVAL);
	must_warn(mm, 8, "vmalloc error: size 0");
	req = of(GiB);
	cr_expect_eq(mm_vmalloc(mm, &req, &none), -EINVAL);
	must_warn(mm, 9, "vmalloc error: size 1073741824, exceeds total pages");
	cr_expect_eq(mm_nr_warnings(mm), 10);
	must_verify(mm, "misused");
	mm_destroy(mm);
}

/* Whoever may not sleep leaves it to a thread. Twice is an error all the same. */
Test(vmalloc, freed_later_in_atomic_context)
{
	struct recorder rec;
	struct mm *mm = boot_recorded(&two, &rec);
	uint64_t at = get(mm, 4 * PAGE);
	int cpu = 0;

	rec.hold_threads = true;
	cr_expect_eq(mm_vfree(mm, 1, at, true), 0);
	cr_expect_eq(info_of(mm).deferred, 1);
	cr_expect_eq(mm_vmalloc_pages(mm), 4);
	cr_expect_eq(mm_vfree(mm, 1, at, true), -EINVAL);
	must_warn(mm, 0,
		  "Trying to vfree() ffffc90000000000, which is given back already: the area "
		  "ffffc90000000000 of " CALLER);
	must_verify(mm, "deferred");
	mm_kthread_run(mm, &mm->vmalloc->worker, &cpu, true);
	cr_expect_eq(info_of(mm).deferred, 0);
	cr_expect_eq(mm_vmalloc_pages(mm), 0);
	must_verify(mm, "freed");
	mm_destroy(mm);
	free(rec.records);
}

/* vmalloc=16M: 16 MiB of addresses. What waits to be purged is purged before it fails. */
Test(vmalloc, out_of_addresses)
{
	struct machine m = {.arch = MM_I386, .memory = {{MiB, GiB - MiB, 0}}};
	struct mm_vmalloc_request req = of(9 * MiB);
	struct mm *mm;
	uint64_t at, more;

	m.vm.vmalloc_bytes = 16 * MiB;
	mm = boot(&m);
	cr_assert_eq(mm_vmalloc(mm, &req, &at), 0);
	cr_expect_eq(mm_vmalloc(mm, &req, &more), -ENOMEM);
	must_warn(mm, 0,
		  "vmap allocation for size 9441280 failed: use vmalloc=<size> to increase "
		  "size");
	cr_expect_eq(mm_vfree(mm, 0, at, false), 0);
	cr_expect_eq(info_of(mm).purges, 0);
	cr_expect_eq(mm_vmalloc(mm, &req, &more), 0);
	cr_expect_eq(more, at);
	cr_expect_eq(info_of(mm).purges, 1);
	must_verify(mm, "purged");
	mm_destroy(mm);
}

/* Pages that are somewhere come to lie side by side, and stay whose they are. */
Test(vmalloc, vmap_maps_what_it_is_given)
{
	struct mm *mm = boot(&one);
	struct page *pages[3];
	uint64_t at;

	for (int i = 0; i < 3; i++)
		pages[i] = alloc(mm, 0, 0, GFP_KERNEL);
	cr_assert_eq(mm_vmap(mm, 0, pages, 3, CALLER, &at), 0);
	for (uint64_t i = 0; i < 3; i++)
		cr_expect_eq(mm_vmalloc_to_page(mm, 0, at + i * PAGE), pages[i]);
	cr_expect_eq(mm_vmalloc_pages(mm), 0);
	must_verify(mm, "mapped");
	cr_expect_eq(mm_vunmap(mm, 0, at, false), 0);
	cr_expect_null(mm_vmalloc_to_page(mm, 0, at));
	for (int i = 0; i < 3; i++)
		cr_expect_eq(mm_free_pages(mm, 0, pages[i], 0), 0);
	must_verify(mm, "unmapped");
	mm_destroy(mm);
}
