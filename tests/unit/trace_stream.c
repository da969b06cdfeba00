/* SPDX-License-Identifier: Apache-2.0 */
/* Lines out of plain, gzip and zstd bytes: bounds, damage, several members and frames. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "sim/trace/stream.h"

struct bytes {
	char *data;
	size_t len;
};

static void append(struct bytes *b, const void *data, size_t len)
{
	b->data = realloc(b->data, b->len + len + 1);
	cr_assert_not_null(b->data);
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

static void append_gzip(struct bytes *b, const void *data, size_t len)
{
	z_stream z = {0};
	size_t room = len + len / 100 + 100;
	char *out = malloc(room);

	cr_assert_eq(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (Bytef *)data;
	z.avail_in = len;
	z.next_out = (Bytef *)out;
	z.avail_out = room;
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	append(b, out, room - z.avail_out);
	deflateEnd(&z);
	free(out);
}

static void append_zstd(struct bytes *b, const void *data, size_t len)
{
	size_t room = ZSTD_compressBound(len), n;
	ZSTD_CCtx *zstd = ZSTD_createCCtx();
	char *out = malloc(room);

	/* With a checksum, as the zstd command has it: without, damaged literals go unnoticed. */
	ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
	n = ZSTD_compress2(zstd, out, room, data, len);
	cr_assert_not(ZSTD_isError(n));
	append(b, out, n);
	ZSTD_freeCCtx(zstd);
	free(out);
}

static struct stream *open_bytes(const void *data, size_t len)
{
	struct diag diag = DIAG_INIT;
	struct stream *s = NULL;

	cr_assert_eq(stream_open_memory(data, len, "input", &diag, &s), 0);
	return s;
}

/* Read all lines; returns their number, or the error. */
static long read_all(const void *data, size_t len, struct diag *diag)
{
	struct stream *s = open_bytes(data, len);
	struct stream_line line;
	long nr = 0;
	int got;

	while ((got = stream_next(s, diag, &line)) == 1)
		cr_assert_eq(line.number, (uint64_t)++nr);
	stream_close(s);
	return got ? got : nr;
}

static void expect_line(struct stream *s, const char *text)
{
	struct diag diag = DIAG_INIT;
	struct stream_line line;

	cr_assert_eq(stream_next(s, &diag, &line), 1);
	cr_assert_eq(line.len, strlen(text));
	cr_assert_str_eq(line.text, text);
	cr_assert_not(line.too_long);
}

static void expect_end(struct stream *s)
{
	struct diag diag = DIAG_INIT;
	struct stream_line line;

	cr_assert_eq(stream_next(s, &diag, &line), 0);
	cr_assert_eq(stream_next(s, &diag, &line), 0);
}

Test(trace_stream, cuts_lines_at_either_line_end)
{
	const char text[] = "one\n\r\ntwo\r\n\nlast\r";
	struct stream *s = open_bytes(text, strlen(text));

	cr_assert_str_eq(stream_compression(s), "none");
	expect_line(s, "one");
	expect_line(s, "");
	expect_line(s, "two");
	expect_line(s, "");
	expect_line(s, "last");
	expect_end(s);
	stream_close(s);
}

Test(trace_stream, nothing_has_no_lines)
{
	struct stream *s = open_bytes(NULL, 0);

	expect_end(s);
	stream_close(s);
}

Test(trace_stream, nul_bytes_are_bytes)
{
	struct stream *s = open_bytes("a\0b\n\0", 5);
	struct diag diag = DIAG_INIT;
	struct stream_line line;

	cr_assert_eq(stream_next(s, &diag, &line), 1);
	cr_assert_eq(line.len, 3);
	cr_assert_eq(memcmp(line.text, "a\0b", 4), 0);
	cr_assert_eq(stream_next(s, &diag, &line), 1);
	cr_assert_eq(line.len, 1);
	expect_end(s);
	stream_close(s);
}

Test(trace_stream, peeking_takes_nothing)
{
	struct stream *s = open_bytes("one\ntwo", 7);
	struct diag diag = DIAG_INIT;
	const char *text;
	size_t len;

	cr_assert_eq(stream_peek(s, &diag, &text, &len), 0);
	cr_assert_eq(len, 7);
	cr_assert_eq(memcmp(text, "one\ntwo", 7), 0);
	expect_line(s, "one");
	expect_line(s, "two");
	expect_end(s);
	stream_close(s);
}

