/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which policy an allocation follows, and at which turn. Pages of a task's memory go by the range
 * and the address; everything else that is taken for the task goes by the task's own policy and
 * counter (Linux 6.1: vma_alloc_folio() and alloc_pages()); what an interrupt takes, by none.
 */
#include <errno.h>
#include <stdlib.h>

#include "mm/gfp.h"
#include "sim/policy/rules.h"
#include "sim/policy/task.h"

#define MPOL_MF_MOVES    0x6u /* MPOL_MF_MOVE, MPOL_MF_MOVE_ALL */
#define USER_PAGE        (__GFP_HIGHMEM | __GFP_MOVABLE)
#define READAHEAD        (__GFP_NORETRY | __GFP_NOWARN)
#define SLAB_PAGE        (__GFP_COMP | __GFP_NOMEMALLOC | __GFP_NORETRY)
#define POOL_PAGE        (USER_PAGE | __GFP_THISNODE | __GFP_COMP | __GFP_NOWARN)
#define NO_POOL_PAGE     (__GFP_NORETRY | __GFP_NOMEMALLOC) /* as transparent huge pages have them */
#define POOL_ORDER       9u                                 /* the least of a huge page */
#define TURNS_FIRST_ROOM 4096

static bool interleaves(const struct trace *t, uint16_t policy)
{
	unsigned mode = t->policies[policy].mm.mode;

	return mode == MM_POLICY_INTERLEAVE || mode == MM_POLICY_WEIGHTED_INTERLEAVE;
}

/*
 * Is it the page that the fault is about? A read of nothing gets the zero page; what else a read
 * brings is a file's, as is what is read ahead, or comes back from swap.
 */
static bool is_faults_page(const struct task *task, const struct trace_event *ev)
{
	const struct vma *vma;

	if (!task->faulting)
		return false;
	if (ev->order > 0)
		return true;
	if ((ev->gfp & READAHEAD) == READAHEAD)
		return false;
	vma = vmas_find(task->space->vmas, task->address);
	return task->writing || (vma && vma->mapped && (vma->shmem || vma->private_anon));
}

/* PREFERRED_MANY's second attempt is for all nodes, from where the first began. */
static int all_nodes(struct trace *t, uint16_t *policy)
{
	struct trace_policy p = {
		.mm = {.mode = MM_POLICY_LOCAL, .home_nid = MM_NO_NODE},
		.scope = t->policies[*policy].scope,
	};
	int home = t->policies[*policy].mm.home_nid;

	if (home != MM_NO_NODE) {
		p.mm.mode = MM_POLICY_PREFERRED;
		mm_nodemask_set(&p.mm.nodes, home);
	}
	return trace_add_policy(t, &p, policy);
}

static int set_policy(struct task *task, struct trace *t, struct trace_event *ev, uint16_t policy,
		      uint32_t turn)
{
	bool many = t->policies[policy].mm.mode == MM_POLICY_PREFERRED_MANY;
	int err = 0;

	if (many && task->many_failed)
		err = all_nodes(t, &policy);
	task->many_failed = many && !task->many_failed && ev->flags & TRACE_F_FAILED;
	if (!err)
		trace_event_set_policy(ev, policy, interleaves(t, policy) ? turn : 0);
	return err;
}

/* A page of the task's memory at that address. */
static int at_address(struct tasks *ts, struct task *task, struct trace *t, struct trace_event *ev,
		      uint64_t address)
{
	const struct vma *vma = vmas_find(task->space->vmas, address);
	uint16_t policy = vma && vma->policy ? vma->policy : task->policy;
	int err;

	ts->kind = PAGE_USER;
	ts->turn = vma_turn(vma, address, ev->order);
	err = set_policy(task, t, ev, policy, ts->turn);
	if (err || ev->flags & TRACE_F_FAILED)
		return err;
	return vmas_touch(&task->space->vmas, address);
}

/* Memory that the kernel takes for the task. */
static int for_task(struct task *task, struct trace *t, struct trace_event *ev)
{
	uint32_t turn = task->turns;

	if (ev->gfp & __GFP_THISNODE)
		return 0;
	if (interleaves(t, task->policy)) {
		task->turns++;
		/* The task's descriptor is taken before it is copied with its counter. */
		if (task->fork_turns == turn && (ev->gfp & SLAB_PAGE) == SLAB_PAGE)
			task->fork_turns++;
	}
	return set_policy(task, t, ev, task->policy, turn);
}

