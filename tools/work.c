/* SPDX-License-Identifier: Apache-2.0 */
/* What run, replay and compare share. */
#include "tools/work.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/replay/reclaim_told.h"
#include "tools/message.h"
#include "tools/trace_in.h"

#define DEFAULT_COSTS "costs/linux-6.x.cfg"

/* By enum replay_timing. */
static const char *const timings[] = {"asap", "trace", "order", NULL};

const struct option_def option_timing = {
	.name = "timing",
	.kind = OPTION_CHOICE,
	.value = "WHEN",
	.choices = timings,
	.help = "asap: back to back; trace: not before the traced time; order: the same, and in "
		"the trace's order over all CPUs. The default is asap, with --start order"};
const struct option_def option_timing_mode = {
	.name = "timing-mode",
	.kind = OPTION_CHOICE,
	.value = "MODE",
	.choices = timing_mode_names,
	.help = "batched: sum up what no other CPU can see, which is the default; exact: simulate "
		"each charge by itself, by an activity of SimGrid, some twenty times slower"};
const struct option_def option_start = {.name = "start",
					.kind = OPTION_TEXT,
					.value = "DIR",
					.help = "begin in the state that before/ of the capture "
						"DIR (or its archive) holds, or DIR itself"};
const struct option_def option_placement = {
	.name = "placement",
	.kind = OPTION_TEXT,
	.value = "FILE",
	.help = "write to FILE where each allocation went, on the real machine and here"};
/* By enum replay_reclaim_mode. */
static const char *const reclaimers[] = {"trace", "simulate", NULL};

const struct option_def option_reclaim = {
	.name = "reclaim",
	.kind = OPTION_CHOICE,
	.value = "WHO",
	.choices = reclaimers,
	.help = "trace: memory is freed by whom the trace says; simulate: frees by kswapd, "
		"kcompactd and direct reclaim are left out, and the simulated ones do the work. "
		"replay's default is trace with --start and where the trace tells of reclaim, else "
		"simulate; compare's simulate"};
static const char *const slab_modes[] = {"simulate", "trace", NULL};

const struct option_def option_slab = {
	.name = "slab",
	.kind = OPTION_CHOICE,
	.value = "WHOSE",
	.choices = slab_modes,
	.help = "simulate (default): slab objects of the trace are allocated, and take the pages "
		"that they need here; trace: only the pages that they took there are"};
const struct option_def option_costs = {.name = "costs",
					.kind = OPTION_TEXT,
					.value = "FILE",
					.help = "cycles of each step, instead of " DEFAULT_COSTS};
const struct option_def option_verify = {.name = "verify",
					 .help = "check every invariant of the mm core at the end"};

const struct option_def option_events = {
	.name = "events",
	.kind = OPTION_TEXT,
	.value = "FILE",
	.writes = true,
	.help = "write the tracepoints of the simulated kernel to FILE, as ftrace text"};

static void report_progress(void *arg, uint64_t done, uint64_t total)
{
	progress_report(arg, done, total);
}

void work_init(struct work *w, const struct arguments *args)
{
	*w = (struct work){.args = args, .diag = DIAG_INIT};
	w->experiment.costs = &w->costs;
	w->experiment.verify = arguments_value(args, &option_verify) != NULL;
	w->experiment.start = arguments_value(args, &option_start);
	if (arguments_value(args, &option_timing_mode))
		w->experiment.timing_mode =
			(enum timing_mode)arguments_choice(args, &option_timing_mode);
	w->experiment.options.timing = w->experiment.start ? REPLAY_ORDER : REPLAY_ASAP;
	if (arguments_value(args, &option_timing))
		w->experiment.options.timing =
			(enum replay_timing)arguments_choice(args, &option_timing);
	w->experiment.options.slab_pages_of_trace =
		arguments_value(args, &option_slab) && arguments_choice(args, &option_slab);
	progress_start(&w->progress, "replaying", arguments_value(args, &option_quiet) != NULL);
	w->experiment.options.progress = report_progress;
	w->experiment.options.progress_arg = &w->progress;
}

bool work_init_with_views(struct work *w, const struct arguments *args, const char *who)
{
	struct show_request *views;
	size_t nr;

	if (views_read(who, args, &views, &nr))
		return false;
	work_init(w, args);
	w->views = views;
	w->experiment.views = views;
	w->experiment.nr_views = nr;
	w->experiment.options.views_json = arguments_choice(args, &option_format) == FORMAT_JSON;
	return true;
}

int work_load_costs(struct work *w)
{
	const char *path = arguments_value(w->args, &option_costs);
	char *shipped = NULL;
	int err;

	if (!path && w->scenario)
		path = w->scenario->costs;
	if (!path)
		path = shipped = shipped_config(DEFAULT_COSTS);
	if (!path)
		return diag_error(
			&w->diag, -ENOENT, DEFAULT_COSTS, 0,
			"not among the shipped files; set NUMASIM_CONFIGS to their folder");
	err = costs_load(path, &w->diag, &w->costs);
	free(shipped);
	return err;
}

