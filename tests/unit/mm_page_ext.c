/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page_ext: how much memory its arrays take, and from where; who has a page; what it costs to note
 * that. An entry has 8 bytes of flags (4 on i386), 56 of page_owner, 8 of page_table_check.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../mm_fixture.h"
#include "mm/compact/migrate.h"
#include "mm/hotplug/hotplug.h"
#include "mm/page_ext/page_ext_state.h"
#include "mm/reclaim/lru.h"
#include "mm/start.h"
#include "mm/vmalloc/vmalloc.h"

#define SECTION_PAGES 32768 /* 128 MiB */

static const struct machine plain = {.model = MM_SPARSE, .memory = {{0, 256 * MiB, 0}}};

static struct machine with_owner(struct machine m)
{
	m.page_owner = true;
	return m;
}

static uint64_t free_pages(const struct mm *mm)
{
	uint64_t pages = 0;

	for (int nid = 0; nid < mm_nr_nodes(mm); nid++)
		for (int z = 0; z < mm_get_arch(mm)->nr_zones; z++)
			pages += zone_info(mm, nid, z).free;
	return pages;
}

static uint64_t managed(const struct mm *mm)
{
	uint64_t pages = 0;

	for (int z = 0; z < mm_get_arch(mm)->nr_zones; z++)
		pages += zone_info(mm, 0, z).managed;
	return pages;
}

Test(page_ext, nothing_where_nobody_asks)
{
	struct mm *mm = boot(&plain);
	struct mm_page_owner owner;
	pfn_t pfn = 0;

	cr_expect_eq(mm_page_ext_bytes(mm), 0);
	cr_expect(!mm_has_page_owner(mm));
	cr_expect_eq(mm_page_owner(mm, 0, &owner), -ENOENT);
	cr_expect(!mm_page_owner_next(mm, &pfn, &owner));
	mm_destroy(mm);
}

/* Two sections, 32768 frames of 64 bytes each: 2 MiB, 512 pages. Nothing that is managed changes.
 */
Test(page_ext, a_section_takes_pages_of_the_page_allocator)
{
	const struct machine m = with_owner(plain);
	struct mm *without = boot(&plain), *mm = boot(&m);

	drain_all(mm);
	cr_expect_eq(mm_page_ext_entry_bytes(mm), 64);
	cr_expect_eq(mm_page_ext_bytes(mm), 2 * SECTION_PAGES * 64);
	cr_expect_eq(free_pages(without) - free_pages(mm), 2 * 512);
	cr_expect_eq(managed(without), managed(mm));
	cr_expect_eq(zone_info(mm, 0, 1).low, zone_info(without, 0, 1).low);
	must_verify(mm, "booted");
	mm_destroy(without);
	mm_destroy(mm);
}

/* 16 bytes a frame make 512 KiB of a section, 128 pages; both clients 72 bytes: 576 pages. */
Test(page_ext, each_client_adds_to_the_entry)
{
	struct machine m = plain;
	struct mm *mm;

	m.page_table_check = true;
	mm = boot(&m);
	cr_expect_eq(mm_page_ext_bytes(mm), 2 * SECTION_PAGES * 16);
	mm_destroy(mm);
	m.page_owner = true;
	mm = boot(&m);
	cr_expect_eq(mm_page_ext_bytes(mm), 2 * SECTION_PAGES * 72);
	must_verify(mm, "576 of a block of 1024 pages");
	mm_destroy(mm);
}

/* A section of i386 with PAE has 131072 frames of 60 bytes, 1920 pages: no block is that large. */
Test(page_ext, what_no_block_holds_comes_from_vmalloc)
{
	const struct machine m = {.arch = MM_I386,
				  .model = MM_SPARSE,
				  .memory = {{0, 512 * MiB, 0}},
				  .page_owner = true};
	struct mm *mm = boot(&m);
	struct mm_page_owner owner;
	struct page *page;

	cr_expect_eq(mm_page_ext_bytes(mm), 131072 * 60);
	/* And two for the pointers to them. */
	cr_expect_eq(mm_vmalloc_pages(mm), 1920 + 2);
	page = alloc(mm, 0, 0, GFP_KERNEL);
	cr_assert_eq(mm_page_owner(mm, pfn_of(mm, page), &owner), 0);
	cr_expect_eq(owner.gfp, GFP_KERNEL);
	must_verify(mm, "booted");
	mm_destroy(mm);
}

/*
 * Frames 256 to 16383: it does not begin with a largest block, so 1024 entries more, 17152 * 60
 * bytes: 251.25 pages, of memblock's.
 */
Test(page_ext, a_node_without_sections_takes_them_from_memblock)
{
	struct machine m = {
		.arch = MM_I386, .model = MM_FLAT, .memory = {{MiB, 63 * MiB, 0}}, .homes = true};
	struct mm *without = boot(&m), *mm;

	m.page_owner = true;
	mm = boot(&m);
	cr_expect_eq(mm_page_ext_bytes(mm), (63 * 256 + 1024) * 60);
	cr_expect_eq(managed(without) - managed(mm), 252);
	must_verify(mm, "booted");
	mm_destroy(without);
	mm_destroy(mm);
}

