/* SPDX-License-Identifier: Apache-2.0 */
/* Which policy the allocations of a trace follow, from its lines alone. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../policy_script.h"

#define USER   "GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO"
#define CACHE  "GFP_HIGHUSER_MOVABLE|__GFP_COMP"
#define KERNEL "GFP_KERNEL_ACCOUNT|__GFP_ZERO"
#define HUGE   "GFP_TRANSHUGE_LIGHT"

static unsigned next_pfn = 0x1000;

static void fault(struct script *s, const char *task, unsigned long address)
{
	char event[100];

	sprintf(event, "page_fault_user: address=0x%lx ip=0x401000 error_code=0x6", address);
	line(s, task, "d....", event);
	alloc_by(s, task, ".....", next_pfn++, 0, USER);
}

static void kernel(struct script *s, const char *task)
{
	alloc_by(s, task, ".....", next_pfn++, 0, KERNEL);
}

static void follows(const struct trace *t, unsigned i, enum mm_policy_mode mode, uint64_t nodes,
		    uint32_t turn)
{
	const struct trace_event *ev = nth(t, i);
	const struct trace_policy *p = &t->policies[ev->policy];

	cr_expect_eq(p->mm.mode, mode, "allocation %u follows %s, expected %s", i,
		     mm_policy_mode_name(p->mm.mode), mm_policy_mode_name(mode));
	cr_expect_eq(p->mm.nodes.bits[0], nodes, "allocation %u: nodes 0x%lx", i,
		     (unsigned long)p->mm.nodes.bits[0]);
	cr_expect_eq(trace_event_turn(ev), turn, "allocation %u: turn %u, expected %u", i,
		     trace_event_turn(ev), turn);
}

static void set_task(struct script *s, const char *task, const char *mode, const char *nodes,
		     unsigned number, const char *result)
{
	char event[200];

	sprintf(event, "tracing_mark_write: numasim: set_mempolicy mode=%s nodes=%s flags=0", mode,
		nodes);
	line(s, task, ".....", event);
	sprintf(event, "sys_set_mempolicy(mode: %x, nmask: 7f00, maxnode: 440)", number);
	line(s, task, "...1.", event);
	sprintf(event, "sys_set_mempolicy -> %s", result);
	line(s, task, "...1.", event);
}

static void bind_range(struct script *s, unsigned long start, unsigned long len, const char *mode,
		       const char *nodes, unsigned number, unsigned flags)
{
	char event[200];

	sprintf(event, "tracing_mark_write: numasim: mbind start=0x%lx len=%lu mode=%s nodes=%s",
		start, len, mode, nodes);
	RUN(s, event);
	sprintf(event,
		"sys_mbind(start: %lx, len: %lx, mode: %x, nmask: 7f00, maxnode: 440, "
		"flags: %x)",
		start, len, number, flags);
	RUN(s, event);
}

static void call(struct script *s, const char *enter, const char *leave)
{
	RUN(s, enter);
	RUN(s, leave);
}

/* An allocation inside the call, and after one that failed, follows what was in force. */
Test(policy_tasks, a_call_counts_from_its_return_if_it_succeeded)
{
	struct script s = {0};
	struct trace *t;

	kernel(&s, "wl-5");
	RUN(&s, "tracing_mark_write: numasim: set_mempolicy mode=MPOL_BIND nodes=0,2-3 flags=0");
	RUN(&s, "sys_set_mempolicy(mode: 2, nmask: 7f00, maxnode: 440)");
	kernel(&s, "wl-5");
	RUN(&s, "sys_set_mempolicy -> 0x0");
	kernel(&s, "wl-5");
	set_task(&s, "wl-5", "MPOL_BIND", "7", 2, "0xffffffffffffffea");
	kernel(&s, "wl-5");
	set_task(&s, "wl-5", "MPOL_LOCAL", "", 4, "0x0");
	kernel(&s, "wl-5");
	set_task(&s, "wl-5", "MPOL_DEFAULT", "", 0, "0x0");
	kernel(&s, "wl-5");
	t = read_script(&s);
	follows(t, 0, MM_POLICY_DEFAULT, 0, 0);
	follows(t, 1, MM_POLICY_DEFAULT, 0, 0);
	follows(t, 2, MM_POLICY_BIND, 1 << 0 | 1 << 2 | 1 << 3, 0);
	follows(t, 3, MM_POLICY_BIND, 1 << 0 | 1 << 2 | 1 << 3, 0);
	follows(t, 4, MM_POLICY_LOCAL, 0, 0);
	follows(t, 5, MM_POLICY_DEFAULT, 0, 0);
	cr_expect_eq(t->unknown_policies, 0);
	cr_expect_eq(t->nr_policies, 3);
	trace_free(t);
}

