/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cuts bytes into lines, in one buffer of fixed size: lines are handed out where they lie, and what
 * is left of the last one moves to the front when more is read.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/trace/archive.h"
#include "sim/trace/stream.h"
#include "sim/trace/unpack.h"

#define BUFFER_BYTES (4 * STREAM_MAX_LINE)

struct stream {
	struct unpack *unpack;
	size_t at, end;   /* of the text in the buffer that no line has been made of */
	size_t looked_at; /* behind `at`: bytes known to be without a newline */
	uint64_t nr_lines;
	bool at_end;                   /* nothing comes behind the buffer */
	bool skipping;                 /* the rest of a line that was too long */
	char buffer[BUFFER_BYTES + 1]; /* and room for a NUL behind a last line without a newline */
};

static struct stream *stream_new(struct unpack *u)
{
	struct stream *s = malloc(sizeof(*s));

	if (!s)
		return NULL;
	s->unpack = u;
	s->at = s->end = s->looked_at = 0;
	s->nr_lines = 0;
	s->at_end = s->skipping = false;
	return s;
}

int stream_open(const char *path, struct diag *diag, struct stream **out)
{
	struct unpack *u;
	int err = archive_open_trace(path, diag, &u);

	if (err)
		return err;
	*out = stream_new(u);
	if (!*out) {
		unpack_close(u);
		return -ENOMEM;
	}
	return 0;
}

int stream_open_memory(const void *data, size_t len, const char *name, struct diag *diag,
		       struct stream **out)
{
	struct unpack *u;
	int err = unpack_open_memory(data, len, name, diag, &u);

	if (err)
		return err;
	*out = stream_new(u);
	if (!*out) {
		unpack_close(u);
		return -ENOMEM;
	}
	return 0;
}

void stream_close(struct stream *s)
{
	if (!s)
		return;
	unpack_close(s->unpack);
	free(s);
}

/* Read behind the text in the buffer, which has room for it. */
static int fill(struct stream *s, struct diag *diag)
{
	ssize_t n;

	if (s->at) {
		memmove(s->buffer, s->buffer + s->at, s->end - s->at);
		s->end -= s->at;
		s->at = 0;
	}
	n = unpack_read(s->unpack, diag, s->buffer + s->end, BUFFER_BYTES - s->end);
	if (n < 0)
		return n;
	s->at_end = n == 0;
	s->end += n;
	return 0;
}

int stream_peek(struct stream *s, struct diag *diag, const char **text, size_t *len)
{
	while (s->end - s->at < STREAM_MAX_LINE && !s->at_end) {
		int err = fill(s, diag);

		if (err)
			return err;
	}
	*text = s->buffer + s->at;
	*len = s->end - s->at;
	return 0;
}

/* Where the text's first newline is, or NULL where the buffer has none. */
static char *find_newline(struct stream *s)
{
	char *from = s->buffer + s->at + s->looked_at;
	char *newline = memchr(from, '\n', s->buffer + s->end - from);

	s->looked_at = newline ? 0 : s->end - s->at;
	return newline;
}

/* Let the rest of a line that was too long pass by. */
static int skip(struct stream *s, struct diag *diag)
{
	while (s->skipping) {
		char *newline = find_newline(s);
		int err;

		s->looked_at = 0;
		if (newline) {
			s->at = newline + 1 - s->buffer;
			s->skipping = false;
			break;
		}
		s->at = s->end;
		if (s->at_end) {
			s->skipping = false;
			break;
		}
		err = fill(s, diag);
		if (err)
			return err;
	}
	return 0;
}

/* Hand out `len` bytes as a line and go on `used` bytes behind its beginning. */
static int hand_out(struct stream *s, size_t len, size_t used, struct stream_line *line)
{
	char *text = s->buffer + s->at;

	line->too_long = len > STREAM_MAX_LINE;
	if (line->too_long)
		len = STREAM_MAX_LINE;
	else if (len && text[len - 1] == '\r')
		len--;
	text[len] = 0;
	line->text = text;
	line->len = len;
	line->number = ++s->nr_lines;
	s->at += used;
	s->looked_at = 0;
	return 1;
}

int stream_next(struct stream *s, struct diag *diag, struct stream_line *line)
{
	int err = skip(s, diag);

	if (err)
		return err;
	for (;;) {
		char *newline = find_newline(s);
		size_t left = s->end - s->at;

		if (newline) {
			size_t len = newline - (s->buffer + s->at);

			return hand_out(s, len, len + 1, line);
		}
		if (left > STREAM_MAX_LINE) {
			s->skipping = true;
			return hand_out(s, left, left, line);
		}
		if (s->at_end)
			return left ? hand_out(s, left, left, line) : 0;
		err = fill(s, diag);
		if (err)
			return err;
	}
}

ssize_t stream_read(struct stream *s, struct diag *diag, void *buf, size_t len)
{
	size_t got = s->end - s->at < len ? s->end - s->at : len;

	memcpy(buf, s->buffer + s->at, got);
	s->at += got;
	while (got < len) {
		ssize_t n = unpack_read(s->unpack, diag, (char *)buf + got, len - got);

		if (n < 0)
			return n;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

const char *stream_name(const struct stream *s)
{
	return unpack_name(s->unpack);
}

const char *stream_compression(const struct stream *s)
{
	return unpack_compression(s->unpack);
}

uint64_t stream_bytes_used(const struct stream *s)
{
	return unpack_bytes_used(s->unpack);
}

uint64_t stream_bytes_total(const struct stream *s)
{
	return unpack_bytes_total(s->unpack);
}
