/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs work on machines. A child process writes its result, or its error, as one JSON document to
 * a temporary file that parent and child share; it prints nothing.
 */
#include "sim/experiment.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mm/kthread.h"
#include "mm/vmalloc/kmap.h"
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

struct child {
	pid_t pid; /* 0: not started, or waited for */
	FILE *answer;
};

/* In the child: run, write the result or the error, and leave without the parent's exit work. */
static void run_child(const struct experiment *e, const struct machine *m, FILE *answer)
{
	struct diag diag = DIAG_INIT;
	json_t *doc = NULL;
	int err = experiment_run(e, m, &diag, &doc);

	if (err) {
		doc = json_object();
		json_put(doc, "errno", (uint64_t)-err);
		json_put_string(doc, "error", diag.failed ? diag.error.text : strerror(-err));
		json_put_string(doc, "file",
				diag.failed && diag.error.file ? diag.error.file : m->file);
		json_put(doc, "line", diag.failed ? diag.error.line : 0);
	}
	err = json_dumpf(doc, answer, JSON_REAL_PRECISION(15)) || fflush(answer);
	_exit(err ? 1 : 0);
}

static int start(const struct experiment *e, const struct machine *m, struct child *c)
{
	c->answer = tmpfile();
	if (!c->answer)
		return -errno;
	fflush(NULL);
	c->pid = fork();
	if (c->pid < 0) {
		c->pid = 0;
		return -errno;
	}
	if (c->pid == 0)
		run_child(e, m, c->answer);
	return 0;
}

static int child_failed(const struct machine *m, int status, struct diag *diag)
{
	if (WIFSIGNALED(status))
		return diag_error(diag, -EBADMSG, m->file, 0, "its simulation died of signal %d",
				  WTERMSIG(status));
	return diag_error(diag, -EIO, m->file, 0, "its simulation could not pass its result on");
}

/* Wait for one child, and append what it answered. */
static int collect(struct child *c, const struct machine *m, struct diag *diag, json_t *results)
{
	json_t *doc;
	int status, err;

	while (waitpid(c->pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	c->pid = 0;
	rewind(c->answer);
	doc = json_loadf(c->answer, 0, NULL);
	if (!doc || !WIFEXITED(status) || WEXITSTATUS(status)) {
		json_decref(doc);
		return child_failed(m, status, diag);
	}
	err = -(int)json_get(doc, "errno");
	if (err) {
		diag_error(diag, err, json_get_string(doc, "file"), (unsigned)json_get(doc, "line"),
			   "%s", json_get_string(doc, "error"));
		json_decref(doc);
		return err;
	}
	return json_array_append_new(results, doc) ? -ENOMEM : 0;
}

/* After an error in one column the others are of no use. */
static void end_child(struct child *c)
{
	if (c->pid) {
		kill(c->pid, SIGKILL);
		waitpid(c->pid, NULL, 0);
	}
	if (c->answer)
		fclose(c->answer);
}

int experiment_compare(const struct experiment *e, struct machine *const *machines, size_t nr,
		       struct diag *diag, json_t **results)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t at_once = processors > 1 ? (size_t)processors : 1, started = 0;
	struct child *children = calloc(nr, sizeof(*children));
	int err = children ? 0 : -ENOMEM;

	*results = json_array();
	for (size_t i = 0; i < nr && !err; i++) {
		while (started < nr && started < i + at_once && !err) {
			err = start(e, machines[started], &children[started]);
			started++;
		}
		if (!err)
			err = collect(&children[i], machines[i], diag, *results);
	}
	for (size_t i = 0; i < started; i++)
		end_child(&children[i]);
	free(children);
	if (err) {
		json_decref(*results);
		*results = NULL;
	}
	return err;
}
