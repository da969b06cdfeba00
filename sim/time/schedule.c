/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A binary heap of wake-ups, of which an actor, or each part of what it moves, has one at most, and
 * the turns that follow from it.
 */
#include "sim/time/schedule.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "sim/sim.h"
#include "sim/time/bug.h"
#include "sim/time/fiber.h"

struct actor {
	struct schedule *schedule;
	struct fiber *fiber; /* NULL: it was never made */
	void (*main)(void *arg);
	void *arg;
	bool blocked;    /* until it is unblocked, or its time comes */
	bool granted;    /* it was unblocked */
	unsigned tokens; /* unblocked before it blocked */
	struct part {
		struct flow flow;
		bool moves;  /* SimGrid moves its bytes: the wake-up is for when they may arrive */
		bool late;   /* and they have not, by then */
	} parts[FLOW_PARTS]; /* of what it moves */
	int nr_left;         /* of them, that it waits for */
	double end_part;     /* of a picosecond, of the last one */
};

/* Actors are woken by number; so are their first parts, and the others by numbers beyond. */
struct wakeup {
	uint64_t ps, turn; /* at the same time, by turns */
	int who;
};

struct schedule {
	struct schedule_ops ops; /* move NULL: nobody does */
	struct actor *actors;    /* by number */
	int nr_actors;           /* (C) */
	int nr_alive;
	struct wakeup *heap;
	int *places; /* in the heap, by who; -1: it is not there */
	int nr;      /* of wake-ups */
	bool hole;   /* and one more place than that, the first: who was there runs */
	uint64_t next_turn;
	uint64_t now_ps;
	uint64_t part_ps;        /* when bytes had moved last, */
	double part;             /* and the part of a picosecond after that */
	uint64_t moved_until_ps; /* how far SimGrid has come, while there are rivals */
	struct actor *current;   /* NULL: schedule_run() itself */
	struct fiber *home;      /* of schedule_run() */
	struct flows *flows;
	bool new_rivals; /* for SimGrid to move */
	bool always_ask; /* (C) it moves all */
	int nr_moving;   /* there, */
	int nr_late;     /* and of these; if it is always asked, one more */
	bool over;       /* the clock would pass SIM_MAX_PS */
};

/*
 * Times that are less than so many picoseconds apart are one: as SimGrid has it (engine.c). So who
 * is that late goes last, whenever he began to sleep.
 */
#define SAME_TIME  0.1
#define LATE       (UINT64_C(1) << 62)
#define LATE_STEPS (1 << 24)

/* The heap. */

/* As one number: which comes first is anybody's guess, also that of the host's branch predictor. */
static bool before(const struct wakeup *a, const struct wakeup *b)
{
	__uint128_t x = (__uint128_t)a->ps << 64 | a->turn, y = (__uint128_t)b->ps << 64 | b->turn;

	return x < y;
}

static void put(struct schedule *s, int place, struct wakeup w)
{
	s->heap[place] = w;
	s->places[w.who] = place;
}

/* Up from a place that is free to where `w` belongs. */
static void sift_up(struct schedule *s, int place, struct wakeup w)
{
	while (place && before(&w, &s->heap[(place - 1) / 2])) {
		put(s, place, s->heap[(place - 1) / 2]);
		place = (place - 1) / 2;
	}
	put(s, place, w);
}

/* Down, or up. */
static void sift(struct schedule *s, int place, struct wakeup w)
{
	for (;;) {
		int child = 2 * place + 1;

		if (child >= s->nr)
			break;
		if (child + 1 < s->nr)
			child += before(&s->heap[child + 1], &s->heap[child]);
		if (!before(&s->heap[child], &w))
			break;
		put(s, place, s->heap[child]);
		place = child;
	}
	sift_up(s, place, w);
}

/*
 * The first is up, and its place stays free: mostly it sleeps again, so that what it puts in sinks
 * from there, and nothing has to come up from the end.
 */
static void take_first(struct schedule *s)
{
	s->places[s->heap[0].who] = -1;
	s->hole = true;
	s->nr--;
}

static void fill_hole(struct schedule *s)
{
	if (!s->hole)
		return;
	s->hole = false;
	if (s->nr)
		sift(s, 0, s->heap[s->nr]);
}

static inline void put_in(struct schedule *s, struct wakeup w)
{
	int place = s->places[w.who];

	if (place >= 0) {
		fill_hole(s);
		sift(s, s->places[w.who], w);
	} else if (s->hole) {
		s->hole = false;
		s->nr++;
		sift(s, 0, w);
	} else {
		sift_up(s, s->nr++, w);
	}
}

/* Does nobody wake at that time or before? */
static inline bool is_first(const struct schedule *s, uint64_t ps)
{
	int from = s->hole ? 1 : 0, end = s->hole ? 3 : 1;

	if (end > s->nr + s->hole)
		end = s->nr + s->hole;
	for (int i = from; i < end; i++)
		if (s->heap[i].ps <= ps)
			return false;
	return true;
}

/*
 * Wake it then, and not when it was said before. Those who come to the same time go on by their
 * numbers: not by when they began to sleep, which says more of how a time was cut into sleeps.
 */
