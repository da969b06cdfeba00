/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a file, of standard input, of memory or of a stream, without their compression: gzip
 * (of several members too) and zstd (of several frames too) are recognised by their first bytes,
 * whatever the file is called.
 */
#ifndef SIM_TRACE_UNPACK_H
#define SIM_TRACE_UNPACK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sim/config/diag.h"

struct unpack;

/**
 * Open `path` ("-": standard input) and look at its first bytes. Returns 0 and *out (close with
 * unpack_close()); -ENOENT, -EIO where it cannot be opened or read, -ENOMEM.
 */
int unpack_open(const char *path, struct diag *diag, struct unpack **out);
/** The same for `len` bytes at `data`, borrowed until unpack_close(); `name` is for messages. */
int unpack_open_memory(const void *data, size_t len, const char *name, struct diag *diag,
		       struct unpack **out);

/* Where bytes come from that are in no file of their own. */
struct unpack_stream {
	/** As read(): how many bytes, 0 at the end, or an error that is in diag. */
	ssize_t (*read)(void *arg, struct diag *diag, void *buf, size_t room);
	void (*close)(void *arg);
	void *arg;
	uint64_t total; /* bytes that it has; 0: not known */
};

/** The same for a stream, which is closed by unpack_close(), and where this fails. */
int unpack_open_stream(const struct unpack_stream *stream, const char *name, struct diag *diag,
		       struct unpack **out);
void unpack_close(struct unpack *u);

/**
 * Look at the first bytes that unpack_read() is going to give, before it is called. Returns how
 * many there are, at most UNPACK_PEEK; errors as there.
 */
#define UNPACK_PEEK 512
ssize_t unpack_peek(struct unpack *u, struct diag *diag, const uint8_t **bytes);

/**
 * The next bytes, at most `room` of them. Returns how many, 0 at the end; -EINVAL where compressed
 * data are damaged or end early (diag says at which byte of the file), -EIO, -ENOMEM.
 */
ssize_t unpack_read(struct unpack *u, struct diag *diag, void *buf, size_t room);

/** As given to open; "-" for standard input. Lives as long as `u`. */
const char *unpack_name(const struct unpack *u);
/** "none", "gzip" or "zstd". */
const char *unpack_compression(const struct unpack *u);
/** Bytes of the file that were used so far, and its size; 0 where that is unknown. */
uint64_t unpack_bytes_used(const struct unpack *u);
uint64_t unpack_bytes_total(const struct unpack *u);

#endif
