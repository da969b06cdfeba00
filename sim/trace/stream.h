/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines of a possibly compressed text. Bounded: a line longer than STREAM_MAX_LINE is handed
 * out cut and marked, and the rest of it passes by without being kept.
 */
#ifndef SIM_TRACE_STREAM_H
#define SIM_TRACE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sim/config/diag.h"

#define STREAM_MAX_LINE 65536 /* bytes, without the line end */

struct stream;

/* Valid until the next call for the stream. */
struct stream_line {
	const char
		*text; /* without "\n" or "\r\n"; text[len] is 0, and so may be bytes before it */
	size_t len;
	uint64_t number; /* from 1 */
	bool too_long;   /* text is only its beginning */
};

/** Errors as unpack_open(). Close with stream_close(). */
int stream_open(const char *path, struct diag *diag, struct stream **out);
/** `data` is borrowed until stream_close(). */
int stream_open_memory(const void *data, size_t len, const char *name, struct diag *diag,
		       struct stream **out);
void stream_close(struct stream *s);

/**
 * The text's beginning, for a look at what it is: at least STREAM_MAX_LINE bytes, less only where
 * the text ends before. To be called before the first stream_next(). Errors as unpack_read().
 */
int stream_peek(struct stream *s, struct diag *diag, const char **text, size_t *len);

/** The next line: returns 1 and *line; 0 at the end; errors as unpack_read(). */
int stream_next(struct stream *s, struct diag *diag, struct stream_line *line);

/**
 * For formats that are no lines: the next `len` bytes, fewer only where the text ends. Not to be
 * mixed with stream_next(). Returns how many; errors as unpack_read().
 */
ssize_t stream_read(struct stream *s, struct diag *diag, void *buf, size_t len);

const char *stream_name(const struct stream *s);
const char *stream_compression(const struct stream *s);
/** Of the file, before decompression; the total is 0 where it is unknown. */
uint64_t stream_bytes_used(const struct stream *s);
uint64_t stream_bytes_total(const struct stream *s);

#endif
