/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who goes on when: actors as fibers, on one clock, by a heap of the times at which they wake. At
 * the same time those who slept go on by their numbers, then those who were unblocked, in order,
 * and then those whose bytes have moved a part of a picosecond later, by that.
 *
 * An actor that sleeps until a time before all others' just goes on. Bytes that nobody competes
 * with (flow.h) arrive when they would alone. Only for rivals is SimGrid asked, by the operations
 * below: those that move already take along what is left of them. Nobody goes on at a time that
 * SimGrid has not come to, as long as a rival could have arrived before it; or ever, where it is
 * always asked, which makes no other difference.
 *
 * Time in picoseconds since the start. Knows nothing of CPUs, costs and accounts.
 */
#ifndef SIM_SCHEDULE_H
#define SIM_SCHEDULE_H

#include "sim/time/flow.h"

struct schedule;

/* Who moves the bytes of rivals; called on the stack of schedule_run(). */
struct schedule_ops {
	/** Move what is left of its bytes, from its at_ps on; at their end, schedule_moved(who). */
	void (*move)(void *arg, int who, const struct flow *flow);
	/**
	 * Let time pass until a transfer ends, or until until_ps (UINT64_MAX: as long as it takes);
	 * say which has with schedule_moved(). Returns the time it is then.
	 */
	uint64_t (*wait)(void *arg, uint64_t until_ps);
	void *arg;
};

/** For the machine, borrowed; actors 0 to nr. `ops` NULL: none yet. NULL: no memory. */
struct schedule *schedule_create(const struct machine *m, int nr, const struct schedule_ops *ops);
void schedule_free(struct schedule *s);
/** Who moves the bytes of rivals, where that was not said before. */
void schedule_set_ops(struct schedule *s, const struct schedule_ops *ops);
/** Have all bytes moved by the operations, and wait for their time before each turn. Before all
 * else.
 */
void schedule_always_ask(struct schedule *s);

/** An actor that calls main(arg) from now on. Returns 0 or -ENOMEM. */
int schedule_add(struct schedule *s, int number, void (*main)(void *arg), void *arg);
/**
 * Run until every main has returned; all blocked is an error of the caller. Once. 0 or -ENOMEM;
 * -EOVERFLOW where the clock would have passed SIM_MAX_PS, mains left where they stood; or -EAGAIN
 * where somebody is needed for rivals and there are no operations: call it again, once
 * there are, on any stack.
 */
int schedule_run(struct schedule *s);

uint64_t schedule_now_ps(const struct schedule *s);
/** The number of the actor that calls this; -1 outside of all of them. */
int schedule_current(const struct schedule *s);
/** The bytes that `who` stands for have arrived, `part` of a picosecond after at_ps. */
void schedule_moved(struct schedule *s, int who, uint64_t at_ps, double part);

/* For actors; as engine.h has them. */
void schedule_sleep_until(struct schedule *s, uint64_t when_ps);
void schedule_transfer(struct schedule *s, const struct flow_part *parts, int nr);
void schedule_block(struct schedule *s);
bool schedule_block_for(struct schedule *s, uint64_t ps);
void schedule_unblock(struct schedule *s, int number);

#endif
