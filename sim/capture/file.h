/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a capture: a folder of what a real machine's kernel shows of itself, or a tar
 * archive of one, plain or compressed, as tools/capture makes it. Each file is text in memory, by
 * lines. It is found with or without .txt, in the folder or in its boot/.
 */
#ifndef SIM_CAPTURE_FILE_H
#define SIM_CAPTURE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/config/diag.h"

#define CAPTURE_MAX_BYTES (64 << 20) /* of one file */

/* Limits of an archive, which bound the memory it takes. */
#define CAPTURE_MAX_ARCHIVE_BYTES (256 << 20) /* of its files, without the trace */
#define CAPTURE_MAX_ARCHIVE_FILES 65536

/* A capture that is open. Constant: several may read it. */
struct capture;

/**
 * Open the capture in `path`: a folder, or an archive, which is read whole. Returns 0 and *out
 * (free with capture_free()); -ENOENT where nothing is there; -ENOTDIR where it is neither; -EINVAL
 * for an archive that is damaged, too large, or has anything but plain files within it; -EIO,
 * -ENOMEM; the reason in diag.
 */
int capture_open(const char *path, struct diag *diag, struct capture **out);
/** `c` may be NULL. */
void capture_free(struct capture *c);
/** As given to capture_open(). Lives as long as `c`. */
const char *capture_path(const struct capture *c);
/** Does it have a folder of that name ("before")? */
bool capture_has_folder(const struct capture *c, const char *name);

/* Lines hold no NUL (each became a '?') and no line end. Line i is number i + 1 in messages. */
struct capture_file {
	char *path;
	char *text;
	const char **lines; /* into text */
	size_t nr_lines;
};

/**
 * Read `name` ("iomem.txt"): in the capture itself or in its boot/; a name with a folder in it
 * ("before/zoneinfo.txt", "./zoneinfo.txt") only there. Returns 0 and *out (free with
 * capture_close()); -ENOENT where there is no such file, with nothing in diag (*out is then empty,
 * and may be closed); -EIO, and -EINVAL for a file that is empty, too long, or cut in its last
 * line, with the reason in diag; -ENOMEM.
 */
int capture_read(const struct capture *c, const char *name, struct diag *diag,
		 struct capture_file *out);

/** The same where the file has to be there: -ENOENT comes with a message. */
int capture_need(const struct capture *c, const char *name, struct diag *diag,
		 struct capture_file *out);

/** The same from memory; `path` stands for the file in messages. */
int capture_parse(const char *path, const char *bytes, size_t len, struct diag *diag,
		  struct capture_file *out);
void capture_close(struct capture_file *f);

/** Record what is wrong with line `i` (from 0) of the file. Returns -EINVAL. */
int capture_wrong(const struct capture_file *f, size_t i, struct diag *diag, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* A line as a message quotes it: at most 60 bytes of it. */
struct capture_quote {
	char text[64];
};
struct capture_quote capture_quote(const char *line);

/* Of the kernel's command line; options.c. */
/** A size as memparse() reads it: "2M", "1G", "0x1000k". False where it is none. */
bool capture_size(const char *text, uint64_t *out);
/** Warn that an option has no effect here. */
void capture_left_out(struct diag *diag, const char *file, const char *option);

/*
 * Scanners: each moves *p past what it read and returns true, or leaves *p and returns false.
 * Numbers have at least one digit and fit in 64 bits.
 */
bool scan_text(const char **p, const char *text);
bool scan_blanks(const char **p); /* any number of blanks and tabs, none too: always true */
bool scan_decimal(const char **p, uint64_t *out);
bool scan_hex(const char **p, uint64_t *out); /* with or without 0x */
/** "[mem 0x1000-0x9fbff]", also without 0x: *end is past the last byte. */
bool scan_mem(const char **p, uint64_t *start, uint64_t *end);
/** A decimal number is all that `text` holds, but for blanks around it. */
bool scan_whole(const char *text, uint64_t *out);

#endif
