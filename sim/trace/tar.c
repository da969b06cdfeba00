/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads tar archives as a stream (POSIX.1-2001, "pax Interchange Format", and the two records in
 * which GNU tar keeps long names). Memory is bounded by one name; a size is only believed as far as
 * bytes follow. Knows nothing of captures.
 */
#include "sim/trace/tar.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NAME   4096
#define MAX_RECORD 65536 /* of pax, or of a long name */

/* Where the fields of a header are: offset, bytes. */
enum {
	NAME_AT = 0,
	NAME_BYTES = 100,
	SIZE_AT = 124,
	SIZE_BYTES = 12,
	SUM_AT = 148,
	SUM_BYTES = 8,
	TYPE_AT = 156,
	MAGIC_AT = 257,
	PREFIX_AT = 345,
	PREFIX_BYTES = 155,
};

struct tar {
	struct unpack *u;
	uint64_t at;      /* bytes of the archive that were read */
	uint64_t left;    /* of the file that is being read */
	unsigned padding; /* behind it, up to a whole block */
	bool long_name;   /* `name` is of a record before the header */
	bool has_size;    /* so is `size` */
	uint64_t size;
	char name[MAX_NAME + 1];
	uint8_t block[TAR_BLOCK];
};

static int damaged(struct tar *t, struct diag *diag, const char *what)
{
	return diag_error(diag, -EINVAL, unpack_name(t->u), 0,
			  "the archive is damaged: %s after byte %" PRIu64 " of what it unpacks to",
			  what, t->at);
}

/* A number in octal digits, or in binary where the first bit is set. */
static bool field(const uint8_t *p, size_t n, uint64_t *out)
{
	uint64_t value = 0;
	size_t i = 0;

	if (p[0] & 0x80) {
		if (p[0] != 0x80)
			return false; /* negative, or beyond 88 bits */
		for (i = 1; i < n; i++) {
			if (value >> 55)
				return false;
			value = value << 8 | p[i];
		}
		*out = value;
		return true;
	}
	while (i < n && p[i] == ' ')
		i++;
	for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
		value = value << 3 | (uint64_t)(p[i] - '0'); /* at most 36 bits */
	*out = value;
	return i == n || !p[i] || p[i] == ' ';
}

static bool sum_fits(const uint8_t *block)
{
	uint64_t stated;
	int64_t plain = 0, with_sign = 0; /* some old ones added signed bytes */

	for (int i = 0; i < TAR_BLOCK; i++) {
		uint8_t byte = i >= SUM_AT && i < SUM_AT + SUM_BYTES ? ' ' : block[i];

		plain += byte;
		with_sign += (int8_t)byte;
	}
	return field(block + SUM_AT, SUM_BYTES, &stated) &&
	       ((int64_t)stated == plain || (int64_t)stated == with_sign);
}

bool tar_begins(const void *bytes, size_t n)
{
	const uint8_t *block = bytes;

	return n >= TAR_BLOCK && block[0] && sum_fits(block);
}

int tar_open(struct unpack *u, struct tar **out)
{
	struct tar *t = calloc(1, sizeof(*t));

	*out = t;
	if (!t) {
		unpack_close(u);
		return -ENOMEM;
	}
	t->u = u;
	return 0;
}

void tar_close(struct tar *t)
{
	if (!t)
		return;
	unpack_close(t->u);
	free(t);
}

const char *tar_path(const struct tar *t)
{
	return unpack_name(t->u);
}

/* Exactly `n` bytes; 1 where there are none at all and `may_end`. */
static int take(struct tar *t, struct diag *diag, void *buf, size_t n, bool may_end)
{
	for (size_t got = 0; got < n;) {
		ssize_t one = unpack_read(t->u, diag, (char *)buf + got, n - got);

		if (one < 0)
			return (int)one;
		if (!one)
			return !got && may_end ? 1 : damaged(t, diag, "it ends early,");
		got += (size_t)one;
		t->at += (uint64_t)one;
	}
	return 0;
}

