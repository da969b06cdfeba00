/* SPDX-License-Identifier: Apache-2.0 */
/* numasim run: a scenario, which is a machine and synthetic work in one file. */
#include <inttypes.h>
#include <stdio.h>

#include "sim/scenario.h"
#include "tools/work.h"

/* --seed and --set of the command line, as overrides of the scenario's own keys. */
static int load_scenario(const struct arguments *args, struct diag *diag, struct scenario **out)
{
	int err = scenario_load(args->operands[0], args->sets, args->nr_sets, diag, out);

	if (!err)
		(*out)->seed = arguments_number(args, &option_seed, (*out)->seed);
	return err;
}

static int run(const struct arguments *args)
{
	struct scenario *s = NULL;
	struct machine *m = NULL;
	json_t *result = NULL;
	struct diag diag = DIAG_INIT;
	struct work w;
	int err = load_scenario(args, &diag, &s), err_init;

	err_init = work_init(&w, args, s ? s->costs : NULL);
	if (err) {
		diag_clear(&w.diag);
		w.diag = diag;
	} else {
		err = err_init;
	}
	if (!err)
		err = work_load_machine(&w, s->machine, &m);
	if (!err)
		err = scenario_generate(s, m, &w.diag, &w.trace);
	if (!err) {
		w.experiment.trace = w.trace;
		w.experiment.work = s->file;
		err = work_run(&w, m, &result);
	}
	machine_free(m);
	scenario_free(s);
	return work_finish(&w, err, result, false, args->operands[0]);
}

static const struct option_def *const options[] = {
	&option_costs,  &option_set,    &option_seed,   &option_verify,
	&option_events, &option_format, &option_output, NULL};

const struct command command_run = {
	.name = "run",
	.summary = "run a scenario: a machine and synthetic work in one file",
	.operands = "SCENARIO.cfg",
	.description = "Run the workloads of a scenario on its machine. --set reaches both: paths\n"
		       "that begin with workload, machine, costs or seed are the scenario's, the\n"
		       "others the machine's.\n",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
