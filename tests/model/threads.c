/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two threads of a core: what each gets while both are busy, and what they share. One node, 2 GHz,
 * 60 ns and 20 B/ns; lines of 64 B.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "sim/time/cache.h"
#include "tests/machine_builder.h"

static const struct costs no_costs;

struct plan {
	uint64_t cycles, bytes; /* of each */
	uint64_t touched;       /* lines that each touches at once */
	uint64_t late_ps;       /* when CPU 1 begins */
};

/* A core whose CPUs do so many per cent of its work each while all are busy. */
static struct machine *core_of(int nr_threads, unsigned share)
{
	struct machine *m = build_machine(1, nr_threads);

	build_cache(m, 4096, 8, 1000, false);
	m->caches[0].per_core = true;
	for (int cpu = 0; cpu < nr_threads; cpu++) {
		m->cpus[cpu].core = 0;
		m->cpus[cpu].thread_share = share;
		m->cpus[cpu].fill_buffers = m->cpus[cpu].prefetched = 8;
	}
	return m;
}

static struct machine *machine_with_threads(void)
{
	return core_of(2, 60);
}

static void follow(struct sim *s, int cpu, void *arg)
{
	const struct plan *p = arg;

	/* CPU 0 a moment after the other one has begun, or has gone to wait. */
	sim_idle_until(s, cpu, cpu == 1 ? p->late_ps : 1000);
	if (p->cycles)
		sim_compute(s, cpu, p->cycles);
	if (p->touched)
		sim_touch(s, cpu, built_address(0) + 4096 * (uint64_t)cpu, 64 * p->touched, false);
	if (p->bytes)
		sim_stream(s, cpu,
			   &(struct sim_stream){.at = built_address(0), .bytes_read = p->bytes});
}

/* What CPU `cpu` takes beside `nr_busy` - 1 others. */
static uint64_t busy_of(struct machine *m, struct plan *plan, int nr_busy, int cpu)
{
	struct diag diag = DIAG_INIT;
	const struct cpu_account *a;
	struct sim *s = NULL;
	uint64_t ps;

	cr_assert_eq(sim_create(m, &no_costs, &diag, &s), 0);
	for (int i = 0; i < nr_busy; i++)
		cr_assert_eq(sim_spawn(s, i, follow, plan), 0);
	cr_assert_eq(sim_run(s), 0);
	a = sim_account(s, cpu);
	ps = a->total_ps - a->cause_ps[CAUSE_IDLE];
	sim_destroy(s);
	built_free(m);
	return ps;
}

static uint64_t busy_ps(struct plan *plan, int cpu)
{
	return busy_of(machine_with_threads(), plan, 2, cpu);
}

/* Two of eight that share a core evenly: half of it each, 1200 ns for 600. */
Test(threads, two_of_eight_get_a_half_each)
{
	struct plan plan = {.cycles = 1200};

	cr_expect_eq(busy_of(core_of(8, 12), &plan, 2, 0), 1200000);
}

/* All of them: an eighth for the last one to begin. */
Test(threads, eight_of_eight_get_an_eighth)
{
	struct plan plan = {.cycles = 1200};

	cr_expect_eq(busy_of(core_of(8, 12), &plan, 8, 7), 4800000);
}

/* Four threads do 1.6 of the core's work, two of them 1 + 0.6 / 3 = 1.2: each 0.6, 1000 ns. */
Test(threads, a_gain_grows_with_who_is_busy)
{
	struct plan plan = {.cycles = 1200};

	cr_expect_eq(busy_of(core_of(4, 40), &plan, 2, 0), 1000000);
}

/* 1200 cycles are 600 ns alone, 600 / 0.6 = 1000 ns where both are busy. */
Test(threads, both_busy_each_gets_its_share)
{
	struct plan plan = {.cycles = 1200};

	cr_expect_eq(busy_ps(&plan, 0), 1000000);
}

/* The other one begins when this one has ended, or has nothing to do any more. */
Test(threads, alone_one_has_the_core)
{
	struct plan plan = {.cycles = 1200, .late_ps = 5000000};

	cr_expect_eq(busy_ps(&plan, 0), 600000);
}

Test(threads, the_later_one_too)
{
	struct plan plan = {.cycles = 1200, .late_ps = 5000000};

	cr_expect_eq(busy_ps(&plan, 1), 600000);
}

/* 64 lines, 8 in flight for both: 64 / 4 * 60 ns each. */
Test(threads, lines_in_flight_are_the_cores)
{
	struct plan plan = {.bytes = 4096};

	cr_expect_eq(busy_ps(&plan, 0), 960000);
}

/* A core of so many threads and lines in flight, all of its threads at 64 lines each. */
static uint64_t in_flight_ps(int nr_threads, unsigned fill_buffers)
{
	struct machine *m = core_of(nr_threads, 100 / (unsigned)nr_threads);
	struct plan plan = {.bytes = 4096};

	for (int cpu = 0; cpu < nr_threads; cpu++)
		m->cpus[cpu].fill_buffers = m->cpus[cpu].prefetched = fill_buffers;
	/* The last one to begin: CPU 1 is the first. */
	return busy_of(m, &plan, nr_threads, nr_threads > 2 ? nr_threads - 1 : 0);
}

/* A process has one engine: a test each. */
struct in_flight {
	int threads;
	unsigned lines;
};

ParameterizedTestParameters(threads, no_part_of_a_line_is_in_flight_twice)
{
	static struct in_flight params[] = {
		{1, 3}, {2, 1}, {2, 3}, {2, 5}, {2, 10}, {3, 4}, {4, 1}, {4, 3}, {4, 6}, {8, 13},
	};

	return cr_make_param_array(struct in_flight, params, sizeof(params) / sizeof(*params));
}

/*
 * Little's law for the core: 64 lines a thread, so many in flight together, 60 ns each. The bank's
 * 20 B/ns would take as long for no more than 18.75 lines in flight.
 */
ParameterizedTest(struct in_flight *p, threads, no_part_of_a_line_is_in_flight_twice)
{
	cr_expect_eq(in_flight_ps(p->threads, p->lines),
		     (uint64_t)p->threads * 64 * 60000 / p->lines);
}

/* A thread touches 4 lines at once; the core has so many in flight. */
static uint64_t touched_ps(unsigned in_flight)
{
	struct machine *m = core_of(2, 50);
	struct plan plan = {.touched = 4};

	for (int cpu = 0; cpu < 2; cpu++)
		m->cpus[cpu].fill_buffers = m->cpus[cpu].prefetched = in_flight;
	return busy_of(m, &plan, 2, 0);
}

/* Each has all its 4 of 8 in flight. */
Test(threads, who_needs_less_does_not_wait)
{
	cr_expect_eq(touched_ps(8), 60000);
}

/* 2 of 4: 4 lines take two latencies. */
Test(threads, each_gets_its_part_of_what_is_too_little)
{
	cr_expect_eq(touched_ps(4), 120000);
}

/* One has written what the other one reads: it is in their cache, and nobody else's. */
Test(threads, caches_of_a_core_are_both_threads)
{
	struct machine *m = machine_with_threads();
	struct cache_result r;
	struct cache *c;

	m->transfers.same_node_ps = 50000;
	cr_assert_eq(cache_create(m, &c), 0);
	cr_assert_eq(cache_access(c, 0, 5, true, &r), 0);
	cr_assert_eq(cache_access(c, 1, 5, false, &r), 0);
	cr_expect_eq(r.level, 0);
	cr_expect_eq(r.owner, MM_NO_CPU);
	cache_free(c);
	built_free(m);
}
