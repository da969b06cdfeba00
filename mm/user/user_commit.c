/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is promised to processes (vm_committed_as), whether more may be (vm.overcommit_memory), and
 * how much a tmpfs may hold. Follows Linux 6.1 mm/util.c __vm_enough_memory() and mm/shmem.c
 * shmem_inode_acct_block().
 *
 *	pages = sizes of ranges that are accounted + sizes of unnamed files + pages of named tmpfs
 *	tmpfs_pages = pages of named tmpfs, in memory or swap
 */
#include <errno.h>

#include "mm/huge/hugetlb.h"
#include "mm/user/user_state.h"

#define USER_RESERVE_KB  (128 << 10) /* init_user_reserve() */
#define ADMIN_RESERVE_KB (8 << 10)   /* init_admin_reserve() */

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t kb_pages(const struct mm *mm, uint64_t kb)
{
	return kb >> (mm->arch->page_shift - 10);
}

/* 1/32 of what is free, at most so much. */
static void set_reserve(const struct mm *mm, uint64_t *kbytes, uint64_t most)
{
	*kbytes = smaller((mm->free_at_init << (mm->arch->page_shift - 10)) / 32, most);
}

void mm_commit_init(struct mm *mm)
{
	mm->commit.ratio = 50;
	set_reserve(mm, &mm->commit.user_reserve_kbytes, USER_RESERVE_KB);
	set_reserve(mm, &mm->commit.admin_reserve_kbytes, ADMIN_RESERVE_KB);
}

void mm_commit_renew(struct mm *mm)
{
	struct mm_commit *c = &mm->commit;

	if (c->user_reserve_kbytes && c->user_reserve_kbytes < USER_RESERVE_KB)
		set_reserve(mm, &c->user_reserve_kbytes, USER_RESERVE_KB);
	if (c->admin_reserve_kbytes && c->admin_reserve_kbytes < ADMIN_RESERVE_KB)
		set_reserve(mm, &c->admin_reserve_kbytes, ADMIN_RESERVE_KB);
}

void mm_commit_ratio_written(struct mm *mm)
{
	mm->commit.kbytes = 0;
}

void mm_commit_kbytes_written(struct mm *mm)
{
	mm->commit.ratio = 0;
}

uint64_t mm_commit_limit(const struct mm *mm)
{
	const struct mm_commit *c = &mm->commit;

	if (c->kbytes)
		return kb_pages(mm, c->kbytes) + mm->swap_pages;
	return (mm_managed_pages(mm) - mm_hugetlb_pages(mm)) * c->ratio / 100 + mm->swap_pages;
}

uint64_t mm_committed(const struct mm *mm)
{
	return mm->commit.pages;
}

/* Pages of all its ranges (total_vm). */
static uint64_t size_of(const struct mm *mm, const struct mm_space *space)
{
	uint64_t bytes = 0;

	for (const struct mm_vma *v = space ? space->vmas : NULL; v; v = v->next)
		bytes += v->end - v->start;
	return bytes >> mm->arch->page_shift;
}

/* Processes have no CAP_SYS_ADMIN. */
static bool is_enough(const struct mm *mm, const struct mm_space *space, uint64_t pages)
{
	const struct mm_commit *c = &mm->commit;
	uint64_t limit, kept;

	if (c->memory == MM_OVERCOMMIT_ALWAYS)
		return true;
	if (c->memory == MM_OVERCOMMIT_GUESS)
		return pages <= mm_managed_pages(mm) + mm->swap_pages;
	limit = mm_commit_limit(mm);
	kept = kb_pages(mm, c->admin_reserve_kbytes) +
	       smaller(size_of(mm, space) / 32, kb_pages(mm, c->user_reserve_kbytes));
	return kept < limit && c->pages + pages < limit - kept;
}

int mm_commit(struct mm *mm, const struct mm_space *space, uint64_t pages)
{
	if (!is_enough(mm, space, pages))
		return -ENOMEM;
	mm->commit.pages += pages;
	return 0;
}

void mm_uncommit(struct mm *mm, uint64_t pages)
{
	mm->commit.pages -= pages;
}

bool mm_commit_may_skip(const struct mm *mm)
{
	return mm->commit.memory != MM_OVERCOMMIT_NEVER;
}

uint64_t mm_tmpfs_limit(const struct mm *mm)
{
	uint64_t bytes = mm->params.tmpfs_bytes;

	if (bytes == MM_TMPFS_NO_LIMIT)
		return UINT64_MAX;
	return bytes ? bytes >> mm->arch->page_shift : mm_managed_pages(mm) / 2;
}

/* Named ones are of a mount, and promise page by page; what has no name has promised all. */
int mm_tmpfs_charge(struct mm *mm, const struct mm_space *space, const struct mm_file *file)
{
	if (file->unnamed)
		return 0;
	if (mm->tmpfs_pages >= mm_tmpfs_limit(mm) || mm_commit(mm, space, 1))
		return -ENOSPC;
	mm->tmpfs_pages++;
	return 0;
}

void mm_tmpfs_uncharge(struct mm *mm, const struct mm_file *file)
{
	if (file->unnamed)
		return;
	mm_uncommit(mm, 1);
	mm->tmpfs_pages--;
}
