/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What accesses take, against closed forms: latency + bytes / bandwidth, shared where two meet.
 * The machine is machine_builder.h's: 60 ns and 20 B/ns a bank, 40 ns and 10 B/ns a link, 2 GHz.
 */
#include <criterion/criterion.h>

#include "sim/time/cost_sink.h"
#include "tests/machine_builder.h"

static const struct costs no_costs;
static const struct costs one_cycle_each = {.cycles = {[MM_SITE_PCP_ALLOC] = 1}};

/* What a test's programs do: each CPU `nr` accesses of `bytes` at `at`, one after the other. */
struct plan {
	struct {
		phys_addr_t at;
		uint64_t bytes;
		unsigned nr;
		enum mm_access kind;
		uint64_t start_ps;
	} cpu[4];
};

static void follow_plan(struct sim *s, int cpu, void *arg)
{
	const struct plan *plan = arg;

	sim_idle_until(s, cpu, plan->cpu[cpu].start_ps);
	for (unsigned i = 0; i < plan->cpu[cpu].nr; i++)
		cost_sink_ops.access(s, cpu, plan->cpu[cpu].at, plan->cpu[cpu].bytes,
				     plan->cpu[cpu].kind);
}

static struct sim *make_plan(const struct machine *m, struct plan *plan)
{
	struct diag diag = DIAG_INIT;
	struct sim *s = NULL;

	cr_assert_eq(sim_create(m, &no_costs, &diag, &s), 0);
	for (int cpu = 0; cpu < m->mm.nr_cpus && cpu < 4; cpu++)
		cr_assert_eq(sim_spawn(s, cpu, follow_plan, plan), 0);
	return s;
}

static struct sim *run_plan(const struct machine *m, struct plan *plan)
{
	struct sim *s = make_plan(m, plan);

	cr_assert_eq(sim_run(s), 0);
	return s;
}

/* Busy time: everything but the idling that fills up an account. */
static uint64_t busy_ps(const struct sim *s, int cpu)
{
	const struct cpu_account *a = sim_account(s, cpu);

	return a->total_ps - a->cause_ps[CAUSE_IDLE];
}

/* 60 ns + 64 B / 20 B/ns = 63.2 ns, all of it local memory. */
Test(access_time, lone_line)
{
	struct machine *m = build_machine(1, 1);
	struct plan plan = {.cpu = {{built_address(0), 64, 1, MM_READ, 0}}};
	struct sim *s = run_plan(m, &plan);

	cr_assert_eq(sim_elapsed_ps(s), 63200);
	cr_assert_eq(sim_account(s, 0)->cause_ps[CAUSE_LOCAL], 63200);
	cr_assert_eq(sim_account(s, 0)->nodes[0].misses, 1);
	cr_assert_eq(sim_account(s, 0)->nodes[0].bytes_read, 64);
	cr_assert_eq(sim_account(s, 0)->nodes[0].bytes_written, 0);
	sim_destroy(s);
	built_free(m);
}

/* 60 ns + 4096 B / 20 B/ns = 264.8 ns; the bytes of a write count as written. */
Test(access_time, lone_page_written)
{
	struct machine *m = build_machine(1, 1);
	struct plan plan = {.cpu = {{built_address(0), 4096, 1, MM_WRITE, 0}}};
	struct sim *s = run_plan(m, &plan);

	cr_assert_eq(sim_elapsed_ps(s), 264800);
	cr_assert_eq(sim_account(s, 0)->nodes[0].bytes_written, 4096);
	cr_assert_eq(sim_account(s, 0)->nodes[0].bytes_read, 0);
	sim_destroy(s);
	built_free(m);
}

/* The latency is the bank's and the link's, the rate the link's, which is narrower:
 * 60 + 40 ns + 64 B / 10 B/ns = 106.4 ns. */
Test(access_time, one_hop)
{
	struct machine *m = build_machine(2, 1);
	struct plan plan = {.cpu = {{built_address(1), 64, 1, MM_READ, 0}}};
	struct sim *s = run_plan(m, &plan);

	cr_assert_eq(busy_ps(s, 0), 106400);
	cr_assert_eq(sim_account(s, 0)->cause_ps[CAUSE_REMOTE], 106400);
	cr_assert_eq(sim_account(s, 0)->nodes[1].remote_ps, 106400);
	cr_assert_eq(sim_account(s, 0)->nodes[0].remote_ps, 0);
	sim_destroy(s);
	built_free(m);
}

