/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where results go: standard output, or a file that appears whole or not at all. A regular file is
 * written beside its final place and renamed at the end; what stands there before stays until then.
 * At most OUTPUT_MAX files at a time.
 */
#ifndef TOOLS_OUTPUT_H
#define TOOLS_OUTPUT_H

#include <stdio.h>

#define OUTPUT_MAX 4

struct output {
	FILE *stream;    /* write here */
	char *path;      /* for messages */
	char *target;    /* what the file is renamed to; NULL where `path` is written directly */
	char *temporary; /* the file until then */
	int slot;        /* among those that are removed when the process ends early */
};

/**
 * Open for writing: `path`, or standard output where it is NULL or "-". Returns 0 (end it with
 * output_commit or output_discard), or -errno after a message on standard error.
 */
int output_open(struct output *o, const char *path);

/**
 * Could output_open() write there? For before the work that makes the results. Leaves nothing
 * behind, and does not touch what stands there. 0, or -errno after a message. NULL and "-" always
 * can.
 */
int output_check(const char *path);

/**
 * All is written: flush, close, put in place. Returns 0, or -errno after a message where any write
 * failed, and then a regular file is as it was before.
 */
int output_commit(struct output *o);

/** Forget what was written to a file. */
void output_discard(struct output *o);

#endif