/* Lines of `len` bytes between two short ones, for lengths around the bound and the buffer. */
static void long_line(size_t len)
{
	struct bytes b = {0};
	struct diag diag = DIAG_INIT;
	struct stream_line line;
	struct stream *s;
	char *filler = malloc(len);

	memset(filler, 'x', len);
	append(&b, "before\n", 7);
	append(&b, filler, len);
	append(&b, "\nafter\n", 7);
	s = open_bytes(b.data, b.len);
	expect_line(s, "before");
	cr_assert_eq(stream_next(s, &diag, &line), 1);
	cr_assert_eq(line.too_long, len > STREAM_MAX_LINE, "length %zu", len);
	cr_assert_eq(line.len, len > STREAM_MAX_LINE ? STREAM_MAX_LINE : len);
	cr_assert_eq(line.text[line.len], 0);
	cr_assert_eq(line.number, 2);
	expect_line(s, "after");
	expect_end(s);
	stream_close(s);
	free(filler);
	free(b.data);
}

Test(trace_stream, lines_are_bounded)
{
	long_line(STREAM_MAX_LINE - 1);
	long_line(STREAM_MAX_LINE);
	long_line(STREAM_MAX_LINE + 1);
	for (size_t n = 1; n <= 5; n++)
		for (long off = -8; off <= 8; off++)
			long_line(n * STREAM_MAX_LINE + STREAM_MAX_LINE / 2 + off);
	for (long off = -16; off <= 8; off++)
		long_line(4 * STREAM_MAX_LINE + off); /* the buffer's size */
}

Test(trace_stream, an_endless_line_ends_with_the_file)
{
	size_t len = 64 * STREAM_MAX_LINE;
	char *filler = malloc(len);
	struct diag diag = DIAG_INIT;

	memset(filler, 'x', len);
	cr_assert_eq(read_all(filler, len, &diag), 1);
	free(filler);
}

/* 100000 lines that do not compress to nothing. */
static struct bytes many_lines(void)
{
	struct bytes b = {0};
	uint64_t x = 88172645463325252u;

	b.data = malloc(8 << 20);
	for (int i = 0; i < 100000; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		b.len += sprintf(b.data + b.len, "line %d %016llx\n", i, (unsigned long long)x);
	}
	return b;
}

static void expect_many_lines(const struct bytes *packed, const char *compression)
{
	struct bytes plain = many_lines();
	struct stream *s = open_bytes(packed->data, packed->len);
	struct diag diag = DIAG_INIT;
	struct stream_line line;
	size_t at = 0;

	cr_assert_str_eq(stream_compression(s), compression);
	while (stream_next(s, &diag, &line) == 1) {
		cr_assert_eq(memcmp(plain.data + at, line.text, line.len), 0);
		at += line.len + 1;
	}
	cr_assert_not(diag.failed);
	cr_assert_eq(at, plain.len);
	cr_assert_eq(stream_bytes_used(s), packed->len);
	cr_assert_eq(stream_bytes_total(s), packed->len);
	stream_close(s);
	free(plain.data);
}

Test(trace_stream, reads_gzip_of_several_members)
{
	struct bytes plain = many_lines(), one = {0}, three = {0};

	append_gzip(&one, plain.data, plain.len);
	expect_many_lines(&one, "gzip");
	append_gzip(&three, plain.data, 100001);
	append_gzip(&three, "", 0);
	append_gzip(&three, plain.data + 100001, plain.len - 100001);
	expect_many_lines(&three, "gzip");
	append(&three, "\0\0\0\0\0\0\0\0", 8); /* padding of a tape's block */
	expect_many_lines(&three, "gzip");
	free(plain.data);
	free(one.data);
	free(three.data);
}

Test(trace_stream, reads_zstd_of_several_frames)
{
	struct bytes plain = many_lines(), one = {0}, three = {0};

	append_zstd(&one, plain.data, plain.len);
	expect_many_lines(&one, "zstd");
	append(&three, "\x50\x2a\x4d\x18\x03\0\0\0abc", 11); /* a skippable frame of 3 bytes */
	append_zstd(&three, plain.data, 100001);
	append_zstd(&three, "", 0);
	append_zstd(&three, plain.data + 100001, plain.len - 100001);
	expect_many_lines(&three, "zstd");
	free(plain.data);
	free(one.data);
	free(three.data);
}

