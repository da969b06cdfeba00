/* SPDX-License-Identifier: Apache-2.0 */
/*
 * madvise() about huge pages: whether faults and khugepaged are to have them in a part of the
 * memory, or that it is to be made of them now. Follows Linux 6.1 mm/madvise.c (do_madvise,
 * madvise_walk_vmas) and hugepage_madvise().
 */
#include <errno.h>

#include "mm/user/khugepaged.h"
#include "mm/user/user_state.h"

/* A part of a range is cut out of it. */
static int set_flags(struct mm *mm, int cpu, struct mm_space *space, uint64_t start, uint64_t end,
		     enum mm_advice advice)
{
	int err = mm_user_cut(mm, cpu, space, start);
	struct mm_vma *vma;

	if (!err)
		err = mm_user_cut(mm, cpu, space, end);
	if (err)
		return err;
	vma = mm_user_vma(space, start);
	mm_work(mm, cpu, MM_SITE_VMA, 1);
	vma->advised = advice == MM_ADVICE_HUGEPAGE;
	vma->refused = advice == MM_ADVICE_NOHUGEPAGE;
	return 0;
}

static int advise(struct mm *mm, int cpu, struct mm_space *space, uint64_t start, uint64_t end,
		  enum mm_advice advice)
{
	int err;

	if (advice == MM_ADVICE_COLLAPSE)
		return mm_user_collapse(mm, cpu, space, start, end);
	space->busy++;
	err = set_flags(mm, cpu, space, start, end, advice);
	space->busy--;
	return err;
}

int mm_madvise(struct mm *mm, int cpu, struct mm_space *space, uint64_t start, uint64_t bytes,
	       enum mm_advice advice)
{
	uint64_t mask = mm_user_page_bytes(mm) - 1, length = (bytes + mask) & ~mask;
	uint64_t end = start + length;
	bool hole = false;

	mm_user_syscall(mm, cpu);
	if ((start & mask) || length < bytes || end < start)
		return -EINVAL;
	while (start < end) {
		const struct mm_vma *vma = space->vmas;
		uint64_t to;
		int err;

		while (vma && vma->end <= start)
			vma = vma->next;
		if (!vma || vma->start >= end)
			return -ENOMEM;
		hole |= vma->start > start;
		start = vma->start > start ? vma->start : start;
		to = vma->end < end ? vma->end : end;
		err = advise(mm, cpu, space, start, to, advice);
		if (err)
			return err;
		start = to;
	}
	return hole ? -ENOMEM : 0;
}
