/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a trace for a command: with progress, and with a policy file where one is given. */
#ifndef TOOLS_TRACE_IN_H
#define TOOLS_TRACE_IN_H

#include "sim/trace/trace.h"
#include "tools/command.h"

struct machine;

extern const struct option_def option_policies, option_release;

/**
 * Errors of trace_load_with() and policy_rules_load(), with the reason in diag. `m`: the machine
 * that it is for, whose kernel may have written it; NULL: none yet.
 */
int trace_in_load(const struct arguments *args, const char *path, const struct machine *m,
		  struct diag *diag, struct trace **t);
/** The same, with its warnings and errors printed. Returns an exit status. */
int trace_in_read(const struct arguments *args, const char *path, struct trace **t);

#endif
