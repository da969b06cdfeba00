/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scenarios for tests: written to a file in a directory of the test's own, and a machine with
 * 2 nodes of 64 MiB, CPUs 0 and 1 on the first, 2 and 3 on the second.
 */
#ifndef TESTS_SCENARIO_FIXTURE_H
#define TESTS_SCENARIO_FIXTURE_H

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/scenario/scenario.h"

#define SCENARIO_NODES 2

/* The directory that scenario files stand in; it goes with the test. */
static char scenario_dir_name[] = P_tmpdir "/numasim-scenario-XXXXXX";
static char scenario_file[sizeof(scenario_dir_name) + 8];

static void remove_scenario_dir(void)
{
	unlink(scenario_file);
	rmdir(scenario_dir_name);
}

static inline const char *scenario_dir(void)
{
	if (!scenario_file[0]) {
		cr_assert_not_null(mkdtemp(scenario_dir_name));
		snprintf(scenario_file, sizeof(scenario_file), "%s/s.cfg", scenario_dir_name);
		atexit(remove_scenario_dir);
	}
	return scenario_dir_name;
}

/* The error as a user sees it, without the directory: "s.cfg:3: text". */
static inline const char *shown(const struct diag *d)
{
	static char text[1024];
	const char *slash = d->error.file ? strrchr(d->error.file, '/') : NULL;

	if (!d->failed)
		return "no error";
	snprintf(text, sizeof(text), "%s:%u: %s", slash ? slash + 1 : d->error.file, d->error.line,
		 d->error.text);
	return text;
}

static inline int load_scenario_text(const char *text, const struct machine_override *sets,
				     size_t nr, struct diag *d, struct scenario **out)
{
	FILE *f;

	scenario_dir();
	f = fopen(scenario_file, "w");
	cr_assert_not_null(f);
	fputs(text, f);
	fclose(f);
	*out = NULL;
	return scenario_load(scenario_file, sets, nr, d, out);
}

static inline struct scenario *loaded(const char *text, const struct machine_override *sets,
				      size_t nr, struct diag *d)
{
	struct scenario *s;

	cr_assert_eq(load_scenario_text(text, sets, nr, d, &s), 0, "%s", shown(d));
	return s;
}

static inline struct machine *scenario_machine(void)
{
	static const char text[] =
		"name = \"two\"; source = \"a test\"; architecture = \"x86_64\"; "
		"memory_model = \"sparse-vmemmap\"; "
		"nodes = ( { memory = ( { base = \"0\"; size = \"64MiB\"; } ); "
		"            cpus = { count = 2; frequency = \"2GHz\"; }; }, "
		"          { memory = ( { base = \"64MiB\"; size = \"64MiB\"; } ); "
		"            cpus = { count = 2; frequency = \"2GHz\"; }; } ); "
		"distances = ( (10, 20), (20, 10) ); "
		"bank = { latency = \"60ns\"; bandwidth = \"20GB/s\"; }; "
		"interconnect = { topology = \"full\"; "
		"                 link = { latency = \"40ns\"; bandwidth = \"10GB/s\"; }; };";
	struct diag d = DIAG_INIT;
	struct machine *m = NULL;

	cr_assert_eq(machine_parse(text, strlen(text), "two.cfg", &d, &m), 0, "%s", shown(&d));
	diag_clear(&d);
	return m;
}

/* The operations of a scenario: all of its file but the machine. */
static inline struct trace *made(const char *text)
{
	struct machine *m = scenario_machine();
	struct diag d = DIAG_INIT;
	struct trace *t = NULL;
	struct scenario *s;
	char whole[2048];

	snprintf(whole, sizeof(whole), "machine = \"m.cfg\"; %s", text);
	s = loaded(whole, NULL, 0, &d);
	cr_assert_eq(scenario_generate(s, m, &d, &t), 0, "%s", shown(&d));
	scenario_free(s);
	machine_free(m);
	diag_clear(&d);
	return t;
}

/* The operations of one workload group. */
static inline struct trace *generated(const char *workload)
{
	char text[1024];

	snprintf(text, sizeof(text), "workload = { %s };", workload);
	return made(text);
}

#endif