static bool is_moving_call(const struct task *task)
{
	switch (task->call) {
	case CALL_MBIND:
		return task->nr_args > 5 && task->args[5] & MPOL_MF_MOVES;
	case CALL_MOVE_PAGES:
	case CALL_MIGRATE_PAGES:
		return true;
	default:
		return false;
	}
}

/* Such calls have pages faulted in for their results, too. */
static bool is_moves_page(const struct task *task, const struct trace_event *ev)
{
	return is_moving_call(task) &&
	       (ev->order > 0 || ev->gfp & (__GFP_RETRY_MAYFAIL | __GFP_THISNODE));
}

/* Where the pages of the pass that it is in go; without a marker the CPU's own node. */
static int target_node(const struct task *task)
{
	const struct marker *m = &task->now;

	if (!m->call)
		return MM_NO_NODE;
	if (!m->nr_passes)
		return m->node;
	return m->passes[task->pass < m->nr_passes ? task->pass : m->nr_passes - 1];
}

/* A page that one of the task's pages moves to. Its turn is the other's. */
static int moved(struct tasks *ts, struct task *task, struct trace *t, struct trace_event *ev)
{
	uint16_t policy = task->call_policy ? task->call_policy : task->policy;

	ev->flags |= TRACE_F_MIGRATE;
	if (task->call != CALL_MBIND) {
		trace_event_set_nid(ev, target_node(task));
		return 0;
	}
	ts->kind = PAGE_MOVED;
	return set_policy(task, t, ev, policy, 0);
}

static int populated(struct tasks *ts, struct task *task, struct trace *t, struct trace_event *ev)
{
	uint64_t address = task->populate.next;
	bool waits = task->call != CALL_MADVISE;

	if (!(ev->flags & TRACE_F_FAILED))
		task->populate.next += UINT64_C(1) << (VMA_PAGE_SHIFT + ev->order);
	if (!waits)
		return at_address(ts, task, t, ev, address);
	ts->kind = PAGE_POPULATED;
	ts->turn = (uint32_t)(address >> VMA_PAGE_SHIFT);
	return set_policy(task, t, ev, task->policy, ts->turn);
}

/* A new program's stack is filled from the top before there is a task that could fault. */
static int on_new_stack(struct tasks *ts, struct task *task, struct trace *t,
			struct trace_event *ev)
{
	if (!(ev->flags & TRACE_F_FAILED))
		task->stack_page -= UINT64_C(1) << (VMA_PAGE_SHIFT + ev->order);
	return at_address(ts, task, t, ev, task->stack_page);
}

static bool is_pools_page(const struct trace_event *ev)
{
	return ev->order >= POOL_ORDER && (ev->gfp & POOL_PAGE) == POOL_PAGE &&
	       !(ev->gfp & NO_POOL_PAGE);
}

/*
 * /proc/sys/vm/nr_hugepages: each page from the next node with memory, whether or not that has one
 * (Linux 6.1: alloc_pool_huge_page()).
 */
static int for_pool(struct tasks *ts, struct trace *t, struct trace_event *ev)
{
	struct trace_policy p = {
		.mm = {.mode = MM_POLICY_INTERLEAVE, .home_nid = MM_NO_NODE},
		.scope = TRACE_POLICY_POOL,
	};
	uint16_t policy;
	int err;

	for (int nid = 0; nid < MM_MAX_NODES; nid++)
		mm_nodemask_set(&p.mm.nodes, nid);
	err = trace_add_policy(t, &p, &policy);
	if (!err)
		trace_event_set_policy(ev, policy, ts->pool_turns[ev->order]++);
	return err;
}

/* The task's policy as the policy file has it. A new one begins with its first node. */
static int by_rules(struct task *task, const struct kmem_origin *origin, struct trace *t,
		    uint64_t time_ps)
{
	const struct mm_policy *policy =
		policy_rules_find(t->rules, origin->comm, origin->comm_len, origin->pid, time_ps);
	struct trace_policy p = {.scope = TRACE_POLICY_FILE};
	uint16_t index = 0;
	int err = 0;

	if (policy && policy->mode != MM_POLICY_DEFAULT) {
		p.mm = *policy;
		err = trace_add_policy(t, &p, &index);
	}
	if (index != task->policy)
		task->turns = 0;
	task->policy = index;
	return err;
}

