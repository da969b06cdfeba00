/* SPDX-License-Identifier: Apache-2.0 */
/* What replay, trace info and trace convert share: the way from a path to a trace. */
#include "tools/trace_in.h"

#include <errno.h>
#include <string.h>

#include "sim/machine/machine.h"
#include "sim/machine/profile.h"
#include "sim/policy/rules.h"
#include "sim/trace/gfp_bits.h"
#include "tools/message.h"
#include "tools/progress.h"

const struct option_def option_policies = {
	.name = "policies",
	.kind = OPTION_TEXT,
	.value = "FILE",
	.help = "memory policies of tasks whose trace does not tell them"};

const struct option_def option_release = {
	.name = "release",
	.kind = OPTION_TEXT,
	.value = "RELEASE",
	.help = "of the kernel that wrote the trace (uname -r): what numbers in gfp_flags mean"};

/* By the option; else what the machine has, if it names a kernel. */
static int find_kernel(const struct arguments *args, const struct machine *m, struct diag *diag,
		       struct trace_hints *hints)
{
	const char *release = arguments_value(args, &option_release);

	if (release) {
		hints->release = kernel_release(release);
		if (hints->release == KERNEL_UNKNOWN)
			return diag_error(diag, -EINVAL, NULL, 0,
					  "--release: found \"%s\", expected a kernel's release as "
					  "uname -r prints it (\"4.9\", \"6.1.0-13-amd64\")",
					  release);
	} else if (m && m->profile && m->profile->release) {
		hints->release = kernel_release(m->profile->release);
		hints->release_assumed = true;
	}
	return 0;
}

int trace_in_load(const struct arguments *args, const char *path, const struct machine *m,
		  struct diag *diag, struct trace **t)
{
	const char *file = arguments_value(args, &option_policies);
	struct trace_hints hints = {0};
	struct progress progress;
	int err = find_kernel(args, m, diag, &hints);

	if (err)
		return err;

	if (file && !strcmp(file, "-") && !strcmp(path, "-"))
		return diag_error(diag, -EINVAL, NULL, 0,
				  "trace and policies cannot both be standard input");
	if (file)
		err = policy_rules_load(file, diag, &hints.rules);
	if (err)
		return err;
	progress_start(&progress, "reading the trace", arguments_value(args, &option_quiet));
	err = trace_load_with(path, &hints, &(struct trace_progress){progress_report, &progress},
			      diag, t);
	progress_end(&progress);
	policy_rules_free(hints.rules);
	return err;
}

int trace_in_read(const struct arguments *args, const char *path, struct trace **t)
{
	struct diag diag = DIAG_INIT;
	int err = trace_in_load(args, path, NULL, &diag, t), status = STATUS_DONE;

	message_warnings(&diag, arguments_value(args, &option_quiet) != NULL);
	if (err)
		status = message_error(&diag, err, path);
	diag_clear(&diag);
	return status;
}
