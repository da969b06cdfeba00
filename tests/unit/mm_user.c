/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User memory: what faults, fork, copy on write, mlock, files and exit allocate, zero, copy and
 * free, in closed form. A 4 KiB page of x86_64 is mapped by tables of 4 levels.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../mm_fixture.h"
#include "mm/huge/hugetlb.h"
#include "mm/reclaim/lru.h"
#include "mm/user/user.h"
#include "mm/vm_event.h"

static const struct machine two = {
	.model = MM_SPARSE_VMEMMAP,
	.memory = {{0, 64 * MiB, 0}, {64 * MiB, 64 * MiB, 1}},
	.cpus = {1, 1},
	.no_thp = true,
};

#define PAGE UINT64_C(4096)

struct bench {
	struct recorder rec;
	struct mm *mm;
	struct mm_space *space;
	uint64_t at;
};

static uint64_t in_use(struct mm *mm)
{
	uint64_t pages = 0;

	drain_all(mm);
	for (int n = 0; n < mm_nr_nodes(mm); n++)
		for (int z = 0; z < mm_get_arch(mm)->nr_zones; z++) {
			struct mm_zone_info info = zone_info(mm, n, z);

			pages += info.managed - info.free;
		}
	return pages;
}

static void set_up(struct bench *b, const struct machine *m, uint64_t bytes)
{
	b->mm = boot_recorded(m, &b->rec);
	cr_assert_eq(mm_space_new(b->mm, 0, "a", NULL, &b->space), 0);
	cr_assert_eq(mm_mmap(b->mm, 0, b->space, &(struct mm_mmap_args){.bytes = bytes}, &b->at),
		     0);
	record_from_here(&b->rec);
}

static void tear_down(struct bench *b)
{
	must_verify(b->mm, "at the end");
	mm_destroy(b->mm);
	free(b->rec.records);
}

static int touch(struct bench *b, int cpu, struct mm_space *space, uint64_t page, bool write)
{
	phys_addr_t at;

	return mm_user_access(b->mm, cpu, space, b->at + page * PAGE, write, &at);
}

static struct mm_space_info info_of(const struct bench *b, const struct mm_space *space)
{
	struct mm_space_info info;

	mm_space_info(b->mm, space, &info);
	return info;
}

/* n pages: n faults, n pages zeroed, and the three tables below the topmost one. */
Test(user, touching_n_pages_zeroes_n_and_three_tables)
{
	struct bench b;

	set_up(&b, &two, 40 * PAGE);
	for (uint64_t i = 0; i < 40; i++)
		cr_assert_eq(touch(&b, 0, b.space, i, true), MM_USER_SMALL);
	for (uint64_t i = 0; i < 40; i++)
		cr_assert_eq(touch(&b, 0, b.space, i, true), MM_USER_PRESENT);
	cr_expect_eq(count_work(&b.rec, MM_SITE_FAULT), 40);
	cr_expect_eq(count_work(&b.rec, MM_SITE_ZERO), 40 + 3);
	cr_expect_eq(count_events(&b.rec, MM_EVENT_PAGE_ALLOC), 40 + 3);
	cr_expect_eq(info_of(&b, b.space).anon, 40);
	cr_expect_eq(info_of(&b, b.space).tables, 4);
	cr_expect_eq(mm_vm_event(b.mm, MM_VM_PGFAULT), 40);
	tear_down(&b);
}

Test(user, a_load_maps_the_zero_page_and_a_store_then_a_page)
{
	struct bench b;
	phys_addr_t first, second;

	set_up(&b, &two, 2 * PAGE);
	cr_assert_eq(mm_user_access(b.mm, 0, b.space, b.at, false, &first), MM_USER_MINOR);
	cr_assert_eq(mm_user_access(b.mm, 0, b.space, b.at + PAGE, false, &second), MM_USER_MINOR);
	cr_expect_eq(first, second);
	cr_expect_eq(info_of(&b, b.space).anon, 0);
	cr_assert_eq(mm_user_access(b.mm, 0, b.space, b.at, true, &second), MM_USER_SMALL);
	cr_expect_neq(first, second);
	cr_expect_eq(touch(&b, 0, b.space, 2, true), -EFAULT);
	tear_down(&b);
}

