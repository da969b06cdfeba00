/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading config files into one text: includes expanded, comments blanked, lines traced back.
 *
 * Knows strings, comments and @include; what the settings mean is for others. Every line that is
 * written to the output gets its origin at once, so the two stay in step.
 */
#include "sim/config/text.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_TEXT     ((size_t)8 << 20)
#define MAX_DEPTH    8
#define MAX_INCLUDES 64
#define TOO_LARGE    "the file and its includes are larger than 8 MiB"

/* A file being read, and who included it. */
struct source {
	const struct source *includer;
	unsigned depth;
	dev_t dev;
	ino_t ino;
	bool in_memory;
	const char *text;
	size_t length;
	unsigned file; /* index into out->files */
	unsigned line;
};

struct reader {
	struct cfg_text *out;
	size_t room, line_room;
	struct diag *diag;
};

static int no_memory(struct reader *r)
{
	return diag_error(r->diag, -ENOMEM, NULL, 0, "out of memory");
}

static int wrong(struct reader *r, const struct source *src, const char *what)
{
	return diag_error(r->diag, -EINVAL, r->out->files[src->file], src->line, "%s", what);
}

static int put(struct reader *r, const struct source *src, char c)
{
	struct cfg_text *t = r->out;

	if (t->length + 2 > MAX_TEXT)
		return wrong(r, src, TOO_LARGE);
	if (t->length + 2 > r->room) {
		size_t room = r->room ? r->room * 2 : 4096;
		char *grown = realloc(t->text, room);

		if (!grown)
			return no_memory(r);
		t->text = grown;
		r->room = room;
	}
	t->text[t->length++] = c;
	t->text[t->length] = '\0';
	return 0;
}

/* Open a line of the output: it comes from the source's current line. */
static int open_line(struct reader *r, const struct source *src)
{
	struct cfg_text *t = r->out;

	if (t->nr_lines == r->line_room) {
		size_t room = r->line_room ? r->line_room * 2 : 256;
		struct cfg_line *grown = realloc(t->lines, room * sizeof(*grown));

		if (!grown)
			return no_memory(r);
		t->lines = grown;
		r->line_room = room;
	}
	t->lines[t->nr_lines++] = (struct cfg_line){.file = src->file, .line = src->line};
	return 0;
}

static int end_line(struct reader *r, struct source *src)
{
	int err = put(r, src, '\n');

	if (err)
		return err;
	src->line++;
	return open_line(r, src);
}

static int add_file(struct reader *r, const char *name, unsigned *index)
{
	struct cfg_text *t = r->out;
	char **grown = realloc(t->files, (t->nr_files + 1) * sizeof(*grown));

	if (!grown)
		return no_memory(r);
	t->files = grown;
	t->files[t->nr_files] = strdup(name);
	if (!t->files[t->nr_files])
		return no_memory(r);
	*index = (unsigned)t->nr_files++;
	return 0;
}

static int expand(struct reader *r, struct source *src);

