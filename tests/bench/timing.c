/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What summing up charges does to simulated time, in all that the command `numasim` runs: the one
 * that was built beside this program, so that it is what users run. Reclaim, compaction, disks and
 * all else that a scenario has are there.
 */
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/json.h"
#include "tests/bench/bench.h"

#define CONFIGS   SOURCE_DIR "/configs/"
#define MOST_ARGS 16
#define NOTABLE   0.5 /* %: who differs by more is named */

static const char *command(void)
{
	static char path[PATH_MAX + 16];
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX);

	while (n > 0 && path[n - 1] != '/')
		n--;
	if (n <= 0)
		die("where is this program?");
	strcpy(path + n, "numasim");
	return path;
}

/* Its output, from a temporary file. `args` ends with NULL. */
static FILE *run(const char *const *args)
{
	const char *argv[MOST_ARGS + 2] = {command()};
	FILE *out = tmpfile();
	int status, nr = 1;
	pid_t pid;

	while (args[nr - 1] && nr <= MOST_ARGS) {
		argv[nr] = args[nr - 1];
		nr++;
	}
	fflush(NULL);
	pid = out ? fork() : -1;
	if (pid < 0)
		die("numasim cannot be run");
	if (pid == 0) {
		if (dup2(fileno(out), STDOUT_FILENO) >= 0)
			execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) < 0 || status)
		die(args[1]);
	rewind(out);
	return out;
}

/* Work of the command: a scenario, or a trace on a machine. */
struct timed {
	const char *scenario, *machine, *trace;
};

static double simulated_ps(const struct timed *work, const char *mode)
{
	const char *args[] = {work->scenario ? "run" : "replay",
			      work->scenario ? work->scenario : work->machine,
			      "--timing-mode",
			      mode,
			      "--format",
			      "json",
			      "--quiet",
			      work->trace,
			      NULL};
	FILE *out = run(args);
	json_t *doc = json_loadf(out, 0, NULL);
	double ps = (double)json_get(doc, "simulated_ps");

	if (ps <= 0)
		die("a run has no simulated time");
	json_decref(doc);
	fclose(out);
	return ps;
}

/* %; `*worst` becomes it if that is less. */
static void compare(const struct timed *work, double *worst)
{
	double of = simulated_ps(work, "exact");
	double error = (simulated_ps(work, "batched") - of) / of * 100;

	if (error < 0)
		error = -error;
	if (error > NOTABLE)
		fprintf(stderr, "%s: batched and exact mode differ by %.2f %%\n",
			work->scenario ? work->scenario : work->trace, error);
	if (error > *worst)
		*worst = error;
}

static void compare_scenarios(double *worst)
{
	glob_t found;

	if (glob(CONFIGS "scenarios/*.cfg", 0, NULL, &found))
		die("there are no scenarios");
	for (size_t i = 0; i < found.gl_pathc; i++)
		compare(&(struct timed){.scenario = found.gl_pathv[i]}, worst);
	globfree(&found);
}

/* Traces of each kind that can be one, on a machine. */
static void compare_traces(const char *machine, double *worst)
{
	static const char *const kinds[] = {"churn", "contend", "fill", "anon", "interleave"};
	char path[] = "/tmp/numasim-bench-XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0)
		die("there is no room for a trace");
	close(fd);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		const char *args[] = {"trace",   "generate", "--machine", machine,
				      "--count", "100000",   "--quiet",   "-o",
				      path,      kinds[i],   NULL};

		fclose(run(args));
		compare(&(struct timed){.machine = machine, .trace = path}, worst);
	}
	unlink(path);
}

double replay_batched_error(void)
{
	double worst = 0;

	compare_scenarios(&worst);
	/* One where four CPUs share a bank, and one with many, where links that are short meet. */
	compare_traces(CONFIGS "machines/holey-board-sparse.cfg", &worst);
	compare_traces(CONFIGS "machines/xeon-8269cy-2s.cfg", &worst);
	compare(&(struct timed){.machine = CONFIGS "machines/W1b_touch_4k_2x512m.cfg",
				.trace = SOURCE_DIR "/traces/W1b_touch_4k_2x512m.trace.zst"},
		&worst);
	return worst;
}
