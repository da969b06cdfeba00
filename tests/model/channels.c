/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Channels in simulated time, against closed forms, and the same by SimGrid alone. The machine is
 * machine_builder.h's: 60 ns and 20 B/ns, here on 4 channels in turn after 256 B, 5 B/ns each.
 */
#include <criterion/criterion.h>

#include "tests/busy.h"
#include "tests/machine_builder.h"

static const struct costs no_costs;

/* What each CPU does: a stream from `first` bytes on, so many times. */
struct plan {
	struct {
		uint64_t first, stride;
		unsigned times;
	} cpu[3];
};

static void follow(struct sim *s, int cpu, void *arg)
{
	const struct plan *p = arg;

	for (unsigned i = 0; i < p->cpu[cpu].times; i++)
		sim_stream(s, cpu,
			   &(struct sim_stream){.at = built_address(0) + p->cpu[cpu].first,
						.bytes_read = 4096,
						.stride = p->cpu[cpu].stride});
}

enum { TOGETHER, CHARGE_BY_CHARGE, BY_SIMGRID };

/* CPUs with so many lines in flight that only banks bound them. */
static struct sim *run(const struct plan *plan, int how)
{
	struct machine *m = build_machine(1, 3);
	struct diag diag = DIAG_INIT;
	struct sim *s = NULL;

	build_cache(m, 32768, 8, 1000, false);
	m->banks[0].channels = 4;
	m->banks[0].channel_shift = 8;
	for (int cpu = 0; cpu < 3; cpu++)
		m->cpus[cpu].fill_buffers = m->cpus[cpu].prefetched = 64;
	cr_assert_eq(sim_create(m, &no_costs, &diag, &s), 0);
	sim_set_lookahead(s, how != BY_SIMGRID);
	sim_set_window(s, how == CHARGE_BY_CHARGE ? SIM_WINDOW_CHARGE : SIM_WINDOW_SETTLE);
	for (int cpu = 0; cpu < 3; cpu++)
		cr_assert_eq(sim_spawn(s, cpu, follow, (void *)plan), 0);
	cr_assert_eq(sim_run(s), 0);
	return s;
}

/* 4096 B: 204.8 ns from all, 819.2 from one, 409.6 from two. */
Test(channels_time, a_stride_is_on_its_channels)
{
	const struct plan plan = {{{0, 0, 1}, {0}, {0}}};
	struct sim *s = run(&plan, TOGETHER);

	expect_busy(s, 0, 204800);
	done(s);
}

Test(channels_time, a_stride_over_all_channels_is_on_one)
{
	const struct plan plan = {{{256, 1024, 1}, {0}, {0}}};
	struct sim *s = run(&plan, TOGETHER);

	expect_busy(s, 0, 819200);
	cr_expect_eq(sim_account(s, 0)->channel_bytes[1], 4096);
	cr_expect_eq(sim_account(s, 0)->channel_bytes[0], 0);
	done(s);
}

Test(channels_time, half_a_stride_is_on_two)
{
	const struct plan plan = {{{0, 512, 1}, {0}, {0}}};
	struct sim *s = run(&plan, TOGETHER);

	expect_busy(s, 0, 409600);
	done(s);
}

/* A stride of a turn and one that has no common divisor with all of them come to each channel. */
Test(channels_time, other_strides_are_on_all)
{
	const struct plan plan = {{{0, 1280, 1}, {0}, {0}}};
	struct sim *s = run(&plan, TOGETHER);

	expect_busy(s, 0, 204800);
	done(s);
}

/*
 * CPUs 0 and 1 want channel 0, 2.5 B/ns each: 4096 B take 1638.4 ns. CPU 2 wants channel 3, which
 * it has alone: 819.2.
 */
static void share_a_channel(int how)
{
	const struct plan plan = {{{0, 1024, 1}, {4096, 1024, 1}, {768, 1024, 1}}};
	struct sim *s = run(&plan, how);

	expect_busy(s, 0, 1638400);
	expect_busy(s, 1, 1638400);
	expect_busy(s, 2, 819200);
	/* 64 lines of each by itself. */
	cr_expect_eq(sim_account(s, 0)->channel_bytes[0], 4096);
	cr_expect_eq(sim_account(s, 2)->channel_bytes[3], 4096);
	done(s);
}

Test(channels_time, who_wants_one_shares_it)
{
	share_a_channel(TOGETHER);
}

Test(channels_time, who_wants_one_shares_it_by_simgrid)
{
	share_a_channel(BY_SIMGRID);
}

Test(channels_time, who_wants_one_shares_it_line_by_line)
{
	share_a_channel(CHARGE_BY_CHARGE);
}

/*
 * CPU 0 streams over all and CPU 1 over channel 0, r / 4 + r = 5 B/ns: 4 B/ns each, 4096 B in 1024
 * ns. With a second one on channel 1, which CPU 0 leaves 5 - 4 / 4 B/ns of: 4096 B in 1024 ns, too.
 */
static void a_stream_and_two(int how)
{
	const struct plan plan = {{{0, 0, 1}, {0, 1024, 1}, {256, 1024, 1}}};
	struct sim *s = run(&plan, how);

	expect_busy(s, 0, 1024000);
	expect_busy(s, 1, 1024000);
	expect_busy(s, 2, 1024000);
	done(s);
}

Test(channels_time, a_stream_has_its_part_of_each)
{
	a_stream_and_two(TOGETHER);
}

Test(channels_time, a_stream_has_its_part_of_each_by_simgrid)
{
	a_stream_and_two(BY_SIMGRID);
}
