/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the trace of a capture. That of an archive is read as it comes by: the trace's own
 * compression inside, the archive's around it.
 */
#define _GNU_SOURCE /* asprintf */
#include "sim/trace/archive.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/trace/tar.h"

static const char *const names[] = {"trace.txt", "trace.txt.gz", "trace.txt.zst", "trace.bin"};
#define NR_NAMES (sizeof(names) / sizeof(*names))

static int has_none(const char *path, struct diag *diag)
{
	return diag_error(diag, -ENOENT, path, 0,
			  "the capture has no trace: expected trace.txt, trace.txt.gz, "
			  "trace.txt.zst or trace.bin in it");
}

static int open_in_folder(const char *path, struct diag *diag, struct unpack **out)
{
	for (size_t i = 0; i < NR_NAMES; i++) {
		char *file;
		int err;

		if (asprintf(&file, "%s/%s", path, names[i]) < 0)
			return -ENOMEM;
		err = access(file, F_OK) ? -ENOENT : unpack_open(file, diag, out);
		free(file);
		if (err != -ENOENT)
			return err;
	}
	return has_none(path, diag);
}

/* "trace.txt" or "NAME/trace.txt". */
static bool is_trace(const char *name)
{
	const char *slash = strchr(name, '/');

	for (size_t i = 0; i < NR_NAMES; i++)
		if (!strcmp(slash ? slash + 1 : name, names[i]))
			return true;
	return false;
}

static ssize_t read_entry(void *arg, struct diag *diag, void *buf, size_t room)
{
	return tar_read(arg, diag, buf, room);
}

static void close_entry(void *arg)
{
	tar_close(arg);
}

/* Takes `u` over. */
static int open_in_archive(struct unpack *u, struct diag *diag, struct unpack **out)
{
	struct unpack_stream stream = {.read = read_entry, .close = close_entry};
	const char *name;
	char *path;
	struct tar *t;
	int err = tar_open(u, &t);

	if (err)
		return err;
	do {
		err = tar_next(t, diag, &name, &stream.total);
	} while (err > 0 && !is_trace(name));
	if (!err)
		err = has_none(tar_path(t), diag);
	else if (err > 0)
		err = asprintf(&path, "%s/%s", tar_path(t), name) < 0 ? -ENOMEM : 0;
	if (err) {
		tar_close(t);
		return err;
	}
	stream.arg = t;
	err = unpack_open_stream(&stream, path, diag, out);
	free(path);
	return err;
}

int archive_open_trace(const char *path, struct diag *diag, struct unpack **out)
{
	const uint8_t *bytes;
	struct unpack *u;
	struct stat st;
	ssize_t n;
	int err;

	if (strcmp(path, "-") && !stat(path, &st) && S_ISDIR(st.st_mode))
		return open_in_folder(path, diag, out);
	err = unpack_open(path, diag, &u);
	if (err)
		return err;
	n = unpack_peek(u, diag, &bytes);
	if (n < 0) {
		unpack_close(u);
		return (int)n;
	}
	if (tar_begins(bytes, (size_t)n))
		return open_in_archive(u, diag, out);
	*out = u;
	return 0;
}
