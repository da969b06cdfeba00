/* SPDX-License-Identifier: Apache-2.0 */
/* numasim trace generate: a synthetic trace from a seed, by the kinds in sim/workload/. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config/units.h"
#include "sim/scenario/generate.h"
#include "sim/scenario/plug_steps.h"
#include "tools/command.h"
#include "tools/message.h"
#include "tools/trace_out.h"

#define MOST_NUMBER WORKLOAD_MAX_OPERATIONS
#define MOST_STEPS  1000

static const struct option_def option_machine = {
	.name = "machine",
	.kind = OPTION_TEXT,
	.value = "FILE",
	.help = "for the CPUs, nodes and memory of this machine"};
static const struct option_def option_cpus = {
	.name = "cpus", .kind = OPTION_NUMBER, .value = "N", .help = "so many CPUs; 1"};
static const struct option_def option_nodes = {
	.name = "nodes", .kind = OPTION_NUMBER, .value = "N", .help = "so many nodes; 1"};
static const struct option_def option_count = {
	.name = "count",
	.kind = OPTION_NUMBER,
	.value = "N",
	.help = "so many events; else what comes of the other options"};
static const struct option_def option_orders = {
	.name = "orders",
	.kind = OPTION_TEXT,
	.value = "MIX",
	.help = "orders of the blocks, with weights: 0:90,3:8,9:2"};
static const struct option_def option_gfp = {
	.name = "gfp",
	.kind = OPTION_TEXT,
	.value = "MIX",
	.help = "allocation flags, with weights: GFP_KERNEL:3,GFP_ATOMIC:1"};
static const struct option_def option_bytes = {
	.name = "bytes", .kind = OPTION_TEXT, .value = "SIZE", .help = "allocate so much in all"};
static const struct option_def option_touch = {.name = "touch",
					       .kind = OPTION_TEXT,
					       .value = "SIZE",
					       .help = "write so much of each block, up to a page"};
static const struct option_def option_live = {.name = "live",
					      .kind = OPTION_NUMBER,
					      .value = "N",
					      .help = "blocks that a CPU holds; 1024"};
static const struct option_def option_burst = {.name = "burst",
					       .kind = OPTION_NUMBER,
					       .value = "N",
					       .help = "blocks that a CPU takes at once; 1024"};
static const struct option_def option_passes = {.name = "passes",
						.kind = OPTION_NUMBER,
						.value = "N",
						.help = "how often all of it is used; 2"};
static const char *const accesses[] = {"sequential", "random", NULL};
static const struct option_def option_access = {.name = "access",
						.kind = OPTION_CHOICE,
						.value = "HOW",
						.choices = accesses,
						.help = "in which order: sequential, random"};
static const struct option_def option_interval = {.name = "interval",
						  .kind = OPTION_TEXT,
						  .value = "TIME",
						  .help = "time between events, in the mean; none"};

static const struct option_def option_with = {
	.name = "with",
	.kind = OPTION_TEXT,
	.value = "MIX",
	.help = "mix these in, with their shares in percent: slab:20,wait:5"};
static const struct option_def option_hotplug_steps = {
	.name = "hotplug-steps",
	.kind = OPTION_NUMBER,
	.value = "N",
	.help = "so many steps of memory hotplug at random times; needs --machine"};

static const char *kind_name(unsigned i, void *arg)
{
	(void)arg;
	return workload_kinds[i] ? workload_kinds[i]->name : NULL;
}

static void print_kinds(FILE *out)
{
	for (int i = 0; workload_kinds[i]; i++)
		if (!workload_kinds[i]->runs_only)
			fprintf(out, "  %-10s  %s\n", workload_kinds[i]->name,
				workload_kinds[i]->summary);
}

static void explain(FILE *out)
{
	fputs("\nKinds (KIND):\n", out);
	print_kinds(out);
	fputs("\nWith (MIX), in percent of:\n", out);
	for (unsigned i = 0; mix_in_name(i); i++)
		fprintf(out, "  %-10s  %s\n", mix_in_name(i), mix_in_what(i));
	trace_out_explain(out);
}

static const struct workload_kind *find_kind(const char *name)
{
	const char *nearest;

	for (int i = 0; workload_kinds[i]; i++)
		if (!strcmp(workload_kinds[i]->name, name) && !workload_kinds[i]->runs_only)
			return workload_kinds[i];
		else if (!strcmp(workload_kinds[i]->name, name))
			return message("trace generate: what '%s' does depends on the kernel that "
				       "runs it: use a scenario file",
				       name),
			       NULL;
	nearest = diag_nearest(name, kind_name, NULL);
	if (nearest)
		message("trace generate: unknown kind '%s', did you mean '%s'? Known are:", name,
			nearest);
	else
		message("trace generate: unknown kind '%s'; known are:", name);
	print_kinds(stderr);
	return NULL;
}

/* Options that are keys of workloads: is each that was given one of the kind's? */
static bool kind_takes_all(const struct arguments *args, const struct workload_kind *kind)
{
	static const struct option_def *const keys[] = {
		&option_orders, &option_gfp,   &option_bytes,  &option_touch,
		&option_live,   &option_burst, &option_passes, &option_access};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (!arguments_value(args, keys[i]) || workload_takes(kind, keys[i]->name))
			continue;
		message("--%s: '%s' has no such; it takes", keys[i]->name, kind->name);
		for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++)
			if (workload_takes(kind, keys[k]->name))
				fprintf(stderr, "  --%s\n", keys[k]->name);
		return false;
	}
	return true;
}

