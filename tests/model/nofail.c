/* SPDX-License-Identifier: Apache-2.0 */
/* Allocations that must not fail, when all memory is gone. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mm/vm_event.h"
#include "tests/machine_builder.h"

static const struct costs nothing_costs;

#define FREED_AT_PS UINT64_C(50000000000)

struct stage {
	struct page *block; /* of what CPU 0 has taken; too large for a CPU's list */
	gfp_t gfp;          /* of the page that it asks for then */
	bool freed, got_it;
	uint64_t got_at_ps, kills;
};

#define BLOCK_ORDER 10

static int take(struct sim *s, int cpu, unsigned order, gfp_t gfp, struct page **page)
{
	const struct mm_request req = {.cpu = cpu, .nid = MM_NO_NODE, .order = order, .gfp = gfp};

	return mm_alloc_pages(sim_mm(s), &req, page);
}

/* All memory, the reserves too, and then one more page. */
static void take_all(struct sim *s, int cpu, void *arg)
{
	struct stage *stage = arg;
	struct page *page;

	take(s, cpu, BLOCK_ORDER, GFP_KERNEL, &stage->block);
	while (!take(s, cpu, 0, GFP_KERNEL | __GFP_MEMALLOC | __GFP_NOWARN, &page))
		sim_settle(s, cpu);
	stage->kills = -mm_vm_event(sim_mm(s), MM_VM_OOM_KILL);
	stage->got_it = !take(s, cpu, 0, stage->gfp, &page);
	stage->kills += mm_vm_event(sim_mm(s), MM_VM_OOM_KILL);
	stage->got_at_ps = sim_now_ps(s, cpu);
}

static void free_one(struct sim *s, int cpu, void *arg)
{
	struct stage *stage = arg;

	sim_idle_until(s, cpu, FREED_AT_PS);
	stage->freed = !mm_free_pages(sim_mm(s), cpu, stage->block, BLOCK_ORDER);
	sim_settle(s, cpu);
}

static struct sim *simulation(const struct machine *m)
{
	struct diag diag = DIAG_INIT;
	struct sim *s = NULL;

	cr_assert_eq(sim_create(m, &nothing_costs, &diag, &s), 0);
	return s;
}

/* CPU 1 frees a block after 50 ms: a tick later at most CPU 0, which waits so long, has it. */
Test(nofail, goes_on_until_somebody_frees)
{
	struct machine *m = build_machine(1, 2);
	struct stage stage = {.gfp = GFP_KERNEL | __GFP_NOFAIL};
	struct mm_counters counters;
	struct sim *s;

	m->memory[0].bytes = UINT64_C(32) << 20;
	s = simulation(m);
	sim_spawn(s, 0, take_all, &stage);
	sim_spawn(s, 1, free_one, &stage);
	cr_assert_eq(sim_run(s), 0);
	cr_assert(stage.freed);
	cr_assert(stage.got_it);
	cr_assert_geq(stage.got_at_ps, FREED_AT_PS);
	cr_assert_lt(stage.got_at_ps, FREED_AT_PS + UINT64_C(5000000000));
	mm_counters(sim_mm(s), &counters);
	cr_assert_eq(counters.nofail_stuck, 0);
	sim_destroy(s);
	built_free(m);
}

/* Nobody else is there: it ends, and is told apart from an ordinary failure. */
Test(nofail, ends_where_nobody_is_left, .timeout = 60)
{
	struct machine *m = build_machine(1, 2);
	struct stage stage = {.gfp = GFP_KERNEL | __GFP_NOFAIL};
	struct mm_counters counters;
	struct sim *s;

	m->memory[0].bytes = UINT64_C(32) << 20;
	s = simulation(m);
	sim_spawn(s, 0, take_all, &stage);
	cr_assert_eq(sim_run(s), 0);
	cr_assert_not(stage.got_it);
	mm_counters(sim_mm(s), &counters);
	cr_assert_eq(counters.nofail_stuck, 1);
	cr_assert_not_null(mm_oom_report(sim_mm(s)));
	sim_destroy(s);
	built_free(m);
}

/* Two that starve keep nobody going: both end. */
static void take_and_starve(struct sim *s, int cpu, void *arg)
{
	struct page *page;

	(void)arg;
	while (!take(s, cpu, 0, GFP_KERNEL | __GFP_MEMALLOC | __GFP_NOWARN, &page))
		sim_settle(s, cpu);
	take(s, cpu, 0, GFP_KERNEL | __GFP_NOFAIL, &page);
}

Test(nofail, two_that_starve_end_both, .timeout = 60)
{
	struct machine *m = build_machine(1, 2);
	struct mm_counters counters;
	struct sim *s;

	m->memory[0].bytes = UINT64_C(32) << 20;
	s = simulation(m);
	sim_spawn(s, 0, take_and_starve, NULL);
	sim_spawn(s, 1, take_and_starve, NULL);
	cr_assert_eq(sim_run(s), 0);
	mm_counters(sim_mm(s), &counters);
	cr_assert_eq(counters.nofail_stuck, 2);
	sim_destroy(s);
	built_free(m);
}

/* Nobody is killed for who may not write files: he tries again, until somebody frees. */
Test(nofail, who_may_not_write_files_goes_on_too, .timeout = 60)
{
	struct machine *m = build_machine(1, 2);
	struct stage stage = {.gfp = GFP_NOFS};
	struct sim *s;

	m->memory[0].bytes = UINT64_C(32) << 20;
	s = simulation(m);
	sim_spawn(s, 0, take_all, &stage);
	sim_spawn(s, 1, free_one, &stage);
	cr_assert_eq(sim_run(s), 0);
	cr_assert(stage.got_it);
	cr_assert_geq(stage.got_at_ps, FREED_AT_PS);
	cr_assert_lt(stage.got_at_ps, FREED_AT_PS + UINT64_C(5000000000));
	cr_assert_eq(stage.kills, 0);
	sim_destroy(s);
	built_free(m);
}

/* Where nobody is left he fails, as does at once who would have had somebody killed. */
Test(nofail, who_may_fail_does, .timeout = 60)
{
	static const gfp_t flags[] = {GFP_NOFS, GFP_NOIO, GFP_KERNEL};

	for (size_t i = 0; i < 3; i++) {
		pid_t child = fork(); /* an engine a process */
		int status = -1;

		if (!child) {
			struct machine *m = build_machine(1, 2);
			struct stage stage = {.gfp = flags[i]};
			struct mm_counters counters;
			struct sim *s;
			bool kills = flags[i] & __GFP_FS, right;

			m->memory[0].bytes = UINT64_C(32) << 20;
			s = simulation(m);
			sim_spawn(s, 0, take_all, &stage);
			right = !sim_run(s) && !stage.got_it;
			mm_counters(sim_mm(s), &counters);
			right = right && !counters.nofail_stuck && stage.kills == kills;
			_exit(right ? 0 : 1);
		}
		cr_assert_eq(waitpid(child, &status, 0), child);
		cr_expect_eq(status, 0, "flags %#x", flags[i]);
	}
}
