/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Damaged binary traces: every byte changed, every length cut, sections lost, doubled and swapped,
 * and what checks that are right cannot tell: wrong totals, absurd lengths, impossible events. Each
 * is an error that names an offset.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <zstd.h>

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

/* It is refused, and the message says `why` and where. */
static void expect_refused(const uint8_t *data, size_t len, const char *why, const char *what,
			   size_t where)
{
	struct diag diag = DIAG_INIT;
	struct trace *t = NULL;
	unsigned long long offset;

	cr_assert_eq(trace_parse(data, len, "bytes", &diag, &t), -EINVAL, "%s %zu is read", what,
		     where);
	cr_assert_null(t);
	cr_assert_eq(sscanf(diag.error.text, "byte %llu: ", &offset), 1, "%s %zu: %s", what, where,
		     diag.error.text);
	cr_assert_leq(offset, len, "%s %zu: %s", what, where, diag.error.text);
	cr_assert(strstr(diag.error.text, why), "%s %zu: %s, expected: %s", what, where,
		  diag.error.text, why);
	diag_clear(&diag);
}

/* The checks are right, and still it is refused. */
static void expect_forged_refused(struct bytes *b, const char *why)
{
	forge_checks(b->data, b->len);
	expect_refused(b->data, b->len, why, "forged", 0);
	free(b->data);
}

static void damage(struct bytes b, size_t step)
{
	for (size_t i = 0; i < b.len; i += step) {
		for (unsigned bit = 0; bit < 9; bit++) {
			uint8_t mask = bit < 8 ? (uint8_t)(1 << bit) : 0xff;

			b.data[i] ^= mask;
			expect_refused(b.data, b.len, "", "byte", i);
			b.data[i] ^= mask;
		}
	}
}

static void truncate_at(struct bytes b, size_t step)
{
	for (size_t len = 1; len < b.len; len += step) {
		/* A copy, so that the sanitizer sees a look behind its end. */
		uint8_t *copy = malloc(len);

		memcpy(copy, b.data, len);
		expect_refused(copy, len, "the trace ends here", "length", len);
		free(copy);
	}
}

Test(trace_damage, every_byte_and_every_length_of_small_traces)
{
	uint64_t x = seed();

	for (size_t nr = 0; nr <= 40; nr += 8) {
		struct trace *t = random_trace(&x, nr, nr % 16);
		struct bytes b = write_binary(t);

		damage(b, 1);
		truncate_at(b, 1);
		trace_free(t);
		free(b.data);
	}
}

/* A sample: the steps are prime to everything in the format. */
Test(trace_damage, bytes_and_lengths_of_a_kernels_trace)
{
	struct diag diag = DIAG_INIT;
	struct trace *t;
	struct bytes b;

	cr_assert_eq(
		trace_load(SOURCE_DIR "/traces/W1b_touch_4k_2x512m.trace.zst", NULL, &diag, &t), 0);
	b = write_binary(t);
	damage(b, 997);
	truncate_at(b, 499);
	trace_free(t);
	free(b.data);
}

/* A small trace of known content: two blocks' worth of nothing special. */
static struct bytes sample(size_t nr)
{
	uint64_t x = 12345;
	struct trace *t = random_trace(&x, nr, false);
	struct bytes b = write_binary(t);

	trace_free(t);
	return b;
}

Test(trace_damage, what_follows_the_end_is_told)
{
	struct bytes b = sample(10);

	forge_replace(&b, b.len, 0, "x", 1);
	expect_refused(b.data, b.len, "something follows the end", "byte", b.len - 1);
	free(b.data);
}

/* Where a section begins, and how long it is with its header. */
static size_t section_len(const struct bytes *b, size_t at)
{
	return BINARY_SECTION_BYTES + binary_get32(b->data + at + 8);
}

