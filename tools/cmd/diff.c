/* SPDX-License-Identifier: Apache-2.0 */
/*
 * numasim diff: what a real kernel made of its machine, figure by figure, beside what the simulated
 * one makes of it.
 */
#include <errno.h>
#include <string.h>

#include "sim/capture/diff.h"
#include "sim/machine/boot.h"
#include "tools/command.h"
#include "tools/json.h"
#include "tools/message.h"
#include "tools/output.h"

/* Print and drop the document. Done only where every figure is equal. */
static int print(json_t *doc, bool json, const char *path)
{
	bool equal = json_get(doc, "equal") == json_get(doc, "figures");
	struct output out;
	int err = 0;

	if (output_open(&out, path)) {
		json_decref(doc);
		return STATUS_FAILED;
	}
	if (json) {
		err = json_print(doc, out.stream);
	} else {
		capture_diff_print(doc, out.stream);
		json_decref(doc);
	}
	if (err) {
		output_discard(&out);
		message("diff: %s", strerror(-err));
		return STATUS_FAILED;
	}
	return output_commit(&out) || !equal ? STATUS_FAILED : STATUS_DONE;
}

static int run(const struct arguments *args)
{
	const char *path = args->operands[1];
	struct capture *c = NULL;
	struct diag diag = DIAG_INIT;
	struct machine *m = NULL;
	struct mm *mm = NULL;
	json_t *doc = NULL;
	int err, status;

	err = machine_load(path, args->sets, args->nr_sets, &diag, &m);
	if (!err)
		err = arguments_change_machine(args, m);
	if (!err)
		err = boot_machine(m, NULL, NULL, &diag, &mm);
	if (!err)
		err = capture_open(args->operands[0], &diag, &c);
	if (!err)
		err = capture_diff(c, mm, m->nr_hotplug > 0, &diag, &doc);
	message_warnings(&diag, arguments_value(args, &option_quiet) != NULL);
	if (err)
		status = message_error(&diag, err, path);
	else
		status = print(doc, arguments_choice(args, &option_format) == FORMAT_JSON,
			       arguments_value(args, &option_output));
	diag_clear(&diag);
	capture_free(c);
	if (mm)
		mm_destroy(mm);
	machine_free(m);
	return status;
}

static const struct option_def *const options[] = {
	&option_set,        &option_sysctl, &option_hotplug, &option_thp,
	&option_thp_defrag, &option_format, &option_output,  NULL};

const struct command command_diff = {
	.name = "diff",
	.summary = "compare what a real kernel made of a machine with what numasim does",
	.operands = "CAPTURE MACHINE.cfg",
	.description =
		"Boot the machine, and compare zones, watermarks, lowmem_reserve, per-CPU lists,\n"
		"fallback order, zonelists and the layout of page->flags with those of a real\n"
		"kernel, from the folder or archive CAPTURE: zoneinfo.txt, and where they are\n"
		"there sysctl_vm.txt and dmesg.txt. Prints each figure that differs; the exit\n"
		"status is 0 only where none does.\n",
	.options = options,
	.min_operands = 2,
	.max_operands = 2,
	.run = run,
};
