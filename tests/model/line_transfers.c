/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines that another CPU has: who pays for getting them, and when. Two nodes of two CPUs; a line of
 * node 0's memory. L1 takes 1 ns and is a CPU's, L3 10 ns and is a node's; memory 60 ns, 100 ns
 * from the other node. A transfer takes 50 ns within a node, 110 ns from the other one if the line
 * is of its memory, 170 ns if not.
 */
#include <criterion/criterion.h>

#include "sim/time/cache.h"
#include "sim/time/cost_sink.h"
#include "tests/machine_builder.h"

static struct machine *machine_with_transfers(void)
{
	struct machine *m = build_machine(2, 2);

	build_cache(m, 4096, 8, 1000, false);
	build_cache(m, 65536, 8, 10000, true);
	m->transfers = (struct machine_transfers){
		.same_node_ps = 50000, .home_at_owner_ps = 110000, .home_elsewhere_ps = 170000};
	return m;
}

#define LINE 77

static struct cache_result access_line(struct cache *c, int cpu, bool write)
{
	struct cache_result r;

	cr_assert_eq(cache_access(c, cpu, LINE, write, &r), 0);
	return r;
}

static struct cache *cache_of(struct machine *m)
{
	struct cache *c;

	cr_assert_eq(cache_create(m, &c), 0);
	return c;
}

Test(line_transfers, a_written_line_comes_from_its_writer_once)
{
	struct machine *m = machine_with_transfers();
	struct cache *c = cache_of(m);

	cr_expect_eq(access_line(c, 0, true).owner, MM_NO_CPU);
	cr_expect_eq(access_line(c, 0, true).owner, MM_NO_CPU);
	cr_expect_eq(access_line(c, 1, false).owner, 0);
	cr_expect_eq(access_line(c, 1, false).owner, MM_NO_CPU);
	/* Both have it, and so has the node's L3. */
	cr_expect_eq(access_line(c, 0, false).level, 0);
	cache_free(c);
	built_free(m);
}

Test(line_transfers, a_writer_takes_it_from_who_has_read_it)
{
	struct machine *m = machine_with_transfers();
	struct cache *c = cache_of(m);

	access_line(c, 0, true);
	access_line(c, 1, false);
	cr_expect_eq(access_line(c, 0, true).owner, 1);
	cr_expect_eq(access_line(c, 0, true).owner, MM_NO_CPU);
	cr_expect_eq(access_line(c, 3, true).owner, 0);
	cr_expect_eq(access_line(c, 0, true).owner, 3);
	cache_free(c);
	built_free(m);
}

/* Four CPUs of a node, two and two of which share an L3; L1 and L3 as above. */
static struct machine *machine_of_dies(void)
{
	struct machine *m = build_machine(1, 4);

	build_cache(m, 4096, 8, 1000, false);
	build_cache(m, 65536, 8, 10000, false);
	m->caches[1].nr_cpus = 2;
	m->transfers = (struct machine_transfers){.same_node_ps = 50000, .same_node_far_ps = 90000};
	return m;
}

Test(line_transfers, dies_have_consecutive_cores_and_all_their_threads)
{
	struct machine *m = build_machine(2, 4);
	struct machine_cache die = {.nr_cpus = 2};
	int domains[8];
	static const int by_cpus[] = {0, 0, 1, 1, 2, 2, 3, 3},
			 by_threads[] = {0, 1, 0, 1, 2, 2, 3, 3};

	cr_expect_eq(machine_cache_domains(m, &die, domains), 4);
	cr_expect_arr_eq(domains, by_cpus, sizeof(domains));
	/* 0 and 2 are threads of one core, 1 and 3 of another; node 1 has cores of one thread. */
	m->cpus[2].core = 0;
	m->cpus[3].core = 1;
	cr_expect_eq(machine_cache_domains(m, &die, domains), 4);
	cr_expect_arr_eq(domains, by_threads, sizeof(domains));
	built_free(m);
}

/* The other CPU of the die finds in the L3 what was read; the other die does not. */
Test(line_transfers, dies_of_a_node_do_not_share_what_was_read)
{
	struct machine *m = machine_of_dies();
	struct cache *c = cache_of(m);

	cr_expect_eq(access_line(c, 0, false).level, 2);
	cr_expect_eq(access_line(c, 1, false).level, 1);
	cr_expect_eq(access_line(c, 2, false).level, 2);
	cr_expect(cache_last_is_shared(c, 0, 1));
	cr_expect_not(cache_last_is_shared(c, 1, 2));
	cache_free(c);
	built_free(m);
}

/* The writer's L1 has lost it (see below): its L3 has it still, for the other die too. */
Test(line_transfers, a_die_hands_out_what_its_cpu_has_written)
{
	struct machine *m = machine_of_dies();
	struct cache *c = cache_of(m);
	struct cache_result r;

	access_line(c, 0, true);
	for (uint64_t i = 1; i <= 8; i++)
		cr_assert_eq(cache_access(c, 0, LINE + 8 * i, false, &r), 0);
	r = access_line(c, 2, false);
	cr_expect_eq(r.owner, 0);
	r = access_line(c, 1, false);
	cr_expect_eq(r.owner, MM_NO_CPU);
	cr_expect_eq(r.level, 1);
	cache_free(c);
	built_free(m);
}

