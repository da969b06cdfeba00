/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy file: which tasks of a trace had which memory policy, and when, for traces that do not
 * tell. Its format stands in docs/trace-format.md.
 */
#ifndef SIM_POLICY_RULES_H
#define SIM_POLICY_RULES_H

#include "mm/mempolicy.h"
#include "sim/config/diag.h"

struct policy_rules;

/**
 * Read a policy file, which may be compressed; "-" is standard input. Returns 0 and *out (free with
 * policy_rules_free()); -EINVAL with file, line, what was found and expected; -ENOENT, -EIO,
 * -ENOMEM.
 */
int policy_rules_load(const char *path, struct diag *diag, struct policy_rules **out);
/** The same from memory. */
int policy_rules_parse(const char *text, size_t len, const char *name, struct diag *diag,
		       struct policy_rules **out);
/** `rules` may be NULL. */
void policy_rules_free(struct policy_rules *rules);
/** How many rules there are. */
size_t policy_rules_number(const struct policy_rules *rules);
/** Does the text begin as a policy file does? */
bool policy_rules_probe(const char *text, size_t len);

/**
 * The policy of a task at a time since the first event of the trace; the last rule that fits.
 * Returns NULL where none does. Not const: rules know whether they were of use.
 */
const struct mm_policy *policy_rules_find(struct policy_rules *rules, const char *comm,
					  size_t comm_len, uint32_t pid, uint64_t time_ps);
/** Warn of each rule that no task fitted. */
void policy_rules_warn(const struct policy_rules *rules, struct diag *diag);

#endif
