/* SPDX-License-Identifier: Apache-2.0 */
/* Dentries and inodes: what a stat makes, and what shrinking takes, in closed form. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../mm_fixture.h"
#include "mm/reclaim/vmscan.h"
#include "mm/slab/dcache.h"
#include "mm/slab/slab.h"

#define FILES 1000

static const struct machine one = {
	.model = MM_SPARSE_VMEMMAP,
	.memory = {{0, 64 * MiB, 0}},
	.cpus = {2},
};

static void stat_all(struct mm *mm, struct mm_directory *d, int want)
{
	for (uint64_t i = 0; i < FILES; i++)
		cr_assert_eq(mm_directory_stat(mm, (int)(i % 2), d, i), want);
	must_verify(mm, "after stat");
}

static void must_have(const struct mm_directory *d, uint64_t dentries, uint64_t inodes)
{
	uint64_t have[2];

	mm_directory_info(d, &have[0], &have[1]);
	cr_expect(have[0] == dentries && have[1] == inodes, "%lu dentries, %lu inodes", have[0],
		  have[1]);
}

/* Objects of a cache in use. */
static uint64_t objects(const struct mm *mm, const char *cache)
{
	struct mm_slab_info info;

	for (unsigned i = 0; mm_slab_info(mm, i, &info); i++)
		if (!strcmp(info.name, cache))
			return info.allocated;
	return 0;
}

/* Returns what the pass counts as reclaimed, pages. */
static uint64_t shrink(struct mm *mm, int priority, gfp_t gfp)
{
	struct mm_scan sc = {.cpu = 0,
			     .kswapd = true,
			     .gfp = gfp,
			     .priority = priority,
			     .reclaim_idx = 3,
			     .nr_to_reclaim = 1000000};

	mm_shrink_node(mm, &mm->nodes[0], &sc);
	must_verify(mm, "after shrinking");
	return sc.nr_reclaimed;
}

Test(dcache, a_stat_makes_a_dentry_and_an_inode_once)
{
	struct mm *mm = boot(&one);
	struct mm_directory *d = mm_directory_open(mm, "/data", FILES);

	cr_assert_not_null(d);
	cr_expect_eq(mm_directory_open(mm, "/data", FILES), d);
	cr_expect_null(mm_directory_open(mm, "/data", FILES + 1), "another number of files");
	cr_expect_eq(mm_directory_stat(mm, 0, d, FILES), -EINVAL);
	stat_all(mm, d, MM_STAT_MISS);
	must_have(d, FILES, FILES);
	stat_all(mm, d, MM_STAT_HIT);
	must_have(d, FILES, FILES);
	cr_expect_eq(objects(mm, "dentry"), FILES);
	cr_expect_eq(objects(mm, "ext4_inode_cache"), FILES);
	mm_directory_clear(mm, 0, d);
	must_have(d, 0, 0);
	cr_expect_eq(objects(mm, "dentry"), 0);
	cr_expect_eq(objects(mm, "ext4_inode_cache"), 0);
	must_verify(mm, "cleared");
	mm_destroy(mm);
}

/*
 * Inodes are not on the list as long as they have a dentry: 1000 objects. At priority 2 a pass has
 * (1000 >> 2) * 4 / 2 = 500 of them, less than a batch of 1024 and than all, so they are put off; a
 * quarter of what was put off comes on top. The fifth pass has 2000 / 4 + 500 = 1000, which is all:
 * 1000 * 1000 / 1001 + 1 dentries, and one of the inodes that they leave.
 */
Test(dcache, what_is_too_little_is_put_off)
{
	struct mm *mm = boot(&one);
	struct mm_directory *d = mm_directory_open(mm, "/data", FILES);

	stat_all(mm, d, MM_STAT_MISS);
	for (int i = 0; i < 4; i++)
		shrink(mm, 2, GFP_KERNEL);
	cr_expect_eq(mm_vm_event(mm, MM_VM_SLABS_SCANNED), 0);
	must_have(d, FILES, FILES);
	shrink(mm, 2, GFP_KERNEL);
	cr_expect_eq(mm_vm_event(mm, MM_VM_SLABS_SCANNED), 1000);
	must_have(d, 0, FILES - 1);
	/* Found by their inodes. */
	cr_expect_eq(mm_directory_stat(mm, 0, d, FILES - 1), MM_STAT_INODE);
	must_have(d, 1, FILES - 1);
	mm_destroy(mm);
}

/* What was used twice goes round once more. Slabs without objects are pages that reclaim freed. */
Test(dcache, marked_ones_go_round)
{
	struct mm *mm = boot(&one);
	struct mm_directory *d = mm_directory_open(mm, "/data", FILES);
	uint64_t freed = 0;

	stat_all(mm, d, MM_STAT_MISS);
	stat_all(mm, d, MM_STAT_HIT);
	mm->params.vfs_cache_pressure = 50;
	/* 500 of 1000: 1000 scanned, no more than twice as many; all marks go. */
	cr_expect_eq(shrink(mm, 0, GFP_KERNEL), 0);
	cr_expect_eq(mm_vm_event(mm, MM_VM_SLABS_SCANNED), 1000);
	must_have(d, FILES, FILES);
	mm->params.vfs_cache_pressure = 100;
	cr_expect_eq(shrink(mm, 0, GFP_KERNEL & ~__GFP_FS), 0, "not without file systems");
	must_have(d, FILES, FILES);
	for (int i = 0; i < 4; i++)
		freed += shrink(mm, 0, GFP_KERNEL);
	must_have(d, 0, 0);
	/* 21 dentries a page, 27 inodes in 8: but for what CPUs and the node keep. */
	cr_expect(freed > (FILES / 21 + FILES / 27 * 8) / 2, "%lu pages", freed);
	mm_destroy(mm);
}

Test(dcache, without_pressure_nothing_goes)
{
	struct mm *mm = boot(&one);
	struct mm_directory *d = mm_directory_open(mm, "/data", FILES);

	stat_all(mm, d, MM_STAT_MISS);
	mm->params.vfs_cache_pressure = 0;
	shrink(mm, 0, GFP_KERNEL);
	must_have(d, FILES, FILES);
	cr_expect_eq(mm_vm_event(mm, MM_VM_SLABS_SCANNED), 0);
	mm_destroy(mm);
}
