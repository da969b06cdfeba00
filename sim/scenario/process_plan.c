/* SPDX-License-Identifier: Apache-2.0 */
/* Plans of processes: their lists, and the order in which CPUs come to do the slices. */
#include "sim/scenario/process_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/grow.h"
#include "sim/trace/trace.h"

#define SLICE_ACCESSES 256 /* of a process, before another one of the same CPU has its turn */

const char *process_do_name(unsigned what)
{
	static const char *const names[] = {
#define X(id, name) name,
		PROCESS_STEPS(X)
#undef X
	};

	return what < PROCESS_NR_STEPS ? names[what] : NULL;
}

struct process_plan *process_plan_of(struct trace *t)
{
	if (!t->processes)
		t->processes = calloc(1, sizeof(*t->processes));
	return t->processes;
}

void process_plan_free(struct process_plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->nr_processes; i++) {
		free(plan->processes[i].name);
		free(plan->processes[i].steps);
	}
	for (size_t i = 0; i < plan->nr_cpus; i++)
		free(plan->cpus[i].of);
	for (size_t i = 0; i < plan->nr_names; i++)
		free(plan->names[i]);
	free(plan->processes);
	free(plan->steps);
	free(plan->slices);
	free(plan->cpus);
	free(plan->names);
	free(plan);
}

uint32_t process_plan_process(struct process_plan *plan, const char *name)
{
	char *copy = strdup(name);
	struct process *p = copy ? GROW(plan, processes) : NULL;

	if (!p) {
		free(copy);
		return PROCESS_NONE;
	}
	*p = (struct process){.name = copy, .workload = "process"};
	return (uint32_t)plan->nr_processes - 1;
}

uint32_t process_plan_step(struct process_plan *plan, const struct process_step *step)
{
	struct process *p = &plan->processes[step->process];
	struct process_step *s = GROW(plan, steps);
	uint32_t *index =
		s ? grow_list((void **)&p->steps, &p->nr_steps, &p->room, sizeof(*index)) : NULL;

	if (!index)
		return PROCESS_NONE;
	*s = *step;
	return *index = (uint32_t)plan->nr_steps - 1;
}

uint32_t process_plan_cpus(struct process_plan *plan, const int *cpus, int nr)
{
	int *copy = malloc((size_t)nr * sizeof(*copy));
	struct process_cpus *set = copy ? GROW(plan, cpus) : NULL;

	if (!set) {
		free(copy);
		return PROCESS_NONE;
	}
	memcpy(copy, cpus, (size_t)nr * sizeof(*copy));
	*set = (struct process_cpus){copy, nr};
	return (uint32_t)plan->nr_cpus - 1;
}

uint32_t process_plan_name(struct process_plan *plan, const char *name)
{
	char *copy, **slot;

	for (size_t i = 0; i < plan->nr_names; i++)
		if (!strcmp(plan->names[i], name))
			return (uint32_t)i;
	copy = strdup(name);
	slot = copy ? GROW(plan, names) : NULL;
	if (!slot) {
		free(copy);
		return PROCESS_NONE;
	}
	*slot = copy;
	return (uint32_t)plan->nr_names - 1;
}

/* Accesses that one of n CPUs does of a step: [first, end). */
static uint64_t share(const struct process_step *s, int i, int n)
{
	return (uint64_t)((unsigned __int128)s->operations * (unsigned)i / (unsigned)n);
}

uint64_t process_plan_slices(uint64_t accesses)
{
	return accesses / SLICE_ACCESSES + (accesses % SLICE_ACCESSES != 0);
}

static uint64_t slices_of(const struct process_plan *plan, const struct process_step *s)
{
	int n = plan->cpus[s->cpus].nr;
	uint64_t sum = 0;

	for (int i = 0; i < n && s->operations; i++)
		sum += process_plan_slices(share(s, i + 1, n) - share(s, i, n));
	return sum ? sum : 1;
}

uint64_t process_plan_events(const struct process_plan *plan, uint32_t first)
{
	uint64_t events = 0;

	for (size_t i = 0; i < plan->nr_steps; i++)
		if (plan->steps[i].process >= first)
			events += slices_of(plan, &plan->steps[i]);
	return events;
}

/* Where the emission of a process is. */
struct cursor {
	size_t step;
	bool alive, begun;
	uint32_t last; /* number of its last step; NONE */
	uint64_t *at;  /* of the step, by its CPUs: the next access */
};

static int emit_slice(struct process_plan *plan, struct trace *t, uint32_t step, int cpu,
		      uint64_t from, uint64_t nr)
{
	struct process_slice *slice = GROW(plan, slices);
	struct trace_event ev = {.op = TRACE_STEP,
				 .page = plan->steps[step].number,
				 .bytes = (uint32_t)plan->nr_slices - 1,
				 .cpu = (uint16_t)cpu};

	if (!slice)
		return -ENOMEM;
	*slice = (struct process_slice){from, (uint32_t)nr, step};
	plan->steps[step].parts++;
	return trace_append(t, &ev);
}

