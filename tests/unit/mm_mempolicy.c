/* SPDX-License-Identifier: Apache-2.0 */
/* Policies: from which node each mode takes a page, and what follows where that one is full. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "../mm_fixture.h"
#include "mm/gfp.h"
#include "mm/mempolicy.h"

/*
 * CPU 0 on node 0, CPU 1 on node 1, CPU 2 on node 2 that has no memory, none on node 3. Nearest
 * first, node 0 falls back to 0 3 1, node 1 to 1 3 0, node 2 to 1 0 3, node 3 to 3 0 1.
 */
static const struct machine four = {
	.model = MM_SPARSE,
	.memory = {{0, 64 * MiB, 0}, {64 * MiB, 64 * MiB, 1}, {128 * MiB, 64 * MiB, 3}},
	.cpus = {1, 1, 1, 0},
	.distance = {{10, 30, 20, 15}, {30, 10, 12, 20}, {20, 12, 10, 25}, {15, 20, 25, 10}},
	.no_thp = true,
};

static struct mm_policy policy(enum mm_policy_mode mode, uint64_t nodes)
{
	return (struct mm_policy){.mode = mode, .home_nid = MM_NO_NODE, .nodes.bits[0] = nodes};
}

static struct page *take(struct mm *mm, int cpu, const struct mm_policy *p, uint32_t turn,
			 gfp_t gfp)
{
	const struct mm_policy_use use = {.policy = p, .turn = turn};
	const struct mm_request req = {.cpu = cpu, .gfp = gfp};
	struct page *page = NULL;

	return mm_alloc_pages_policy(mm, &req, &use, &page) ? NULL : page;
}

static void must_come_from(struct mm *mm, int cpu, const struct mm_policy *p, uint32_t turn,
			   int nid)
{
	struct page *page = take(mm, cpu, p, turn, GFP_HIGHUSER_MOVABLE);

	cr_assert_not_null(page);
	cr_assert_eq(mm_page_to_nid(mm, page), nid, "mode %s turn %u from CPU %d: node %d, not %d",
		     mm_policy_mode_name(p->mode), turn, cpu, mm_page_to_nid(mm, page), nid);
}

/* Take all that a node gives without reserves. */
static void exhaust(struct mm *mm, int nid)
{
	for (int order = MAX_PAGE_ORDER; order >= 0; order--)
		while (alloc_on(mm, 0, nid, (unsigned)order, GFP_HIGHUSER_MOVABLE | __GFP_THISNODE))
			;
}

Test(mempolicy, default_and_local_are_the_cpus_node)
{
	struct mm_policy none = policy(MM_POLICY_DEFAULT, 0), local = policy(MM_POLICY_LOCAL, 0);
	struct mm *mm = boot(&four);

	for (int cpu = 0; cpu < 3; cpu++) {
		/* CPU 2's own node has nothing: its nearest is node 1. */
		must_come_from(mm, cpu, &none, 0, cpu == 0 ? 0 : 1);
		must_come_from(mm, cpu, &local, 7, cpu == 0 ? 0 : 1);
	}
	mm_destroy(mm);
}

/* A full preferred node falls back as itself does (1 3 0), not as the CPU's node does (0 3 1). */
Test(mempolicy, preferred_spills_from_its_node)
{
	struct mm_policy p = policy(MM_POLICY_PREFERRED, 1 << 1);
	struct mm *mm = boot(&four);

	must_come_from(mm, 0, &p, 0, 1);
	exhaust(mm, 1);
	must_come_from(mm, 0, &p, 0, 3);
	exhaust(mm, 3);
	must_come_from(mm, 0, &p, 0, 0);
	mm_destroy(mm);
}