static int pass_over(struct tar *t, struct diag *diag, uint64_t n)
{
	char bytes[16384];

	while (n) {
		size_t one = n < sizeof(bytes) ? (size_t)n : sizeof(bytes);
		int err = take(t, diag, bytes, one, false);

		if (err)
			return err;
		n -= one;
	}
	return 0;
}

static unsigned padding_of(uint64_t size)
{
	return (unsigned)(-size % TAR_BLOCK);
}

/* What a header is about in bytes of its own. free() *out, which ends with a NUL. */
static int take_record(struct tar *t, struct diag *diag, uint64_t size, char **out)
{
	int err;

	*out = NULL;
	if (size > MAX_RECORD)
		return damaged(t, diag, "found a name that is too long");
	*out = malloc((size_t)size + 1);
	if (!*out)
		return -ENOMEM;
	(*out)[size] = '\0';
	err = take(t, diag, *out, (size_t)size, false);
	return err ? err : pass_over(t, diag, padding_of(size));
}

static int set_name(struct tar *t, struct diag *diag, const char *name, size_t len)
{
	if (len > MAX_NAME)
		return damaged(t, diag, "found a name that is too long");
	memcpy(t->name, name, len);
	t->name[len] = '\0';
	t->long_name = true;
	return 0;
}

static int set_size(struct tar *t, struct diag *diag, const char *text)
{
	uint64_t value = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
			return damaged(t, diag, "found a size that cannot be");
	if (*text)
		return damaged(t, diag, "found a size that cannot be");
	t->size = value;
	t->has_size = true;
	return 0;
}

/* "30 path=NAME\n": the length counts itself. */
static int read_pax(struct tar *t, struct diag *diag, char *text, size_t len)
{
	int err = 0;

	while (len && !err) {
		char *end, *equals;
		unsigned long n = text[0] >= '0' && text[0] <= '9' ? strtoul(text, &end, 10) : 0;

		if (!n || n > len || *end != ' ' || text[n - 1] != '\n' || end + 1 >= text + n)
			return damaged(t, diag, "found a pax record that cannot be read");
		text[n - 1] = '\0';
		equals = strchr(end + 1, '=');
		if (!equals)
			return damaged(t, diag, "found a pax record that cannot be read");
		*equals++ = '\0';
		if (!strcmp(end + 1, "path"))
			err = set_name(t, diag, equals, (size_t)(text + n - 1 - equals));
		else if (!strcmp(end + 1, "size"))
			err = set_size(t, diag, equals);
		text += n;
		len -= n;
	}
	return err;
}

/* Records that stand before the header that they are about: 1 where this was one. */
static int take_extension(struct tar *t, struct diag *diag, uint64_t size)
{
	char type = (char)t->block[TYPE_AT], *text = NULL;
	int err;

	if (type != 'x' && type != 'g' && type != 'L' && type != 'K')
		return 0;
	err = take_record(t, diag, size, &text);
	if (!err && type == 'x')
		err = read_pax(t, diag, text, (size_t)size);
	if (!err && type == 'L')
		err = set_name(t, diag, text, strlen(text));
	free(text);
	return err ? err : 1;
}

static void name_of_header(struct tar *t)
{
	const char *block = (const char *)t->block;
	size_t prefix = 0, len = strnlen(block + NAME_AT, NAME_BYTES);

	/* GNU's own format, "ustar  ", has other things there. */
	if (!memcmp(block + MAGIC_AT, "ustar", 6))
		prefix = strnlen(block + PREFIX_AT, PREFIX_BYTES);
	memcpy(t->name, block + PREFIX_AT, prefix);
	if (prefix)
		t->name[prefix++] = '/';
	memcpy(t->name + prefix, block + NAME_AT, len);
	t->name[prefix + len] = '\0';
}

