/* SPDX-License-Identifier: Apache-2.0 */
/*
 * numasim check: is a file well-formed, and if not, where and why. What a file is meant to be is
 * told by its content: a trace by the readers of traces, a config by the keys at its top level.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "sim/config/config.h"
#include "sim/machine/costs.h"
#include "sim/machine/machine.h"
#include "sim/scenario.h"
#include "sim/trace/reader.h"
#include "sim/trace/stream.h"
#include "sim/trace/trace.h"
#include "tools/command.h"
#include "tools/message.h"
#include "tools/output.h"
#include "tools/progress.h"

enum file_kind { KIND_TRACE, KIND_COSTS, KIND_SCENARIO, KIND_MACHINE };

struct check {
	bool quiet;
	FILE *out;
	struct diag diag; /* of the file at hand */
};

/* A trace is compressed, or begins as one of the readers expects it. */
static int looks_like_trace(struct check *c, const char *path, bool *is_trace)
{
	struct stream *s;
	const char *text;
	size_t len;
	int err;

	err = stream_open(path, &c->diag, &s);
	if (err)
		return err;
	*is_trace = strcmp(stream_compression(s), "none") != 0;
	if (!*is_trace) {
		err = stream_peek(s, &c->diag, &text, &len);
		for (int i = 0; !err && !*is_trace && trace_reader_kinds[i]; i++)
			*is_trace = trace_reader_kinds[i]->probe(text, len) != TRACE_PROBE_NO;
	}
	stream_close(s);
	return err;
}

/* A config's kind, by a key that its kind must have and the others do not know. */
static int config_kind(struct check *c, const char *path, enum file_kind *kind)
{
	struct cfg *cfg;
	const struct cfg_setting *root;
	int err;

	err = cfg_load(path, &c->diag, &cfg);
	if (err)
		return err;
	root = cfg_root(cfg);
	if (cfg_find(cfg, root, "sites"))
		*kind = KIND_COSTS;
	else if (cfg_find(cfg, root, "workload") || cfg_find(cfg, root, "workloads"))
		*kind = KIND_SCENARIO;
	else
		*kind = KIND_MACHINE;
	cfg_free(cfg);
	return 0;
}

static int recognise(struct check *c, const char *path, enum file_kind *kind)
{
	bool is_trace = !strcmp(path, "-"); /* cannot be read twice */
	int err = 0;

	if (!is_trace)
		err = looks_like_trace(c, path, &is_trace);
	if (err)
		return err;
	*kind = KIND_TRACE;
	return is_trace ? 0 : config_kind(c, path, kind);
}

static int check_trace(struct check *c, const char *path)
{
	struct progress progress;
	struct trace *t;
	int err;

	progress_start(&progress, path, c->quiet);
	err = trace_load(path, &(struct trace_progress){progress_report, &progress}, &c->diag, &t);
	progress_end(&progress);
	if (err)
		return err;
	fprintf(c->out,
		"%s: ok (trace, %s, %zu events, %" PRIu64 " lines, %" PRIu64 " unreadable)\n", path,
		t->format, t->nr_events, t->nr_lines, t->skipped[TRACE_SKIP_UNREADABLE]);
	trace_free(t);
	return 0;
}

static int check_costs(struct check *c, const char *path)
{
	struct costs costs;
	int err;

	err = costs_load(path, &c->diag, &costs);
	if (err)
		return err;
	fprintf(c->out, "%s: ok (costs, %d sites)\n", path, MM_NR_SITES);
	costs_clear(&costs);
	return 0;
}

static const char *plural(int n)
{
	return n == 1 ? "" : "s";
}

static int check_machine(struct check *c, const char *path)
{
	struct machine *m;
	int err;

	err = machine_load(path, NULL, 0, &c->diag, &m);
	if (err)
		return err;
	fprintf(c->out, "%s: ok (machine, %d node%s, %d CPU%s, %s)\n", path, m->mm.nr_nodes,
		plural(m->mm.nr_nodes), m->mm.nr_cpus, plural(m->mm.nr_cpus),
		mm_model_name(m->mm.model));
	machine_free(m);
	return 0;
}

/* A scenario's workloads make sense only on its machine: so that is read, and the work made. */
static int check_scenario(struct check *c, const char *path)
{
	struct scenario *s = NULL;
	struct machine *m = NULL;
	struct trace *t = NULL;
	int err;

	err = scenario_load(path, NULL, 0, &c->diag, &s);
	if (!err)
		err = machine_load(s->machine, NULL, 0, &c->diag, &m);
	if (!err)
		err = scenario_generate(s, m, &c->diag, &t);
	if (!err)
		fprintf(c->out, "%s: ok (scenario, machine %s, %zu events)\n", path, m->name,
			t->nr_events);
	trace_free(t);
	machine_free(m);
	scenario_free(s);
	return err;
}

/* Check one file and say what came of it. Returns the exit status. */
static int check_file(struct check *c, const char *path)
{
	static int (*const checks[])(struct check *, const char *) = {
		[KIND_TRACE] = check_trace,
		[KIND_COSTS] = check_costs,
		[KIND_SCENARIO] = check_scenario,
		[KIND_MACHINE] = check_machine,
	};
	enum file_kind kind;
	int err, status = STATUS_DONE;

	err = recognise(c, path, &kind);
	if (!err)
		err = checks[kind](c, path);
	message_warnings(&c->diag, c->quiet);
	if (err)
		status = message_error(&c->diag, err, path);
	diag_clear(&c->diag);
	return status;
}

static int run(const struct arguments *args)
{
	struct check c = {.quiet = arguments_value(args, &option_quiet) != NULL};
	int status = STATUS_DONE;
	struct output out;

	if (output_open(&out, arguments_value(args, &option_output)))
		return STATUS_FAILED;
	c.out = out.stream;
	for (int i = 0; i < args->nr_operands; i++) {
		int of_file = check_file(&c, args->operands[i]);

		if (of_file)
			status = of_file;
	}
	if (output_commit(&out))
		status = STATUS_FAILED;
	return status;
}

static const struct option_def *const options[] = {&option_output, NULL};

const struct command command_check = {
	.name = "check",
	.summary = "say whether a config or a trace is well-formed, and if not, why",
	.operands = "FILE...",
	.description =
		"Read machine files, cost files, scenarios and traces, each recognised by its\n"
		"content, and print a line for each that is well-formed. What is wrong with the\n"
		"others goes to standard error, and the exit status is 2.\n",
	.options = options,
	.min_operands = 1,
	.max_operands = ANY_NUMBER,
	.run = run,
};