/* Interrupts and other tasks on the same CPU have nothing to do with it. */
Test(policy_tasks, a_policy_is_its_tasks)
{
	struct script s = {0};
	struct trace *t;

	set_task(&s, "wl-5", "MPOL_INTERLEAVE", "0-1", 3, "0x0");
	alloc_by(&s, "wl-5", "..s1.", next_pfn++, 0, "GFP_ATOMIC");
	alloc_by(&s, "wl-5", "b..1.", next_pfn++, 0, "GFP_ATOMIC");
	alloc_by(&s, "wl-5", "d.h1.", next_pfn++, 0, "GFP_ATOMIC");
	kernel(&s, "kworker/0:1-17");
	kernel(&s, "<idle>-0");
	alloc_by(&s, "wl-5", "d..1.", next_pfn++, 0, "GFP_NOWAIT"); /* irqs off: still the task */
	alloc_by(&s, "wl-5", ".....", next_pfn++, 0, KERNEL "|__GFP_THISNODE");
	kernel(&s, "wl-5");
	t = read_script(&s);
	for (unsigned i = 0; i < 5; i++)
		follows(t, i, MM_POLICY_DEFAULT, 0, 0);
	follows(t, 5, MM_POLICY_INTERLEAVE, 3, 0);
	follows(t, 6, MM_POLICY_DEFAULT, 0, 0);
	follows(t, 7, MM_POLICY_INTERLEAVE, 3, 1);
	trace_free(t);
}

/*
 * In a fault the range's policy goes before the task's, and the turn is the address's, here in
 * pages 0x7f000 + 1 and in 2 MiB pages 0x7f000 / 512 = 0x3f8. Page tables, and pages of a file,
 * take the turns of the task.
 */
Test(policy_tasks, faults_go_by_address_and_all_else_by_the_counter)
{
	struct script s = {0};
	struct trace *t;

	set_task(&s, "wl-5", "MPOL_INTERLEAVE", "0-2", 3, "0x0");
	fault(&s, "wl-5", 0x7f001008);
	bind_range(&s, 0x7f000000, 0x800000, "MPOL_PREFERRED", "1", 1, 0);
	RUN(&s, "sys_mbind -> 0x0");
	RUN(&s, "page_fault_user: address=0x7f003000 ip=0x401000 error_code=0x6");
	kernel(&s, "wl-5");
	alloc_by(&s, "wl-5", ".....", next_pfn++, 0, USER);
	alloc_by(&s, "wl-5", ".....", next_pfn++, 0, CACHE); /* no longer the fault's */
	bind_range(&s, 0x7f000000, 0x800000, "MPOL_INTERLEAVE", "1-2", 3, 0);
	RUN(&s, "sys_mbind -> 0x0");
	RUN(&s, "page_fault_user: address=0x7f1ff000 ip=0x401000 error_code=0x6");
	alloc_by(&s, "wl-5", ".....", 0x2000, 9, HUGE);
	RUN(&s, "page_fault_user: address=0x7f400000 ip=0x401000 error_code=0x4");
	alloc_by(&s, "wl-5", ".....", next_pfn++, 0, CACHE); /* a read: of a file */
	RUN(&s, "page_fault_kernel: address=0x7f401000 ip=copy_user error_code=0x2");
	alloc_by(&s, "wl-5", ".....", next_pfn++, 0, USER);
	t = read_script(&s);
	follows(t, 0, MM_POLICY_INTERLEAVE, 7, 0x7f001);
	follows(t, 1, MM_POLICY_INTERLEAVE, 7, 0);
	follows(t, 2, MM_POLICY_PREFERRED, 1 << 1, 0);
	follows(t, 3, MM_POLICY_INTERLEAVE, 7, 1);
	follows(t, 4, MM_POLICY_INTERLEAVE, 6, 0x3f8);
	follows(t, 5, MM_POLICY_INTERLEAVE, 7, 2);
	follows(t, 6, MM_POLICY_INTERLEAVE, 6, 0x7f401);
	cr_expect_eq(t->policies[nth(t, 0)->policy].scope, TRACE_POLICY_TASK);
	cr_expect_eq(t->policies[nth(t, 2)->policy].scope, TRACE_POLICY_RANGE);
	trace_free(t);
}

