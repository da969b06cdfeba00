/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the files of a capture are: in a folder, where each is read when it is asked for, or in a
 * tar archive, of which the files besides the trace are kept in memory. Bounded by the limits of
 * file.h. Knows no file's content.
 */
#define _GNU_SOURCE /* asprintf */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sim/capture/file.h"
#include "sim/trace/tar.h"

struct entry {
	char *name; /* in the capture: "boot/iomem.txt" */
	char *bytes;
	size_t len;
	bool too_long; /* not kept */
};

struct capture {
	char *path;
	bool is_archive;
	struct entry *entries; /* by name; of an archive */
	size_t nr, room, bytes;
};

const char *capture_path(const struct capture *c)
{
	return c->path;
}

void capture_free(struct capture *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->nr; i++) {
		free(c->entries[i].name);
		free(c->entries[i].bytes);
	}
	free(c->entries);
	free(c->path);
	free(c);
}

static struct entry *add_entry(struct capture *c, const char *name)
{
	if (c->nr == c->room) {
		size_t room = c->room ? 2 * c->room : 64;
		struct entry *more = realloc(c->entries, room * sizeof(*more));

		if (!more)
			return NULL;
		c->entries = more;
		c->room = room;
	}
	c->entries[c->nr] = (struct entry){.name = strdup(name)};
	return c->entries[c->nr].name ? &c->entries[c->nr++] : NULL;
}

/* What the header says of the size is believed as bytes come. */
static int keep_bytes(struct capture *c, struct tar *t, struct diag *diag, struct entry *e)
{
	size_t room = 0;

	for (;;) {
		ssize_t n;

		if (e->len == room) {
			char *more = realloc(e->bytes, room ? 2 * room : 16384);

			if (!more)
				return -ENOMEM;
			room = room ? 2 * room : 16384;
			e->bytes = more;
		}
		n = tar_read(t, diag, e->bytes + e->len, room - e->len);
		if (n <= 0)
			return (int)n;
		e->len += (size_t)n;
		c->bytes += (size_t)n;
		if (c->bytes > CAPTURE_MAX_ARCHIVE_BYTES)
			return diag_error(diag, -EINVAL, c->path, 0,
					  "the archive has more than %d MiB of files besides the "
					  "trace",
					  CAPTURE_MAX_ARCHIVE_BYTES >> 20);
	}
}

/* The trace has a reader of its own (sim/trace/archive.h). */
static bool is_trace(const char *name)
{
	const char *base = strrchr(name, '/');

	base = base ? base + 1 : name;
	return !strncmp(base, "trace.txt", 9) || !strcmp(base, "trace.bin");
}

static int keep_entry(struct capture *c, struct tar *t, const char *name, uint64_t size,
		      struct diag *diag)
{
	struct entry *e;

	if (is_trace(name))
		return 0;
	if (c->nr >= CAPTURE_MAX_ARCHIVE_FILES)
		return diag_error(diag, -EINVAL, c->path, 0, "the archive has more than %d files",
				  CAPTURE_MAX_ARCHIVE_FILES);
	e = add_entry(c, name);
	if (!e)
		return -ENOMEM;
	e->too_long = size >= CAPTURE_MAX_BYTES;
	return e->too_long ? 0 : keep_bytes(c, t, diag, e);
}

