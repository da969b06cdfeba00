/* SPDX-License-Identifier: Apache-2.0 */
/*
 * numasim measure: what people run on real machines to measure them, from the kinds in
 * sim/measure/.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config/units.h"
#include "sim/measure.h"
#include "tools/command.h"
#include "tools/json.h"
#include "tools/message.h"
#include "tools/output.h"
#include "tools/progress.h"

#define DEFAULT_COSTS "costs/linux-6.x.cfg"

#define LEAST_STRIDE 64
#define MOST_STRIDE  32768

enum { AS_TEXT, AS_JSON, AS_CSV };
static const char *const formats[] = {"text", "json", "csv", NULL};
static const struct option_def option_measure_format = {.name = "format",
							.kind = OPTION_CHOICE,
							.value = "FORMAT",
							.choices = formats,
							.help = "text (the default), json or csv"};
/* By index of measure_mixes. */
static const char *const mixes[] = {"reads", "3:1", "2:1", "1:1", "triad", NULL};
static const struct option_def option_mix = {
	.name = "mix",
	.kind = OPTION_CHOICE,
	.value = "MIX",
	.choices = mixes,
	.help = "reads and writes of the matrix and of loads: reads (the default), 3:1, 2:1, 1:1, "
		"or triad, whose stores stream past the caches"};
static const struct option_def option_stride = {
	.name = "stride",
	.kind = OPTION_TEXT,
	.value = "SIZE",
	.help = "of streams: from each line to the next, instead of the line's 64 B, which the "
		"prefetcher does not follow; as far as banks have channels, 'channels * "
		"channel_interleave' goes to one of them"};
static const struct option_def option_from = {.name = "from",
					      .kind = OPTION_NUMBER,
					      .value = "NODE",
					      .help = "only with the CPUs of this node"};
static const struct option_def option_to = {.name = "to",
					    .kind = OPTION_NUMBER,
					    .value = "NODE",
					    .help = "only the memory of this node; of c2c: only "
						    "lines of its CPUs"};
static const struct option_def option_measure_cpus = {
	.name = "cpus",
	.kind = OPTION_NUMBER,
	.value = "N",
	.help = "of pagealloc: only with so many CPUs, instead of 1, 2, 4, ..."};
/* By enum measure_test. */
static const char *const tests[] = {"all", "bulk", "repeat", "random", NULL};
static const struct option_def option_test = {
	.name = "test",
	.kind = OPTION_CHOICE,
	.value = "TEST",
	.choices = tests,
	.help = "of pagealloc: only bulk, repeat or random, instead of all"};
static const struct option_def option_measure_costs = {
	.name = "costs",
	.kind = OPTION_TEXT,
	.value = "FILE",
	.help = "cycles of each step, instead of " DEFAULT_COSTS};

static const char *kind_name(unsigned i, void *arg)
{
	(void)arg;
	return measure_kinds[i] ? measure_kinds[i]->name : NULL;
}

/* The kind of that name, or NULL after a message. */
static const struct measure_kind *find_kind(const char *name)
{
	const char *nearest;

	for (int i = 0; measure_kinds[i]; i++)
		if (!strcmp(measure_kinds[i]->name, name))
			return measure_kinds[i];
	nearest = diag_nearest(name, kind_name, NULL);
	if (nearest)
		message("measure: unknown measurement '%s', did you mean '%s'? Known are:", name,
			nearest);
	else
		message("measure: unknown measurement '%s'; known are:", name);
	for (int i = 0; measure_kinds[i]; i++)
		fprintf(stderr, "  %-12s  %s\n", measure_kinds[i]->name, measure_kinds[i]->summary);
	return NULL;
}

/* Whether an option that was given means something to the measurement. */
static bool options_apply(const struct arguments *args, const struct measure_kind *kind)
{
	const struct {
		const struct option_def *option;
		bool applies;
	} of[] = {
		{&option_mix, kind->streams},    {&option_stride, kind->streams},
		{&option_test, kind->allocates}, {&option_measure_cpus, kind->allocates},
		{&option_seed, kind->allocates},
	};

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		if (of[i].applies || !arguments_value(args, of[i].option))
			continue;
		message("measure: --%s means nothing to '%s'", of[i].option->name, kind->name);
		return false;
	}
	return true;
}

