/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of page_ext share, and the steps at which others tell it something. Within the mm
 * core; where mm->page_ext is NULL nobody has asked for it, and no step may be called.
 */
#ifndef MM_PAGE_EXT_STATE_H
#define MM_PAGE_EXT_STATE_H

#include "mm/compact/migrate.h"
#include "mm/internal.h"
#include "mm/page_ext/page_ext.h"

#define MM_COMM_BYTES 16 /* TASK_COMM_LEN */

/* On the host: what page_owner keeps of a frame. */
struct mm_owner_entry {
	uint64_t ns, free_ns;
	gfp_t gfp;
	int32_t pid;
	uint16_t comm; /* among the names */
	uint8_t order;
	int8_t reason;  /* an enum mm_migrate_reason; -1: it has not moved */
	bool allocated; /* else it is free, or nobody has had it yet */
};

/* The array of a section or, without sections, of a node. */
struct mm_ext_table {
	pfn_t first, nr;              /* frames that it has entries for; nr 0: there is none */
	phys_addr_t at;               /* in simulated memory, in one piece; UINT64_MAX: */
	uint64_t address;             /* in the vmalloc area */
	bool from_memblock;           /* it stays for good */
	struct mm_owner_entry *owner; /* by frame - first; NULL until one of them is allocated */
};

/* bytes = sum of nr * entry_bytes over the tables */
struct mm_page_ext {
	unsigned entry_bytes;
	unsigned owner_at, check_at; /* in an entry; 0: it is off */
	unsigned section_shift;      /* frames of a section: 2^this; 0: tables are by node */
	struct mm_ext_table *tables;
	uint64_t nr_tables;
	uint64_t bytes;
	uint64_t blocks; /* that boot took from the page allocator for it */
	char (*comms)[MM_COMM_BYTES];
	unsigned nr_comms;
};

/* page_ext.c */
/** Does anybody ask for it? Then mm->page_ext is made. 0 or -ENOMEM. */
int mm_page_ext_init(struct mm *mm);
void mm_page_ext_destroy(struct mm *mm);
/** Without sections: all of it, from memblock. 0, -ENOMEM, or -EINVAL with *r filled. */
int mm_page_ext_reserve(struct mm *mm, const struct mm_config *c, struct mm_refusal *r);
/**
 * With sections: once there is a page allocator, those arrays that fit a block; then with `late`,
 * once there is vmalloc(), the others. The same errors.
 */
int mm_page_ext_boot(struct mm *mm, bool late, struct mm_refusal *r);
/** The pages of the arrays are among those that a state has in use. -EINVAL fills *r. */
int mm_page_ext_forget(struct mm *mm, struct mm_refusal *r);
/** Frames go online on a node: 0, or -ENOMEM and nothing has changed. Time may pass. */
int mm_page_ext_online(struct mm *mm, int cpu, int nid, pfn_t start, pfn_t nr);
/** They are offline. Time may pass. */
void mm_page_ext_offline(struct mm *mm, int cpu, pfn_t start, pfn_t nr);
/** The array that has an entry for the frame; NULL: none. */
struct mm_ext_table *mm_ext_table(const struct mm *mm, pfn_t pfn);
/** Charge an access to `bytes` from `offset` on of each of nr entries of a table. */
void mm_ext_touch(struct mm *mm, int cpu, const struct mm_ext_table *t, pfn_t pfn, uint64_t nr,
		  enum mm_access kind);
/** Its part of mm_verify(). */
int mm_page_ext_verify(const struct mm *mm, char *why, size_t size);
/** page_table_check: entries of page tables that map the block were set or cleared. */
void mm_page_table_check(struct mm *mm, int cpu, const struct page *page);

/* page_owner.c */
void mm_page_owner_set(struct mm *mm, int cpu, const struct page *page, unsigned order, gfp_t gfp);
void mm_page_owner_reset(struct mm *mm, int cpu, const struct page *page, unsigned order);
/** A block is in parts of that order from now on. */
void mm_page_owner_split(struct mm *mm, int cpu, const struct page *page, uint64_t nr,
			 unsigned order);
void mm_page_owner_moved(struct mm *mm, int cpu, const struct page *from, const struct page *to,
			 enum mm_migrate_reason reason);

#endif