static void wake_at(struct schedule *s, const struct actor *a, uint64_t ps)
{
	int who = (int)(a - s->actors);

	put_in(s, (struct wakeup){.ps = ps, .turn = (uint64_t)who, .who = who});
}

static struct part *part_of(struct schedule *s, int who)
{
	return &s->actors[who % s->nr_actors].parts[who / s->nr_actors];
}

/* Once the bytes have moved that `who` stands for. */
static void wake_after(struct schedule *s, int who)
{
	const struct flow *flow = &part_of(s, who)->flow;
	uint64_t turn = (uint64_t)(who % s->nr_actors);

	if (flow->end_part > SAME_TIME)
		turn |= LATE | (uint64_t)(flow->end_part * LATE_STEPS) << 32;
	put_in(s, (struct wakeup){.ps = flow->end_ps, .turn = turn, .who = who});
}

/* Right now, after all who are to go on now already. */
static void wake_now(struct schedule *s, const struct actor *a)
{
	put_in(s, (struct wakeup){.ps = s->now_ps,
				  .turn = (uint64_t)s->nr_actors + s->next_turn++,
				  .who = (int)(a - s->actors)});
}

/* Turns. */

/* One of its parts has moved. Does it wait for others? */
static bool waits_on(struct schedule *s, struct actor *a, struct part *part)
{
	flows_end(s->flows, &part->flow, s->now_ps);
	a->end_part = part->flow.end_part;
	return --a->nr_left != 0;
}

/* The next that goes on, and the clock as it does; NULL: SimGrid has to do something first. */
static struct actor *next_actor(struct schedule *s)
{
	for (fill_hole(s); s->nr && !s->new_rivals && !s->over; fill_hole(s)) {
		const struct wakeup w = s->heap[0];
		struct part *part;
		struct actor *a;

		if (s->nr_late && w.ps > s->moved_until_ps)
			return NULL;
		s->over = w.ps > SIM_MAX_PS;
		if (s->over)
			return NULL;
		take_first(s);
		s->now_ps = w.ps;
		a = &s->actors[w.who % s->nr_actors];
		if (!a->nr_left)
			return a;
		part = part_of(s, w.who);
		if (part->moves) {
			part->late = true;
			s->nr_late++;
		} else if (!waits_on(s, a, part)) {
			return a;
		}
	}
	return NULL;
}

static void switch_to(struct schedule *s, struct actor *next, bool for_good)
{
	struct actor *self = s->current;
	struct fiber *from = self ? self->fiber : s->home, *to = next ? next->fiber : s->home;

	if (next == self)
		return;
	s->current = next;
	if (for_good)
		fiber_leave(from, to);
	fiber_switch(from, to);
}

/* The actor goes on when it is woken. */
static void give_way(struct schedule *s)
{
	switch_to(s, next_actor(s), false);
}

static void actor_main(void *arg)
{
	struct actor *a = arg;

	a->main(a->arg);
	a->schedule->nr_alive--;
	switch_to(a->schedule, next_actor(a->schedule), true);
}

/* Who it stands for. */
static int who_moves(const struct schedule *s, const struct flow *flow)
{
	size_t at = (size_t)((const char *)flow - (const char *)s->actors);
	size_t number = at / sizeof(struct actor);
	size_t in_actor = at % sizeof(struct actor) - offsetof(struct actor, parts);

	return (int)(in_actor / sizeof(struct part)) * s->nr_actors + (int)number;
}

/* Its bytes arrive at another time. */
static void flow_changed(void *arg, struct flow *flow)
{
	struct schedule *s = arg;

	if (!s->always_ask)
		wake_after(s, who_moves(s, flow));
	s->new_rivals |= flow->simgrid;
}

static void move_rivals(struct schedule *s)
{
	struct flow *flow;

	s->new_rivals = false;
	while ((flow = flows_next_for_simgrid(s->flows))) {
		int who = who_moves(s, flow);

		part_of(s, who)->moves = true;
		s->nr_moving++;
		s->ops.move(s->ops.arg, who, flow);
	}
}

int schedule_run(struct schedule *s)
{
	fiber_free(s->home);
	s->home = fiber_of_caller();
	if (!s->home)
		return -ENOMEM;
	for (;;) {
		struct actor *next = next_actor(s);

		if (next)
			switch_to(s, next, false);
		else if (s->over)
			return -EOVERFLOW;
		else if (s->new_rivals && !s->ops.move)
			return -EAGAIN;
		else if (s->new_rivals)
			move_rivals(s);
		else if (s->nr || s->nr_moving)
			s->moved_until_ps =
				s->ops.wait(s->ops.arg, s->nr ? s->heap[0].ps : UINT64_MAX);
		else
			break;
	}
	if (s->nr_alive)
		SIM_BUG("%d actors wait for each other for ever", s->nr_alive);
	return 0;
}

void schedule_set_ops(struct schedule *s, const struct schedule_ops *ops)
{
	s->ops = *ops;
}