int work_load_scenario(struct work *w, const char *path)
{
	int err = scenario_load(path, w->args->sets, w->args->nr_sets, &w->diag, &w->scenario);

	/* Nobody else reclaims what its work allocates. */
	w->experiment.options.reclaim = REPLAY_RECLAIM_SIMULATE;
	if (!err)
		w->scenario->seed = arguments_number(w->args, &option_seed, w->scenario->seed);
	return err;
}

int work_plan(const struct work *w, struct machine *m)
{
	int err = 0;

	for (uint32_t i = 0; i < w->trace->nr_steps && !err; i++)
		err = machine_plan_hotplug(m, w->trace->steps[i]);
	return err;
}

int work_make_trace(struct work *w, const struct machine *m)
{
	int err = scenario_generate(w->scenario, m, &w->diag, &w->trace);

	if (!err) {
		w->experiment.trace = w->trace;
		w->experiment.work = w->trace->file;
	}
	return err;
}

/* Without a word in the trace of who frees memory when it runs short, nobody does but who is here.
 */
static enum replay_reclaim_mode who_reclaims(const struct work *w)
{
	if (arguments_value(w->args, &option_reclaim))
		return (enum replay_reclaim_mode)arguments_choice(w->args, &option_reclaim);
	return w->experiment.start || reclaim_told_any(w->trace) ? REPLAY_RECLAIM_TRACE
								 : REPLAY_RECLAIM_SIMULATE;
}

int work_load_trace(struct work *w, const char *path, const struct machine *m)
{
	int err = trace_in_load(w->args, path, m, &w->diag, &w->trace);

	if (err)
		return err;
	w->experiment.options.reclaim = who_reclaims(w);
	w->experiment.trace = w->trace;
	w->experiment.work = w->trace->file;
	return 0;
}

int work_load_machine(struct work *w, const char *path, struct machine **out)
{
	struct machine_override *sets = calloc(w->args->nr_sets + 1, sizeof(*sets));
	size_t nr = 0;
	int err;

	if (!sets)
		return -ENOMEM;
	for (size_t i = 0; i < w->args->nr_sets; i++)
		if (!w->scenario || !scenario_owns(&w->args->sets[i]))
			sets[nr++] = w->args->sets[i];
	err = machine_load(path, sets, nr, &w->diag, out);
	if (!err)
		err = arguments_change_machine(w->args, *out);
	free(sets);
	return err;
}

static const struct report_format *find_format(const struct arguments *args)
{
	const char *name = option_format.choices[arguments_choice(args, &option_format)];

	for (int i = 0; report_kinds[i]; i++)
		if (!strcmp(report_kinds[i]->name, name))
			return report_kinds[i];
	return NULL;
}

static int print(const struct work *w, const json_t *result, bool comparison)
{
	const struct report_format *format = find_format(w->args);
	struct output out;

	if (output_open(&out, arguments_value(w->args, &option_output)))
		return STATUS_FAILED;
	(comparison ? format->comparison : format->result)(result, out.stream);
	return output_commit(&out) ? STATUS_FAILED : STATUS_DONE;
}

/* Open what an option names, where it is given. */
static int open_output(const struct work *w, const struct option_def *option, struct output *o)
{
	const char *path = arguments_value(w->args, option);

	return path && output_open(o, path) ? -ECANCELED : 0;
}

/* `err` is how the run ended. */
static int close_output(struct output *o, int err)
{
	if (!o->stream)
		return err;
	if (!err)
		return output_commit(o) ? -ECANCELED : 0;
	output_discard(o);
	return err;
}

int work_run(struct work *w, const struct machine *m, json_t **result)
{
	int err = open_output(w, &option_events, &w->events);

	if (!err)
		err = open_output(w, &option_placement, &w->placement);
	w->experiment.events = w->events.stream;
	w->experiment.placement = w->placement.stream;
	if (!err)
		err = experiment_run(&w->experiment, m, &w->diag, result);
	err = close_output(&w->events, err);
	return close_output(&w->placement, err);
}

int work_finish(struct work *w, int err, json_t *result, bool comparison, const char *file)
{
	int status;

	progress_end(&w->progress);
	message_warnings(&w->diag, arguments_value(w->args, &option_quiet) != NULL);
	if (err == -ECANCELED) {
		status = STATUS_FAILED; /* what went wrong has been said */
	} else if (err) {
		status = message_error(&w->diag, err, file);
		/* The input was fine, what came of it was not. */
		if (err == -EDEADLK || err == -EBADMSG || err == -ENOBUFS)
			status = STATUS_FAILED;
	} else {
		status = print(w, result, comparison);
	}
	json_decref(result);
	trace_free(w->trace);
	scenario_free(w->scenario);
	costs_clear(&w->costs);
	free(w->views);
	diag_clear(&w->diag);
	return status;
}
