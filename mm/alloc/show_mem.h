/* SPDX-License-Identifier: Apache-2.0 */
/* Mem-Info: the state of all memory, as the kernel prints it. Within the mm core. */
#ifndef MM_SHOW_MEM_H
#define MM_SHOW_MEM_H

#include <stdio.h>

#include "mm/internal.h"

/* Who wants to know. */
struct mm_show_mem {
	int cpu;
	int highest;                     /* zones up to that index: it may use no others */
	const struct mm_nodemask *nodes; /* of these nodes; NULL: of all */
};

/** Print it, at no cost. Counters are what CPUs have told, as in the kernel's report. */
void mm_show_mem(const struct mm *mm, const struct mm_show_mem *who, FILE *out);

/** A set of nodes as the kernel prints it ("0-1,3"); NULL: all of them, "(null)". */
void mm_print_nodemask(const struct mm *mm, const struct mm_nodemask *nodes, FILE *out);

#endif
