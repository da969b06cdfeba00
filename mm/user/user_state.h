/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of user memory share.
 *
 * An entry of a page table is a pointer with a kind in its low bits. Of pages:
 *
 *	mapcount = entries of all spaces that map the page or a part of it
 *
 * A place in swap that entries or files refer to is a slot:
 *
 *	refs = entries and files that refer to it; a slot with refs > 0 takes one page of swap
 *
 * A slot whose page is in memory, in the swap cache, names it, or its part of a huge one, and the
 * part the slot: what was read back while others still refer to it; and what reclaim has unmapped,
 * until that frees it. Of an anonymous page with PG_SWAPCACHE
 *
 *	pages = parts that a slot names + places of its own, in `cluster`
 *
 * and it is there as long as an entry maps it or a slot names a part of it. Entries that were
 * writable keep E_WRITE, as nobody else has the page then.
 */
#ifndef MM_USER_STATE_H
#define MM_USER_STATE_H

#include "mm/internal.h"
#include "mm/reclaim/lru.h"
#include "mm/reclaim/shrinker.h"
#include "mm/user/user.h"

#define E_KIND  UINT64_C(7)
#define E_NONE  UINT64_C(0)
#define E_TABLE UINT64_C(1)
#define E_PAGE  UINT64_C(2) /* of a huge page's part: that descriptor */
#define E_SWAP  UINT64_C(3)
#define E_ZERO  UINT64_C(4) /* the zero page */
#define E_WRITE UINT64_C(8)
#define E_FLAGS UINT64_C(15)

static inline uint64_t e_kind(uint64_t e)
{
	return e & E_KIND;
}

static inline void *e_pointer(uint64_t e)
{
	return (void *)(uintptr_t)(e & ~E_FLAGS); /* NOLINT(performance-no-int-to-ptr) */
}

static inline uint64_t e_make(const void *p, uint64_t flags)
{
	return (uint64_t)(uintptr_t)p | flags;
}

struct mm_utable {
	struct page *page;
	phys_addr_t at;
	unsigned shift, nr; /* log2 of what an entry maps; entries */
	unsigned used;      /* entries that are not E_NONE */
	bool counted;       /* in nr_page_table_pages: the lowest two levels, as 6.1 does */
	/* Tables laid aside for the huge pages that it maps: as many. */
	struct mm_utable *deposit;
	struct mm_utable *next; /* in a deposit */
	uint64_t entries[];
};

struct mm_slot {
	uint32_t refs;
	uint32_t cluster;  /* of swap */
	struct page *page; /* that is in memory, or a part of it; NULL: in swap only */
	uint64_t shadow;
};

enum mm_upage_kind { UP_NONE, UP_ANON, UP_FILE, UP_SHMEM, UP_ROOT };

/* Of a huge page, with its second frame: where it is in its node's queue. */
struct mm_deferred {
	struct page *prev, *next;
	bool queued;
};

/* Of a frame with `user` set. */
struct mm_upage {
	union {
		struct {
			union {
				struct mm_family *family; /* UP_ANON */
				struct mm_file *file;     /* UP_FILE, UP_SHMEM */
				struct mm_space *space;   /* UP_ROOT */
			};
			uint64_t index;    /* of the page: virtual, or in its file */
			uint32_t mapcount; /* see above */
			uint32_t locked;   /* of these, in ranges that are locked */
			uint32_t cluster;  /* of swap, with PG_SWAPCACHE */
		};
		struct mm_deferred deferred;
	};
	struct mm_slot *slot; /* that names it, of a huge page's parts, too; NULL: none */
	enum mm_upage_kind kind;
};

/* Spaces that came of one by fork, and so may share its anonymous pages, at the same addresses. */
struct mm_family {
	struct mm_space *spaces;
};

/* How swap readahead went in a range: Linux's swap_readahead_info. */
struct mm_swap_ra {
	bool known;
	uint64_t vpn;    /* page of the last fault */
	uint64_t window; /* pages that were read then */
	uint64_t hits;   /* of pages that were read ahead, since */
};

struct mm_vma {
	uint64_t start, end;
	struct mm_file *file; /* NULL: anonymous and private */
	uint64_t pgoff;       /* pages, of `start`: in the file, or of the first address it had */
	bool shared, advised, refused, hugetlb, noreserve, locked, has_policy;
	bool accounted; /* its size is promised (VM_ACCOUNT) */
	unsigned pool; /* hugetlb: which size, see hugetlb.h */
	bool copied;   /* has pages of its own (anon_vma): fork copies its tables */
	struct mm_policy policy;
	struct mm_swap_ra swap_ra;
	struct mm_vma *next;
};