/* 60 + 40 + 40 ns + 64 B / 10 B/ns = 146.4 ns. */
Test(access_time, two_hops_add_up)
{
	struct machine *m = build_machine(3, 1);
	struct plan plan = {.cpu = {{built_address(2), 64, 1, MM_READ, 0}}};
	struct sim *s = run_plan(m, &plan);

	cr_assert_eq(busy_ps(s, 0), 146400);
	cr_assert_eq(sim_account(s, 0)->nodes[2].remote_ps, 146400);
	sim_destroy(s);
	built_free(m);
}

/* The way from 0 to 1 takes 75.5 ns and 8 B/ns, the way back is as before. CPU 0 on node 1's bank:
 * 60 + 75.5 + 64 / 8 = 143.5 ns; CPU 1 on node 0's: 60 + 40 + 64 / 10 = 106.4 ns. */
Test(access_time, asymmetric_links)
{
	struct machine *m = build_machine(2, 1);
	struct plan plan = {.cpu = {{built_address(1), 64, 1, MM_READ, 0},
				    {built_address(0), 64, 1, MM_READ, 0}}};
	struct sim *s;

	m->links[built_link(0, 1)].latency_ps = 75500;
	m->links[built_link(0, 1)].bytes_per_s = 8000000000;
	build_routes(m);
	s = run_plan(m, &plan);
	cr_assert_eq(busy_ps(s, 0), 143500);
	cr_assert_eq(busy_ps(s, 1), 106400);
	sim_destroy(s);
	built_free(m);
}

/* Dependent accesses: 1000 * (60 ns + 64 B / 20 B/ns) = 63.2 us, in one settle. */
Test(access_time, dependent_accesses_add_up)
{
	struct machine *m = build_machine(1, 1);
	struct plan plan = {.cpu = {{built_address(0), 64, 1000, MM_READ, 0}}};
	struct sim *s = run_plan(m, &plan);

	cr_assert_eq(sim_elapsed_ps(s), 63200000);
	cr_assert_eq(sim_account(s, 0)->nodes[0].misses, 1000);
	sim_destroy(s);
	built_free(m);
}

/* Two readers of 4 KiB on one bank without latency take twice the lone time:
 * 2 * 4096 B / 20 B/ns = 409.6 ns. */
Test(access_time, two_readers_halve_the_rate)
{
	struct machine *m = build_machine(1, 2);
	struct plan plan = {.cpu = {{built_address(0), 4096, 1, MM_READ, 0},
				    {built_address(0), 4096, 1, MM_READ, 0}}};
	struct sim *s;

	m->banks[0].latency_ps = 0;
	build_routes(m);
	s = run_plan(m, &plan);
	cr_assert_eq(busy_ps(s, 0), 409600);
	cr_assert_eq(busy_ps(s, 1), 409600);
	sim_destroy(s);
	built_free(m);
}

/* The latencies overlap, the transfers share: 60 ns + 409.6 ns. A read and a write: the bus of a
 * bank is half duplex. */
Test(access_time, reader_and_writer_share_the_bank)
{
	struct machine *m = build_machine(1, 2);
	struct plan plan = {.cpu = {{built_address(0), 4096, 1, MM_READ, 0},
				    {built_address(0), 4096, 1, MM_WRITE, 0}}};
	struct sim *s = run_plan(m, &plan);

	cr_assert_eq(busy_ps(s, 0), 469600);
	cr_assert_eq(busy_ps(s, 1), 469600);
	sim_destroy(s);
	built_free(m);
}

/*
 * A CPU does not get a larger share of a bank for being nearer. Links as wide as the banks, both
 * CPUs on node 0's bank. CPU 0 transfers from 60 ns on, CPU 1 from 100 ns on. By 100 ns CPU 0 has
 * moved 40 * 20 = 800 B; then both move 10 B/ns until CPU 0 has its 4096 B, 329.6 ns later, at
 * 429.6 ns. CPU 1 then has 3296 B and moves its last 800 B in 40 ns: done at 469.6 ns.
 */