static int by_name(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* "NAME/boot/iomem.txt", where all are in NAME/: it goes. Returns its length with the slash. */
static size_t common_folder(const struct capture *c)
{
	static const char *const own[] = {"boot/", "before/", "after/"};
	const char *first = c->entries[0].name, *slash = strchr(first, '/');
	size_t len = slash ? (size_t)(slash + 1 - first) : 0;

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (!strncmp(first, own[i], strlen(own[i])))
			return 0;
	for (size_t i = 1; i < c->nr && len; i++)
		if (strncmp(c->entries[i].name, first, len))
			return 0;
	return len;
}

static int sort_entries(struct capture *c, struct diag *diag)
{
	size_t len = c->nr ? common_folder(c) : 0;

	if (!c->nr)
		return diag_error(diag, -EINVAL, c->path, 0, "the archive has no files");
	for (size_t i = 0; i < c->nr; i++)
		memmove(c->entries[i].name, c->entries[i].name + len,
			strlen(c->entries[i].name + len) + 1);
	qsort(c->entries, c->nr, sizeof(*c->entries), by_name);
	for (size_t i = 1; i < c->nr; i++)
		if (!by_name(&c->entries[i - 1], &c->entries[i]))
			return diag_error(diag, -EINVAL, c->path, 0,
					  "the archive has its file '%.200s' twice",
					  c->entries[i].name);
	return 0;
}

static int read_archive(struct capture *c, struct tar *t, struct diag *diag)
{
	const char *name;
	uint64_t size;
	int err;

	while ((err = tar_next(t, diag, &name, &size)) > 0) {
		err = keep_entry(c, t, name, size, diag);
		if (err)
			return err;
	}
	return err ? err : sort_entries(c, diag);
}

static int open_archive(struct capture *c, struct diag *diag)
{
	const uint8_t *bytes;
	struct unpack *u;
	struct tar *t;
	ssize_t n;
	int err = unpack_open(c->path, diag, &u);

	if (err)
		return err;
	n = unpack_peek(u, diag, &bytes);
	if (n < 0 || !tar_begins(bytes, (size_t)n)) {
		unpack_close(u);
		return n < 0 ? (int)n
			     : diag_error(diag, -ENOTDIR, c->path, 0,
					  "found neither a folder nor a tar archive: expected one "
					  "with the files of a capture");
	}
	err = tar_open(u, &t);
	if (err)
		return err;
	c->is_archive = true;
	err = read_archive(c, t, diag);
	tar_close(t);
	return err;
}

int capture_open(const char *path, struct diag *diag, struct capture **out)
{
	struct capture *c = calloc(1, sizeof(*c));
	struct stat st;
	int err = 0;

	*out = NULL;
	if (c)
		c->path = strdup(path);
	if (!c || !c->path) {
		capture_free(c);
		return -ENOMEM;
	}
	if (stat(path, &st))
		err = diag_error(diag, -ENOENT, path, 0, "cannot read the capture: %s",
				 strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		err = open_archive(c, diag);
	if (err)
		capture_free(c);
	else
		*out = c;
	return err;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

bool capture_has_folder(const struct capture *c, const char *name)
{
	size_t len = strlen(name);
	char *path;
	bool is;

	for (size_t i = 0; i < c->nr; i++)
		if (!strncmp(c->entries[i].name, name, len) && c->entries[i].name[len] == '/')
			return true;
	if (c->is_archive || asprintf(&path, "%s/%s", c->path, name) < 0)
		return false;
	is = is_folder(path);
	free(path);
	return is;
}

static int too_long(const char *path, struct diag *diag)
{
	return diag_error(diag, -EINVAL, path, 0, "the file has more than %d MiB",
			  CAPTURE_MAX_BYTES >> 20);
}

static int read_stream(FILE *stream, const char *path, struct diag *diag, struct capture_file *out)
{
	size_t len = 0, room = 1 << 16;
	char *text = malloc(room);
	int err;

	while (text) {
		len += fread(text + len, 1, room - len, stream);
		if (len < room || room >= CAPTURE_MAX_BYTES)
			break;
		char *more = realloc(text, 2 * room);

		if (!more)
			free(text);
		text = more;
		room *= 2;
	}
	if (!text)
		return -ENOMEM;
	if (ferror(stream))
		err = diag_error(diag, -EIO, path, 0, "cannot read the file: %s", strerror(errno));
	else if (len >= CAPTURE_MAX_BYTES)
		err = too_long(path, diag);
	else
		err = capture_parse(path, text, len, diag, out);
	free(text);
	return err;
}

/* One of the places: 0, -ENOENT without a message, or an error with one. */
static int read_from_folder(const char *path, struct diag *diag, struct capture_file *out)
{
	struct stat st;
	FILE *stream;
	int err;

	if (stat(path, &st)) {
		if (errno == ENOENT || errno == ENOTDIR)
			return -ENOENT;
		return diag_error(diag, -EIO, path, 0, "cannot read the file: %s", strerror(errno));
	}
	stream = S_ISDIR(st.st_mode) ? NULL : fopen(path, "r");
	if (!stream)
		return diag_error(diag, -EIO, path, 0, "cannot read the file: %s",
				  S_ISDIR(st.st_mode) ? "it is a folder" : strerror(errno));
	err = read_stream(stream, path, diag, out);
	fclose(stream);
	return err;
}

static int read_from_archive(const struct capture *c, const char *path, const char *name,
			     struct diag *diag, struct capture_file *out)
{
	struct entry key = {.name = (char *)name}, *found; /* only compared */

	found = c->nr ? bsearch(&key, c->entries, c->nr, sizeof(key), by_name) : NULL;
	if (!found)
		return -ENOENT;
	if (found->too_long)
		return too_long(path, diag);
	return capture_parse(path, found->bytes, found->len, diag, out);
}

int capture_read(const struct capture *c, const char *name, struct diag *diag,
		 struct capture_file *out)
{
	size_t len, prefix = strlen(c->path) + 1;
	bool in_folder = strchr(name, '/') != NULL;

	if (!strncmp(name, "./", 2))
		name += 2;
	len = strlen(name);
	*out = (struct capture_file){0};
	for (int i = 0; i < (in_folder ? 2 : 4); i++) {
		bool bare = i % 2;
		char *path;
		int err;

		if (bare && (len < 4 || strcmp(name + len - 4, ".txt")))
			continue;
		if (asprintf(&path, "%s/%s%.*s", c->path, i / 2 ? "boot/" : "",
			     (int)(bare ? len - 4 : len), name) < 0)
			return -ENOMEM;
		err = c->is_archive ? read_from_archive(c, path, path + prefix, diag, out)
				    : read_from_folder(path, diag, out);
		free(path);
		if (err != -ENOENT)
			return err;
	}
	return -ENOENT;
}

int capture_need(const struct capture *c, const char *name, struct diag *diag,
		 struct capture_file *out)
{
	int err = capture_read(c, name, diag, out);

	if (err == -ENOENT)
		diag_error(diag, err, c->path, 0, "%s is missing: expected it in this capture",
			   name);
	return err;
}
