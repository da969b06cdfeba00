/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What moving a page takes, against closed forms. The machine is machine_builder.h's: 60 ns and
 * 20 B/ns a bank, 40 ns and 10 B/ns a link, 2 GHz.
 */
#include <criterion/criterion.h>

#include "mm/compact/migrate.h"
#include "mm/page.h"
#include "sim/time/cost_sink.h"
#include "tests/machine_builder.h"

#define PAGE 4096

/* Cycles of 500 ps: 100 to interrupt another CPU, 40 to answer; a unit of work is 2. */
static const struct costs costs = {
	.cycles = {[MM_SITE_TLB_IPI] = 100, [MM_SITE_TLB_ANSWER] = 40, [MM_SITE_TOUCH] = 2}};
static const struct costs no_costs;

static void copy_page(struct sim *s, int cpu, void *arg)
{
	(void)arg;
	cost_sink_ops.work(s, cpu, MM_SITE_COPY, 1);
	cost_sink_ops.access(s, cpu, built_address(0), PAGE, MM_COPY_FROM);
	cost_sink_ops.access(s, cpu, built_address(1), PAGE, MM_COPY_TO);
}

static struct sim *run_on(const struct machine *m, int cpu, const struct costs *c,
			  void (*program)(struct sim *, int, void *))
{
	struct diag diag = DIAG_INIT;
	struct sim *s = NULL;

	cr_assert_eq(sim_create(m, c, &diag, &s), 0);
	cr_assert_eq(sim_spawn(s, cpu, program, NULL), 0);
	cr_assert_eq(sim_run(s), 0);
	return s;
}

static uint64_t busy_ps(const struct sim *s, int cpu)
{
	const struct cpu_account *a = sim_account(s, cpu);

	return a->total_ps - a->cause_ps[CAUSE_IDLE];
}

/*
 * A CPU beside the source reads it at 60 ns + 4032 B / 20 B/ns = 261.6 ns, since there are caches,
 * and with them a first line whose latency has it; and writes the target over a link: 100 ns +
 * 4032 B / 10 B/ns = 503.2 ns. Beside the target it is the other way round, with the same sum; the
 * bytes are those of the banks all the same.
 */
static void copy_by(int cpu)
{
	struct machine *m = build_machine(2, 1);
	const struct cpu_account *a;
	struct sim *s;

	build_cache(m, 128, 2, 5000, false);
	s = run_on(m, cpu, &no_costs, copy_page);
	a = sim_account(s, cpu);
	cr_expect_eq(busy_ps(s, cpu), 261600 + 503200);
	cr_expect_eq(a->cause_ps[CAUSE_LOCAL], 261600);
	cr_expect_eq(a->nodes[1 - cpu].remote_ps, 503200);
	cr_expect_eq(a->nodes[0].bytes_read, PAGE);
	cr_expect_eq(a->nodes[0].bytes_written, 0);
	cr_expect_eq(a->nodes[1].bytes_read, 0);
	cr_expect_eq(a->nodes[1].bytes_written, PAGE);
	sim_destroy(s);
	built_free(m);
}

Test(migrate, a_copy_from_near_to_far)
{
	copy_by(0);
}

Test(migrate, a_copy_from_far_to_near)
{
	copy_by(1);
}

/* Within a node both are local: 2 * 264.8 ns. */
static void copy_within(struct sim *s, int cpu, void *arg)
{
	(void)arg;
	cost_sink_ops.access(s, cpu, built_address(0), PAGE, MM_COPY_FROM);
	cost_sink_ops.access(s, cpu, built_address(0) + PAGE, PAGE, MM_COPY_TO);
}

Test(migrate, a_copy_within_a_node)
{
	struct machine *m = build_machine(1, 1);
	struct sim *s = run_on(m, 0, &no_costs, copy_within);

	cr_expect_eq(busy_ps(s, 0), 2 * 264800);
	cr_expect_eq(sim_account(s, 0)->nodes[0].bytes_read, PAGE);
	cr_expect_eq(sim_account(s, 0)->nodes[0].bytes_written, PAGE);
	sim_destroy(s);
	built_free(m);
}

static struct page some_page; /* that users() knows */

/* Each page is in the TLBs of CPUs 1 and 2. */
static int users(void *arg, const struct page *page, int cpus[SIM_MAX_USERS])
{
	(void)arg;
	(void)page;
	cpus[0] = 1;
	cpus[1] = 2;
	return 2;
}

/* CPU 0 drops a page's translation at 10 ns; the others work from 0 to 20 ns and at 30 ns. */
static void shoot(struct sim *s, int cpu, void *arg)
{
	(void)arg;
	if (cpu == 0) {
		sim_idle_until(s, cpu, 10000);
		cost_sink_ops.tlb_shootdown(s, cpu, &some_page);
		return;
	}
	for (int i = 0; i < 20; i++) {
		cost_sink_ops.work(s, cpu, MM_SITE_TOUCH, 1);
		sim_settle(s, cpu);
	}
	if (cpu == 2)
		return;
	sim_idle_until(s, cpu, 100000);
	cost_sink_ops.work(s, cpu, MM_SITE_TOUCH, 1);
}

/*
 * One interrupt a CPU that has it: 2 * 50 ns for who sends them; 20 ns for each that gets one, at
 * what it does next.
 */
Test(migrate, interrupts_each_cpu_that_has_the_page)
{
	static const struct sim_owner owner = {.users = users};
	struct machine *m = build_machine(1, 3);
	struct diag diag = DIAG_INIT;
	struct sim *s = NULL;

	cr_assert_eq(sim_create(m, &costs, &diag, &s), 0);
	sim_set_owner(s, &owner);
	for (int cpu = 0; cpu < 3; cpu++)
		cr_assert_eq(sim_spawn(s, cpu, shoot, NULL), 0);
	cr_assert_eq(sim_run(s), 0);
	cr_expect_eq(busy_ps(s, 0), 2 * 50000);
	cr_expect_eq(sim_account(s, 0)->sites[MM_SITE_TLB_IPI].calls, 2);
	cr_expect_eq(busy_ps(s, 1), 21 * 1000 + 20000);
	cr_expect_eq(busy_ps(s, 2), 20 * 1000 + 20000);
	for (int cpu = 1; cpu < 3; cpu++)
		cr_expect_eq(sim_account(s, cpu)->sites[MM_SITE_TLB_ANSWER].calls, 1);
	sim_destroy(s);
	built_free(m);
}

/* One that is idle, or runs nothing of it, is not interrupted. */
static void shoot_late(struct sim *s, int cpu, void *arg)
{
	(void)arg;
	if (cpu)
		return;
	sim_idle_until(s, cpu, 10000);
	cost_sink_ops.tlb_shootdown(s, cpu, &some_page);
}

Test(migrate, leaves_idle_cpus_alone)
{
	static const struct sim_owner owner = {.users = users};
	struct machine *m = build_machine(1, 3);
	struct diag diag = DIAG_INIT;
	struct sim *s = NULL;

	cr_assert_eq(sim_create(m, &costs, &diag, &s), 0);
	sim_set_owner(s, &owner);
	for (int cpu = 0; cpu < 3; cpu++)
		cr_assert_eq(sim_spawn(s, cpu, shoot_late, NULL), 0);
	cr_assert_eq(sim_run(s), 0);
	cr_expect_eq(busy_ps(s, 0), 0);
	cr_expect_eq(sim_account(s, 1)->sites[MM_SITE_TLB_ANSWER].calls, 0);
	sim_destroy(s);
	built_free(m);
}
