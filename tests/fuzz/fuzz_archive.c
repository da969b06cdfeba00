/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever bytes an archive has, packed or not, reading all its files ends, in bounded memory, with
 * them or with an error that has a message.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/trace/tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST (16 << 20) /* bytes; what unpacks to more only takes time */

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void read_all(struct tar *t, struct diag *diag)
{
	uint64_t size, total = 0;
	const char *name;
	char buf[4096];
	ssize_t n = 0;
	int err;

	while ((err = tar_next(t, diag, &name, &size)) > 0) {
		uint64_t got = 0;

		require(*name != '/' && strncmp(name, "../", 3) && !strstr(name, "/../"));
		while (total < MOST && (n = tar_read(t, diag, buf, sizeof(buf))) > 0) {
			got += (uint64_t)n;
			total += (uint64_t)n;
		}
		if (total >= MOST)
			return;
		require(n < 0 ? diag->failed : got == size);
		if (n < 0)
			return;
	}
	require(err ? diag->failed : !diag->failed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag diag = DIAG_INIT;
	const uint8_t *first;
	struct unpack *u;
	struct tar *t;

	if (unpack_open_memory(data, size, "input", &diag, &u)) {
		diag_clear(&diag);
		return 0;
	}
	if (unpack_peek(u, &diag, &first) < 0) {
		require(diag.failed);
		unpack_close(u);
	} else if (!tar_open(u, &t)) {
		read_all(t, &diag);
		tar_close(t);
	}
	diag_clear(&diag);
	return 0;
}