struct mm_space {
	char *name;
	uint64_t id; /* from 1, of all that were made */
	struct mm_utable *root;
	struct mm_vma *vmas; /* by address */
	struct mm_policy policy;
	uint32_t turn; /* of the task's own interleaving */
	struct mm_family *family;
	struct mm_space *next_in_family;
	struct mm_space *next; /* of all */
	uint64_t nr_tables;
	unsigned busy; /* calls that change ranges or tables: its mmap_lock is held for writing */
	struct mm_space_info done; /* the second half of it */
};

/* Of pages [start, end) of a file. */
struct mm_file_policy {
	uint64_t start, end;
	struct mm_policy policy;
};

struct mm_file {
	char *name;
	bool tmpfs, unnamed;             /* unnamed: goes with its last range */
	uint64_t refs;                   /* ranges that map it */
	uint64_t promised; /* unnamed: pages, see user_commit.c */
	struct mm_file_policy *policies; /* tmpfs: by pages, see user_policy.c */
	size_t nr_policies;
	uint64_t size;     /* pages that it has; 0: nobody said */
	uint64_t nr;       /* of entries */
	uint64_t *entries; /* by page: E_PAGE, E_SWAP, E_NONE */
	uint64_t *shadows; /* likewise; of what was reclaimed */
	struct mm_ra *readers;
	struct mm_file *next;
};

#define CHUNK_BITS 9

/* Huge pages that are mapped in part only, by node: oldest first. */
struct mm_deferred_queue {
	struct page *head, *tail;
	uint64_t nr;
};

struct mm_user {
	struct mm_upage **chunks; /* of 2^CHUNK_BITS frames; NULL: none of them is a user's */
	size_t nr_chunks;
	struct mm_space *spaces;
	uint64_t nr_made; /* spaces */
	struct mm_file *files;
	struct mm_space **running;          /* by CPU */
	struct mm_deferred_queue *deferred; /* by node */
	struct mm_shrinker deferred_shrinker;
	phys_addr_t zero_at;   /* the zero page */
	uint64_t nr_slots;     /* with refs */
	struct mm_read *reads; /* that disks are at */
};

static inline unsigned mm_user_shift(const struct mm *mm)
{
	return mm->arch->page_shift;
}

static inline uint64_t mm_user_page_bytes(const struct mm *mm)
{
	return UINT64_C(1) << mm->arch->page_shift;
}

/* log2 of what a huge page maps */
static inline unsigned mm_huge_shift(const struct mm *mm)
{
	return mm->arch->page_shift + mm->arch->pageblock_order;
}

/* The same of a range of a pool. */
static inline unsigned mm_pool_shift(const struct mm *mm, const struct mm_vma *vma)
{
	return mm->arch->page_shift + mm->hugetlb.sizes[vma->pool].order;
}

/* What page tables of users are allocated with. */
#define MM_PAGE_TABLE_GFP (GFP_KERNEL_ACCOUNT | __GFP_ZERO)

/* user_fault.c */
/** A page for an address of a range, by its policy; NULL: there is none. Simulated time passes. */
struct page *mm_user_take_page(struct mm *mm, int cpu, const struct mm_space *space,
			       const struct mm_vma *vma, uint64_t address, gfp_t gfp);

/* swap_readahead.c */
/**
 * Read what an entry of a range has in swap into the swap cache, and what is beside it. Simulated
 * time passes, after which it may be gone again. -ENOMEM: there was no page for it.
 */
int mm_swap_readahead(struct mm *mm, int cpu, struct mm_space *space, struct mm_vma *vma,
		      uint64_t address);
/** An entry's page is found in the swap cache. */
void mm_swap_found(struct mm *mm, int cpu, struct mm_vma *vma, uint64_t address, struct page *page);

/**
 * Is a page of a file mapped writable? A load of a shared mapping does so, too, where nobody has to
 * be told of the first store: tmpfs has no page_mkwrite() and no write-back
 * (vma_wants_writenotify()).
 */
static inline bool mm_user_maps_writable(const struct mm_vma *vma, bool write)
{
	return vma->shared && (write || vma->file->tmpfs);
}