/* The child writes k of n: k copies. The parent then writes all: n - k copies, k are its alone. */
Test(user, fork_copies_what_is_written)
{
	struct bench b;
	struct mm_space *child;

	set_up(&b, &two, 40 * PAGE);
	for (uint64_t i = 0; i < 40; i++)
		touch(&b, 0, b.space, i, true);
	cr_assert_eq(mm_space_fork(b.mm, 0, b.space, "b", &child), 0);
	record_from_here(&b.rec);
	cr_expect_eq(touch(&b, 1, child, 0, false), MM_USER_PRESENT);
	for (uint64_t i = 0; i < 15; i++)
		cr_assert_eq(touch(&b, 1, child, i, true), MM_USER_COPY);
	cr_expect_eq(count_work(&b.rec, MM_SITE_COPY), 15);
	cr_expect_eq(count_work(&b.rec, MM_SITE_ZERO), 0);
	must_verify(b.mm, "after the child's writes");
	for (uint64_t i = 0; i < 40; i++)
		cr_assert_eq(touch(&b, 0, b.space, i, true), i < 15 ? MM_USER_REUSE : MM_USER_COPY);
	cr_expect_eq(count_work(&b.rec, MM_SITE_COPY), 15 + 25);
	mm_space_exit(b.mm, 1, child);
	for (uint64_t i = 0; i < 40; i++)
		cr_assert_eq(touch(&b, 0, b.space, i, true), MM_USER_PRESENT);
	tear_down(&b);
}

Test(user, who_is_left_alone_copies_nothing)
{
	struct bench b;
	struct mm_space *child;

	set_up(&b, &two, 8 * PAGE);
	for (uint64_t i = 0; i < 8; i++)
		touch(&b, 0, b.space, i, true);
	mm_space_fork(b.mm, 0, b.space, "b", &child);
	mm_space_exit(b.mm, 0, child);
	record_from_here(&b.rec);
	for (uint64_t i = 0; i < 8; i++)
		cr_assert_eq(touch(&b, 0, b.space, i, true), MM_USER_REUSE);
	cr_expect_eq(count_work(&b.rec, MM_SITE_COPY), 0);
	cr_expect_eq(count_events(&b.rec, MM_EVENT_PAGE_ALLOC), 0);
	tear_down(&b);
}

Test(user, exit_and_munmap_free_all_of_it)
{
	struct bench b;
	struct mm_space *child;
	uint64_t before;

	b.mm = boot_recorded(&two, &b.rec);
	before = in_use(b.mm);
	mm_space_new(b.mm, 0, "a", NULL, &b.space);
	mm_mmap(b.mm, 0, b.space, &(struct mm_mmap_args){.bytes = 1200 * PAGE}, &b.at);
	for (uint64_t i = 0; i < 1200; i++)
		touch(&b, 0, b.space, i, true);
	mm_space_fork(b.mm, 0, b.space, "b", &child);
	/* A part from the middle: two ranges are left. */
	cr_assert_eq(mm_munmap(b.mm, 0, b.space, b.at + 100 * PAGE, 1000 * PAGE), 0);
	cr_expect_eq(info_of(&b, b.space).anon, 200);
	cr_expect_eq(info_of(&b, child).anon, 1200);
	must_verify(b.mm, "after munmap");
	cr_assert_eq(mm_space_exec(b.mm, 0, b.space), 0);
	cr_expect_eq(info_of(&b, b.space).tables, 1);
	mm_space_exit(b.mm, 0, child);
	mm_space_exit(b.mm, 0, b.space);
	cr_expect_eq(in_use(b.mm), before);
	tear_down(&b);
}

