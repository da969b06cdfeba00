/* SPDX-License-Identifier: Apache-2.0 */
/*
 * numasim check: is a file well-formed, and if not, where and why. What a file is meant to be is
 * told by its content: a trace by the readers of traces, a config by the keys at its top level.
 *
 * Each file becomes a JSON object, from which its line of text is printed too.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "sim/config/config.h"
#include "sim/json.h"
#include "sim/machine/boot.h"
#include "sim/machine/costs.h"
#include "sim/machine/machine.h"
#include "sim/machine/profile.h"
#include "sim/policy/rules.h"
#include "sim/scenario/scenario.h"
#include "sim/trace/reader.h"
#include "sim/trace/stream.h"
#include "sim/trace/trace.h"
#include "tools/command.h"
#include "tools/json.h"
#include "tools/message.h"
#include "tools/output.h"
#include "tools/progress.h"

struct check {
	const struct arguments *args;
	bool quiet;
	struct diag diag; /* of the file at hand */
	json_t *entry;    /* what is said of it; a check adds its details */
};

/* What a file may be. */
struct file_kind {
	const char *name;
	/** Returns 0 with the details in c->entry, or -errno with the reason in c->diag. */
	int (*check)(struct check *c, const char *path);
	/** Print the details of an entry, after its kind. */
	void (*print)(const json_t *entry, FILE *out);
};

/*
 * A trace is compressed, or begins as one of the readers expects it; a policy file begins as one.
 */
static int look(struct check *c, const char *path, bool *is_trace, bool *is_policies)
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
		*is_policies = !err && policy_rules_probe(text, len);
		for (int i = 0; !err && !*is_trace && trace_reader_kinds[i]; i++)
			*is_trace = trace_reader_kinds[i]->probe(text, len) != TRACE_PROBE_NO;
	}
	stream_close(s);
	return err;
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
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
	json_put_string(c->entry, "format", t->format);
	json_put(c->entry, "events", t->nr_events);
	json_put(c->entry, "lines", t->nr_lines);
	json_put(c->entry, "unreadable", t->skipped[TRACE_SKIP_UNREADABLE]);
	trace_free(t);
	return 0;
}

static void print_trace(const json_t *entry, FILE *out)
{
	fprintf(out, "%s, %" PRIu64 " events, %" PRIu64 " lines, %" PRIu64 " unreadable",
		json_get_string(entry, "format"), json_get(entry, "events"),
		json_get(entry, "lines"), json_get(entry, "unreadable"));
}

static int check_policies(struct check *c, const char *path)
{
	struct policy_rules *rules;
	int err = policy_rules_load(path, &c->diag, &rules);

	if (err)
		return err;
	json_put(c->entry, "rules", (uint64_t)policy_rules_number(rules));
	policy_rules_free(rules);
	return 0;
}

static void print_policies(const json_t *entry, FILE *out)
{
	uint64_t rules = json_get(entry, "rules");

	fprintf(out, "%" PRIu64 " rule%s", rules, plural(rules));
}

static int check_costs(struct check *c, const char *path)
{
	struct costs costs;
	int err;

	err = costs_load(path, &c->diag, &costs);
	if (err)
		return err;
	json_put(c->entry, "sites", MM_NR_SITES);
	costs_clear(&costs);
	return 0;
}

static void print_costs(const json_t *entry, FILE *out)
{
	fprintf(out, "%" PRIu64 " sites", json_get(entry, "sites"));
}

static int check_kernel(struct check *c, const char *path)
{
	struct kernel_profile profile;
	int err = kernel_profile_load(path, &c->diag, &profile);

	if (err)
		return err;
	json_put_string(c->entry, "architecture", mm_arch(profile.arch)->name);
	json_put(c->entry, "hash_tables", (uint64_t)profile.mm.nr_hash_tables);
	json_put(c->entry, "reserves", (uint64_t)profile.mm.nr_takes);
	kernel_profile_clear(&profile);
	return 0;
}

