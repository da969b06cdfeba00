/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes to standard error: `numasim: FILE:LINE: text`, a line each.
 */
#ifndef TOOLS_MESSAGE_H
#define TOOLS_MESSAGE_H

#include "sim/config/diag.h"

/** Print `numasim: ` and the text, which has no newline. */
void message(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** Print the warnings of the diag, unless `quiet`. */
void message_warnings(const struct diag *d, bool quiet);

/**
 * Print the error of the diag, or, where it holds none, what errno `err` (negative) means for
 * `file`. Returns the exit status: STATUS_WRONG, or STATUS_FAILED for a lack of memory.
 */
int message_error(const struct diag *d, int err, const char *file);

#endif
