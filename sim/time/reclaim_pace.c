/* SPDX-License-Identifier: Apache-2.0 */
/* Charges time until it is due. Knows nothing of threads. */
#include "sim/time/reclaim_pace.h"

void reclaim_step_begin(struct reclaim_step *step, const struct cpu *c)
{
	*step = (struct reclaim_step){.since_ps = cpu_pending_until_ps(c)};
}

static void charge_until(struct cpu *c, uint64_t due_ps)
{
	uint64_t at_ps = cpu_pending_until_ps(c);

	if (due_ps > at_ps)
		cpu_charge_delay(c, due_ps - at_ps);
}

void reclaim_step_of_kswapd(struct reclaim_pace *p, struct reclaim_step *step, struct cpu *c)
{
	uint64_t own_ps = cpu_pending_until_ps(c) - step->since_ps;

	if (p->set.page_ps && own_ps) {
		p->own_ps += own_ps;
		p->paced_ps += step->freed * p->set.page_ps;
		charge_until(c, step->since_ps +
					(uint64_t)((__uint128_t)own_ps * p->paced_ps / p->own_ps));
	}
	reclaim_step_begin(step, c);
}

void reclaim_step_of_program(const struct reclaim_pace *p, struct reclaim_step *step, struct cpu *c,
			     uint64_t freed)
{
	charge_until(c, step->since_ps + freed * p->set.page_ps);
	reclaim_step_begin(step, c);
}

void reclaim_step_arrive(const struct reclaim_pace *p, struct reclaim_step *step, struct cpu *c)
{
	charge_until(c, step->since_ps + p->set.wake_ps);
	reclaim_step_begin(step, c);
}
