/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks, idling, sleep and wake, and the end where nobody can go on. CPUs of 2 GHz: 2 cycles a ns.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>

#include "sim/time/cost_sink.h"
#include "tests/machine_builder.h"

static const struct costs two_cycles_each = {.cycles = {[MM_SITE_LOCK] = 2}};

/* What the programs of a test share. */
struct stage {
	struct mm_lock lock, other_lock;
	int order[8]; /* CPUs, as they came by */
	int nr_order;
	int result[4];
	uint64_t seen_ps[4];
};

static struct sim *new_sim(const struct machine *m)
{
	struct diag diag = DIAG_INIT;
	struct sim *s = NULL;

	cr_assert_eq(sim_create(m, &two_cycles_each, &diag, &s), 0);
	return s;
}

static void work_ns(struct sim *s, int cpu, uint32_t ns)
{
	cost_sink_ops.work(s, cpu, MM_SITE_LOCK, ns);
}

/* CPU n comes n ns late, and holds the lock for 100 ns. */
static void hold_lock(struct sim *s, int cpu, void *arg)
{
	struct stage *stage = arg;

	work_ns(s, cpu, (uint32_t)cpu);
	cost_sink_ops.lock(s, cpu, &stage->lock);
	stage->order[stage->nr_order++] = cpu;
	work_ns(s, cpu, 100);
	cost_sink_ops.unlock(s, cpu, &stage->lock);
}

/* 0 holds until 100 ns; 1 waits from 1 to 100 and holds until 200; 2 waits from 2 to 200. */
Test(waiting, lock_wait_is_what_the_holders_take)
{
	struct machine *m = build_machine(1, 3);
	struct stage stage = {0};
	struct sim *s = new_sim(m);

	for (int cpu = 0; cpu < 3; cpu++)
		sim_spawn(s, cpu, hold_lock, &stage);
	cr_assert_eq(sim_run(s), 0);
	cr_assert_eq(sim_elapsed_ps(s), 300000);
	cr_assert_eq(sim_account(s, 0)->cause_ps[CAUSE_LOCK_WAIT], 0);
	cr_assert_eq(sim_account(s, 1)->cause_ps[CAUSE_LOCK_WAIT], 99000);
	cr_assert_eq(sim_account(s, 2)->cause_ps[CAUSE_LOCK_WAIT], 198000);
	for (int cpu = 0; cpu < 3; cpu++) {
		cr_assert_eq(stage.order[cpu], cpu);
		cr_assert_eq(sim_account(s, cpu)->locks[MM_LOCK_ZONE].acquired, 1);
		cr_assert_eq(sim_account(s, cpu)->locks[MM_LOCK_ZONE].contended, cpu > 0);
		cr_assert_eq(sim_account(s, cpu)->total_ps, 300000);
	}
	sim_destroy(s);
	built_free(m);
}

/* What is waited for a lock counts for its kind alone. */
Test(waiting, each_kind_of_lock_has_its_own_account)
{
	struct machine *m = build_machine(1, 3);
	struct stage stage = {.lock.kind = MM_LOCK_LRU};
	struct sim *s = new_sim(m);

	for (int cpu = 0; cpu < 3; cpu++)
		sim_spawn(s, cpu, hold_lock, &stage);
	cr_assert_eq(sim_run(s), 0);
	for (int cpu = 0; cpu < 3; cpu++) {
		const struct lock_account *locks = sim_account(s, cpu)->locks;

		cr_assert_eq(locks[MM_LOCK_LRU].acquired, 1);
		cr_assert_eq(locks[MM_LOCK_LRU].contended, cpu > 0);
		cr_assert_eq(locks[MM_LOCK_LRU].wait_ps, (uint64_t)cpu * 99000);
		cr_assert_eq(locks[MM_LOCK_ZONE].acquired, 0);
		cr_assert_eq(locks[MM_LOCK_ZONE].wait_ps, 0);
	}
	sim_destroy(s);
	built_free(m);
}

/* CPU 0 comes back for the lock as it leaves it; CPU 1, which waits, has it first. */
static void hold_twice(struct sim *s, int cpu, void *arg)
{
	hold_lock(s, cpu, arg);
	if (cpu == 0)
		hold_lock(s, cpu, arg);
}

