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

enum tlb_result { TLB_FIRST, TLB_SECOND, TLB_MISS };

/** Those of `m` (borrowed until tlb_free), all empty. Returns 0, *out NULL where the machine
 * describes none; -ENOMEM. */
int tlb_create(const struct machine *m, struct tlb **out);
void tlb_free(struct tlb *t);

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

/** The CPU drops what it has of [start, end) of a space; and, as invlpg does, entries of tables. */
void tlb_forget(struct tlb *t, int cpu, uint64_t space, uint64_t start, uint64_t end);
/** All of a space; of the kernel, its core drops that of all spaces. */
void tlb_forget_space(struct tlb *t, int cpu, uint64_t space);

#endif
