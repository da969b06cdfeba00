/* SPDX-License-Identifier: Apache-2.0 */
/* How hardware gets to memory: sizes of pages, and how many entries it reads of which tables. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "../mm_fixture.h"
#include "mm/internal.h"
#include "mm/user/user.h"
#include "mm/vmalloc/kmap.h"
#include "mm/vmalloc/vmalloc.h"
#include "mm/walk.h"

#define PAGE   (4 * KiB)
#define DIRECT UINT64_C(0xffff888000000000)

static struct mm_walk kernel_walk(const struct mm *mm, uint64_t address)
{
	struct mm_walk walk;

	mm_kernel_walk(mm, address, &walk);
	return walk;
}

/* From 1 MiB to 640 MiB, and from 1 GiB to 2 GiB + 8 KiB: 1 GiB where all of it is memory, else
 * 2 MiB, else single pages. */
Test(walk, pages_of_the_direct_mapping_are_as_large_as_memory_allows)
{
	static const struct machine m = {
		.model = MM_SPARSE,
		.memory = {{1 * MiB, 639 * MiB, 0}, {1 * GiB, 1 * GiB + 2 * PAGE, 0}}};
	struct mm *mm = boot(&m);

	cr_expect_eq(mm_direct_address(mm, 2 * MiB), DIRECT + 2 * MiB);
	cr_expect_eq(kernel_walk(mm, DIRECT + 1 * MiB).shift, 12);
	cr_expect_eq(kernel_walk(mm, DIRECT + 2 * MiB).shift, 21);
	cr_expect_eq(kernel_walk(mm, DIRECT + 640 * MiB - 1).shift, 21);
	cr_expect_eq(kernel_walk(mm, DIRECT + 1 * GiB).shift, 30);
	cr_expect_eq(kernel_walk(mm, DIRECT + 2 * GiB - 1).shift, 30);
	cr_expect_eq(kernel_walk(mm, DIRECT + 2 * GiB).shift, 12);
	cr_expect_eq(kernel_walk(mm, DIRECT + 1 * GiB).nr, 0, "its tables have no home");
	mm_destroy(mm);
}

/* A region of memory ends where its node does; a page does not. */
Test(walk, a_page_of_the_direct_mapping_reaches_over_nodes)
{
	static const struct machine m = {.model = MM_SPARSE,
					 .memory = {{0, 1536 * MiB, 0}, {1536 * MiB, 512 * MiB, 1}},
					 .cpus = {1, 1}};
	struct mm *mm = boot(&m);

	cr_expect_eq(kernel_walk(mm, DIRECT + 1600 * MiB).shift, 30);
	mm_destroy(mm);
}

/* Sections of 128 MiB have descriptors of 2 MiB, a huge page each: two tables below the topmost. */
Test(walk, descriptors_of_vmemmap_are_mapped_by_huge_pages)
{
	static const struct machine m = {.model = MM_SPARSE_VMEMMAP, .memory = {{0, 256 * MiB, 0}}};
	struct mm *mm = boot(&m);
	const struct page *page = mm_pfn_to_page(mm, MM_NO_CPU, 32768);
	struct mm_walk walk, before;
	uint64_t address;

	mm->model->descriptor_at(mm, page, &address);
	walk = kernel_walk(mm, address);
	before = kernel_walk(mm, address - 64);
	cr_expect_eq(address, mm->vm_map.vmemmap.start + 2 * MiB);
	cr_expect_eq(walk.shift, 21);
	cr_assert_eq(walk.nr, 3);
	cr_expect_eq(walk.entries[0].shift, 39);
	cr_expect_eq(walk.entries[1].shift, 30);
	cr_expect_eq(walk.entries[2].shift, 21);
	/* The second section's entry lies behind the first one's. */
	cr_expect_eq(walk.entries[1].at, before.entries[1].at);
	cr_expect_eq(walk.entries[2].at, before.entries[2].at + 8);
	cr_expect_eq(walk.entries[2].at % PAGE, 8);
	cr_expect_eq(kernel_walk(mm, mm->vm_map.vmemmap.start + 4 * MiB).shift, 0, "no section");
	mm_destroy(mm);
}

Test(walk, other_models_have_descriptors_in_the_direct_mapping)
{
	static const struct machine m = {.model = MM_SPARSE, .memory = {{0, 256 * MiB, 0}}};
	struct mm *mm = boot(&m);
	uint64_t address = 1;

	mm->model->descriptor_at(mm, mm_pfn_to_page(mm, MM_NO_CPU, 32768), &address);
	cr_expect_eq(address, 0);
	cr_expect_null(mm->model->walk);
	mm_destroy(mm);
}

Test(walk, vmalloc_by_the_tables_that_it_has_built)
{
	static const struct machine m = {.model = MM_SPARSE, .memory = {{0, 256 * MiB, 0}}};
	struct mm_vmalloc_request req = {.bytes = PAGE, .gfp = GFP_KERNEL, .nid = MM_NO_NODE};
	struct mm *mm = boot(&m);
	struct mm_walk walk;
	uint64_t at;

	cr_assert_eq(mm_vmalloc(mm, &req, &at), 0);
	walk = kernel_walk(mm, at);
	cr_expect_eq(walk.shift, 12);
	cr_expect_eq(walk.nr, 4);
	cr_expect_eq(walk.entries[3].at % PAGE, (at >> 12) % 512 * 8);
	cr_expect_eq(kernel_walk(mm, at + PAGE).shift, 0, "the guard page");
	mm_destroy(mm);
}

