/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that two places have by turns of 64 B, against closed forms. The machine is
 * machine_builder.h's, two sockets of it as one node: 60 ns and 20 B/ns a bank, 40 ns and 10 B/ns
 * between them. CPU 0 is on the first, CPU 1 on the second.
 */
#include <criterion/criterion.h>

#include "tests/busy.h"
#include "tests/machine_builder.h"

static const struct costs no_costs;

enum { CHASE, STREAM };

struct plan {
	int what;
	uint64_t first, nr; /* lines of a chase, from there on; bytes of a stream */
	uint64_t stride;
};

static void follow(struct sim *s, int cpu, void *arg)
{
	const struct plan *p = arg;
	phys_addr_t at = built_address(0) + p->first;

	for (uint64_t i = 0; p->what == CHASE && i < p->nr; i++)
		sim_chase(s, cpu, at + i * (p->stride ? p->stride : 64));
	if (p->what == STREAM)
		sim_stream(
			s, cpu,
			&(struct sim_stream){.at = at, .bytes_read = p->nr, .stride = p->stride});
}

/* Two sockets of so many CPUs each. */
static struct machine *sockets_of(int nr_cpus)
{
	struct machine *m = build_machine(2, nr_cpus);

	build_cache(m, 32768, 8, 1000, false);
	for (int cpu = 0; cpu < 2 * nr_cpus; cpu++)
		m->cpus[cpu].fill_buffers = m->cpus[cpu].prefetched = 64;
	build_interleave(m, 6);
	return m;
}

static struct machine *two_sockets(void)
{
	return sockets_of(1);
}

enum { TOGETHER, CHARGE_BY_CHARGE, BY_SIMGRID };

/* By the first CPU of each socket. */
static struct sim *run(struct machine *m, const struct plan *of_first, const struct plan *of_second,
		       int how)
{
	struct diag diag = DIAG_INIT;
	struct sim *s = NULL;

	cr_assert_eq(sim_create(m, &no_costs, &diag, &s), 0);
	sim_set_lookahead(s, how != BY_SIMGRID);
	sim_set_window(s, how == CHARGE_BY_CHARGE ? SIM_WINDOW_CHARGE : SIM_WINDOW_SETTLE);
	if (of_first)
		cr_assert_eq(sim_spawn(s, 0, follow, (void *)of_first), 0);
	if (of_second)
		cr_assert_eq(sim_spawn(s, m->mm.nr_cpus / 2, follow, (void *)of_second), 0);
	cr_assert_eq(sim_run(s), 0);
	return s;
}

/* Every second line is at the other socket: 5 * 60 + 5 * 100 ns, from either, and all of it local.
 */
Test(interleave_time, lines_come_from_both)
{
	const struct plan plan = {.what = CHASE, .nr = 10};
	struct sim *s = run(two_sockets(), &plan, &plan, TOGETHER);

	for (int cpu = 0; cpu < 2; cpu++) {
		const struct cpu_account *a = sim_account(s, cpu);

		expect_busy(s, cpu, 800000);
		cr_expect_eq(a->cause_ps[CAUSE_REMOTE], 0, "the kernel has one node");
		cr_expect_eq(a->nodes[0].misses, 5);
		cr_expect_eq(a->nodes[1].misses, 5);
		cr_expect_eq(a->nodes[0].bytes_read, 5 * 64);
	}
	done(s);
}

/* At a stride of two turns they come from one: 10 * 60 ns, or 10 * 100 from 64 on. */
Test(interleave_time, a_stride_of_all_comes_from_one)
{
	const struct plan even = {.what = CHASE, .nr = 10, .stride = 128};
	struct sim *s = run(two_sockets(), &even, &even, TOGETHER);

	expect_busy(s, 0, 600000);
	expect_busy(s, 1, 1000000);
	cr_expect_eq(sim_account(s, 0)->nodes[1].misses, 0);
	done(s);
}

/* A block has its part at each bank, also where it begins or ends within a turn. */
Test(interleave_time, blocks_are_parted)
{
	const struct plan plan = {.what = STREAM, .first = 32, .nr = 160};
	struct sim *s = run(two_sockets(), &plan, NULL, TOGETHER);
	const struct cpu_account *a = sim_account(s, 0);

	/* 32 of the first turn, 64 of the second, 64 of the third. */
	cr_expect_eq(a->nodes[0].bytes_read, 96);
	cr_expect_eq(a->nodes[1].bytes_read, 64);
	cr_expect_eq(a->nodes[0].misses + a->nodes[1].misses, 1, "one block");
	done(s);
}

/*
 * 2048 B of each bank, at 20 B/ns of one's own and then at 10 B/ns over the link: 102.4 + 204.8 ns.
 * Both CPUs begin with another bank, and are in nobody's way.
 */
static void each_bank_in_turn(int how)
{
	const struct plan plan = {.what = STREAM, .nr = 4096};
	struct sim *s = run(two_sockets(), &plan, &plan, how);

	expect_busy(s, 0, 307200);
	expect_busy(s, 1, 307200);
	done(s);
}

Test(interleave_time, bytes_move_at_one_bank_after_the_other)
{
	each_bank_in_turn(TOGETHER);
}

Test(interleave_time, bytes_move_so_charge_by_charge)
{
	each_bank_in_turn(CHARGE_BY_CHARGE);
}

Test(interleave_time, bytes_move_so_by_simgrid)
{
	each_bank_in_turn(BY_SIMGRID);
}

/*
 * The first CPUs of two each: CPUs 0 and 2, of which the second finds the first at bank 0, and
 * begins with its own: 307.2 ns, too. In a fixed order of places both would be at bank 0 first.
 */
Test(interleave_time, who_comes_goes_where_nobody_is)
{
	const struct plan plan = {.what = STREAM, .nr = 4096};
	struct sim *s = run(sockets_of(2), &plan, &plan, TOGETHER);

	expect_busy(s, 0, 307200);
	expect_busy(s, 2, 307200);
	done(s);
}

/* By turns of a page they take turns by pages. */
Test(interleave_time, turns_may_be_pages)
{
	const struct plan plan = {.what = STREAM, .nr = 4096};
	struct machine *m = two_sockets();
	struct sim *s;

	m->ways[0].shift = 12;
	s = run(m, &plan, NULL, TOGETHER);
	cr_expect_eq(sim_account(s, 0)->nodes[0].bytes_read, 4096);
	cr_expect_eq(sim_account(s, 0)->nodes[1].bytes_read, 0);
	/* 64 lines at once, and 4096 B / 20 B/ns. */
	expect_busy(s, 0, 204800);
	done(s);
}

/*
 * Each bank has 4 channels in turn after 256 B of what is at it: lines at a stride of 2 * 4 * 256 B
 * are all on one channel of one bank, 5 B/ns.
 */
Test(interleave_time, banks_have_channels_of_their_own)
{
	const struct plan plan = {.what = STREAM, .nr = 4096, .stride = 2048};
	struct machine *m = two_sockets();
	struct sim *s;

	for (int i = 0; i < 2; i++) {
		m->banks[i].channels = 4;
		m->banks[i].channel_shift = 8;
	}
	s = run(m, &plan, NULL, TOGETHER);
	expect_busy(s, 0, 819200);
	cr_expect_eq(sim_account(s, 0)->channel_bytes[0], 4096);
	done(s);
}
