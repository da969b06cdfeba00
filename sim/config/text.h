/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of a config file, made safe for the parser: one text, with its includes in place,
 * comments blanked, syntax and limits checked, and each line's origin kept for messages.
 *
 * libconfig's own scanner ends the process on a read error, cuts integers to 32 bits in silence,
 * resolves includes against the working directory and recurses as deep as the file says. So it
 * only ever sees text that passed through here. Limits: 8 MiB of text, 64 includes, 8 deep; values
 * nested 16 deep; 1,000,000 tokens; 256 keys in a group.
 */
#ifndef SIM_CONFIG_TEXT_H
#define SIM_CONFIG_TEXT_H

#include "sim/config/diag.h"

struct cfg_line {
	unsigned file; /* index into files */
	unsigned line; /* from 1 */
};

struct cfg_text {
	char *text; /* NUL-terminated, no other NUL in it */
	size_t length;
	struct cfg_line *lines; /* origin of each line of text */
	size_t nr_lines;
	char **files;
	size_t nr_files;
};

/**
 * Read a file and what it includes; paths of includes are relative to the including file.
 * Returns 0 (free with cfg_text_clear); -ENOENT, -EIO (the file), -EINVAL (its content), -ENOMEM.
 */
int cfg_text_load(const char *path, struct diag *diag, struct cfg_text *out);

/** The same from memory, where there is nothing to include from: an include is an error. */
int cfg_text_parse(const char *text, size_t len, const char *name, struct diag *diag,
		   struct cfg_text *out);

void cfg_text_clear(struct cfg_text *t);

/** Origin of line `line` (from 1) of the text; the last line's where it is beyond the end. */
void cfg_text_where(const struct cfg_text *t, unsigned line, const char **file,
		    unsigned *file_line);

/**
 * Check that the text is settings as libconfig has them, within the limits, and that no integer
 * is outside 32 bits without an L, or 64 bits with one. Returns 0 or -EINVAL. (config_syntax.c)
 */
int cfg_syntax_check(const struct cfg_text *t, struct diag *diag);

#endif
