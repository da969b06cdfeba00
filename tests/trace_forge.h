/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of binary traces: a trace as bytes, and bytes whose checks are made right again after
 * they were changed, so that what lies behind the checks can be tested too.
 */
#ifndef TESTS_TRACE_FORGE_H
#define TESTS_TRACE_FORGE_H

#include <stdlib.h>
#include <string.h>

#include "sim/trace/binary.h"
#include "sim/trace/writer.h"

struct bytes {
	uint8_t *data; /* from malloc() */
	size_t len;
};

/* The trace as a binary one; data is NULL where it cannot be written. */
static inline struct bytes forge_write(const struct trace *t, const char *format, struct diag *diag)
{
	struct bytes b = {0};
	FILE *f = open_memstream((char **)&b.data, &b.len);
	int err = f ? trace_find_writer(format)->write(t, f, diag) : -1;

	if (f)
		fclose(f);
	if (err) {
		free(b.data);
		b = (struct bytes){0};
	}
	return b;
}

/* Make the checks of all whole sections right, as far as their lengths lead. */
static inline void forge_checks(uint8_t *data, size_t len)
{
	struct binary_section s;
	uint32_t check;

	if (len < BINARY_START_BYTES)
		return;
	check = binary_crc(0, data, BINARY_START_BYTES);
	for (size_t at = BINARY_START_BYTES; len - at >= BINARY_SECTION_BYTES;) {
		binary_get_section(data + at, &s, check);
		if (s.stored > len - at - BINARY_SECTION_BYTES)
			s.stored = (uint32_t)(len - at - BINARY_SECTION_BYTES);
		s.payload_crc = binary_crc(0, data + at + BINARY_SECTION_BYTES, s.stored);
		s.stored = binary_get32(data + at + 8);
		binary_put_section(data + at, &s, check);
		check = s.check;
		if (s.stored > len - at - BINARY_SECTION_BYTES)
			return;
		at += BINARY_SECTION_BYTES + s.stored;
	}
}

/* Where the nr-th section of that kind begins, from 0; 0 where there is none. */
static inline size_t forge_find(const struct bytes *b, const char *kind, unsigned nr)
{
	struct binary_section s;

	for (size_t at = BINARY_START_BYTES; b->len - at >= BINARY_SECTION_BYTES;) {
		binary_get_section(b->data + at, &s, 0);
		if (strcmp(s.kind, kind) == 0 && nr-- == 0)
			return at;
		at += BINARY_SECTION_BYTES + s.stored;
	}
	return 0;
}

/* Put `len` bytes in the place of `old` of them at `at`. */
static inline void forge_replace(struct bytes *b, size_t at, size_t old, const void *data,
				 size_t len)
{
	uint8_t *made = malloc(b->len + len);

	memcpy(made, b->data, at);
	memcpy(made + at, data, len);
	memcpy(made + at + len, b->data + at + old, b->len - at - old);
	free(b->data);
	b->data = made;
	b->len += len - old;
}

/* A section of these bytes, as they are; its checks are for forge_checks(). */
static inline struct bytes forge_section(const char *kind, const void *raw, size_t len)
{
	struct bytes b = {malloc(BINARY_SECTION_BYTES + len), BINARY_SECTION_BYTES + len};
	struct binary_section s = {.stored = (uint32_t)len, .raw = (uint32_t)len};

	memcpy(s.kind, kind, BINARY_KIND_BYTES);
	binary_put_section(b.data, &s, 0);
	memcpy(b.data + BINARY_SECTION_BYTES, raw, len);
	return b;
}

#endif
