/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ranges of a task's address space, as far as a trace tells them: where each begins, how its
 * pages are counted, and which policy mbind() gave it.
 *
 * A page's turn in an interleave follows from where it lies: as in the kernel, from the range's
 * page offset (vm_pgoff) and the page's distance to the range's beginning, each in pages of its
 * order. Hence ranges are merged and split as the kernel does it.
 */
#ifndef SIM_POLICY_VMAS_H
#define SIM_POLICY_VMAS_H

#include "mm/types.h"

#define VMA_PAGE_SHIFT 12

struct vma {
	uint64_t start, end; /* [start, end), multiples of a page */
	uint64_t pgoff;      /* of `start`: in the file, or its own address, in pages */
	uint16_t policy;     /* index among the trace's policies; 0: none of its own */
	uint8_t prot;        /* PROT_* */
	uint8_t advice;      /* 0, MADV_HUGEPAGE or MADV_NOHUGEPAGE */
	bool private_anon;   /* neither a file's nor shared */
	bool shmem;          /* shared and no file's: faults alone allocate */
	bool mapped;         /* the trace saw it mapped: it is what the fields say */
	bool touched;        /* has had a page: mremap() keeps its offset then */
};

/* Of one address space, or of several that have not changed since a fork. */
struct vmas;

/** An empty set; NULL where there is no memory. */
struct vmas *vmas_new(void);
/** Another user of the same ranges: who edits them later gets a copy. */
struct vmas *vmas_share(struct vmas *m);
void vmas_put(struct vmas *m);

/*
 * Edits may replace *m by a copy. Beyond as many ranges as a kernel allows (vm.max_map_count),
 * more are not kept. Each returns 0 or -ENOMEM. Ranges that are empty or end beyond 2^63 change
 * nothing.
 */

/** Map a range, in place of whatever was there. */
int vmas_map(struct vmas **m, const struct vma *vma);
int vmas_unmap(struct vmas **m, uint64_t start, uint64_t end);
/** mremap(): from [from, from + from_len) to [to, to + to_len); `keep`: the old stays mapped. */
int vmas_move(struct vmas **m, uint64_t from, uint64_t from_len, uint64_t to, uint64_t to_len,
	      bool keep);

/* What an edit does to each range; those that no trace told about are private and anonymous. */
typedef void vmas_edit(struct vma *vma, void *arg);
/** Edit exactly [start, end), splitting and merging at its ends. */
int vmas_change(struct vmas **m, uint64_t start, uint64_t end, vmas_edit *edit, void *arg);
/** The range of an address has had a page. */
int vmas_touch(struct vmas **m, uint64_t address);

/** The range that holds the address; NULL where the trace did not tell. */
const struct vma *vmas_find(const struct vmas *m, uint64_t address);
/** The turn of a block of 2^order pages at the address; `vma` may be NULL. */
uint32_t vma_turn(const struct vma *vma, uint64_t address, unsigned order);

#endif
