/* SPDX-License-Identifier: Apache-2.0 */
/* Threads of the kernel and which CPU they run on. Knows no costs, and nothing of what they do. */
#include "sim/time/kthread.h"

#include <errno.h>
#include <stdlib.h>

#define PS_PER_US UINT64_C(1000000)
/* What the fair scheduler lets run before it preempts: sched_min_granularity of 6.1, 0.75 ms * 4 */
#define SLICE_PS (3000 * PS_PER_US)

struct kthread {
	struct kthreads *all;
	struct mm_kthread *thread;
	int number;
	struct cpu *cpu;    /* that it runs on; NULL: none */
	uint64_t since_ps;  /* when it got there */
	bool waiting;       /* for a CPU */
	bool asleep, woken; /* between two runs; by somebody */
	bool stop;
	bool started; /* it has an actor */
	bool napping;
	bool arriving; /* it was woken, and has not looked at why yet */
	struct reclaim_step step;
};

int kthreads_init(struct kthreads *t)
{
	t->nr = mm_nr_kthreads(t->mm);
	t->threads = calloc((size_t)t->nr, sizeof(*t->threads));
	if (!t->threads)
		return -ENOMEM;
	for (int i = 0; i < t->nr; i++) {
		t->threads[i] = (struct kthread){
			.all = t,
			.thread = mm_kthread(t->mm, i),
			.number = t->nr_cpus + i,
			.asleep = true,
		};
		t->threads[i].thread->sink = &t->threads[i];
	}
	for (int cpu = 0; cpu < t->nr_cpus; cpu++)
		t->cpus[cpu].idle = true;
	return engine_add_threads(t->engine, t->nr);
}

void kthreads_clear(struct kthreads *t)
{
	free(t->threads);
}

int kthread_number(const struct kthread *k)
{
	return k->number;
}

struct kthread *kthread_current(const struct kthreads *t, const struct cpu *c)
{
	(void)t;
	return c->guest;
}

/* A CPU of its node; any where that has none. */
static bool may_run_on(const struct kthreads *t, const struct kthread *k, const struct cpu *c)
{
	int nid = k->thread->nid;

	if (k->thread->cpu != MM_NO_CPU)
		return k->thread->cpu == c->id;
	if (mm_cpu_to_node(t->mm, c->id) == nid)
		return true;
	for (int cpu = 0; cpu < t->nr_cpus; cpu++)
		if (mm_cpu_to_node(t->mm, cpu) == nid)
			return false;
	return true;
}

/* On the thread's actor or, while that waits, another's. */
static void take_cpu(struct kthread *k, struct cpu *c)
{
	k->cpu = c;
	c->guest = k;
	engine_set_cpu(k->all->engine, k->number, c->id);
}

/* On its own actor: returns when it has a CPU. */
static void get_cpu(struct kthreads *t, struct kthread *k)
{
	for (int cpu = 0; cpu < t->nr_cpus && !k->cpu; cpu++) {
		struct cpu *c = &t->cpus[cpu];

		if (c->idle && !c->guest && may_run_on(t, k, c))
			take_cpu(k, c);
	}
	if (!k->cpu) {
		k->waiting = true;
		t->nr_waiting++;
		engine_block(t->engine, k->number);
	}
	/* Until now the CPU had nothing to do. */
	cpu_catch_up(k->cpu, k->cpu->why);
	k->since_ps = k->cpu->now_ps;
}

/* Whoever waits for this CPU gets it. Returns whether somebody does. */
static bool pass_on(struct kthreads *t, struct cpu *c)
{
	for (int i = 0; i < t->nr && t->nr_waiting; i++) {
		struct kthread *k = &t->threads[i];

		if (!k->waiting || !may_run_on(t, k, c))
			continue;
		k->waiting = false;
		t->nr_waiting--;
		take_cpu(k, c);
		engine_unblock(t->engine, k->number);
		return true;
	}
	return false;
}

/* On its own actor, with all its charges settled: the program goes before other threads. */
static void put_cpu(struct kthreads *t, struct kthread *k)
{
	struct cpu *c = k->cpu;

	cpu_settle(c);
	k->cpu = NULL;
	c->guest = NULL;
	engine_set_cpu(t->engine, k->number, MM_NO_CPU);
	if (c->wanted_back) {
		c->wanted_back = false;
		engine_unblock(t->engine, c->id);
	} else if (c->idle) {
		pass_on(t, c);
	}
}

static bool is_kswapd(const struct kthreads *t, const struct kthread *k)
{
	return k->thread->index < mm_nr_nodes(t->mm);
}

void kthread_freed(struct kthread *k, uint64_t pages)
{
	k->step.freed += pages;
}

/* At a point where others may run. */
static void keep_pace(struct kthreads *t, struct kthread *k)
{
	if (is_kswapd(t, k) && k->arriving)
		reclaim_step_arrive(&t->pace, &k->step, k->cpu);
	else if (is_kswapd(t, k))
		reclaim_step_of_kswapd(&t->pace, &k->step, k->cpu);
	k->arriving = false;
	cpu_settle(k->cpu);
}

const struct mm_kthread *kthread_is(const struct kthread *k)
{
	return k->thread;
}