Test(waiting, lock_is_handed_over_in_order)
{
	struct machine *m = build_machine(1, 2);
	struct stage stage = {0};
	struct sim *s = new_sim(m);

	sim_spawn(s, 1, hold_twice, &stage);
	sim_spawn(s, 0, hold_twice, &stage);
	cr_assert_eq(sim_run(s), 0);
	cr_assert_eq(stage.nr_order, 3);
	cr_assert_eq(stage.order[0], 0);
	cr_assert_eq(stage.order[1], 1);
	cr_assert_eq(stage.order[2], 0);
	cr_assert_eq(sim_elapsed_ps(s), 300000);
	sim_destroy(s);
	built_free(m);
}

static void hold_own_lock(struct sim *s, int cpu, void *arg)
{
	struct stage *stage = arg;
	struct mm_lock *lock = cpu ? &stage->other_lock : &stage->lock;

	cost_sink_ops.lock(s, cpu, lock);
	work_ns(s, cpu, 100);
	cost_sink_ops.unlock(s, cpu, lock);
}

Test(waiting, different_locks_do_not_wait)
{
	struct machine *m = build_machine(1, 2);
	struct stage stage = {0};
	struct sim *s = new_sim(m);

	sim_spawn(s, 0, hold_own_lock, &stage);
	sim_spawn(s, 1, hold_own_lock, &stage);
	cr_assert_eq(sim_run(s), 0);
	cr_assert_eq(sim_elapsed_ps(s), 100000);
	sim_destroy(s);
	built_free(m);
}

static void idle_then_look(struct sim *s, int cpu, void *arg)
{
	struct stage *stage = arg;

	work_ns(s, cpu, 10);
	sim_idle_until(s, cpu, 500000);
	sim_idle_until(s, cpu, 400000);
	stage->seen_ps[cpu] = sim_now_ps(s, cpu);
}

/* Idling settles first, and to a time that is past it does not wait. */
Test(waiting, idle_until)
{
	struct machine *m = build_machine(1, 1);
	struct stage stage = {0};
	struct sim *s = new_sim(m);

	sim_spawn(s, 0, idle_then_look, &stage);
	cr_assert_eq(sim_run(s), 0);
	cr_assert_eq(stage.seen_ps[0], 500000);
	cr_assert_eq(sim_account(s, 0)->cause_ps[CAUSE_COMPUTE], 10000);
	cr_assert_eq(sim_account(s, 0)->cause_ps[CAUSE_IDLE], 490000);
	sim_destroy(s);
	built_free(m);
}

static void sleep_or_wake(struct sim *s, int cpu, void *arg)
{
	struct stage *stage = arg;

	if (cpu == 0) {
		stage->result[0] = sim_sleep(s, 0);
		stage->seen_ps[0] = sim_now_ps(s, 0);
	} else {
		work_ns(s, cpu, 70);
		sim_settle(s, cpu);
		sim_wake(s, 0);
		work_ns(s, cpu, 30);
	}
}

Test(waiting, sleep_until_woken)
{
	struct machine *m = build_machine(1, 2);
	struct stage stage = {0};
	struct sim *s = new_sim(m);

	sim_spawn(s, 0, sleep_or_wake, &stage);
	sim_spawn(s, 1, sleep_or_wake, &stage);
	cr_assert_eq(sim_run(s), 0);
	cr_assert_eq(stage.result[0], 0);
	cr_assert_eq(stage.seen_ps[0], 70000);
	cr_assert_eq(sim_account(s, 0)->cause_ps[CAUSE_IDLE], 100000, "asleep, then done");
	cr_assert_eq(sim_elapsed_ps(s), 100000);
	sim_destroy(s);
	built_free(m);
}

static void wake_before_sleep(struct sim *s, int cpu, void *arg)
{
	struct stage *stage = arg;

	if (cpu == 1) {
		sim_wake(s, 0);
		sim_wake(s, 0);
		return;
	}
	work_ns(s, 0, 50);
	stage->result[0] = sim_sleep(s, 0);
	stage->seen_ps[0] = sim_now_ps(s, 0);
	stage->result[1] = sim_sleep(s, 0);
}

/* The first sleep returns at once; two wakes counted as one, so the second finds nobody left. */
Test(waiting, early_wake_is_not_lost)
{
	struct machine *m = build_machine(1, 2);
	struct stage stage = {0};
	struct sim *s = new_sim(m);

	sim_spawn(s, 0, wake_before_sleep, &stage);
	sim_spawn(s, 1, wake_before_sleep, &stage);
	cr_assert_eq(sim_run(s), -EDEADLK);
	cr_assert_eq(stage.result[0], 0);
	cr_assert_eq(stage.seen_ps[0], 50000);
	cr_assert_eq(stage.result[1], -EDEADLK);
	sim_destroy(s);
	built_free(m);
}