/* A node that exists and has memory, or CPUs, into *nid; MM_NO_NODE where the option was not given.
 */
static bool find_node(const struct arguments *args, const struct option_def *option,
		      const struct measure *m, bool cpus, int *nid)
{
	uint64_t node = arguments_number(args, option, 0);

	*nid = MM_NO_NODE;
	if (!arguments_value(args, option))
		return true;
	if (node >= (uint64_t)m->nr_nodes) {
		message("measure: --%s: expected a node%s from 0 to %d, found '%s'", option->name,
			m->nr_nodes == m->machine->mm.nr_nodes ? "" : " of the kernel's",
			m->nr_nodes - 1, arguments_value(args, option));
		return false;
	}
	*nid = (int)node;
	if (cpus ? m->nodes[node].first_cpu != MM_NO_CPU : m->nodes[node].memory)
		return true;
	message("measure: --%s: node %d has no %s", option->name, *nid, cpus ? "CPUs" : "memory");
	return false;
}

/* Whole lines; a chunk of them fits a block of 4 MiB. */
static bool find_stride(const struct arguments *args, uint64_t *bytes)
{
	const char *text = arguments_value(args, &option_stride);
	const char *wrong = text ? units_parse_size(text, bytes) : NULL;

	if (!text || (!wrong && *bytes >= LEAST_STRIDE && *bytes <= MOST_STRIDE &&
		      *bytes % LEAST_STRIDE == 0))
		return true;
	message("measure: --stride: expected a multiple of 64B, up to 32KiB, found '%s'%s%s", text,
		wrong ? ": " : "", wrong ? wrong : "");
	return false;
}

static int load_costs(const struct arguments *args, struct diag *diag, struct costs *costs)
{
	const char *path = arguments_value(args, &option_measure_costs);
	char *shipped = path ? NULL : shipped_config(DEFAULT_COSTS);
	int err;

	if (!path && !shipped)
		return diag_error(
			diag, -ENOENT, DEFAULT_COSTS, 0,
			"not among the shipped files; set NUMASIM_CONFIGS to their folder");
	err = costs_load(path ? path : shipped, diag, costs);
	free(shipped);
	return err;
}

/* Where a measurement is printed. Rows are printed as soon as they are there. */
struct printer {
	const struct measure_kind *kind;
	int format;
	const char *path;
	struct output out;
	struct progress *progress;
	bool opened, failed;
};

/* Open, and print all but the rows. */
static void print_head(struct printer *p, const json_t *doc)
{
	p->failed = output_open(&p->out, p->path);
	p->opened = !p->failed;
	if (p->opened && p->format == AS_TEXT)
		p->kind->text(doc, p->out.stream);
	else if (p->opened && p->format == AS_CSV)
		p->kind->csv(doc, p->out.stream);
}

static void print_row(void *arg, const json_t *doc, const json_t *row)
{
	struct printer *p = arg;

	if (p->format == AS_JSON || p->failed)
		return;
	progress_clear(p->progress);
	if (!p->opened)
		print_head(p, doc);
	if (!p->opened)
		return;
	(p->format == AS_TEXT ? p->kind->text_row : p->kind->csv_row)(row, p->out.stream);
	fflush(p->out.stream);
}

/* Print what is not printed yet. */
static int print(struct printer *p, json_t *doc)
{
	if (!p->opened && !p->failed)
		print_head(p, doc);
	if (p->failed)
		return STATUS_FAILED;
	if (p->format == AS_JSON && json_print(json_incref(doc), p->out.stream)) {
		output_discard(&p->out);
		message("measure: %s", strerror(ENOMEM));
		return STATUS_FAILED;
	}
	return output_commit(&p->out) ? STATUS_FAILED : STATUS_DONE;
}

/* What is measured, by the options; the machine has booted. */
static bool find_what(const struct arguments *args, const struct measure_kind *kind,
		      struct measure *m)
{
	uint64_t nr_cpus = arguments_number(args, &option_measure_cpus, 0);