/* The mask in the order of the CPU's node: 3 then 1 from node 0, 1 then 3 from node 1. */
Test(mempolicy, bind_takes_the_nearest_of_its_nodes_and_no_other)
{
	struct mm_policy p = policy(MM_POLICY_BIND, 1 << 1 | 1 << 3);
	struct mm_policy with_home = p;
	struct mm *mm = boot(&four);

	must_come_from(mm, 0, &p, 0, 3);
	must_come_from(mm, 1, &p, 0, 1);
	with_home.home_nid = 1;
	must_come_from(mm, 0, &with_home, 0, 1);
	with_home.home_nid = 2; /* home has no memory: its order is 1 0 3 */
	must_come_from(mm, 0, &with_home, 0, 1);
	exhaust(mm, 3);
	must_come_from(mm, 0, &p, 0, 1);
	exhaust(mm, 1);
	cr_expect_null(take(mm, 0, &p, 0, GFP_HIGHUSER_MOVABLE), "node 0 is free, but not allowed");
	mm_destroy(mm);
}

/*
 * Who cannot wait would rather have a page elsewhere than none: what is kept for him on the nodes
 * of the mask, then what any other has. Who may not use reserves has neither.
 */
Test(mempolicy, bind_does_not_hold_for_atomic)
{
	struct mm_policy p = policy(MM_POLICY_BIND, 1 << 1);
	struct mm *mm = boot(&four);
	struct page *page;
	uint64_t kept = 0;

	while (alloc_on(mm, 0, 1, 0, GFP_KERNEL | __GFP_THISNODE))
		;
	cr_expect_null(take(mm, 0, &p, 0, GFP_NOWAIT));
	while ((page = take(mm, 0, &p, 0, GFP_ATOMIC)) && mm_page_to_nid(mm, page) == 1)
		kept++;
	cr_expect_gt(kept, 0);
	cr_assert_not_null(page);
	cr_expect_eq(mm_page_to_nid(mm, page), 0, "the nearest of the CPU");
	cr_expect_null(take(mm, 0, &p, 0, GFP_NOWAIT));
	cr_expect_null(take(mm, 0, &p, 0, __GFP_HIGH));
	must_verify(mm, "elsewhere");
	mm_destroy(mm);
}

/* The turn-th of 0, 1, 3, around and around; what spills is no interleave_hit. */
Test(mempolicy, interleave_takes_turns)
{
	static const int order[] = {0, 1, 3};
	struct mm_policy p = policy(MM_POLICY_INTERLEAVE, 1 << 0 | 1 << 1 | 1 << 3);
	struct mm_numastat stat;
	struct mm *mm = boot(&four);

	for (uint32_t turn = 0; turn < 9; turn++)
		must_come_from(mm, 2, &p, turn, order[turn % 3]);
	must_come_from(mm, 2, &p, UINT32_MAX, order[UINT32_MAX % 3]);
	exhaust(mm, 1);
	must_come_from(mm, 2, &p, 1, 3); /* node 1 falls back to 3 */
	mm_node_numastat(mm, 0, &stat);
	cr_expect_eq(stat.interleave_hit, 3 + 1); /* 2^32 - 1 is a multiple of 3 */
	mm_node_numastat(mm, 1, &stat);
	cr_expect_eq(stat.interleave_hit, 3);
	cr_expect_gt(stat.numa_foreign, 0);
	mm_node_numastat(mm, 3, &stat);
	cr_expect_eq(stat.interleave_hit, 3);
	mm_destroy(mm);
}

/* Weights 3, 1 and 2 of nodes 0, 1 and 3: six turns, 0 0 0 1 3 3. */
Test(mempolicy, weighted_interleave_comes_to_a_node_by_its_weight)
{
	static const int order[] = {0, 0, 0, 1, 3, 3};
	struct mm_policy p = policy(MM_POLICY_WEIGHTED_INTERLEAVE, 1 << 0 | 1 << 1 | 1 << 3);
	struct mm *mm = boot(&four);

	must_come_from(mm, 0, &p, 3 + 1, 1); /* as interleave while all weigh 1 */
	cr_assert_eq(mm_set_interleave_weight(mm, 0, 3), 0);
	cr_assert_eq(mm_set_interleave_weight(mm, 3, 2), 0);
	cr_expect_eq(mm_set_interleave_weight(mm, 3, 0), -EINVAL);
	cr_expect_eq(mm_set_interleave_weight(mm, 3, 256), -EINVAL);
	cr_expect_eq(mm_set_interleave_weight(mm, 4, 1), -EINVAL);
	for (uint32_t turn = 0; turn < 12; turn++)
		must_come_from(mm, 0, &p, turn, order[turn % 6]);
	mm_destroy(mm);
}

