/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many pages hold what, by zone: counters of /proc/vmstat that the kernel keeps as pages change
 * and that are found here by looking at all pages in use. Costs no simulated time; on the host, a
 * look at each block of the zone if any is a user's, and nothing else.
 */
#ifndef MM_PAGE_COUNTS_H
#define MM_PAGE_COUNTS_H

#include "mm/mm.h"

/* Pages, by the kernel's names. */
struct mm_page_counts {
	uint64_t anon;          /* NR_ANON_MAPPED: anonymous, and mapped */
	uint64_t file;          /* NR_FILE_PAGES: page cache, tmpfs, and the swap cache */
	uint64_t shmem;         /* NR_SHMEM: of these, of tmpfs and shared memory */
	uint64_t swapcache;     /* NR_SWAPCACHE: of these, anonymous with a place in swap */
	uint64_t mapped;        /* NR_FILE_MAPPED: of files and tmpfs, that any process maps */
	uint64_t mlocked;       /* NR_MLOCK */
	uint64_t write_pending; /* NR_ZONE_WRITE_PENDING: dirty pages of files, and written ones */
	uint64_t tables;        /* NR_PAGETABLE: tables of processes, of the two lowest levels */
};

/** Of a zone of a node. Of pages that a trace owns, anonymous ones are taken to be mapped. */
void mm_page_counts(const struct mm *mm, int nid, int zone, struct mm_page_counts *counts);

#endif
