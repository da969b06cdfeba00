/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs work on machines. A child process writes its result, or its error, as one JSON document to
 * a temporary file that parent and child share; it prints nothing.
 */
#include "sim/experiment.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mm/kthread.h"
#include "mm/vmalloc/kmap.h"
#include "sim/child.h"
#include "sim/json.h"
#include "sim/replay/event_log.h"
#include "sim/replay/start.h"

const char *const timing_mode_names[NR_TIMING_MODES + 1] = {
	[TIMING_BATCHED] = "batched",
	[TIMING_EXACT] = "exact",
};

/*
 * Which page reclaim takes, and who waits for it, hangs on who comes first by a picosecond, and
 * all that comes after on that: so nothing may differ there by what is summed up.
 */
static void set_timing_mode(const struct experiment *e, struct sim *s)
{
	bool reclaims = e->options.reclaim == REPLAY_RECLAIM_SIMULATE;

	sim_set_lookahead(s, e->timing_mode == TIMING_BATCHED);
	if (e->timing_mode == TIMING_EXACT)
		sim_set_window(s, SIM_WINDOW_CHARGE);
	else if (reclaims)
		sim_set_window(s, SIM_WINDOW_TRANSFER);
}

static int verify(const struct sim *s, const struct machine *m, struct diag *diag)
{
	char why[256];

	if (mm_verify(sim_mm((struct sim *)s), why, sizeof(why)))
		return diag_error(diag, -EBADMSG, m->file, 0, "the mm core is inconsistent: %s",
				  why);
	return 0;
}

static int tell(const struct experiment *e, const struct sim *s, int err, struct diag *diag)
{
	const struct mm *mm = sim_mm((struct sim *)s);
	const char *report = mm_oom_report(mm) ? mm_oom_report(mm) : mm_failure_report(mm);
	struct mm_kmap_info kmap;

	if (err == -ENOBUFS)
		diag_error(diag, err, e->trace->file, 0,
			   "an allocation that must not fail (__GFP_NOFAIL) waits for memory that "
			   "nobody is left to free%s%s",
			   report ? ". The first one that failed:\n" : "", report ? report : "");
	mm_kmap_info(sim_mm((struct sim *)s), &kmap);
	if (err == -EDEADLK && kmap.waits)
		diag_error(diag, err, e->trace->file, 0,
			   "all %" PRIu64 " entries of kmap's window are in use, and all CPUs that "
			   "could unmap one wait for one",
			   kmap.entries);
	else if (err == -EDEADLK)
		diag_error(diag, err, e->trace->file, 0,
			   "its operations wait for each other in a circle");
	if (err == -EOVERFLOW)
		sim_tell_overflow(sim_machine(s), diag);
	if (err == -ERANGE)
		diag_error(
			diag, err, e->trace->file, 0,
			"its waits and times are longer than %d s, the most that can be simulated",
			REPLAY_MAX_S);
	return err;
}

/*
 * Those that the work asked for, and then, as it leaves the machine, those that are asked for here,
 * at no cost. Who looks is no part of the work: its CPUs have gone idle by then, and have passed on
 * what they held back of counters.
 */
static int take_views(const struct experiment *e, struct sim *s, const struct replay_counts *counts,
		      struct diag *diag, json_t *result)
{
	json_t *views = NULL;
	int err = 0;

	if (e->nr_views || counts->kernel.views)
		views = json_put_array(result, "views");
	if (counts->kernel.views && json_array_extend(views, counts->kernel.views))
		return -ENOMEM;
	for (int cpu = 0; e->nr_views && cpu < mm_nr_cpus(sim_mm(s)); cpu++)
		mm_cpu_idles(sim_mm(s), cpu);
	for (size_t i = 0; i < e->nr_views && !err; i++) {
		json_t *view;

		err = show_take(&e->views[i], sim_machine(s), sim_mm(s), e->options.views_json,
				diag, &view);
		if (!err && json_array_append_new(views, view))
			err = -ENOMEM;
	}
	return err;
}

/* Run, and make the result. `start` is empty where the machine begins as booted. */
static int run(const struct experiment *e, struct sim *s, const struct start *start,
	       struct diag *diag, json_t **result)
{
	struct replay_options options = e->options;
	struct replay_counts counts = {0};
	struct raised *raised = NULL;
	int err;

	options.started = start->before != NULL;
	if (e->placement || start->before) {
		options.placement = placement_new(e->trace, sim_mm(s), start->before);
		if (!options.placement)
			return -ENOMEM;
	}
	if (start->before &&
	    kswapd_runs(e->trace, sim_mm(s), start->before, &raised, &options.nr_raised)) {
		placement_free(options.placement);
		return -ENOMEM;
	}
	options.raised = raised;
	err = replay_run(s, e->trace, &options, &counts);
	if (!err)
		mm_kmap_leaks(sim_mm(s));
	err = tell(e, s, err, diag);
	if (!err && e->verify)
		err = verify(s, sim_machine(s), diag);
	if (!err) {
		*result = result_build(&(struct result_of){s, e->trace, &counts, options.timing,
							   timing_mode_names[e->timing_mode],
							   e->work, options.placement, start});
		err = *result ? take_views(e, s, &counts, diag, *result) : -ENOMEM;
	}
	if (!err && e->placement)
		placement_write(options.placement, e->placement);
	placement_free(options.placement);
	free(raised);
	replay_counts_clear(&counts);
	return err;
}

int experiment_run(const struct experiment *e, const struct machine *m, struct diag *diag,
		   json_t **result)
{
	struct start start = {0};
	struct sim *s = NULL;
	int err = sim_create(m, e->costs, diag, &s);

	if (err)
		return err;
	if (e->start)
		err = start_from(sim_mm(s), e->start, e->trace, diag, &start);
	if (!err && e->start && e->verify)
		err = verify(s, m, diag);
	if (e->events) {
		event_log_begin(e->events);
		sim_set_event_hook(s, event_log_hook, e->events);
	}
	set_timing_mode(e, s);
	if (!err)
		err = run(e, s, &start, diag, result);
	start_clear(&start);
	sim_destroy(s);
	return err;
}

/* A column. */
struct column {
	const struct experiment *e;
	const struct machine *m;
	struct child child;
};

static int run_column(void *arg, struct diag *diag, json_t **doc)
{
	const struct column *c = arg;
	int err = experiment_run(c->e, c->m, diag, doc);

	if (err && !diag->failed)
		diag_error(diag, err, c->m->file, 0, "%s", strerror(-err));
	return err;
}

static int collect(struct column *c, struct diag *diag, json_t *results)
{
	json_t *doc;
	int err = child_answer(&c->child, c->m->file, diag, &doc);

	return err ? err : (json_array_append_new(results, doc) ? -ENOMEM : 0);
}

int experiment_compare(const struct experiment *e, struct machine *const *machines, size_t nr,
		       struct diag *diag, json_t **results)
{
	struct column *columns = calloc(nr, sizeof(*columns));
	size_t at_once = child_at_once(), started = 0;
	int err = columns ? 0 : -ENOMEM;

	*results = json_array();
	for (size_t i = 0; i < nr && !err; i++) {
		while (started < nr && started < i + at_once && !err) {
			struct column *c = &columns[started];

			*c = (struct column){.e = e, .m = machines[started]};
			err = child_start(&c->child, run_column, c);
			started++;
		}
		if (!err)
			err = collect(&columns[i], diag, *results);
	}
	/* After an error in one column the others are of no use. */
	for (size_t i = 0; i < started; i++)
		child_end(&columns[i].child);
	free(columns);
	if (err) {
		json_decref(*results);
		*results = NULL;
	}
	return err;
}
