/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of a capture's file by lines; and the scanners that every parser of them uses. Knows no
 * file's content, and not where it came from (folder.c).
 */
#include "sim/capture/file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
