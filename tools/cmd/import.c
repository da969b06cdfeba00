/* SPDX-License-Identifier: Apache-2.0 */
/*
 * numasim import: a machine file from what describes a real machine, by the kinds in sim/import/.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/import/import.h"
#include "sim/machine/machine.h"
#include "tools/command.h"
#include "tools/message.h"
#include "tools/output.h"

static const char *kind_name(unsigned i, void *arg)
{
	(void)arg;
	return import_kinds[i] ? import_kinds[i]->name : NULL;
}

/* The kind of that name, or NULL after a message. */
static const struct import_kind *find_kind(const char *name)
{
	const char *nearest;

	for (int i = 0; import_kinds[i]; i++)
		if (!strcmp(import_kinds[i]->name, name))
			return import_kinds[i];
	nearest = diag_nearest(name, kind_name, NULL);
	if (nearest)
		message("import: unknown kind '%s', did you mean '%s'? Known are:", name, nearest);
	else
		message("import: unknown kind '%s'; known are:", name);
	for (int i = 0; import_kinds[i]; i++)
		fprintf(stderr, "  %-12s  %s\n", import_kinds[i]->name, import_kinds[i]->summary);
	return NULL;
}

/* The text of the machine file, which is one: it is read back. free() it. */
static int make_text(const struct import_kind *kind, const char *input, struct diag *diag,
		     char **text, size_t *len)
{
	FILE *memory = open_memstream(text, len);
	struct machine *m = NULL;
	bool failed;
	int err;

	if (!memory)
		return -ENOMEM;
	err = kind->read(input, diag, memory);
	failed = ferror(memory) != 0;
	failed |= fclose(memory) != 0;
	if (!err && failed)
		err = -ENOMEM;
	if (!err)
		err = machine_parse(*text, *len, "the imported machine", diag, &m);
	machine_free(m);
	return err;
}

static int print(const char *text, size_t len, const char *path)
{
	struct output out;

	if (output_open(&out, path))
		return STATUS_FAILED;
	fwrite(text, 1, len, out.stream);
	return output_commit(&out) ? STATUS_FAILED : STATUS_DONE;
}

static int run(const struct arguments *args)
{
	const struct import_kind *kind = find_kind(args->operands[0]);
	const char *input = args->operands[1];
	struct diag diag = DIAG_INIT;
	char *text = NULL;
	size_t len;
	int err, status;

	if (!kind)
		return STATUS_WRONG;
	err = make_text(kind, input, &diag, &text, &len);
	message_warnings(&diag, arguments_value(args, &option_quiet) != NULL);
	if (err)
		status = message_error(&diag, err, input);
	else
		status = print(text, len, arguments_value(args, &option_output));
	diag_clear(&diag);
	free(text);
	return status;
}

static void explain(FILE *out)
{
	fputs("\nKinds (KIND), and what INPUT is:\n", out);
	for (int i = 0; import_kinds[i]; i++)
		fprintf(out, "  %-12s  %s\n", import_kinds[i]->name, import_kinds[i]->summary);
}

static const struct option_def *const options[] = {&option_output, NULL};

const struct command command_import = {
	.name = "import",
	.summary = "make a machine file from what describes a real machine",
	.operands = "KIND INPUT",
	.description =
		"Write the machine file of a real machine, from what describes it, for people to\n"
		"read and edit. What the kernel made of the machine (zones, watermarks, free\n"
		"lists) is not read: 'numasim diff' compares with that.\n",
	.explain = explain,
	.options = options,
	.min_operands = 2,
	.max_operands = 2,
	.run = run,
};