Test(user, mlock_faults_in_and_keeps)
{
	struct bench b;

	set_up(&b, &two, 40 * PAGE);
	touch(&b, 0, b.space, 3, true);
	cr_assert_eq(mm_mlock(b.mm, 0, b.space, b.at + 2 * PAGE, 20 * PAGE, true), 0);
	mm_lru_drain(b.mm, 0);
	cr_expect_eq(info_of(&b, b.space).anon, 20);
	cr_expect_eq(info_of(&b, b.space).locked, 20);
	cr_expect_eq(mm_lru_size(b.mm, 0, 0, MM_LRU_UNEVICTABLE) +
			     mm_lru_size(b.mm, 0, 1, MM_LRU_UNEVICTABLE),
		     20);
	cr_assert_eq(mm_mlock(b.mm, 0, b.space, b.at, 40 * PAGE, false), 0);
	cr_expect_eq(mm_lru_size(b.mm, 0, 0, MM_LRU_UNEVICTABLE) +
			     mm_lru_size(b.mm, 0, 1, MM_LRU_UNEVICTABLE),
		     0);
	tear_down(&b);
}

/* A shared mapping is the same memory in parent and child; a private one of a file is copied. */
Test(user, shared_is_shared_and_private_is_copied)
{
	struct bench b;
	struct mm_space *child;
	struct mm_file *file;
	uint64_t shared, private;
	phys_addr_t one, other;

	set_up(&b, &two, PAGE);
	file = mm_file_open(b.mm, "/data/f", false);
	mm_mmap(b.mm, 0, b.space, &(struct mm_mmap_args){.bytes = 4 * PAGE, .shared = true},
		&shared);
	mm_mmap(b.mm, 0, b.space, &(struct mm_mmap_args){.bytes = 4 * PAGE, .file = file},
		&private);
	cr_expect_eq(mm_user_access(b.mm, 0, b.space, private, false, &one), MM_USER_MAJOR);
	cr_expect_eq(mm_user_access(b.mm, 0, b.space, shared, true, &one), MM_USER_SMALL);
	mm_space_fork(b.mm, 0, b.space, "b", &child);
	cr_expect_eq(mm_user_access(b.mm, 1, child, shared, true, &other), MM_USER_MINOR);
	cr_expect_eq(one, other);
	cr_expect_eq(mm_user_access(b.mm, 0, b.space, private, false, &one), MM_USER_PRESENT);
	cr_expect_eq(mm_user_access(b.mm, 1, child, private, true, &other), MM_USER_COPY);
	cr_expect_neq(one, other);
	cr_expect_eq(info_of(&b, b.space).shmem, 1);
	cr_expect_eq(info_of(&b, b.space).file, 1);
	mm_space_exit(b.mm, 0, child);
	tear_down(&b);
}

static const struct machine large = {
	.model = MM_SPARSE_VMEMMAP,
	.memory = {{0, 64 * MiB, 0}, {64 * MiB, 64 * MiB, 1}},
	.cpus = {1, 1},
};

/* A huge page is one fault and 512 pages zeroed, and its table is laid aside; a store to one part
 * after fork splits the entry and copies that part only. */
Test(user, a_huge_page_is_copied_in_parts)
{
	struct bench b;
	struct mm_space *child;

	set_up(&b, &large, 4 * MiB);
	b.mm->params.thp = MM_THP_ALWAYS;
	cr_assert_eq(touch(&b, 0, b.space, 7, true), MM_USER_HUGE);
	cr_expect_eq(count_work(&b.rec, MM_SITE_ZERO), 512 + 3);
	cr_expect_eq(touch(&b, 0, b.space, 511, true), MM_USER_PRESENT);
	cr_assert_eq(mm_space_fork(b.mm, 0, b.space, "b", &child), 0);
	must_verify(b.mm, "after fork");
	record_from_here(&b.rec);
	cr_assert_eq(touch(&b, 1, child, 9, true), MM_USER_COPY);
	cr_expect_eq(count_work(&b.rec, MM_SITE_COPY), 1);
	cr_expect_eq(mm_vm_event(b.mm, MM_VM_THP_SPLIT_PMD), 1);
	cr_expect_eq(info_of(&b, child).anon, 512);
	cr_expect_eq(info_of(&b, child).huge, 0);
	cr_expect_eq(info_of(&b, b.space).huge, 1);
	must_verify(b.mm, "after the copy");
	mm_space_exit(b.mm, 0, child);
	cr_assert_eq(touch(&b, 0, b.space, 9, true), MM_USER_REUSE);
	cr_assert_eq(mm_munmap(b.mm, 0, b.space, b.at + 5 * PAGE, PAGE), 0);
	cr_expect_eq(info_of(&b, b.space).anon, 511);
	tear_down(&b);
}

