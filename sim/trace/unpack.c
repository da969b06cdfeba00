/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes from a file descriptor, from memory or from a stream, through zlib or libzstd where they
 * are compressed.
 *
 * Owns one input buffer; what comes out goes straight to the caller. Memory is bounded by that
 * buffer and by the decoders' windows, whatever the input says (libzstd refuses windows beyond
 * 128 MiB). Knows nothing of lines.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "sim/trace/unpack.h"

#define INPUT_BYTES (64 * 1024)

enum compression { PLAIN, GZIP, ZSTD };

struct unpack {
	char *name;
	int fd; /* -1: none */
	bool close_fd;
	struct unpack_stream stream; /* its read is NULL where there is none */
	bool at_end;                 /* nothing left to get: all that is left is in `next` */
	const uint8_t *next;         /* not used yet */
	size_t left;
	uint64_t got, total; /* bytes that were at `next` so far; of the file */
	enum compression compression;
	bool within;    /* a gzip member or zstd frame that has not ended */
	bool inflating; /* z is initialised */
	z_stream z;
	ZSTD_DStream *zstd;
	size_t peeked, given; /* bytes in peek, and of these, that were read */
	uint8_t peek[UNPACK_PEEK];
	uint8_t input[INPUT_BYTES];
};

/* Get more input behind what is left. Returns 0, also at the end. */
static int refill(struct unpack *u, struct diag *diag)
{
	ssize_t n;

	if (u->at_end)
		return 0;
	if (u->left)
		memmove(u->input, u->next, u->left);
	u->next = u->input;
	do {
		n = u->stream.read ? u->stream.read(u->stream.arg, diag, u->input + u->left,
						    INPUT_BYTES - u->left)
				   : read(u->fd, u->input + u->left, INPUT_BYTES - u->left);
	} while (n < 0 && !u->stream.read && errno == EINTR);
	if (n < 0 && u->stream.read)
		return (int)n;
	if (n < 0)
		return diag_error(diag, -EIO, u->name, 0, "cannot read: %s", strerror(errno));
	u->at_end = n == 0;
	u->left += n;
	u->got += n;
	return 0;
}

static bool is_gzip(const uint8_t *p, size_t n)
{
	return n >= 2 && p[0] == 0x1f && p[1] == 0x8b;
}

