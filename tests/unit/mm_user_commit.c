/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is promised to processes, by vm.overcommit_memory, and how much a tmpfs holds. 32 MiB of RAM
 * have 8192 pages, all of them managed; 8 MiB of swap 2048.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "../mm_fixture.h"
#include "mm/reclaim/lru.h"
#include "mm/user/user.h"

#define PAGE UINT64_C(4096)
#define RAM  UINT64_C(8192)
#define SWAP UINT64_C(2048)

static const struct machine small = {
	.model = MM_SPARSE_VMEMMAP,
	.memory = {{0, 32 * MiB, 0}},
	.cpus = {1},
	.no_thp = true,
};

struct bench {
	struct mm *mm;
	struct mm_space *space;
	uint64_t at;
};

static void set_up(struct bench *b)
{
	b->mm = boot(&small);
	cr_assert_eq(mm_set_swap(b->mm, SWAP), 0);
	cr_assert_eq(zone_info(b->mm, 0, 0).managed + zone_info(b->mm, 0, 1).managed, RAM);
	cr_assert_eq(mm_space_new(b->mm, 0, "a", NULL, &b->space), 0);
}

static void tear_down(struct bench *b)
{
	must_verify(b->mm, "at the end");
	mm_destroy(b->mm);
}

static void set(struct bench *b, const char *key, const char *value)
{
	struct mm_refusal refusal;

	cr_assert_eq(mm_sysctl(b->mm, key, value, &refusal), 0, "%s", refusal.why);
}

static int map(struct bench *b, uint64_t pages, struct mm_mmap_args args)
{
	args.bytes = pages * PAGE;
	return mm_mmap(b->mm, 0, b->space, &args, &b->at);
}

/* 0: only what could never be had is refused, however much there is of it. */
Test(commit, a_guess_refuses_what_is_more_than_all)
{
	struct bench b;

	set_up(&b);
	cr_expect_eq(map(&b, RAM + SWAP + 1, (struct mm_mmap_args){0}), -ENOMEM);
	cr_expect_eq(mm_committed(b.mm), 0);
	for (int i = 0; i < 3; i++)
		cr_expect_eq(map(&b, RAM + SWAP, (struct mm_mmap_args){0}), 0);
	cr_expect_eq(mm_committed(b.mm), 3 * (RAM + SWAP));
	cr_expect_eq(map(&b, RAM + SWAP + 1, (struct mm_mmap_args){.noreserve = true}), 0);
	cr_expect_eq(mm_committed(b.mm), 3 * (RAM + SWAP), "MAP_NORESERVE");
	cr_assert_eq(mm_munmap(b.mm, 0, b.space, b.at, PAGE), 0);
	mm_space_exit(b.mm, 0, b.space);
	cr_expect_eq(mm_committed(b.mm), 0);
	tear_down(&b);
}

Test(commit, always_refuses_nothing)
{
	struct bench b;

	set_up(&b);
	set(&b, "overcommit_memory", "1");
	cr_expect_eq(map(&b, 100 * RAM, (struct mm_mmap_args){0}), 0);
	cr_expect_eq(mm_committed(b.mm), 100 * RAM);
	tear_down(&b);
}

/*
 * 2: as much as 50 % of RAM and all swap, 6144 pages, less what is kept for root: 1/32 of RAM at
 * boot. All is free then, 8192 pages: 1024 KiB, 256 pages. A process leaves 1/32 of its own size,
 * too: of 2944 pages 92. What is promised stays below the limit.
 */
