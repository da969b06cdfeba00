/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tasks of a trace, and the lines that tell about them: each line goes to the task that stands
 * in front of it. Interrupts borrow a task and change nothing of it.
 */
#include "sim/policy/task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CLONE_VM_BIT 0x100u
#define MAX_USER     (UINT64_C(1) << 63)
#define FAULT_WRITE  2u

struct tasks *tasks_new(void)
{
	return calloc(1, sizeof(struct tasks));
}

static void task_free(struct task *task)
{
	space_put(task->space);
	space_put(task->before_exec);
	free(task->populate.events);
	free(task->moves.events);
	free(task);
}

void tasks_free(struct tasks *ts)
{
	if (!ts)
		return;
	for (unsigned i = 0; i < TASK_BUCKETS; i++)
		while (ts->buckets[i]) {
			struct task *next = ts->buckets[i]->next;

			task_free(ts->buckets[i]);
			ts->buckets[i] = next;
		}
	free(ts->turns);
	free(ts);
}

struct task *task_find(struct tasks *ts, uint32_t pid)
{
	struct task *task = ts->buckets[pid % TASK_BUCKETS];

	while (task && task->pid != pid)
		task = task->next;
	return task;
}

struct task *task_get(struct tasks *ts, uint32_t pid)
{
	struct task *task = task_find(ts, pid);

	if (task)
		return task;
	task = calloc(1, sizeof(*task));
	if (!task)
		return NULL;
	task->pid = pid;
	task->space = space_new();
	if (!task->space) {
		free(task);
		return NULL;
	}
	task->next = ts->buckets[pid % TASK_BUCKETS];
	ts->buckets[pid % TASK_BUCKETS] = task;
	return task;
}