Test(user, policies_decide_where_pages_go_and_numa_maps_tells)
{
	struct bench b;
	struct mm_policy bind = {.mode = MM_POLICY_BIND, .home_nid = MM_NO_NODE};
	struct mm_policy both = {.mode = MM_POLICY_INTERLEAVE, .home_nid = MM_NO_NODE};
	char line[256], want[256];

	mm_nodemask_set(&bind.nodes, 1);
	mm_nodemask_set(&both.nodes, 0);
	mm_nodemask_set(&both.nodes, 1);
	set_up(&b, &two, 10 * PAGE);
	for (uint64_t i = 0; i < 10; i++)
		touch(&b, 0, b.space, i, true);
	cr_assert_eq(mm_mbind(b.mm, 0, b.space, b.at, 4 * PAGE, &bind, true), 0);
	cr_assert_eq(mm_mbind(b.mm, 0, b.space, b.at + 6 * PAGE, 4 * PAGE, &both, false), 0);
	must_verify(b.mm, "after mbind");
	snprintf(want, sizeof(want),
		 "%08lx bind:1 anon=4 dirty=4 active=0 N1=4 kernelpagesize_kB=4", b.at);
	cr_assert(mm_numa_maps_line(b.mm, b.space, 0, line, sizeof(line)));
	cr_expect_str_eq(line, want);
	snprintf(want, sizeof(want),
		 "%08lx default anon=2 dirty=2 active=0 N0=2 kernelpagesize_kB=4", b.at + 4 * PAGE);
	cr_assert(mm_numa_maps_line(b.mm, b.space, 1, line, sizeof(line)));
	cr_expect_str_eq(line, want);
	snprintf(want, sizeof(want),
		 "%08lx interleave:0-1 anon=4 dirty=4 active=0 N0=4 kernelpagesize_kB=4",
		 b.at + 6 * PAGE);
	cr_assert(mm_numa_maps_line(b.mm, b.space, 2, line, sizeof(line)));
	cr_expect_str_eq(line, want);
	cr_expect_not(mm_numa_maps_line(b.mm, b.space, 3, line, sizeof(line)));
	cr_expect_eq(mm_space_migrate(b.mm, 0, b.space, 1), 0);
	mm_numa_maps_line(b.mm, b.space, 2, line, sizeof(line));
	cr_expect(strstr(line, " N1=4 "), "%s", line);
	tear_down(&b);
}

Test(user, what_does_not_go_together_is_refused)
{
	struct bench b;
	uint64_t at;

	set_up(&b, &two, PAGE);
	cr_expect_eq(mm_mmap(b.mm, 0, b.space, &(struct mm_mmap_args){.bytes = 0}, &at), -EINVAL);
	cr_expect_eq(mm_mmap(b.mm, 0, b.space,
			     &(struct mm_mmap_args){.bytes = PAGE, .hugetlb = true}, &at),
		     -EINVAL);
	cr_expect_eq(mm_mmap(b.mm, 0, b.space,
			     &(struct mm_mmap_args){.bytes = 2 * MiB, .hugetlb = true}, &at),
		     -ENOMEM);
	cr_expect_eq(mm_mmap(b.mm, 0, b.space, &(struct mm_mmap_args){.bytes = UINT64_MAX}, &at),
		     -ENOMEM);
	cr_expect_eq(mm_munmap(b.mm, 0, b.space, b.at + 1, PAGE), -EINVAL);
	tear_down(&b);
}