Test(commit, never_keeps_within_the_limit)
{
	struct bench b;
	const uint64_t limit = RAM / 2 + SWAP - 256;

	set_up(&b);
	set(&b, "overcommit_memory", "2");
	cr_expect_eq(mm_commit_limit(b.mm), RAM / 2 + SWAP);
	cr_expect_eq(map(&b, limit, (struct mm_mmap_args){0}), -ENOMEM);
	cr_expect_eq(map(&b, limit, (struct mm_mmap_args){.noreserve = true}), -ENOMEM);
	cr_expect_eq(map(&b, 2944, (struct mm_mmap_args){0}), 0);
	cr_expect_eq(map(&b, limit - 2944 - 92, (struct mm_mmap_args){0}), -ENOMEM);
	cr_expect_eq(map(&b, limit - 2944 - 92 - 1, (struct mm_mmap_args){0}), 0);
	/* No more for anybody; what is given back can be had again. */
	cr_expect_eq(map(&b, 1, (struct mm_mmap_args){0}), -ENOMEM);
	cr_assert_eq(mm_munmap(b.mm, 0, b.space, b.at, 100 * PAGE), 0);
	cr_expect_eq(map(&b, 1, (struct mm_mmap_args){0}), 0);
	tear_down(&b);
}

Test(commit, the_limit_is_by_ratio_or_kbytes)
{
	struct bench b;

	set_up(&b);
	set(&b, "overcommit_ratio", "25");
	cr_expect_eq(mm_commit_limit(b.mm), RAM / 4 + SWAP);
	set(&b, "overcommit_kbytes", "4000");
	cr_expect_eq(mm_commit_limit(b.mm), 1000 + SWAP);
	set(&b, "overcommit_ratio", "100");
	cr_expect_eq(mm_commit_limit(b.mm), RAM + SWAP);
	tear_down(&b);
}

/* A child is promised what the parent was. */
Test(commit, fork_needs_as_much_again)
{
	struct bench b;
	struct mm_space *child;

	set_up(&b);
	cr_assert_eq(map(&b, 3000, (struct mm_mmap_args){0}), 0);
	cr_assert_eq(map(&b, 1000, (struct mm_mmap_args){.shared = true}), 0);
	cr_expect_eq(mm_committed(b.mm), 4000);
	cr_assert_eq(mm_space_fork(b.mm, 0, b.space, "b", &child), 0);
	cr_expect_eq(mm_committed(b.mm), 7000);
	mm_space_exit(b.mm, 0, child);
	set(&b, "overcommit_memory", "2");
	cr_expect_eq(mm_space_fork(b.mm, 0, b.space, "b", &child), -ENOMEM);
	cr_expect_eq(mm_committed(b.mm), 4000);
	tear_down(&b);
}

/* Half of RAM; beyond it write() has ENOSPC, a fault SIGBUS. Both mean the same pages. */
Test(commit, a_tmpfs_holds_half_of_ram)
{
	struct bench b;
	struct mm_file *file;
	phys_addr_t at;

	set_up(&b);
	file = mm_file_open(b.mm, "/dev/shm/f", true);
	for (uint64_t i = 0; i < RAM / 2; i++)
		cr_assert_geq(mm_file_access(b.mm, 0, b.space, file, i, 0, true, true, &at), 0);
	cr_expect_eq(mm_committed(b.mm), RAM / 2);
	cr_expect_eq(mm_file_access(b.mm, 0, b.space, file, RAM / 2, 0, true, true, &at), -ENOSPC);
	cr_expect_geq(mm_file_access(b.mm, 0, b.space, file, 0, 0, true, true, &at), 0);
	cr_assert_eq(
		map(&b, 4,
		    (struct mm_mmap_args){.file = file, .offset = RAM / 2 * PAGE, .shared = true}),
		0);
	cr_expect_eq(mm_user_access(b.mm, 0, b.space, b.at, true, &at), -EIO);
	/* Shared memory without a name is of no mount. */
	cr_assert_eq(map(&b, 4, (struct mm_mmap_args){.shared = true}), 0);
	cr_expect_geq(mm_user_access(b.mm, 0, b.space, b.at, true, &at), 0);
	mm_file_drop(b.mm, 0, file);
	cr_expect_eq(mm_committed(b.mm), 4);
	cr_expect_geq(mm_file_access(b.mm, 0, b.space, file, RAM / 2, 0, true, true, &at), 0);
	tear_down(&b);
}