/* Without PAE two levels of 1024 entries of 4 bytes; direct mapping by 4 MiB; no high memory. */
Test(walk, i386_has_windows_for_high_memory)
{
	static const struct machine m = {
		.arch = MM_I386_NOPAE, .model = MM_FLAT, .memory = {{0, 1 * GiB, 0}}};
	struct mm *mm = boot(&m);
	const struct mm_vm_map *map = mm_get_vm_map(mm);
	struct page *high = NULL, *other = NULL;
	struct mm_walk walk, next;
	uint64_t at, slot;

	cr_expect_eq(mm_direct_address(mm, 1 * GiB - PAGE), 0);
	cr_expect_eq(mm_direct_address(mm, 16 * MiB), map->direct.start + 16 * MiB);
	cr_expect_eq(kernel_walk(mm, map->direct.start + 16 * MiB).shift, 22);
	high = mm_pfn_to_page(mm, MM_NO_CPU, (1 * GiB - PAGE) / PAGE);
	other = high - 1;
	cr_assert_eq(mm_kmap(mm, 0, high, false, &at), 0);
	walk = kernel_walk(mm, at);
	cr_assert_eq(mm_kmap(mm, 0, other, false, &at), 0);
	next = kernel_walk(mm, at);
	cr_expect_eq(walk.shift, 12);
	cr_expect_eq(walk.nr, 2);
	cr_expect_eq(walk.entries[0].shift, 22);
	cr_expect_eq(next.entries[1].at, walk.entries[1].at + 4);
	cr_assert_eq(mm_kmap_local(mm, 0, high, &slot), 0);
	walk = kernel_walk(mm, slot);
	cr_expect_eq(walk.shift, 12);
	cr_expect_eq(walk.nr, 2);
	mm_kunmap_local(mm, 0, slot);
	mm_destroy(mm);
}

/* What was told to be forgotten, in order. */
struct told {
	struct mm_forget what[64];
	unsigned nr;
};

static void forget(void *ctx, int cpu, const struct mm_forget *what)
{
	struct told *told = ctx;

	(void)cpu;
	if (told->nr < 64)
		told->what[told->nr++] = *what;
}

static bool was_told(const struct told *told, const struct mm_space *space, uint64_t start,
		     uint64_t end)
{
	for (unsigned i = 0; i < told->nr; i++)
		if (told->what[i].space == space && told->what[i].start <= start &&
		    told->what[i].end >= end)
			return true;
	return false;
}

Test(walk, whatever_stops_to_be_mapped_is_told)
{
	static const struct machine m = {.model = MM_SPARSE,
					 .memory = {{0, 128 * MiB, 0}, {128 * MiB, 128 * MiB, 1}},
					 .cpus = {1, 1},
					 .no_thp = true};
	struct told told = {0};
	struct mm *mm = boot_with(&m, &(struct mm_ops){.forget = forget}, &told);
	struct mm_space *space, *child;
	phys_addr_t phys;
	uint64_t at;

	cr_assert_eq(mm_space_new(mm, 0, "a", NULL, &space), 0);
	cr_assert_eq(mm_mmap(mm, 0, space, &(struct mm_mmap_args){.bytes = 40 * PAGE}, &at), 0);
	for (uint64_t i = 0; i < 40; i++)
		cr_assert_geq(mm_user_access(mm, 0, space, at + i * PAGE, true, &phys), 0);
	cr_expect_eq(told.nr, 0);
	cr_assert_eq(mm_munmap(mm, 0, space, at, 4 * PAGE), 0);
	cr_expect(was_told(&told, space, at, at + 4 * PAGE));
	cr_expect_not(was_told(&told, space, at, at + 5 * PAGE));
	told.nr = 0;
	cr_assert_eq(mm_space_migrate(mm, 0, space, 1), 0);
	for (uint64_t i = 4; i < 40; i++)
		cr_expect(was_told(&told, space, at + i * PAGE, at + (i + 1) * PAGE), "%lu", i);
	told.nr = 0;
	cr_assert_eq(mm_space_fork(mm, 0, space, "b", &child), 0);
	cr_expect(was_told(&told, space, at + 4 * PAGE, at + 40 * PAGE));
	told.nr = 0;
	cr_assert_eq(mm_user_access(mm, 0, child, at + 4 * PAGE, true, &phys), MM_USER_COPY);
	cr_expect(was_told(&told, child, at + 4 * PAGE, at + 4 * PAGE + 1));
	mm_destroy(mm);
}

/* All of a space beyond 33 pages, as x86 does. */
Test(walk, many_pages_are_everything)
{
	static const struct machine m = {
		.model = MM_SPARSE, .memory = {{0, 256 * MiB, 0}}, .no_thp = true};
	struct told told = {0};
	struct mm *mm = boot_with(&m, &(struct mm_ops){.forget = forget}, &told);
	struct mm_space *space;
	phys_addr_t phys;
	uint64_t at;

	cr_assert_eq(mm_space_new(mm, 0, "a", NULL, &space), 0);
	cr_assert_eq(mm_mmap(mm, 0, space, &(struct mm_mmap_args){.bytes = 34 * PAGE}, &at), 0);
	for (uint64_t i = 0; i < 34; i++)
		cr_assert_geq(mm_user_access(mm, 0, space, at + i * PAGE, true, &phys), 0);
	cr_assert_eq(mm_munmap(mm, 0, space, at, 34 * PAGE), 0);
	cr_expect(was_told(&told, space, 0, UINT64_MAX));
	mm_destroy(mm);
}