/* One slice of each CPU of the step. *done: there are no more. */
static int emit_round(struct process_plan *plan, struct trace *t, uint32_t step, struct cursor *c,
		      bool *done)
{
	struct process_step *s = &plan->steps[step];
	const struct process_cpus *cpus = &plan->cpus[s->cpus];

	*done = true;
	if (!s->operations)
		return emit_slice(plan, t, step, cpus->of[0], 0, 0);
	for (int i = 0; i < cpus->nr; i++) {
		uint64_t left = share(s, i + 1, cpus->nr) - c->at[i];
		uint64_t nr = left < SLICE_ACCESSES ? left : SLICE_ACCESSES;
		int err = nr ? emit_slice(plan, t, step, cpus->of[i], c->at[i], nr) : 0;

		if (err)
			return err;
		c->at[i] += nr;
		if (nr < left)
			*done = false;
	}
	return 0;
}

static int begin_step(struct process_plan *plan, struct trace *t, uint32_t step, struct cursor *c)
{
	struct process_step *s = &plan->steps[step];
	int n = plan->cpus[s->cpus].nr;

	s->number = t->nr_pages;
	s->after = c->last;
	c->begun = true;
	free(c->at);
	c->at = malloc((size_t)n * sizeof(*c->at));
	if (!c->at)
		return -ENOMEM;
	for (int i = 0; i < n; i++)
		c->at[i] = share(s, i, n);
	return 0;
}

/* A child begins once its fork has; it waits for that. */
static void end_step(struct process_plan *plan, const struct process_step *s, struct cursor *c,
		     struct cursor *cursors)
{
	c->last = s->number;
	c->begun = false;
	c->step++;
	if (s->what == PROCESS_FORK) {
		cursors[s->child].alive = true;
		cursors[s->child].last = s->number;
	}
	if (c->step == plan->processes[s->process].nr_steps)
		c->alive = false;
}

/* Waiting for a child: all of its steps come before. */
static bool is_blocked(const struct process_plan *plan, const struct process_step *s,
		       const struct cursor *cursors)
{
	return s->what == PROCESS_WAIT &&
	       cursors[s->child].step < plan->processes[s->child].nr_steps;
}

static int emit_turn(struct process_plan *plan, struct trace *t, uint32_t p, struct cursor *cursors)
{
	struct cursor *c = &cursors[p];
	uint32_t step = plan->processes[p].steps[c->step];
	bool done;
	int err;

	if (is_blocked(plan, &plan->steps[step], cursors))
		return 0;
	err = c->begun ? 0 : begin_step(plan, t, step, c);
	if (!err && plan->steps[step].what == PROCESS_WAIT)
		plan->steps[step].name = cursors[plan->steps[step].child].last;
	if (!err)
		err = emit_round(plan, t, step, c, &done);
	if (!err && done)
		end_step(plan, &plan->steps[step], c, cursors);
	return err;
}

int process_plan_emit(struct process_plan *plan, uint32_t first, struct trace *t)
{
	struct cursor *cursors = calloc(plan->nr_processes, sizeof(*cursors));
	bool any = true;
	int err = cursors ? 0 : -ENOMEM;

	for (size_t p = first; p < plan->nr_processes && !err; p++) {
		cursors[p].last = TRACE_NO_PAGE;
		cursors[p].alive = !plan->processes[p].forked && plan->processes[p].nr_steps;
	}
	while (any && !err) {
		any = false;
		for (uint32_t p = first; p < plan->nr_processes && !err; p++) {
			if (!cursors[p].alive)
				continue;
			any = true;
			err = emit_turn(plan, t, p, cursors);
		}
	}
	for (size_t p = first; cursors && p < plan->nr_processes; p++)
		free(cursors[p].at);
	free(cursors);
	return err;
}

/* By rejection: a power of two drawn evenly, then a page in it, kept with its share of that. */
static uint64_t zipf(struct rng *rng, uint64_t nr)
{
	unsigned bits = 64u - (unsigned)__builtin_clzll(nr);

	for (;;) {
		uint64_t low = UINT64_C(1) << rng_below(rng, bits);
		uint64_t page = low + rng_below(rng, low);

		if (page <= nr && rng_below(rng, page) < low)
			return page - 1;
	}
}

/*
 * A permutation of [0, nr): four rounds of a Feistel network over the pairs of numbers that a power
 * of four has, repeated until it comes back into the range, as it does since it is a bijection.
 */
static uint64_t shuffled(uint64_t seed, uint64_t i, uint64_t nr)
{
	unsigned half = 1;

	while (half < 32 && (nr - 1) >> (2 * half))
		half++;
	do {
		uint64_t low = i & ((UINT64_C(1) << half) - 1), high = i >> half;

		for (unsigned round = 0; round < 4; round++) {
			struct rng rng = {seed + round + (low << 2)};
			uint64_t mixed = high ^ (rng_next(&rng) >> (64 - half));

			high = low;
			low = mixed;
		}
		i = high << half | low;
	} while (i >= nr);
	return i;
}

uint64_t process_page(const struct process_step *step, uint64_t i, uint64_t nr)
{
	struct rng rng = {step->seed};

	/* Its own numbers, whoever does the access, and when. */
	rng.state = rng_next(&rng) + i * UINT64_C(0xd1342543de82ef95);
	switch (step->access) {
	case PROCESS_RANDOM:
		return rng_below(&rng, nr);
	case PROCESS_SHUFFLED:
		rng.state = step->seed + i / nr;
		return shuffled(rng_next(&rng), i % nr, nr);
	case PROCESS_ZIPF:
		return zipf(&rng, nr);
	default:
		return i % nr;
	}
}
