/* SPDX-License-Identifier: Apache-2.0 */
/* What pages in use hold, by node, in closed form. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "../mm_fixture.h"
#include "mm/reclaim/lru.h"
#include "mm/stat.h"
#include "mm/user/user.h"

#define PAGE UINT64_C(4096)

static const struct machine two = {
	.model = MM_SPARSE_VMEMMAP,
	.memory = {{0, 64 * MiB, 0}, {64 * MiB, 64 * MiB, 1}},
	.cpus = {1, 1},
	.no_thp = true,
};

struct counts {
	int64_t anon, file, shmem, swapcache, mapped, mlocked, write_pending, tables;
};

static void add(const struct mm *mm, int n, struct counts *c)
{
	c->anon += mm_node_counter_exactly(mm, n, MM_NS_ANON_MAPPED);
	c->file += mm_node_counter_exactly(mm, n, MM_NS_FILE_PAGES);
	c->shmem += mm_node_counter_exactly(mm, n, MM_NS_SHMEM);
	c->swapcache += mm_node_counter_exactly(mm, n, MM_NS_SWAPCACHE);
	c->mapped += mm_node_counter_exactly(mm, n, MM_NS_FILE_MAPPED);
	c->tables += mm_node_counter_exactly(mm, n, MM_NS_PAGETABLE);
	for (int z = 0; z < mm_get_arch(mm)->nr_zones; z++) {
		c->mlocked += mm_zone_counter_exactly(mm, n, z, MM_ZS_MLOCK);
		c->write_pending += mm_zone_counter_exactly(mm, n, z, MM_ZS_WRITE_PENDING);
	}
}

static struct counts sum(const struct mm *mm)
{
	struct counts all = {0};

	for (int n = 0; n < mm_nr_nodes(mm); n++)
		add(mm, n, &all);
	return all;
}

static uint64_t map(struct mm *mm, struct mm_space *space, struct mm_file *file, uint64_t pages)
{
	const struct mm_mmap_args args = {
		.bytes = pages * PAGE, .file = file, .shared = file != NULL};
	uint64_t at;

	cr_assert_eq(mm_mmap(mm, 0, space, &args, &at), 0);
	return at;
}

static void touch(struct mm *mm, struct mm_space *space, uint64_t at, uint64_t pages, bool write)
{
	phys_addr_t phys;

	for (uint64_t i = 0; i < pages; i++)
		cr_assert_geq(mm_user_access(mm, 0, space, at + i * PAGE, write, &phys), 0);
}

/*
 * 20 anonymous pages, 3 of them locked; 5 pages of a file mapped and written; 7 of tmpfs written by
 * write() only. Of the four levels of tables two count; the ranges are within 2 MiB of each other.
 */
Test(page_counts, of_processes_by_what_maps_them)
{
	struct mm *mm = boot(&two);
	struct mm_space *space;
	struct mm_file *file, *ring;
	struct counts c = sum(mm);
	uint64_t at, log;
	phys_addr_t phys;

	cr_expect_eq(c.anon + c.file + c.tables + c.mapped, 0, "something at boot");
	cr_assert_eq(mm_space_new(mm, 0, "a", NULL, &space), 0);
	file = mm_file_open(mm, "/log", false);
	mm_file_extend(file, 5);
	ring = mm_file_open(mm, "/dev/shm/ring", true);
	at = map(mm, space, NULL, 20);
	log = map(mm, space, file, 5);
	touch(mm, space, at, 20, true);
	touch(mm, space, log, 5, true);
	for (uint64_t i = 0; i < 7; i++)
		cr_assert_geq(mm_file_access(mm, 0, space, ring, i, 0, true, true, &phys), 0);
	cr_assert_eq(mm_mlock(mm, 0, space, at, 3 * PAGE, true), 0);
	c = sum(mm);
	cr_expect_eq(c.anon, 20);
	cr_expect_eq(c.file, 12);
	cr_expect_eq(c.shmem, 7);
	cr_expect_eq(c.mapped, 5);
	cr_expect_eq(c.mlocked, 3);
	cr_expect_eq(c.write_pending, 5);
	cr_expect_eq(c.swapcache, 0);
	cr_expect_eq(c.tables, 2, "%ld tables", c.tables);
	cr_assert_eq(mm_munmap(mm, 0, space, log, 5 * PAGE), 0);
	c = sum(mm);
	cr_expect_eq(c.mapped, 0);
	cr_expect_eq(c.file, 12, "they are in the page cache still");
	mm_space_exit(mm, 0, space);
	c = sum(mm);
	cr_expect_eq(c.anon + c.tables + c.mlocked, 0);
	mm_destroy(mm);
}

/* Node 1's CPU has its pages on node 1: only that node counts them. */
Test(page_counts, are_of_the_node_that_has_the_pages)
{
	struct mm *mm = boot(&two);
	struct mm_space *space;
	uint64_t at, by_node[2] = {0};
	phys_addr_t phys;

	cr_assert_eq(mm_space_new(mm, 1, "a", NULL, &space), 0);
	at = map(mm, space, NULL, 9);
	for (uint64_t i = 0; i < 9; i++)
		cr_assert_geq(mm_user_access(mm, 1, space, at + i * PAGE, true, &phys), 0);
	for (int n = 0; n < 2; n++) {
		struct counts c = {0};

		add(mm, n, &c);
		by_node[n] = (uint64_t)(c.anon + c.tables);
	}
	cr_expect_eq(by_node[0], 0);
	cr_expect_eq(by_node[1], 9 + 2);
	mm_destroy(mm);
}

/* Who owns pages without a process: by the kind that they were given to reclaim with. */
Test(page_counts, of_others_by_their_kind)
{
	struct mm *mm = boot(&two);
	static const enum mm_page_kind kinds[] = {MM_PAGE_ANON, MM_PAGE_ANON, MM_PAGE_FILE};
	struct counts c;
	struct page *pages[3];

	for (int i = 0; i < 3; i++) {
		const struct mm_request req = {
			.cpu = 0, .nid = MM_NO_NODE, .gfp = GFP_HIGHUSER_MOVABLE};

		cr_assert_eq(mm_alloc_pages(mm, &req, &pages[i]), 0);
		cr_assert_eq(mm_lru_add(mm, 0, pages[i], kinds[i]), 0);
	}
	c = sum(mm);
	cr_expect_eq(c.anon, 2);
	cr_expect_eq(c.file, 1);
	cr_expect_eq(c.mapped, 0);
	cr_assert_eq(mm_page_touched(mm, 0, pages[2], true), 0);
	cr_assert_eq(mm_free_pages(mm, 0, pages[0], 0), 0);
	c = sum(mm);
	cr_expect_eq(c.anon, 1);
	cr_expect_eq(c.mapped, 1);
	cr_expect_eq(c.write_pending, 1);
	mm_destroy(mm);
}