/* A frame of RFC 8878, or a skippable one, with which parallel compressors begin. */
static bool is_zstd(const uint8_t *p, size_t n)
{
	uint32_t magic;

	if (n < 4)
		return false;
	magic = p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
	return magic == ZSTD_MAGICNUMBER ||
	       (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START;
}

static int recognise(struct unpack *u, struct diag *diag)
{
	int err;

	while (u->left < 4 && !u->at_end) {
		err = refill(u, diag);
		if (err)
			return err;
	}
	if (is_gzip(u->next, u->left)) {
		if (inflateInit2(&u->z, 15 + 16) != Z_OK)
			return -ENOMEM;
		u->inflating = true;
		u->within = true;
		u->compression = GZIP;
	} else if (is_zstd(u->next, u->left)) {
		u->zstd = ZSTD_createDStream();
		if (!u->zstd)
			return -ENOMEM;
		u->within = true;
		u->compression = ZSTD;
	}
	return 0;
}

static struct unpack *unpack_new(const char *name)
{
	struct unpack *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->fd = -1;
	u->next = u->input;
	u->name = strdup(name);
	if (!u->name) {
		free(u);
		return NULL;
	}
	return u;
}

static int open_file(struct unpack *u, const char *path, struct diag *diag)
{
	struct stat st;

	if (strcmp(path, "-") == 0) {
		u->fd = STDIN_FILENO;
	} else {
		u->fd = open(path, O_RDONLY | O_CLOEXEC);
		u->close_fd = true;
	}
	if (u->fd < 0)
		return diag_error(diag, errno == ENOENT ? -ENOENT : -EIO, path, 0,
				  "cannot open: %s", strerror(errno));
	if (fstat(u->fd, &st) == 0 && S_ISREG(st.st_mode))
		u->total = st.st_size;
	return 0;
}

int unpack_open(const char *path, struct diag *diag, struct unpack **out)
{
	struct unpack *u = unpack_new(path);
	int err;

	if (!u)
		return -ENOMEM;
	err = open_file(u, path, diag);
	if (!err)
		err = recognise(u, diag);
	if (err) {
		unpack_close(u);
		return err;
	}
	*out = u;
	return 0;
}

int unpack_open_memory(const void *data, size_t len, const char *name, struct diag *diag,
		       struct unpack **out)
{
	struct unpack *u = unpack_new(name);
	int err;

	if (!u)
		return -ENOMEM;
	u->at_end = true;
	if (len)
		u->next = data;
	u->left = len;
	u->got = u->total = len;
	err = recognise(u, diag);
	if (err) {
		unpack_close(u);
		return err;
	}
	*out = u;
	return 0;
}

int unpack_open_stream(const struct unpack_stream *stream, const char *name, struct diag *diag,
		       struct unpack **out)
{
	struct unpack *u = unpack_new(name);
	int err;

	if (!u) {
		stream->close(stream->arg);
		return -ENOMEM;
	}
	u->stream = *stream;
	u->total = stream->total;
	err = recognise(u, diag);
	if (err) {
		unpack_close(u);
		return err;
	}
	*out = u;
	return 0;
}

void unpack_close(struct unpack *u)
{
	if (!u)
		return;
	if (u->stream.read)
		u->stream.close(u->stream.arg);
	if (u->inflating)
		inflateEnd(&u->z);
	ZSTD_freeDStream(u->zstd);
	if (u->close_fd && u->fd >= 0)
		close(u->fd);
	free(u->name);
	free(u);
}

static int ends_early(struct unpack *u, struct diag *diag)
{
	return diag_error(diag, -EINVAL, u->name, 0,
			  "%s data end early, after byte %" PRIu64 ": the file was cut off",
			  unpack_compression(u), unpack_bytes_used(u));
}

static int damaged(struct unpack *u, struct diag *diag, const char *why)
{
	return diag_error(diag, -EINVAL, u->name, 0,
			  "%s data are damaged near byte %" PRIu64 ": %s", unpack_compression(u),
			  unpack_bytes_used(u), why);
}

/*
 * Between gzip members: go to the next one. Zeroes may pad the file at its end, as tapes had it.
 * Returns 1 where a member begins, 0 at the end.
 */
static int next_member(struct unpack *u, struct diag *diag)
{
	bool padding = false;
	int err;

	for (;;) {
		while (u->left && u->next[0] == 0) {
			u->next++;
			u->left--;
			padding = true;
		}
		if (u->left >= 2 || (u->left && u->at_end))
			break;
		if (!u->left && u->at_end)
			return 0;
		err = refill(u, diag);
		if (err)
			return err;
	}
	if (padding || !is_gzip(u->next, u->left))
		return damaged(u, diag, "what follows the compressed data is not gzip");
	inflateReset(&u->z);
	u->within = true;
	return 1;
}

static ssize_t read_gzip(struct unpack *u, struct diag *diag, void *buf, size_t room)
{
	u->z.next_out = buf;
	u->z.avail_out = room > INT32_MAX ? INT32_MAX : room;
	for (;;) {
		uInt offered, before = u->z.avail_out;
		int err;

		if (!u->within) {
			err = next_member(u, diag);
			if (err <= 0)
				return err;
		}
		offered = u->left > INT32_MAX ? INT32_MAX : u->left;
		u->z.next_in = (Bytef *)u->next; /* zlib only reads it */
		u->z.avail_in = offered;
		err = inflate(&u->z, Z_NO_FLUSH);
		u->next += offered - u->z.avail_in;
		u->left -= offered - u->z.avail_in;
		if (err == Z_MEM_ERROR)
			return -ENOMEM;
		if (err != Z_OK && err != Z_BUF_ERROR && err != Z_STREAM_END)
			return damaged(u, diag, u->z.msg ? u->z.msg : "not a gzip stream");
		if (err == Z_STREAM_END)
			u->within = false;
		if (u->z.avail_out < before)
			return before - u->z.avail_out;
		if (u->within && !u->left) {
			if (u->at_end)
				return ends_early(u, diag);
			err = refill(u, diag);
			if (err)
				return err;
		}
	}
}

static ssize_t read_zstd(struct unpack *u, struct diag *diag, void *buf, size_t room)
{
	ZSTD_outBuffer out = {buf, room, 0};

	for (;;) {
		ZSTD_inBuffer in;
		size_t ret;
		int err;

		if (!u->left) {
			err = refill(u, diag);
			if (err)
				return err;
			if (!u->left && u->at_end && !u->within)
				return 0;
		}
		in = (ZSTD_inBuffer){u->next, u->left, 0};
		ret = ZSTD_decompressStream(u->zstd, &out, &in);
		u->next += in.pos;
		u->left -= in.pos;
		if (ZSTD_isError(ret))
			return damaged(u, diag, ZSTD_getErrorName(ret));
		u->within = ret != 0;
		if (out.pos)
			return out.pos;
		if (u->within && !in.pos && !u->left && u->at_end)
			return ends_early(u, diag);
	}
}

static ssize_t read_plain(struct unpack *u, struct diag *diag, void *buf, size_t room)
{
	size_t n;

	if (!u->left) {
		int err = refill(u, diag);

		if (err)
			return err;
	}
	n = u->left < room ? u->left : room;
	memcpy(buf, u->next, n);
	u->next += n;
	u->left -= n;
	return n;
}

static ssize_t read_any(struct unpack *u, struct diag *diag, void *buf, size_t room)
{
	switch (u->compression) {
	case GZIP:
		return read_gzip(u, diag, buf, room);
	case ZSTD:
		return read_zstd(u, diag, buf, room);
	default:
		return read_plain(u, diag, buf, room);
	}
}

ssize_t unpack_read(struct unpack *u, struct diag *diag, void *buf, size_t room)
{
	size_t n = u->peeked - u->given;

	if (!n)
		return read_any(u, diag, buf, room);
	if (n > room)
		n = room;
	memcpy(buf, u->peek + u->given, n);
	u->given += n;
	return (ssize_t)n;
}

ssize_t unpack_peek(struct unpack *u, struct diag *diag, const uint8_t **bytes)
{
	while (u->peeked < UNPACK_PEEK) {
		ssize_t n = read_any(u, diag, u->peek + u->peeked, UNPACK_PEEK - u->peeked);

		if (n < 0)
			return n;
		if (!n)
			break;
		u->peeked += (size_t)n;
	}
	*bytes = u->peek;
	return (ssize_t)u->peeked;
}

const char *unpack_name(const struct unpack *u)
{
	return u->name;
}

const char *unpack_compression(const struct unpack *u)
{
	static const char *const names[] = {"none", "gzip", "zstd"};

	return names[u->compression];
}

uint64_t unpack_bytes_used(const struct unpack *u)
{
	return u->got - u->left;
}

uint64_t unpack_bytes_total(const struct unpack *u)
{
	return u->total;
}
