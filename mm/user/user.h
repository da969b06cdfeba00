/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User memory: the address spaces of processes, their ranges (VMAs), page tables of all levels,
 * faults, copy on write, and files that are mapped or read through the page cache.
 *
 * A space belongs to who made it, until mm_space_exit(); a file to the mm core. Their pages are
 * followed by reclaim, compaction and migration, and nobody is told of that: page tables are
 * brought up to date here. Addresses and sizes are bytes; calls take whole pages where they say so.
 * Simulated time passes in all calls that take a CPU. Of one space one call at a time may be made,
 * but for mm_user_access() and mm_file_access(), which its threads make on several CPUs at once.
 */
#ifndef MM_USER_H
#define MM_USER_H

#include <limits.h>

#include "mm/mempolicy.h"

struct mm_space; /* an address space: the kernel's mm_struct */
struct mm_file;  /* an inode with its pages */
struct page_list;

/** A new, empty space: its topmost table is allocated. `policy` NULL: default. 0 or -ENOMEM. */
int mm_space_new(struct mm *mm, int cpu, const char *name, const struct mm_policy *policy,
		 struct mm_space **out);
/**
 * fork(): the child has the ranges of the parent, but for those of the pool of huge pages; page
 * tables of private ranges with pages of their own are copied, and their pages shared until one of
 * the two writes. Nothing is locked in memory. 0 or -ENOMEM.
 */
int mm_space_fork(struct mm *mm, int cpu, struct mm_space *parent, const char *name,
		  struct mm_space **out);
/** execve(): all ranges go, and the topmost table is another one. 0, or -ENOMEM: nothing changed.
 */
int mm_space_exec(struct mm *mm, int cpu, struct mm_space *space);
/** All ranges, pages of its own and page tables are freed, and then the space. */
void mm_space_exit(struct mm *mm, int cpu, struct mm_space *space);
/** The CPU runs that space from now on. NULL: none. */
void mm_space_run(struct mm *mm, int cpu, struct mm_space *space);
/** The number of the space that the CPU runs, 0: none; and that one again, if it is still there. */
uint64_t mm_space_running(const struct mm *mm, int cpu);
void mm_space_resume(struct mm *mm, int cpu, uint64_t id);
bool mm_space_runs_on(const struct mm *mm, const struct mm_space *space, int cpu);
/** A number that no other space of the mm core has or had; from 1. */
uint64_t mm_space_id(const struct mm_space *space);
/** set_mempolicy() */
void mm_space_set_policy(struct mm_space *space, const struct mm_policy *policy);
/** Move its pages to nodes, as migrate_pages() does: to `nid`, all that are elsewhere. Returns how
 * many pages did not move, -ENOMEM where the host has no memory. */
int64_t mm_space_migrate(struct mm *mm, int cpu, struct mm_space *space, int nid);

struct mm_mmap_args {
	uint64_t bytes;       /* rounded up to pages */
	struct mm_file *file; /* NULL: anonymous */
	uint64_t offset;      /* in the file, whole pages */
	bool shared;          /* MAP_SHARED; without a file it is shared by fork only */
	bool advised;         /* madvise(MADV_HUGEPAGE) */
	bool refused;         /* madvise(MADV_NOHUGEPAGE) */
	bool hugetlb;         /* MAP_HUGETLB: pages of a pool, `bytes` of whole ones; private */
	uint64_t huge_bytes;  /* of that size (MAP_HUGE_1GB); 0: the default one */
	bool noreserve;       /* MAP_NORESERVE: these are not set apart, so a store may find none */
	const struct mm_policy *policy; /* mbind() right away; NULL: the task's */
};
/**
 * mmap(): at the highest free addresses; what has room for a huge page begins at a boundary of one.
 * 0 and *start; -EINVAL for what does not go together; -ENOMEM where the space, the pool or the
 * host has no room, or so much is not promised any more (vm.overcommit_memory).
 */
int mm_mmap(struct mm *mm, int cpu, struct mm_space *space, const struct mm_mmap_args *args,
	    uint64_t *start);
/* [start, start + bytes) of whole pages; what is not mapped in it is skipped. 0 or -ENOMEM. */
int mm_munmap(struct mm *mm, int cpu, struct mm_space *space, uint64_t start, uint64_t bytes);
/** `policy` NULL: the task's again. With `move`, pages that are on other nodes move (MPOL_MF_MOVE).
 */
int mm_mbind(struct mm *mm, int cpu, struct mm_space *space, uint64_t start, uint64_t bytes,
	     const struct mm_policy *policy, bool move);
/** mlock(): all pages are faulted in and kept; munlock(). -ENOMEM also where a page found no room.
 */
int mm_mlock(struct mm *mm, int cpu, struct mm_space *space, uint64_t start, uint64_t bytes,
	     bool lock);

/* What a task may say of huge pages in a part of its memory. */
enum mm_advice {
	MM_ADVICE_HUGEPAGE,
	MM_ADVICE_NOHUGEPAGE,
	MM_ADVICE_COLLAPSE, /* make them now, whatever the settings are, unless NOHUGEPAGE was said
			     */
	MM_NR_ADVICES
};
/**
 * madvise() of [start, start + bytes), rounded up to pages. Simulated time may pass. 0; -EINVAL for
 * a start that is no page's, and with COLLAPSE for what cannot be collapsed; -EAGAIN for what
 * cannot just now; -ENOMEM without memory, or where some of it is not mapped, after the rest was
 * done.
 */
int mm_madvise(struct mm *mm, int cpu, struct mm_space *space, uint64_t start, uint64_t bytes,
	       enum mm_advice advice);

