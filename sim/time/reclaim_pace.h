/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reclaim at the pace of another machine (sim_set_reclaim_pace()), on which a trace was taken:
 * against the times of its operations, a kswapd that is many times quicker would never be late.
 *
 * All that a kswapd does takes longer by one factor, so that its pages take the pace on average
 * over what all of them have done so far; never shorter. Who reclaims for himself takes the pace
 * for each of his pages. Nothing is owed where no pace is set.
 */
#ifndef SIM_RECLAIM_PACE_H
#define SIM_RECLAIM_PACE_H

#include "sim/sim.h"
#include "sim/time/cpu.h"

struct reclaim_pace {
	struct sim_reclaim_pace set;
	uint64_t own_ps;   /* that kswapds have taken by the simulated machine */
	uint64_t paced_ps; /* that what they have freed takes at the pace */
};

/** A step begins on CPU `c`. */
void reclaim_step_begin(struct reclaim_step *step, const struct cpu *c);
/** The step of a kswapd ends: charges what it was too quick by, and begins the next one. */
void reclaim_step_of_kswapd(struct reclaim_pace *p, struct reclaim_step *step, struct cpu *c);
/** The same, for a program that has reclaimed `freed` pages. */
void reclaim_step_of_program(const struct reclaim_pace *p, struct reclaim_step *step, struct cpu *c,
			     uint64_t freed);
/** A kswapd that was woken when the step began is about to run: charges what is left of it. */
void reclaim_step_arrive(const struct reclaim_pace *p, struct reclaim_step *step, struct cpu *c);

#endif
