/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads of the simulated kernel (kswapd, vmstat workers), each an actor that competes with the
 * programs of CPUs. One that sleeps until it is woken has its actor from then on.
 *
 * A thread that is woken takes its CPU, or an idle one of its node, the lowest; where its node has
 * no CPU, any.
 * Where none is idle it waits, and the first program on such a CPU that comes to the end of an
 * operation makes way for it, as the kernel's scheduler lets who has slept run before who has not.
 * While it runs its charges are that CPU's. A program that wants its CPU back gets it when the
 * thread sleeps, or at a point where it may be made to give way once it has had a slice.
 *
 * With a pace (reclaim_pace.h), a kswapd gets to run so long after it was woken. Who wakes one that
 * slept for good, not for a nap, goes on then, too, unless it has to wait for a CPU: the next
 * operations of the program have their traced times, and would overtake it.
 *
 * Stand-ins (stand_in.c) are no threads of the kernel: each goes on with what the CPU's program has
 * still to do while that sleeps or waits for a disk, as other tasks of the CPU would.
 *
 * A CPU has one of them at most, its guest. The fields that struct cpu marks (T) belong here.
 */
#ifndef SIM_KTHREAD_H
#define SIM_KTHREAD_H

#include "mm/kthread.h"
#include "sim/time/reclaim_pace.h"
#include "sim/time/wait.h"

struct kthread;

struct kthreads {
	struct mm *mm;
	struct engine *engine;
	struct waits *waits;
	struct cpu *cpus;
	int nr_cpus;
	struct kthread *threads;
	int nr;
	int nr_waiting;           /* for a CPU */
	int nr_programs;          /* that have not returned */
	struct reclaim_pace pace; /* of kswapds */
	int nr_actors;            /* threads that have one, which has not returned */
	/** Called on the last program's actor when that has returned; NULL: nothing. */
	void (*programs_over)(void *arg);
	/** Called on the last actor, once all threads have returned, too; NULL: nothing. */
	void (*over)(void *arg);
	void *over_arg;
};

/** Make them, asleep; after the engine, before the run. Returns 0 or -ENOMEM. */
int kthreads_init(struct kthreads *t);
void kthreads_clear(struct kthreads *t);
/** Make the actors of those that wake by themselves, once the programs' are made. */
void kthreads_start(struct kthreads *t, int nr_programs);

/** The number of its actor. */
int kthread_number(const struct kthread *k);
/** mm_ops.wake: on any actor. One that is not to run any more is taken care of. */
bool kthread_wake(struct kthreads *t, struct mm_kthread *thread);
/** The thread that the calling actor is, on CPU `c`; NULL for a program. */
struct kthread *kthread_current(const struct kthreads *t, const struct cpu *c);
/** A page was freed by it. */
void kthread_freed(struct kthread *k, uint64_t pages);
/** Does it sleep until it is woken, and would find an idle CPU at once? */
bool kthread_would_run(const struct kthreads *t, const struct mm_kthread *thread);
/** mm_ops.resched and sleep, called by a thread: the CPU on which it goes on. Time may pass. */
int kthread_resched(struct kthreads *t, struct kthread *k);
int kthread_sleep(struct kthreads *t, struct kthread *k, uint64_t ps, const void *channel);
/** Wait until `*done`, for which its actor is unblocked; others may have the CPU meanwhile. */
void kthread_wait(struct kthreads *t, struct kthread *k, const bool *done);

/** `nr` at most at once, before the run, for the program of `c`. 0 or -ENOMEM. `work` is borrowed.
 */
int kthreads_add_stand_ins(struct kthreads *t, struct cpu *c, int nr,
			   const struct sim_stand_in *work);
/** Is it one of them, and no thread of the kernel? NULL is not. */
bool kthread_stands_in(const struct kthread *k);
/** Is there work for one, or one that waits for the CPU? */
bool kthreads_has_work(const struct cpu *c);
/** There is work now: one is called if nobody is on the CPU who would see that. */
void kthreads_call_stand_in(struct kthreads *t, struct cpu *c);

/* For the program of a CPU, settled; time may pass. */

/** It has nothing to do from here on: threads may have the CPU. */
void kthreads_offer(struct kthreads *t, struct cpu *c);
/** It has something to do again: returns when no thread is on the CPU any more. */
void kthreads_reclaim(struct kthreads *t, struct cpu *c);
/** The end of an operation: a thread that waits for a CPU may have this one for a while. */
void kthreads_give_way(struct kthreads *t, struct cpu *c);
/** The program has returned. After the last one threads end, too. */
void kthreads_program_done(struct kthreads *t);

/** Which thread of the mm core it is. */
const struct mm_kthread *kthread_is(const struct kthread *k);

#endif