/*
 * The mask {1, 3} in the order of the CPU's node, 3 before 1; when both are full any node. The
 * attempts on the mask do not reclaim and do not warn, which shows in the tracepoint of a failure.
 */
Test(mempolicy, preferred_many_looks_at_its_nodes_first)
{
	struct mm_policy p = policy(MM_POLICY_PREFERRED_MANY, 1 << 1 | 1 << 3);
	struct recorder rec = {0};
	struct mm *mm = boot_recorded(&four, &rec);
	const struct mm_event *ev;

	must_come_from(mm, 0, &p, 0, 3);
	exhaust(mm, 3);
	must_come_from(mm, 0, &p, 0, 1);
	p.home_nid = 0;
	must_come_from(mm, 1, &p, 0, 1);
	exhaust(mm, 1);
	record_from_here(&rec);
	must_come_from(mm, 1, &p, 0, 0);
	for (size_t i = 0;; i++) {
		ev = &nth_record(&rec, REC_EVENT, i)->event;
		if (ev->type == MM_EVENT_PAGE_ALLOC)
			break;
	}
	cr_expect_null(ev->page);
	cr_expect_eq(ev->gfp, (GFP_HIGHUSER_MOVABLE | __GFP_NOWARN) & ~(gfp_t)__GFP_DIRECT_RECLAIM);
	free(rec.records);
	mm_destroy(mm);
}

static struct page *take_huge(struct mm *mm, int cpu, const struct mm_policy *p, gfp_t gfp)
{
	const struct mm_policy_use use = {.policy = p, .huge = true};
	const struct mm_request req = {.cpu = cpu, .order = 9, .gfp = gfp};
	struct page *page = NULL;

	return mm_alloc_pages_policy(mm, &req, &use, &page) ? NULL : page;
}

static void huge_must_come_from(struct mm *mm, int cpu, const struct mm_policy *p, gfp_t gfp,
				int nid)
{
	struct page *page = take_huge(mm, cpu, p, gfp);

	cr_assert_not_null(page, "mode %s", mm_policy_mode_name(p->mode));
	cr_assert_eq(mm_page_to_nid(mm, page), nid, "mode %s: node %d, not %d",
		     mm_policy_mode_name(p->mode), mm_page_to_nid(mm, page), nid);
}

/* Only the node itself, unless the fault may reclaim: then what the policy allows as well. */
Test(mempolicy, huge_pages_stay_on_the_node)
{
	struct mm_policy none = policy(MM_POLICY_DEFAULT, 0);
	struct mm_policy preferred = policy(MM_POLICY_PREFERRED, 1 << 1);
	struct mm_policy both = policy(MM_POLICY_BIND, 1 << 0 | 1 << 1);
	struct mm_policy other = policy(MM_POLICY_BIND, 1 << 1 | 1 << 3);
	struct mm_policy homed = policy(MM_POLICY_BIND, 1 << 0 | 1 << 1 | 1 << 3);
	struct mm *mm = boot(&four);

	huge_must_come_from(mm, 0, &none, GFP_TRANSHUGE_LIGHT, 0);
	huge_must_come_from(mm, 0, &preferred, GFP_TRANSHUGE_LIGHT, 1);
	huge_must_come_from(mm, 0, &both, GFP_TRANSHUGE_LIGHT, 0);
	huge_must_come_from(mm, 0, &other, GFP_TRANSHUGE_LIGHT, 3);
	cr_expect_null(take_huge(mm, 2, &none, GFP_TRANSHUGE_LIGHT), "node 2 has no memory");
	huge_must_come_from(mm, 2, &none, GFP_TRANSHUGE, 1);

	exhaust(mm, 0);
	cr_expect_null(take_huge(mm, 0, &none, GFP_TRANSHUGE_LIGHT));
	cr_expect_null(take_huge(mm, 0, &both, GFP_TRANSHUGE_LIGHT));
	huge_must_come_from(mm, 0, &none, GFP_TRANSHUGE, 3);
	huge_must_come_from(mm, 0, &both, GFP_TRANSHUGE, 1);
	homed.home_nid = 1; /* where other pages begin */
	must_come_from(mm, 0, &homed, 0, 1);
	huge_must_come_from(mm, 0, &homed, GFP_TRANSHUGE, 3);
	/* The mask without the CPU's node is not "the node only": it walks at once. */
	exhaust(mm, 3);
	huge_must_come_from(mm, 0, &other, GFP_TRANSHUGE_LIGHT, 1);
	mm_destroy(mm);
}

