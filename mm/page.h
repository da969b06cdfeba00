/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page descriptor and lists of pages.
 *
 * A descriptor describes a frame, not its content. On the host it takes 32 bytes; in the simulated
 * machine it takes what the kernel's struct page takes (mm_arch.page_struct_bytes), at the address
 * that the memory model gives it.
 *
 * A descriptor is initialised when its frame first heads a block. Until then it is all zeroes
 * (PG_INIT clear), which costs no host memory: node and zone then follow from the frame number.
 *
 * Places of a frame, of which exactly one holds at any time:
 *   PG_BUDDY       head of a free block of 2^order pages on a buddy list
 *   PG_PCP         head of a free block on a per-CPU list
 *   refcount > 0   head of a block in use (PG_HELD: in use since before the start). One reference
 *                  is the owner's, until PG_DROPPED; PG_ISOLATED and PG_WRITEBACK have one each
 *   none of these  inside a block that one of the above heads, or reserved at boot
 */
#ifndef MM_PAGE_H
#define MM_PAGE_H

#include "mm/types.h"

enum {
	PG_INIT = 1 << 0,
	PG_BUDDY = 1 << 1,
	PG_PCP = 1 << 2,
	PG_HELD = 1 << 3,
	PG_LRU = 1 << 4, /* in use, and can be moved or reclaimed: user memory */
	PG_STATE_MASK = PG_BUDDY | PG_PCP | PG_HELD,

	/* Of user memory that reclaim follows; see lru.h. At most one of these three: */
	PG_ON_LRU = 1 << 5,   /* on a list of its node */
	PG_BATCHED = 1 << 6,  /* on its way there, in a CPU's batch; `next` is the batch */
	PG_ISOLATED = 1 << 7, /* taken off by reclaim or to be moved; who did has a reference */
	PG_PLACE_MASK = PG_ON_LRU | PG_BATCHED | PG_ISOLATED,

	PG_ACTIVE = 1 << 8,
	PG_REFERENCED = 1 << 9,
	PG_YOUNG = 1 << 10, /* used through a mapping since reclaim last looked */
	PG_DIRTY = 1 << 11,
	PG_WRITEBACK = 1 << 12,   /* being written; the write has a reference */
	PG_SWAPBACKED = 1 << 13,  /* anonymous or shmem: goes to swap */
	PG_RECLAIM = 1 << 14,     /* to be reclaimed once it is written; else a mark of readahead */
	PG_UNEVICTABLE = 1 << 15, /* locked in memory */
	PG_MAPPED = 1 << 16,
	PG_SWAPCACHE = 1 << 17, /* has a place in swap */
	PG_DROPPED = 1 << 18,   /* its owner has freed it; whoever has the last reference does */
	PG_HUGETLB = 1 << 19,   /* belongs to the pool of huge pages; not in PG_USE_MASK */
	PG_USE_MASK = PG_LRU | PG_PLACE_MASK | PG_ACTIVE | PG_REFERENCED | PG_YOUNG | PG_DIRTY |
		      PG_WRITEBACK | PG_SWAPBACKED | PG_RECLAIM | PG_UNEVICTABLE | PG_MAPPED |
		      PG_SWAPCACHE | PG_DROPPED,
};

struct page {
	uint64_t flags; /* [SECTION] [NODE] ZONE ... FLAGS, as the kernel lays them out */
	struct page *next, *prev;
	int32_t refcount;
	uint8_t order; /* of the block that this page heads */
	/*
	 * PG_BUDDY: of the list that it is on. PG_PCP: of the lists that it goes back to. In use:
	 * what was asked for. An enum mm_migratetype.
	 */
	uint8_t migratetype;
	bool unlisted : 1;   /* PG_ISOLATED, to be moved, and reclaim does not follow it */
	bool slab : 1;       /* in use as a slab, or as a block of kmalloc() */
	bool workingset : 1; /* PG_workingset: user memory that was active once */
	bool locked : 1;     /* page cache that is still being read (PG_locked): its reader's */
	bool user : 1;       /* in use by a space or a file, or a space's topmost table: user.h */
	bool cached : 1;     /* user memory that counts as a file's page, or tmpfs' */
	bool shmem : 1;      /* of these, tmpfs' and the like */
	bool comp : 1;       /* of an order above 0: a compound page (__GFP_COMP) */
};

/* A list of blocks by their heads; all zeroes is an empty list. */
struct page_list {
	struct page *head, *tail;
};

static inline void page_list_add_head(struct page_list *l, struct page *p)
{
	p->prev = NULL;
	p->next = l->head;
	if (l->head)
		l->head->prev = p;
	else
		l->tail = p;
	l->head = p;
}

static inline void page_list_add_tail(struct page_list *l, struct page *p)
{
	p->next = NULL;
	p->prev = l->tail;
	if (l->tail)
		l->tail->next = p;
	else
		l->head = p;
	l->tail = p;
}

static inline void page_list_del(struct page_list *l, struct page *p)
{
	if (p->prev)
		p->prev->next = p->next;
	else
		l->head = p->next;
	if (p->next)
		p->next->prev = p->prev;
	else
		l->tail = p->prev;
}

#endif
