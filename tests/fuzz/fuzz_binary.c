/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binary traces behind their checks, which no change at random would pass: they are made right
 * before the bytes are read. What is read is written again, and read back the same.
 */
#include <errno.h>
#include <stdint.h>

#include "tests/trace_forge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void write_and_read(const struct trace *t)
{
	struct diag diag = DIAG_INIT;
	struct bytes b = forge_write(t, "binary", &diag), again;
	struct trace *back = NULL;

	require(b.data && !diag.failed);
	require(trace_parse(b.data, b.len, "written", &diag, &back) == 0);
	require(back->nr_events == t->nr_events && back->nr_pages == t->nr_pages);
	require(t->nr_events == 0 ||
		memcmp(back->events, t->events, t->nr_events * sizeof(*t->events)) == 0);
	again = forge_write(back, "binary", &diag);
	require(again.len == b.len && memcmp(again.data, b.data, b.len) == 0);
	trace_free(back);
	free(b.data);
	free(again.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag diag = DIAG_INIT;
	struct trace *t = NULL;
	uint8_t *copy = malloc(size + 1);
	int err;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	forge_checks(copy, size);
	err = trace_parse(copy, size, "input", &diag, &t);
	if (!err && strcmp(t->format, "binary") == 0)
		write_and_read(t);
	else if (err)
		require(!t && (diag.failed || err == -ENOMEM));
	trace_free(t);
	diag_clear(&diag);
	free(copy);
	return 0;
}