/* One attempt, as a tracepoint has it: THISNODE of a huge page is about the policy's node. */
Test(mempolicy, one_attempt_is_what_a_trace_shows)
{
	struct mm_policy preferred = policy(MM_POLICY_PREFERRED, 1 << 1);
	struct mm_policy many = policy(MM_POLICY_PREFERRED_MANY, 1 << 1);
	struct mm_policy_use use = {.policy = &preferred, .huge = true};
	struct mm_request req = {.order = 9, .gfp = GFP_TRANSHUGE | __GFP_THISNODE | __GFP_NORETRY};
	struct mm *mm = boot(&four);
	struct page *page;

	cr_assert_eq(mm_alloc_pages_policy_once(mm, &req, &use, &page), 0);
	cr_expect_eq(mm_page_to_nid(mm, page), 1);
	use.huge = false; /* outside a fault there is no policy beside THISNODE */
	cr_assert_eq(mm_alloc_pages_policy_once(mm, &req, &use, &page), 0);
	cr_expect_eq(mm_page_to_nid(mm, page), 0);
	exhaust(mm, 1);
	use.huge = true;
	cr_expect_eq(mm_alloc_pages_policy_once(mm, &req, &use, &page), -ENOMEM);
	use.policy = &many;
	req.gfp = GFP_TRANSHUGE;
	cr_expect_eq(mm_alloc_pages_policy_once(mm, &req, &use, &page), -ENOMEM);
	mm_destroy(mm);
}

/* Nodes 2 (no memory), 4 and 17 (none at all) are in no mask; what is left empty says nothing. */
Test(mempolicy, masks_count_for_nodes_with_memory)
{
	struct mm_policy p = policy(MM_POLICY_INTERLEAVE, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 17);
	struct mm_policy nowhere = policy(MM_POLICY_BIND, 1 << 2 | 1 << 4);
	struct mm_policy empty = policy(MM_POLICY_INTERLEAVE, 0);
	struct mm_policy_use use = {.policy = &nowhere};
	struct mm_request req = {.cpu = 0};
	struct mm_nodemask mask;
	struct mm *mm = boot(&four);

	for (uint32_t turn = 0; turn < 4; turn++)
		must_come_from(mm, 0, &p, turn, turn % 2 ? 3 : 1);
	must_come_from(mm, 0, &nowhere, 0, 0);
	must_come_from(mm, 1, &empty, 5, 1);
	mm_policy_request(mm, &use, &req, &mask);
	cr_expect_null(req.nodes);
	cr_expect_eq(req.nid, 0);
	mm_destroy(mm);
}

/* Of the nodes with memory 0, 1, 3, the second and third are 1 and 3, and so are the fifth, ... */
Test(mempolicy, relative_nodes_count_nodes_with_memory)
{
	struct mm_policy p = policy(MM_POLICY_INTERLEAVE, 1 << 1 | 1 << 2);
	struct mm_policy folded = policy(MM_POLICY_PREFERRED, 1 << 5);
	struct mm *mm = boot(&four);

	p.relative = true;
	for (uint32_t turn = 0; turn < 4; turn++)
		must_come_from(mm, 0, &p, turn, turn % 2 ? 3 : 1);
	folded.relative = true;
	must_come_from(mm, 0, &folded, 0, 3); /* 5 modulo 3 is the third */
	mm_destroy(mm);
}

