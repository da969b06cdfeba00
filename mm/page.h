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
 *   refcount > 0   head of a block in use (PG_HELD: in use since before the start)
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