/*
 * The child has the policy, the ranges, and the counter as it was when the parent's descriptor was
 * copied: behind a slab for the new one, before the page tables that the parent takes for it.
 */
Test(policy_tasks, a_child_inherits)
{
	struct script s = {0};
	struct trace *t;

	set_task(&s, "wl-5", "MPOL_INTERLEAVE", "0-1", 3, "0x0");
	kernel(&s, "wl-5"); /* turn 0 */
	bind_range(&s, 0x7f000000, 0x1000, "MPOL_BIND", "1", 2, 0);
	RUN(&s, "sys_mbind -> 0x0");
	RUN(&s, "sys_clone(clone_flags: 1200011, newsp: 0, parent_tidptr: 0)");
	alloc_by(&s, "wl-5", ".....", 0x3000, 3,
		 "__GFP_IO|__GFP_FS|__GFP_NOWARN|__GFP_NORETRY|__GFP_COMP|__GFP_NOMEMALLOC");
	kernel(&s, "wl-5");
	kernel(&s, "wl-5");
	RUN(&s, "sched_process_fork: comm=wl pid=5 child_comm=wl child_pid=6");
	RUN(&s, "sys_clone -> 0x6");
	kernel(&s, "wl-6");
	line(&s, "wl-6", "...1.", "sys_clone -> 0x0");
	fault(&s, "wl-6", 0x7f000000);
	kernel(&s, "wl-5");
	bind_range(&s, 0x7f000000, 0x1000, "MPOL_DEFAULT", "", 0, 0);
	RUN(&s, "sys_mbind -> 0x0");
	fault(&s, "wl-6", 0x7f000000);
	fault(&s, "wl-5", 0x7f000000);
	t = read_script(&s);
	for (unsigned i = 0; i < 4; i++)
		follows(t, i, MM_POLICY_INTERLEAVE, 3, i);
	follows(t, 4, MM_POLICY_INTERLEAVE, 3, 2);
	follows(t, 5, MM_POLICY_BIND, 2, 0);
	follows(t, 6, MM_POLICY_INTERLEAVE, 3, 4);
	follows(t, 7, MM_POLICY_BIND, 2, 0);
	follows(t, 8, MM_POLICY_INTERLEAVE, 3, 0x7f000);
	trace_free(t);
}

Test(policy_tasks, a_thread_shares_the_ranges)
{
	struct script s = {0};
	struct trace *t;

	RUN(&s, "sys_clone(clone_flags: 3d0f00, newsp: 7f00, parent_tidptr: 0)");
	RUN(&s, "sched_process_fork: comm=wl pid=5 child_comm=wl child_pid=6");
	RUN(&s, "sys_clone -> 0x6");
	bind_range(&s, 0x7f000000, 0x1000, "MPOL_BIND", "1", 2, 0);
	RUN(&s, "sys_mbind -> 0x0");
	fault(&s, "wl-6", 0x7f000000);
	line(&s, "wl-6", ".....", "sched_process_exit: comm=wl pid=6 prio=120");
	fault(&s, "wl-5", 0x7f000000);
	t = read_script(&s);
	follows(t, 0, MM_POLICY_BIND, 2, 0);
	follows(t, 1, MM_POLICY_BIND, 2, 0);
	trace_free(t);
}

/* The first pages of the new stack are those below 0x7ffffffff000, whatever it moves to later. */
Test(policy_tasks, exec_keeps_the_tasks_policy_and_no_range)
{
	struct script s = {0};
	struct trace *t;

	fault(&s, "wl-5", 0x7fff00000000);
	set_task(&s, "wl-5", "MPOL_INTERLEAVE", "0-1", 3, "0x0");
	bind_range(&s, 0x400000, 0x1000, "MPOL_BIND", "1", 2, 0);
	RUN(&s, "sys_mbind -> 0x0");
	RUN(&s, "sys_execve(filename: 7f00, argv: 7f00, envp: 7f00)");
	alloc_by(&s, "wl-5", ".....", next_pfn++, 0, USER);
	RUN(&s, "sys_execve -> 0xfffffffffffffffe"); /* no such file */
	fault(&s, "wl-5", 0x400000);
	RUN(&s, "sys_execve(filename: 7f00, argv: 7f00, envp: 7f00)");
	alloc_by(&s, "wl-5", ".....", next_pfn++, 0, USER);
	alloc_by(&s, "wl-5", ".....", next_pfn++, 0, USER);
	RUN(&s, "sched_process_exec: filename=/bin/wl pid=5 old_pid=5");
	RUN(&s, "sys_execve -> 0x0");
	fault(&s, "wl-5", 0x400000);
	t = read_script(&s);
	follows(t, 1, MM_POLICY_INTERLEAVE, 3, 0xfffffffe);
	follows(t, 2, MM_POLICY_BIND, 2, 0);
	follows(t, 3, MM_POLICY_INTERLEAVE, 3, 0xfffffffe);
	follows(t, 4, MM_POLICY_INTERLEAVE, 3, 0xfffffffd);
	follows(t, 5, MM_POLICY_INTERLEAVE, 3, 0x400);
	trace_free(t);
}

