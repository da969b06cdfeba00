/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What user memory takes in time, against closed forms. The machine is machine_builder.h's: 60 ns
 * and 20 B/ns a bank, 40 ns and 10 B/ns a link, 2 GHz, no caches: an access is its latencies and
 * its own bytes at the slowest part's rate.
 */
#include <criterion/criterion.h>

#include "mm/user/user.h"
#include "tests/machine_builder.h"

#define PAGE  UINT64_C(4096)
#define PAGES 64
#define CYCLE 500 /* ps */

static const struct costs costs = {
	.cycles = {[MM_SITE_FAULT] = 1000, [MM_SITE_COPY] = 0, [MM_SITE_TOUCH] = 0}};

struct program {
	const struct mm_policy *policy;
	uint64_t written_by_child;
	uint64_t zeroed_ps, copied_ps; /* out: accounts after filling, and by copies alone */
	uint64_t load_ps;              /* out: of a load of each page */
};

static uint64_t pass(struct sim *s, struct mm_space *space, uint64_t at, uint64_t nr, bool write)
{
	uint64_t began;

	sim_settle(s, 0);
	began = sim_now_ps(s, 0);
	for (uint64_t i = 0; i < nr; i++) {
		phys_addr_t phys;

		cr_assert_geq(mm_user_access(sim_mm(s), 0, space, at + i * PAGE, write, &phys), 0);
		if (!write)
			sim_touch(s, 0, phys, 8, false);
	}
	sim_settle(s, 0);
	return sim_now_ps(s, 0) - began;
}

static void program(struct sim *s, int cpu, void *arg)
{
	struct program *p = arg;
	struct mm *mm = sim_mm(s);
	struct mm_space *space, *child;
	uint64_t at, before;

	cr_assert_eq(mm_space_new(mm, cpu, "a", p->policy, &space), 0);
	cr_assert_eq(mm_mmap(mm, cpu, space, &(struct mm_mmap_args){.bytes = PAGES * PAGE}, &at),
		     0);
	sim_settle(s, cpu);
	before = sim_account(s, cpu)->cause_ps[CAUSE_ZEROING];
	pass(s, space, at, PAGES, true);
	p->zeroed_ps = sim_account(s, cpu)->cause_ps[CAUSE_ZEROING] - before;
	p->load_ps = pass(s, space, at, PAGES, false);
	cr_assert_eq(mm_space_fork(mm, cpu, space, "b", &child), 0);
	sim_settle(s, cpu);
	before = sim_account(s, cpu)->sites[MM_SITE_COPY].calls;
	p->copied_ps = pass(s, child, at, p->written_by_child, true);
	cr_assert_eq(sim_account(s, cpu)->sites[MM_SITE_COPY].calls - before, p->written_by_child);
}

static struct program run(const struct mm_policy *policy, uint64_t written)
{
	struct machine *m = build_machine(2, 1);
	struct diag diag = DIAG_INIT;
	struct program p = {.policy = policy, .written_by_child = written};
	struct sim *s = NULL;

	m->mm.params.thp = MM_THP_NEVER;
	cr_assert_eq(sim_create(m, &costs, &diag, &s), 0, "%s", diag.error.text);
	cr_assert_eq(sim_spawn(s, 0, program, &p), 0);
	cr_assert_eq(sim_run(s), 0);
	cr_expect_eq(sim_account(s, 0)->sites[MM_SITE_FAULT].calls, PAGES + written);
	cr_expect_geq(sim_account(s, 0)->sites[MM_SITE_FAULT].ps, (PAGES + written) * 1000 * CYCLE);
	sim_destroy(s);
	machine_free(m);
	return p;
}

/* 64 pages and the three tables below the topmost one: each 60 ns + 4096 B / 20 B/ns = 264.8 ns. */
Test(user_time, zeroing_is_a_latency_and_the_bytes_of_each_page)
{
	cr_expect_eq(run(NULL, 0).zeroed_ps, (PAGES + 3) * UINT64_C(264800));
}

/* A load of 8 B from the CPU's node is 60 ns + 8 B / 20 B/ns = 60.4 ns. */
Test(user_time, loads_of_local_pages)
{
	cr_expect_eq(run(NULL, 0).load_ps, PAGES * UINT64_C(60400));
}

/* Over a link 100 ns + 8 B / 10 B/ns = 100.8 ns. */
Test(user_time, loads_of_pages_that_are_bound_to_the_other_node)
{
	struct mm_policy bind = {.mode = MM_POLICY_BIND, .home_nid = MM_NO_NODE};

	mm_nodemask_set(&bind.nodes, 1);
	cr_expect_eq(run(&bind, 0).load_ps, PAGES * UINT64_C(100800));
}

/*
 * 4096 B read and written at 20 B/ns each, 409.6 ns, and the fault's 1000 cycles, 500 ns; with
 * latencies of the lines that the kernel touches on the way, which are some 20 to 50 of 60 ns.
 */
Test(user_time, copies_are_as_many_as_pages_written)
{
	uint64_t ps = run(NULL, 16).copied_ps;

	cr_expect_geq(ps, 16 * UINT64_C(909600), "%lu", ps);
	cr_expect_leq(ps, 16 * UINT64_C(4000000), "%lu", ps);
}
