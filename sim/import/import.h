/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where machine files come from, besides people. Each sim/import/NAME.c defines `const struct
 * import_kind import_NAME`, and the build makes a table of them.
 */
#ifndef SIM_IMPORT_IMPORT_H
#define SIM_IMPORT_IMPORT_H

#include <stdio.h>

#include "sim/config/diag.h"

struct import_kind {
	const char *name;
	const char *summary; /* what INPUT is, in one line */
	/**
	 * Read `input` and write the text of a machine file. Returns 0; -ENOENT, -EIO, -EINVAL
	 * with the reason in diag, and then what has been written is worth nothing; -ENOMEM. The
	 * same input gives the same bytes. Write errors stay with the stream.
	 */
	int (*read)(const char *input, struct diag *diag, FILE *out);
};

extern const struct import_kind *const import_kinds[]; /* NULL at the end */

#endif
