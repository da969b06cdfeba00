/* SPDX-License-Identifier: Apache-2.0 */
/*
 * numasim show: one view of a machine, from the kinds in sim/show/.
 */
#include <errno.h>
#include <string.h>

#include "sim/machine/boot.h"
#include "sim/show/show.h"
#include "tools/command.h"
#include "tools/json.h"
#include "tools/message.h"
#include "tools/output.h"

static const char *kind_name(unsigned i, void *arg)
{
	(void)arg;
	return show_kinds[i] ? show_kinds[i]->name : NULL;
}

/* The kind of that name, or NULL after a message. */
static const struct show_kind *find_kind(const char *name)
{
	const char *nearest;

	for (int i = 0; show_kinds[i]; i++)
		if (!strcmp(show_kinds[i]->name, name))
			return show_kinds[i];
	nearest = diag_nearest(name, kind_name, NULL);
	if (nearest)
		message("show: unknown view '%s', did you mean '%s'? Known are:", name, nearest);
	else
		message("show: unknown view '%s'; known are:", name);
	for (int i = 0; show_kinds[i]; i++)
		fprintf(stderr, "  %-12s  %s\n", show_kinds[i]->name, show_kinds[i]->summary);
	return NULL;
}

static int print(const struct show_kind *kind, const struct show_subject *s, bool json,
		 const char *path)
{
	struct output out;
	int err;

	if (output_open(&out, path))
		return STATUS_FAILED;
	err = json ? json_print(kind->json(s), out.stream) : kind->text(s, out.stream);
	if (err) {
		output_discard(&out);
		message("show: %s", strerror(-err));
		return STATUS_FAILED;
	}
	return output_commit(&out) ? STATUS_FAILED : STATUS_DONE;
}

static int run(const struct arguments *args)
{
	const char *path = args->operands[0];
	bool json = arguments_choice(args, &option_format) == FORMAT_JSON;
	const struct show_kind *kind = find_kind(args->operands[1]);
	struct show_subject s = {0};
	struct diag diag = DIAG_INIT;
	struct machine *m = NULL;
	int err, status;

	if (!kind)
		return STATUS_WRONG;
	if (json && !kind->json) {
		message("show: there is no JSON form of '%s'", kind->name);
		return STATUS_WRONG;
	}
	err = machine_load(path, args->sets, args->nr_sets, &diag, &m);
	if (!err)
		err = arguments_add_sysctls(args, m);
	if (!err && kind->boots)
		err = boot_machine(m, NULL, NULL, &diag, &s.mm);
	message_warnings(&diag, arguments_value(args, &option_quiet) != NULL);
	if (err) {
		status = message_error(&diag, err, path);
	} else {
		s.machine = m;
		status = print(kind, &s, json, arguments_value(args, &option_output));
	}
	diag_clear(&diag);
	if (s.mm)
		mm_destroy(s.mm);
	if (m)
		machine_free(m);
	return status;
}

static void explain(FILE *out)
{
	fputs("\nViews (WHAT):\n", out);
	for (int i = 0; show_kinds[i]; i++)
		fprintf(out, "  %-12s  %s\n", show_kinds[i]->name, show_kinds[i]->summary);
}

static const struct option_def *const options[] = {&option_set, &option_sysctl, &option_format,
						   &option_output, NULL};

const struct command command_show = {
	.name = "show",
	.summary = "print one view of a machine",
	.operands = "MACHINE.cfg WHAT",
	.description = "Print one view of the machine that the file describes.\n",
	.explain = explain,
	.options = options,
	.min_operands = 2,
	.max_operands = 2,
	.run = run,
};