/* Cut off at each of its first 64 lengths, its last 64, and some between: never a whole file. */
static void expect_truncated(const struct bytes *b, const char *begins, size_t shortest)
{
	for (size_t cut = shortest; cut < b->len; cut += cut < 64 || cut + 65 >= b->len ? 1 : 997) {
		struct diag diag = DIAG_INIT;
		char text[128];

		cr_assert_eq(read_all(b->data, cut, &diag), -EINVAL, "cut to %zu bytes", cut);
		cr_assert_str_eq(diag.error.file, "input");
		snprintf(text, sizeof(text),
			 "%s data end early, after byte %zu: the file was cut off", begins, cut);
		cr_assert_str_eq(diag.error.text, text);
		diag_clear(&diag);
	}
}

/* With fewer bytes than the magic number it is not gzip (2) or zstd (4) but a short text. */
Test(trace_stream, truncated_data_are_an_error)
{
	struct bytes plain = many_lines(), gz = {0}, zst = {0};

	append_gzip(&gz, plain.data, 300000);
	expect_truncated(&gz, "gzip", 2);
	append_zstd(&zst, plain.data, 300000);
	expect_truncated(&zst, "zstd", 4);
	free(plain.data);
	free(gz.data);
	free(zst.data);
}

Test(trace_stream, damaged_data_are_an_error)
{
	struct bytes plain = many_lines(), gz = {0}, zst = {0};
	struct diag diag = DIAG_INIT;

	append_gzip(&gz, plain.data, 300000);
	gz.data[gz.len - 8] ^= 1; /* the checksum */
	cr_assert_eq(read_all(gz.data, gz.len, &diag), -EINVAL);
	cr_assert(strstr(diag.error.text, "gzip data are damaged near byte "), "%s",
		  diag.error.text);
	cr_assert(strstr(diag.error.text, "incorrect data check"), "%s", diag.error.text);
	diag_clear(&diag);

	append_zstd(&zst, plain.data, 300000);
	memset(zst.data + zst.len / 2, 0xff, 64);
	cr_assert_eq(read_all(zst.data, zst.len, &diag), -EINVAL);
	cr_assert(strstr(diag.error.text, "zstd data are damaged near byte "), "%s",
		  diag.error.text);
	diag_clear(&diag);
	free(plain.data);
	free(gz.data);
	free(zst.data);
}

Test(trace_stream, something_else_behind_gzip_is_an_error)
{
	struct bytes gz = {0};
	struct diag diag = DIAG_INIT;

	append_gzip(&gz, "a\n", 2);
	append(&gz, "rubbish", 7);
	cr_assert_eq(read_all(gz.data, gz.len, &diag), -EINVAL);
	cr_assert(strstr(diag.error.text, "what follows the compressed data is not gzip"));
	diag_clear(&diag);
	free(gz.data);
}

Test(trace_stream, what_cannot_be_opened_is_named)
{
	struct diag diag = DIAG_INIT;
	struct stream *s;

	cr_assert_eq(stream_open("/nonexistent/trace", &diag, &s), -ENOENT);
	cr_assert_str_eq(diag.error.file, "/nonexistent/trace");
	cr_assert_str_eq(diag.error.text, "cannot open: No such file or directory");
	diag_clear(&diag);
	cr_assert_eq(stream_open("/", &diag, &s), -ENOENT);
	cr_assert_str_eq(diag.error.text, "the capture has no trace: expected trace.txt, "
					  "trace.txt.gz, trace.txt.zst or trace.bin in it");
	diag_clear(&diag);
}

/* A pipe hands out what is in it, a few bytes at a time, and has no size. */
Test(trace_stream, reads_standard_input)
{
	struct bytes gz = {0};
	struct diag diag = DIAG_INIT;
	struct stream_line line;
	struct stream *s;
	int fds[2];

	append_gzip(&gz, "one\ntwo\n", 8);
	cr_assert_eq(pipe(fds), 0);
	if (fork() == 0) {
		for (size_t i = 0; i < gz.len; i++)
			if (write(fds[1], gz.data + i, 1) != 1)
				_exit(1);
		_exit(0);
	}
	close(fds[1]);
	dup2(fds[0], STDIN_FILENO);
	cr_assert_eq(stream_open("-", &diag, &s), 0);
	cr_assert_str_eq(stream_name(s), "-");
	cr_assert_str_eq(stream_compression(s), "gzip");
	cr_assert_eq(stream_bytes_total(s), 0);
	expect_line(s, "one");
	expect_line(s, "two");
	cr_assert_eq(stream_next(s, &diag, &line), 0);
	stream_close(s);
	free(gz.data);
}
