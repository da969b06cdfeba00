/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What system calls change: policies of tasks and ranges, and the ranges themselves. A call counts
 * from its return, and only if it succeeded. The numbers are those of Linux's user interface.
 */
#include <errno.h>

#include "sim/policy/task.h"

#define MPOL_MODE           0xffu
#define MPOL_RELATIVE       (1u << 14)
#define MPOL_MF_MOVE        (1u << 1)
#define MPOL_MF_MOVE_ALL    (1u << 2)
#define MAP_SHARED_BITS     0x3u /* MAP_SHARED 1, MAP_PRIVATE 2, MAP_SHARED_VALIDATE 3 */
#define MAP_PRIVATE_BITS    0x2u
#define MAP_ANONYMOUS_BIT   0x20u
#define MAP_LOCKED_BIT      0x2000u
#define MAP_POPULATE_BIT    0x8000u
#define REMAP_DONTUNMAP_BIT 0x4u
#define ADVICE_HUGE         14
#define ADVICE_NO_HUGE      15
#define ADVICE_POPULATE_R   22
#define ADVICE_POPULATE_W   23
#define PAGE_BYTES          (UINT64_C(1) << VMA_PAGE_SHIFT)

static uint64_t page_up(uint64_t n)
{
	return (n + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
}

/* Where a new stack ends before it moves: at the end of what a task may use, by architecture. */
static uint64_t stack_top(const struct tasks *ts)
{
	if (ts->highest >> 47)
		return UINT64_C(1) << 48; /* arm64 */
	if (ts->highest && !(ts->highest >> 32))
		return UINT64_C(0xc0000000); /* i386 */
	return (UINT64_C(1) << 47) - PAGE_BYTES;
}

static uint64_t arg(const struct task *task, unsigned i)
{
	return i < task->nr_args ? task->args[i] : 0;
}

static bool wants_nodes(unsigned mode)
{
	return mode != MM_POLICY_DEFAULT && mode != MM_POLICY_LOCAL;
}

/*
 * The policy that a call sets: mode and flags as the call has them, nodes from its marker. Without
 * these the policy cannot be told, which is counted.
 */
static int make_policy(struct task *task, uint64_t mode_arg, enum trace_policy_scope scope,
		       struct trace *t, uint16_t *index)
{
	const struct marker *m = &task->now;
	struct trace_policy p = {.scope = (uint8_t)scope, .mm.home_nid = MM_NO_NODE};

	*index = 0;
	p.mm.mode = (uint8_t)(mode_arg & MPOL_MODE);
	p.mm.relative = mode_arg & MPOL_RELATIVE;
	if ((mode_arg & MPOL_MODE) >= MM_NR_POLICY_MODES)
		return 0;
	if (wants_nodes(p.mm.mode)) {
		bool no_mask = !arg(task, task->call == CALL_MBIND ? 3 : 1);

		if (!m->has_nodes && !(no_mask && p.mm.mode == MM_POLICY_PREFERRED)) {
			t->unknown_policies++;
			return 0;
		}
		p.mm.nodes = m->policy.nodes;       /* none without a marker */
		if (mm_nodemask_empty(&p.mm.nodes)) /* of preferred: local */
			p.mm.mode = MM_POLICY_LOCAL;
	}
	if (p.mm.mode == MM_POLICY_DEFAULT)
		return 0;
	return trace_add_policy(t, &p, index);
}

static int set_mempolicy(struct task *task, uint64_t mode, struct trace *t)
{
	uint16_t policy;
	int err = make_policy(task, mode, TRACE_POLICY_TASK, t, &policy);

	if (err)
		return err;
	task->policy = policy;
	task->policy_known = true;
	task->turns = 0; /* the first node of the new mask is next */
	return 0;
}

static void edit_policy(struct vma *vma, void *policy)
{
	vma->policy = *(const uint16_t *)policy;
}

static void edit_advice(struct vma *vma, void *advice)
{
	vma->advice = *(const uint8_t *)advice;
}

static void edit_prot(struct vma *vma, void *prot)
{
	vma->prot = *(const uint8_t *)prot;
}

/* For set_mempolicy_home_node(), which changes the policies that ranges have. */
struct home {
	struct trace *t;
	int nid, err;
};

static void edit_home(struct vma *vma, void *arg_home)
{
	struct home *home = arg_home;
	struct trace_policy p = home->t->policies[vma->policy];

	if (home->err || (p.mm.mode != MM_POLICY_BIND && p.mm.mode != MM_POLICY_PREFERRED_MANY))
		return;
	p.mm.home_nid = (int16_t)home->nid;
	home->err = trace_add_policy(home->t, &p, &vma->policy);
}

static int set_home(struct task *task, uint64_t start, uint64_t len, uint64_t nid, struct trace *t)
{
	struct home home = {.t = t, .nid = nid < MM_MAX_NODES ? (int)nid : MM_NO_NODE};
	int err;

	err = vmas_change(&task->space->vmas, start, start + page_up(len), edit_home, &home);
	return err ? err : home.err;
}

/* Without MPOL_MF_MOVE -EIO says that pages are elsewhere, and nothing was set; with it it was. */
static bool mbind_took_effect(const struct task *task, int64_t result)
{
	bool moves = arg(task, 5) & (MPOL_MF_MOVE | MPOL_MF_MOVE_ALL);

	return result >= 0 || (result == -EIO && moves);
}

static int map(struct task *task, int64_t result, struct trace *t)
{
	uint64_t flags = arg(task, 3), start = (uint64_t)result;
	bool anon = flags & MAP_ANONYMOUS_BIT;
	bool private = (flags & MAP_SHARED_BITS) == MAP_PRIVATE_BITS;
	struct vma vma = {
		.start = start,
		.end = start + page_up(arg(task, 1)),
		.prot = (uint8_t)arg(task, 2),
		.private_anon = anon && private,
		.mapped = true,
		.shmem = anon && !private,
	};
	int err;

	if (vma.private_anon)
		vma.pgoff = start >> VMA_PAGE_SHIFT;
	else if (!anon)
		vma.pgoff = task->call == CALL_MMAP ? arg(task, 5) >> VMA_PAGE_SHIFT : arg(task, 5);
	err = vmas_map(&task->space->vmas, &vma);
	if (!err && task->populate.on)
		populate_done(task, start, t);
	return err;
}

static int set_brk(struct task *task, int64_t result)
{
	uint64_t from = page_up(task->space->brk), to = page_up((uint64_t)result);
	const struct vma heap = {
		.start = from,
		.end = to,
		.pgoff = from >> VMA_PAGE_SHIFT,
		.prot = 3,
		.private_anon = true,
		.mapped = true,
	};

	task->space->brk = (uint64_t)result;
	if (!from || from == to)
		return 0;
	return from < to ? vmas_map(&task->space->vmas, &heap)
			 : vmas_unmap(&task->space->vmas, to, from);
}

static int madvise(struct task *task)
{
	uint64_t start = arg(task, 0), end = start + page_up(arg(task, 1));
	uint8_t advice = (uint8_t)arg(task, 2);

	if (arg(task, 2) != ADVICE_HUGE && arg(task, 2) != ADVICE_NO_HUGE)
		return 0;
	return vmas_change(&task->space->vmas, start, end, edit_advice, &advice);
}

static int remap(struct task *task, int64_t result)
{
	bool keep = arg(task, 3) & REMAP_DONTUNMAP_BIT;

	return vmas_move(&task->space->vmas, arg(task, 0), page_up(arg(task, 1)), (uint64_t)result,
			 page_up(arg(task, 2)), keep);
}

int call_enter(struct tasks *ts, struct task *task, struct trace *t)
{
	uint64_t flags = arg(task, 3), advice = arg(task, 2);

	ts->seen |= UINT32_C(1) << task->call;
	task->now = task->marker.call == task->call ? task->marker : (struct marker){0};
	task->marker = (struct marker){0};
	task->fork_turns = task->turns;
	task->populate.on = false;
	task->populate.nr = 0;
	task->moves.nr = 0;
	task->pass = 0;
	switch (task->call) {
	case CALL_EXEC:
		if (task->before_exec)
			space_put(task->before_exec);
		task->before_exec = task->space;
		task->stack_page = stack_top(ts);
		task->space = space_new();
		return task->space ? 0 : -ENOMEM;
	case CALL_MBIND:
		return make_policy(task, arg(task, 2), TRACE_POLICY_RANGE, t, &task->call_policy);
	case CALL_MMAP:
	case CALL_MMAP_PGOFF:
		task->populate.on = flags & (MAP_POPULATE_BIT | MAP_LOCKED_BIT);
		task->populate.next = 0;
		return 0;
	case CALL_MADVISE:
		task->populate.on = advice == ADVICE_POPULATE_R || advice == ADVICE_POPULATE_W;
		task->populate.next = arg(task, 0);
		return 0;
	default:
		return 0;
	}
}

static int exec_failed(struct task *task)
{
	if (!task->before_exec)
		return 0;
	space_put(task->space);
	task->space = task->before_exec;
	task->before_exec = NULL;
	return 0;
}

static int change_ranges(struct task *task, int64_t result, struct trace *t)
{
	uint64_t start = arg(task, 0), end = start + page_up(arg(task, 1));
	uint8_t prot = (uint8_t)arg(task, 2);

	switch (task->call) {
	case CALL_BRK:
		return set_brk(task, result);
	case CALL_HOME_NODE:
		return set_home(task, start, arg(task, 1), arg(task, 2), t);
	case CALL_MADVISE:
		return madvise(task);
	case CALL_MBIND:
		return vmas_change(&task->space->vmas, start, end, edit_policy, &task->call_policy);
	case CALL_MMAP:
	case CALL_MMAP_PGOFF:
		return map(task, result, t);
	case CALL_MPROTECT:
		return vmas_change(&task->space->vmas, start, end, edit_prot, &prot);
	case CALL_MREMAP:
		return remap(task, result);
	case CALL_MUNMAP:
		return vmas_unmap(&task->space->vmas, start, end);
	default:
		return 0;
	}
}

int call_exit(struct tasks *ts, struct task *task, int64_t result, struct trace *t)
{
	bool failed = result < 0 && result >= -4095;
	int err = 0;

	(void)ts;
	if (task->call == CALL_MBIND)
		failed = failed && !mbind_took_effect(task, result);
	if (task->call == CALL_EXEC && failed)
		err = exec_failed(task);
	else if (task->call == CALL_SET_MEMPOLICY && !failed)
		err = set_mempolicy(task, arg(task, 0), t);
	else if (!failed)
		err = change_ranges(task, result, t);
	task->call = CALL_NONE;
	task->now = (struct marker){0};
	task->populate.on = false;
	return err;
}

int call_unseen(struct tasks *ts, struct task *task, struct trace *t)
{
	struct marker m = task->marker;
	uint64_t mode = m.policy.mode | (m.policy.relative ? MPOL_RELATIVE : 0);
	uint16_t policy;
	int err = 0;

	if (m.call == CALL_NONE || ts->seen & UINT32_C(1) << m.call)
		return 0;
	task->marker = (struct marker){0};
	task->now = m;
	if (m.call == CALL_SET_MEMPOLICY && m.has_mode) {
		err = set_mempolicy(task, mode, t);
	} else if (m.call == CALL_MBIND && m.has_mode) {
		err = make_policy(task, mode, TRACE_POLICY_RANGE, t, &policy);
		if (!err)
			err = vmas_change(&task->space->vmas, m.start, m.start + page_up(m.len),
					  edit_policy, &policy);
	} else if (m.call == CALL_HOME_NODE && m.policy.home_nid != MM_NO_NODE) {
		err = set_home(task, m.start, m.len, (uint64_t)m.policy.home_nid, t);
	}
	task->now = (struct marker){0};
	return err;
}
