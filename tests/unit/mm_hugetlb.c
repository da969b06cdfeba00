/* SPDX-License-Identifier: Apache-2.0 */
/* The pool of huge pages: whose turn it is, how far it grows and shrinks, who may have a page. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "../mm_fixture.h"
#include "mm/gfp.h"
#include "mm/huge/hugetlb.h"

#define POOL_GFP                                                                                   \
	(GFP_HIGHUSER_MOVABLE | __GFP_NOWARN | __GFP_RETRY_MAYFAIL | __GFP_COMP | __GFP_THISNODE)

/* Nodes 0 and 1 have 32 page blocks each, node 2 has CPU 2 and no memory. */
static const struct machine three = {
	.model = MM_SPARSE,
	.memory = {{0, 64 * MiB, 0}, {64 * MiB, 64 * MiB, 1}},
	.cpus = {1, 1, 1},
	.distance = {{10, 20, 30}, {20, 10, 15}, {30, 15, 10}},
	.no_thp = true,
};

static const struct mm_policy by_default = {.home_nid = MM_NO_NODE};

static void must_be(const struct mm *mm, int nid, uint64_t total, uint64_t free, uint64_t surplus)
{
	struct mm_hugetlb_info info;

	mm_hugetlb_info(mm, 0, nid, &info);
	cr_assert(info.total == total && info.free == free && info.surplus == surplus,
		  "node %d: %lu pages, %lu free, %lu surplus; not %lu, %lu, %lu", nid,
		  (unsigned long)info.total, (unsigned long)info.free, (unsigned long)info.surplus,
		  (unsigned long)total, (unsigned long)free, (unsigned long)surplus);
	must_verify(mm, "pool");
}

static uint64_t resize(struct mm *mm, uint64_t count)
{
	return mm_hugetlb_resize(mm, 0, 0, MM_NO_NODE, NULL, count);
}

static struct page *take(struct mm *mm, int cpu, const struct mm_policy *policy, bool reserved)
{
	const struct mm_policy_use use = {.policy = policy};
	struct page *page;

	return mm_hugetlb_alloc(mm, cpu, 0, &use, reserved, &page) ? NULL : page;
}

static void write_sysctl(struct mm *mm, const char *key, const char *value)
{
	struct mm_refusal refusal;

	cr_assert_eq(mm_sysctl(mm, key, value, &refusal), 0, "%s: %s", key, refusal.why);
}

/* The trace of a growing pool has these flags, and the nodes 0 1 0 1 0. */
Test(hugetlb, grows_by_nodes_in_turn)
{
	struct recorder rec = {0};
	struct mm *mm = boot_recorded(&three, &rec);
	size_t seen = 0;

	record_from_here(&rec);
	cr_assert_eq(resize(mm, 5), 5);
	for (size_t i = 0; i < count_records(&rec, REC_EVENT); i++) {
		const struct mm_event *ev = &nth_record(&rec, REC_EVENT, i)->event;

		if (ev->type != MM_EVENT_PAGE_ALLOC)
			continue;
		cr_expect(ev->order == 9 && ev->gfp == POOL_GFP);
		cr_expect_eq(ev->nid, (int)(seen++ % 2));
	}
	cr_expect_eq(seen, 5);
	must_be(mm, 0, 3, 3, 0);
	must_be(mm, 1, 2, 2, 0);
	/* The turn goes on where it was: node 1. */
	resize(mm, 6);
	must_be(mm, 1, 3, 3, 0);
	mm_destroy(mm);
	free(rec.records);
}

Test(hugetlb, shrinks_by_nodes_in_turn)
{
	struct mm *mm = boot(&three);
	uint64_t free = zone_info(mm, 0, 1).free + zone_info(mm, 1, 1).free;

	resize(mm, 6);
	cr_assert_eq(resize(mm, 3), 3);
	must_be(mm, 0, 1, 1, 0);
	must_be(mm, 1, 2, 2, 0);
	cr_assert_eq(resize(mm, 0), 0);
	drain_all(mm);
	cr_expect_eq(zone_info(mm, 0, 1).free + zone_info(mm, 1, 1).free, free);
	must_verify(mm, "empty again");
	mm_destroy(mm);
}

/* More than there is: as many as fit, and a node that is full is passed over. */
Test(hugetlb, as_many_as_fit)
{
	struct mm *mm = boot(&three);
	uint64_t most = resize(mm, 1000);
	struct mm_hugetlb_info all, first, second;

	mm_hugetlb_info(mm, 0, MM_NO_NODE, &all);
	mm_hugetlb_info(mm, 0, 0, &first);
	mm_hugetlb_info(mm, 0, 1, &second);
	cr_expect_eq(all.total, most);
	/* Of 64 page blocks: DMA's are kept from who could have others, and the watermarks. */
	cr_expect(most >= 52 && most < 64, "%lu", (unsigned long)most);
	cr_expect(first.total + second.total == most && first.total > 20 && second.total > 28);
	must_verify(mm, "full");
	cr_expect_null(alloc(mm, 0, 9, POOL_GFP), "there is another");
	mm_destroy(mm);
}