Test(access_time, shares_do_not_depend_on_distance)
{
	struct machine *m = build_machine(2, 1);
	struct plan plan = {.cpu = {{built_address(0), 4096, 1, MM_READ, 0},
				    {built_address(0), 4096, 1, MM_READ, 0}}};
	struct sim *s;

	for (int i = 0; i < m->nr_links; i++)
		m->links[i].bytes_per_s = BUILT_BANK_RATE;
	build_routes(m);
	s = run_plan(m, &plan);
	cr_assert_eq(busy_ps(s, 0), 429600);
	cr_assert_eq(busy_ps(s, 1), 469600);
	sim_destroy(s);
	built_free(m);
}

/* Each on its own bank: as if alone. */
Test(access_time, two_banks_do_not_disturb)
{
	struct machine *m = build_machine(2, 1);
	struct plan plan = {.cpu = {{built_address(0), 4096, 1, MM_READ, 0},
				    {built_address(1), 4096, 1, MM_READ, 0}}};
	struct sim *s = run_plan(m, &plan);

	cr_assert_eq(busy_ps(s, 0), 264800);
	cr_assert_eq(busy_ps(s, 1), 264800);
	sim_destroy(s);
	built_free(m);
}

/*
 * Two read over a link, 5 B/ns each from 100 ns on; 50 ns later one beside the bank gets the other
 * 10 B/ns of that. Link and bank are short, so that SimGrid goes on with the 750 B that each of the
 * two has left, up to 300 ns. By then the third has 500 of its 2000 B left: 25 ns at 20 B/ns.
 */
Test(access_time, short_links_that_meet)
{
	struct machine *m = build_machine(2, 2);
	struct plan plan = {.cpu = {{built_address(0), 2000, 1, MM_READ, 90000},
				    {0},
				    {built_address(0), 1000, 1, MM_READ, 0},
				    {built_address(0), 1000, 1, MM_READ, 0}}};
	struct sim *s = run_plan(m, &plan);

	cr_assert_eq(busy_ps(s, 2), 300000);
	cr_assert_eq(busy_ps(s, 3), 300000);
	cr_assert_eq(sim_elapsed_ps(s), 325000);
	cr_assert_gt(sim_activities(s), 0, "who would have known without SimGrid?");
	sim_destroy(s);
	built_free(m);
}

/* CPUs 0 and 1 of node 0 read banks 1 and 2 of three nodes: two banks, but both over the link from
 * 0 to 1 with 10 B/ns. The transfers begin at 100 and 140 ns. CPU 0 moves 400 B alone, then 5 B/ns:
 * 3696 / 5 = 739.2 ns, done at 879.2 ns. CPU 1 has 3696 B then, and moves 400 B in 40 ns. */
Test(access_time, shared_link)
{
	struct machine *m = build_machine(3, 2);
	struct plan plan = {.cpu = {{built_address(1), 4096, 1, MM_READ, 0},
				    {built_address(2), 4096, 1, MM_READ, 0}}};
	struct sim *s = run_plan(m, &plan);

	cr_assert_eq(busy_ps(s, 0), 879200);
	cr_assert_eq(busy_ps(s, 1), 919200);
	sim_destroy(s);
	built_free(m);
}

/* One CPU in the middle of another's transfer: 0 begins at 60 ns, 1 at 100 + 60 = 160 ns. By then
 * 0 has moved 2000 B; the other 2096 B go at 10 B/ns, until 369.6 ns. Then 1 has 2096 B and moves
 * the other 2000 B in 100 ns: it ends at 469.6 ns, 369.6 ns after its start. */
Test(access_time, overlap_in_part)
{
	struct machine *m = build_machine(1, 2);
	struct plan plan = {.cpu = {{built_address(0), 4096, 1, MM_READ, 0},
				    {built_address(0), 4096, 1, MM_READ, 100000}}};
	struct sim *s = run_plan(m, &plan);

	cr_assert_eq(busy_ps(s, 0), 369600);
	cr_assert_eq(busy_ps(s, 1), 369600);
	cr_assert_eq(sim_elapsed_ps(s), 469600);
	sim_destroy(s);
	built_free(m);
}

