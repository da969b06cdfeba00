/* SPDX-License-Identifier: Apache-2.0 */
/* Archives byte by byte: long names, numbers in binary, what is refused, and every kind of damage.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/trace/tar.h"

static struct diag diag = DIAG_INIT;

static uint8_t archive[1 << 16];
static size_t len;

static void put_sum(uint8_t *block)
{
	unsigned sum = 0;

	memset(block + 148, ' ', 8);
	for (int i = 0; i < TAR_BLOCK; i++)
		sum += block[i];
	snprintf((char *)block + 148, 8, "%06o", sum);
}

/* A header; returns it for changes, after which put_sum() is due. */
static uint8_t *header(const char *name, char type, unsigned long size)
{
	uint8_t *block = archive + len;

	memset(block, 0, TAR_BLOCK);
	memcpy(block, name, strlen(name) < 100 ? strlen(name) : 100);
	snprintf((char *)block + 124, 12, "%011lo", size & 077777777777UL);
	block[156] = (uint8_t)type;
	memcpy(block + 257, "ustar\00000", 8);
	put_sum(block);
	len += TAR_BLOCK;
	return block;
}

static void body(const char *text)
{
	size_t n = strlen(text);

	memset(archive + len, 0, n + TAR_BLOCK);
	memcpy(archive + len, text, n);
	len += (n + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
}

static void file(const char *name, const char *text)
{
	header(name, '0', strlen(text));
	body(text);
}

static void end(void)
{
	memset(archive + len, 0, 2 * TAR_BLOCK);
	len += 2 * TAR_BLOCK;
}

static struct tar *open_bytes(size_t n)
{
	struct unpack *u;
	struct tar *t;

	diag_clear(&diag);
	cr_assert_eq(unpack_open_memory(archive, n, "a", &diag, &u), 0);
	cr_assert_eq(tar_open(u, &t), 0);
	return t;
}

/* "name=content name=content": all files, or "" and *err. */
static const char *all(size_t n, int *err)
{
	static char text[8192];
	struct tar *t = open_bytes(n);
	const char *name;
	uint64_t size;

	text[0] = '\0';
	while ((*err = tar_next(t, &diag, &name, &size)) > 0) {
		char buf[200];
		ssize_t got;

		strcat(strcat(text, name), "=");
		while ((got = tar_read(t, &diag, buf, 7)) > 0)
			strncat(text, buf, (size_t)got);
		*err = (int)got;
		if (*err)
			break;
		strcat(text, " ");
	}
	tar_close(t);
	return text;
}

static void gives(const char *expected)
{
	int err;

	cr_assert(tar_begins(archive, len));
	cr_assert_str_eq(all(len, &err), expected);
	cr_assert_eq(err, 0, "%s", diag.failed ? diag.error.text : "");
}

static void refused(const char *text)
{
	int err;

	all(len, &err);
	cr_assert_eq(err, -EINVAL);
	cr_assert(diag.failed);
	cr_assert(strstr(diag.error.text, text), "got: %s", diag.error.text);
}

Test(tar, files_and_folders)
{
	header("./n/", '5', 0);
	file("./n/a", "eins");
	file("n/b", "");
	file("n/c", "three blocks less");
	end();
	gives("n/a=eins n/b= n/c=three blocks less ");
}

Test(tar, reads_what_is_passed_over)
{
	struct tar *t;
	const char *name;
	uint64_t size;

	file("a", "0123456789");
	file("b", "x");
	end();
	t = open_bytes(len);
	cr_assert_eq(tar_next(t, &diag, &name, &size), 1);
	cr_assert_eq(size, 10);
	cr_assert_eq(tar_next(t, &diag, &name, &size), 1);
	cr_assert_str_eq(name, "b");
	cr_assert_eq(tar_next(t, &diag, &name, &size), 0);
	tar_close(t);
}

Test(tar, long_names)
{
	char name[301], expected[1000];
	uint8_t *block;

	memset(name, 'n', 300);
	name[300] = '\0';
	header("././@LongLink", 'L', 301); /* GNU: with its NUL */
	body(name);
	len += TAR_BLOCK * (strlen(name) < 512 ? 0 : 1);
	file("cut", "gnu");
	header("pax", 'x', 20 + 13);
	body("20 path=long/of pax\n13 mtime=1.5\n");
	file("cut", "pax");
	block = header("end", '0', 0);
	memcpy(block + 345, "before", 6);
	put_sum(block);
	file("plain", "again");
	end();
	snprintf(expected, sizeof(expected), "%s=gnu long/of pax=pax before/end= plain=again ",
		 name);
	gives(expected);
}

Test(tar, sizes_in_binary_and_of_pax)
{
	uint8_t *block = header("a", '0', 0);

	memset(block + 124, 0, 12);
	block[124] = 0x80;
	block[135] = 3;
	put_sum(block);
	body("abc");
	header("pax", 'x', 10);
	body("10 size=2\n");
	header("b", '0', 77777);
	body("xy");
	end();
	gives("a=abc b=xy ");
}

Test(tar, sizes_that_cannot_be)
{
	uint8_t *block = header("a", '0', 0);

	memset(block + 124, 0xff, 12); /* negative */
	put_sum(block);
	end();
	refused("found a size that cannot be");
	len = 0;
	block = header("a", '0', 0);
	memset(block + 124, 0xff, 12);
	block[124] = 0x80; /* 2^88 - 1 */
	put_sum(block);
	end();
	refused("found a size that cannot be");
	len = 0;
	header("pax", 'x', 30);
	body("30 size=99999999999999999999\n");
	refused("pax record"); /* is 29 long */
	len = 0;
	header("pax", 'x', 29);
	body("29 size=99999999999999999999\n");
	refused("found a size that cannot be");
	len = 0;
	header("a", '0', 077777777777); /* 8 GiB, of which nothing follows */
	end();
	refused("it ends early, after byte 1536 ");
	len = 0;
	header("././@LongLink", 'L', 1 << 20);
	end();
	refused("a name that is too long");
}

Test(tar, what_a_capture_does_not_have)
{
	static const char *const names[] = {"../a", "/etc/passwd", "a/../../b", "a/..", ".."};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		len = 0;
		file(names[i], "x");
		end();
		refused("leads out of the archive");
	}
	len = 0;
	file("..a/b..c/...", "x"); /* only looks like it */
	end();
	gives("..a/b..c/...=x ");
	for (const char *type = "123467S"; *type; type++) {
		int err;

		len = 0;
		header("a", *type, 0);
		end();
		all(len, &err);
		cr_assert_eq(err, *type == '7' ? 0 : -EINVAL, "%c", *type);
	}
	refused("its 'a' is a file of a special kind");
}