/* Of one node, whatever the other one has. */
Test(hugetlb, of_one_node)
{
	struct mm *mm = boot(&three);

	resize(mm, 4);
	cr_assert_eq(mm_hugetlb_resize(mm, 0, 0, 1, NULL, 7), 9);
	must_be(mm, 0, 2, 2, 0);
	must_be(mm, 1, 7, 7, 0);
	cr_assert_eq(mm_hugetlb_resize(mm, 0, 0, 0, NULL, 0), 7);
	must_be(mm, 0, 0, 0, 0);
	must_be(mm, 1, 7, 7, 0);
	/* A node without memory: nothing. */
	cr_assert_eq(mm_hugetlb_resize(mm, 0, 0, 2, NULL, 3), 7);
	mm_destroy(mm);
}

Test(hugetlb, on_the_nodes_of_a_mask)
{
	const struct mm_nodemask second = {.bits = {2}};
	struct mm *mm = boot(&three);

	cr_assert_eq(mm_hugetlb_resize(mm, 0, 0, MM_NO_NODE, &second, 4), 4);
	must_be(mm, 0, 0, 0, 0);
	must_be(mm, 1, 4, 4, 0);
	mm_destroy(mm);
}

/* CPU 2 has no memory of its own: node 1 is nearest, then node 0. */
Test(hugetlb, taken_in_the_order_of_the_zonelist)
{
	struct mm *mm = boot(&three);
	struct page *pages[4];

	resize(mm, 4);
	for (int i = 0; i < 4; i++) {
		pages[i] = take(mm, 2, &by_default, false);
		cr_assert_not_null(pages[i]);
		cr_expect_eq(mm_page_to_nid(mm, pages[i]), i < 2 ? 1 : 0);
	}
	cr_expect_null(take(mm, 2, &by_default, false));
	must_be(mm, 0, 2, 0, 0);
	cr_expect_eq(mm_hugetlb_free(mm, 2, pages[0]), 0);
	cr_expect_eq(mm_hugetlb_free(mm, 2, pages[0]), -EINVAL, "freed twice");
	must_be(mm, 1, 2, 1, 0);
	mm_destroy(mm);
}

Test(hugetlb, policies)
{
	const struct mm_policy bind = {
		.mode = MM_POLICY_BIND, .home_nid = MM_NO_NODE, .nodes.bits = {2}};
	const struct mm_policy many = {
		.mode = MM_POLICY_PREFERRED_MANY, .home_nid = MM_NO_NODE, .nodes.bits = {2}};
	const struct mm_policy in_turn = {
		.mode = MM_POLICY_INTERLEAVE, .home_nid = MM_NO_NODE, .nodes.bits = {3}};
	struct mm_policy_use use = {.policy = &in_turn, .turn = 1};
	struct mm *mm = boot(&three);
	struct page *page;

	resize(mm, 6);
	cr_assert_eq(mm_hugetlb_alloc(mm, 0, 0, &use, false, &page), 0);
	cr_expect_eq(mm_page_to_nid(mm, page), 1);
	cr_expect_eq(mm_page_to_nid(mm, take(mm, 0, &bind, false)), 1);
	cr_expect_eq(mm_page_to_nid(mm, take(mm, 0, &many, false)), 1);
	cr_expect_null(take(mm, 0, &bind, false), "beyond its nodes");
	cr_expect_eq(mm_page_to_nid(mm, take(mm, 0, &many, false)), 0);
	must_verify(mm, "policies");
	mm_destroy(mm);
}

/* Four pages, three of them promised: one for who has no promise. */
Test(hugetlb, reserved_pages_are_for_who_reserved_them)
{
	struct mm_hugetlb_info info;
	struct mm *mm = boot(&three);

	resize(mm, 4);
	cr_expect_eq(mm_hugetlb_reserve(mm, 0, 0, 5), -ENOMEM);
	cr_assert_eq(mm_hugetlb_reserve(mm, 0, 0, 3), 0);
	cr_expect_not_null(take(mm, 0, &by_default, false));
	cr_expect_null(take(mm, 0, &by_default, false));
	cr_expect_not_null(take(mm, 0, &by_default, true));
	mm_hugetlb_info(mm, 0, MM_NO_NODE, &info);
	cr_expect(info.reserved == 2 && info.free == 2);
	/* Two in use and two promised: none can go, so two are surplus. */
	cr_expect_eq(resize(mm, 2), 2);
	must_be(mm, MM_NO_NODE, 4, 2, 2);
	/* One of them is node 0's, where none is free. */
	mm_hugetlb_unreserve(mm, 0, 0, 2);
	must_be(mm, 0, 2, 0, 1);
	must_be(mm, 1, 1, 1, 0);
	mm_destroy(mm);
}

