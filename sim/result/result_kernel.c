/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the kernel's functions: a row a call of the scenario. */
#include "sim/result/result_kernel.h"

#include "sim/json.h"
#include "sim/text.h"

void kernel_calls_put(json_t *doc, const struct result_of *w)
{
	const struct replay_kernel_counts *c = &w->counts->kernel;
	const struct kernel_plan *plan = w->trace->kernel;
	json_t *calls = json_put_array(doc, "kernel_calls"), *lines;

	for (size_t i = 0; c->of && i < plan->nr_calls; i++) {
		json_t *call = json_append_object(calls);
		uint32_t about = plan->calls[i].about;

		json_put_string(call, "function", kernel_do_name(plan->calls[i].what));
		json_put_string(call, "about", about == KERNEL_NONE ? "" : plan->texts[about]);
		json_put(call, "calls", c->of[i].calls);
		json_put(call, "failed", c->of[i].failed);
		json_put(call, "of_nothing", c->of[i].nothing);
		json_put(call, "ps", c->of[i].ps);
	}
	lines = json_put_array(doc, "printed");
	for (unsigned i = 0; i < c->nr_lines; i++)
		json_array_append_new(lines, json_string(c->lines[i]));
}

void kernel_calls_print(const json_t *doc, FILE *out)
{
	const json_t *calls = json_object_get(doc, "kernel_calls"), *call, *line;
	size_t i;

	if (json_array_size(calls))
		fprintf(out, "\n%-20s%-16s%12s%12s%14s%14s\n", "Kernel function", "of", "calls",
			"failed", "time", "each");
	json_array_foreach (calls, i, call) {
		uint64_t nr = json_get(call, "calls");

		fprintf(out, "%-20s%-16s%12s", json_get_string(call, "function"),
			json_get_string(call, "about"), text_count(nr).text);
		fprintf(out, "%12s%14s%14s\n", text_count(json_get(call, "failed")).text,
			text_time(json_get(call, "ps")).text,
			nr ? text_time(json_get(call, "ps") / nr).text : "-");
	}
	json_array_foreach (json_object_get(doc, "printed"), i, line)
		fprintf(out, "%s%s\n", i ? "" : "\n", json_string_value(line));
}