/* Without "./" in front; -EINVAL where it leads out of the archive. */
static int check_name(struct tar *t, struct diag *diag)
{
	char *name = t->name;

	while (!strncmp(name, "./", 2))
		for (name += 2; *name == '/';)
			name++;
	memmove(t->name, name, strlen(name) + 1);
	for (char *p = t->name; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?'; /* it is printed */
	name = t->name;
	if (*name == '/')
		name = NULL;
	for (const char *part = name; part; part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL)
		if (!strncmp(part, "..", 2) && (!part[2] || part[2] == '/'))
			name = NULL;
	if (!name)
		return diag_error(diag, -EINVAL, unpack_name(t->u), 0,
				  "its file '%.200s' leads out of the archive: not a capture",
				  t->name);
	return 0;
}

/* 1: a plain file; 0: a folder; or an error. */
static int check_type(struct tar *t, struct diag *diag)
{
	char type = (char)t->block[TYPE_AT];
	size_t len = strlen(t->name);

	if (type == '5' || type == 'V')
		return 0;
	if (type != '0' && type && type != '7')
		return diag_error(diag, -EINVAL, unpack_name(t->u), 0,
				  "its '%.200s' is a %s: expected plain files and folders", t->name,
				  type == '1' || type == '2' ? "link" : "file of a special kind");
	return len && t->name[len - 1] != '/'; /* before there were types, folders ended so */
}

/* The first block of zeroes, and all that follows it: for checksums of the compression. */
static int take_end(struct tar *t, struct diag *diag)
{
	char bytes[16384];
	ssize_t n;

	for (int i = 0; i < TAR_BLOCK; i++)
		if (t->block[i])
			return damaged(t, diag, "found no header");
	do {
		n = unpack_read(t->u, diag, bytes, sizeof(bytes));
	} while (n > 0);
	return (int)n;
}

/* One header: 1 a plain file, 0 the end, 2 anything else. */
static int take_header(struct tar *t, struct diag *diag)
{
	uint64_t size;
	int err = take(t, diag, t->block, TAR_BLOCK, true);

	if (err)
		return err < 0 ? err : damaged(t, diag, "it ends early,");
	if (!t->block[NAME_AT] && !sum_fits(t->block))
		return take_end(t, diag);
	if (!sum_fits(t->block))
		return damaged(t, diag, "found no header");
	if (!field(t->block + SIZE_AT, SIZE_BYTES, &size))
		return damaged(t, diag, "found a size that cannot be");
	err = take_extension(t, diag, size);
	if (err)
		return err < 0 ? err : 2;
	if (!t->long_name)
		name_of_header(t);
	if (t->has_size)
		size = t->size;
	t->long_name = t->has_size = false;
	if (size > INT64_MAX)
		return damaged(t, diag, "found a size that cannot be");
	err = check_name(t, diag);
	if (err)
		return err;
	err = check_type(t, diag);
	if (err <= 0)
		return err < 0 ? err : 2; /* what folders say of their size does not follow */
	t->left = size;
	t->padding = padding_of(size);
	return 1;
}

int tar_next(struct tar *t, struct diag *diag, const char **name, uint64_t *size)
{
	int err = pass_over(t, diag, t->left);

	if (!err)
		err = pass_over(t, diag, t->padding);
	t->left = 0;
	t->padding = 0;
	if (err)
		return err;
	do {
		err = take_header(t, diag);
	} while (err == 2);
	*name = t->name;
	*size = t->left;
	return err;
}

ssize_t tar_read(struct tar *t, struct diag *diag, void *buf, size_t room)
{
	size_t n = t->left < room ? (size_t)t->left : room;
	ssize_t got;

	if (!n)
		return 0;
	got = unpack_read(t->u, diag, buf, n);
	if (!got)
		return damaged(t, diag, "it ends early,");
	if (got > 0) {
		t->left -= (uint64_t)got;
		t->at += (uint64_t)got;
	}
	return got;
}