Test(policy_tasks, ranges_come_go_and_move)
{
	struct script s = {0};
	struct trace *t;

	set_task(&s, "wl-5", "MPOL_INTERLEAVE", "0-1", 3, "0x0");
	call(&s, "sys_mmap(addr: 0, len: 4000, prot: 3, flags: 22, fd: ffffffff, off: 0)",
	     "sys_mmap -> 0x7f001000");
	bind_range(&s, 0x7f001000, 0x2000, "MPOL_INTERLEAVE", "1-2", 3, 0);
	RUN(&s, "sys_mbind -> 0x0");
	fault(&s, "wl-5", 0x7f002000);
	call(&s, "sys_mremap(addr: 7f001000, old_len: 2000, new_len: 3000, flags: 1, new_addr: 0)",
	     "sys_mremap -> 0x7f100000");
	fault(&s, "wl-5", 0x7f102000); /* the third page of what began at page 0x7f001 */
	fault(&s, "wl-5", 0x7f002000); /* gone from here */
	call(&s, "sys_munmap(addr: 7f100000, len: 3000)", "sys_munmap -> 0x0");
	fault(&s, "wl-5", 0x7f101000);
	/* Private pages of a file count from their place in the file. */
	call(&s, "sys_mmap(addr: 0, len: 4000, prot: 3, flags: 2, fd: 3, off: 9000)",
	     "sys_mmap -> 0x7f200000");
	fault(&s, "wl-5", 0x7f201000);
	call(&s, "sys_brk(brk: 0)", "sys_brk -> 0x800000");
	bind_range(&s, 0x800000, 0x1000, "MPOL_BIND", "1", 2, 0);
	RUN(&s, "sys_mbind -> 0x0");
	call(&s, "sys_brk(brk: 7ff000)", "sys_brk -> 0x7ff000");
	call(&s, "sys_brk(brk: 802000)", "sys_brk -> 0x802000");
	fault(&s, "wl-5", 0x801000);
	t = read_script(&s);
	follows(t, 0, MM_POLICY_INTERLEAVE, 6, 0x7f002);
	follows(t, 1, MM_POLICY_INTERLEAVE, 6, 0x7f003);
	follows(t, 2, MM_POLICY_INTERLEAVE, 3, 0x7f002);
	follows(t, 3, MM_POLICY_INTERLEAVE, 3, 0x7f101);
	follows(t, 4, MM_POLICY_INTERLEAVE, 3, 10);
	follows(t, 5, MM_POLICY_INTERLEAVE, 3, 0x801);
	trace_free(t);
}

/* Of the ranges in between only those with bind or preferred_many have a home. */
Test(policy_tasks, a_home_node_is_for_ranges_that_bind)
{
	struct script s = {0};
	struct trace *t;

	bind_range(&s, 0x7f000000, 0x1000, "MPOL_BIND", "0-1", 2, 0);
	RUN(&s, "sys_mbind -> 0x0");
	bind_range(&s, 0x7f001000, 0x1000, "MPOL_PREFERRED", "1", 1, 0);
	RUN(&s, "sys_mbind -> 0x0");
	call(&s, "sys_set_mempolicy_home_node(start: 7f000000, len: 3000, home_node: 1, flags: 0)",
	     "sys_set_mempolicy_home_node -> 0x0");
	fault(&s, "wl-5", 0x7f000000);
	fault(&s, "wl-5", 0x7f001000);
	fault(&s, "wl-5", 0x7f002000);
	t = read_script(&s);
	follows(t, 0, MM_POLICY_BIND, 3, 0);
	cr_expect_eq(t->policies[nth(t, 0)->policy].mm.home_nid, 1);
	follows(t, 1, MM_POLICY_PREFERRED, 2, 0);
	cr_expect_eq(t->policies[nth(t, 1)->policy].mm.home_nid, MM_NO_NODE);
	follows(t, 2, MM_POLICY_DEFAULT, 0, 0);
	trace_free(t);
}

