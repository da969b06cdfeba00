/* SPDX-License-Identifier: Apache-2.0 */
/* numasim replay: a captured or generated trace on a machine. */
#include <inttypes.h>

#include "tools/trace_in.h"
#include "tools/work.h"

/* What of the trace is another than it was, since the machine is. */
static void warn_of_machine(struct work *w, const struct machine *m)
{
	const struct trace *t = w->trace;

	if (t->nr_cpus > m->mm.nr_cpus)
		diag_warn(&w->diag, t->file, 0,
			  "the trace has CPUs up to %d, the machine %d: CPU n runs on n modulo %d",
			  t->nr_cpus - 1, m->mm.nr_cpus, m->mm.nr_cpus);
	if (t->nr_cma_allocs && !m->mm.params.cma_bytes)
		diag_warn(
			&w->diag, t->file, 0,
			"the trace takes %" PRIu64 " rows of frames from a CMA area, the machine "
			"has none (kernel.cma): they fail, and what was done with them is left out",
			t->nr_cma_allocs);
}

static int run(const struct arguments *args)
{
	struct machine *m = NULL;
	json_t *result = NULL;
	struct work w;
	int err;

	if (!work_init_with_views(&w, args, "replay"))
		return STATUS_WRONG;
	err = work_load_costs(&w);
	if (!err)
		err = work_load_machine(&w, args->operands[0], &m);
	if (!err)
		err = work_load_trace(&w, args->operands[1], m);
	if (!err)
		err = work_plan(&w, m);
	if (!err)
		warn_of_machine(&w, m);
	if (!err && w.experiment.start)
		machine_forget_free(m);
	if (!err)
		err = work_run(&w, m, &result);
	machine_free(m);
	return work_finish(&w, err, result, false, args->operands[0]);
}

static const struct option_def *const options[] = {
	&option_start,       &option_placement, &option_reclaim, &option_slab,       &option_timing,
	&option_timing_mode, &option_policies,  &option_release, &option_costs,      &option_set,
	&option_sysctl,      &option_hotplug,   &option_thp,     &option_thp_defrag, &option_verify,
	&option_events,      &option_show,      &option_format,  &option_output,     NULL};

const struct command command_replay = {
	.name = "replay",
	.summary = "run an allocation trace on a machine",
	.operands = "MACHINE.cfg TRACE",
	.description = "Replay the allocations and frees of a trace on a simulated machine, and "
		       "say where\n"
		       "the pages went and what it cost in simulated time. TRACE is ftrace text or "
		       "a native\n"
		       "trace, plain, gzip or zstd; - reads standard input.\n"
		       "\n"
		       "With --start the replay begins where the traced window began: with the "
		       "watermarks,\n"
		       "free lists and lists of CPUs that zoneinfo and pagetypeinfo in DIR/before "
		       "have. The\n"
		       "machine is that of the capture (numasim import capture DIR/boot).\n",
	.explain = views_explain,
	.options = options,
	.min_operands = 2,
	.max_operands = 2,
	.run = run,
};