int events_push(size_t **events, size_t *nr, size_t *room, size_t event)
{
	if (*nr == *room) {
		size_t more = *room ? *room * 2 : 64;
		size_t *grown = realloc(*events, more * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		*events = grown;
		*room = more;
	}
	(*events)[(*nr)++] = event;
	return 0;
}

/* Its state is as new, but for what a child or an exec then gets. */
static void forget(struct task *task)
{
	space_put(task->before_exec);
	task->before_exec = NULL;
	task->policy = 0;
	task->policy_known = false;
	task->turns = 0;
	task->call = CALL_NONE;
	task->marker = (struct marker){0};
	task->now = (struct marker){0};
	task->faulting = false;
	task->many_failed = false;
	task->reclaiming = false;
	task->populate.on = false;
	task->moves.nr = 0;
}

/* A thread has its parent's memory, and so has the child of vfork(). */
static bool shares_memory(const struct task *parent)
{
	switch (parent->call) {
	case CALL_CLONE:
		return parent->nr_args && parent->args[0] & CLONE_VM_BIT;
	case CALL_CLONE3: /* its flags are in memory; glibc makes threads by it, and spawns */
	case CALL_VFORK:
		return true;
	default:
		return false;
	}
}

static int forked(struct tasks *ts, struct task *parent, const char *text)
{
	uint64_t pid;
	struct task *child;
	struct space *space;

	if (!fields_decimal(text, "child_pid=", &pid) || !pid || pid == parent->pid ||
	    pid > UINT32_MAX)
		return 0;
	child = task_get(ts, (uint32_t)pid);
	if (!child)
		return -ENOMEM;
	forget(child);
	space = parent->space;
	if (shares_memory(parent)) {
		space->users++;
	} else {
		space = space_fork(space);
		if (!space)
			return -ENOMEM;
	}
	space_put(child->space);
	child->space = space;
	child->policy = parent->policy;
	child->policy_known = parent->policy_known;
	child->turns = parent->call == CALL_NONE ? parent->turns : parent->fork_turns;
	/* It returns from the same call. */
	child->call = CALL_OTHER;
	return 0;
}

/* The new program has begun. A thread that calls exec() takes its leader's id. */
static int executed(struct tasks *ts, struct task *task, const char *text)
{
	uint64_t old_pid;
	struct task *old;

	if (fields_decimal(text, "old_pid=", &old_pid) && old_pid != task->pid &&
	    old_pid <= UINT32_MAX && (old = task_find(ts, (uint32_t)old_pid)) != NULL) {
		task->policy = old->policy;
		task->policy_known = old->policy_known;
		task->turns = old->turns;
		task->call = old->call;
		space_put(old->before_exec);
		old->before_exec = NULL;
	}
	space_put(task->before_exec);
	task->before_exec = NULL;
	if (task->call != CALL_EXEC) { /* the call is not traced: the old ranges end here */
		space_put(task->space);
		task->space = space_new();
		if (!task->space)
			return -ENOMEM;
	}
	return 0;
}

/* Its memory goes at once; its policy is there until the end, and its frees go on. */
static int exited(struct task *task)
{
	struct space *none = space_new();

	if (!none)
		return -ENOMEM;
	space_put(task->space);
	task->space = none;
	task->faulting = false;
	return 0;
}

static void faulted(struct tasks *ts, struct task *task, const char *text)
{
	const char *p = strstr(text, "address="), *code = strstr(text, "error_code=");
	uint64_t error = 0;

	task->faulting =
		p && fields_hex(p + strlen("address="), &task->address) && task->address < MAX_USER;
	if (task->faulting && task->address > ts->highest)
		ts->highest = task->address;
	if (code && fields_hex(code + strlen("error_code="), &error))
		task->writing = error & FAULT_WRITE;
	else
		task->writing = true;
}

static void parse_args(struct task *task, const char *p)
{
	task->nr_args = 0;
	while (task->nr_args < CALL_MAX_ARGS && (p = strchr(p, ':')) != NULL) {
		const char *end = fields_hex(p + 1, &task->args[task->nr_args]);

		if (!end)
			task->args[task->nr_args] = 0;
		task->nr_args++;
		p = end ? end : p + 1;
	}
}

static int enter(struct tasks *ts, struct task *task, enum call call, const char *args,
		 struct trace *t)
{
	task->faulting = false;
	task->many_failed = false;
	task->call = call;
	parse_args(task, args);
	return call_enter(ts, task, t);
}

static int leave(struct tasks *ts, struct task *task, enum call call, const char *result,
		 struct trace *t)
{
	uint64_t value;

	task->faulting = false;
	task->many_failed = false;
	if (task->call != call || !fields_hex(result, &value)) {
		task->call = CALL_NONE; /* it began before the window, or in the parent */
		return 0;
	}
	/* Errors of 32-bit tasks have 32 bits. */
	return call_exit(ts, task,
			 value >> 12 == 0xfffff ? (int64_t)(int32_t)value : (int64_t)value, t);
}

/*
 * "mbind(start: 7f..., ...)" and "mbind -> 0x0" behind "sys_", or, as trace-cmd and perf have them,
 * "enter_mbind: start: 0x7f..., ..." and "exit_mbind: 0x0". Returns as tasks_line().
 */
static int system_call(struct tasks *ts, struct task *task, const char *p, struct trace *t)
{
	bool enters = strncmp(p, "enter_", 6) == 0, leaves = strncmp(p, "exit_", 5) == 0;
	size_t len;
	int err;

	if (enters || leaves) {
		p += enters ? 6 : 5;
		len = strcspn(p, ": ");
		if (p[len] == ':') {
			err = enters ? enter(ts, task, fields_call(p, len), p + len + 1, t)
				     : leave(ts, task, fields_call(p, len), p + len + 1, t);
			return err ? err : 1;
		}
		p -= enters ? 6 : 5; /* a call named exit_group, say */
	}
	len = strcspn(p, "( ");
	if (p[len] == '(')
		err = enter(ts, task, fields_call(p, len), p + len + 1, t);
	else if (strncmp(p + len, " -> ", 4) == 0)
		err = leave(ts, task, fields_call(p, len), p + len + 4, t);
	else
		return 0;
	return err ? err : 1;
}

static int marked(struct task *task, const char *text)
{
	const char *p = strstr(text, "numasim: ");

	if (!p)
		return 0;
	fields_marker(p + strlen("numasim: "), &task->marker);
	return 1;
}

/* Where the event at `text` is called `name` ("page_fault_user:"), what follows; else NULL. */
static const char *after(const char *text, const char *name)
{
	size_t len = strlen(name);

	return strncmp(text, name, len) == 0 ? text + len : NULL;
}

/* A list of pages has moved: those of the next node come. */
static void moves_done(struct task *task)
{
	task->moves.nr = 0;
	task->pass++;
}

/* Events other than system calls and markers. */
static int other_line(struct tasks *ts, struct task *task, const char *text)
{
	const char *p;
	int err = 0;

	if ((p = after(text, "page_fault_user:")) || (p = after(text, "page_fault_kernel:")))
		faulted(ts, task, p);
	else if ((p = after(text, "sched_process_fork:")))
		err = forked(ts, task, p);
	else if ((p = after(text, "sched_process_exec:")))
		err = executed(ts, task, p);
	else if (after(text, "sched_process_exit:"))
		err = exited(task);
	else if (after(text, "mm_migrate_pages:"))
		moves_done(task);
	else if (after(text, "mm_vmscan_direct_reclaim_begin:"))
		task->reclaiming = true;
	else if (after(text, "mm_vmscan_direct_reclaim_end:"))
		task->reclaiming = false;
	else if (after(text, "mm_compaction_try_to_compact_pages:"))
		task->compacts = true;
	else if (after(text, "mm_compaction_begin:"))
		task->compacting = task->compacts; /* else it has written to compact_memory */
	else if (after(text, "mm_compaction_end:"))
		task->compacting = false;
	else
		return 0;
	return err ? err : 1;
}

/* "syscalls:sys_enter_mbind: ..." of perf: the event without its group. */
static const char *skip_group(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz_");

	return len && text[len] == ':' && text[len + 1] != ' ' ? text + len + 1 : text;
}

int tasks_line(struct tasks *ts, const struct kmem_origin *origin, const char *text,
	       struct trace *t)
{
	struct task *task;
	const char *p;
	int err;

	if (!origin->comm || !origin->pid || origin->interrupt)
		return 0;
	text = skip_group(text);
	task = task_get(ts, origin->pid);
	if (!task)
		return -ENOMEM;
	if ((p = after(text, "sys_")))
		return system_call(ts, task, p, t);
	err = call_unseen(ts, task, t);
	if (err)
		return err;
	if ((p = after(text, "tracing_mark_write:")) || (p = after(text, "print:")))
		return marked(task, p);
	return other_line(ts, task, text);
}

static bool is_thread(const struct kmem_origin *origin, const char *name)
{
	size_t len = strlen(name);

	return origin->comm && !origin->interrupt && origin->comm_len > len &&
	       strncmp(origin->comm, name, len) == 0;
}

static bool is_kcompactd(const struct kmem_origin *origin)
{
	return is_thread(origin, "kcompactd");
}

static const struct task *find(struct tasks *ts, const struct kmem_origin *origin)
{
	bool known = origin->comm && origin->pid && !origin->interrupt;

	return known ? task_find(ts, origin->pid) : NULL;
}

bool tasks_moves(struct tasks *ts, const struct kmem_origin *origin)
{
	const struct task *task = find(ts, origin);

	return is_kcompactd(origin) || (task && task->compacting);
}

uint8_t tasks_reclaims(struct tasks *ts, const struct kmem_origin *origin)
{
	const struct task *task = find(ts, origin);

	if (is_thread(origin, "kswapd"))
		return TRACE_F_RECLAIM | TRACE_F_KSWAPD;
	if (is_kcompactd(origin))
		return TRACE_F_RECLAIM;
	return task && (task->reclaiming || task->compacting) ? TRACE_F_RECLAIM : 0;
}

uint8_t tasks_memalloc(struct tasks *ts, const struct kmem_origin *origin)
{
	return is_kcompactd(origin) ? 0 : tasks_reclaims(ts, origin);
}
