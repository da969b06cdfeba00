/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data TLBs of a machine: set associative, true LRU, exact to the tag. Knows addresses, spaces
 * and CPUs; knows neither time nor memory.
 *
 * Each core has one, which its threads share. A level is made of arrays, each for pages of some
 * sizes; a page of a size that no array of the first level has is held in pieces of the next
 * smaller one. What comes by a walk goes to both levels, and what the second level has to the
 * first. Beside them are the entries of upper page tables that walks have read last.
 *
 * A translation belongs to a space, and is seen by the CPU only that brought it, but for those of
 * the kernel (space 0), which all threads of a core share. A CPU keeps those of the last few spaces
 * that it ran (process-context identifiers); of others it knows nothing any more.
 *
 * A core takes host memory (16 bytes an entry) when its first access comes.
 */
#ifndef SIM_TLB_H
#define SIM_TLB_H

#include "sim/machine/machine.h"

struct tlb;

#define TLB_KERNEL 0 /* the space of the kernel's addresses */

struct tlb_tag {
	uint64_t page; /* address >> shift */
	uint64_t who;  /* number of the space << TLB_SHIFT_BITS | shift; 0: empty */
};

#define TLB_SHIFT_BITS 6

static inline unsigned tlb_shift_of(const struct tlb_tag *tag)
{
	return tag->who & ((1u << TLB_SHIFT_BITS) - 1);
}

/* Where a tag was found, the latest used of its set. */
struct tlb_found {
	uint64_t piece; /* address >> shift of the hand, + 1; 0: nothing was found */
	struct tlb_tag *front;
	struct tlb_tag tag; /* that stood there then */
	unsigned ways;      /* of the set */
};

#define TLB_HAND_BITS  5
#define TLB_HAND_SHIFT 21 /* log2 of the pages that are large, */
#define TLB_PAGE_SHIFT 12 /* and of single ones */

/*
 * What tlb_at_hand() looks at: where tags of the kernel were found in the first level of a core, by
 * the address, those of large pages and those of others. No address is translated by pages of two
 * sizes at once: what is mapped anew is forgotten first.
 */
struct tlb_hand {
	struct tlb_found large[1 << TLB_HAND_BITS], small[1 << TLB_HAND_BITS];
};

enum tlb_result { TLB_FIRST, TLB_SECOND, TLB_MISS };

/** Those of `m` (borrowed until tlb_free), all empty. Returns 0, *out NULL where the machine
 * describes none; -ENOMEM. */
int tlb_create(const struct machine *m, struct tlb **out);
void tlb_free(struct tlb *t);

/** Of that CPU; lives as long as the TLBs. */
const struct tlb_hand *tlb_hand(const struct tlb *t, int cpu);

/** The place for that address among those of large pages or of others, by the shift. */
static inline unsigned tlb_hand_index(uint64_t address, unsigned shift)
{
	return address >> shift & ((1u << TLB_HAND_BITS) - 1);
}

static inline bool tlb_found_at(const struct tlb_found *f, uint64_t address, unsigned shift)
{
	return f->piece == (address >> shift) + 1;
}

static inline bool tlb_still_there(const struct tlb_found *f, uint64_t last, unsigned shift)
{
	return tlb_found_at(f, last, shift) && f->front->page == f->tag.page &&
	       f->front->who == f->tag.who;
}

/**
 * Are [first, last] of the kernel's addresses in one page, and has its tag been found and is the
 * latest used of its set? Then looking it up finds it in the first level and changes nothing.
 */
static inline bool tlb_at_hand(const struct tlb_hand *h, uint64_t first, uint64_t last)
{
	const struct tlb_found *f = &h->large[tlb_hand_index(first, TLB_HAND_SHIFT)];

	if (tlb_found_at(f, first, TLB_HAND_SHIFT))
		return tlb_still_there(f, last, TLB_HAND_SHIFT);
	f = &h->small[tlb_hand_index(first, TLB_PAGE_SHIFT)];
	return tlb_found_at(f, first, TLB_PAGE_SHIFT) && tlb_still_there(f, last, TLB_PAGE_SHIFT);
}

/**
 * The same where the tag that was found is still in its set, but not the latest used: it is from
 * here on.
 */
bool tlb_again(const struct tlb *t, int cpu, uint64_t first, uint64_t last);

/**
 * Look an address up; it is the latest used then. -ENOMEM, or an enum tlb_result. Unless it was
 * missed, *shift is log2 of the page, or the piece of it, that was found.
 */
int tlb_look(struct tlb *t, int cpu, uint64_t space, uint64_t address, unsigned *shift);
/** After a miss: a walk has found a page of 2^shift bytes. Returns log2 of what is held of it. */
unsigned tlb_fill(struct tlb *t, int cpu, uint64_t space, uint64_t address, unsigned shift);

/**
 * Is the entry at hand, of an upper page table, that says what is below it for the address, where
 * each entry maps 2^shift bytes? It is the latest used then, and is from here on.
 */
bool tlb_table(struct tlb *t, int cpu, uint64_t space, uint64_t address, unsigned shift);

/** CPUs that may have translations, in any order: how many. Until the next look-up. */
int tlb_users(const struct tlb *t, const int **cpus);
/** The CPU drops what it has of [start, end) of a space; and, as invlpg does, entries of tables. */
void tlb_forget(struct tlb *t, int cpu, uint64_t space, uint64_t start, uint64_t end);
/** All of a space; of the kernel, its core drops that of all spaces. */
void tlb_forget_space(struct tlb *t, int cpu, uint64_t space);

#endif
