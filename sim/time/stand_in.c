/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who does what is left of a program's work while it sleeps or waits for a disk: a CPU whose task
 * blocks runs the next one. A stand-in is a guest of one CPU as a kswapd is, made when it is first
 * called. Who has slept goes before who has not; two that have something to do take turns of a
 * slice. Knows nothing of what the work is.
 */
#include <errno.h>
#include <stdlib.h>

#include "mm/user/user.h"
#include "sim/time/kthread_state.h"

int kthreads_add_stand_ins(struct kthreads *t, struct cpu *c, int nr,
			   const struct sim_stand_in *work)
{
	int number = engine_nr_actors(t->engine), err = engine_add_threads(t->engine, nr);
	struct kthread *of = err ? NULL : calloc((size_t)nr, sizeof(*of));

	if (!of)
		return -ENOMEM;
	for (int i = 0; i < nr; i++)
		of[i] = (struct kthread){
			.all = t,
			.only = c,
			.number = number + i,
			.asleep = true,
		};
	c->stand_ins = of;
	c->nr_stand_ins = nr;
	c->work = work;
	return 0;
}

bool kthread_stands_in(const struct kthread *k)
{
	return k && !k->thread;
}

struct kthread *stand_in_waiting(const struct cpu *c, bool any)
{
	for (int i = 0; i < c->nr_stand_ins; i++) {
		struct kthread *k = &c->stand_ins[i];

		if (k->waiting && (any || !k->preempted))
			return k;
	}
	return NULL;
}

/* Is there somebody else whose turn it is? */
static bool must_go(const struct kthreads *t, const struct kthread *k)
{
	const struct cpu *c = k->cpu;
	bool over = c->now_ps - k->since_ps >= SLICE_PS;

	if (c->wanted_back)
		return c->back_now || over;
	return t->nr_waiting && (kthread_waits_for(t, c) || stand_in_waiting(c, over));
}

void stand_in_resched(struct kthreads *t, struct kthread *k)
{
	cpu_settle(k->cpu);
	if (!must_go(t, k))
		return;
	k->preempted = true;
	kthread_put_cpu(t, k);
	kthread_get_cpu(t, k);
}

/* Something to do, and nobody who is about to do it. */
static bool is_called_for(const struct cpu *c)
{
	return c->idle && !c->standing_in && !stand_in_waiting(c, true) &&
	       c->work->is_there(c->work->arg, c->id);
}

static void stand_in_main(void *arg)
{
	struct kthread *k = arg;
	struct kthreads *t = k->all;
	struct cpu *c = k->only;

	while (!k->stop) {
		k->preempted = false;
		kthread_get_cpu(t, k);
		c->work->run(c->work->arg, c->id);
		kthread_put_cpu(t, k);
		if (is_called_for(c))
			continue;
		k->asleep = true;
		wait_thread_end(t->waits);
		engine_block(t->engine);
	}
	kthread_actor_done(t);
}

void kthreads_call_stand_in(struct kthreads *t, struct cpu *c)
{
	struct kthread *k = c->stand_ins;

	if (!c->nr_stand_ins || !is_called_for(c))
		return;
	while (k < c->stand_ins + c->nr_stand_ins && !k->asleep)
		k++;
	if (k == c->stand_ins + c->nr_stand_ins || k->stop)
		return;
	k->asleep = false;
	wait_thread_begin(t->waits);
	if (k->started)
		engine_unblock(t->engine, k->number);
	else
		kthread_start_actor(t, k, stand_in_main);
}

bool kthreads_has_work(const struct cpu *c)
{
	return c->nr_stand_ins &&
	       (stand_in_waiting(c, true) || c->work->is_there(c->work->arg, c->id));
}

void stand_ins_stop(struct kthreads *t, struct cpu *c)
{
	for (int i = 0; i < c->nr_stand_ins; i++) {
		struct kthread *k = &c->stand_ins[i];

		k->stop = true;
		if (k->asleep && k->started)
			engine_unblock(t->engine, k->number);
	}
}