/* The same after 500 simulated seconds, where the engine's clock has few bits left for a ps. */
Test(access_time, late_in_a_long_run)
{
	const uint64_t late_ps = 500000000000000;
	struct machine *m = build_machine(1, 3);
	struct plan plan = {.cpu = {{built_address(0), 4096, 1, MM_READ, late_ps},
				    {built_address(0), 4096, 1, MM_READ, late_ps + 100000},
				    {built_address(0), 64, 1, MM_READ, late_ps + 1000001}}};
	struct sim *s = run_plan(m, &plan);

	cr_assert_eq(busy_ps(s, 0), 369600);
	cr_assert_eq(busy_ps(s, 1), 369600);
	cr_assert_eq(busy_ps(s, 2), 63200);
	cr_assert_eq(sim_elapsed_ps(s), late_ps + 1063201);
	sim_destroy(s);
	built_free(m);
}

/* A block that lies on two nodes pays each bank its part: 60 + 2048 / 20 ns local,
 * 100 + 2048 / 10 ns remote. */
Test(access_time, block_across_nodes)
{
	struct machine *m = build_machine(2, 1);
	struct plan plan = {.cpu = {{BUILT_NODE_BYTES - 2048, 4096, 1, MM_ZERO, 0}}};
	struct sim *s = run_plan(m, &plan);
	const struct cpu_account *a = sim_account(s, 0);

	cr_assert_eq(a->nodes[0].zeroing_ps, 162400);
	cr_assert_eq(a->nodes[1].zeroing_ps, 304800);
	cr_assert_eq(a->cause_ps[CAUSE_ZEROING], 467200);
	cr_assert_eq(a->nodes[0].bytes_written, 2048);
	cr_assert_eq(a->nodes[1].bytes_written, 2048);
	sim_destroy(s);
	built_free(m);
}

static void count_cycles(struct sim *s, int cpu, void *arg)
{
	(void)arg;
	for (int i = 0; i < 1000000; i++) {
		cost_sink_ops.work(s, cpu, MM_SITE_PCP_ALLOC, 1);
		if (i % 1000 == 0)
			sim_settle(s, cpu);
	}
}

/* A cycle at 3 GHz is 333 1/3 ps; a million of them are 333 333 333 1/3 ps, of which the third is
 * not charged yet. */
Test(access_time, cycles_do_not_drift)
{
	struct machine *m = build_machine(1, 1);
	struct diag diag = DIAG_INIT;
	struct sim *s = NULL;

	m->cpus[0].freq_hz = 3000000000;
	cr_assert_eq(sim_create(m, &one_cycle_each, &diag, &s), 0);
	cr_assert_eq(sim_spawn(s, 0, count_cycles, NULL), 0);
	cr_assert_eq(sim_run(s), 0);
	cr_assert_eq(sim_elapsed_ps(s), 333333333);
	cr_assert_eq(sim_account(s, 0)->cause_ps[CAUSE_COMPUTE], 333333333);
	cr_assert_eq(sim_account(s, 0)->sites[MM_SITE_PCP_ALLOC].calls, 1000000);
	cr_assert_eq(sim_account(s, 0)->sites[MM_SITE_PCP_ALLOC].ps, 333333333);
	sim_destroy(s);
	built_free(m);
}

static void touch_twice(struct sim *s, int cpu, void *arg)
{
	(void)arg;
	sim_touch(s, cpu, built_address(0) + 60, 8, false);
	sim_touch(s, cpu, built_address(0) + 60, 8, true);
}

/* 8 bytes across two lines: two misses one after the other, 2 * 60 ns of memory, of which each line
 * moves 3.2 ns; then two hits of 5 ns each, which are compute. */
Test(access_time, caches_work_in_lines)
{
	struct machine *m = build_machine(1, 1);
	struct diag diag = DIAG_INIT;
	const struct cpu_account *a;
	struct sim *s = NULL;

	build_cache(m, 32768, 8, 5000, false);
	cr_assert_eq(sim_create(m, &no_costs, &diag, &s), 0);
	cr_assert_eq(sim_spawn(s, 0, touch_twice, NULL), 0);
	cr_assert_eq(sim_run(s), 0);
	a = sim_account(s, 0);
	cr_assert_eq(a->cause_ps[CAUSE_LOCAL], 120000);
	cr_assert_eq(a->cause_ps[CAUSE_COMPUTE], 10000);
	cr_assert_eq(a->nodes[0].misses, 2);
	cr_assert_eq(a->cache_hits, 2);
	cr_assert_eq(a->nodes[0].bytes_read, 128);
	cr_assert_eq(a->sites[MM_SITE_TOUCH].calls, 2);
	cr_assert_eq(a->sites[MM_SITE_TOUCH].ps, 2 * 56800 + 10000);
	sim_destroy(s);
	built_free(m);
}