int tasks_alloc(struct tasks *ts, const struct kmem_origin *origin, struct trace *t,
		struct trace_event *ev)
{
	struct task *task;
	int err;

	ts->kind = PAGE_KERNEL;
	t->names_tasks |= origin->comm != NULL;
	if (!origin->comm || !origin->pid || origin->interrupt)
		return 0;
	task = task_get(ts, origin->pid);
	if (!task)
		return -ENOMEM;
	/* The block that it has compacted for comes, or does not. */
	task->compacts &= task->compacting;
	err = call_unseen(ts, task, t);
	if (!err && t->rules && !task->policy_known)
		err = by_rules(task, origin, t, ev->time_ps);
	if (err)
		return err;
	if ((ev->gfp & USER_PAGE) != USER_PAGE)
		return for_task(task, t, ev);
	if (is_moves_page(task, ev))
		return moved(ts, task, t, ev);
	if (is_pools_page(ev))
		return for_pool(ts, t, ev);
	if (is_faults_page(task, ev)) {
		/* A read that finds its page in swap brings others along. */
		if (!(ev->flags & TRACE_F_FAILED) && (task->writing || ev->order > 0))
			task->faulting = false;
		return at_address(ts, task, t, ev, task->address);
	}
	if (task->populate.on)
		return populated(ts, task, t, ev);
	if (task->before_exec)
		return on_new_stack(ts, task, t, ev);
	return for_task(task, t, ev);
}

static int remember_turn(struct tasks *ts, uint32_t page, uint32_t turn)
{
	if (page >= ts->turns_room) {
		size_t room = ts->turns_room ? ts->turns_room : TURNS_FIRST_ROOM;
		uint32_t *grown;

		while (room <= page)
			room *= 2;
		grown = realloc(ts->turns, room * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		for (size_t i = ts->turns_room; i < room; i++)
			grown[i] = 0;
		ts->turns = grown;
		ts->turns_room = room;
	}
	ts->turns[page] = turn;
	return 0;
}

int tasks_allocated(struct tasks *ts, const struct kmem_origin *origin, struct trace *t)
{
	const struct trace_event *ev = &t->events[t->nr_events - 1];
	struct task *task = ts->kind == PAGE_KERNEL ? NULL : task_find(ts, origin->pid);
	size_t event = t->nr_events - 1;

	if (!task || ev->page == TRACE_NO_PAGE)
		return 0;
	switch (ts->kind) {
	case PAGE_USER:
		return remember_turn(ts, ev->page, ts->turn);
	case PAGE_POPULATED:
		return events_push(&task->populate.events, &task->populate.nr, &task->populate.room,
				   event);
	case PAGE_MOVED:
		return events_push(&task->moves.events, &task->moves.nr, &task->moves.room, event);
	default:
		return 0;
	}
}

void populate_done(struct task *task, uint64_t start, struct trace *t)
{
	uint64_t address = start;

	for (size_t i = 0; i < task->populate.nr; i++) {
		struct trace_event *ev = &t->events[task->populate.events[i]];
		const struct vma *vma = vmas_find(task->space->vmas, address);

		if (interleaves(t, ev->policy))
			trace_event_set_policy(ev, ev->policy, vma_turn(vma, address, ev->order));
		address += UINT64_C(1) << (VMA_PAGE_SHIFT + ev->order);
	}
	task->populate.nr = 0;
}

/*
 * Pages that move leave their old frames in the order in which they got their new ones. One that
 * could not move gives the new frame back.
 */
void tasks_freed(struct tasks *ts, const struct kmem_origin *origin, struct trace *t, uint32_t page)
{
	struct task *task = origin->comm && origin->pid ? task_find(ts, origin->pid) : NULL;
	struct trace_event *ev;
	uint32_t turn = page < ts->turns_room ? ts->turns[page] : 0;
	size_t i;

	if (!task || !task->moves.nr)
		return;
	for (i = 0; i < task->moves.nr && t->events[task->moves.events[i]].page != page; i++)
		;
	if (i == task->moves.nr) {
		i = 0;
		ev = &t->events[task->moves.events[0]];
		if (interleaves(t, ev->policy))
			trace_event_set_policy(ev, ev->policy, turn);
		remember_turn(ts, ev->page, turn);
	}
	for (task->moves.nr--; i < task->moves.nr; i++)
		task->moves.events[i] = task->moves.events[i + 1];
}