Test(policy_tasks, preferred_many_asks_all_nodes_next)
{
	struct script s = {0};
	struct trace *t;

	set_task(&s, "wl-5", "MPOL_PREFERRED_MANY", "1", 5, "0x0");
	RUN(&s, "page_fault_user: address=0x7f001000 ip=0x401000 error_code=0x6");
	RUN(&s, "mm_page_alloc: page=(null) pfn=0x0 order=0 migratetype=1 gfp_flags=GFP_NOWAIT|"
		"__GFP_HIGHMEM|__GFP_IO|__GFP_FS|__GFP_NOWARN|__GFP_ZERO|__GFP_HARDWALL|"
		"__GFP_MOVABLE");
	alloc_by(&s, "wl-5", ".....", next_pfn++, 0, USER);
	kernel(&s, "wl-5");
	t = read_script(&s);
	follows(t, 0, MM_POLICY_PREFERRED_MANY, 2, 0);
	follows(t, 1, MM_POLICY_LOCAL, 0, 0);
	follows(t, 2, MM_POLICY_PREFERRED_MANY, 2, 0);
	trace_free(t);
}

Test(policy_tasks, populating_goes_page_by_page)
{
	struct script s = {0};
	struct trace *t;

	set_task(&s, "wl-5", "MPOL_INTERLEAVE", "0-1", 3, "0x0");
	RUN(&s, "sys_mmap(addr: 0, len: 3000, prot: 3, flags: 8022, fd: ffffffff, off: 0)");
	for (int i = 0; i < 3; i++)
		alloc_by(&s, "wl-5", ".....", next_pfn++, 0, USER);
	RUN(&s, "sys_mmap -> 0x7f005000");
	bind_range(&s, 0x7f009000, 0x1000, "MPOL_BIND", "1", 2, 0);
	RUN(&s, "sys_mbind -> 0x0");
	RUN(&s, "sys_madvise(start: 7f008000, len_in: 3000, behavior: 17)");
	for (int i = 0; i < 3; i++)
		alloc_by(&s, "wl-5", ".....", next_pfn++, 0, USER);
	RUN(&s, "sys_madvise -> 0x0");
	t = read_script(&s);
	for (unsigned i = 0; i < 4; i++)
		follows(t, i, MM_POLICY_INTERLEAVE, 3, 0x7f005 + i);
	follows(t, 4, MM_POLICY_BIND, 2, 0);
	follows(t, 5, MM_POLICY_INTERLEAVE, 3, 0x7f00a);
	trace_free(t);
}

#define MOVE "GFP_HIGHUSER_MOVABLE|__GFP_RETRY_MAYFAIL|__GFP_COMP"

/*
 * mbind() moves the second and third page, whose turns the new ones have: the frames that are
 * freed tell. One that cannot move is given back. move_pages() says the node.
 */
Test(policy_tasks, pages_move_with_their_turns)
{
	struct script s = {0};
	struct trace *t;

	for (unsigned i = 0; i < 3; i++) {
		RUN(&s, "page_fault_user: address=0x7f000000 ip=0x401000 error_code=0x6");
		s.text[s.len - strlen("000 ip=0x401000 error_code=0x6\n") - 1] = (char)('0' + i);
		alloc_by(&s, "wl-5", ".....", 0x100 + i, 0, USER);
	}
	bind_range(&s, 0x7f000000, 0x3000, "MPOL_INTERLEAVE", "1-2", 3, 2);
	alloc_by(&s, "wl-5", ".....", 0x200, 0, MOVE);
	RUN(&s, "mm_page_free: page=1 pfn=0x200 order=0");
	alloc_by(&s, "wl-5", ".....", 0x201, 0, MOVE);
	alloc_by(&s, "wl-5", ".....", 0x202, 0, MOVE);
	RUN(&s, "mm_page_free: page=1 pfn=0x101 order=0");
	RUN(&s, "mm_page_free: page=1 pfn=0x102 order=0");
	RUN(&s, "sys_mbind -> 0x0");
	RUN(&s, "tracing_mark_write: numasim: move_pages pid=0 count=1 nodes=3 flags=2");
	RUN(&s, "sys_move_pages(pid: 0, nr_pages: 1, pages: 7f00, nodes: 7f00, status: 7f00)");
	alloc_by(&s, "wl-5", ".....", 0x203, 0, MOVE "|__GFP_THISNODE");
	RUN(&s, "sys_move_pages -> 0x0");
	t = read_script(&s);
	for (unsigned i = 0; i < 3; i++) {
		follows(t, i, MM_POLICY_DEFAULT, 0, 0);
		cr_expect_eq(nth(t, i)->flags, 0);
		cr_expect_eq(nth(t, 3 + i)->flags, TRACE_F_MIGRATE);
	}
	follows(t, 4, MM_POLICY_INTERLEAVE, 6, 0x7f001);
	follows(t, 5, MM_POLICY_INTERLEAVE, 6, 0x7f002);
	cr_expect_eq(nth(t, 6)->flags, TRACE_F_MIGRATE);
	cr_expect_eq(trace_event_nid(nth(t, 6)), 3);
	trace_free(t);
}