static void print_kernel(const json_t *entry, FILE *out)
{
	fprintf(out, "%s, %" PRIu64 " hash tables, %" PRIu64 " other reservations",
		json_get_string(entry, "architecture"), json_get(entry, "hash_tables"),
		json_get(entry, "reserves"));
}

/* A machine is read, and the mm core booted on it: it may refuse what is well-formed. */
static int load_machine(struct check *c, const char *path, struct machine **m)
{
	struct mm *mm;
	int err;

	err = machine_load(path, c->args->sets, c->args->nr_sets, &c->diag, m);
	if (err)
		return err;
	err = boot_machine(*m, NULL, NULL, &c->diag, &mm);
	if (err) {
		machine_free(*m);
		*m = NULL;
	} else {
		mm_destroy(mm);
	}
	return err;
}

static int check_machine(struct check *c, const char *path)
{
	struct machine *m;
	int err;

	err = load_machine(c, path, &m);
	if (err)
		return err;
	json_put(c->entry, "nodes", (uint64_t)m->mm.nr_nodes);
	json_put(c->entry, "cpus", (uint64_t)m->mm.nr_cpus);
	json_put_string(c->entry, "memory_model", mm_model_name(m->mm.model));
	machine_free(m);
	return 0;
}

static void print_machine(const json_t *entry, FILE *out)
{
	uint64_t nodes = json_get(entry, "nodes"), cpus = json_get(entry, "cpus");

	fprintf(out, "%" PRIu64 " node%s, %" PRIu64 " CPU%s, %s", nodes, plural(nodes), cpus,
		plural(cpus), json_get_string(entry, "memory_model"));
}

/* A scenario's workloads make sense only on its machine: so that is read, and the work made. */
static int check_scenario(struct check *c, const char *path)
{
	struct costs costs = {0};
	struct scenario *s = NULL;
	struct machine *m = NULL;
	struct trace *t = NULL;
	int err;

	err = scenario_load(path, c->args->sets, c->args->nr_sets, &c->diag, &s);
	if (!err && s->costs)
		err = costs_load(s->costs, &c->diag, &costs);
	if (!err)
		err = load_machine(c, s->machine, &m);
	if (!err)
		err = scenario_generate(s, m, &c->diag, &t);
	if (!err) {
		json_put_string(c->entry, "machine", m->name);
		json_put(c->entry, "events", t->nr_events);
	}
	trace_free(t);
	machine_free(m);
	costs_clear(&costs);
	scenario_free(s);
	return err;
}

static void print_scenario(const json_t *entry, FILE *out)
{
	fprintf(out, "machine %s, %" PRIu64 " events", json_get_string(entry, "machine"),
		json_get(entry, "events"));
}

static const struct file_kind trace_kind = {"trace", check_trace, print_trace};
static const struct file_kind policies_kind = {"policies", check_policies, print_policies};
static const struct file_kind costs_kind = {"costs", check_costs, print_costs};
static const struct file_kind kernel_kind = {"kernel profile", check_kernel, print_kernel};
static const struct file_kind machine_kind = {"machine", check_machine, print_machine};
static const struct file_kind scenario_kind = {"scenario", check_scenario, print_scenario};

/* A config's kind, by a key that its kind must have and the others do not know. */
static int config_kind(struct check *c, const char *path, const struct file_kind **kind)
{
	struct cfg *cfg;
	const struct cfg_setting *root;
	int err;

	err = cfg_load(path, &c->diag, &cfg);
	if (err)
		return err;
	root = cfg_root(cfg);
	if (cfg_find(cfg, root, "sites"))
		*kind = &costs_kind;
	else if (cfg_find(cfg, root, "hash_tables") || cfg_find(cfg, root, "reserves") ||
		 cfg_find(cfg, root, "per_cpu_lists") || cfg_find(cfg, root, "crash_kernel"))
		*kind = &kernel_kind;
	else if (cfg_find(cfg, root, "machine") || cfg_find(cfg, root, "workload") ||
		 cfg_find(cfg, root, "workloads"))
		*kind = &scenario_kind;
	else
		*kind = &machine_kind;
	cfg_free(cfg);
	return 0;
}

