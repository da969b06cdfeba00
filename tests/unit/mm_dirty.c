/* SPDX-License-Identifier: Apache-2.0 */
/* Who writes files leaves a node that has its share of dirty pages. */
#include <criterion/criterion.h>

#include "../mm_fixture.h"
#include "mm/gfp.h"
#include "mm/reclaim/lru.h"
#include "mm/reclaim/lru_lists.h"
#include "mm/reclaim/vmscan.h"

#define WRITE          (GFP_HIGHUSER_MOVABLE | __GFP_WRITE)
#define MOST_HELD_BACK 125 /* of the counter of dirty pages, by a CPU */

static const struct machine two = {
	.model = MM_SPARSE,
	.memory = {{0, 64 * MiB, 0}, {64 * MiB, 64 * MiB, 1}},
	.cpus = {1, 1},
	.no_thp = true,
	.exact_counts = true,
};

/* Free pages but for what zones keep, and page cache. */
static uint64_t limit(const struct mm *mm, int nid)
{
	const struct mm_node *node = &mm->nodes[nid];
	uint64_t pages = mm_node_lru(mm, node, MM_LRU_INACTIVE_FILE, MM_MAX_ZONES) +
			 mm_node_lru(mm, node, MM_LRU_ACTIVE_FILE, MM_MAX_ZONES);

	for (int z = 0; z < mm->arch->nr_zones; z++) {
		const struct mm_zone *zone = &node->zones[z];
		uint64_t reserve = 0;

		for (int j = z; j < mm->arch->nr_zones; j++)
			reserve = zone->lowmem_reserve[j] > reserve ? zone->lowmem_reserve[j]
								    : reserve;
		pages += zone->nr_free - (zone->managed ? reserve + zone->wmark[2] : 0);
	}
	return pages * mm->params.dirty_ratio / 100;
}

static int write_page(struct mm *mm)
{
	struct page *page = alloc(mm, 0, 0, WRITE);

	cr_assert_not_null(page);
	cr_assert_eq(mm_lru_add(mm, 0, page, MM_PAGE_FILE), 0);
	mm_lru_drain(mm, 0);
	mm_page_dirty(mm, 0, page);
	return mm_page_to_nid(mm, page);
}

/* Node 0 to its limit, then node 1 to its own; then both have too much, and the nearer one is it.
 */
Test(dirty, writers_spread_once_a_node_has_its_share)
{
	struct mm *mm = boot(&two);
	uint64_t nr[2] = {0}, most;
	int nid = 0;

	while ((nid = write_page(mm)) == 0)
		nr[0]++;
	most = limit(mm, 0);
	cr_expect(nr[0] > most && nr[0] <= most + MOST_HELD_BACK, "%lu of %lu", nr[0], most);
	cr_expect_not(mm_node_dirty_ok(mm, &mm->nodes[0]));
	cr_expect_eq(mm_page_to_nid(mm, alloc(mm, 0, 0, GFP_HIGHUSER_MOVABLE)), 0, "no writer");
	for (nr[1] = 1; (nid = write_page(mm)) == 1;)
		nr[1]++;
	most = limit(mm, 1);
	cr_expect(nr[1] > most && nr[1] <= most + MOST_HELD_BACK, "%lu of %lu", nr[1], most);
	cr_expect_eq(nid, 0);
	cr_expect_eq(write_page(mm), 0);
	must_verify(mm, "written");

	cr_assert_eq(mm_sysctl(mm, "dirty_ratio", "100", NULL), 0);
	cr_expect(mm_node_dirty_ok(mm, &mm->nodes[0]));
	mm_destroy(mm);
}
