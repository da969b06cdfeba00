/* SPDX-License-Identifier: Apache-2.0 */
/* Views by their names: those that `show` prints, and those of --show, behind a run. */
#ifndef TOOLS_VIEWS_H
#define TOOLS_VIEWS_H

#include "sim/show/show.h"
#include "tools/options.h"

extern const struct option_def option_show; /* repeatable */

/** The view of that name, or NULL after a message of `who`, which lists all. */
const struct show_kind *views_find(const char *who, const char *name);

/** For the help of commands: a line for each. */
void views_explain(FILE *out);

/**
 * Read every --show, in their order. Returns 0 with *views (free() it) and *nr; -EINVAL after a
 * message; -ENOMEM.
 */
int views_read(const char *who, const struct arguments *args, struct show_request **views,
	       size_t *nr);

#endif
