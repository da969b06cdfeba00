/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diagnostics: what the user got wrong, with file, line, what was found, what was expected and
 * the nearest known name. Nothing below tools/ prints; it fills one of these and returns -errno.
 * The first error wins; warnings are a list.
 */
#ifndef SIM_DIAG_H
#define SIM_DIAG_H

#include <stdbool.h>
#include <stddef.h>

struct diag_message {
	char *file;    /* owned; NULL where there is none */
	unsigned line; /* from 1; 0 unknown */
	char *text;    /* owned; one line without a newline */
};

struct diag {
	bool failed;
	struct diag_message error; /* set where failed */
	struct diag_message *warnings;
	size_t nr_warnings;
};

/** An empty diag: struct diag d = DIAG_INIT; */
#define DIAG_INIT                                                                                  \
	{                                                                                          \
		0                                                                                  \
	}

/**
 * Record an error (the first one is kept). `file` may be NULL, `line` 0. Returns `err`, a negative
 * errno, so that callers can write `return diag_error(...)`.
 */
int diag_error(struct diag *d, int err, const char *file, unsigned line, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/** Record a warning, once; at most 100 are kept. */
void diag_warn(struct diag *d, const char *file, unsigned line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/** Free what the diag owns and make it empty again. */
void diag_clear(struct diag *d);

/**
 * The candidate nearest to `name` by edit distance, or NULL where none is near enough to be meant
 * (more than a third of its letters differ, at least 2 allowed). `candidate(i, arg)` gives the
 * i-th name and NULL past the last.
 */
const char *diag_nearest(const char *name, const char *(*candidate)(unsigned i, void *arg),
			 void *arg);

#endif
