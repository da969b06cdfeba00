/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which task did what: nothing that a replay looks at, but who converts a trace wants it back. Owns
 * a hash table over the trace's tasks.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/trace/trace.h"

#define NOBODY     "<...>"
#define NOBODY_PID 1
#define FEW_SLOTS  256 /* to begin with; a power of two */

/* "1.5:" in a comm would be found to be a line's time. */
static void hide_times(char *comm)
{
	for (char *p = comm; *p; p++) {
		size_t digits = strspn(p, "0123456789"), more;

		if (!digits || p[digits] != '.')
			continue;
		more = strspn(p + digits + 1, "0123456789");
		if (more && p[digits + 1 + more] == ':')
			p[digits + 1 + more] = '?';
	}
}

void trace_comm(char out[TRACE_MAX_COMM], const char *text, size_t len)
{
	while (len && (*text == ' ' || *text == '\t')) {
		text++;
		len--;
	}
	while (len && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	if (len > TRACE_MAX_COMM - 1)
		len = TRACE_MAX_COMM - 1;
	for (size_t i = 0; i < len; i++)
		out[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	out[len] = 0;
	while (len && out[len - 1] == ' ')
		out[--len] = 0;
	if (*out == '#') /* it would be a comment */
		*out = '?';
	hide_times(out);
}

static uint32_t hash(const struct trace_task *task)
{
	uint32_t h = task->pid * UINT32_C(2654435761);

	for (const char *p = task->comm; *p; p++)
		h = (h ^ (unsigned char)*p) * UINT32_C(16777619);
	return h ^ h >> 15;
}

/* The slot of the task, or the free one where it would be. */
static uint32_t *find_slot(const struct trace *t, const struct trace_task *task)
{
	uint32_t i = hash(task) & (t->nr_task_slots - 1);

	while (t->task_slots[i] && (t->tasks[t->task_slots[i]].pid != task->pid ||
				    strcmp(t->tasks[t->task_slots[i]].comm, task->comm) != 0))
		i = (i + 1) & (t->nr_task_slots - 1);
	return &t->task_slots[i];
}

/* Room for twice as many, half of the slots free; [0] is there from the beginning. */
static int grow(struct trace *t)
{
	uint32_t nr = t->nr_task_slots ? t->nr_task_slots * 2 : FEW_SLOTS;
	struct trace_task *tasks = realloc(t->tasks, nr / 2 * sizeof(*tasks));
	uint32_t *slots;

	if (!tasks)
		return -ENOMEM;
	t->tasks = tasks;
	slots = calloc(nr, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(t->task_slots);
	t->task_slots = slots;
	t->nr_task_slots = nr;
	if (!t->nr_tasks)
		t->tasks[t->nr_tasks++] = (struct trace_task){.pid = 0};
	for (uint32_t i = 1; i < t->nr_tasks; i++)
		*find_slot(t, &t->tasks[i]) = i;
	return 0;
}

int trace_add_task(struct trace *t, const char *comm, size_t len, uint32_t pid, uint32_t *index)
{
	struct trace_task task = {.pid = pid};
	uint32_t *slot;

	*index = TRACE_NO_TASK;
	trace_comm(task.comm, comm, len);
	if (!*task.comm)
		strcpy(task.comm, NOBODY);
	if (pid > INT32_MAX || (pid == NOBODY_PID && !strcmp(task.comm, NOBODY)))
		return 0;
	if (t->nr_tasks >= t->nr_task_slots / 2) {
		int err = t->nr_tasks >= TRACE_MAX_TASKS ? -ENOSPC : grow(t);

		if (err)
			return err;
	}
	slot = find_slot(t, &task);
	if (!*slot) {
		*slot = t->nr_tasks;
		t->tasks[t->nr_tasks++] = task;
	}
	*index = *slot;
	return 0;
}

int trace_take_turn(struct trace *t, size_t event, uint32_t task)
{
	struct trace_turn *last = t->nr_turns ? &t->turns[t->nr_turns - 1] : NULL;

	/* Who said so before has had no event. */
	if (last && last->event == event) {
		t->nr_turns--;
		last = t->nr_turns ? last - 1 : NULL;
	}
	if (task == (last ? last->task : TRACE_NO_TASK))
		return 0;
	if (t->nr_turns == t->turns_room) {
		size_t room = t->turns_room ? t->turns_room * 2 : 1024;
		struct trace_turn *grown = realloc(t->turns, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		t->turns = grown;
		t->turns_room = room;
	}
	t->turns[t->nr_turns++] = (struct trace_turn){.event = (uint32_t)event, .task = task};
	return 0;
}
