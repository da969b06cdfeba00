/* SPDX-License-Identifier: Apache-2.0 */
/* How long a CPU of a simulation was busy; for models whose times are counted by hand. */
#ifndef TESTS_BUSY_H
#define TESTS_BUSY_H

#include <criterion/criterion.h>

#include "sim/sim.h"
#include "tests/machine_builder.h"

/** Free the simulation and its built machine. */
static inline void done(struct sim *s)
{
	struct machine *m = (struct machine *)sim_machine(s);

	sim_destroy(s);
	built_free(m);
}

static inline uint64_t busy_ps(const struct sim *s, int cpu)
{
	const struct cpu_account *a = sim_account(s, cpu);

	return a->total_ps - a->cause_ps[CAUSE_IDLE];
}

/** To 10 ps either way. */
static inline void expect_busy(const struct sim *s, int cpu, uint64_t expected)
{
	uint64_t found = busy_ps(s, cpu);

	cr_expect(found + 10 >= expected && found <= expected + 10,
		  "cpu %d: %llu ps, expected %llu", cpu, (unsigned long long)found,
		  (unsigned long long)expected);
}

#endif
