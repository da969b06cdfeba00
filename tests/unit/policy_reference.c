/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies against a real kernel: for each allocation of two traces, the node that the policy asks
 * for, told by the lines of the trace alone, is the node of the page that the kernel gave. Both
 * machines have two nodes of 1 GiB, with CPUs 0-1 and 2-3, and room on both at all times.
 */
#include <criterion/criterion.h>

#include "mm/gfp.h"
#include "mm/mm.h"
#include "sim/trace/trace.h"

#define NODE_PAGES (UINT64_C(1) << (30 - 12))
#define USER_PAGE  (__GFP_HIGHMEM | __GFP_MOVABLE)

struct tally {
	unsigned nr, other; /* allocations; of these, those that are elsewhere */
};

static struct mm *two_nodes(void)
{
	static const struct mm_range memory[] = {{0, NODE_PAGES << 12, 0},
						 {NODE_PAGES << 12, NODE_PAGES << 12, 1}};
	static const int cpu_nid[] = {0, 0, 1, 1};
	static const uint8_t distance[] = {10, 21, 21, 10};
	struct mm_config config = {
		.arch = MM_X86_64,
		.model = MM_SPARSE_VMEMMAP,
		.nr_nodes = 2,
		.nr_cpus = 4,
		.cpu_nid = cpu_nid,
		.distance = distance,
		.memory = memory,
		.nr_memory = 2,
		.params = mm_params_default(),
		.bare = true,
	};
	struct mm_refusal refusal;
	struct mm *mm;

	cr_assert_eq(mm_boot(&config, NULL, NULL, &mm, &refusal), 0, "%s", refusal.why);
	return mm;
}

/* Where the page comes from as long as there is room: the first node allowed. */
static int asked_for(const struct mm *mm, const struct trace *t, const struct trace_event *ev)
{
	struct mm_request req = {.cpu = ev->cpu, .order = ev->order, .gfp = ev->gfp};
	struct mm_policy_use use = {.policy = &t->policies[ev->policy].mm,
				    .turn = trace_event_turn(ev),
				    .huge = ev->order == 9};
	struct mm_nodemask mask;
	int order[2], nr;

	mm_policy_request(mm, &use, &req, &mask);
	nr = mm_node_order(mm, req.nid, order);
	for (int i = 0; i < nr; i++)
		if (!req.nodes || mm_nodemask_has(req.nodes, order[i]))
			return order[i];
	return MM_NO_NODE;
}

/* by[mode][of a fault]; returns the sum. */
static struct tally compare(const char *file, struct tally by[MM_NR_POLICY_MODES][2])
{
	struct diag diag = DIAG_INIT;
	struct mm *mm = two_nodes();
	struct tally sum = {0};
	struct trace *t;

	cr_assert_eq(trace_load(file, NULL, &diag, &t), 0, "%s", diag.error.text);
	cr_expect_eq(t->unknown_policies, 0);
	for (size_t i = 0; i < t->nr_events; i++) {
		const struct trace_event *ev = &t->events[i];
		bool user = (ev->gfp & USER_PAGE) == USER_PAGE, other;
		struct tally *tally = &by[t->policies[ev->policy].mm.mode][user];

		if (ev->op != TRACE_ALLOC || ev->flags & TRACE_F_INFERRED)
			continue;
		other = asked_for(mm, t, ev) != (int)(trace_pfn(t, ev->page) / NODE_PAGES);
		tally->nr++;
		tally->other += other;
		sum.nr++;
		sum.other += other;
	}
	trace_free(t);
	mm_destroy(mm);
	return sum;
}

static void must_be(const struct tally by[MM_NR_POLICY_MODES][2], enum mm_policy_mode mode,
		    unsigned kernel, unsigned user, unsigned other)
{
	cr_expect_eq(by[mode][0].nr, kernel, "%s: %u", mm_policy_mode_name(mode), by[mode][0].nr);
	cr_expect_eq(by[mode][1].nr, user, "%s: %u", mm_policy_mode_name(mode), by[mode][1].nr);
	cr_expect_eq(by[mode][0].other, 0, "%s", mm_policy_mode_name(mode));
	cr_expect_eq(by[mode][1].other, other, "%s: %u", mm_policy_mode_name(mode),
		     by[mode][1].other);
}

/*
 * Eleven passes of task and range policies. The seven pages elsewhere are of a program that was
 * executed under interleave: six private copies of its file's pages, whose place in the file the
 * loader knows and no line tells, and one of its stack, which the kernel moved by a random
 * distance.
 */
Test(policy_reference, w8a_task_and_range_policies)
{
	struct tally by[MM_NR_POLICY_MODES][2] = {0}, sum;

	sum = compare(SOURCE_DIR "/tests/reference/policies/w8a.trace.zst", by);
	cr_expect_eq(sum.nr, 45879);
	cr_expect_eq(sum.other, 7);
	must_be(by, MM_POLICY_DEFAULT, 350, 260, 0);
	must_be(by, MM_POLICY_PREFERRED, 40, 2 * 4097, 0);
	must_be(by, MM_POLICY_BIND, 41, 2 * 4097 + 2 * 4096, 0);
	must_be(by, MM_POLICY_INTERLEAVE, 65, 8213 + 4096, 7);
	must_be(by, MM_POLICY_LOCAL, 20, 4097, 0);
	must_be(by, MM_POLICY_PREFERRED_MANY, 20, 4097, 0);
}

/* Ranges with policies of their own in one task; huge pages, mremap, home node, a child. */
Test(policy_reference, w8c_ranges_and_huge_pages)
{
	struct tally by[MM_NR_POLICY_MODES][2] = {0}, sum;

	sum = compare(SOURCE_DIR "/tests/reference/policies/w8c.trace.zst", by);
	cr_expect_eq(sum.nr, 14163);
	cr_expect_eq(sum.other, 0);
	must_be(by, MM_POLICY_DEFAULT, 234, 2081, 0);
	must_be(by, MM_POLICY_PREFERRED, 0, 3072, 0);
	must_be(by, MM_POLICY_BIND, 0, 4125, 0);
	must_be(by, MM_POLICY_INTERLEAVE, 15, 1544 + 3088, 0);
	must_be(by, MM_POLICY_PREFERRED_MANY, 0, 4, 0);
}
