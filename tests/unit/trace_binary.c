/* SPDX-License-Identifier: Apache-2.0 */
/* Binary traces: what is written reads back, to the byte, from pipes too, also where it is
 * compressed. */
#include <criterion/criterion.h>
#include <errno.h>
#include <unistd.h>
#include <zlib.h>

#include "tests/trace_expect.h"
#include "tests/trace_forge.h"
#include "tests/trace_random.h"

static struct bytes write_binary(const struct trace *t)
{
	struct diag diag = DIAG_INIT;
	struct bytes b = forge_write(t, "binary", &diag);

	cr_assert_not_null(b.data, "%s", diag.failed ? diag.error.text : "");
	return b;
}

static struct trace *read_bytes(struct bytes b)
{
	struct diag diag = DIAG_INIT;
	struct trace *t = NULL;

	cr_assert_eq(trace_parse(b.data, b.len, "bytes", &diag, &t), 0, "%s",
		     diag.failed ? diag.error.text : "");
	cr_assert_str_eq(t->format, "binary");
	return t;
}

Test(trace_binary, random_traces_read_back)
{
	uint64_t x = seed();

	for (int round = 0; round < 40; round++) {
		struct trace *t = random_trace(&x, next(&x) % 3000, round % 2), *back;
		struct bytes b = write_binary(t);

		back = read_bytes(b);
		expect_same_trace(back, t, true);
		cr_assert_str_eq(back->original, "random");
		cr_assert_str_eq(back->original_format, "native");
		trace_free(back);
		trace_free(t);
		free(b.data);
	}
}

/* Three blocks, of which the last is not full. */
Test(trace_binary, what_goes_on_from_block_to_block)
{
	uint64_t x = seed();
	struct trace *t = random_trace(&x, 2 * BINARY_MAX_EVENTS + 77, true), *back;
	struct bytes b = write_binary(t);

	cr_assert_neq(forge_find(&b, BINARY_EVENTS, 2), 0);
	cr_assert_eq(forge_find(&b, BINARY_EVENTS, 3), 0);
	back = read_bytes(b);
	expect_same_trace(back, t, true);
	trace_free(back);
	trace_free(t);
	free(b.data);
}

/* A template of its own for each event, and numbers as long as they get. */
Test(trace_binary, the_largest_block_fits)
{
	struct trace *t = trace_new("large");
	struct trace *back;
	struct bytes b;
	uint64_t x = seed();

	for (uint32_t i = 0; i < BINARY_MAX_EVENTS; i++) {
		struct trace_event ev = {
			.op = TRACE_WAIT,
			.page = TRACE_NO_PAGE,
			.cpu = i % MM_MAX_CPUS,
			.time_ps = next(&x) | UINT64_C(1) << 63 | 1,
			.line = i % 2 ? UINT32_MAX : 0,
		};

		if (i % 2) {
			ev.op = TRACE_ALLOC;
			ev.gfp = (gfp_t)next(&x);
			ev.time_ps = UINT64_MAX;
			ev.flags = TRACE_F_FAILED;
		}
		cr_assert_eq(trace_append(t, &ev), 0);
	}
	b = write_binary(t);
	back = read_bytes(b);
	expect_same_trace(back, t, true);
	trace_free(back);
	trace_free(t);
	free(b.data);
}

Test(trace_binary, an_empty_trace_reads_back)
{
	struct trace *t = trace_new("empty"), *back;
	struct bytes b = write_binary(t);

	back = read_bytes(b);
	expect_same_trace(back, t, true);
	trace_free(back);
	trace_free(t);
	free(b.data);
}

/* What docs/trace-format.md describes, written out: two events of one CPU. */
Test(trace_binary, the_bytes_are_those_of_the_description)
{
	static const uint8_t events[] = {
		2,    0,    0,    0, 2,    0,    0, 0,             /* events, templates */
		0,    0,    0,    0, 0,    0,    0, 0,             /* events before */
		0x40, 0x42, 0x0f, 0, 0,    0,    0, 0,             /* unit: 10^6 ps */
		2,    0,    0,    0, 2,    0,    0, 0, 2, 0, 0, 0, /* columns: templates, times,
								      lines, */
		1,    0,    0,    0, 0,    0,    0, 0, 0, 0, 0, 0, /* pages, amounts, frames */
		0,    1,    0,    0, 0xc0, 0x0c, 0, 0, 3, 0, 0, 0, 0,
		0,    0,    0, /* alloc order 1, cpu 3 */
		1,    1,    0,    0, 0,    0,    0, 0, 3, 0, 0, 0, 0,
		0,    0,    0,                      /* free */
		0,    1,    5,    7, 4,    2,    0, /* at 5 and 12 us, lines 2 and 3 */
	};
	struct trace *t = trace_new("by hand");
	struct trace_event ev = {.op = TRACE_ALLOC,
				 .order = 1,
				 .cpu = 3,
				 .gfp = 0xcc0,
				 .time_ps = 5000000,
				 .line = 2};
	struct bytes b;
	size_t at;

	cr_assert_eq(trace_append(t, &ev), 0);
	ev = (struct trace_event){
		.op = TRACE_FREE, .order = 1, .cpu = 3, .time_ps = 12000000, .line = 3};
	cr_assert_eq(trace_append(t, &ev), 0);
	b = write_binary(t);
	cr_assert_eq(memcmp(b.data, "\x89numa\r\n\x1a\x01\0\0\0HEAD\0\0\0\0", 20), 0);
	cr_assert_eq(memcmp(b.data + 12 + 24, "\0\7by hand\6native", 16), 0);
	at = forge_find(&b, BINARY_EVENTS, 0);
	cr_assert_eq(at, 12 + 24 + 16);
	cr_assert_eq(binary_get32(b.data + at + 12), sizeof(events));
	/* Compressed or not is the library's affair: the reader takes both. */
	if (binary_get32(b.data + at + 4) == BINARY_PLAIN) {
		cr_assert_eq(memcmp(b.data + at + 24, events, sizeof(events)), 0);
	} else {
		struct bytes plain = forge_section(BINARY_EVENTS, events, sizeof(events));
		size_t old = 24 + binary_get32(b.data + at + 8);
		struct trace *back;

		forge_replace(&b, at, old, plain.data, plain.len);
		forge_checks(b.data, b.len);
		back = read_bytes(b);
		expect_same_trace(back, t, true);
		trace_free(back);
		free(plain.data);
	}
	/* CRC-32 of ISO 3309: its check value. */
	cr_assert_eq(binary_crc(0, "123456789", 9), 0xcbf43926);
	trace_free(t);
	free(b.data);
}

