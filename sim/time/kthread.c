/* SPDX-License-Identifier: Apache-2.0 */
/* Threads of the kernel and which CPU they run on. Knows no costs, and nothing of what they do. */
#include "sim/time/kthread_state.h"

#include <errno.h>
#include <stdlib.h>

#include "mm/user/user.h"

/* May a thread of that node be anywhere, as no CPU is on it? */
static bool has_no_cpus(const struct kthreads *t, int nid)
{
	for (int cpu = 0; cpu < t->nr_cpus; cpu++)
		if (mm_cpu_to_node(t->mm, cpu) == nid)
			return false;
	return true;
}

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
		t->threads[i].anywhere = has_no_cpus(t, t->threads[i].thread->nid);
		t->threads[i].thread->sink = &t->threads[i];
	}
	for (int cpu = 0; cpu < t->nr_cpus; cpu++)
		t->cpus[cpu].idle = true;
	return engine_add_threads(t->engine, t->nr);
}

void kthreads_clear(struct kthreads *t)
{
	free(t->threads);
	for (int cpu = 0; t->cpus && cpu < t->nr_cpus; cpu++)
		free(t->cpus[cpu].stand_ins);
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
	if (k->only)
		return k->only == c;
	if (k->thread->cpu != MM_NO_CPU)
		return k->thread->cpu == c->id;
	return k->anywhere || mm_cpu_to_node(t->mm, c->id) == k->thread->nid;
}

/* On the thread's actor or, while that waits, another's. */
static void take_cpu(struct kthread *k, struct cpu *c)
{
	k->cpu = c;
	c->guest = k;
	c->standing_in = !k->thread;
	engine_set_cpu(k->all->engine, k->number, c->id);
}

void kthread_get_cpu(struct kthreads *t, struct kthread *k)
{
	for (int cpu = 0; cpu < t->nr_cpus && !k->cpu; cpu++) {
		struct cpu *c = &t->cpus[cpu];

		if (c->idle && !c->guest && may_run_on(t, k, c))
			take_cpu(k, c);
	}
	if (!k->cpu) {
		k->waiting = true;
		t->nr_waiting++;
		engine_block(t->engine);
	}
	/* Until now the CPU had nothing to do. */
	cpu_catch_up(k->cpu, cpu_idle_cause(k->cpu));
	k->since_ps = k->cpu->now_ps;
	k->preempted = false;
	if (!k->thread && k->space)
		mm_space_resume(t->mm, k->cpu->id, k->space);
}

static struct kthread *find_waiting(const struct kthreads *t, const struct cpu *c)
{
	for (int i = 0; i < t->nr; i++)
		if (t->threads[i].waiting && may_run_on(t, &t->threads[i], c))
			return &t->threads[i];
	return NULL;
}

bool kthread_waits_for(const struct kthreads *t, const struct cpu *c)
{
	return find_waiting(t, c) != NULL;
}

/*
 * Whoever waits for this CPU gets it, a stand-in that was made to leave it only if `any` may.
 * Returns whether somebody does.
 */
static bool pass_on(struct kthreads *t, struct cpu *c, bool any)
{
	struct kthread *k = t->nr_waiting ? find_waiting(t, c) : NULL;

	if (!k && t->nr_waiting)
		k = stand_in_waiting(c, any);
	if (!k)
		return false;
	k->waiting = false;
	t->nr_waiting--;
	take_cpu(k, c);
	engine_unblock(t->engine, k->number);
	return true;
}

/* The program goes before other threads. */
void kthread_put_cpu(struct kthreads *t, struct kthread *k)
{
	struct cpu *c = k->cpu;

	cpu_settle(c);
	if (!k->thread)
		k->space = mm_space_running(t->mm, c->id);
	k->cpu = NULL;
	c->guest = NULL;
	c->standing_in = false;
	engine_set_cpu(t->engine, k->number, MM_NO_CPU);
	if (c->wanted_back) {
		c->wanted_back = false;
		engine_unblock(t->engine, c->id);
	} else if (c->idle) {
		pass_on(t, c, true);
	}
}

static bool is_kswapd(const struct kthreads *t, const struct kthread *k)
{
	return k->thread && k->thread->index < mm_nr_nodes(t->mm);
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
	if (!k->thread) {
		stand_in_resched(t, k);
		return k->cpu->id;
	}
	keep_pace(t, k);
	if ((k->cpu->wanted_back || stand_in_waiting(k->cpu, true)) &&
	    k->cpu->now_ps - k->since_ps >= SLICE_PS) {
		kthread_put_cpu(t, k);
		kthread_get_cpu(t, k);
	}
	reclaim_step_begin(&k->step, k->cpu);
	return k->cpu->id;
}