Test(page_ext, a_zone_of_known_size_does_not_say_whether_it_counts)
{
	const struct machine m = {.arch = MM_I386,
				  .model = MM_FLAT,
				  .memory = {{0, 64 * MiB, 0}},
				  .presets = {{.nid = 0, .has_managed = true, .managed = 4000}},
				  .nr_presets = 1,
				  .page_owner = true};
	struct mm_refusal refusal;

	cr_expect_eq(boot_refused(&m, &refusal), -EINVAL);
	cr_expect(strstr(refusal.why, "page_ext"), "%s", refusal.why);
}

static void somebody(void *ctx, int cpu, struct mm_who *who)
{
	const uint64_t *now = ctx;

	*who = (struct mm_who){.ns = *now, .pid = 100 + cpu, .comm = "somebody"};
}

Test(page_ext, who_when_and_for_how_much)
{
	const struct mm_ops ops = {.who = somebody};
	const struct machine m = with_owner(plain);
	uint64_t now = 1000;
	struct mm *mm = boot_with(&m, &ops, &now);
	struct page *block = alloc(mm, 0, 2, GFP_KERNEL | __GFP_COMP);
	pfn_t pfn = pfn_of(mm, block), at = pfn;
	struct mm_page_owner owner;

	for (pfn_t i = 0; i < 4; i++) {
		cr_assert_eq(mm_page_owner(mm, pfn + i, &owner), 0);
		cr_expect_eq(owner.order, 2);
		cr_expect_eq(owner.gfp, GFP_KERNEL | __GFP_COMP);
		cr_expect_eq(owner.pid, 100);
		cr_expect_str_eq(owner.comm, "somebody");
		cr_expect_eq(owner.ns, 1000);
		cr_expect_eq(owner.free_ns, 0);
		cr_expect_null(owner.migrated);
	}
	/* The list has the block once, and what comes next behind it. */
	cr_assert(mm_page_owner_next(mm, &at, &owner));
	cr_expect_eq(at, pfn);
	at = pfn + 1;
	cr_expect(!mm_page_owner_next(mm, &at, &owner) || at >= pfn + 4);
	now = 2000;
	cr_assert_eq(mm_split_page(mm, 0, block, 0), 0);
	cr_assert_eq(mm_page_owner(mm, pfn + 3, &owner), 0);
	cr_expect_eq(owner.order, 0);
	cr_expect_eq(owner.ns, 1000);
	cr_assert_eq(mm_free_pages(mm, 0, block + 3, 0), 0);
	cr_expect_eq(mm_page_owner(mm, pfn + 3, &owner), -ENOENT);
	now = 3000;
	cr_assert_eq(alloc(mm, 0, 0, GFP_KERNEL), block + 3, "the page that was freed last");
	cr_assert_eq(mm_page_owner(mm, pfn + 3, &owner), 0);
	cr_expect_eq(owner.ns, 3000);
	cr_expect_eq(owner.free_ns, 2000);
	mm_destroy(mm);
}

/* What was in use before is of order 0, without flags; the arrays are. */
Test(page_ext, what_was_there_before_is_the_first_tasks)
{
	const struct machine m = with_owner(plain);
	struct mm *mm = boot(&m);
	struct mm_page_owner owner;
	pfn_t pfn = 0;

	cr_assert(mm_page_owner_next(mm, &pfn, &owner));
	cr_expect_eq(owner.order, 0);
	cr_expect_eq(owner.gfp, 0);
	cr_expect_eq(owner.pid, 1);
	cr_expect_str_eq(owner.comm, "swapper/0");
	mm_destroy(mm);
}

static void keep(void *ctx, int cpu, struct page *from, struct page *to)
{
	(void)ctx;
	(void)cpu;
	(void)from;
	(void)to;
}

Test(page_ext, a_page_that_moves_keeps_its_owner)
{
	const struct mm_ops ops = {.moved = keep};
	const struct machine m = {.model = MM_SPARSE_VMEMMAP,
				  .memory = {{0, 128 * MiB, 0}, {128 * MiB, 128 * MiB, 1}},
				  .page_owner = true};
	const struct mm_migrate_request to = {.cpu = 0, .nid = 1, .reason = MM_MIGRATE_SYSCALL};
	struct mm *mm = boot_with(&m, &ops, NULL);
	struct page *page = alloc_on(mm, 0, 0, 0, GFP_HIGHUSER_MOVABLE | __GFP_ZERO), *from = page;
	struct mm_page_owner owner;

	cr_assert_eq(mm_migrate_pages(mm, &to, &page, 1), 0);
	cr_expect_neq(page, from);
	cr_assert_eq(mm_page_owner(mm, pfn_of(mm, page), &owner), 0);
	cr_expect_eq(owner.gfp, GFP_HIGHUSER_MOVABLE | __GFP_ZERO);
	cr_assert_not_null(owner.migrated);
	cr_expect_str_eq(owner.migrated, "syscall_or_cpuset");
	must_verify(mm, "moved");
	mm_destroy(mm);
}

