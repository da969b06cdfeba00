/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `--set path=value`: walk to the setting, make what is missing on the way, give it its value.
 *
 * Whether a key means anything is not known here. A key that is not in the file is added, and the
 * reader of the group refuses it as it would in the file.
 */
#include "sim/config/edit.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_KEY 64

struct walk {
	struct cfg *c;
	const char *origin;
	const char *rest; /* of the path */
	const struct cfg_setting *at;
	const char *value;
};

static const char *member_name(unsigned i, void *arg)
{
	const struct cfg_setting *s = cfg_element(arg, i);

	return s ? cfg_name(s) : NULL;
}

/* A key that is needed to go on is not in the group. */
static int no_member(struct walk *w, const char *key)
{
	const char *nearest = diag_nearest(key, member_name, (void *)w->at);

	if (nearest)
		return cfg_edit_fail(w->c, w->origin, "there is no list '%s', did you mean '%s'?",
				     key, nearest);
	return cfg_edit_fail(w->c, w->origin, "there is no list '%s'", key);
}

static int malformed(struct walk *w)
{
	return cfg_edit_fail(w->c, w->origin,
			     "the path goes wrong at '%.40s': expected keys and indexes, as "
			     "nodes[1].memory[0].size",
			     w->rest);
}

/* Step past a key of the path into key[]. */
static bool take_key(struct walk *w, char *key)
{
	size_t length = 0;

	if (!isalpha((unsigned char)*w->rest))
		return false;
	while (isalnum((unsigned char)w->rest[length]) ||
	       (w->rest[length] && strchr("-_*", w->rest[length])))
		length++;
	if (length >= MAX_KEY)
		return false;
	memcpy(key, w->rest, length);
	key[length] = '\0';
	w->rest += length;
	return true;
}

static bool at_index(const char *rest)
{
	return rest[0] == '[' || (rest[0] == '.' && rest[1] == '[');
}

/* The path stands at "[n]" or ".[n]". */
static int enter_element(struct walk *w)
{
	struct cfg_path path = cfg_path(w->at);
	const char *p = w->rest + (*w->rest == '.');
	unsigned long index;
	char *end;

	if (!isdigit((unsigned char)p[1]))
		return malformed(w);
	index = strtoul(p + 1, &end, 10);
	if (*end != ']')
		return malformed(w);
	if (cfg_edit_type(w->at) != CFG_LIST)
		return cfg_edit_fail(w->c, w->origin, "'%s' is not a list", path.text);
	if (index >= cfg_length(w->at))
		return cfg_edit_fail(w->c, w->origin, "'%s' has %u elements, from [0]", path.text,
				     cfg_length(w->at));
	w->at = cfg_element(w->at, (unsigned)index);
	w->rest = end + 1;
	return 0;
}

static bool parse_integer(const char *text, long long *out)
{
	char *end;

	if (!isdigit((unsigned char)text[0]) &&
	    !(text[0] == '-' && isdigit((unsigned char)text[1])))
		return false;
	errno = 0;
	*out = strtoll(text, &end, 10);
	return *end == '\0' && errno == 0;
}

static bool parse_bool(const char *text, bool *out)
{
	*out = strcmp(text, "true") == 0;
	return *out || strcmp(text, "false") == 0;
}

static enum cfg_type guess(const char *value)
{
	long long integer;
	bool flag;

	if (parse_integer(value, &integer))
		return CFG_INTEGER;
	return parse_bool(value, &flag) ? CFG_BOOL : CFG_STRING;
}

static int store_string(struct walk *w)
{
	size_t length = strlen(w->value);
	bool quoted = length >= 2 && w->value[0] == '"' && w->value[length - 1] == '"';
	char *text = quoted ? strndup(w->value + 1, length - 2) : strdup(w->value);

	if (!text || !cfg_edit_string(w->at, text, w->origin))
		cfg_no_memory(w->c);
	free(text);
	return cfg_status(w->c);
}

/* Give the setting at hand its value, typed as it is. */
static int store(struct walk *w)
{
	long long integer;
	bool flag;

	switch (cfg_edit_type(w->at)) {
	case CFG_INTEGER:
		if (!parse_integer(w->value, &integer))
			return cfg_edit_fail(w->c, w->origin, "expected an integer, found '%s'",
					     w->value);
		cfg_edit_integer(w->at, integer, w->origin);
		return 0;
	case CFG_BOOL:
		if (!parse_bool(w->value, &flag))
			return cfg_edit_fail(w->c, w->origin, "expected true or false, found '%s'",
					     w->value);
		cfg_edit_bool(w->at, flag, w->origin);
		return 0;
	case CFG_STRING:
		return store_string(w);
	default:
		return cfg_edit_fail(w->c, w->origin,
				     "'%s' is not a single value: only those can be set",
				     cfg_path(w->at).text);
	}
}

/* The path stands at a key. Enter the member of that name, made where it is missing. */
static int enter_member(struct walk *w)
{
	const struct cfg_setting *member;
	char key[MAX_KEY];

	if (!take_key(w, key))
		return malformed(w);
	if (cfg_edit_type(w->at) != CFG_GROUP)
		return cfg_edit_fail(w->c, w->origin, "'%s' is not a group: it has no '%s'",
				     cfg_path(w->at).text, key);
	member = cfg_find(w->c, w->at, key);
	if (!member) {
		if (at_index(w->rest))
			return no_member(w, key);
		member = cfg_edit_add(w->at, key, *w->rest == '.' ? CFG_GROUP : guess(w->value),
				      w->origin);
		if (!member) {
			cfg_no_memory(w->c);
			return cfg_status(w->c);
		}
	}
	w->at = member;
	return 0;
}

int cfg_set(struct cfg *c, const char *path, const char *value)
{
	struct walk w = {.c = c, .rest = path, .at = cfg_root(c), .value = value};
	int err;

	w.origin = cfg_edit_origin(c, path, value);
	if (!w.origin) {
		cfg_no_memory(c);
		return cfg_status(c);
	}
	err = enter_member(&w);
	while (!err && *w.rest) {
		if (at_index(w.rest)) {
			err = enter_element(&w);
		} else if (*w.rest == '.') {
			w.rest++;
			err = enter_member(&w);
		} else {
			err = malformed(&w);
		}
	}
	return err ? err : store(&w);
}
