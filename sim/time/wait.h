/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPUs that wait for each other: for a lock, or asleep until woken. Knows when nobody is left who
 * could wake them, and ends the sleeps then.
 *
 * A free lock is taken without entering SimGrid: only one actor runs at a time, so who holds what
 * is known here. A contended one is handed over first come, first served, as the kernel's queued
 * spinlocks do. mm_lock.sink is the struct cpu that holds it, NULL when free; mm_lock.waiters the
 * first of those who wait for it.
 *
 * A thread that runs on a CPU takes and waits for locks in its name: the CPU's program does neither
 * meanwhile.
 *
 * The fields that struct cpu marks (W) belong to this file. Each may change whenever a CPU blocks.
 */
#ifndef SIM_WAIT_H
#define SIM_WAIT_H

#include "sim/time/cpu.h"

struct waits {
	struct engine *engine;
	struct cpu *cpus;
	int nr_cpus;
	int nr_running;           /* CPUs in state CPU_RUNNING, threads between wake-up and sleep */
	int nr_starving;          /* of these, CPUs that sleep for memory that others may free */
	bool deadlock;            /* sleepers have been told that nobody is left to wake them */
	struct sleeper *sleepers; /* on channels, the first first */
};

/** A CPU's program is about to begin. All are announced before any runs. */
void wait_begin(struct waits *w, struct cpu *c);
/** A CPU's program has returned. */
void wait_done(struct waits *w, struct cpu *c);
/** A thread of the kernel has something to do; it has gone to sleep again. */
void wait_thread_begin(struct waits *w);
void wait_thread_end(struct waits *w);

/* On the actor of `c`, settled. Simulated time may pass in wait_lock and wait_sleep. */
void wait_lock(struct waits *w, struct cpu *c, struct mm_lock *lock);
void wait_unlock(struct waits *w, struct cpu *c, struct mm_lock *lock);
/** Does somebody wait for the lock? */
bool wait_wanted(const struct mm_lock *lock);
/** As sim_sleep(). */
int wait_sleep(struct waits *w, struct cpu *c);

/**
 * The actor of that number, which charges nothing meanwhile, sleeps for so long at most, until
 * wait_wake_channel() of that channel; NULL: of none.
 */
void wait_channel(struct waits *w, int number, uint64_t ps, const void *channel);
/** On any actor: those who sleep on that channel go on. */
void wait_wake_channel(struct waits *w, const void *channel);

/** On any actor: wake `c`. As sim_wake(). */
void wait_wake(struct waits *w, struct cpu *c);

#endif