/* How an access went; several faults count as the last one. */
enum mm_user_result {
	MM_USER_PRESENT, /* no fault */
	MM_USER_MINOR,   /* a page of the page cache, of swap, or the zero page was mapped */
	MM_USER_SMALL,   /* a zeroed page came */
	MM_USER_HUGE,    /* a zeroed huge page came */
	MM_USER_COPY,    /* a copy came (copy on write) */
	MM_USER_REUSE,   /* a page that nobody shares any more became writable */
	MM_USER_MAJOR,   /* content was read from a disk */
};
/**
 * A load or store: faults until the page is there, and *at is the physical address. Returns an enum
 * mm_user_result; -EFAULT where nothing is mapped; -ENOMEM where there is no memory; -EIO where a
 * tmpfs has no room left, or promises no more (SIGBUS).
 */
int mm_user_access(struct mm *mm, int cpu, struct mm_space *space, uint64_t address, bool write,
		   phys_addr_t *at);

/** The file of that name, made at first: of a disk, or `tmpfs` in memory and swap. NULL: the host
 * has no memory. What it was made as it stays. */
struct mm_file *mm_file_open(struct mm *mm, const char *name, bool tmpfs);
/** It has so many pages at least: nothing beyond is read ahead. Nobody says so: there is no end. */
void mm_file_extend(struct mm_file *file, uint64_t pages);
/** The policy of all of a tmpfs file (mount -o mpol=). 0 or -ENOMEM. */
int mm_file_set_policy(struct mm_file *file, const struct mm_policy *policy);
/**
 * read() or write() of a page of a file by a task of that space, to its end or not (`whole`):
 * brings it into memory, and *at is where it is. Of a disk's file readahead reads more, at most
 * `ahead` pages at once: MM_READ_AHEAD is read_ahead_kb, 0 none. What is written whole is not read
 * before; nor is what a tmpfs does not have. An enum mm_user_result, -ENOMEM or, of a tmpfs that
 * has no room left, -ENOSPC.
 */
#define MM_READ_AHEAD UINT_MAX
int mm_file_access(struct mm *mm, int cpu, struct mm_space *space, struct mm_file *file,
		   uint64_t page, unsigned ahead, bool write, bool whole, phys_addr_t *at);
/** A page of it has been read or written: it is in use, if it is still there. */
void mm_file_used(struct mm *mm, int cpu, struct mm_file *file, uint64_t page);
/** Truncate it: its pages that nobody has mapped are freed. */
void mm_file_drop(struct mm *mm, int cpu, struct mm_file *file);

/* What a space has now, pages; and what it has gone through. */
struct mm_space_info {
	uint64_t mapped, anon, file, shmem, swapped, locked; /* pages */
	uint64_t huge;                                       /* huge pages, mapped by one entry */
	uint64_t tables;                                     /* pages of page tables, all levels */
	uint64_t faults, major, zeroed, zeroed_huge, copied, reused; /* since it was made */
	uint64_t fallback; /* of those zeroed, where a huge page was wanted */
	uint64_t around;   /* pages of files that loads of others mapped */
};
void mm_space_info(const struct mm *mm, const struct mm_space *space, struct mm_space_info *info);
const char *mm_space_name(const struct mm_space *space);
/** The space that was made next after `space`, of those that there are; NULL: the first, the end.
 */
const struct mm_space *mm_space_next(const struct mm *mm, const struct mm_space *space);
/** Its pages by node: nr_nodes numbers. */
void mm_space_nodes(const struct mm *mm, const struct mm_space *space, uint64_t *pages);

/** The i-th line of /proc/PID/numa_maps, without a newline. False past the last. */
bool mm_numa_maps_line(const struct mm *mm, const struct mm_space *space, unsigned i, char *line,
		       size_t size);

/* For the mm core and the sink: of pages with `user` set. */

/**
 * The first CPU from `cpu` on that may have a translation of the page, or of the space whose topmost
 * table it is; none: as many as there are.
 */
int mm_user_next_on(const struct mm *mm, const struct page *page, int cpu);
/**
 * Take a huge page apart into single pages, and free those that nobody maps. `to`: the caller has
 * isolated it; so are its parts then, behind it on the list. NULL: it is on its LRU list, and time
 * may pass. 0; -EBUSY where somebody has a hold of it; -ENOMEM.
 */
int mm_user_split_page(struct mm *mm, int cpu, struct page *head, struct page_list *to);
/** Does any entry map all of it? */
bool mm_user_maps_whole(const struct mm *mm, const struct page *head);
/**
 * Take a page out of all page tables: entries of anonymous memory have its place in swap from then
 * on, by which a fault finds it again as long as it is there. No time passes.
 */
void mm_user_take(struct mm *mm, int cpu, struct page *page);
bool mm_user_is_mapped(const struct mm *mm, const struct page *page);
/** Parts of an anonymous page whose place in swap entries refer to. */
uint64_t mm_user_slots(const struct mm *mm, const struct page *head);
/** As mm_ops.reclaimed, of a page that is not mapped; and mm_ops.moved. */
void mm_user_reclaimed(struct mm *mm, int cpu, struct page *page, uint64_t shadow);
void mm_user_moved(struct mm *mm, int cpu, struct page *from, struct page *to);
struct mm_read;
/** What mm_ops.read_ahead() has taken is there, as an interrupt: no time passes. */
void mm_read_interrupt(struct mm *mm, int cpu, struct mm_read *read);
/** Mapcounts, page tables, swap: 0, or -EINVAL and why. */
int mm_user_verify(const struct mm *mm, char *why, size_t size);
/** Free the host's memory. */
void mm_user_destroy(struct mm *mm);

#endif
