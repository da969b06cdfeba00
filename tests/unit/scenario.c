/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scenario files: the operations that each kind of workload makes of its keys, as
 * docs/scenario-files.md has them. What is wrong in them: scenario_errors.c.
 */
#include "sim/scenario/process_plan.h"
#include "tests/scenario_fixture.h"

#define MAX_CPUS 4

/* What a trace holds, by CPU and by node asked for (the last: none). */
struct tally {
	uint64_t allocs[MAX_CPUS], frees[MAX_CPUS], touches[MAX_CPUS];
	uint64_t of_node[SCENARIO_NODES + 1];
	uint64_t of_order[NR_PAGE_ORDERS];
	uint64_t most_live[MAX_CPUS];
};

/* Count, and hold what is true of every workload: pages are numbered as they come, a free and a
 * touch are its own CPU's, in the order of the allocation, and each page is freed once at most. */
static void count(const struct trace *t, struct tally *n)
{
	struct {
		int cpu;
		unsigned order;
		bool live;
	} *pages = calloc(t->nr_pages + 1, sizeof(*pages));
	uint64_t live[MAX_CPUS] = {0};
	uint32_t next = 0;

	memset(n, 0, sizeof(*n));
	for (size_t i = 0; i < t->nr_events; i++) {
		const struct trace_event *ev = &t->events[i];
		int nid = trace_event_nid(ev);

		cr_assert_lt(ev->cpu, MAX_CPUS);
		switch ((enum trace_op)ev->op) {
		case TRACE_ALLOC:
			cr_assert_eq(ev->page, next++);
			pages[ev->page].cpu = ev->cpu;
			pages[ev->page].order = ev->order;
			pages[ev->page].live = true;
			n->allocs[ev->cpu]++;
			n->of_order[ev->order]++;
			n->of_node[nid == MM_NO_NODE ? SCENARIO_NODES : nid]++;
			if (++live[ev->cpu] > n->most_live[ev->cpu])
				n->most_live[ev->cpu] = live[ev->cpu];
			continue;
		case TRACE_FREE:
			cr_assert_eq(ev->order, pages[ev->page].order);
			n->frees[ev->cpu]++;
			live[ev->cpu]--;
			break;
		case TRACE_TOUCH:
			cr_assert(ev->write);
			n->touches[ev->cpu]++;
			break;
		case TRACE_WAIT:
		case TRACE_HOTPLUG:
		case TRACE_FREE_HELD:
		case TRACE_SPLIT:
			cr_assert_fail("a workload neither waits nor frees what is not its own");
		case TRACE_FILE:
		case TRACE_KMALLOC:
		case TRACE_CACHE_ALLOC:
		case TRACE_OBJECT_FREE:
		case TRACE_VMALLOC:
		case TRACE_VFREE:
		case TRACE_KMAP:
		case TRACE_KUNMAP:
		case TRACE_STEP:
		case TRACE_CALL:
		case TRACE_CMA_ALLOC:
		case TRACE_CMA_RELEASE:
			cr_assert_fail("its pages are not counted here");
		}
		cr_assert(pages[ev->page].live);
		cr_assert_eq(pages[ev->page].cpu, ev->cpu);
		pages[ev->page].live = ev->op == TRACE_TOUCH;
	}
	free(pages);
}

static void tally(const char *workload, struct tally *n)
{
	struct trace *t = generated(workload);

	count(t, n);
	trace_free(t);
}

/* 1 MiB in 4 KiB blocks, from CPU 0's node, none of it freed. */
Test(scenario, fill_takes_bytes_from_the_first_cpus_node)
{
	struct tally n;

	tally("kind = \"fill\"; cpus = [2]; bytes = \"1MiB\";", &n);
	cr_expect_eq(n.allocs[2], 256);
	cr_expect_eq(n.of_node[1], 256, "CPU 2 is on node 1");
	cr_expect_eq(n.frees[2] + n.touches[2], 0);
	cr_expect_eq(n.of_order[0], 256);
}

/* Node 0 has 64 MiB, and 16 MiB more are the default: 80 MiB / 4 KiB. */
Test(scenario, fill_goes_beyond_its_node)
{
	struct tally n;

	tally("kind = \"fill\"; cpus = [0];", &n);
	cr_expect_eq(n.allocs[0], 80 * 256);
	tally("kind = \"fill\"; cpus = [0]; beyond = \"1MiB\"; order = 3;", &n);
	cr_expect_eq(n.of_order[3], 65 * 256 / 8);
}

