/* SPDX-License-Identifier: Apache-2.0 */
/* Turns of actors on one clock, with a mover that is not SimGrid. */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "sim/time/schedule.h"
#include "tests/machine_builder.h"

#define NR 4

/* What happened, in order: "number@ps ". */
struct story {
	struct schedule *schedule;
	char text[512];
	size_t len;
	struct actor_arg {
		struct story *story;
		int number;
	} args[NR];
	double moved[NR]; /* bytes that were asked of the mover */
	int moving;
};

static void tell(struct story *s)
{
	s->len += (size_t)snprintf(s->text + s->len, sizeof(s->text) - s->len, "%d@%" PRIu64 " ",
				   schedule_current(s->schedule), schedule_now_ps(s->schedule));
}

static void move(void *arg, int number, const struct flow *flow)
{
	struct story *s = arg;

	s->moved[number] = flow->left;
	s->moving++;
}

/* All arrive at 500 ns, late. */
static uint64_t wait_for(void *arg, uint64_t until_ps)
{
	struct story *s = arg;

	if (until_ps < 500000)
		return until_ps;
	for (int i = 0; i < NR; i++)
		if (s->moved[i] > 0)
			schedule_moved(s->schedule, i, 500000, 0);
	memset(s->moved, 0, sizeof(s->moved));
	return 500000;
}

/* With nobody to move rivals until somebody is asked for, if `late`. */
static struct story *run_with(const struct machine *m, void (*main)(void *arg), bool late)
{
	static struct story s;
	const struct schedule_ops ops = {.move = move, .wait = wait_for, .arg = &s};

	s = (struct story){.schedule = schedule_create(m, NR, late ? NULL : &ops)};
	cr_assert_not_null(s.schedule);
	for (int i = 0; i < NR; i++) {
		s.args[i] = (struct actor_arg){&s, i};
		cr_assert_eq(schedule_add(s.schedule, i, main, &s.args[i]), 0);
	}
	cr_assert_eq(schedule_current(s.schedule), -1);
	if (late) {
		cr_assert_eq(schedule_run(s.schedule), -EAGAIN);
		cr_assert_eq(schedule_current(s.schedule), -1);
		schedule_set_ops(s.schedule, &ops);
	}
	cr_assert_eq(schedule_run(s.schedule), 0);
	schedule_free(s.schedule);
	return &s;
}

static struct story *run(const struct machine *m, void (*main)(void *arg))
{
	return run_with(m, main, false);
}

static void sleeper(void *arg)
{
	const struct actor_arg *a = arg;

	schedule_sleep_until(a->story->schedule, a->number == 2 ? 5 : 10);
	tell(a->story);
	schedule_sleep_until(a->story->schedule, 7);
	schedule_sleep_until(a->story->schedule, 20 - (uint64_t)a->number);
	tell(a->story);
}

Test(schedule, by_time_and_then_by_turn)
{
	struct machine *m = build_machine(1, NR);

	cr_assert_str_eq(run(m, sleeper)->text, "2@5 0@10 1@10 3@10 3@17 2@18 1@19 0@20 ");
	built_free(m);
}

/* 0 wakes 1, which blocks, 2, which will, and 3 just when its time is up. */
static void blocker(void *arg)
{
	const struct actor_arg *a = arg;
	struct schedule *s = a->story->schedule;
	bool woken = false;

	switch (a->number) {
	case 0:
		schedule_sleep_until(s, 10);
		schedule_unblock(s, 1);
		schedule_unblock(s, 2);
		tell(a->story);
		schedule_sleep_until(s, 30);
		schedule_unblock(s, 3);
		schedule_unblock(s, 3);
		tell(a->story);
		break;
	case 1:
		schedule_block(s);
		break;
	case 2:
		schedule_sleep_until(s, 20);
		schedule_block(s);
		break;
	default:
		cr_expect_not(schedule_block_for(s, 5));
		tell(a->story);
		schedule_sleep_until(s, 12);
		woken = schedule_block_for(s, 18);
		cr_expect(woken);
		tell(a->story);
		cr_expect(schedule_block_for(s, 25), "the second was kept");
		break;
	}
	tell(a->story);
}

Test(schedule, who_is_unblocked_goes_first)
{
	struct machine *m = build_machine(1, NR);

	cr_assert_str_eq(run(m, blocker)->text, "3@5 1@10 0@10 2@20 3@30 3@30 0@30 0@30 ");
	built_free(m);
}

