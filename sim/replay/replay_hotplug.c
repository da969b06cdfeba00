/* SPDX-License-Identifier: Apache-2.0 */
/* Has memory come and go while others run. Who plugs it waits for what it takes. */
#include "sim/replay/replay_hotplug.h"

#include <stdlib.h>
#include <string.h>

#include "sim/machine/hotplug.h"

void replay_hotplug(struct sim *s, const struct trace *t, int cpu, const struct trace_event *ev,
		    struct replay_plugs *plugs)
{
	struct replay_plug out = {.step = ev->bytes, .cpu = cpu, .at_ps = sim_now_ps(s, cpu)};
	struct mm_hotplug_done done = {0};
	struct mm_hotplug_step step;
	struct mm_refusal refusal;
	struct replay_plug *grown;

	if (!hotplug_parse(t->steps[ev->bytes], &step, out.refused, sizeof(out.refused))) {
		sim_plug(s, &step);
		if (mm_hotplug(sim_mm(s), cpu, &step, &done, &refusal))
			memcpy(out.refused, refusal.why, sizeof(out.refused));
	}
	sim_settle(s, cpu);
	out.took_ps = sim_now_ps(s, cpu) - out.at_ps;
	out.blocks = done.blocks;
	out.migrated = done.migrated;
	grown = realloc(plugs->at, (plugs->nr + 1) * sizeof(*grown));
	if (!grown)
		return;
	plugs->at = grown;
	grown[plugs->nr++] = out;
}

void replay_plugs_clear(struct replay_plugs *plugs)
{
	free(plugs->at);
	*plugs = (struct replay_plugs){0};
}
