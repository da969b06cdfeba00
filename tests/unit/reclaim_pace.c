/* SPDX-License-Identifier: Apache-2.0 */
/* Reclaim at the pace of another machine: what is charged, in closed form. */
#include <criterion/criterion.h>

#include "sim/time/reclaim_pace.h"

#define US UINT64_C(1000000) /* picoseconds */

/* A CPU at 1 GHz: a cycle takes a nanosecond. */
static struct cpu make_cpu(void)
{
	return (struct cpu){.freq_hz = 1000000000, .site = MM_SITE_RECLAIM_PAGE};
}

/* 32 pages that took 16 us, at 2 us a page: 48 us are owed, at the site of the work. */
Test(reclaim_pace, a_quick_kswapd_takes_the_time_of_its_pages)
{
	struct reclaim_pace p = {.set = {.page_ps = 2 * US}};
	struct cpu c = make_cpu();
	struct reclaim_step step;

	cpu_charge_cycles(&c, MM_SITE_SHRINK_NODE, 5000);
	reclaim_step_begin(&step, &c);
	cpu_charge_cycles(&c, MM_SITE_RECLAIM_PAGE, 16000);
	step.freed = 32;
	reclaim_step_of_kswapd(&p, &step, &c);
	cr_assert_eq(cpu_pending_until_ps(&c), (5 + 64) * US);
	cr_assert_eq(c.account.sites[MM_SITE_RECLAIM_PAGE].ps, 64 * US);
	cr_assert_eq(step.since_ps, 69 * US);
	cr_assert_eq(step.freed, 0);
}

/* Four times as long for its pages so far: looking at pages that it does not free, too. */
Test(reclaim_pace, what_frees_nothing_is_as_much_slower)
{
	struct reclaim_pace p = {.set = {.page_ps = 2 * US}};
	struct cpu c = make_cpu();
	struct reclaim_step step;

	reclaim_step_begin(&step, &c);
	cpu_charge_cycles(&c, MM_SITE_RECLAIM_PAGE, 16000);
	step.freed = 32;
	reclaim_step_of_kswapd(&p, &step, &c);
	/* 64 us for 16, then 10 more: 64 / 26 of them. */
	cpu_charge_cycles(&c, MM_SITE_LRU_SCAN, 10000);
	reclaim_step_of_kswapd(&p, &step, &c);
	cr_assert_eq(cpu_pending_until_ps(&c), 64 * US + 10 * US * 64 / 26);
	cr_assert_eq(p.own_ps, 26 * US);
	cr_assert_eq(p.paced_ps, 64 * US);
}

Test(reclaim_pace, who_is_slow_enough_is_not_made_quicker)
{
	struct reclaim_pace p = {.set = {.page_ps = 2 * US}};
	struct cpu c = make_cpu();
	struct reclaim_step step;

	reclaim_step_begin(&step, &c);
	cpu_charge_cycles(&c, MM_SITE_RECLAIM_PAGE, 100000);
	step.freed = 32;
	reclaim_step_of_kswapd(&p, &step, &c);
	cr_assert_eq(cpu_pending_until_ps(&c), 100 * US);
}

Test(reclaim_pace, without_a_pace_nothing_is_owed)
{
	struct reclaim_pace p = {0};
	struct cpu c = make_cpu();
	struct reclaim_step step;

	reclaim_step_begin(&step, &c);
	cpu_charge_cycles(&c, MM_SITE_RECLAIM_PAGE, 16000);
	step.freed = 32;
	reclaim_step_of_kswapd(&p, &step, &c);
	reclaim_step_arrive(&p, &step, &c);
	reclaim_step_of_program(&p, &step, &c, 32);
	cr_assert_eq(cpu_pending_until_ps(&c), 16 * US);
	cr_assert_eq(p.own_ps, 0);
}

/* 32 pages of his own at 2 us, of which 16 us have passed. */
Test(reclaim_pace, a_program_takes_the_time_of_its_own_pages)
{
	struct reclaim_pace p = {.set = {.page_ps = 2 * US}};
	struct cpu c = make_cpu();
	struct reclaim_step step;

	reclaim_step_begin(&step, &c);
	cpu_charge_cycles(&c, MM_SITE_RECLAIM_PAGE, 16000);
	reclaim_step_of_program(&p, &step, &c, 32);
	cr_assert_eq(cpu_pending_until_ps(&c), 64 * US);
	cr_assert_eq(p.own_ps, 0, "a factor of kswapd's");
}

/* The switch of threads, 2 us, is part of the 150 us that a wake-up takes. */
Test(reclaim_pace, a_wake_up_has_its_time)
{
	struct reclaim_pace p = {.set = {.wake_ps = 150 * US}};
	struct cpu c = make_cpu();
	struct reclaim_step step;

	reclaim_step_begin(&step, &c);
	cpu_charge_cycles(&c, MM_SITE_THREAD_SWITCH, 2000);
	reclaim_step_arrive(&p, &step, &c);
	cr_assert_eq(cpu_pending_until_ps(&c), 150 * US);
}