/* Read all of `fd`, at most MAX_TEXT bytes and one, into memory of its own. */
static int slurp(int fd, char **text, size_t *length)
{
	size_t room = 0;

	*text = NULL;
	*length = 0;
	for (;;) {
		ssize_t n;

		if (*length == room) {
			char *grown = realloc(*text, room ? room * 2 : 65536);

			if (!grown)
				return -ENOMEM;
			*text = grown;
			room = room ? room * 2 : 65536;
		}
		n = read(fd, *text + *length, room - *length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		*length += (size_t)n;
		if (n == 0 || *length > MAX_TEXT)
			return 0;
	}
}

/* What `path` says about itself to a reader whose includer, if any, stands for it in messages. */
static int refuse_file(struct reader *r, const struct source *includer, const char *path, int err)
{
	if (err == -ENOMEM)
		return no_memory(r);
	if (includer)
		return diag_error(r->diag, -EINVAL, r->out->files[includer->file], includer->line,
				  "cannot read the include '%s': %s", path, strerror(-err));
	return diag_error(r->diag, err == -ENOENT ? -ENOENT : -EIO, path, 0, "cannot read it: %s",
			  strerror(-err));
}

static bool includes_itself(const struct source *src)
{
	for (const struct source *up = src->includer; up; up = up->includer)
		if (up->dev == src->dev && up->ino == src->ino)
			return true;
	return false;
}

static int read_file(struct reader *r, const struct source *includer, const char *path)
{
	struct source src = {.includer = includer, .line = 1};
	struct stat st;
	char *text = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return refuse_file(r, includer, path, -errno);
	err = fstat(fd, &st) ? -errno : S_ISDIR(st.st_mode) ? -EISDIR : 0;
	if (!err)
		err = slurp(fd, &text, &src.length);
	close(fd);
	if (err) {
		err = refuse_file(r, includer, path, err);
		goto out_free;
	}
	src.depth = includer ? includer->depth + 1 : 0;
	src.dev = st.st_dev;
	src.ino = st.st_ino;
	src.text = text;
	if (includes_itself(&src)) {
		err = wrong(r, includer, "the file includes itself");
		goto out_free;
	}
	err = add_file(r, path, &src.file);
	if (!err && src.length > MAX_TEXT)
		err = wrong(r, &src, TOO_LARGE);
	if (!err)
		err = expand(r, &src);
out_free:
	free(text);
	return err;
}

/* The path that an include of `rel` in `from` means; free() it. */
static char *resolve(const char *from, const char *rel, size_t rel_length)
{
	const char *slash = strrchr(from, '/');
	size_t dir = rel[0] == '/' || !slash ? 0 : (size_t)(slash - from) + 1;
	char *path = malloc(dir + rel_length + 1);

	if (path) {
		memcpy(path, from, dir);
		memcpy(path + dir, rel, rel_length);
		path[dir + rel_length] = '\0';
	}
	return path;
}

static int include(struct reader *r, struct source *src, const char *rel, size_t rel_length)
{
	char *path;
	int err;

	if (src->in_memory)
		return wrong(r, src, "there is nothing to @include from: the text is no file");
	if (src->depth + 1 >= MAX_DEPTH)
		return wrong(r, src, "includes are nested deeper than 8 files");
	if (r->out->nr_files > MAX_INCLUDES)
		return wrong(r, src, "more than 64 includes");
	path = resolve(r->out->files[src->file], rel, rel_length);
	if (!path)
		return no_memory(r);
	/* The included text takes the place of the directive: its first line is this line. */
	r->out->nr_lines--;
	err = read_file(r, src, path);
	free(path);
	if (!err)
		err = put(r, src, '\n');
	return err ? err : open_line(r, src);
}

/* `*at` is at an '@'. Step past `@include "path"`. */
static int directive(struct reader *r, struct source *src, size_t *at, bool line_start)
{
	static const char word[] = "@include";
	const char *p = src->text + *at, *end = src->text + src->length;
	const char *path, *quote;

	if (!line_start || (size_t)(end - p) < sizeof(word) - 1 ||
	    memcmp(p, word, sizeof(word) - 1) != 0)
		return wrong(r, src, "'@' stands for nothing but @include at the start of a line");
	p += sizeof(word) - 1;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	path = p + 1;
	quote = p < end && *p == '"' ? memchr(path, '"', (size_t)(end - path)) : NULL;
	if (!quote || quote == path || memchr(path, '\n', (size_t)(quote - path)) ||
	    memchr(path, '\0', (size_t)(quote - path)))
		return wrong(r, src, "@include wants a file name in quotes");
	*at = (size_t)(quote + 1 - src->text);
	return include(r, src, path, (size_t)(quote - path));
}

/* `*at` is at the opening quote. Copy the string and step past it. */
static int copy_string(struct reader *r, struct source *src, size_t *at)
{
	size_t i = *at;
	int err = put(r, src, src->text[i++]);

	while (!err) {
		char c = i < src->length ? src->text[i] : '\n';

		if (c == '\n')
			return wrong(r, src, "the string does not end on its line");
		if (c == '\0')
			return wrong(r, src, "there is a NUL byte in the file");
		err = put(r, src, c);
		i++;
		if (c == '"')
			break;
		if (c != '\\' || i == src->length || src->text[i] == '\n')
			continue;
		if (src->length - i >= 3 && memcmp(src->text + i, "x00", 3) == 0)
			return wrong(r, src, "there is a NUL byte in the string");
		if (!err && src->text[i] != '\0')
			err = put(r, src, src->text[i++]);
	}
	*at = i;
	return err;
}

/* `*at` is at the start of a comment. Step past it, keeping its line ends. */
static int skip_comment(struct reader *r, struct source *src, size_t *at)
{
	const unsigned first_line = src->line;
	bool block = src->text[*at] == '/' && src->text[*at + 1] == '*';
	size_t i = *at + (src->text[*at] == '/' ? 2 : 1);
	int err = put(r, src, ' ');

	for (; !err && i < src->length; i++) {
		if (src->text[i] == '\n') {
			if (!block)
				break;
			err = end_line(r, src);
		} else if (block && src->text[i] == '*' && i + 1 < src->length &&
			   src->text[i + 1] == '/') {
			*at = i + 2;
			return err;
		}
	}
	*at = i;
	if (!err && block) {
		src->line = first_line;
		return wrong(r, src, "the comment that opens here does not end");
	}
	return err;
}

static bool opens_comment(const struct source *src, size_t at)
{
	char next = at + 1 < src->length ? src->text[at + 1] : '\0';

	return src->text[at] == '#' || (src->text[at] == '/' && (next == '/' || next == '*'));
}

static int expand(struct reader *r, struct source *src)
{
	bool line_start = true;
	size_t at = 0;
	int err = open_line(r, src);

	while (!err && at < src->length) {
		char c = src->text[at];

		if (c == '\n') {
			err = end_line(r, src);
			line_start = true;
			at++;
			continue;
		}
		if (c == '@')
			err = directive(r, src, &at, line_start);
		else if (c == '"')
			err = copy_string(r, src, &at);
		else if (opens_comment(src, at))
			err = skip_comment(r, src, &at);
		else if (c == '\0')
			err = wrong(r, src, "there is a NUL byte in the file");
		else
			err = put(r, src, src->text[at++]);
		line_start &= c == ' ' || c == '\t';
	}
	return err;
}

static int finish(struct reader *r, int err)
{
	if (!err && !r->out->text) {
		r->out->text = calloc(1, 1);
		if (!r->out->text)
			err = no_memory(r);
	}
	if (!err)
		err = cfg_syntax_check(r->out, r->diag);
	if (err)
		cfg_text_clear(r->out);
	return err;
}

int cfg_text_load(const char *path, struct diag *diag, struct cfg_text *out)
{
	struct reader r = {.out = out, .diag = diag};

	*out = (struct cfg_text){0};
	return finish(&r, read_file(&r, NULL, path));
}

int cfg_text_parse(const char *text, size_t len, const char *name, struct diag *diag,
		   struct cfg_text *out)
{
	struct reader r = {.out = out, .diag = diag};
	struct source src = {.in_memory = true, .text = text, .length = len, .line = 1};
	int err;

	*out = (struct cfg_text){0};
	err = add_file(&r, name, &src.file);
	if (!err && len > MAX_TEXT)
		err = wrong(&r, &src, TOO_LARGE);
	if (!err)
		err = expand(&r, &src);
	return finish(&r, err);
}

void cfg_text_clear(struct cfg_text *t)
{
	for (size_t i = 0; i < t->nr_files; i++)
		free(t->files[i]);
	free(t->files);
	free(t->lines);
	free(t->text);
	*t = (struct cfg_text){0};
}

void cfg_text_where(const struct cfg_text *t, unsigned line, const char **file, unsigned *file_line)
{
	const struct cfg_line *origin;

	if (line == 0 || line > t->nr_lines)
		line = (unsigned)t->nr_lines;
	origin = &t->lines[line - 1];
	*file = t->files[origin->file];
	*file_line = origin->line;
}