/* 10,000 bytes are 3 blocks of 4 KiB, which the four CPUs take in turn. */
Test(scenario, fill_rounds_up_and_takes_turns)
{
	struct tally n;

	tally("kind = \"fill\"; bytes = \"10kB\"; touch = \"64B\";", &n);
	cr_expect_eq(n.allocs[0] + n.allocs[1] + n.allocs[2], 3);
	cr_expect_eq(n.allocs[3], 0);
	cr_expect_eq(n.of_node[0], 3, "all of the first CPU's node");
	cr_expect_eq(n.touches[0] + n.touches[1] + n.touches[2], 3);
}

/*
 * Orders 0 and 2 as 3 to 1, until 64 MiB are there: 7 pages in 4 blocks, 16384 * 4 / 7 = 9362
 * blocks, of which 7022 of order 0 with a deviation of 42; 4 deviations. One weight alone draws
 * nothing.
 */
Test(scenario, a_mix_of_orders_in_proportion)
{
	struct tally n;

	tally("kind = \"fill\"; cpus = [0]; bytes = \"64MiB\"; orders = \"0:3,2:1\";", &n);
	cr_expect_lt(abs((int)n.of_order[0] - 7022), 168);
	cr_expect_geq(n.of_order[0] + 4 * n.of_order[2], 16384, "all of it");
	tally("kind = \"contend\"; cpus = [0]; operations = 50; burst = 7; orders = \"3:9\";", &n);
	cr_expect_eq(n.of_order[3], 50);
	cr_expect_eq(n.frees[0], 50);
	tally("kind = \"churn\"; cpus = [0]; operations = 500; orders = \"1:1,4:1\";", &n);
	cr_expect_eq(n.of_order[1] + n.of_order[4], n.allocs[0]);
	cr_expect_gt(n.of_order[1] * n.of_order[4], 0);
}

/* 9 blocks of 16 KiB, for the nodes 1, 0, 1, 0, ...: 5 of node 1. */
Test(scenario, interleave_asks_for_nodes_in_turn)
{
	struct tally n;

	tally("kind = \"interleave\"; cpus = [1]; nodes = [1, 0]; order = 2; bytes = \"144KiB\";",
	      &n);
	cr_expect_eq(n.allocs[1], 9);
	cr_expect_eq(n.of_order[2], 9);
	cr_expect_eq(n.of_node[1], 5);
	cr_expect_eq(n.of_node[0], 4);
}

/* 7 in all, dealt to the four CPUs and the two nodes. */
Test(scenario, interleave_counts_operations_in_all)
{
	struct tally n;

	tally("kind = \"interleave\"; operations = 7;", &n);
	cr_expect_eq(n.allocs[0] + n.allocs[1] + n.allocs[2] + n.allocs[3], 7);
	cr_expect_eq(n.allocs[3], 1);
	cr_expect_eq(n.of_node[0], 4);
	cr_expect_eq(n.of_node[1], 3);
}

/* Each CPU does its operations, holds no more than it may, and asks for no node. */
Test(scenario, churn_keeps_its_limits)
{
	struct tally n;

	tally("kind = \"churn\"; cpus = [0, 3]; operations = 2000; live = 20; max_order = 2;", &n);
	for (int cpu = 0; cpu < MAX_CPUS; cpu += 3) {
		cr_expect_eq(n.allocs[cpu] + n.frees[cpu], 2000);
		cr_expect_leq(n.most_live[cpu], 20);
		cr_expect_geq(n.most_live[cpu], 10);
	}
	cr_expect_eq(n.allocs[1] + n.allocs[2], 0);
	cr_expect_eq(n.of_node[SCENARIO_NODES], n.allocs[0] + n.allocs[3]);
	cr_expect_eq(n.of_order[3], 0);
}

/* Of n allocations n/2, n/4 and the rest, n/4; each within six standard deviations, sqrt(n p
 * (1-p)), which for n about 4000 are 6 * 32 and 6 * 27. */
Test(scenario, churn_halves_the_odds_of_each_order)
{
	struct tally n;
	double all;

	tally("kind = \"churn\"; cpus = [0]; operations = 8000; live = 4000; max_order = 2;", &n);
	all = (double)n.allocs[0];
	cr_expect_float_eq(all, 4000, 6 * 45);
	cr_expect_float_eq((double)n.of_order[0], all / 2, 6 * 32);
	cr_expect_float_eq((double)n.of_order[1], all / 4, 6 * 27);
	cr_expect_float_eq((double)n.of_order[2], all / 4, 6 * 27);
}

/* live = 1: allocate, free, allocate, free, ... */
Test(scenario, churn_of_one_block_alternates)
{
	struct tally n;

	tally("kind = \"churn\"; cpus = [1]; operations = 11; live = 1; touch = \"1B\";", &n);
	cr_expect_eq(n.allocs[1], 6);
	cr_expect_eq(n.frees[1], 5);
	cr_expect_eq(n.touches[1], 6);
	cr_expect_eq(n.most_live[1], 1);
}

