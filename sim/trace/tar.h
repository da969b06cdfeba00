/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files in a tar archive, one after the other, as they come through unpack.h: ustar, with the
 * long names of GNU tar and of pax. Nothing is written anywhere. A capture holds plain files in
 * folders: an archive with anything else in it (links, devices, names that lead out of it) is
 * refused.
 */
#ifndef SIM_TRACE_TAR_H
#define SIM_TRACE_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sim/trace/unpack.h"

#define TAR_BLOCK 512

struct tar;

/** Is this the first block of an archive? By its checksum. `n` may be less than TAR_BLOCK. */
bool tar_begins(const void *bytes, size_t n);

/** Takes `u` over, also where it fails: with -ENOMEM. Free with tar_close(). */
int tar_open(struct unpack *u, struct tar **out);
void tar_close(struct tar *t);

/**
 * Go to the next plain file; what is left of the one before is passed over. Returns 1 with its
 * *name (without "./" in front; lives until the next call) and *size in bytes; 0 at the end of the
 * archive, all of which has then been read and found whole; -EINVAL where it is damaged, cut or
 * refused (diag says after which byte of the unpacked archive), -EIO, -ENOMEM.
 */
int tar_next(struct tar *t, struct diag *diag, const char **name, uint64_t *size);

/** The next bytes of that file, at most `room`. Returns how many, 0 at its end; errors as above. */
ssize_t tar_read(struct tar *t, struct diag *diag, void *buf, size_t room);

/** The archive's own name. */
const char *tar_path(const struct tar *t);

#endif