	if (!find_node(args, &option_from, m, true, &m->from) ||
	    !find_node(args, &option_to, m, kind->to_cpus, &m->to) ||
	    !find_stride(args, &m->stride))
		return false;
	m->mix = &measure_mixes[arguments_choice(args, &option_mix)];
	m->nr_cpus = (int)nr_cpus;
	if (nr_cpus > (uint64_t)m->machine->mm.nr_cpus ||
	    (!nr_cpus && arguments_value(args, &option_measure_cpus))) {
		message("measure: --cpus: expected 1 to %d, found '%s'", m->machine->mm.nr_cpus,
			arguments_value(args, &option_measure_cpus));
		return false;
	}
	m->seed = arguments_number(args, &option_seed, 1);
	m->test = (int)arguments_choice(args, &option_test);
	return true;
}

static int measure(const struct arguments *args, const struct measure_kind *kind, struct measure *m)
{
	const char *path = args->operands[0];
	bool quiet = arguments_value(args, &option_quiet) != NULL;
	struct progress progress;
	struct printer printer = {
		.kind = kind,
		.format = (int)arguments_choice(args, &option_measure_format),
		.path = arguments_value(args, &option_output),
		.progress = &progress,
	};
	json_t *doc = NULL;
	int err = measure_boot(m), status;

	if (!err && !find_what(args, kind, m))
		return STATUS_WRONG;
	progress_start(&progress, "measuring", quiet);
	m->progress = progress_report;
	m->progress_arg = &progress;
	m->row = print_row;
	m->row_arg = &printer;
	if (!err)
		err = measure_run(kind, m, &doc);
	progress_end(&progress);
	message_warnings(m->diag, quiet);
	if (err) {
		status = message_error(m->diag, err, path);
		if (err == -ENOSPC)
			status = STATUS_FAILED;
		if (printer.opened)
			output_discard(&printer.out);
	} else {
		status = print(&printer, doc);
	}
	json_decref(doc);
	return status;
}

static int run(const struct arguments *args)
{
	const struct measure_kind *kind = find_kind(args->operands[1]);
	const char *path = args->operands[0];
	struct diag diag = DIAG_INIT;
	struct costs costs = {0};
	struct machine *machine = NULL;
	int err, status;

	if (!kind || !options_apply(args, kind))
		return STATUS_WRONG;
	err = machine_load(path, args->sets, args->nr_sets, &diag, &machine);
	if (!err)
		err = arguments_change_machine(args, machine);
	if (!err)
		err = load_costs(args, &diag, &costs);
	if (err) {
		message_warnings(&diag, arguments_value(args, &option_quiet) != NULL);
		status = message_error(&diag, err, path);
	} else {
		struct measure m = {.machine = machine, .costs = &costs, .diag = &diag};

		status = measure(args, kind, &m);
		measure_end(&m);
	}
	costs_clear(&costs);
	diag_clear(&diag);
	machine_free(machine);
	return status;
}

static void explain(FILE *out)
{
	fputs("\nMeasurements (WHAT):\n", out);
	for (int i = 0; measure_kinds[i]; i++)
		fprintf(out, "  %-12s  %s\n", measure_kinds[i]->name, measure_kinds[i]->summary);
}

static const struct option_def *const options[] = {&option_from,
						   &option_measure_cpus,
						   &option_to,
						   &option_mix,
						   &option_stride,
						   &option_test,
						   &option_seed,
						   &option_measure_costs,
						   &option_set,
						   &option_sysctl,
						   &option_measure_format,
						   &option_output,
						   NULL};

const struct command command_measure = {
	.name = "measure",
	.summary = "measure a machine as one does real ones: latencies, bandwidths",
	.operands = "MACHINE.cfg WHAT",
	.description =
		"Run a measurement on the simulated machine. latency, bandwidth, loaded and c2c are\n"
		"printed in the layout of the tool that makes them on real ones, Intel Memory Latency\n"
		"Checker: as its --latency_matrix, --bandwidth_matrix and --max_bandwidth,\n"
		"--loaded_latency and --c2c_latency.\n",
	.explain = explain,
	.options = options,
	.min_operands = 2,
	.max_operands = 2,
	.run = run,
};