Test(trace_damage, sections_lost_doubled_and_swapped)
{
	struct bytes whole = sample(BINARY_MAX_EVENTS + 100);
	size_t first = forge_find(&whole, BINARY_EVENTS, 0), one = section_len(&whole, first);
	size_t second = forge_find(&whole, BINARY_EVENTS, 1), two = section_len(&whole, second);
	struct bytes b = {malloc(whole.len), whole.len};

	cr_assert_eq(second, first + one);
	memcpy(b.data, whole.data, whole.len);
	memcpy(b.data + first, whole.data + second, two);
	memcpy(b.data + first + two, whole.data + first, one);
	expect_refused(b.data, b.len, "not in its place", "swapped", 0);
	expect_forged_refused(&b, "a block that begins with event 16384, expected 0");

	b = (struct bytes){malloc(whole.len), whole.len};
	memcpy(b.data, whole.data, whole.len);
	forge_replace(&b, second, 0, whole.data + first, one);
	expect_refused(b.data, b.len, "not in its place", "doubled", 0);
	expect_forged_refused(&b, "a block that begins with event 0, expected 16384");

	b = (struct bytes){malloc(whole.len), whole.len};
	memcpy(b.data, whole.data, whole.len);
	forge_replace(&b, second, two, "", 0);
	expect_refused(b.data, b.len, "not in its place", "lost", 0);
	expect_forged_refused(&b, "the end says 16484 events, but there are 16384");
	free(whole.data);
}

Test(trace_damage, newer_versions_are_refused_politely)
{
	static const uint8_t nothing[] = {0, 0, 0, 0};
	struct bytes b = sample(10), s;

	b.data[BINARY_MAGIC_BYTES] = 2;
	expect_forged_refused(&b, "version 2, this numasim reads 1");

	b = sample(10);
	s = forge_section("MAPS", nothing, sizeof(nothing));
	forge_replace(&b, forge_find(&b, BINARY_END, 0), 0, s.data, s.len);
	free(s.data);
	expect_forged_refused(&b, "a section \"MAPS\", which this numasim does not know");

	b = sample(10);
	s = forge_section("\xff\nPS", nothing, sizeof(nothing));
	forge_replace(&b, forge_find(&b, BINARY_END, 0), 0, s.data, s.len);
	free(s.data);
	expect_forged_refused(&b, "a section \"?\?PS\", which");

	b = sample(10);
	s = forge_section(BINARY_HEAD, "\2\0\0", 3);
	forge_replace(&b, BINARY_START_BYTES, section_len(&b, BINARY_START_BYTES), s.data, s.len);
	free(s.data);
	expect_forged_refused(&b, "the trace has features (0x2) that this numasim does not know");

	b = sample(10);
	binary_put32(b.data + forge_find(&b, BINARY_EVENTS, 0) + 4, 2);
	expect_forged_refused(&b, "encoding 2 of a section is not known");
}

/* One whose name begins with a small letter may be passed by. */
Test(trace_damage, sections_that_need_not_be_known_are_passed_by)
{
	struct bytes b = sample(10), s = forge_section("note", "any bytes", 9);
	struct diag diag = DIAG_INIT;
	struct trace *t;

	forge_replace(&b, forge_find(&b, BINARY_EVENTS, 0), 0, s.data, s.len);
	forge_checks(b.data, b.len);
	cr_assert_eq(trace_parse(b.data, b.len, "bytes", &diag, &t), 0, "%s",
		     diag.failed ? diag.error.text : "");
	cr_assert_eq(t->nr_events, 10);
	trace_free(t);
	free(s.data);
	free(b.data);
}

Test(trace_damage, the_head_is_first_and_alone)
{
	struct bytes b = sample(10), head;

	forge_replace(&b, BINARY_START_BYTES, section_len(&b, BINARY_START_BYTES), "", 0);
	expect_forged_refused(&b, "the first section, and no other, has to be HEAD");
	b = sample(10);
	head = forge_section(BINARY_HEAD, "\0\0\0", 3);
	forge_replace(&b, forge_find(&b, BINARY_END, 0), 0, head.data, head.len);
	free(head.data);
	expect_forged_refused(&b, "the first section, and no other, has to be HEAD");
}

/* No memory is taken for what a length says before it is known to be possible. */
Test(trace_damage, absurd_lengths)
{
	static const uint32_t lengths[] = {BINARY_MAX_RAW + 1, INT32_MAX, UINT32_MAX};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		struct bytes b = sample(10);
		size_t at = forge_find(&b, BINARY_EVENTS, 0);

		binary_put32(b.data + at + 12, lengths[i]);
		expect_forged_refused(&b, "at most 1048576 are possible");
		b = sample(10);
		binary_put32(b.data + at + 8, lengths[i]);
		binary_put32(b.data + at + 12, lengths[i]);
		expect_forged_refused(&b, "at most 1048576 are possible");
	}
}