/* A number of at least 1 and at most `most`, where the option was given. */
static bool read_number(const struct arguments *args, const struct option_def *option,
			uint64_t most, uint64_t *out)
{
	*out = arguments_number(args, option, *out);
	if (!arguments_value(args, option) || (*out && *out <= most))
		return true;
	message("--%s: '%s' is not a number from 1 to %llu", option->name,
		arguments_value(args, option), (unsigned long long)most);
	return false;
}

static bool read_units(const struct arguments *args, const struct option_def *option,
		       const char *(*parse)(const char *, uint64_t *), uint64_t most, uint64_t *out)
{
	const char *text = arguments_value(args, option);
	const char *wrong = text ? parse(text, out) : NULL;

	if (wrong)
		message("--%s: '%s' %s", option->name, text, wrong);
	else if (text && (!*out || *out > most))
		message("--%s: '%s' is nothing, or too much", option->name, text);
	return !text || (!wrong && *out && *out <= most);
}

static bool read_mix(const struct arguments *args, const struct option_def *option,
		     bool (*parse)(const char *, struct workload_mix *, char *, size_t),
		     struct workload_mix *mix)
{
	const char *text = arguments_value(args, option);
	char wrong[256];

	if (!text || parse(text, mix, wrong, sizeof(wrong)))
		return true;
	message("--%s: %s", option->name, wrong);
	return false;
}

static bool read_mix_ins(const struct arguments *args, struct mix_ins *mix)
{
	const char *text = arguments_value(args, &option_with);
	char wrong[256];

	if (!text || mix_in_parse(text, mix, wrong, sizeof(wrong)))
		return true;
	message("--with: %s", wrong);
	return false;
}

static bool read_workload(const struct arguments *args, const struct workload_host *host,
			  struct generate *g)
{
	struct workload *w = &g->workload;

	w->random = arguments_value(args, &option_access) && arguments_choice(args, &option_access);
	return read_number(args, &option_passes, WORKLOAD_MAX_PASSES, &w->passes) &&
	       read_number(args, &option_count, MOST_NUMBER, &g->events) &&
	       read_number(args, &option_live, MOST_NUMBER, &w->live) &&
	       read_number(args, &option_burst, MOST_NUMBER, &w->burst) &&
	       read_mix_ins(args, &g->mix) &&
	       read_mix(args, &option_orders, workload_parse_orders, &w->orders) &&
	       read_mix(args, &option_gfp, workload_parse_gfp, &w->gfp) &&
	       read_units(args, &option_bytes, units_parse_size, UINT64_MAX, &w->bytes) &&
	       read_units(args, &option_touch, units_parse_size, host->page_bytes,
			  &w->touch_bytes) &&
	       read_units(args, &option_interval, units_parse_time, UINT64_C(1000000000000),
			  &g->interval_ps);
}

/* As much work as makes the events that are wanted; what is too much is left out at the end. */
static bool size_workload(struct generate *g, const struct workload_host *host)
{
	struct workload *w = &g->workload, one = *w;

	if (w->bytes)
		return true;
	if (workload_takes(w->kind, "operations")) {
		one.operations = 1;
		one.touch_bytes = 0;
		one.nr_cpus = host->nr_cpus;
		if (g->events)
			w->operations = (g->events - 1) / w->kind->operations(&one) + 1;
		return true;
	}
	if (!g->events && !host->node_bytes[host->cpu_nid[0]]) {
		message("trace generate: '%s' needs --bytes, --count or --machine", w->kind->name);
		return false;
	}
	w->bytes = g->events * host->page_bytes;
	for (unsigned i = 0; i < w->orders.nr; i++)
		if (w->bytes < g->events * (host->page_bytes << w->orders.of[i].value))
			w->bytes = g->events * (host->page_bytes << w->orders.of[i].value);
	return true;
}