/*
 * The highest zone is DMA32: bind is not about ZONE_DMA. With ZONE_MOVABLE it still is DMA32, and
 * a mask of nodes with ZONE_MOVABLE alone is about movable pages only.
 */
Test(mempolicy, bind_leaves_lower_zones_alone)
{
	struct mm_policy p = policy(MM_POLICY_BIND, 1 << 1);
	struct machine movable = four;
	struct page *page;
	struct mm *mm = boot(&four);

	page = take(mm, 0, &p, 0, GFP_KERNEL | GFP_DMA);
	cr_assert_not_null(page);
	cr_expect_eq(mm_page_to_nid(mm, page), 0);
	page = take(mm, 0, &p, 0, GFP_KERNEL);
	cr_assert_not_null(page);
	cr_expect_eq(mm_page_to_nid(mm, page), 1);
	mm_destroy(mm);

	movable.movablecore_bytes = 96 * MiB;
	mm = boot(&movable);
	page = take(mm, 0, &p, 0, GFP_KERNEL);
	cr_assert_not_null(page);
	cr_expect_eq(mm_page_to_nid(mm, page), 1);
	page = take(mm, 0, &p, 0, GFP_HIGHUSER_MOVABLE);
	cr_assert_not_null(page);
	cr_expect_eq(mm_page_to_nid(mm, page), 1);
	cr_expect_str_eq(zone_info(mm, 1, mm_page_zonenum(mm, page)).name, "Movable");
	zone_of(mm, 1, MM_ZONE_DMA32)->present = 0; /* as with movable_node */
	page = take(mm, 0, &p, 0, GFP_KERNEL);
	cr_assert_not_null(page);
	cr_expect_eq(mm_page_to_nid(mm, page), 0);
	page = take(mm, 0, &p, 0, GFP_HIGHUSER_MOVABLE);
	cr_assert_not_null(page);
	cr_expect_eq(mm_page_to_nid(mm, page), 1);
	mm_destroy(mm);
}

Test(mempolicy, unknown_modes_are_refused)
{
	struct mm_policy p = policy(MM_NR_POLICY_MODES, 1);
	const struct mm_policy_use use = {.policy = &p};
	const struct mm_request req = {.gfp = GFP_KERNEL};
	struct mm *mm = boot(&four);
	struct page *page;

	cr_expect_eq(mm_alloc_pages_policy(mm, &req, &use, &page), -EINVAL);
	cr_expect_eq(mm_alloc_pages_policy_once(mm, &req, &use, &page), -EINVAL);
	cr_expect_null(mm_policy_mode_name(MM_NR_POLICY_MODES));
	mm_destroy(mm);
}

/* In bulk each node is asked once, the last for nothing here; numastat does not hear of it. */
Test(mempolicy, bulks_take_a_turn_of_each_node)
{
	struct mm_policy p = policy(MM_POLICY_INTERLEAVE, 1 << 0 | 1 << 1 | 1 << 3);
	struct mm *mm = boot(&four);
	const struct mm_request req = {.cpu = 0, .nid = MM_NO_NODE, .gfp = GFP_KERNEL};
	struct page *pages[7] = {NULL};
	uint32_t turn = 0;

	cr_assert_eq(mm_alloc_pages_bulk_policy(mm, &req, &p, &turn, 2, pages), 2);
	cr_expect_eq(mm_page_to_nid(mm, pages[0]), 0);
	cr_expect_eq(mm_page_to_nid(mm, pages[1]), 1);
	cr_expect_eq(turn, 3);
	cr_assert_eq(mm_alloc_pages_bulk_policy(mm, &req, &p, &turn, 5, pages + 2), 5);
	cr_expect_eq(turn, 6);
	for (int i = 0; i < 5; i++)
		cr_expect_eq(mm_page_to_nid(mm, pages[2 + i]), i < 2 ? 0 : i < 4 ? 1 : 3, "%d", i);
	for (int nid = 0; nid < 4; nid++) {
		struct mm_numastat stat;

		mm_node_numastat(mm, nid, &stat);
		cr_expect_eq(stat.interleave_hit, 0, "node %d", nid);
	}
	mm_destroy(mm);
}