/* The one page is on node 0; a promise that node 1 keeps with a surplus page is used up as well. */
Test(hugetlb, a_surplus_page_uses_up_a_reservation)
{
	static const struct mm_policy node1 = {
		.mode = MM_POLICY_BIND, .home_nid = MM_NO_NODE, .nodes = {.bits = {2}}};
	struct mm_hugetlb_info info;
	struct mm *mm = boot(&three);
	struct page *page;

	resize(mm, 1);
	must_be(mm, 0, 1, 1, 0);
	write_sysctl(mm, "nr_overcommit_hugepages", "1");
	cr_assert_eq(mm_hugetlb_reserve(mm, 0, 0, 1), 0);
	page = take(mm, 0, &node1, true);
	cr_assert_not_null(page);
	must_be(mm, 1, 1, 0, 1);
	mm_hugetlb_info(mm, 0, MM_NO_NODE, &info);
	cr_expect_eq(info.reserved, 0);
	cr_assert_eq(mm_hugetlb_free(mm, 0, page), 0);
	cr_expect_eq(resize(mm, 0), 0);
	must_be(mm, MM_NO_NODE, 0, 0, 0);
	mm_destroy(mm);
}

Test(hugetlb, surplus_leaves_when_it_is_given_back)
{
	struct page *pages[4];
	struct mm *mm = boot(&three);

	write_sysctl(mm, "nr_hugepages", "2");
	write_sysctl(mm, "nr_overcommit_hugepages", "2");
	for (int i = 0; i < 4; i++)
		cr_assert_not_null(pages[i] = take(mm, 0, &by_default, false));
	cr_expect_null(take(mm, 0, &by_default, false));
	/* CPU 0's node: a page each of nodes 0 and 1, then two surplus ones of node 0. */
	must_be(mm, 0, 3, 0, 2);
	must_be(mm, 1, 1, 0, 0);
	mm_hugetlb_free(mm, 0, pages[1]);
	must_be(mm, 1, 1, 1, 0);
	mm_hugetlb_free(mm, 0, pages[0]);
	must_be(mm, 0, 2, 0, 1);
	/* A larger pool takes surplus pages in before it asks for others. */
	write_sysctl(mm, "nr_hugepages", "3");
	must_be(mm, 0, 2, 0, 0);
	cr_expect_eq(mm_hugetlb_reserve(mm, 0, 0, 3), 0);
	must_be(mm, MM_NO_NODE, 5, 3, 2);
	mm_hugetlb_unreserve(mm, 0, 0, 3);
	must_be(mm, MM_NO_NODE, 3, 1, 0);
	mm_destroy(mm);
}

Test(hugetlb, sysctls)
{
	struct mm_refusal refusal;
	struct mm *mm = boot(&three);
	char text[32];

	write_sysctl(mm, "nr_hugepages", "1000");
	mm_sysctl_text(mm, "nr_hugepages", text, sizeof(text));
	cr_expect_eq(strtoull(text, NULL, 10), resize(mm, 1000), "%s", text);
	write_sysctl(mm, "nr_hugepages_mempolicy", "3");
	must_be(mm, MM_NO_NODE, 3, 3, 0);
	cr_expect_eq(mm_sysctl(mm, "nr_hugepages", "some", &refusal), -EINVAL);
	cr_expect_eq(mm_sysctl(mm, "nr_hugepages", "-1", &refusal), -EINVAL);
	mm_destroy(mm);
}

/* At boot: before anybody counts, and with the figures that boot has computed. */
Test(hugetlb, from_the_command_line)
{
	struct machine m = three;
	struct mm_counters counters;
	struct mm *mm;

	m.hugepages = 5;
	mm = boot(&m);
	mm_counters(mm, &counters);
	must_be(mm, 0, 3, 3, 0);
	must_be(mm, 1, 2, 2, 0);
	cr_expect_eq(counters.allocs, 0);
	cr_expect_eq(zone_info(mm, 0, 1).alloc_pages + zone_info(mm, 1, 1).numa_hit, 0);
	mm_destroy(mm);
	m.hugepages_of[1] = 4;
	m.nodes_with_hugepages = 2;
	mm = boot(&m);
	must_be(mm, 0, 0, 0, 0);
	must_be(mm, 1, 4, 4, 0);
	cr_expect_eq(resize(mm, 0), 0);
	must_be(mm, MM_NO_NODE, 0, 0, 0);
	mm_destroy(mm);
}