/* Three over a link and one at the bank behind it: two short links, so they are the mover's. */
static void transfers(void *arg)
{
	const struct actor_arg *a = arg;
	struct schedule *s = a->story->schedule;
	struct flow_way way = {.nid = a->number ? 1 : 0, .bank = 0};

	schedule_transfer(s, &(struct flow_part){.way = way, .bytes = 1000}, 1);
	tell(a->story);
	/* All at once, to banks of their own or not: the same bank by four, 5 B/ns each. */
	way.nid = 0;
	schedule_transfer(s, &(struct flow_part){.way = way, .bytes = 1000}, 1);
	tell(a->story);
}

Test(schedule, rivals_are_moved)
{
	struct machine *m = build_machine(2, NR / 2);
	struct story *s = run(m, transfers);

	cr_assert_eq(s->moving, NR);
	cr_assert_str_eq(s->text, "0@500000 1@500000 2@500000 3@500000 "
				  "0@700000 1@700000 2@700000 3@700000 ");
	built_free(m);
}

/* It goes on where it was. */
Test(schedule, who_moves_rivals_may_come_when_needed)
{
	struct machine *m = build_machine(2, NR / 2);
	struct story *s = run_with(m, transfers, true);

	cr_assert_eq(s->moving, NR);
	cr_assert_str_eq(s->text, "0@500000 1@500000 2@500000 3@500000 "
				  "0@700000 1@700000 2@700000 3@700000 ");
	built_free(m);
}

/* 10 B at 30 B/ns: 333.33 ps, and 1000 of three times that, of which two are noticed at 333 and
 * 667. */
static void one_after_the_other(void *arg)
{
	const struct actor_arg *a = arg;
	struct schedule *s = a->story->schedule;
	const struct flow_way way = {.nid = 0, .bank = 0};

	for (int i = 0; i < 3 && a->number == 1; i++) {
		schedule_transfer(s, &(struct flow_part){.way = way, .bytes = 10}, 1);
		tell(a->story);
	}
}

Test(schedule, transfers_begin_where_others_end)
{
	struct machine *m = build_machine(1, 1);

	m->banks[0].bytes_per_s = 30000000000;
	build_routes(m);
	cr_assert_str_eq(run(m, one_after_the_other)->text, "1@333 1@667 1@1000 ");
	built_free(m);
}

/* 0 is a third of a picosecond later than those who sleep until the picosecond that is nearest; 3,
 * who is there a third before it, goes by its number. */
static void who_is_late(void *arg)
{
	const struct actor_arg *a = arg;
	struct schedule *s = a->story->schedule;
	const int nid = a->number ? 1 : 0;
	const struct flow_way way = {.nid = nid, .bank = nid};

	switch (a->number) {
	case 0:
		schedule_transfer(s, &(struct flow_part){.way = way, .bytes = 10},
				  1); /* 333.33 ps */
		break;
	case 3:
		schedule_sleep_until(s, 266);
		schedule_transfer(s, &(struct flow_part){.way = way, .bytes = 2}, 1); /* 66.67 ps */
		break;
	default:
		schedule_sleep_until(s, a->number == 1 ? 333 : 200);
		schedule_sleep_until(s, 333);
		break;
	}
	tell(a->story);
}

Test(schedule, who_is_late_by_part_of_a_picosecond_goes_last)
{
	struct machine *m = build_machine(2, 2);

	for (int nid = 0; nid < 2; nid++)
		m->banks[nid].bytes_per_s = 30000000000;
	build_routes(m);
	cr_assert_str_eq(run(m, who_is_late)->text, "1@333 2@333 3@333 0@333 ");
	built_free(m);
}

/*
 * Bytes of a transfer move at once, and it is over with the last: 0 has 1000 B over its link, 100
 * ns, and 4000 B on the bank. 1 has 3000 B there, by halves of 20 B/ns until it has them at 300 ns;
 * 0 then moves its last 1000 B in 50 ns. 2 comes to the link at 100 ns and finds it free.
 */
static void parts_at_once(void *arg)
{
	const struct actor_arg *a = arg;
	struct schedule *s = a->story->schedule;
	const struct flow_part parts[] = {
		{.way = {.nid = 0, .bank = 1, .over = FLOW_LINKS}, .bytes = 1000},
		{.way = {.nid = 0, .bank = 1, .over = FLOW_BANK}, .bytes = a->number ? 3000 : 4000},
	};

	if (a->number == 2)
		schedule_sleep_until(s, 100000);
	if (a->number < 3)
		schedule_transfer(s, &parts[a->number == 1], a->number ? 1 : 2);
	tell(a->story);
}

Test(schedule, a_transfer_ends_with_the_last_of_its_parts)
{
	struct machine *m = build_machine(2, 2);

	cr_assert_str_eq(run(m, parts_at_once)->text, "3@0 2@200000 1@300000 0@350000 ");
	built_free(m);
}