/* A range of the pool sets its pages apart; what was not used of it is given back with it. */
Test(user, ranges_of_the_pool_reserve_and_return)
{
	struct machine m = large;
	struct mm_hugetlb_info info;
	struct bench b;
	uint64_t at;

	m.hugepages = 4;
	set_up(&b, &m, PAGE);
	cr_assert_eq(mm_mmap(b.mm, 0, b.space,
			     &(struct mm_mmap_args){.bytes = 6 * MiB, .hugetlb = true}, &at),
		     0);
	cr_expect_eq(mm_mmap(b.mm, 0, b.space,
			     &(struct mm_mmap_args){.bytes = 4 * MiB, .hugetlb = true}, &b.at),
		     -ENOMEM);
	b.at = at;
	cr_expect_eq(touch(&b, 0, b.space, 513, true), MM_USER_HUGE);
	mm_hugetlb_info(b.mm, 0, MM_NO_NODE, &info);
	cr_expect_eq(info.free, 3);
	cr_expect_eq(info.reserved, 2);
	mm_space_exit(b.mm, 0, b.space);
	mm_hugetlb_info(b.mm, 0, MM_NO_NODE, &info);
	cr_expect_eq(info.free, 4);
	cr_expect_eq(info.reserved, 0);
	tear_down(&b);
}

/* Frames of users are counted in chunks; the last one need not end where memory does. */
Test(user, is_verified_where_memory_ends_within_a_chunk)
{
	struct bench b;
	struct machine m = {.memory = {{0, 8 * MiB + 12 * KiB, 0}}, .no_thp = true};
	phys_addr_t at;

	set_up(&b, &m, 300 * PAGE);
	for (uint64_t i = 0; i < 300; i++)
		cr_assert_eq(mm_user_access(b.mm, 0, b.space, b.at + i * PAGE, true, &at),
			     MM_USER_SMALL);
	tear_down(&b);
}

/* Which allocation brought the page of that address. */
static size_t when_allocated(struct bench *b, phys_addr_t at)
{
	size_t nr = 0;

	for (size_t i = 0; i < b->rec.nr; i++) {
		const struct record *r = &b->rec.records[i];

		if (r->kind != REC_EVENT || r->event.type != MM_EVENT_PAGE_ALLOC)
			continue;
		if (r->event.pfn == at / PAGE)
			return nr;
		nr++;
	}
	cr_assert_fail("no page was allocated at %#lx", at);
	return 0;
}

/*
 * A store to a private mapping of what is on a disk: memory for the copy is there before the file's
 * page is (do_cow_fault()), and reading that makes the fault a major one, though a copy came of it.
 */
Test(user, a_private_store_has_its_page_before_the_file_is_read)
{
	struct bench b;
	struct mm_file *file;
	uint64_t private;
	phys_addr_t copy, original;

	set_up(&b, &two, PAGE);
	file = mm_file_open(b.mm, "/data/f", false);
	mm_mmap(b.mm, 0, b.space, &(struct mm_mmap_args){.bytes = PAGE, .file = file}, &private);
	record_from_here(&b.rec);
	cr_expect_eq(mm_user_access(b.mm, 0, b.space, private, true, &copy), MM_USER_COPY);
	mm_file_access(b.mm, 0, b.space, file, 0, 0, false, true, &original);
	cr_expect_neq(copy, original);
	cr_expect_lt(when_allocated(&b, copy), when_allocated(&b, original));
	cr_expect_eq(info_of(&b, b.space).faults, 1);
	cr_expect_eq(info_of(&b, b.space).major, 1);
	cr_expect_eq(info_of(&b, b.space).copied, 1);
	cr_expect_eq(mm_vm_event(b.mm, MM_VM_PGMAJFAULT), 1);
	/* The next one finds it in memory. */
	mm_mmap(b.mm, 0, b.space, &(struct mm_mmap_args){.bytes = PAGE, .file = file}, &private);
	cr_expect_eq(mm_user_access(b.mm, 0, b.space, private, true, &copy), MM_USER_COPY);
	cr_expect_eq(info_of(&b, b.space).major, 1);
	tear_down(&b);
}

/* read() of a tmpfs that has nothing there copies zeroes and allocates nothing; a load of a mapping
 * makes a page, and so does write(). */
