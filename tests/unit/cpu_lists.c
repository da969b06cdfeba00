/* SPDX-License-Identifier: Apache-2.0 */
/* What a trace shows of the state before it: what CPUs' lists held, and of which mobility frames
 * are. */
#include "sim/replay/cpu_lists.h"

#include <criterion/criterion.h>
#include <string.h>

#include "../mm_fixture.h"
#include "sim/replay/held_types.h"

#define LINE(event) "  a-1  [001] .....  1.0: " event "\n"
#define ALLOC(pfn, order, type, gfp)                                                               \
	LINE("mm_page_alloc: page=1 pfn=" #pfn " order=" #order " migratetype=" #type              \
	     " gfp_flags=" gfp)
#define USER(pfn)   ALLOC(pfn, 0, 1, "GFP_HIGHUSER_MOVABLE")
#define KERNEL(pfn) ALLOC(pfn, 0, 0, "GFP_KERNEL")
#define FREE(pfn)   LINE("mm_page_free: page=1 pfn=" #pfn " order=0")
#define FILL(pfn)                                                                                  \
	LINE("mm_page_alloc_zone_locked: page=1 pfn=" #pfn " order=0 migratetype=1 "               \
	     "percpu_refill=1")
#define DRAIN(pfn, type) LINE("mm_page_pcpu_drain: page=1 pfn=" #pfn " order=0 migratetype=" #type)

static struct trace *parse(const char *text)
{
	struct diag diag = DIAG_INIT;
	struct trace *t = NULL;

	cr_assert_eq(trace_parse(text, strlen(text), "text", &diag, &t), 0);
	return t;
}

/* 64 MiB: zone 0 up to frame 0x1000, zone 1 behind it. CPU 1 has 12 pages of zone 1. */
static void walk(const char *text, struct mm_pcp_state pcp[4])
{
	struct mm_zone_state zones[2] = {{.zone = 0, .pcp = pcp}, {.zone = 1, .pcp = pcp + 2}};
	struct captured_state s = {.zones = zones, .nr_zones = 2, .nr_cpus = 2, .pcp = pcp};
	struct mm *mm = boot(&(struct machine){.memory = {{0, 64 * MiB, 0}}, .cpus = {2}});
	struct trace *t = parse(text);

	memset(pcp, 0, 4 * sizeof(*pcp));
	pcp[3].count = 12;
	cr_assert_eq(cpu_lists_at_start(t, mm, &s), 0);
	trace_free(t);
	mm_destroy(mm);
}

static uint64_t known(const struct mm_pcp_state *pcp)
{
	uint64_t pages = 0;

	for (int i = 0; i < NR_PCP_LISTS; i++)
		pages += pcp->least[i];
	return pages;
}

/* Two single pages, one of 4; one more is drained. What was freed in the window does not count. */
Test(cpu_lists, what_leaves_was_there)
{
	struct mm_pcp_state pcp[4];

	walk(USER(0x1001) KERNEL(0x1002) ALLOC(0x1004, 2, 0, "GFP_KERNEL") FREE(0x1010)
		     DRAIN(0x1011, 2) DRAIN(0x1010, 2) USER(0x1010),
	     pcp);
	cr_expect_eq(pcp[3].least[mm_pcp_list(0, MM_MOVABLE)], 1);
	cr_expect_eq(pcp[3].least[mm_pcp_list(0, MM_UNMOVABLE)], 1);
	cr_expect_eq(pcp[3].least[mm_pcp_list(2, MM_UNMOVABLE)], 4);
	cr_expect_eq(pcp[3].least[mm_pcp_list(0, MM_RECLAIMABLE)], 1);
	cr_expect_eq(known(&pcp[3]), 7);
	cr_expect_eq(pcp[3].all_known, 0);
	cr_expect_eq(known(&pcp[0]) + known(&pcp[1]) + known(&pcp[2]), 0);
}

/* A list that is filled was empty: what leaves it later was not there at the start. */
Test(cpu_lists, a_filled_list_is_known)
{
	struct mm_pcp_state pcp[4];

	walk(USER(0x1001) FILL(0x1020) USER(0x1020) USER(0x1002) KERNEL(0x1003), pcp);
	cr_expect_eq(pcp[3].all_known, 1u << mm_pcp_list(0, MM_MOVABLE));
	cr_expect_eq(pcp[3].least[mm_pcp_list(0, MM_MOVABLE)], 1);
	cr_expect_eq(pcp[3].least[mm_pcp_list(0, MM_UNMOVABLE)], 1);
}

/* 8 + 4 pages were there; the capture says that no more were, and none of zone 0. */
Test(cpu_lists, never_more_than_the_count)
{
	struct mm_pcp_state pcp[4];

	walk(FILL(0x1020) ALLOC(0x1008, 3, 0, "GFP_KERNEL") KERNEL(0x10)
		     ALLOC(0x1004, 2, 0, "GFP_KERNEL") KERNEL(0x1001),
	     pcp);
	cr_expect_eq(known(&pcp[3]), 12);
	cr_expect_eq(pcp[3].least[mm_pcp_list(0, MM_UNMOVABLE)], 0);
	cr_expect_eq(known(&pcp[1]), 0);
}

/* Without lines of blocks that move, a page may as well come from the buddy lists. */
Test(cpu_lists, nothing_without_moves)
{
	struct mm_pcp_state pcp[4];

	walk(USER(0x1001) KERNEL(0x1002), pcp);
	cr_expect_eq(known(&pcp[3]), 0);
}

/* A page that was freed and then taken from an unmovable list lies in an unmovable page block. */
Test(held_types, lists_tell_too)
{
	struct trace *t = parse(FREE(0x1010) KERNEL(0x1010) FREE(0x1210) FILL(0x1410));
	struct held_types *h;

	cr_assert_eq(held_types_new(t, 9, &h), 0);
	cr_expect_eq(held_type(h, 0x1011, 0), MM_UNMOVABLE);
	cr_expect_eq(held_type(h, 0x1210, 0), MM_MOVABLE, "single pages mostly are");
	cr_expect_eq(held_type(h, 0x1411, 3), MM_MOVABLE);
	held_types_free(h);
	trace_free(t);
}