/* user_page.c */
/** The mm core's user memory, made at first use; NULL where the host has no memory. */
struct mm_user *mm_user_get(struct mm *mm);
struct mm_upage *mm_upage(const struct mm *mm, const struct page *page);
/** Register a page as a user's. 0 or -ENOMEM. */
int mm_upage_add(struct mm *mm, struct page *page, enum mm_upage_kind kind, void *owner,
		 uint64_t index);
void mm_upage_del(struct mm *mm, int cpu, struct page *page);
/** So many huge pages of faults more or fewer are mapped, of that node. */
void mm_user_count_huge(struct mm *mm, int cpu, const struct page *head, int nr);
/** The block that an entry's page is a part of. */
struct page *mm_user_head(const struct mm *mm, struct page *page);
/** One more entry maps it, in a range that is locked or not. */
void mm_user_map(struct mm *mm, int cpu, struct page *head, bool locked);
/** One less. Returns whether it was the last of an anonymous page: the caller frees the block. */
bool mm_user_unmap(struct mm *mm, int cpu, struct page *head, bool locked);
/** A page that was read from the slot is in the swap cache. */
void mm_slot_cache(struct mm *mm, int cpu, struct mm_slot *slot, struct page *page);
/** One refers to it less. A page in the swap cache that was there for it only is freed: time may
 * pass then. */
void mm_slot_put(struct mm *mm, int cpu, struct mm_slot *slot);

/* An entry that maps a page or a part of it, and of which range it is. */
struct mm_mapping {
	struct mm_space *space;
	struct mm_vma *vma;
	struct mm_utable *table;
	uint64_t *entry;
	uint64_t address;
};

/* A search for the entries that map a page; who looks embeds it. */
struct mm_rmap_walk {
	struct page *head;
	/** It may change the entry, which is not looked at again. */
	void (*found)(struct mm *mm, int cpu, const struct mm_mapping *m, struct mm_rmap_walk *w);
};
void mm_rmap_walk(struct mm *mm, int cpu, struct mm_rmap_walk *w);
/** The same in a range of one space, from `address` on. */
void mm_rmap_walk_space(struct mm *mm, int cpu, struct mm_space *space, struct mm_vma *vma,
			uint64_t address, struct mm_rmap_walk *w);
/** Drop the translations of a page that `nr` entries had. */
void mm_user_flush_page(struct mm *mm, int cpu, struct page *page, uint64_t nr);

/* user_huge.c */
/** A part of a huge page is mapped no more by who had it: is it by others? Else it is queued. */
void mm_user_defer(struct mm *mm, int cpu, struct page *head, const struct page *part);
/** Have reclaim split what is queued. 0 or -ENOMEM. */
int mm_user_deferred_init(struct mm *mm, struct mm_user *u);
/** Out of the queue, if it is there. */
void mm_user_undefer(struct mm *mm, struct page *head);

/* user_table.c */
int mm_user_root(struct mm *mm, int cpu, struct mm_space *space);
/** The table whose entries map 2^shift bytes, made where it is missing; NULL: no memory. */
struct mm_utable *mm_user_table(struct mm *mm, int cpu, struct mm_space *space, uint64_t address,
				unsigned shift);
/** The same as far as there is: the deepest entry for the address; at no cost. Never NULL. */
uint64_t *mm_user_entry(const struct mm_space *space, uint64_t address, struct mm_utable **table);
struct mm_utable *mm_utable_new(struct mm *mm, int cpu, struct mm_space *space, unsigned shift);
void mm_utable_free(struct mm *mm, int cpu, struct mm_space *space, struct mm_utable *table);
/** Write an entry: charged, and counted. */
void mm_user_set(struct mm *mm, int cpu, struct mm_utable *table, uint64_t *entry, uint64_t value);
void mm_utable_deposit(struct mm_utable *table, struct mm_utable *leaf);
struct mm_utable *mm_utable_withdraw(struct mm_utable *table);
/** A huge page's entry, of a range that is locked or not, becomes a table of its parts: the one
 * laid aside for it. */
void mm_user_split(struct mm *mm, int cpu, struct mm_utable *table, uint64_t *entry, bool locked);
/** Free tables that no range of the space has any part of. */
void mm_user_prune(struct mm *mm, int cpu, struct mm_space *space);
/** Drop translations of so many pages of the space, in [start, end), here and on CPUs that run it.
 */
void mm_user_flush(struct mm *mm, int cpu, const struct mm_space *space, uint64_t start,
		   uint64_t end, uint64_t nr_pages);
