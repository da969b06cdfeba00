/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a capture, whole and by lines; and the scanners that every parser of them uses.
 * Knows no file's content. Bounded: CAPTURE_MAX_BYTES a file.
 */
#define _GNU_SOURCE /* asprintf */
#include "sim/capture/file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int split(struct capture_file *f, size_t len)
{
	size_t nr = 0;

	for (size_t i = 0; i < len; i++) {
		if (!f->text[i])
			f->text[i] = '?';
		nr += f->text[i] == '\n';
	}
	f->lines = malloc((nr + 1) * sizeof(*f->lines));
	if (!f->lines)
		return -ENOMEM;
	for (char *line = f->text, *end; f->nr_lines < nr; line = end + 1) {
		end = strchr(line, '\n');
		*end = '\0';
		if (end > line && end[-1] == '\r')
			end[-1] = '\0';
		f->lines[f->nr_lines++] = line;
	}
	return 0;
}

/* Takes text, which has room for a NUL at text[len]. */
static int take(struct capture_file *f, char *text, size_t len, struct diag *diag)
{
	f->text = text;
	text[len] = '\0';
	if (!len)
		return diag_error(diag, -EINVAL, f->path, 0, "the file is empty");
	if (text[len - 1] != '\n') {
		unsigned line = 1;

		for (size_t i = 0; i < len; i++)
			line += text[i] == '\n';
		return diag_error(diag, -EINVAL, f->path, line,
				  "the file is cut: its last line has no end");
	}
	return split(f, len);
}

int capture_parse(const char *path, const char *bytes, size_t len, struct diag *diag,
		  struct capture_file *out)
{
	char *text = malloc(len + 1);
	int err;

	*out = (struct capture_file){.path = strdup(path)};
	if (!text || !out->path) {
		free(text);
		capture_close(out);
		return -ENOMEM;
	}
	memcpy(text, bytes, len);
	err = take(out, text, len, diag);
	if (err)
		capture_close(out);
	return err;
}

void capture_close(struct capture_file *f)
{
	free(f->path);
	free(f->text);
	free(f->lines);
	*f = (struct capture_file){0};
}

static int read_all(FILE *stream, struct capture_file *f, struct diag *diag)
{
	size_t len = 0, room = 1 << 16;
	char *text = malloc(room + 1);

	while (text) {
		len += fread(text + len, 1, room - len, stream);
		if (len < room || room >= CAPTURE_MAX_BYTES)
			break;
		char *more = realloc(text, 2 * room + 1);

		if (!more)
			free(text);
		text = more;
		room *= 2;
	}
	if (!text)
		return -ENOMEM;
	if (ferror(stream)) {
		free(text);
		return diag_error(diag, -EIO, f->path, 0, "cannot read the file: %s",
				  strerror(errno));
	}
	if (len >= CAPTURE_MAX_BYTES) {
		free(text);
		return diag_error(diag, -EINVAL, f->path, 0, "the file has more than %d MiB",
				  CAPTURE_MAX_BYTES >> 20);
	}
	return take(f, text, len, diag);
}

/* One of the places: 0, -ENOENT without a message, or an error with one. */
static int open_at(const char *path, struct diag *diag, struct capture_file *out)
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
	*out = (struct capture_file){.path = strdup(path)};
	err = out->path ? read_all(stream, out, diag) : -ENOMEM;
	fclose(stream);
	if (err)
		capture_close(out);
	return err;
}

int capture_open(const char *dir, const char *name, struct diag *diag, struct capture_file *out)
{
	static const char *const folders[] = {"", "boot/"};
	size_t len = strlen(name);

	*out = (struct capture_file){0};
	for (int i = 0; i < 4; i++) {
		bool bare = i % 2;
		char *path;
		int err;

		if (bare && (len < 4 || strcmp(name + len - 4, ".txt")))
			continue;
		if (asprintf(&path, "%s/%s%.*s", dir, folders[i / 2], (int)(bare ? len - 4 : len),
			     name) < 0)
			return -ENOMEM;
		err = open_at(path, diag, out);
		free(path);
		if (err != -ENOENT)
			return err;
	}
	return -ENOENT;
}

int capture_need(const char *dir, const char *name, struct diag *diag, struct capture_file *out)
{
	int err = capture_open(dir, name, diag, out);

	if (err == -ENOENT)
		diag_error(diag, err, dir, 0, "%s is missing: expected it in this folder", name);
	return err;
}

int capture_check_folder(const char *dir, struct diag *diag)
{
	struct stat st;

	if (stat(dir, &st))
		return diag_error(diag, -ENOENT, dir, 0, "cannot read the folder: %s",
				  strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return diag_error(diag, -ENOTDIR, dir, 0,
				  "not a folder: expected one with the files of a capture");
	return 0;
}

int capture_wrong(const struct capture_file *f, size_t i, struct diag *diag, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return diag_error(diag, -EINVAL, f->path, (unsigned)i + 1, "%s", text);
}

struct capture_quote capture_quote(const char *line)
{
	struct capture_quote quote;

	snprintf(quote.text, sizeof(quote.text), strlen(line) > 60 ? "%.57s..." : "%s", line);
	return quote;
}

bool scan_text(const char **p, const char *text)
{
	size_t len = strlen(text);

	if (strncmp(*p, text, len))
		return false;
	*p += len;
	return true;
}

bool scan_blanks(const char **p)
{
	while (**p == ' ' || **p == '\t')
		(*p)++;
	return true;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

static bool scan_number(const char **p, int base, uint64_t *out)
{
	const char *at = *p;
	uint64_t value = 0;

	for (; digit_of(*at) < base; at++)
		if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit_of(*at), &value))
			return false;
	if (at == *p)
		return false;
	*out = value;
	*p = at;
	return true;
}

bool scan_decimal(const char **p, uint64_t *out)
{
	return scan_number(p, 10, out);
}

bool scan_hex(const char **p, uint64_t *out)
{
	const char *at = *p;

	if (!scan_text(&at, "0x"))
		scan_text(&at, "0X");
	if (!scan_number(&at, 16, out))
		return false;
	*p = at;
	return true;
}

bool scan_mem(const char **p, uint64_t *start, uint64_t *end)
{
	const char *at = *p;
	uint64_t first, last;

	if (!scan_text(&at, "[mem ") || !scan_blanks(&at) || !scan_hex(&at, &first) ||
	    !scan_text(&at, "-") || !scan_hex(&at, &last) || !scan_text(&at, "]"))
		return false;
	if (last < first || last == UINT64_MAX)
		return false;
	*start = first;
	*end = last + 1;
	*p = at;
	return true;
}

bool scan_whole(const char *text, uint64_t *out)
{
	return scan_blanks(&text) && scan_decimal(&text, out) && scan_blanks(&text) && !*text;
}
