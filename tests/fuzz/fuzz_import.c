/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever bytes a capture's files have, importing it and reading what its kernel made of the
 * machine end with a result or with an error that has a message; and an imported machine is one, or
 * is refused like any machine file.
 *
 * An input is a folder as one text: "=== NAME" on a line of its own begins the file of that name.
 */
#define _GNU_SOURCE /* mkdtemp, memmem */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/capture/figures.h"
#include "sim/import/import.h"
#include "sim/machine/machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {
	"iomem.txt",         "memblock_memory.tsv", "memblock_reserved.tsv",
	"dmesg.txt",         "node0.cpulist.txt",   "node0.distance.txt",
	"node1.cpulist.txt", "node1.distance.txt",  "cpuinfo.txt",
	"cmdline.txt",       "uname.txt",           "shape.txt",
	"zoneinfo.txt",      "sysctl_vm.txt",
};
#define NR_NAMES (sizeof(names) / sizeof(*names))

static char folder[64];

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void path_of(size_t i, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", folder, names[i]);
}

static void remove_files(void)
{
	char path[128];

	for (size_t i = 0; i < NR_NAMES; i++) {
		path_of(i, path, sizeof(path));
		unlink(path);
	}
}

static void remove_folder(void)
{
	remove_files();
	rmdir(folder);
}

static void make_folder(void)
{
	const char *base = getenv("TMPDIR");

	if (folder[0])
		return;
	if (!base)
		base = access("/dev/shm", W_OK) ? P_tmpdir : "/dev/shm"; /* memory is faster */
	snprintf(folder, sizeof(folder), "%.40s/fuzzXXXXXX", base);
	require(mkdtemp(folder) != NULL);
	atexit(remove_folder);
}

/* What the kernel made of the machine. */
static void read_figures(const char *name, const char *text, size_t len)
{
	static const struct {
		const char *name;
		int (*parse)(const struct capture_file *, struct diag *, struct figures *);
	} parsers[] = {
		{"zoneinfo.txt", figures_parse_zoneinfo},
		{"sysctl_vm.txt", figures_parse_sysctl},
		{"dmesg.txt", figures_parse_dmesg},
	};
	struct diag diag = DIAG_INIT;
	struct figures figures = {0};
	struct capture_file f;

	if (capture_parse(name, text, len, &diag, &f)) {
		require(diag.failed);
		diag_clear(&diag);
		return;
	}
	for (size_t i = 0; i < sizeof(parsers) / sizeof(*parsers); i++)
		if (!strcmp(parsers[i].name, name))
			require(!parsers[i].parse(&f, &diag, &figures) == !diag.failed);
	figures_clear(&figures);
	capture_close(&f);
	diag_clear(&diag);
}

static void write_file(size_t i, const char *text, size_t len)
{
	char path[128];
	FILE *f;

	path_of(i, path, sizeof(path));
	f = fopen(path, "w");
	require(f != NULL);
	fwrite(text, 1, len, f);
	fclose(f);
}

/* Make the files; returns whether there are any. */
static bool unpack(const char *text, size_t len)
{
	static const char mark[] = "=== ";
	const char *end = text + len, *at = text;
	bool any = false;

	while (at && (at = memmem(at, (size_t)(end - at), mark, 4)) != NULL) {
		const char *name = at + 4, *body = memchr(name, '\n', (size_t)(end - name));
		const char *next = body ? memmem(body, (size_t)(end - body), mark, 4) : NULL;

		for (size_t i = 0; body && i < NR_NAMES; i++) {
			size_t length = (size_t)((next ? next : end) - body - 1);

			if ((size_t)(body - name) != strlen(names[i]) ||
			    memcmp(name, names[i], strlen(names[i])))
				continue;
			write_file(i, body + 1, length);
			read_figures(names[i], body + 1, length);
			any = true;
		}
		at = next;
	}
	return any;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag diag = DIAG_INIT;
	struct machine *m = NULL;
	char *text = NULL;
	size_t len = 0;
	FILE *out;
	int err;

	make_folder();
	if (!unpack((const char *)data, size))
		return -1;
	out = open_memstream(&text, &len);
	require(out != NULL);
	err = import_kinds[0]->read(folder, &diag, out);
	require(!fclose(out));
	require(err ? diag.failed && diag.error.text : !diag.failed);
	if (!err) {
		err = machine_parse(text, len, "imported", &diag, &m);
		require(err ? diag.failed && diag.error.text : m != NULL);
	}
	machine_free(m);
	free(text);
	diag_clear(&diag);
	remove_files();
	return 0;
}
