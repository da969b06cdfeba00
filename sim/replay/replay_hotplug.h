/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of memory hotplug in a replay, and what became of them. */
#ifndef SIM_REPLAY_HOTPLUG_H
#define SIM_REPLAY_HOTPLUG_H

#include "sim/sim.h"
#include "sim/trace/trace.h"

struct replay_plug {
	uint32_t step; /* of the trace */
	int cpu;
	uint64_t at_ps, took_ps;
	uint64_t blocks, migrated; /* memory blocks; pages */
	char refused[256];         /* "": it was taken */
};

/* In the order in which they ended. */
struct replay_plugs {
	struct replay_plug *at; /* owned: replay_plugs_clear() */
	size_t nr;
};

/**
 * Take the step of a TRACE_HOTPLUG on the CPU; a refusal is an outcome, too. Simulated time passes.
 */
void replay_hotplug(struct sim *s, const struct trace *t, int cpu, const struct trace_event *ev,
		    struct replay_plugs *plugs);
void replay_plugs_clear(struct replay_plugs *plugs);

#endif