Test(user, a_hole_of_tmpfs_is_read_from_the_zero_page)
{
	struct bench b;
	struct mm_file *file;
	uint64_t at;
	phys_addr_t zero, again, page;

	set_up(&b, &two, PAGE);
	file = mm_file_open(b.mm, "/dev/shm/f", true);
	mm_file_extend(file, 8);
	cr_expect_eq(mm_file_access(b.mm, 0, b.space, file, 3, 0, false, true, &zero),
		     MM_USER_PRESENT);
	cr_expect_eq(mm_file_access(b.mm, 0, b.space, file, 7, 0, false, false, &again),
		     MM_USER_PRESENT);
	cr_expect_eq(zero, again);
	cr_expect_eq(count_events(&b.rec, MM_EVENT_PAGE_ALLOC), 0);
	cr_expect_eq(mm_file_access(b.mm, 0, b.space, file, 3, 0, true, true, &page),
		     MM_USER_SMALL);
	cr_expect_neq(page, zero);
	cr_expect_eq(mm_file_access(b.mm, 0, b.space, file, 3, 0, false, true, &again),
		     MM_USER_PRESENT);
	cr_expect_eq(again, page);
	mm_mmap(b.mm, 0, b.space,
		&(struct mm_mmap_args){.bytes = 8 * PAGE, .file = file, .shared = true}, &at);
	cr_expect_eq(mm_user_access(b.mm, 0, b.space, at + 7 * PAGE, false, &page), MM_USER_SMALL);
	cr_expect_neq(page, zero);
	tear_down(&b);
}

/* Nobody has to be told of a store to tmpfs: what a load maps of a shared mapping, or around it,
 * may be written at once. A disk's file is told, and a private mapping copies. */
Test(user, a_load_of_shared_tmpfs_maps_writable)
{
	static const struct {
		const char *name;
		bool tmpfs, shared;
		int store;
	} kinds[] = {
		{"/dev/shm/f", true, true, MM_USER_PRESENT},
		{"/dev/shm/g", true, false, MM_USER_COPY},
		{"/data/f", false, true, MM_USER_REUSE},
	};
	struct bench b;

	set_up(&b, &two, PAGE);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct mm_mmap_args args = {.bytes = 4 * PAGE, .shared = kinds[i].shared};
		phys_addr_t phys;
		uint64_t at;

		args.file = mm_file_open(b.mm, kinds[i].name, kinds[i].tmpfs);
		mm_file_extend(args.file, 4);
		for (uint64_t page = 0; page < 4; page++)
			mm_file_access(b.mm, 0, b.space, args.file, page, 0, true, true, &phys);
		cr_assert_eq(mm_mmap(b.mm, 0, b.space, &args, &at), 0);
		cr_expect_eq(mm_user_access(b.mm, 0, b.space, at, false, &phys), MM_USER_MINOR);
		for (uint64_t page = 0; page < 4; page++)
			cr_expect_eq(
				mm_user_access(b.mm, 0, b.space, at + page * PAGE, true, &phys),
				kinds[i].store, "%s, page %lu", kinds[i].name, page);
	}
	tear_down(&b);
}

/*
 * Pages that are unmapped together are freed together: first all are told of, the last one
 * first, then each goes to the CPU's list. A real kernel's exits do that 510 pages at a
 * time.
 */
Test(user, pages_of_a_batch_are_freed_last_one_first)
{
	struct bench b;
	pfn_t pfns[40];
	size_t freed = 0, listed = 0;

	set_up(&b, &two, 40 * PAGE);
	for (uint64_t i = 0; i < 40; i++) {
		phys_addr_t at;

		cr_assert_geq(mm_user_access(b.mm, 0, b.space, b.at + i * PAGE, true, &at), 0);
		pfns[i] = at / PAGE;
	}
	mm_lru_drain(b.mm, 0);
	record_from_here(&b.rec);
	cr_assert_eq(mm_munmap(b.mm, 0, b.space, b.at, 40 * PAGE), 0);
	for (size_t i = 0; i < b.rec.nr; i++) {
		const struct record *r = &b.rec.records[i];

		if (r->kind != REC_EVENT)
			continue;
		if (r->event.type == MM_EVENT_PAGE_FREE && freed < 40) {
			cr_expect_eq(listed, 0);
			cr_expect_eq(r->event.pfn, pfns[39 - freed++]);
		} else if (r->event.type == MM_EVENT_FREE_BATCHED) {
			cr_expect_eq(r->event.pfn, pfns[39 - listed++]);
		}
	}
	cr_expect_eq(freed, 40);
	cr_expect_eq(listed, 40);
	tear_down(&b);
}
