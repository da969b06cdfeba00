/* SPDX-License-Identifier: Apache-2.0 */
/* Which operation a CPU does next where several processes share it. */
#include "sim/replay/strands.h"

#include <errno.h>
#include <stdlib.h>

#include "sim/scenario/process_plan.h"

#define NO_PROCESS UINT32_MAX

struct strand {
	uint32_t process; /* NO_PROCESS: the main strand */
	uint32_t *at;     /* places among the CPU's events */
	size_t nr, next;
	struct strand *link; /* while it is in the list */
};

struct replay_strands {
	struct strand *all; /* owned */
	int nr;
	uint32_t *places;     /* owned: those of all strands */
	struct strand *first; /* that nobody is at, by their next place */
	int nr_left;          /* that have something to do, in the list or not */
	bool main_left;       /* so has the main strand */
	bool program_waits;   /* for one that it may go on with */
};

static uint32_t process_of(const struct replay *r, const struct trace_event *ev)
{
	return ev->op == TRACE_STEP ? replay_step_process(r->processes, ev) : NO_PROCESS;
}

static const struct trace_event *next_of(const struct replay *r, int cpu, const struct strand *s)
{
	return &r->trace->events[r->cpus[cpu].events[s->at[s->next]]];
}

static bool is_done(const struct replay *r, uint32_t number)
{
	return number == TRACE_NO_PAGE || r->pages[number].allocated;
}

/* Has all happened that its next operation waits for? */
static bool is_ready(const struct replay *r, int cpu, const struct strand *s)
{
	const struct trace_event *ev = next_of(r, cpu, s);

	return is_done(r, replay_step_after(r->processes, ev)) &&
	       is_done(r, replay_step_awaits(r->processes, ev));
}

/*
 * What the program, or a stand-in, can go on with. The program leaves steps to the others as long
 * as there is anything that only it can do.
 */
static struct strand *find(const struct replay *r, int cpu, bool program)
{
	const struct replay_strands *list = r->cpus[cpu].strands;

	for (struct strand *s = list->first; s; s = s->link) {
		if (s->process == NO_PROCESS)
			return program ? s : NULL;
		if (is_ready(r, cpu, s))
			return program && list->main_left ? NULL : s;
	}
	return NULL;
}

static void enlist(struct replay_strands *list, struct strand *s)
{
	struct strand **link = &list->first;

	while (*link && (*link)->at[(*link)->next] < s->at[s->next])
		link = &(*link)->link;
	s->link = *link;
	*link = s;
}

static void delist(struct replay_strands *list, const struct strand *s)
{
	struct strand **link = &list->first;

	while (*link != s)
		link = &(*link)->link;
	*link = s->link;
}

/* The program, if it waits for what it can do now. */
static bool wake_program(struct replay *r, int cpu)
{
	struct replay_strands *list = r->cpus[cpu].strands;

	if (!list->program_waits || (list->nr_left && !find(r, cpu, true)))
		return false;
	list->program_waits = false;
	sim_wake(r->sim, cpu);
	return true;
}

static void do_next(struct replay *r, int cpu, struct strand *s)
{
	struct replay_strands *list = r->cpus[cpu].strands;

	delist(list, s);
	replay_do_event(r, cpu, s->at[s->next]);
	if (++s->next < s->nr) {
		enlist(list, s);
		return;
	}
	list->nr_left--;
	if (s->process == NO_PROCESS)
		list->main_left = false;
}

static bool is_there(void *arg, int cpu)
{
	struct replay *r = arg;

	if (r->stopped || wake_program(r, cpu))
		return false;
	return find(r, cpu, false) != NULL;
}

static void stand_in(void *arg, int cpu)
{
	struct replay *r = arg;
	struct strand *s;

	while (!r->stopped && (s = find(r, cpu, false)))
		do_next(r, cpu, s);
	wake_program(r, cpu);
}

bool replay_strands_run(struct replay *r, int cpu)
{
	struct replay_strands *list = r->cpus[cpu].strands;

	if (!list)
		return false;
	while (list->nr_left && !r->stopped) {
		struct strand *s = find(r, cpu, true);

		if (s) {
			do_next(r, cpu, s);
			continue;
		}
		list->program_waits = true;
		if (sim_sleep(r->sim, cpu))
			r->stopped = true;
		list->program_waits = false;
	}
	return true;
}