/* Where the trace has no system calls, a marker counts from the task's next line. */
Test(policy_tasks, markers_alone_will_do)
{
	struct script s = {0};
	struct trace *t;

	RUN(&s, "tracing_mark_write: numasim: set_mempolicy mode=MPOL_BIND|MPOL_F_RELATIVE_NODES "
		"nodes=1 flags=0");
	kernel(&s, "wl-5");
	RUN(&s, "tracing_mark_write: numasim: mbind start=0x7f000000 len=4096 "
		"mode=MPOL_INTERLEAVE nodes=0-1 flags=0");
	fault(&s, "wl-5", 0x7f000000);
	t = read_script(&s);
	follows(t, 0, MM_POLICY_BIND, 2, 0);
	cr_expect(t->policies[nth(t, 0)->policy].mm.relative);
	follows(t, 1, MM_POLICY_INTERLEAVE, 3, 0x7f000);
	trace_free(t);
}

/* A pointer is no mask: the call is counted, and nothing is made up. */
Test(policy_tasks, masks_that_no_marker_tells_are_unknown)
{
	struct script s = {0};
	struct trace *t;

	call(&s, "sys_set_mempolicy(mode: 3, nmask: 7f00, maxnode: 440)",
	     "sys_set_mempolicy -> 0x0");
	kernel(&s, "wl-5");
	call(&s, "sys_set_mempolicy(mode: 1, nmask: 0, maxnode: 0)", "sys_set_mempolicy -> 0x0");
	kernel(&s, "wl-5");
	t = read_script(&s);
	follows(t, 0, MM_POLICY_DEFAULT, 0, 0);
	follows(t, 1, MM_POLICY_LOCAL, 0, 0); /* preferred without nodes is local */
	cr_expect_eq(t->unknown_policies, 1);
	trace_free(t);
}

/* The same call as trace-cmd and perf write it. */
Test(policy_tasks, calls_of_other_tools_are_known)
{
	struct script s = {0};
	struct trace *t;

	RUN(&s, "print: tracing_mark_write: numasim: mbind start=0x7f000000 len=4096 "
		"mode=MPOL_BIND nodes=1 flags=0");
	RUN(&s, "sys_enter_mbind: start: 0x7f000000, len: 0x00001000, mode: 0x00000002, nmask: "
		"0x7f00, maxnode: 0x400, flags: 0x00000000");
	RUN(&s, "syscalls:sys_exit_mbind: 0x0");
	RUN(&s, "exceptions:page_fault_user: address=0x7f000000 ip=0x401000 error_code=0x6");
	alloc_by(&s, "wl-5", ".....", next_pfn++, 0, USER);
	t = read_script(&s);
	follows(t, 0, MM_POLICY_BIND, 2, 0);
	cr_expect_eq(t->skipped[TRACE_SKIP_TASK], 4);
	trace_free(t);
}

Test(policy_tasks, reclaim_is_told_from_other_frees)
{
	struct script s = {0};
	struct trace *t;

	for (unsigned i = 0; i < 5; i++)
		alloc_by(&s, "wl-5", ".....", 0x100 + i, 0, USER);
	RUN(&s, "mm_page_free: page=1 pfn=0x100 order=0");
	line(&s, "kswapd0-31", ".....", "mm_page_free: page=1 pfn=0x101 order=0");
	line(&s, "kcompactd0-32", ".....", "mm_page_free: page=1 pfn=0x102 order=0");
	RUN(&s, "mm_vmscan_direct_reclaim_begin: order=0 gfp_flags=GFP_KERNEL");
	RUN(&s, "mm_page_free: page=1 pfn=0x103 order=0");
	RUN(&s, "mm_vmscan_direct_reclaim_end: nr_reclaimed=1");
	RUN(&s, "mm_page_free: page=1 pfn=0x104 order=0");
	t = read_script(&s);
	cr_expect_eq(t->events[5].flags, 0);
	cr_expect_eq(t->events[6].flags, TRACE_F_RECLAIM | TRACE_F_KSWAPD);
	cr_expect_eq(t->events[7].flags, TRACE_F_INFERRED | TRACE_F_MIGRATE, "where it moves");
	cr_expect_eq(t->events[8].flags, TRACE_F_RECLAIM);
	cr_expect_eq(t->events[9].flags, TRACE_F_RECLAIM);
	cr_expect_eq(t->events[10].flags, 0);
	trace_free(t);
}

