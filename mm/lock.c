/* SPDX-License-Identifier: Apache-2.0 */
/* Locks that are neither a zone's nor an LRU's; and dropping translations of the kernel's
 * addresses. */
#include "mm/internal.h"

#define SINGLE_FLUSH_CEILING                                                                       \
	33 /* pages: beyond it x86 drops all (tlb_single_page_flush_ceiling)                       \
	    */

void mm_take_lock(struct mm *mm, int cpu, struct mm_lock *lock)
{
	mm_work(mm, cpu, MM_SITE_LOCK, 1);
	mm_touch(mm, cpu, lock->at, 8, MM_WRITE);
	if (mm->ops.lock && cpu != MM_NO_CPU)
		mm->ops.lock(mm->ctx, cpu, lock);
	lock->holder = cpu;
}

void mm_leave_lock(struct mm *mm, int cpu, struct mm_lock *lock)
{
	lock->holder = MM_NO_CPU;
	if (mm->ops.unlock && cpu != MM_NO_CPU)
		mm->ops.unlock(mm->ctx, cpu, lock);
}

void mm_flush_kernel(struct mm *mm, int cpu, uint64_t start, uint64_t end)
{
	uint64_t nr_pages = (end - start) >> mm->arch->page_shift;
	bool all = nr_pages > SINGLE_FLUSH_CEILING;

	mm_forget(mm, cpu,
		  &(struct mm_forget){.start = all ? 0 : start, .end = all ? UINT64_MAX : end});
	if (all)
		mm_work(mm, cpu, MM_SITE_TLB_FLUSH_ALL, 1);
	else
		mm_work(mm, cpu, MM_SITE_TLB_FLUSH, (uint32_t)nr_pages);
	if (mm->ops.tlb_shootdown && cpu != MM_NO_CPU)
		mm->ops.tlb_shootdown(mm->ctx, cpu, NULL);
}
