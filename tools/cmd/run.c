/* SPDX-License-Identifier: Apache-2.0 */
/* numasim run: a scenario, which is a machine and synthetic work in one file. */
#include "tools/work.h"

static int run(const struct arguments *args)
{
	struct machine *m = NULL;
	json_t *result = NULL;
	struct work w;
	int err;

	if (!work_init_with_views(&w, args, "run"))
		return STATUS_WRONG;
	err = work_load_scenario(&w, args->operands[0]);
	if (!err)
		err = work_load_costs(&w);
	if (!err)
		err = work_load_machine(&w, w.scenario->machine, &m);
	if (!err)
		err = work_make_trace(&w, m);
	if (!err)
		err = work_plan(&w, m);
	if (!err)
		err = work_run(&w, m, &result);
	machine_free(m);
	return work_finish(&w, err, result, false, args->operands[0]);
}

static const struct option_def *const options[] = {&option_costs,  &option_set,
						   &option_sysctl, &option_hotplug,
						   &option_thp,    &option_thp_defrag,
						   &option_seed,   &option_timing_mode,
						   &option_verify, &option_events,
						   &option_show,   &option_format,
						   &option_output, NULL};

const struct command command_run = {
	.name = "run",
	.summary = "run a scenario: a machine and synthetic work in one file",
	.operands = "SCENARIO.cfg",
	.description = "Run the workloads of a scenario on its machine. --set reaches both: paths\n"
		       "that begin with workload, machine, costs or seed are the scenario's, the\n"
		       "others the machine's.\n",
	.explain = views_explain,
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