int kthread_resched(struct kthreads *t, struct kthread *k)
{
	keep_pace(t, k);
	if (k->cpu->wanted_back && k->cpu->now_ps - k->since_ps >= SLICE_PS) {
		put_cpu(t, k);
		get_cpu(t, k);
	}
	reclaim_step_begin(&k->step, k->cpu);
	return k->cpu->id;
}

int kthread_sleep(struct kthreads *t, struct kthread *k, uint64_t ps, const void *channel)
{
	keep_pace(t, k);
	put_cpu(t, k);
	wait_channel(t->waits, k->number, ps, channel);
	get_cpu(t, k);
	reclaim_step_begin(&k->step, k->cpu);
	return k->cpu->id;
}

static void thread_main(void *arg);

static void tell_if_over(const struct kthreads *t)
{
	if (!t->nr_programs && !t->nr_actors && t->over)
		t->over(t->over_arg);
}

static void run_actor(void *arg)
{
	struct kthread *k = arg;

	thread_main(k);
	k->all->nr_actors--;
	tell_if_over(k->all);
}

static void start(struct kthreads *t, struct kthread *k)
{
	k->started = true;
	t->nr_actors++;
	engine_add_actor(t->engine, k->number, run_actor, k);
}

bool kthread_would_run(const struct kthreads *t, const struct mm_kthread *thread)
{
	const struct kthread *k = thread->sink;

	if (!k || k->stop || !k->asleep || k->napping)
		return false;
	for (int cpu = 0; cpu < t->nr_cpus; cpu++)
		if (t->cpus[cpu].idle && !t->cpus[cpu].guest && may_run_on(t, k, &t->cpus[cpu]))
			return true;
	return false;
}

bool kthread_wake(struct kthreads *t, struct mm_kthread *thread)
{
	struct kthread *k = thread->sink;

	if (!k)
		return false;
	/* The run is over but for those that are at work: what it would do is nobody's business. */
	if (k->stop)
		return true;
	k->woken = true;
	if (k->asleep) {
		k->asleep = false;
		wait_thread_begin(t->waits);
		if (k->started)
			engine_unblock(t->engine, k->number);
		else
			start(t, k);
	}
	return true;
}

/* Until it is woken or its time is up. */
static void sleep_for(struct kthreads *t, struct kthread *k, uint64_t us)
{
	k->asleep = true;
	k->napping = us != MM_KTHREAD_FOREVER;
	if (us == MM_KTHREAD_FOREVER) {
		engine_block(t->engine, k->number);
	} else if (!engine_block_for(t->engine, k->number, us * PS_PER_US)) {
		/* In time, or woken in the very moment: then that is still to be taken. */
		if (!k->asleep)
			engine_block(t->engine, k->number);
		else
			wait_thread_begin(t->waits);
		k->asleep = false;
	}
}

/* From getting a CPU to leaving it. Returns for how long it is to sleep. */
static uint64_t run_once(struct kthreads *t, struct kthread *k)
{
	bool woken = k->woken;
	uint64_t us;
	int cpu;

	get_cpu(t, k);
	cpu = k->cpu->id;
	k->woken = false;
	k->arriving = woken;
	reclaim_step_begin(&k->step, k->cpu);
	us = mm_kthread_run(t->mm, k->thread, &cpu, woken);
	keep_pace(t, k);
	put_cpu(t, k);
	return us;
}

static void thread_main(void *arg)
{
	struct kthread *k = arg;
	struct kthreads *t = k->all;
	uint64_t us = k->thread->first_us;

	for (;;) {
		/* Made because it was woken, it has not slept. */
		if (!k->woken)
			sleep_for(t, k, us);
		if (k->stop)
			return;
		/* Leaving the CPU takes time, in which somebody may wake it already. */
		do
			us = run_once(t, k);
		while (k->woken && !k->stop);
		if (k->stop)
			return;
		wait_thread_end(t->waits);
	}
}

void kthreads_start(struct kthreads *t, int nr_programs)
{
	t->nr_programs = nr_programs;
	if (!nr_programs)
		return;
	for (int i = 0; i < t->nr; i++)
		if (t->threads[i].thread->first_us != MM_KTHREAD_FOREVER)
			start(t, &t->threads[i]);
}

void kthreads_program_done(struct kthreads *t)
{
	if (--t->nr_programs)
		return;
	if (t->programs_over)
		t->programs_over(t->over_arg);
	for (int i = 0; i < t->nr; i++) {
		struct kthread *k = &t->threads[i];

		k->stop = true;
		if (k->asleep && k->started) {
			k->asleep = false;
			engine_unblock(t->engine, k->number);
		}
	}
	tell_if_over(t);
}

void kthreads_offer(struct kthreads *t, struct cpu *c)
{
	c->idle = true;
	if (t->nr_waiting)
		pass_on(t, c);
}

void kthreads_reclaim(struct kthreads *t, struct cpu *c)
{
	c->idle = false;
	while (c->guest) {
		c->wanted_back = true;
		engine_block(t->engine, c->id);
	}
}

void kthreads_give_way(struct kthreads *t, struct cpu *c)
{
	if (!t->nr_waiting)
		return;
	if (pass_on(t, c))
		kthreads_reclaim(t, c);
}