int kthread_sleep(struct kthreads *t, struct kthread *k, uint64_t ps, const void *channel)
{
	struct cpu *c = k->cpu;

	keep_pace(t, k);
	kthread_put_cpu(t, k);
	kthreads_call_stand_in(t, c);
	wait_channel(t->waits, k->number, ps, channel);
	kthread_get_cpu(t, k);
	reclaim_step_begin(&k->step, k->cpu);
	return k->cpu->id;
}

static void tell_if_over(const struct kthreads *t)
{
	if (!t->nr_programs && !t->nr_actors && t->over)
		t->over(t->over_arg);
}

void kthread_actor_done(struct kthreads *t)
{
	t->nr_actors--;
	tell_if_over(t);
}

void kthread_start_actor(struct kthreads *t, struct kthread *k, void (*main)(void *arg))
{
	k->started = true;
	t->nr_actors++;
	engine_add_actor(t->engine, k->number, main, k);
}

static void run_actor(void *arg);

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
			kthread_start_actor(t, k, run_actor);
	}
	return true;
}

/* Until it is woken or its time is up. */
static void sleep_for(struct kthreads *t, struct kthread *k, uint64_t us)
{
	k->asleep = true;
	k->napping = us != MM_KTHREAD_FOREVER;
	if (us == MM_KTHREAD_FOREVER) {
		engine_block(t->engine);
	} else if (!engine_block_for(t->engine, us * PS_PER_US)) {
		/* In time, or woken in the very moment: then that is still to be taken. */
		if (!k->asleep)
			engine_block(t->engine);
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

	kthread_get_cpu(t, k);
	cpu = k->cpu->id;
	k->woken = false;
	k->arriving = woken;
	reclaim_step_begin(&k->step, k->cpu);
	us = mm_kthread_run(t->mm, k->thread, &cpu, woken);
	keep_pace(t, k);
	kthread_put_cpu(t, k);
	return us;
}

static void thread_main(struct kthread *k)
{
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

static void run_actor(void *arg)
{
	struct kthread *k = arg;

	thread_main(k);
	kthread_actor_done(k->all);
}

void kthreads_start(struct kthreads *t, int nr_programs)
{
	t->nr_programs = nr_programs;
	if (!nr_programs)
		return;
	for (int i = 0; i < t->nr; i++)
		if (t->threads[i].thread->first_us != MM_KTHREAD_FOREVER)
			kthread_start_actor(t, &t->threads[i], run_actor);
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
	for (int cpu = 0; cpu < t->nr_cpus; cpu++)
		stand_ins_stop(t, &t->cpus[cpu]);
	tell_if_over(t);
}

void kthreads_offer(struct kthreads *t, struct cpu *c)
{
	c->idle = true;
	if (c->nr_stand_ins)
		c->space = mm_space_running(t->mm, c->id);
	if (t->nr_waiting)
		pass_on(t, c, true);
	kthreads_call_stand_in(t, c);
}

static void take_back(struct kthreads *t, struct cpu *c, bool slept)
{
	c->idle = false;
	c->back_now = slept;
	while (c->guest) {
		c->wanted_back = true;
		engine_block(t->engine);
	}
	c->since_ps = c->now_ps;
	if (c->nr_stand_ins && c->space)
		mm_space_resume(t->mm, c->id, c->space);
}

void kthreads_reclaim(struct kthreads *t, struct cpu *c)
{
	take_back(t, c, true);
}

void kthreads_give_way(struct kthreads *t, struct cpu *c)
{
	if (!t->nr_waiting)
		return;
	if (c->nr_stand_ins)
		c->space = mm_space_running(t->mm, c->id);
	if (pass_on(t, c, c->now_ps - c->since_ps >= SLICE_PS))
		take_back(t, c, false);
}

void kthread_wait(struct kthreads *t, struct kthread *k, const bool *done)
{
	struct cpu *c = k->cpu, *only = k->only;

	keep_pace(t, k);
	/* Who waits for a disk comes back to where it was. */
	k->only = c;
	kthread_put_cpu(t, k);
	kthreads_call_stand_in(t, c);
	/* It may be done by now: who does it unblocks once, and this is what for. */
	do
		engine_block(t->engine);
	while (!*done);
	kthread_get_cpu(t, k);
	k->only = only;
	reclaim_step_begin(&k->step, k->cpu);
}
