/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks, sleep, wake and deadlock. SimGrid ends the process where all actors block; here the last
 * one that would block notices first.
 */
#include "sim/time/wait.h"

#include <errno.h>
#include <inttypes.h>

#include "sim/time/bug.h"
#include "sim/time/kthread.h"

static void resume(struct waits *w, struct cpu *c)
{
	c->state = CPU_RUNNING;
	w->nr_running++;
	engine_unblock(w->engine, c->id);
}

/* Who waits for a lock, whichever; NULL: nobody. */
static const struct cpu *some_waiter(const struct waits *w)
{
	for (int cpu = 0; cpu < w->nr_cpus; cpu++)
		if (w->cpus[cpu].wanted)
			return &w->cpus[cpu];
	return NULL;
}

/*
 * Nobody runs any more. Sleepers are told, and return from their programs, which also leaves the
 * locks that they hold. Without a sleeper, locks are held in a circle: an error of the mm core.
 */
static void break_deadlock(struct waits *w)
{
	const struct cpu *waiter = some_waiter(w);
	bool sleepers = false;

	for (int cpu = 0; cpu < w->nr_cpus; cpu++) {
		struct cpu *c = &w->cpus[cpu];

		if (c->state != CPU_SLEEPING)
			continue;
		c->sleep_result = -EDEADLK;
		sleepers = true;
		resume(w, c);
	}
	if (!sleepers && waiter) {
		const struct cpu *holder = waiter->wanted->sink;

		SIM_BUG("cpu %d waits for the lock at %#" PRIx64 ", which cpu %d holds, for ever",
			waiter->id, waiter->wanted->at, holder->id);
	}
	w->deadlock |= sleepers;
}

static void stop(struct waits *w)
{
	if (--w->nr_running == 0)
		break_deadlock(w);
}

static void stop_running(struct waits *w, struct cpu *c, enum cpu_state state)
{
	c->state = state;
	stop(w);
}

void wait_thread_begin(struct waits *w)
{
	w->nr_running++;
}

void wait_thread_end(struct waits *w)
{
	stop(w);
}

void wait_begin(struct waits *w, struct cpu *c)
{
	c->state = CPU_RUNNING;
	w->nr_running++;
}

void wait_done(struct waits *w, struct cpu *c)
{
	if (c->nr_locks)
		SIM_BUG("the program of cpu %d returned holding %u locks", c->id, c->nr_locks);
	stop_running(w, c, CPU_DONE);
}

/* Behind those who wait for it already. */
static void add_waiter(struct mm_lock *lock, struct cpu *c)
{
	struct cpu *first = lock->waiters;

	c->wanted = lock;
	c->next_waiter = NULL;
	if (first) {
		first->last_waiter->next_waiter = c;
	} else {
		first = c;
		lock->waiters = c;
	}
	first->last_waiter = c;
}

void wait_lock(struct waits *w, struct cpu *c, struct mm_lock *lock)
{
	struct lock_account *account = &c->account.locks[lock->kind];

	c->nr_locks++;
	account->acquired++;
	if (!lock->sink) {
		lock->sink = c;
		return;
	}
	if (lock->sink == c)
		SIM_BUG("cpu %d takes the lock at %#" PRIx64 " twice", c->id, lock->at);
	account->contended++;
	add_waiter(lock, c);
	if (c->guest) {
		stop(w);
		engine_block(w->engine);
	} else {
		stop_running(w, c, CPU_WAITING_LOCK);
		engine_block(w->engine);
	}
	account->wait_ps += cpu_catch_up(c, CAUSE_LOCK_WAIT);
}

/* The first that waits for `lock`, taken out of the list; NULL where nobody does. */
static struct cpu *take_waiter(struct mm_lock *lock)
{
	struct cpu *c = lock->waiters;

	if (!c)
		return NULL;
	lock->waiters = c->next_waiter;
	if (c->next_waiter)
		c->next_waiter->last_waiter = c->last_waiter;
	c->wanted = NULL;
	return c;
}

bool wait_wanted(const struct mm_lock *lock)
{
	return lock->waiters != NULL;
}

void wait_unlock(struct waits *w, struct cpu *c, struct mm_lock *lock)
{
	const struct cpu *holder = lock->sink;
	struct cpu *next;

	if (holder != c)
		SIM_BUG("cpu %d leaves the lock at %#" PRIx64 ", which cpu %d holds", c->id,
			lock->at, holder ? holder->id : MM_NO_CPU);
	c->nr_locks--;
	next = take_waiter(lock);
	lock->sink = next;
	if (next && next->guest) {
		w->nr_running++;
		engine_unblock(w->engine, kthread_number(next->guest));
	} else if (next) {
		resume(w, next);
	}
}

int wait_sleep(struct waits *w, struct cpu *c)
{
	if (c->woken) {
		c->woken = false;
		return 0;
	}
	if (w->deadlock)
		return -EDEADLK;
	c->sleep_result = 0;
	stop_running(w, c, CPU_SLEEPING);
	engine_block(w->engine);
	/* A guest that is there moves the clock itself. */
	if (!c->guest)
		cpu_catch_up(c, CAUSE_IDLE);
	return c->sleep_result;
}

/* On the stack of who sleeps. */
struct sleeper {
	const void *channel;
	int number;
	struct sleeper *next; /* while it is in the list */
	bool woken;
};

static void unlink_sleeper(struct waits *w, const struct sleeper *s)
{
	struct sleeper **at = &w->sleepers;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
}

void wait_channel(struct waits *w, int number, uint64_t ps, const void *channel)
{
	struct sleeper self = {.channel = channel, .number = number}, **end = &w->sleepers;

	while (*end)
		end = &(*end)->next;
	*end = &self;
	if (!engine_block_for(w->engine, ps)) {
		/* Woken in the very moment: that is still to be taken. */
		if (self.woken)
			engine_block(w->engine);
	}
	if (!self.woken)
		unlink_sleeper(w, &self);
}

/*
 * First all are taken off the list, then woken: others may run while one is, sleep or be woken, and
 * change it. Who is marked as woken waits for that, and its place in the list with it.
 */
void wait_wake_channel(struct waits *w, const void *channel)
{
	struct sleeper *first = NULL, **last = &first, **at = &w->sleepers;

	while (*at) {
		struct sleeper *s = *at;

		if (s->channel != channel) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		s->next = NULL;
		s->woken = true;
		*last = s;
		last = &s->next;
	}
	while (first) {
		int number = first->number;

		first = first->next;
		engine_unblock(w->engine, number);
	}
}

void wait_wake(struct waits *w, struct cpu *c)
{
	if (c->state == CPU_SLEEPING)
		resume(w, c);
	else
		c->woken = true;
}