/** TLBs have what is mapped by an entry of that table no more; what that costs is charged apart. */
void mm_user_forget(struct mm *mm, int cpu, const struct mm_space *space,
		    const struct mm_utable *table, uint64_t address);

/* user_space.c */
/** An empty space of the same family and policy. 0 or -ENOMEM. */
int mm_user_child(struct mm *mm, int cpu, struct mm_space *parent, const char *name,
		  struct mm_space **out);
struct mm_vma *mm_user_vma(const struct mm_space *space, uint64_t address);
/** Split ranges so that none reaches over `at`. 0 or -ENOMEM. */
int mm_user_cut(struct mm *mm, int cpu, struct mm_space *space, uint64_t at);
/** Split the ranges at both ends; whole pages. 0, -ENOMEM or -EINVAL. */
int mm_user_cut_both(struct mm *mm, int cpu, struct mm_space *space, uint64_t start, uint64_t end);
/** Huge pages that were set apart of the pool for a range, and never used. */
uint64_t mm_user_unused_of_pool(const struct mm *mm, const struct mm_space *space,
				const struct mm_vma *vma);
/** Charge entering the kernel for a system call. */
void mm_user_syscall(struct mm *mm, int cpu);

/* user_policy.c */
/** The policy in force at an address of a range. */
const struct mm_policy *mm_user_policy(const struct mm *mm, const struct mm_space *space,
				       const struct mm_vma *vma, uint64_t address);
/** Of a page of a tmpfs; NULL: it has none of its own. */
const struct mm_policy *mm_file_policy(const struct mm_file *file, uint64_t page);
/** mbind() of a whole range: what its tmpfs, if it maps one, has there. NULL: none. 0 or -ENOMEM.
 */
int mm_user_share_policy(const struct mm *mm, const struct mm_vma *vma,
			 const struct mm_policy *policy);

/* user_commit.c */
enum { MM_OVERCOMMIT_GUESS, MM_OVERCOMMIT_ALWAYS, MM_OVERCOMMIT_NEVER };
/** Promise pages to a space (NULL: to nobody's). 0, or -ENOMEM: vm.overcommit_memory is against it. */
int mm_commit(struct mm *mm, const struct mm_space *space, uint64_t pages);
void mm_uncommit(struct mm *mm, uint64_t pages);
/** Does MAP_NORESERVE count? */
bool mm_commit_may_skip(const struct mm *mm);
/** Pages that named files of tmpfs may have together. */
uint64_t mm_tmpfs_limit(const struct mm *mm);
/** A file of tmpfs gets a page, in memory or swap; it has one less. 0 or -ENOSPC. */
int mm_tmpfs_charge(struct mm *mm, const struct mm_space *space, const struct mm_file *file);
void mm_tmpfs_uncharge(struct mm *mm, const struct mm_file *file);

/* user_gather.c */
/** Unmap [start, end) of a range, and free what that frees, in batches. */
void mm_user_zap(struct mm *mm, int cpu, struct mm_space *space, const struct mm_vma *vma,
		 uint64_t start, uint64_t end);

/* user_around.c */
/**
 * Map what is there of the file around a load, the address itself too, in the range and the table
 * that its entry is in. Returns how many pages. Time passes where the range is locked.
 */
uint64_t mm_user_map_around(struct mm *mm, int cpu, const struct mm_space *space,
			    const struct mm_vma *vma, struct mm_utable *table, uint64_t address);

/* user_file.c */
void mm_file_ref(struct mm_file *file);
void mm_file_unref(struct mm *mm, int cpu, struct mm_file *file);
/** The host's memory of one that is on no list. */
void mm_file_free(struct mm_file *file);
/** Room for a page number. 0 or -ENOMEM. */
int mm_file_grow(struct mm_file *file, uint64_t page);
/**
 * A page of the page cache that is still to be read: allocated, locked, in the file and on its
 * way to a list. Time passes. Returns 1; 0 where there is one; -ENOMEM.
 */
int mm_file_insert_locked(struct mm *mm, int cpu, struct mm_space *space, struct mm_file *file,
			  uint64_t index, gfp_t gfp, bool marked);
/** A page of a mapped file, for a fault; as mm_file_access(). *waited: a disk was at it. */
int mm_file_fault(struct mm *mm, int cpu, struct mm_space *space, struct mm_file *file,
		  uint64_t page, bool write, phys_addr_t *at, bool *waited);

#endif
