/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a CPU does while its program sleeps: the work goes on with a stand-in, which leaves when the
 * program is back. One CPU of 2 GHz, 500 ps a cycle; nothing else costs anything.
 */
#include <criterion/criterion.h>
#include <errno.h>

#include "tests/machine_builder.h"

#define PIECE_PS 500000 /* 1000 cycles */
#define MS_PS    UINT64_C(1000000000)

static const struct costs no_costs;

struct work {
	struct sim *sim;
	uint64_t sleep_ps;        /* of the program */
	int program, others;      /* pieces that each does */
	bool others_sleep;        /* a stand-in before its pieces, as long as the program */
	int taken;                /* by stand-ins */
	uint64_t back_ps;         /* when the program was back */
	uint64_t program_done_ps; /* and had done its pieces */
	uint64_t began_ps, done_ps;
};

static bool is_there(void *arg, int cpu)
{
	struct work *w = arg;

	(void)cpu;
	return w->taken < w->others;
}

static void do_pieces(struct sim *s, int cpu, int nr)
{
	for (int i = 0; i < nr; i++) {
		sim_compute(s, cpu, 1000);
		sim_settle(s, cpu);
	}
}

static void stand_in(void *arg, int cpu)
{
	struct work *w = arg;
	int nr = w->others - w->taken;

	if (!nr)
		return;
	w->taken = w->others;
	w->began_ps = sim_now_ps(w->sim, cpu);
	if (w->others_sleep)
		sim_idle_until(w->sim, cpu, w->sleep_ps);
	do_pieces(w->sim, cpu, nr);
	w->done_ps = sim_now_ps(w->sim, cpu);
}

static void program(struct sim *s, int cpu, void *arg)
{
	struct work *w = arg;

	sim_idle_until(s, cpu, w->sleep_ps);
	w->back_ps = sim_now_ps(s, cpu);
	do_pieces(s, cpu, w->program);
	w->program_done_ps = sim_now_ps(s, cpu);
	/* All is to be done before the program returns. */
	while (!w->done_ps)
		sim_idle_until(s, cpu, sim_now_ps(s, cpu) + PIECE_PS);
}

static struct cpu_account run(struct work *w)
{
	const struct sim_stand_in others = {.is_there = is_there, .run = stand_in, .arg = w};
	struct machine *m = build_machine(1, 1);
	struct diag diag = DIAG_INIT;
	struct cpu_account account;

	cr_assert_eq(sim_create(m, &no_costs, &diag, &w->sim), 0);
	cr_assert_eq(sim_spawn(w->sim, 0, program, w), 0);
	cr_assert_eq(sim_spawn_stand_ins(w->sim, 0, 1, &others), 0);
	cr_assert_eq(sim_run(w->sim), 0);
	account = *sim_account(w->sim, 0);
	sim_destroy(w->sim);
	built_free(m);
	return account;
}

/* 10 pieces within a sleep of 100: the CPU is idle for 90, and all is over when the program is. */
Test(stand_in, works_while_the_program_sleeps)
{
	struct work w = {.sleep_ps = UINT64_C(100) * PIECE_PS, .others = 10};
	struct cpu_account a = run(&w);

	cr_expect_eq(w.began_ps, 0);
	cr_expect_eq(w.done_ps, UINT64_C(10) * PIECE_PS);
	cr_expect_eq(w.back_ps, w.sleep_ps);
	cr_expect_eq(a.total_ps, w.sleep_ps);
	cr_expect_eq(a.cause_ps[CAUSE_COMPUTE], UINT64_C(10) * PIECE_PS);
	cr_expect_eq(a.cause_ps[CAUSE_IDLE], UINT64_C(90) * PIECE_PS);
}

/* Who wakes goes before who has run: at the end of the piece that is under way, the 11th. */
Test(stand_in, leaves_when_the_program_wakes)
{
	struct work w = {.sleep_ps = UINT64_C(10) * PIECE_PS + 1, .program = 5, .others = 30};

	run(&w);
	cr_expect_eq(w.back_ps, UINT64_C(11) * PIECE_PS);
	cr_expect_eq(w.program_done_ps, UINT64_C(16) * PIECE_PS);
	cr_expect_eq(w.done_ps, UINT64_C(35) * PIECE_PS);
}

/*
 * Two that have much to do take turns of 3 ms, 6000 pieces: the program has the first from 11
 * pieces on, and needs 6100. So the other one goes on at 6011, has 6000, and the last 100 of the
 * program's come after these, 12,111 in all.
 */
Test(stand_in, takes_turns_of_a_slice)
{
	struct work w = {.sleep_ps = UINT64_C(10) * PIECE_PS + 1, .program = 6100, .others = 20000};

	run(&w);
	cr_expect_eq(w.back_ps, UINT64_C(11) * PIECE_PS);
	cr_expect_eq(w.program_done_ps, UINT64_C(12111) * PIECE_PS);
}

/* It sleeps, too: nobody has the CPU meanwhile. Then it comes first, or the program does. */
Test(stand_in, sleeps_without_the_cpu)
{
	struct work w = {.sleep_ps = MS_PS, .program = 3, .others = 3, .others_sleep = true};
	struct cpu_account a = run(&w);

	cr_expect_eq(w.began_ps, 0);
	cr_expect_eq(w.done_ps > w.program_done_ps ? w.done_ps : w.program_done_ps,
		     MS_PS + UINT64_C(6) * PIECE_PS);
	cr_expect_eq(a.cause_ps[CAUSE_COMPUTE], UINT64_C(6) * PIECE_PS);
}

Test(stand_in, is_for_cpus_that_there_are_once_and_before_the_run)
{
	struct work w = {.sleep_ps = MS_PS};
	const struct sim_stand_in others = {.is_there = is_there, .run = stand_in, .arg = &w};
	struct machine *m = build_machine(1, 1);
	struct diag diag = DIAG_INIT;

	cr_assert_eq(sim_create(m, &no_costs, &diag, &w.sim), 0);
	cr_expect_eq(sim_spawn_stand_ins(w.sim, 1, 1, &others), -EINVAL);
	cr_expect_eq(sim_spawn_stand_ins(w.sim, 0, 0, &others), -EINVAL);
	cr_expect_eq(sim_spawn_stand_ins(w.sim, 0, 1, &others), 0);
	cr_expect_eq(sim_spawn_stand_ins(w.sim, 0, 1, &others), -EBUSY);
	sim_destroy(w.sim);
	built_free(m);
}