static void write_far_apart(struct sim *s, int cpu, void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++)
		sim_touch(s, cpu, built_address(1) + (phys_addr_t)i * 64, 8, true);
}

/* Two lines of cache, three lines written: the first goes back to its bank. Four lines of traffic
 * at 10 B/ns, and three latencies with a line in each: 3 * 100 ns + 64 B / 10 B/ns = 306.4 ns. */
Test(access_time, modified_lines_are_written_back)
{
	struct machine *m = build_machine(2, 1);
	struct diag diag = DIAG_INIT;
	const struct cpu_account *a;
	struct sim *s = NULL;

	build_cache(m, 128, 2, 5000, false);
	cr_assert_eq(sim_create(m, &no_costs, &diag, &s), 0);
	cr_assert_eq(sim_spawn(s, 0, write_far_apart, NULL), 0);
	cr_assert_eq(sim_run(s), 0);
	a = sim_account(s, 0);
	cr_assert_eq(a->nodes[1].remote_ps, 306400);
	cr_assert_eq(a->nodes[1].bytes_read, 192);
	cr_assert_eq(a->nodes[1].bytes_written, 64);
	cr_assert_eq(a->nodes[1].misses, 3);
	sim_destroy(s);
	built_free(m);
}

/*
 * Each access by itself is a sleep of 60 ns and a transfer of 64 B / 20 B/ns = 3.2 ns: two
 * activities, and a hundred take what a hundred in one take.
 */
Test(access_time, exact_makes_two_activities_of_an_access)
{
	struct machine *m = build_machine(1, 1);
	struct plan plan = {.cpu = {{built_address(0), 64, 100, MM_READ, 0}}};
	struct sim *s = make_plan(m, &plan);

	sim_set_lookahead(s, false);
	sim_set_window(s, SIM_WINDOW_CHARGE);
	cr_assert_eq(sim_run(s), 0);
	cr_assert_eq(sim_elapsed_ps(s), 100 * 63200);
	cr_assert_eq(sim_account(s, 0)->cause_ps[CAUSE_LOCAL], 100 * 63200);
	cr_assert_eq(sim_activities(s), 200);
	sim_destroy(s);
	built_free(m);
}

/*
 * Two CPUs, one line each, the second 61.6 ns late. By itself the first one's transfer goes from 60
 * to 63.2 ns, before the second one's latency is over: both take 63.2 ns, as alone.
 */
Test(access_time, exact_transfers_meet_only_when_they_do)
{
	struct machine *m = build_machine(1, 2);
	struct plan plan = {.cpu = {{built_address(0), 64, 1, MM_READ, 0},
				    {built_address(0), 64, 1, MM_READ, 61600}}};
	struct sim *s = make_plan(m, &plan);

	sim_set_lookahead(s, false);
	sim_set_window(s, SIM_WINDOW_CHARGE);
	cr_assert_eq(sim_run(s), 0);
	cr_assert_eq(busy_ps(s, 0), 63200);
	cr_assert_eq(busy_ps(s, 1), 63200);
	cr_assert_eq(sim_elapsed_ps(s), 61600 + 63200);
	sim_destroy(s);
	built_free(m);
}

/*
 * Two lines at once, ten times: sleeps of 60 ns end together, and each transfer has half the rate,
 * so 10 * (60 + 6.4) ns. Summed up they are 600 ns and one transfer of 640 B at half the rate: the
 * same.
 */
Test(access_time, exact_shares_as_the_sum_does)
{
	struct machine *m = build_machine(1, 2);
	struct plan plan = {.cpu = {{built_address(0), 64, 10, MM_READ, 0},
				    {built_address(0), 64, 10, MM_READ, 0}}};
	struct sim *s = make_plan(m, &plan);

	sim_set_lookahead(s, false);
	sim_set_window(s, SIM_WINDOW_CHARGE);
	cr_assert_eq(sim_run(s), 0);
	cr_assert_eq(busy_ps(s, 0), 664000);
	cr_assert_eq(busy_ps(s, 1), 664000);
	sim_destroy(s);
	built_free(m);
}
