/* SPDX-License-Identifier: Apache-2.0 */
/* numasim compare: the same work on several machines or memory models, side by side. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/message.h"
#include "tools/trace_in.h"
#include "tools/work.h"

#define DEFAULT_SCENARIO "scenarios/churn.cfg"

static const struct option_def option_trace = {.name = "trace",
					       .kind = OPTION_TEXT,
					       .value = "FILE",
					       .help = "the work: replay this trace"};
static const struct option_def option_scenario = {
	.name = "scenario",
	.kind = OPTION_TEXT,
	.value = "FILE",
	.help = "the work: this scenario's workloads (default: " DEFAULT_SCENARIO ")"};
static const struct option_def option_models = {
	.name = "models",
	.kind = OPTION_TEXT,
	.value = "LIST",
	.help = "each machine with each of these memory models, joined by commas"};

struct columns {
	struct machine **machines;
	size_t nr, room;
};

static int add_column(struct columns *c, struct work *w, const char *path)
{
	struct machine **grown;
	int err;

	if (c->nr == c->room) {
		c->room = c->room ? 2 * c->room : 8;
		grown = realloc(c->machines, c->room * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		c->machines = grown;
	}
	err = work_load_machine(w, path, &c->machines[c->nr]);
	if (!err)
		c->nr++;
	return err;
}

/* The machine once with each model of the list: --set memory_model=... on top of the others. */
static int add_models(struct columns *c, struct work *w, const char *path, const char *list)
{
	struct arguments args = *w->args;
	const struct arguments *given = w->args;
	struct machine_override *sets = calloc(args.nr_sets + 1, sizeof(*sets));
	char *names = strdup(list), *rest = names, *name;
	int err = sets && names ? 0 : -ENOMEM;

	if (!err && args.nr_sets)
		memcpy(sets, args.sets, args.nr_sets * sizeof(*sets));
	args.sets = sets;
	w->args = &args;
	while (!err && (name = strsep(&rest, ","))) {
		sets[given->nr_sets] = (struct machine_override){"memory_model", name};
		args.nr_sets = given->nr_sets + 1;
		err = add_column(c, w, path);
	}
	w->args = given;
	free(names);
	free(sets);
	return err;
}

static int load_columns(struct columns *c, struct work *w)
{
	const char *models = arguments_value(w->args, &option_models);
	int err = 0;

	for (int i = 0; i < w->args->nr_operands && !err; i++)
		err = models ? add_models(c, w, w->args->operands[i], models)
			     : add_column(c, w, w->args->operands[i]);
	return err;
}

static int load_scenario(struct work *w)
{
	const char *given = arguments_value(w->args, &option_scenario);
	char *shipped = given ? NULL : shipped_config(DEFAULT_SCENARIO);
	const char *path = given ? given : shipped;
	int err;

	if (path)
		err = work_load_scenario(w, path);
	else
		err = diag_error(&w->diag, -ENOENT, DEFAULT_SCENARIO, 0,
				 "not among the shipped files; name one with --scenario");
	free(shipped);
	return err;
}

/* What the machine of the trace had to reclaim says nothing of these. */
static int load_trace(struct work *w, const char *path)
{
	int err = work_load_trace(w, path, NULL);

	if (!arguments_value(w->args, &option_reclaim))
		w->experiment.options.reclaim = REPLAY_RECLAIM_SIMULATE;
	return err;
}

static int run(const struct arguments *args)
{
	const char *trace = arguments_value(args, &option_trace);
	struct columns c = {0};
	json_t *results = NULL;
	struct work w;
	int err;

	if (trace && arguments_value(args, &option_scenario)) {
		message("compare: either --trace or --scenario, not both");
		return STATUS_WRONG;
	}
	if (trace && arguments_value(args, &option_seed)) {
		message("compare: --seed is for scenarios, not for --trace");
		return STATUS_WRONG;
	}
	if (!trace && arguments_value(args, &option_policies)) {
		message("compare: --policies is for --trace");
		return STATUS_WRONG;
	}
	if (!trace && arguments_value(args, &option_release)) {
		message("compare: --release is for --trace");
		return STATUS_WRONG;
	}
	if (!trace && arguments_value(args, &option_reclaim)) {
		message("compare: --reclaim is for --trace");
		return STATUS_WRONG;
	}
	work_init(&w, args);
	/* The columns run in child processes, which print nothing. */
	w.experiment.options.progress = NULL;
	err = trace ? 0 : load_scenario(&w);
	if (!err)
		err = work_load_costs(&w);
	if (!err)
		err = load_columns(&c, &w);
	/* A scenario's work is made for the first machine: all get the same operations. */
	if (!err)
		err = trace ? load_trace(&w, trace) : work_make_trace(&w, c.machines[0]);
	for (size_t i = 0; i < c.nr && !err; i++)
		err = work_plan(&w, c.machines[i]);
	/* Where the shipped files are is of no interest. */
	if (!trace && !arguments_value(args, &option_scenario))
		w.experiment.work = DEFAULT_SCENARIO;
	if (!err)
		err = experiment_compare(&w.experiment, c.machines, c.nr, &w.diag, &results);
	for (size_t i = 0; i < c.nr; i++)
		machine_free(c.machines[i]);
	free(c.machines);
	return work_finish(&w, err, results, true, args->operands[0]);
}

static const struct option_def *const options[] = {&option_trace,
						   &option_policies,
						   &option_release,
						   &option_scenario,
						   &option_models,
						   &option_timing,
						   &option_timing_mode,
						   &option_reclaim,
						   &option_costs,
						   &option_set,
						   &option_sysctl,
						   &option_hotplug,
						   &option_thp,
						   &option_thp_defrag,
						   &option_seed,
						   &option_verify,
						   &option_format,
						   &option_output,
						   NULL};

const struct command command_compare = {
	.name = "compare",
	.summary = "the same work on several machines or memory models, side by side",
	.operands = "MACHINE.cfg...",
	.description =
		"Run the same trace or scenario on each machine and print one table: simulated\n"
		"time and where it went, allocations by distance and fallback, what the\n"
		"memory model costs; each figure with its ratio to the first column.\n",
	.options = options,
	.min_operands = 1,
	.max_operands = ANY_NUMBER,
	.run = run,
};