/* Memory that is needed to free memory: kcompactd's is not. */
Test(policy_tasks, who_reclaims_is_told_from_others_who_allocate)
{
	struct script s = {0};
	struct trace *t;

	alloc_by(&s, "kswapd0-31", ".....", 0x100, 0, USER);
	alloc_by(&s, "kcompactd0-32", ".....", 0x101, 0, USER);
	RUN(&s, "mm_vmscan_direct_reclaim_begin: order=0 gfp_flags=GFP_KERNEL");
	alloc_by(&s, "wl-5", ".....", 0x102, 0, USER);
	alloc_by(&s, "wl-5", "..s1.", 0x103, 0, USER);
	RUN(&s, "mm_vmscan_direct_reclaim_end: nr_reclaimed=1");
	alloc_by(&s, "wl-5", ".....", 0x104, 0, USER);
	t = read_script(&s);
	cr_expect_eq(t->events[0].flags, TRACE_F_RECLAIM | TRACE_F_KSWAPD);
	cr_expect_eq(t->events[1].flags, 0);
	cr_expect_eq(t->events[2].flags, TRACE_F_RECLAIM);
	cr_expect_eq(t->events[3].flags, 0, "an interrupt only borrows the task");
	cr_expect_eq(t->events[4].flags, 0);
	trace_free(t);
}

/*
 * Who compacts for a block that he wants may use the reserves, as in reclaim, and what he frees
 * then has moved. Who writes to compact_memory, or has got his block, does not do it for himself.
 */
Test(policy_tasks, who_compacts_is_told_from_others_who_allocate)
{
	struct script s = {0};
	struct trace *t;

	alloc_by(&s, "wl-5", ".....", 0x100, 0, USER);
	RUN(&s, "mm_compaction_try_to_compact_pages: order=9 gfp_mask=GFP_TRANSHUGE prio=1");
	alloc_by(&s, "wl-5", "..s1.", 0x101, 0, USER);
	RUN(&s,
	    "mm_compaction_begin: zone_start=0x1 migrate_pfn=0x1 free_pfn=0xe00 zone_end=0x1000, "
	    "mode=async");
	alloc_by(&s, "wl-5", ".....", 0x102, 0, USER);
	alloc_by(&s, "sh-7", ".....", 0x103, 0, USER);
	RUN(&s, "mm_page_free: page=1 pfn=0x100 order=0");
	RUN(&s,
	    "mm_compaction_end: zone_start=0x1 migrate_pfn=0x200 free_pfn=0x200 zone_end=0x1000, "
	    "mode=async status=complete");
	alloc_by(&s, "wl-5", ".....", 0x104, 0, USER);
	RUN(&s,
	    "mm_compaction_begin: zone_start=0x1 migrate_pfn=0x1 free_pfn=0xe00 zone_end=0x1000, "
	    "mode=sync");
	alloc_by(&s, "wl-5", ".....", 0x105, 0, USER);
	t = read_script(&s);
	cr_assert_eq(t->nr_events, 8);
	cr_expect_eq(t->events[0].flags, 0);
	cr_expect_eq(t->events[1].flags, 0, "an interrupt only borrows the task");
	cr_expect_eq(t->events[2].flags, TRACE_F_RECLAIM);
	cr_expect_eq(t->events[3].flags, 0, "somebody else's");
	cr_expect_eq(t->events[4].flags, TRACE_F_INFERRED | TRACE_F_MIGRATE, "where it moves");
	cr_expect_eq(t->events[5].op, TRACE_FREE);
	cr_expect_eq(t->events[5].flags, TRACE_F_RECLAIM);
	cr_expect_eq(t->events[6].flags, 0, "the block that it was for");
	cr_expect_eq(t->events[7].flags, 0, "for nobody's request");
	trace_free(t);
}

