/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Config files, typed: what machine, cost and scenario files are read with.
 *
 * A thin layer over libconfig, which stays inside config.c. Getters record what the user got wrong
 * in the diag, with file and line, and remember that they did: a reader can ask for all keys of a
 * group and look at cfg_status() once. Each takes a setting that may be NULL (an optional key that
 * is not there) and then does nothing:
 *
 *   cfg_keys(c, group, (const char *const[]){"base", "size", NULL});
 *   cfg_address(c, cfg_need(c, group, "base"), &range.start);
 *   cfg_size(c, cfg_find(c, group, "size"), &range.bytes);
 *   if (cfg_status(c)) ...
 *
 * Getters return whether they set *out. Messages open with the path of the setting.
 */
#ifndef SIM_CONFIG_H
#define SIM_CONFIG_H

#include "sim/config/diag.h"

#include <stdint.h>

struct cfg;
struct cfg_setting; /* a value, group or list; as old as its cfg */

/**
 * Read a file with its includes, or a text (where an include is an error). `diag` is borrowed
 * until cfg_free(). Returns 0 and *out; -ENOENT, -EIO, -EINVAL with the reason in diag; -ENOMEM.
 */
int cfg_load(const char *path, struct diag *diag, struct cfg **out);
int cfg_parse(const char *text, size_t len, const char *name, struct diag *diag, struct cfg **out);
void cfg_free(struct cfg *c);

/**
 * Override or add one value: `--set path=value`. The path is keys and indexes, as
 * "nodes[1].memory[0].size" or "nodes.[1].memory.[0].size"; groups on the way are made where they
 * are missing, list elements are not. The value gets the type that the setting has in the file;
 * a new one is an integer, true, false, or else a string, with or without its quotes.
 * Returns cfg_status().
 */
int cfg_set(struct cfg *c, const char *path, const char *value);

/** 0, or the -errno of the first error recorded through `c`. */
int cfg_status(const struct cfg *c);

/** The top-level group. */
const struct cfg_setting *cfg_root(const struct cfg *c);
/** A member, NULL where it is not there; cfg_need() records that as an error. */
const struct cfg_setting *cfg_find(const struct cfg *c, const struct cfg_setting *group,
				   const char *key);
const struct cfg_setting *cfg_need(struct cfg *c, const struct cfg_setting *group, const char *key);
/** Record each key of the group that is not among `known` (up to a NULL), with the nearest. */
void cfg_keys(struct cfg *c, const struct cfg_setting *group, const char *const *known);

/* The setting itself if it is a group, or a list or array, else NULL and an error. */
const struct cfg_setting *cfg_group(struct cfg *c, const struct cfg_setting *s);
const struct cfg_setting *cfg_list(struct cfg *c, const struct cfg_setting *s);
/** Elements of a list or array, members of a group; 0 for NULL and values. */
unsigned cfg_length(const struct cfg_setting *s);
/** Element or member `i`, NULL past the last. */
const struct cfg_setting *cfg_element(const struct cfg_setting *s, unsigned i);
/** Its key; NULL for an element of a list. */
const char *cfg_name(const struct cfg_setting *s);

/** Is it a string? For values that may be one or a list. */
bool cfg_is_string(const struct cfg_setting *s);
/** Is it a group? For lists of values or groups. */
bool cfg_is_group(const struct cfg_setting *s);
/** A string as it stands; lives as long as `c`. */
bool cfg_string(struct cfg *c, const struct cfg_setting *s, const char **out);
/** An integer from `min` to `max`. */
bool cfg_integer(struct cfg *c, const struct cfg_setting *s, uint64_t min, uint64_t max,
		 uint64_t *out);
bool cfg_bool(struct cfg *c, const struct cfg_setting *s, bool *out);
/** Strings with a unit (units.h): bytes, bytes, picoseconds, bytes per second, hertz. */
bool cfg_size(struct cfg *c, const struct cfg_setting *s, uint64_t *out);
bool cfg_address(struct cfg *c, const struct cfg_setting *s, uint64_t *out);
bool cfg_time(struct cfg *c, const struct cfg_setting *s, uint64_t *out);
bool cfg_rate(struct cfg *c, const struct cfg_setting *s, uint64_t *out);
bool cfg_frequency(struct cfg *c, const struct cfg_setting *s, uint64_t *out);
/** One of the names (up to a NULL); *out is its index. `what` they are: "memory model". */
bool cfg_choice(struct cfg *c, const struct cfg_setting *s, const char *what,
		const char *const *names, unsigned *out);

/** Record an error or a warning about a setting; the message opens with its path. */
void cfg_error(struct cfg *c, const struct cfg_setting *s, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void cfg_warn(struct cfg *c, const struct cfg_setting *s, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** Record that memory ran out. */
void cfg_no_memory(struct cfg *c);

/** Where errors go: for who reads another file that this one names. */
struct diag *cfg_diag(const struct cfg *c);
/** Where a setting stands: the file (or the --set), and the line (0 for a --set). */
void cfg_where(const struct cfg *c, const struct cfg_setting *s, const char **file, unsigned *line);

/* Text of a path like "nodes[1].memory[0]", cut where it is longer. */
struct cfg_path {
	char text[128];
};
struct cfg_path cfg_path(const struct cfg_setting *s);

#endif
