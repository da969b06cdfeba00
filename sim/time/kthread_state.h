/* SPDX-License-Identifier: Apache-2.0 */
/* What kthread.c and stand_in.c share: who may have a CPU, and how one gets and leaves it. */
#ifndef SIM_KTHREAD_STATE_H
#define SIM_KTHREAD_STATE_H

#include "sim/time/kthread.h"

#define PS_PER_US UINT64_C(1000000)
/* What the fair scheduler lets run before it preempts: sched_min_granularity of 6.1, 0.75 ms * 4 */
#define SLICE_PS (3000 * PS_PER_US)

struct kthread {
	struct kthreads *all;
	struct mm_kthread *thread; /* NULL: it stands in for a program */
	struct cpu *only;          /* the one CPU that it may have; NULL: as may_run_on() says */
	bool anywhere;             /* (C) its node has no CPUs */
	int number;
	struct cpu *cpu;    /* that it runs on; NULL: none */
	uint64_t since_ps;  /* when it got there */
	bool waiting;       /* for a CPU */
	bool asleep, woken; /* between two runs; by somebody */
	bool stop;
	bool started; /* it has an actor */
	bool napping;
	bool arriving;  /* it was woken, and has not looked at why yet */
	bool preempted; /* stand-in: it left its CPU though it had something to do */
	uint64_t space; /* stand-in: that its CPU ran when it left that */
	struct reclaim_step step;
};

/** On the thread's actor: returns when it has a CPU. */
void kthread_get_cpu(struct kthreads *t, struct kthread *k);
/** On the thread's actor, which has one: settles, and leaves it to who goes next. */
void kthread_put_cpu(struct kthreads *t, struct kthread *k);

/** Does a thread of the kernel wait for this CPU? */
bool kthread_waits_for(const struct kthreads *t, const struct cpu *c);
/** Make its actor, which calls kthread_actor_done() as the last thing that it does. */
void kthread_start_actor(struct kthreads *t, struct kthread *k, void (*main)(void *arg));
void kthread_actor_done(struct kthreads *t);

/* stand_in.c */
/** One of `c` that waits for it; NULL: none, or all have had their slice, and not `any`. */
struct kthread *stand_in_waiting(const struct cpu *c, bool any);
/** A point where a stand-in may have to give way. */
void stand_in_resched(struct kthreads *t, struct kthread *k);
void stand_ins_stop(struct kthreads *t, struct cpu *c);

#endif