static void only_sleep(struct sim *s, int cpu, void *arg)
{
	struct stage *stage = arg;

	work_ns(s, cpu, 10 + (uint32_t)cpu);
	stage->result[cpu] = sim_sleep(s, cpu);
	if (cpu == 0)
		stage->result[3] = sim_sleep(s, cpu);
}

/* All asleep at 12 ns: each is told, also where it sleeps again, and the accounts still add up. */
Test(waiting, deadlock_ends_the_run)
{
	struct machine *m = build_machine(1, 3);
	struct stage stage = {0};
	struct sim *s = new_sim(m);

	for (int cpu = 0; cpu < 3; cpu++)
		sim_spawn(s, cpu, only_sleep, &stage);
	cr_assert_eq(sim_run(s), -EDEADLK);
	for (int i = 0; i < 4; i++)
		cr_assert_eq(stage.result[i], -EDEADLK);
	cr_assert_eq(sim_elapsed_ps(s), 12000);
	cr_assert_eq(sim_account(s, 0)->cause_ps[CAUSE_IDLE], 2000);
	sim_destroy(s);
	built_free(m);
}

static void sleep_with_lock(struct sim *s, int cpu, void *arg)
{
	struct stage *stage = arg;

	work_ns(s, cpu, (uint32_t)cpu);
	cost_sink_ops.lock(s, cpu, &stage->lock);
	if (cpu == 0)
		stage->result[0] = sim_sleep(s, cpu);
	stage->order[stage->nr_order++] = cpu;
	cost_sink_ops.unlock(s, cpu, &stage->lock);
}

/* CPU 0 sleeps on the lock that CPU 1 wants: told so, it leaves it, and CPU 1 goes on. */
Test(waiting, deadlock_with_a_lock_held)
{
	struct machine *m = build_machine(1, 2);
	struct stage stage = {0};
	struct sim *s = new_sim(m);

	sim_spawn(s, 0, sleep_with_lock, &stage);
	sim_spawn(s, 1, sleep_with_lock, &stage);
	cr_assert_eq(sim_run(s), -EDEADLK);
	cr_assert_eq(stage.result[0], -EDEADLK);
	cr_assert_eq(stage.nr_order, 2);
	cr_assert_eq(stage.order[1], 1);
	sim_destroy(s);
	built_free(m);
}

static void cross_locks(struct sim *s, int cpu, void *arg)
{
	struct stage *stage = arg;

	cost_sink_ops.lock(s, cpu, cpu ? &stage->lock : &stage->other_lock);
	work_ns(s, cpu, 10);
	cost_sink_ops.lock(s, cpu, cpu ? &stage->other_lock : &stage->lock);
}

/* Locks taken in a circle are an error of ours, and stop the process. */
Test(waiting, circle_of_locks_is_a_bug, .signal = SIGABRT)
{
	struct machine *m = build_machine(1, 2);
	struct stage stage = {0};
	struct sim *s = new_sim(m);

	sim_spawn(s, 0, cross_locks, &stage);
	sim_spawn(s, 1, cross_locks, &stage);
	sim_run(s);
}

static void unlock_only(struct sim *s, int cpu, void *arg)
{
	struct stage *stage = arg;

	cost_sink_ops.unlock(s, cpu, &stage->lock);
}

Test(waiting, leaving_a_lock_not_held_is_a_bug, .signal = SIGABRT)
{
	struct machine *m = build_machine(1, 1);
	struct stage stage = {0};
	struct sim *s = new_sim(m);

	sim_spawn(s, 0, unlock_only, &stage);
	sim_run(s);
}

static void do_nothing(struct sim *s, int cpu, void *arg)
{
	(void)s;
	(void)cpu;
	(void)arg;
}

Test(waiting, spawn_refuses)
{
	struct machine *m = build_machine(1, 2);
	struct sim *s = new_sim(m);

	cr_assert_eq(sim_spawn(s, 2, do_nothing, NULL), -EINVAL);
	cr_assert_eq(sim_spawn(s, -1, do_nothing, NULL), -EINVAL);
	cr_assert_eq(sim_spawn(s, 0, do_nothing, NULL), 0);
	cr_assert_eq(sim_spawn(s, 0, do_nothing, NULL), -EBUSY);
	cr_assert_eq(sim_run(s), 0);
	cr_assert_eq(sim_spawn(s, 1, do_nothing, NULL), -EBUSY);
	cr_assert_eq(sim_run(s), -EBUSY);
	cr_assert_eq(sim_elapsed_ps(s), 0);
	sim_destroy(s);
	built_free(m);
}