Test(trace_binary, a_conversion_of_a_conversion_names_the_original)
{
	struct diag diag = DIAG_INIT;
	struct trace *t, *once, *twice;
	struct bytes a, b;

	cr_assert_eq(trace_load(SOURCE_DIR "/tests/reference/trace-forms/w2a_excerpt.txt", NULL,
				&diag, &t),
		     0);
	a = write_binary(t);
	once = read_bytes(a);
	expect_same_trace(once, t, true);
	b = write_binary(once);
	twice = read_bytes(b);
	cr_assert_eq(a.len, b.len);
	cr_assert_eq(memcmp(a.data, b.data, a.len), 0);
	cr_assert_str_eq(twice->original, t->file);
	cr_assert_str_eq(twice->original_format, "ftrace");
	trace_free(t);
	trace_free(once);
	trace_free(twice);
	free(a.data);
	free(b.data);
}

/* A pipe gives bytes as it likes, and cannot be sought in. */
Test(trace_binary, reads_from_a_pipe)
{
	struct diag diag = DIAG_INIT;
	uint64_t x = seed();
	struct trace *t = random_trace(&x, 5000, true), *back;
	struct bytes b = write_binary(t);
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	if (fork() == 0) {
		for (size_t at = 0; at < b.len;) {
			size_t n = b.len - at < 777 ? b.len - at : 777;

			if (write(ends[1], b.data + at, n) != (ssize_t)n)
				_exit(1);
			at += n;
		}
		_exit(0);
	}
	close(ends[1]);
	cr_assert_neq(dup2(ends[0], STDIN_FILENO), -1);
	cr_assert_eq(trace_load("-", NULL, &diag, &back), 0, "%s",
		     diag.failed ? diag.error.text : "");
	expect_same_trace(back, t, true);
	trace_free(back);
	trace_free(t);
	free(b.data);
}

Test(trace_binary, may_be_compressed_once_more)
{
	uint64_t x = seed();
	struct trace *t = random_trace(&x, 1000, false), *back;
	struct bytes b = write_binary(t), packed = {malloc(b.len + 1000), 0};
	z_stream z = {0};

	cr_assert_eq(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = b.data;
	z.avail_in = (uInt)b.len;
	z.next_out = packed.data;
	z.avail_out = (uInt)b.len + 1000;
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	packed.len = b.len + 1000 - z.avail_out;
	deflateEnd(&z);
	back = read_bytes(packed);
	cr_assert_str_eq(back->compression, "gzip");
	expect_same_trace(back, t, true);
	trace_free(back);
	trace_free(t);
	free(b.data);
	free(packed.data);
}

Test(trace_binary, what_a_reader_would_refuse_is_not_written)
{
	static const struct {
		struct trace_event ev;
		const char *why;
	} cases[] = {
		{{.op = TRACE_ALLOC, .page = 5}, "does not give its page the next number"},
		{{.op = TRACE_FREE, .page = 0}, "names a page that has no number yet"},
		{{.op = TRACE_TOUCH, .page = 0}, "names a page that has no number yet"},
		{{.op = TRACE_ALLOC, .policy = 3}, "has a policy that the trace does not have"},
		{{.op = TRACE_WAIT, .page = TRACE_NO_PAGE, .order = 2}, "has an order"},
		{{.op = TRACE_ALLOC, .migratetype = 5}, "has an unknown mobility"},
		{{.op = 99}, "is of an unknown operation"},
		{{.op = TRACE_CACHE_ALLOC}, "is from a slab cache that the trace does not have"},
		{{.op = TRACE_OBJECT_FREE}, "names a page that has no number yet"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct diag diag = DIAG_INIT;
		struct trace *t = trace_new("wrong");
		struct bytes b;

		cr_assert_eq(trace_append(t, &cases[i].ev), 0);
		b = forge_write(t, "binary", &diag);
		cr_assert_null(b.data);
		cr_assert(diag.failed && strstr(diag.error.text, cases[i].why), "%zu: %s", i,
			  diag.failed ? diag.error.text : "written");
		diag_clear(&diag);
		trace_free(t);
	}
}

Test(trace_binary, a_full_disk_is_reported)
{
	struct diag diag = DIAG_INIT;
	uint64_t x = seed();
	struct trace *t = random_trace(&x, 100, false);
	FILE *f = fopen("/dev/full", "w");

	cr_assert_not_null(f);
	cr_assert_eq(trace_find_writer("binary")->write(t, f, &diag), -EIO);
	fclose(f);
	trace_free(t);
}