struct schedule *schedule_create(const struct machine *m, int nr, const struct schedule_ops *ops)
{
	struct schedule *s = calloc(1, sizeof(*s));
	size_t all = FLOW_PARTS * (size_t)nr;

	if (!s)
		return NULL;
	if (ops)
		s->ops = *ops;
	s->nr_actors = nr;
	s->actors = calloc((size_t)nr, sizeof(*s->actors));
	s->heap = calloc(all, sizeof(*s->heap));
	s->places = calloc(all, sizeof(*s->places));
	for (size_t i = 0; s->places && i < all; i++)
		s->places[i] = -1;
	s->flows = flows_create(m, flow_changed, s);
	if (s->actors && s->heap && s->places && s->flows)
		return s;
	schedule_free(s);
	return NULL;
}

void schedule_always_ask(struct schedule *s)
{
	s->always_ask = true;
	s->nr_late++;
	flows_always_simgrid(s->flows);
}

void schedule_free(struct schedule *s)
{
	if (!s)
		return;
	for (int i = 0; s->actors && i < s->nr_actors; i++) {
		fiber_free(s->actors[i].fiber);
		for (int part = 0; part < FLOW_PARTS; part++)
			flow_clear(&s->actors[i].parts[part].flow);
	}
	fiber_free(s->home);
	flows_free(s->flows);
	free(s->actors);
	free(s->heap);
	free(s->places);
	free(s);
}

/* Who was woken or made goes on before who did that, as with SimGrid. */
static void let_go_first(struct schedule *s)
{
	if (!s->current)
		return;
	wake_now(s, s->current);
	give_way(s);
}

int schedule_add(struct schedule *s, int number, void (*main)(void *arg), void *arg)
{
	struct actor *a = &s->actors[number];

	*a = (struct actor){
		.schedule = s,
		.fiber = fiber_create(actor_main, a, (unsigned)number),
		.main = main,
		.arg = arg,
	};
	if (!a->fiber)
		return -ENOMEM;
	s->nr_alive++;
	wake_now(s, a);
	let_go_first(s);
	return 0;
}

uint64_t schedule_now_ps(const struct schedule *s)
{
	return s->now_ps;
}

int schedule_current(const struct schedule *s)
{
	return s->current ? (int)(s->current - s->actors) : -1;
}

void schedule_sleep_until(struct schedule *s, uint64_t when_ps)
{
	if (when_ps <= s->now_ps)
		return;
	if (!s->nr_late && when_ps <= SIM_MAX_PS && is_first(s, when_ps)) {
		s->now_ps = when_ps;
		return;
	}
	wake_at(s, s->current, when_ps);
	give_way(s);
}

/* Of a picosecond, that it is now after the whole one. Nothing begins before that. */
static double part_now(const struct schedule *s)
{
	return s->part_ps == s->now_ps && s->part > -SAME_TIME ? s->part : 0;
}

/* Bytes have moved by now, and that part. */
static void moved_now(struct schedule *s, double part)
{
	s->part_ps = s->now_ps;
	s->part = part;
}

void schedule_transfer(struct schedule *s, const struct flow_part *parts, int nr)
{
	struct actor *self = s->current;
	double part = part_now(s), end_part = part;
	uint64_t ps = flows_alone_ps(s->flows, parts, nr, &end_part);

	/* Over before anybody else could do something. */
	if (ps <= SIM_MAX_PS - s->now_ps && flows_none(s->flows) && !s->always_ask &&
	    is_first(s, s->now_ps + ps)) {
		s->now_ps += ps;
		moved_now(s, end_part);
		return;
	}
	self->nr_left = nr;
	for (int i = 0; i < nr; i++)
		if (flows_begin(s->flows, &self->parts[i].flow, &parts[i], s->now_ps, part))
			SIM_BUG("no memory for one more transfer");
	give_way(s);
	moved_now(s, self->end_part);
}

void schedule_moved(struct schedule *s, int who, uint64_t at_ps, double part)
{
	struct part *moved = part_of(s, who);
	struct flow *flow = &moved->flow;

	s->nr_moving--;
	s->nr_late -= moved->late;
	moved->moves = moved->late = false;
	flow->end_ps = at_ps < s->now_ps ? s->now_ps : at_ps;
	flow->end_part = part;
	flows_end(s->flows, flow, flow->end_ps);
	wake_after(s, who);
}

void schedule_block(struct schedule *s)
{
	struct actor *self = s->current;

	if (self->tokens) {
		self->tokens--;
		return;
	}
	self->granted = false;
	self->blocked = true;
	give_way(s);
	self->blocked = false;
}

bool schedule_block_for(struct schedule *s, uint64_t ps)
{
	struct actor *self = s->current;

	if (self->tokens) {
		self->tokens--;
		return true;
	}
	self->granted = false;
	self->blocked = true;
	wake_at(s, self, s->now_ps + ps);
	give_way(s);
	self->blocked = false;
	return self->granted;
}

void schedule_unblock(struct schedule *s, int number)
{
	struct actor *a = &s->actors[number];

	if (!a->blocked || a->granted) {
		a->tokens++;
		return;
	}
	a->granted = true;
	wake_now(s, a);
	let_go_first(s);
}