/* Cut anywhere, it is an error: but for the second of the two blocks of zeroes at its end. */
Test(tar, cut)
{
	size_t whole;

	file("n/a", "eins");
	header("pax", 'x', 11);
	body("11 path=bb\n");
	file("n/b", "zwei");
	end();
	whole = len - TAR_BLOCK;
	for (size_t n = 0; n < len; n++) {
		int err;

		all(n, &err);
		cr_assert_eq(err, n < whole ? -EINVAL : 0, "%zu bytes", n);
		cr_assert_eq(diag.failed, n < whole);
	}
}

/* Each byte of a header counts into its sum; two that level out still end in some way. */
Test(tar, flipped)
{
	file("n/a", "eins");
	end();
	for (size_t i = 0; i < TAR_BLOCK; i++)
		for (int bit = 0; bit < 8; bit++) {
			int err;

			archive[i] ^= 1 << bit;
			all(len, &err);
			/* In the field of the sum, what only ends it may be another blank. */
			if (i < 148 || i >= 156)
				cr_assert_eq(err, -EINVAL, "byte %zu", i);
			archive[i] ^= 1 << bit;
		}
	for (int round = 0; round < 20000; round++) {
		uint8_t was[4];
		size_t at[4];
		int err;

		for (int i = 0; i < 4; i++) {
			at[i] = (size_t)rand() % TAR_BLOCK;
			was[i] = archive[at[i]];
			archive[at[i]] = (uint8_t)rand();
		}
		put_sum(archive);
		all(len, &err);
		cr_assert(err == 0 || diag.failed);
		for (int i = 3; i >= 0; i--)
			archive[at[i]] = was[i];
		put_sum(archive);
	}
}