/* Steps for the machine, into *g. */
static int plug(const struct arguments *args, struct machine *m, const char *path,
		struct generate *g)
{
	struct diag diag = DIAG_INIT;
	char why[512] = "";
	int err = plug_steps(m, g->seed, g->nr_steps, &diag, why, sizeof(why), &g->steps);
	int status = STATUS_DONE;

	message_warnings(&diag, arguments_value(args, &option_quiet) != NULL);
	if (err == -EOPNOTSUPP) {
		message("--hotplug-steps: %s: %s", path, why);
		status = STATUS_WRONG;
	} else if (err) {
		status = message_error(&diag, err, path);
	}
	diag_clear(&diag);
	return status;
}

static bool read_nr_steps(const struct arguments *args, struct generate *g)
{
	uint64_t nr = 0;

	if (!read_number(args, &option_hotplug_steps, MOST_STEPS, &nr))
		return false;
	g->nr_steps = (unsigned)nr;
	if (!nr || arguments_value(args, &option_machine))
		return true;
	message("--hotplug-steps: memory comes to a machine: with --machine");
	return false;
}

static int load_host(const struct arguments *args, struct workload_host *host, struct generate *g)
{
	const char *path = arguments_value(args, &option_machine);
	uint64_t cpus = 1, nodes = 1;
	struct diag diag = DIAG_INIT;
	struct machine *m;
	int err, status;

	if (!read_nr_steps(args, g) || !read_number(args, &option_cpus, MM_MAX_CPUS, &cpus) ||
	    !read_number(args, &option_nodes, MM_MAX_NODES, &nodes))
		return STATUS_WRONG;
	if (path && (arguments_value(args, &option_cpus) || arguments_value(args, &option_nodes))) {
		message("--machine says how many CPUs and nodes there are: without --cpus, "
			"--nodes");
		return STATUS_WRONG;
	}
	if (!path)
		return workload_host_plain(host, (int)cpus, (int)nodes) ? STATUS_FAILED
									: STATUS_DONE;
	err = machine_load(path, NULL, 0, &diag, &m);
	status = err ? message_error(&diag, err, path) : STATUS_DONE;
	diag_clear(&diag);
	if (err)
		return status;
	status = workload_host_of_machine(host, m) ? STATUS_FAILED : STATUS_DONE;
	if (status == STATUS_DONE && g->nr_steps)
		status = plug(args, m, path, g);
	machine_free(m);
	return status;
}

static int generate(const struct arguments *args, const struct trace_writer *writer,
		    struct generate *g, const struct workload_host *host)
{
	struct trace *t;
	int err, status;

	if (!read_workload(args, host, g) || !size_workload(g, host))
		return STATUS_WRONG;
	err = generate_trace(g, host, &t);
	if (err == -E2BIG) {
		message("trace generate: more than %d events", WORKLOAD_MAX_OPERATIONS);
		return STATUS_WRONG;
	}
	if (err) {
		message("trace generate: %s", strerror(-err));
		return STATUS_FAILED;
	}
	status = trace_out_write(args, writer, t);
	trace_free(t);
	return status;
}

static int run(const struct arguments *args)
{
	const struct workload_kind *kind = find_kind(args->operands[0]);
	const struct trace_writer *writer = kind ? trace_out_writer(args) : NULL;
	struct generate g = {.workload = workload_default()};
	struct workload_host host = {0};
	int status;

	if (!writer || !kind_takes_all(args, kind))
		return STATUS_WRONG;
	g.workload.kind = kind;
	g.seed = arguments_number(args, &option_seed, 1);
	status = load_host(args, &host, &g);
	if (status == STATUS_DONE)
		status = generate(args, writer, &g, &host);
	workload_host_clear(&host);
	for (unsigned i = 0; g.steps && i < g.nr_steps; i++)
		free(g.steps[i]);
	free(g.steps);
	return status;
}

static const struct option_def *const options[] = {&option_machine,
						   &option_cpus,
						   &option_nodes,
						   &option_count,
						   &option_orders,
						   &option_gfp,
						   &option_bytes,
						   &option_touch,
						   &option_live,
						   &option_burst,
						   &option_passes,
						   &option_access,
						   &option_interval,
						   &option_with,
						   &option_hotplug_steps,
						   &option_seed,
						   &option_trace_format,
						   &option_output,
						   NULL};

const struct command command_trace_generate = {
	.name = "trace generate",
	.summary = "make a synthetic trace from a seed",
	.operands = "KIND",
	.description =
		"Make a trace of one of the kinds of synthetic work that scenarios have. The\n"
		"same options and seed give the same trace.\n",
	.explain = explain,
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
