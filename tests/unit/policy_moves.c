/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of a task that move to nodes that the call names: which of them each goes to. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../policy_script.h"

#define MOVE "GFP_HIGHUSER_MOVABLE|__GFP_RETRY_MAYFAIL|__GFP_COMP|__GFP_THISNODE"
#define MOVED                                                                                      \
	"mm_migrate_pages: nr_succeeded=1 nr_failed=0 nr_thp_succeeded=0 nr_thp_failed=0 "         \
	"nr_thp_split=0 mode=MIGRATE_SYNC reason=syscall_or_cpuset"

/* The nodes that pages go to; each list of them that moves is a pass. */
static void expect_targets(const char *marker, const char *call, const int *nodes, unsigned nr)
{
	struct script s = {0};
	struct trace *t;

	RUN(&s, marker);
	RUN(&s, call);
	for (unsigned i = 0; i < nr; i++) {
		alloc_by(&s, "wl-5", ".....", 0x300 + 2 * i, 0, MOVE);
		alloc_by(&s, "wl-5", ".....", 0x301 + 2 * i, 0, MOVE);
		RUN(&s, MOVED);
	}
	t = read_script(&s);
	for (unsigned i = 0; i < 2 * nr; i++) {
		cr_expect_eq(nth(t, i)->flags, TRACE_F_MIGRATE);
		cr_expect_eq(trace_event_nid(nth(t, i)), nodes[i / 2], "%s: list %u to %d", marker,
			     i / 2, trace_event_nid(nth(t, i)));
	}
	trace_free(t);
}

/*
 * migrate_pages(): 0,1 to 2,3 keeps their places, the first one first. 0,1 to 1,2: node 1's pages
 * leave before others come. 0-2 to 2,3: node 2 is in both and stays, so node 1's pages, whose
 * target holds none that could leave, come first.
 */
Test(policy_moves, migrate_pages_goes_node_by_node)
{
	static const char call[] =
		"sys_migrate_pages(pid: 0, maxnode: 41, old_nodes: 7f00, new_nodes: 7f00)";

	expect_targets("tracing_mark_write: numasim: migrate_pages pid=0 from=0,1 to=2,3", call,
		       (int[]){2, 3}, 2);
	expect_targets("tracing_mark_write: numasim: migrate_pages pid=0 from=0-1 to=1-2", call,
		       (int[]){2, 1}, 2);
	expect_targets("tracing_mark_write: numasim: migrate_pages pid=0 from=0-2 to=2-3", call,
		       (int[]){3, 2}, 2);
	expect_targets("tracing_mark_write: numasim: migrate_pages pid=0 from=0 to=3", call,
		       (int[]){3}, 1);
	expect_targets("tracing_mark_write: numasim: migrate_pages pid=0 to=3", call, (int[]){3},
		       1);
}

/* move_pages(): pages in a row that go to one node move together. */
Test(policy_moves, move_pages_goes_page_by_page)
{
	static const char call[] =
		"sys_move_pages(pid: 0, nr_pages: 5, pages: 7f00, nodes: 7f00, status: 7f00)";

	expect_targets("tracing_mark_write: numasim: move_pages pid=0 nodes=1,1,0,0,1", call,
		       (int[]){1, 0, 1}, 3);
	expect_targets("tracing_mark_write: numasim: move_pages pid=0 nodes=2", call, (int[]){2},
		       1);
}