/* 8 entries of 64 bytes at once, behind those of the frames before it, as the page is made ready.
 */
Test(page_ext, entries_are_written)
{
	const struct machine m = with_owner(plain);
	struct recorder rec;
	struct mm *mm = boot_recorded(&m, &rec);
	const struct mm_ext_table *t;
	struct page *block;
	size_t written = 0, freed = 0;
	phys_addr_t at;

	alloc(mm, 0, 3, GFP_KERNEL);
	record_from_here(&rec);
	block = alloc(mm, 0, 3, GFP_KERNEL);
	t = mm_ext_table(mm, pfn_of(mm, block));
	at = t->at + (pfn_of(mm, block) - t->first) * 64;
	for (size_t i = 0; i < rec.nr; i++)
		written += rec.records[i].kind == REC_ACCESS && rec.records[i].at == at &&
			   rec.records[i].bytes == 512 && rec.records[i].how == MM_WRITE &&
			   rec.records[i].site == MM_SITE_PREP_PAGE;
	cr_expect_eq(written, 1);
	record_from_here(&rec);
	mm_free_pages(mm, 0, block, 3);
	for (size_t i = 0; i < rec.nr; i++)
		freed += rec.records[i].kind == REC_ACCESS && rec.records[i].at == at &&
			 rec.records[i].bytes == 512;
	cr_expect_eq(freed, 1);
	mm_destroy(mm);
	free(rec.records);
}

static void step(struct mm *mm, struct mm_hotplug_step s)
{
	struct mm_refusal refusal = {0};
	struct mm_hotplug_done done;

	cr_assert_eq(mm_hotplug(mm, 0, &s, &done, &refusal), 0, "%s", refusal.why);
}

/* A block of 128 MiB is a section: 512 pages when it goes online, given back when it goes offline.
 */
Test(page_ext, comes_and_goes_with_memory)
{
	const struct machine m = {.model = MM_SPARSE_VMEMMAP,
				  .memory = {{0, GiB, 0}},
				  .hotplug_end = 16 * GiB,
				  .exact_counts = true,
				  .page_owner = true};
	struct mm *mm = boot(&m);
	uint64_t before, bytes = 8 * SECTION_PAGES * 64;

	cr_expect_eq(mm_page_ext_bytes(mm), bytes);
	step(mm,
	     (struct mm_hotplug_step){.op = MM_HOTPLUG_ADD, .start = 4 * GiB, .bytes = 128 * MiB});
	drain_all(mm);
	cr_expect_eq(mm_page_ext_bytes(mm), bytes, "nothing before it is online");
	before = free_pages(mm);
	step(mm,
	     (struct mm_hotplug_step){.op = MM_HOTPLUG_ONLINE_MOVABLE, .first = 32, .last = 32});
	drain_all(mm);
	cr_expect_eq(mm_page_ext_bytes(mm), bytes + SECTION_PAGES * 64);
	cr_expect_eq(free_pages(mm), before + SECTION_PAGES - 512);
	must_verify(mm, "online");
	step(mm, (struct mm_hotplug_step){.op = MM_HOTPLUG_OFFLINE, .first = 32, .last = 32});
	drain_all(mm);
	cr_expect_eq(mm_page_ext_bytes(mm), bytes);
	cr_expect_eq(free_pages(mm), before);
	must_verify(mm, "offline");
	mm_destroy(mm);
}

/* Its pages are somewhere among those that the state has in use. */
Test(page_ext, a_known_state_has_its_pages)
{
	const struct mm_pcp_state listed = {.high = 40, .batch = 7, .stat_threshold = 3};
	const struct machine m = {.model = MM_SPARSE_VMEMMAP,
				  .memory = {{0, 16 * MiB, 0}},
				  .min_free_kbytes = 64,
				  .page_owner = true};
	struct mm_zone_state z = {.managed = 4096,
				  .min = 100,
				  .low = 120,
				  .high = 140,
				  .page_blocks = {4, 4},
				  .pcp = &listed};
	struct mm_refusal refusal = {0};
	struct mm *mm = boot(&m);

	z.free_blocks[MM_MOVABLE][10] = 1;
	cr_assert_eq(mm_start_from(mm, &z, 1, &refusal), 0, "%s", refusal.why);
	cr_expect_eq(zone_info(mm, 0, 0).free, 1024);
	cr_expect_eq(mm_held_pages(mm, 0, 0), 3072);
	must_verify(mm, "started");
	mm_destroy(mm);
}