/* A pool grows on all nodes in turn, also over one that had none; in a fault it is no pool's. */
Test(policy_tasks, pools_of_huge_pages_grow_on_all_nodes)
{
	static const char gfp[] = "GFP_HIGHUSER_MOVABLE|__GFP_NOWARN|__GFP_RETRY_MAYFAIL|"
				  "__GFP_COMP|__GFP_THISNODE";
	struct script s = {0};
	struct trace *t;

	set_task(&s, "wl-5", "MPOL_BIND", "0", 2, "0x0");
	alloc_by(&s, "wl-5", ".....", 0x2000, 9, gfp);
	RUN(&s, "mm_page_alloc: page=(null) pfn=0x0 order=9 migratetype=1 gfp_flags="
		"GFP_HIGHUSER_MOVABLE|__GFP_NOWARN|__GFP_COMP|__GFP_THISNODE");
	alloc_by(&s, "sh-7", ".....", 0x2200, 9, gfp);
	RUN(&s, "page_fault_user: address=0x7f400000 ip=0x401000 error_code=0x6");
	alloc_by(&s, "wl-5", ".....", 0x2400, 9, HUGE "|__GFP_NORETRY|__GFP_THISNODE");
	t = read_script(&s);
	for (unsigned i = 0; i < 3; i++) {
		follows(t, i, MM_POLICY_INTERLEAVE, UINT64_MAX, i);
		cr_expect_eq(t->policies[nth(t, i)->policy].scope, TRACE_POLICY_POOL);
	}
	follows(t, 3, MM_POLICY_BIND, 1, 0);
	trace_free(t);
}

/* Reads of anonymous memory find it in swap, and what lies there beside it. */
Test(policy_tasks, pages_from_swap_are_the_ranges)
{
	struct script s = {0};
	struct trace *t;

	set_task(&s, "wl-5", "MPOL_INTERLEAVE", "0-1", 3, "0x0");
	call(&s, "sys_mmap(addr: 0, len: 4000, prot: 3, flags: 22, fd: ffffffff, off: 0)",
	     "sys_mmap -> 0x7f001000");
	RUN(&s, "page_fault_user: address=0x7f003000 ip=0x401000 error_code=0x4");
	alloc_by(&s, "wl-5", ".....", next_pfn++, 0, CACHE);
	alloc_by(&s, "wl-5", ".....", next_pfn++, 0, CACHE);
	t = read_script(&s);
	follows(t, 0, MM_POLICY_INTERLEAVE, 3, 0x7f003);
	follows(t, 1, MM_POLICY_INTERLEAVE, 3, 0x7f003);
	trace_free(t);
}

/* A huge page that moves is not that of the fault in which the kernel read the call's mask. */
Test(policy_tasks, calls_that_move_pages_may_fault)
{
	struct script s = {0};
	struct trace *t;

	bind_range(&s, 0x7f000000, 0x200000, "MPOL_BIND", "1", 2, 2);
	RUN(&s, "page_fault_kernel: address=0x7e000000 ip=copy_user error_code=0x0");
	alloc_by(&s, "wl-5", ".....", 0x2000, 9, HUGE "|__GFP_NORETRY|__GFP_THISNODE");
	RUN(&s, "page_fault_kernel: address=0x7e001000 ip=copy_user error_code=0x2");
	alloc_by(&s, "wl-5", ".....", next_pfn++, 0, USER);
	RUN(&s, "sys_mbind -> 0x0");
	t = read_script(&s);
	follows(t, 0, MM_POLICY_BIND, 2, 0);
	cr_expect_eq(nth(t, 0)->flags, TRACE_F_MIGRATE);
	follows(t, 1, MM_POLICY_DEFAULT, 0, 0);
	cr_expect_eq(nth(t, 1)->flags, 0);
	trace_free(t);
}

/* Where no address is beyond 4 GiB the stack ends at 3 GiB. */
Test(policy_tasks, a_stack_begins_where_tasks_end)
{
	struct script s = {0};
	struct trace *t;

	set_task(&s, "wl-5", "MPOL_INTERLEAVE", "0-1", 3, "0x0");
	fault(&s, "wl-5", 0xbfff0000);
	RUN(&s, "sys_execve(filename: 7f00, argv: 7f00, envp: 7f00)");
	alloc_by(&s, "wl-5", ".....", next_pfn++, 0, USER);
	t = read_script(&s);
	follows(t, 1, MM_POLICY_INTERLEAVE, 3, 0xbffff);
	trace_free(t);
}