void replay_strands_kick(struct replay *r)
{
	for (int cpu = 0; cpu < r->nr_cpus; cpu++)
		if (r->cpus[cpu].strands && !wake_program(r, cpu))
			sim_call_stand_in(r->sim, cpu);
}

/* The strand of each event of the CPU, by number; their sizes. NULL: no memory. */
static int count(const struct replay *r, const struct replay_cpu *c, struct replay_strands *list,
		 uint32_t *index, size_t nr_processes)
{
	for (size_t i = 0; i <= nr_processes; i++)
		index[i] = NO_PROCESS;
	for (size_t i = 0; i < c->nr_events; i++) {
		uint32_t process = process_of(r, &r->trace->events[c->events[i]]);
		uint32_t slot = process == NO_PROCESS ? (uint32_t)nr_processes : process;

		if (index[slot] == NO_PROCESS) {
			struct strand *all =
				realloc(list->all, ((size_t)list->nr + 1) * sizeof(*list->all));

			if (!all)
				return -ENOMEM;
			list->all = all;
			all[list->nr] = (struct strand){.process = process};
			index[slot] = (uint32_t)list->nr++;
		}
		list->all[index[slot]].nr++;
	}
	return 0;
}

static void fill(const struct replay *r, const struct replay_cpu *c, struct replay_strands *list,
		 const uint32_t *index, size_t nr_processes)
{
	uint32_t *at = list->places;

	for (int i = 0; i < list->nr; i++) {
		list->all[i].at = at;
		at += list->all[i].nr;
	}
	for (size_t i = 0; i < c->nr_events; i++) {
		uint32_t process = process_of(r, &r->trace->events[c->events[i]]);
		struct strand *s =
			&list->all[index[process == NO_PROCESS ? nr_processes : process]];

		s->at[s->next++] = (uint32_t)i;
	}
	for (int i = list->nr; i-- > 0;) {
		list->all[i].next = 0;
		list->main_left |= list->all[i].process == NO_PROCESS;
		enlist(list, &list->all[i]);
	}
	list->nr_left = list->nr;
}

static void free_list(struct replay_strands *list)
{
	if (!list)
		return;
	free(list->all);
	free(list->places);
	free(list);
}

/* *out NULL: it has one at most. */
static int make(struct replay *r, const struct replay_cpu *c, uint32_t *index,
		struct replay_strands **out)
{
	size_t nr_processes = r->trace->processes->nr_processes;
	struct replay_strands *list = calloc(1, sizeof(*list));
	int err = list ? count(r, c, list, index, nr_processes) : -ENOMEM;

	*out = NULL;
	if (err || list->nr < 2) {
		free_list(list);
		return err;
	}
	list->places = malloc(c->nr_events * sizeof(*list->places));
	if (!list->places) {
		free_list(list);
		return -ENOMEM;
	}
	fill(r, c, list, index, nr_processes);
	*out = list;
	return 0;
}

int replay_strands_new(struct replay *r)
{
	uint32_t *index;
	int err = 0;

	if (!r->processes || r->options->timing == REPLAY_ORDER)
		return 0;
	r->stand_in = (struct sim_stand_in){.is_there = is_there, .run = stand_in, .arg = r};
	index = malloc((r->trace->processes->nr_processes + 1) * sizeof(*index));
	if (!index)
		return -ENOMEM;
	for (int cpu = 0; cpu < r->nr_cpus && !err; cpu++) {
		struct replay_cpu *c = &r->cpus[cpu];

		err = make(r, c, index, &c->strands);
		if (c->strands && !err)
			err = sim_spawn_stand_ins(r->sim, cpu, c->strands->nr, &r->stand_in);
	}
	free(index);
	return err;
}

void replay_strands_free(struct replay *r)
{
	for (int cpu = 0; r->cpus && cpu < r->nr_cpus; cpu++)
		free_list(r->cpus[cpu].strands);
}