/* What the section at `at` holds, decompressed. */
static uint8_t *decoded(const struct bytes *b, size_t at, size_t *len)
{
	const uint8_t *from = b->data + at + BINARY_SECTION_BYTES;
	uint32_t stored = binary_get32(b->data + at + 8);
	uint8_t *payload;

	*len = binary_get32(b->data + at + 12);
	payload = malloc(*len);
	if (binary_get32(b->data + at + 4) == BINARY_ZSTD)
		cr_assert_eq(ZSTD_decompress(payload, *len, from, stored), *len);
	else
		memcpy(payload, from, stored);
	return payload;
}

/* The first block of the sample, plain, with `len` bytes at `at` replaced. */
static struct bytes plain_block(size_t at, const void *bytes, size_t len)
{
	struct bytes b = sample(10), plain;
	size_t block = forge_find(&b, BINARY_EVENTS, 0), raw;
	uint8_t *payload = decoded(&b, block, &raw);

	cr_assert_leq(at + len, raw);
	memcpy(payload + at, bytes, len);
	plain = forge_section(BINARY_EVENTS, payload, raw);
	forge_replace(&b, block, section_len(&b, block), plain.data, plain.len);
	free(plain.data);
	free(payload);
	return b;
}

Test(trace_damage, impossible_blocks)
{
	static const struct {
		size_t at;
		const char *bytes;
		size_t len;
		const char *why;
	} cases[] = {
		{0, "\0\0\0\0", 4, "impossible number of events"},
		{0, "\xff\xff\xff\xff", 4, "impossible number of events"},
		{0, "\x01\x40\0\0", 4, "impossible number of events"}, /* 16385 */
		{0, "\x0b\0\0\0", 4, "event 10 "},                     /* 11 */
		{4, "\0\0\0\0", 4, "impossible number of events or templates"},
		{4, "\xff\xff\xff\x0f", 4, "impossible number of events or templates"},
		{8, "\1\0\0\0\0\0\0\0", 8, "begins with event 1, expected 0"},
		{24, "\xff\xff\xff\xff", 4, "do not add up"},
		{24, "\0\0\0\0", 4, "do not add up"},
		{16, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, "a time beyond 64 bits"},
		{48, "\x07", 1, "a template of events that is of an unknown operation"},
		{49, "\x0b", 1, "a template of events that has too large an order"},
		{50, "\x03", 1, "a template of events that has an unknown mobility"},
		{56, "\x00\x20", 2, "a template of events that has too large a CPU"},
		{58, "\xff\xff\0\0\0\0", 6, "has a policy that no section before describes"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct bytes b = plain_block(cases[i].at, cases[i].bytes, cases[i].len);

		expect_forged_refused(&b, cases[i].why);
	}
}

/* Blocks of one event by one template: what it may not be. */
Test(trace_damage, impossible_events)
{
	static const struct {
		uint8_t template[BINARY_TEMPLATE_BYTES];
		uint8_t columns[6]; /* template, time, line, page, amount, frame */
		const char *why;
	} cases[] = {
		{{TRACE_FREE}, {0}, "event 10 names a page that has no number yet"},
		{{TRACE_FREE}, {9, 0}, "event 10 has a template that is not there"},
		{{TRACE_WAIT, 1}, {0}, "has an order, which its operation does not have"},
		{{TRACE_WAIT, 0, 1}, {0}, "has flags of an allocation and is none"},
		{{TRACE_FREE, 0, 0, 1}, {0}, "writes and is no touch"},
		{{TRACE_FREE, 0, 0, 2}, {0}, "has a flag that its operation does not have"},
		{{TRACE_ALLOC, [12] = 1, 5}, {0}, "has too large a node"},
		{{TRACE_FREE, [12] = 1}, {0}, "has a node, which its operation does not have"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint8_t block[BINARY_BLOCK_BYTES + BINARY_TEMPLATE_BYTES + 6] = {1, 0, 0, 0, 1,
										 0, 0, 0, 10};
		struct bytes b = sample(10), s;

		block[16] = 1;
		for (int c = 0; c < BINARY_NR_COLUMNS; c++)
			block[24 + 4 * c] = 1;
		memcpy(block + BINARY_BLOCK_BYTES, cases[i].template, BINARY_TEMPLATE_BYTES);
		memcpy(block + BINARY_BLOCK_BYTES + BINARY_TEMPLATE_BYTES, cases[i].columns, 6);
		if (i == 0) /* far beyond those that have one: 100 */
			memcpy(block + sizeof(block) - 3, "\x64", 1);
		s = forge_section(BINARY_EVENTS, block, sizeof(block));
		forge_replace(&b, forge_find(&b, BINARY_END, 0), 0, s.data, s.len);
		free(s.data);
		expect_forged_refused(&b, cases[i].why);
	}
}

/* A number at the end is not what was read. */
Test(trace_damage, wrong_totals)
{
	static const char *const whats[] = {
		"events",      "pages with a number",  "policies",   "pages allocated",
		"pages freed", "moves of free blocks", "picoseconds"};

	for (unsigned i = 0; i < sizeof(whats) / sizeof(*whats); i++) {
		struct trace *t = trace_new("small");
		struct bytes b = write_binary(t), end;
		size_t at = forge_find(&b, BINARY_END, 0), len;
		uint8_t *payload = decoded(&b, at, &len);

		payload[i] += 3; /* each is a single byte in an empty trace */
		end = forge_section(BINARY_END, payload, len);
		forge_replace(&b, at, section_len(&b, at), end.data, end.len);
		free(end.data);
		free(payload);
		expect_forged_refused(&b, whats[i]);
		trace_free(t);
	}
}

Test(trace_damage, policies_that_cannot_be)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *why;
	} cases[] = {
		{"\1\7\0\0\0\0", 6, "policy 1 is not of the form"},       /* mode 7 */
		{"\1\2\0\0\0\0", 6, "policy 1 has no nodes"},             /* bind */
		{"\1\4\0\0\0\1\1", 7, "policy 1 has nodes, which"},       /* local */
		{"\1\3\0\1\0\1\1", 7, "policy 1 has a home node, which"}, /* interleave */
		{"\1\2\0\0\0\x7f\1", 7, "policy 1 is not of the form"},   /* 127 words of nodes */
		{"\2\2\0\0\0\1\1\2\0\0\0\1\1", 13, "policy 2 is there twice"},
		{"\xff\xff\xff\xff\x7f", 5, "policy 1 is not of the form"}, /* so many of them */
		{"\1\2\0\0\0\1\1\0", 8, "a section POLI that is not of the form"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct trace *t = trace_new("small");
		struct bytes b = write_binary(t), s;

		s = forge_section(BINARY_POLICIES, cases[i].bytes, cases[i].len);
		forge_replace(&b, forge_find(&b, BINARY_END, 0), 0, s.data, s.len);
		free(s.data);
		expect_forged_refused(&b, cases[i].why);
		trace_free(t);
	}
}

/* Everything changed at random behind checks that are right: read or refused, within little memory.
 */
Test(trace_damage, random_damage_behind_right_checks)
{
	const struct rlimit limit = {1 << 30, 1 << 30};
	uint64_t x = seed();
	unsigned read = 0;

#if !defined(__SANITIZE_ADDRESS__)
	cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
#else
	(void)limit;
#endif
	for (int round = 0; round < 3000; round++) {
		struct bytes b = plain_block(0, "", 0);
		struct diag diag = DIAG_INIT;
		struct trace *t = NULL;
		int err;

		for (uint64_t nr = 1 + next(&x) % 3; nr; nr--)
			b.data[next(&x) % b.len] = (uint8_t)next(&x);
		forge_checks(b.data, b.len);
		err = trace_parse(b.data, b.len, "bytes", &diag, &t);
		cr_assert(err == 0 || (err == -EINVAL && diag.failed), "round %d: %d", round, err);
		read += err == 0;
		trace_free(t);
		diag_clear(&diag);
		free(b.data);
	}
	cr_assert_gt(read, 0, "some changes are of what may be anything");
}