/* 10 allocations of each CPU in bursts of 4, 4 and 2, all given back. */
Test(scenario, contend_takes_and_gives_back_in_bursts)
{
	struct trace *t = generated("kind = \"contend\"; cpus = [0, 1]; operations = 10; "
				    "burst = 4; order = 1; gfp = \"GFP_KERNEL\";");
	struct tally n;

	count(t, &n);
	for (int cpu = 0; cpu < 2; cpu++) {
		cr_expect_eq(n.allocs[cpu], 10);
		cr_expect_eq(n.frees[cpu], 10);
		cr_expect_eq(n.most_live[cpu], 4);
	}
	cr_expect_eq(n.of_order[1], 20);
	cr_expect_eq(t->events[0].gfp, GFP_KERNEL);
	cr_expect_eq(t->events[0].migratetype, MM_UNMOVABLE);
	trace_free(t);
}

Test(scenario, blocks_are_movable_and_zeroed_unless_told_otherwise)
{
	struct trace *t = generated("kind = \"fill\"; bytes = \"4KiB\";");

	cr_assert_eq(t->nr_events, 1);
	cr_expect_eq(t->events[0].gfp, GFP_HIGHUSER_MOVABLE | __GFP_ZERO);
	cr_expect_eq(t->events[0].migratetype, MM_MOVABLE);
	cr_expect_eq(t->events[0].time_ps, 0);
	trace_free(t);
}

static bool same_events(const struct trace *a, const struct trace *b)
{
	return a->nr_events == b->nr_events &&
	       !memcmp(a->events, b->events, a->nr_events * sizeof(*a->events));
}

#define SOME_CHURN "{ kind = \"churn\"; operations = 500; max_order = 3; }"

Test(scenario, a_seed_repeats_and_another_does_not)
{
	struct trace *first = made("seed = 7; workload = " SOME_CHURN ";");
	struct trace *again = made("seed = 7; workload = " SOME_CHURN ";");
	struct trace *other = made("seed = 8; workload = " SOME_CHURN ";");
	struct trace *unsaid = made("workload = " SOME_CHURN ";");
	struct trace *one = made("seed = 1; workload = " SOME_CHURN ";");

	cr_expect(same_events(first, again));
	cr_expect_not(same_events(first, other));
	cr_expect(same_events(unsaid, one), "1 is the default");
	trace_free(first);
	trace_free(again);
	trace_free(other);
	trace_free(unsaid);
	trace_free(one);
}

/* One after the other, with page numbers that go on and random numbers of their own. */
Test(scenario, workloads_follow_each_other)
{
	struct trace *t = made("workloads = ( " SOME_CHURN ", " SOME_CHURN
			       ", { kind = \"fill\"; cpus = [3]; bytes = \"8KiB\"; } );");
	size_t half = 4 * 500;

	cr_assert_eq(t->nr_events, 2 * half + 2);
	cr_expect_eq(t->events[t->nr_events - 1].page, t->nr_pages - 1);
	cr_expect_eq(t->events[t->nr_events - 1].cpu, 3);
	cr_expect_neq(memcmp(t->events, t->events + half, 100 * sizeof(*t->events)), 0);
	for (size_t i = half; i < 2 * half; i++)
		cr_assert_geq(t->events[i].page, t->events[half].page);
	trace_free(t);
}

Test(scenario, paths_are_relative_to_the_file)
{
	struct diag d = DIAG_INIT;
	struct scenario *s = loaded("description = \"some\"; machine = \"../m/a.cfg\"; "
				    "costs = \"/c.cfg\"; workload = {};",
				    NULL, 0, &d);
	char expected[256];

	snprintf(expected, sizeof(expected), "%s/../m/a.cfg", scenario_dir());
	cr_expect_str_eq(s->machine, expected);
	cr_expect_str_eq(s->costs, "/c.cfg");
	cr_expect_str_eq(s->description, "some");
	scenario_free(s);
	diag_clear(&d);
}

Test(scenario, only_its_own_sets_are_the_scenarios)
{
	static const char *const own[] = {
		"seed", "machine", "workload.kind", "workload.cpus[0]", "workloads[0].order",
		"costs"};
	static const char *const others[] = {"nodes[0].cpus.count",    "seeds",
					     "workloadx.kind",         "description",
					     "kernel.min_free_kbytes", "workloadss"};

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) {
		cr_expect(scenario_owns(&(struct machine_override){own[i], "1"}), "%s", own[i]);
		cr_expect_not(scenario_owns(&(struct machine_override){others[i], "1"}), "%s",
			      others[i]);
	}
}

