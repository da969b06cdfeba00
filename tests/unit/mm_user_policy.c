/* SPDX-License-Identifier: Apache-2.0 */
/* Policies of files of tmpfs: by ranges of the file, whoever maps, reads or writes it. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../mm_fixture.h"
#include "mm/user/user.h"

static const struct machine two = {
	.model = MM_SPARSE_VMEMMAP,
	.memory = {{0, 64 * MiB, 0}, {64 * MiB, 64 * MiB, 1}},
	.cpus = {1, 1},
	.no_thp = true,
};

#define PAGE UINT64_C(4096)

struct bench {
	struct mm *mm;
	struct mm_space *space;
	struct mm_file *file;
	struct mm_policy on[2]; /* bind:N */
};

static void set_up(struct bench *b)
{
	b->mm = boot(&two);
	cr_assert_eq(mm_space_new(b->mm, 0, "a", NULL, &b->space), 0);
	b->file = mm_file_open(b->mm, "/dev/shm/f", true);
	for (int nid = 0; nid < 2; nid++) {
		b->on[nid] = (struct mm_policy){.mode = MM_POLICY_BIND, .home_nid = MM_NO_NODE};
		mm_nodemask_set(&b->on[nid].nodes, nid);
	}
}

static void tear_down(struct bench *b)
{
	must_verify(b->mm, "at the end");
	mm_destroy(b->mm);
}

/* Pages [first, first + nr) of the file. */
static uint64_t map(const struct bench *b, uint64_t first, uint64_t nr, bool shared)
{
	const struct mm_mmap_args args = {
		.bytes = nr * PAGE, .file = b->file, .offset = first * PAGE, .shared = shared};
	uint64_t at;

	cr_assert_eq(mm_mmap(b->mm, 0, b->space, &args, &at), 0);
	return at;
}

/* On which node the page is that CPU 0 comes to. */
static int node_of(const struct bench *b, uint64_t at, bool write)
{
	phys_addr_t phys;

	cr_assert_geq(mm_user_access(b->mm, 0, b->space, at, write, &phys), 0);
	return phys >= 64 * MiB;
}

static int written_on(const struct bench *b, uint64_t page)
{
	phys_addr_t phys;

	cr_assert_geq(mm_file_access(b->mm, 0, b->space, b->file, page, 0, true, true, &phys), 0);
	return phys >= 64 * MiB;
}

/* Pages 4 to 7 of 12 are bound to node 1; the others go by the task, to CPU 0's node. */
Test(user_policy, a_part_of_a_shared_mapping_is_bound)
{
	static const int want[12] = {[4] = 1, 1, 1, 1};
	struct bench b;
	uint64_t at;

	set_up(&b);
	at = map(&b, 0, 12, true);
	cr_assert_eq(mm_mbind(b.mm, 0, b.space, at + 4 * PAGE, 4 * PAGE, &b.on[1], false), 0);
	for (uint64_t i = 0; i < 12; i += 2)
		cr_expect_eq(node_of(&b, at + i * PAGE, true), want[i], "page %lu", i);
	/* Whoever writes the file, without mapping it, or maps it elsewhere: the same. */
	for (uint64_t i = 1; i < 12; i += 4)
		cr_expect_eq(written_on(&b, i), want[i], "page %lu", i);
	cr_assert_eq(mm_munmap(b.mm, 0, b.space, at, 12 * PAGE), 0);
	at = map(&b, 3, 9, true);
	cr_expect_eq(node_of(&b, at, true), 0);
	cr_expect_eq(node_of(&b, at + 4 * PAGE, true), 1);
	cr_expect_eq(node_of(&b, at + 8 * PAGE, true), 0);
	tear_down(&b);
}

/* A later one takes its part of an earlier one's range, and DEFAULT all of its part. */
Test(user_policy, ranges_of_a_file_are_cut)
{
	static const int want[16] = {[2] = 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1};
	struct bench b;
	struct mm_policy zero;
	uint64_t at;

	set_up(&b);
	zero = b.on[0];
	at = map(&b, 0, 16, true);
	cr_assert_eq(mm_mbind(b.mm, 0, b.space, at + 2 * PAGE, 14 * PAGE, &b.on[1], false), 0);
	cr_assert_eq(mm_mbind(b.mm, 0, b.space, at + 5 * PAGE, 2 * PAGE, &zero, false), 0);
	cr_assert_eq(mm_mbind(b.mm, 0, b.space, at + 10 * PAGE, 3 * PAGE, NULL, false), 0);
	for (uint64_t i = 0; i < 16; i++)
		cr_expect_eq(node_of(&b, at + i * PAGE, true), want[i], "page %lu", i);
	tear_down(&b);
}

/* As in 6.1, where shmem_set_policy() does not ask whether the mapping is shared. */
Test(user_policy, private_mappings_of_tmpfs_have_those_of_the_file)
{
	struct bench b;
	uint64_t shared, own;

	set_up(&b);
	shared = map(&b, 0, 4, true);
	own = map(&b, 0, 4, false);
	cr_assert_eq(mm_mbind(b.mm, 0, b.space, shared, PAGE, &b.on[1], false), 0);
	cr_assert_eq(mm_mbind(b.mm, 0, b.space, own + PAGE, PAGE, &b.on[1], false), 0);
	cr_expect_eq(node_of(&b, own, true), 1, "its copy");
	cr_expect_eq(node_of(&b, shared + PAGE, true), 1, "the file's page");
	cr_expect_eq(node_of(&b, shared + 2 * PAGE, true), 0);
	tear_down(&b);
}

/* Of a disk's file the range alone has it, for copies; the page cache goes by the task. */
Test(user_policy, other_files_have_none)
{
	struct bench b;
	uint64_t one, two_at;

	set_up(&b);
	b.file = mm_file_open(b.mm, "/data/f", false);
	one = map(&b, 0, 4, false);
	two_at = map(&b, 0, 4, false);
	cr_assert_eq(mm_mbind(b.mm, 0, b.space, one + PAGE, 2 * PAGE, &b.on[1], false), 0);
	cr_expect_eq(node_of(&b, one + PAGE, false), 0, "the page cache");
	cr_expect_eq(node_of(&b, one + PAGE, true), 1, "its copy");
	cr_expect_eq(node_of(&b, one + 3 * PAGE, true), 0, "beside the part");
	cr_expect_eq(node_of(&b, two_at + PAGE, true), 0, "another mapping");
	tear_down(&b);
}

/* mount -o mpol=: all of a file, until a part is bound. */
Test(user_policy, a_mount_has_one_for_all)
{
	struct bench b;
	uint64_t at;

	set_up(&b);
	cr_assert_eq(mm_file_set_policy(b.file, &b.on[1]), 0);
	at = map(&b, 7, 4, true);
	cr_assert_eq(mm_mbind(b.mm, 0, b.space, at + PAGE, PAGE, &b.on[0], false), 0);
	cr_expect_eq(node_of(&b, at, true), 1);
	cr_expect_eq(node_of(&b, at + PAGE, true), 0);
	cr_expect_eq(node_of(&b, at + 2 * PAGE, true), 1);
	tear_down(&b);
}
