/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel remembers of files by their names: a dentry and an inode each, objects of slab
 * caches. Those that nobody uses wait on LRU lists of their nodes until a shrinker takes them, at a
 * rate by the sysctl vfs_cache_pressure.
 *
 * A directory is the mm core's, until it ends. Of a dentry:
 *
 *	on its list <=> nobody uses it (here: no stat is under way)
 *
 * and an inode is pinned as long as it has one.
 */
#ifndef MM_DCACHE_H
#define MM_DCACHE_H

#include "mm/mm.h"

struct mm_directory;

/** The directory of that name, made at first, with that many files. NULL: it has another number of
 * them, or the host no memory. */
struct mm_directory *mm_directory_open(struct mm *mm, const char *name, uint64_t files);

enum mm_stat_result {
	MM_STAT_HIT,   /* dentry and inode were there */
	MM_STAT_INODE, /* the inode was, and got a dentry */
	MM_STAT_MISS,  /* both were made */
};
/**
 * stat() of a file by its number, below `files`. Simulated time passes. An enum mm_stat_result, or
 * -ENOMEM; -EINVAL where there is no such file. Reading an inode from its disk takes nothing.
 */
int mm_directory_stat(struct mm *mm, int cpu, struct mm_directory *dir, uint64_t file);
/** Forget all of its files (umount). Simulated time passes. */
void mm_directory_clear(struct mm *mm, int cpu, struct mm_directory *dir);
/** How many of its files have a dentry and an inode now. */
void mm_directory_info(const struct mm_directory *dir, uint64_t *dentries, uint64_t *inodes);

/* Within the mm core. */
void mm_dcache_destroy(struct mm *mm);
/** Are the lists what the files say? 0, or -EINVAL and why. */
int mm_dcache_verify(const struct mm *mm, char *why, size_t size);

#endif
