/* SPDX-License-Identifier: Apache-2.0 */
/* What replay, trace info and trace convert share: the way from a path to a trace. */
#include "tools/trace_in.h"

#include <errno.h>
#include <string.h>

#include "sim/policy/rules.h"
#include "tools/message.h"
#include "tools/progress.h"

const struct option_def option_policies = {
	.name = "policies",
	.kind = OPTION_TEXT,
	.value = "FILE",
	.help = "memory policies of tasks whose trace does not tell them"};

int trace_in_load(const struct arguments *args, const char *path, struct diag *diag,
		  struct trace **t)
{
	const char *file = arguments_value(args, &option_policies);
	struct policy_rules *rules = NULL;
	struct progress progress;
	int err = 0;

	if (file && !strcmp(file, "-") && !strcmp(path, "-"))
		return diag_error(diag, -EINVAL, NULL, 0,
				  "trace and policies cannot both be standard input");
	if (file)
		err = policy_rules_load(file, diag, &rules);
	if (err)
		return err;
	progress_start(&progress, "reading the trace", arguments_value(args, &option_quiet));
	err = trace_load_with_policies(
		path, rules, &(struct trace_progress){progress_report, &progress}, diag, t);
	progress_end(&progress);
	policy_rules_free(rules);
	return err;
}

int trace_in_read(const struct arguments *args, const char *path, struct trace **t)
{
	struct diag diag = DIAG_INIT;
	int err = trace_in_load(args, path, &diag, t), status = STATUS_DONE;

	message_warnings(&diag, arguments_value(args, &option_quiet) != NULL);
	if (err)
		status = message_error(&diag, err, path);
	diag_clear(&diag);
	return status;
}