/* Other lines of the same set of its L1 (4096 B in 8 ways: 8 sets) push it out: the L3 has it. */
Test(line_transfers, what_its_writer_has_lost_comes_from_the_next_level)
{
	struct machine *m = machine_with_transfers();
	struct cache *c = cache_of(m);
	struct cache_result r;

	access_line(c, 0, true);
	for (uint64_t i = 1; i <= 8; i++)
		cr_assert_eq(cache_access(c, 0, LINE + 8 * i, false, &r), 0);
	r = access_line(c, 1, false);
	cr_expect_eq(r.owner, MM_NO_CPU);
	cr_expect_eq(r.level, 1);
	cache_free(c);
	built_free(m);
}

/* A line that CPU 0 has read: CPU 1 has it from there where no cache of the node would have it. CPU
 * 2, of another node, has it from memory. */
Test(line_transfers, a_clean_line_comes_from_a_neighbour_where_the_node_has_it_not)
{
	struct machine *m = machine_with_transfers();
	struct cache *c;

	m->transfers.same_node_clean_ps = 49000;
	m->caches[1].apart = true;
	c = cache_of(m);
	cr_expect_eq(access_line(c, 0, false).sharer, MM_NO_CPU);
	cr_expect_eq(access_line(c, 0, false).sharer, MM_NO_CPU);
	cr_expect_eq(access_line(c, 2, false).sharer, MM_NO_CPU);
	cr_expect_eq(access_line(c, 3, false).sharer, 2);
	cr_expect_eq(access_line(c, 3, false).sharer, MM_NO_CPU);
	cr_expect_eq(access_line(c, 2, false).level, 0);
	cache_free(c);
	built_free(m);
}

/* Pushed out of CPU 0's L1, it is in the L3. */
Test(line_transfers, a_clean_line_that_its_reader_has_lost_is_in_the_next_level)
{
	struct machine *m = machine_with_transfers();
	struct cache *c;
	struct cache_result r;

	m->transfers.same_node_clean_ps = 49000;
	m->caches[1].apart = true;
	c = cache_of(m);
	access_line(c, 0, false);
	for (uint64_t i = 1; i <= 8; i++)
		cr_assert_eq(cache_access(c, 0, LINE + 8 * i, false, &r), 0);
	r = access_line(c, 1, false);
	cr_expect_eq(r.sharer, MM_NO_CPU);
	cr_expect_eq(r.level, 1);
	cache_free(c);
	built_free(m);
}

/* The L3 of a node is inclusive: it has the line. */
Test(line_transfers, a_clean_line_comes_from_an_inclusive_cache)
{
	struct machine *m = machine_with_transfers();
	struct cache *c = cache_of(m);
	struct cache_result r;

	access_line(c, 0, false);
	r = access_line(c, 1, false);
	cr_expect_eq(r.sharer, MM_NO_CPU);
	cr_expect_eq(r.level, 1);
	cache_free(c);
	built_free(m);
}

Test(line_transfers, without_figures_nothing_is_transferred)
{
	struct machine *m = machine_with_transfers();
	struct cache *c;

	m->transfers = (struct machine_transfers){0};
	c = cache_of(m);
	access_line(c, 0, true);
	cr_expect_eq(access_line(c, 1, true).owner, MM_NO_CPU);
	cache_free(c);
	built_free(m);
}

static const struct costs no_costs;

/* CPU 0 writes a line of `nid`, CPU `reader` reads it later. */
struct plan {
	int nid, reader;
};

static void follow(struct sim *s, int cpu, void *arg)
{
	const struct plan *p = arg;

	if (cpu == p->reader)
		sim_idle_until(s, cpu, 1000000);
	cost_sink_ops.access(s, cpu, built_address(p->nid), 8, cpu == 0 ? MM_WRITE : MM_READ);
}

static uint64_t reader_on_ps(struct machine *m, int nid, int reader)
{
	struct plan plan = {.nid = nid, .reader = reader};
	struct diag diag = DIAG_INIT;
	const struct cpu_account *a;
	struct sim *s = NULL;
	uint64_t ps;

	cr_assert_eq(sim_create(m, &no_costs, &diag, &s), 0);
	cr_assert_eq(sim_spawn(s, 0, follow, &plan), 0);
	cr_assert_eq(sim_spawn(s, reader, follow, &plan), 0);
	cr_assert_eq(sim_run(s), 0);
	a = sim_account(s, reader);
	cr_expect_eq(a->line_transfers, 1);
	ps = a->total_ps - a->cause_ps[CAUSE_IDLE];
	sim_destroy(s);
	built_free(m);
	return ps;
}

static uint64_t reader_ps(int nid, int reader)
{
	return reader_on_ps(machine_with_transfers(), nid, reader);
}

Test(line_transfers, within_a_die)
{
	cr_expect_eq(reader_on_ps(machine_of_dies(), 0, 1), 50000);
}

Test(line_transfers, from_one_die_to_the_other)
{
	cr_expect_eq(reader_on_ps(machine_of_dies(), 0, 3), 90000);
}

/* Nothing is said of dies: they are of one node. */
Test(line_transfers, between_dies_as_within_a_node_where_nothing_is_said)
{
	struct machine *m = machine_of_dies();

	m->transfers.same_node_far_ps = 0;
	cr_expect_eq(reader_on_ps(m, 0, 3), 50000);
}

Test(line_transfers, within_a_node)
{
	cr_expect_eq(reader_ps(0, 1), 50000);
}

Test(line_transfers, from_the_node_that_the_line_belongs_to)
{
	cr_expect_eq(reader_ps(0, 2), 110000);
}

Test(line_transfers, from_the_other_node_and_the_line_belongs_to_ones_own)
{
	cr_expect_eq(reader_ps(1, 2), 170000);
}
