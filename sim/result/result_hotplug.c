/* SPDX-License-Identifier: Apache-2.0 */
/* What became of the steps of memory hotplug, and what they cost. */
#include "sim/result/result_hotplug.h"

#include <inttypes.h>

#include "sim/json.h"
#include "sim/text.h"

void hotplug_put(json_t *doc, const struct result_of *of)
{
	json_t *steps = json_put_array(doc, "hotplug");

	for (size_t i = 0; i < of->counts->plugs.nr; i++) {
		const struct replay_plug *s = &of->counts->plugs.at[i];
		json_t *step = json_append_object(steps);

		json_put_string(step, "step", of->trace->steps[s->step]);
		json_put(step, "cpu", (uint64_t)s->cpu);
		json_put(step, "at_ps", s->at_ps);
		json_put(step, "took_ps", s->took_ps);
		json_put(step, "blocks", s->blocks);
		json_put(step, "migrated_pages", s->migrated);
		json_put_string(step, "refused", s->refused);
	}
}

void hotplug_print(const json_t *doc, FILE *out)
{
	const json_t *steps = json_object_get(doc, "hotplug"), *step;
	size_t i;

	if (!json_array_size(steps))
		return;
	fprintf(out, "\nhotplug\n");
	json_array_foreach (steps, i, step) {
		const char *refused = json_get_string(step, "refused");

		fprintf(out, "  %-34s at %s took %s", json_get_string(step, "step"),
			text_time(json_get(step, "at_ps")).text,
			text_time(json_get(step, "took_ps")).text);
		if (json_get(step, "migrated_pages"))
			fprintf(out, ", %" PRIu64 " pages moved", json_get(step, "migrated_pages"));
		fprintf(out, "%s%s\n", *refused ? "; refused: " : "", refused);
	}
}