Test(scenario, sets_change_the_workload)
{
	static const struct machine_override sets[] = {
		{"nodes[0].cpus.count", "3"}, /* the machine's */
		{"workload.bytes", "8KiB"},   {"workload.cpus[0]", "3"},
		{"workload.order", "1"},      {"seed", "11"},
	};
	struct diag d = DIAG_INIT;
	struct scenario *s = loaded("machine = \"m.cfg\"; workload = { kind = \"fill\"; "
				    "cpus = [0]; bytes = \"1MiB\"; };",
				    sets, sizeof(sets) / sizeof(*sets), &d);
	struct machine *m = scenario_machine();
	struct trace *t;

	cr_assert_eq(scenario_generate(s, m, &d, &t), 0, "%s", shown(&d));
	cr_expect_eq(s->seed, 11);
	cr_expect_eq(t->nr_events, 1);
	cr_expect_eq(t->events[0].cpu, 3);
	cr_expect_eq(t->events[0].order, 1);
	trace_free(t);
	machine_free(m);
	scenario_free(s);
	diag_clear(&d);
}

/* A task a CPU: it maps its memory, stores to each page of it once (769 in four slices) and unmaps
 * it. */
Test(scenario, fault_touches_each_page_once)
{
	struct trace *t = generated("kind = \"fault\"; cpus = [ 0, 2 ]; bytes = \"3076KiB\"; "
				    "touch = \"64B\"; unmap = true; policy = \"interleave:0-1\"; "
				    "range_policy = \"bind:1\"; madvise = true;");
	const struct process_plan *plan = t->processes;

	cr_assert_eq(t->nr_events, 2 * (1 + 4 + 1));
	cr_assert_eq(t->nr_policies, 3);
	cr_assert_eq(plan->nr_processes, 2);
	for (unsigned p = 0; p < 2; p++) {
		const struct process *task = &plan->processes[p];
		const struct process_step *map, *touch, *unmap;

		cr_assert_eq(task->nr_steps, 3);
		map = &plan->steps[task->steps[0]];
		touch = &plan->steps[task->steps[1]];
		unmap = &plan->steps[task->steps[2]];
		cr_assert_eq(plan->cpus[touch->cpus].of[0], 2 * (int)p);
		cr_assert(map->what == PROCESS_MMAP && map->advised && !map->hugetlb);
		cr_assert(touch->what == PROCESS_TOUCH && touch->write && touch->touch == 64);
		cr_assert(touch->operations == 769 && touch->access == PROCESS_SEQUENTIAL);
		cr_assert_eq(touch->parts, 4);
		cr_assert_eq(unmap->what, PROCESS_MUNMAP);
		cr_assert(map->bytes == 769 * 4096 && unmap->bytes == map->bytes);
		cr_assert_eq(t->policies[task->policy].mm.mode, MM_POLICY_INTERLEAVE);
		cr_assert_eq(t->policies[map->policy].mm.mode, MM_POLICY_BIND);
		cr_assert_eq(t->policies[map->policy].scope, TRACE_POLICY_RANGE);
	}
	trace_free(t);
}

/* At random, each page once: none is missing, and they are not in order; nor is the number of pages
 * a power of two. Another pass has another order. */
Test(scenario, random_faults_are_a_permutation)
{
	struct trace *t = generated("kind = \"fault\"; cpus = [ 1 ]; bytes = \"4004KiB\"; "
				    "access = \"random\";");
	const struct process_step *touch = &t->processes->steps[1];
	size_t in_place = 0, as_before = 0;

	cr_assert(touch->access == PROCESS_SHUFFLED && touch->operations == 1001);
	for (unsigned pass = 0; pass < 2; pass++) {
		bool seen[1001] = {false};

		for (uint64_t i = 0; i < 1001; i++) {
			uint64_t page = process_page(touch, pass * 1001 + i, 1001);

			cr_assert(page < 1001 && !seen[page], "page %u at %u", (unsigned)page,
				  (unsigned)i);
			seen[page] = true;
			in_place += page == i;
			as_before += pass && page == process_page(touch, i, 1001);
		}
	}
	cr_assert_lt(in_place, 32, "a shuffle leaves one in its place, in the mean");
	cr_assert_lt(as_before, 16, "one page in the same place, in the mean");
	for (uint64_t nr = 1; nr < 40; nr++) {
		uint64_t seen = 0;

		for (uint64_t i = 0; i < nr; i++)
			seen |= UINT64_C(1) << process_page(touch, i, nr);
		cr_assert_eq(seen, (UINT64_C(1) << nr) - 1);
	}
	trace_free(t);
}
