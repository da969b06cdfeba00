/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads of the kernel, for who runs them: kswapd and kcompactd, one a node each; those that pass
 * on counters, one a CPU and one for all (vmstat_worker.c);
 * that of vmalloc, and khugepaged. mm_ops.wake() says that one has
 * something to do; its sink then calls mm_kthread_run().
 */
#ifndef MM_KTHREAD_H
#define MM_KTHREAD_H

#include "mm/mmzone.h"

#define MM_KTHREAD_FOREVER UINT64_MAX
#define MM_KSWAPD_NAP_US   100000 /* HZ / 10 */
#define MM_TICK_US         4000   /* CONFIG_HZ=250, as distributions build it */
#define MM_SECOND_US       1000000

/* The kswapds by node, then the kcompactds. At first all sleep for their first_us. */
int mm_nr_kthreads(const struct mm *mm);
struct mm_kthread *mm_kthread(struct mm *mm, int index);

/**
 * Run a thread until it sleeps again, on `*cpu`, which is the CPU it ended on when this returns.
 * `woken`: by mm_ops.wake(), rather than that its time was up. Simulated time may pass. Returns how
 * long it sleeps unless woken, microseconds; MM_KTHREAD_FOREVER.
 */
uint64_t mm_kthread_run(struct mm *mm, struct mm_kthread *thread, int *cpu, bool woken);
/**
 * The CPU has nothing to do for long enough to stop its tick: it passes on what it holds back of
 * counters. Simulated time may pass.
 */
void mm_cpu_idles(struct mm *mm, int cpu);
/** Wake it, if it sleeps. Where the sink does not run it, it runs here. */
void mm_kthread_wake(struct mm *mm, int cpu, struct mm_kthread *thread);

/**
 * Memory is freed and compacted by somebody else, as by the frees of a trace: kswapd is woken and
 * takes back what the watermarks were raised by, but is content with what it finds, and nothing is
 * compacted. What direct reclaim comes to is told with each request (mm_request.reclaimed); where
 * it helped but its pages are not here yet, small blocks come from below the minimum watermark.
 */
void mm_set_reclaim_outside(struct mm *mm, bool outside);
/**
 * There, the node's kswapd is at work right now, or no more: meanwhile per-CPU lists of its zones
 * are kept short, as by its own runs.
 */
void mm_set_kswapd_outside(struct mm *mm, int nid, bool active);

/**
 * There, the zone's watermarks stay as raised as they are or will be, until its kswapd gives that
 * back: held is false then.
 */
void mm_hold_boost(struct mm *mm, int cpu, int nid, int zone, bool held);
/**
 * There, kcompactd moves a page to this one: of that zone, from the smallest free block of movable
 * memory that is large enough. Watermarks, tracepoints and counters of allocations have no part in
 * it. It is the caller's, for mm_free_pages(). Returns 0, -ENOMEM where there is no such block, or
 * -EINVAL where there is no such zone. Simulated time may pass.
 */
int mm_take_target(struct mm *mm, int cpu, int nid, int zone, unsigned order, struct page **page);
/** And it is done with a page block: what the CPU's lists hold of the zone may merge. */
void mm_moved_block(struct mm *mm, int cpu, int nid, int zone);

#endif