static int recognise(struct check *c, const char *path, const struct file_kind **kind)
{
	bool is_trace = !strcmp(path, "-"), is_policies = false; /* "-" cannot be read twice */
	int err = 0;

	if (!is_trace)
		err = look(c, path, &is_trace, &is_policies);
	if (err)
		return err;
	*kind = is_policies ? &policies_kind : &trace_kind;
	return is_trace || is_policies ? 0 : config_kind(c, path, kind);
}

static void put_error(json_t *entry, const struct diag *d, int err, const char *path)
{
	json_t *error = json_put_object(entry, "error");

	json_put_string(error, "file", d->failed && d->error.file ? d->error.file : path);
	json_put(error, "line", d->failed ? d->error.line : 0);
	json_put_string(error, "message", d->failed ? d->error.text : strerror(-err));
}

/* Check one file. Returns the exit status; c->entry says what came of it. */
static int check_file(struct check *c, const char *path)
{
	const struct file_kind *kind = NULL;
	int err, status = STATUS_DONE;

	json_put_string(c->entry, "file", path);
	err = recognise(c, path, &kind);
	json_put_string(c->entry, "kind", kind ? kind->name : "unknown");
	json_object_set_new(c->entry, "ok", json_false());
	if (!err)
		err = kind->check(c, path);
	json_object_set_new(c->entry, "ok", json_boolean(!err));
	if (err)
		put_error(c->entry, &c->diag, err, path);
	message_warnings(&c->diag, c->quiet);
	if (err)
		status = message_error(&c->diag, err, path);
	diag_clear(&c->diag);
	return status;
}

static void print_entry(const json_t *entry, const char *path, FILE *out)
{
	static const struct file_kind *const kinds[] = {&trace_kind,   &policies_kind,
							&costs_kind,   &kernel_kind,
							&machine_kind, &scenario_kind};
	const char *name = json_get_string(entry, "kind");

	if (!json_is_true(json_object_get(entry, "ok")))
		return;
	fprintf(out, "%s: ok (%s, ", path, name);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i]->name, name))
			kinds[i]->print(entry, out);
	fputs(")\n", out);
}

static int run(const struct arguments *args)
{
	struct check c = {.args = args, .quiet = arguments_value(args, &option_quiet) != NULL};
	bool json = arguments_choice(args, &option_format) == FORMAT_JSON;
	json_t *entries = json_array();
	int status = STATUS_DONE;
	struct output out;

	if (output_open(&out, arguments_value(args, &option_output))) {
		json_decref(entries);
		return STATUS_FAILED;
	}
	for (int i = 0; i < args->nr_operands; i++) {
		int of_file;

		c.entry = json_append_object(entries);
		of_file = check_file(&c, args->operands[i]);
		if (of_file)
			status = of_file;
		if (!json)
			print_entry(c.entry, args->operands[i], out.stream);
	}
	if (!json)
		json_decref(entries);
	else if (json_print(entries, out.stream))
		status = STATUS_FAILED;
	if (output_commit(&out))
		status = STATUS_FAILED;
	return status;
}

static const struct option_def *const options[] = {&option_set, &option_format, &option_output,
						   NULL};

const struct command command_check = {
	.name = "check",
	.summary = "say whether a config or a trace is well-formed, and if not, why",
	.operands = "FILE...",
	.description =
		"Read machine files, cost files, scenarios and traces, each recognised by its\n"
		"content, and print a line for each that is well-formed. Machines are booted, and\n"
		"a scenario's work is made. What is wrong with the others goes to standard error,\n"
		"and the exit status is 2.\n",
	.options = options,
	.min_operands = 1,
	.max_operands = ANY_NUMBER,
	.run = run,
};
