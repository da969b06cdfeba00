/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The typed layer over libconfig, and the only file that includes it.
 *
 * libconfig is handed text that config_text.c and config_syntax.c have passed; lines are traced
 * back to the files they came from. A setting that --set made or changed carries in its hook what
 * to call its origin. What keys mean is for the readers of machines, costs and scenarios.
 */
#define _GNU_SOURCE /* vasprintf */
#include "sim/config/config.h"

#include "sim/config/edit.h"
#include "sim/config/text.h"
#include "sim/config/units.h"

#include <errno.h>
#include <inttypes.h>
#include <libconfig.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cfg {
	struct diag *diag;
	int status;
	struct cfg_text text;
	config_t config;
	char **origins; /* of settings that --set touched; hooks point at them */
	size_t nr_origins;
};

static const config_setting_t *raw(const struct cfg_setting *s)
{
	return (const config_setting_t *)s;
}

/* libconfig's getters are not const-correct; the cfg owns every setting that it hands out. */
static config_setting_t *mutable(const struct cfg_setting *s)
{
	return (config_setting_t *)s;
}

static const struct cfg_setting *cooked(const config_setting_t *s)
{
	return (const struct cfg_setting *)s;
}

static int read_text(struct cfg *c)
{
	const char *file;
	unsigned line;

	config_init(&c->config);
	if (config_read_string(&c->config, c->text.text) == CONFIG_TRUE)
		return 0;
	cfg_text_where(&c->text, (unsigned)config_error_line(&c->config), &file, &line);
	return diag_error(c->diag, -EINVAL, file, line, "%s", config_error_text(&c->config));
}

static int open_text(const char *path, const char *text, size_t len, struct diag *diag,
		     struct cfg **out)
{
	struct cfg *c = calloc(1, sizeof(*c));
	int err;

	*out = NULL;
	if (!c)
		return diag_error(diag, -ENOMEM, path, 0, "out of memory");
	c->diag = diag;
	err = text ? cfg_text_parse(text, len, path, diag, &c->text)
		   : cfg_text_load(path, diag, &c->text);
	if (err) {
		free(c);
		return err;
	}
	err = read_text(c);
	if (err)
		cfg_free(c);
	else
		*out = c;
	return err;
}

int cfg_load(const char *path, struct diag *diag, struct cfg **out)
{
	return open_text(path, NULL, 0, diag, out);
}

int cfg_parse(const char *text, size_t len, const char *name, struct diag *diag, struct cfg **out)
{
	return open_text(name, text, len, diag, out);
}

void cfg_free(struct cfg *c)
{
	if (!c)
		return;
	config_destroy(&c->config);
	cfg_text_clear(&c->text);
	for (size_t i = 0; i < c->nr_origins; i++)
		free(c->origins[i]);
	free(c->origins);
	free(c);
}

int cfg_status(const struct cfg *c)
{
	return c->status;
}

/* Messages. */

struct diag *cfg_diag(const struct cfg *c)
{
	return c->diag;
}

void cfg_where(const struct cfg *c, const struct cfg_setting *s, const char **file, unsigned *line)
{
	const config_setting_t *at = raw(s);

	/* What --set made has no line: its origin, or that of what it stands in. */
	while (at && !at->hook && config_setting_source_line(at) == 0)
		at = config_setting_parent(at);
	if (at && at->hook) {
		*file = at->hook;
		*line = 0;
	} else if (at) {
		cfg_text_where(&c->text, config_setting_source_line(at), file, line);
	} else {
		*file = c->text.files[0];
		*line = 1;
	}
}

static unsigned position(const config_setting_t *s)
{
	const config_setting_t *parent = config_setting_parent(s);
	unsigned i = 0;

	while (config_setting_get_elem(parent, i) != s)
		i++;
	return i;
}

struct cfg_path cfg_path(const struct cfg_setting *s)
{
	const config_setting_t *at = raw(s);
	struct cfg_path path;
	char *end = path.text + sizeof(path.text) - 1;
	char *start = end;

	*end = '\0';
	for (; at && config_setting_parent(at); at = config_setting_parent(at)) {
		const char *name = config_setting_name(at);
		bool top = config_setting_is_root(config_setting_parent(at));
		char part[48];
		int n = name ? snprintf(part, sizeof(part), "%s%s", top ? "" : ".", name)
			     : snprintf(part, sizeof(part), "[%u]", position(at));

		n = n < (int)sizeof(part) ? n : (int)sizeof(part) - 1;
		if (start - path.text < n)
			break;
		start -= n;
		memcpy(start, part, (size_t)n);
	}
	memmove(path.text, start, (size_t)(end - start) + 1);
	return path;
}

/* "path: message", or the bare message at top level; free() it. NULL: no memory. */
static char *about(const struct cfg_setting *s, const char *fmt, va_list ap)
{
	struct cfg_path path = cfg_path(s);
	char *message, *whole = NULL;

	if (vasprintf(&message, fmt, ap) < 0)
		return NULL;
	if (asprintf(&whole, "%s%s%s", path.text, *path.text ? ": " : "", message) < 0)
		whole = NULL;
	free(message);
	return whole;
}

void cfg_error(struct cfg *c, const struct cfg_setting *s, const char *fmt, ...)
{
	const char *file;
	unsigned line;
	char *text;
	va_list ap;

	if (c->status)
		return;
	va_start(ap, fmt);
	text = about(s, fmt, ap);
	va_end(ap);
	cfg_where(c, s, &file, &line);
	c->status = diag_error(c->diag, -EINVAL, file, line, "%s", text ? text : "out of memory");
	free(text);
}

void cfg_warn(struct cfg *c, const struct cfg_setting *s, const char *fmt, ...)
{
	const char *file;
	unsigned line;
	char *text;
	va_list ap;

	va_start(ap, fmt);
	text = about(s, fmt, ap);
	va_end(ap);
	cfg_where(c, s, &file, &line);
	if (text)
		diag_warn(c->diag, file, line, "%s", text);
	free(text);
}

void cfg_no_memory(struct cfg *c)
{
	if (!c->status)
		c->status = diag_error(c->diag, -ENOMEM, c->text.files[0], 0, "out of memory");
}

struct description {
	char text[64];
};

/* What a setting is, for "expected ..., found ...". */
static struct description describe(const struct cfg_setting *s)
{
	struct description d;

	switch (config_setting_type(raw(s))) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		snprintf(d.text, sizeof(d.text), "the integer %lld",
			 config_setting_get_int64(raw(s)));
		break;
	case CONFIG_TYPE_FLOAT:
		snprintf(d.text, sizeof(d.text), "the number %g", config_setting_get_float(raw(s)));
		break;
	case CONFIG_TYPE_STRING:
		snprintf(d.text, sizeof(d.text), "the string \"%.40s\"",
			 config_setting_get_string(raw(s)));
		break;
	case CONFIG_TYPE_BOOL:
		snprintf(d.text, sizeof(d.text), "%s",
			 config_setting_get_bool(raw(s)) ? "true" : "false");
		break;
	case CONFIG_TYPE_GROUP:
		snprintf(d.text, sizeof(d.text), "a group");
		break;
	default:
		snprintf(d.text, sizeof(d.text), "a list");
	}
	return d;
}

static void expected(struct cfg *c, const struct cfg_setting *s, const char *what)
{
	cfg_error(c, s, "expected %s, found %s", what, describe(s).text);
}

static const char *name_at(unsigned i, void *arg)
{
	const char *const *names = arg;

	return names[i];
}

/* "unknown WHAT 'name', did you mean 'x'? (known: ...)" */
static void unknown(struct cfg *c, const struct cfg_setting *s, const char *what, const char *name,
		    const char *const *known)
{
	const char *nearest = diag_nearest(name, name_at, (void *)known);
	char list[1024] = "";
	size_t length = 0;

	for (unsigned i = 0; known[i] && length < sizeof(list); i++)
		length += (size_t)snprintf(list + length, sizeof(list) - length, "%s%s",
					   i ? ", " : "", known[i]);
	if (nearest)
		cfg_error(c, s, "unknown %s '%.60s', did you mean '%s'? (known: %s)", what, name,
			  nearest, list);
	else
		cfg_error(c, s, "unknown %s '%.60s' (known: %s)", what, name, list);
}

/* Groups and lists. */

const struct cfg_setting *cfg_root(const struct cfg *c)
{
	return cooked(config_root_setting(&c->config));
}

const struct cfg_setting *cfg_find(const struct cfg *c, const struct cfg_setting *group,
				   const char *key)
{
	(void)c;
	return group ? cooked(config_setting_get_member(raw(group), key)) : NULL;
}

const struct cfg_setting *cfg_need(struct cfg *c, const struct cfg_setting *group, const char *key)
{
	const struct cfg_setting *s = cfg_find(c, group, key);

	if (group && !s)
		cfg_error(c, group, "'%s' is missing", key);
	return s;
}

void cfg_keys(struct cfg *c, const struct cfg_setting *group, const char *const *known)
{
	unsigned length = cfg_length(group);

	for (unsigned i = 0; i < length; i++) {
		const struct cfg_setting *s = cfg_element(group, i);
		const char *name = cfg_name(s);
		unsigned k = 0;

		while (known[k] && strcmp(known[k], name) != 0)
			k++;
		if (!known[k])
			unknown(c, s, "key", name, known);
	}
}

const struct cfg_setting *cfg_group(struct cfg *c, const struct cfg_setting *s)
{
	if (!s || config_setting_is_group(raw(s)))
		return s;
	expected(c, s, "a group, as { key = value; }");
	return NULL;
}

const struct cfg_setting *cfg_list(struct cfg *c, const struct cfg_setting *s)
{
	if (!s || config_setting_is_list(raw(s)) || config_setting_is_array(raw(s)))
		return s;
	expected(c, s, "a list, as ( value, value )");
	return NULL;
}

unsigned cfg_length(const struct cfg_setting *s)
{
	return s ? (unsigned)config_setting_length(raw(s)) : 0;
}

const struct cfg_setting *cfg_element(const struct cfg_setting *s, unsigned i)
{
	return s ? cooked(config_setting_get_elem(raw(s), i)) : NULL;
}

const char *cfg_name(const struct cfg_setting *s)
{
	return config_setting_name(raw(s));
}

/* Values. */

static bool text_of(struct cfg *c, const struct cfg_setting *s, const char *what, const char **out)
{
	if (!s)
		return false;
	if (config_setting_type(raw(s)) != CONFIG_TYPE_STRING) {
		expected(c, s, what);
		return false;
	}
	*out = config_setting_get_string(raw(s));
	return true;
}

bool cfg_is_string(const struct cfg_setting *s)
{
	return s && config_setting_type(raw(s)) == CONFIG_TYPE_STRING;
}

bool cfg_is_group(const struct cfg_setting *s)
{
	return s && config_setting_type(raw(s)) == CONFIG_TYPE_GROUP;
}

bool cfg_string(struct cfg *c, const struct cfg_setting *s, const char **out)
{
	return text_of(c, s, "a string in quotes", out);
}

static bool is_integer(const struct cfg_setting *s)
{
	int type = config_setting_type(raw(s));

	return type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
}

bool cfg_integer(struct cfg *c, const struct cfg_setting *s, uint64_t min, uint64_t max,
		 uint64_t *out)
{
	long long value;

	if (!s)
		return false;
	if (!is_integer(s)) {
		expected(c, s, "an integer");
		return false;
	}
	value = config_setting_get_int64(raw(s));
	if (value < 0 || (uint64_t)value < min || (uint64_t)value > max) {
		cfg_error(c, s, "expected an integer from %" PRIu64 " to %" PRIu64 ", found %lld",
			  min, max, value);
		return false;
	}
	*out = (uint64_t)value;
	return true;
}

bool cfg_bool(struct cfg *c, const struct cfg_setting *s, bool *out)
{
	if (!s)
		return false;
	if (config_setting_type(raw(s)) != CONFIG_TYPE_BOOL) {
		expected(c, s, "true or false");
		return false;
	}
	*out = config_setting_get_bool(raw(s));
	return true;
}

static bool with_unit(struct cfg *c, const struct cfg_setting *s, const char *what,
		      const char *(*parse)(const char *, uint64_t *), uint64_t *out)
{
	const char *text, *why;

	if (!text_of(c, s, what, &text))
		return false;
	why = parse(text, out);
	if (why)
		cfg_error(c, s, "\"%.60s\" %s", text, why);
	return !why;
}

bool cfg_size(struct cfg *c, const struct cfg_setting *s, uint64_t *out)
{
	return with_unit(c, s, "a size with its unit, as \"64GiB\"", units_parse_size, out);
}

bool cfg_address(struct cfg *c, const struct cfg_setting *s, uint64_t *out)
{
	return with_unit(c, s, "an address, as \"4GiB\" or \"0x100000\"", units_parse_address, out);
}

bool cfg_time(struct cfg *c, const struct cfg_setting *s, uint64_t *out)
{
	return with_unit(c, s, "a time with its unit, as \"90ns\"", units_parse_time, out);
}

bool cfg_rate(struct cfg *c, const struct cfg_setting *s, uint64_t *out)
{
	return with_unit(c, s, "a rate with its unit, as \"21.3GB/s\"", units_parse_rate, out);
}

bool cfg_frequency(struct cfg *c, const struct cfg_setting *s, uint64_t *out)
{
	return with_unit(c, s, "a frequency with its unit, as \"2.4GHz\"", units_parse_frequency,
			 out);
}

bool cfg_choice(struct cfg *c, const struct cfg_setting *s, const char *what,
		const char *const *names, unsigned *out)
{
	const char *text;

	if (!cfg_string(c, s, &text))
		return false;
	for (unsigned i = 0; names[i]; i++) {
		if (strcmp(names[i], text) == 0) {
			*out = i;
			return true;
		}
	}
	unknown(c, s, what, text, names);
	return false;
}

/* Editing, for config_set.c. */

enum cfg_type cfg_edit_type(const struct cfg_setting *s)
{
	switch (config_setting_type(raw(s))) {
	case CONFIG_TYPE_GROUP:
		return CFG_GROUP;
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return CFG_INTEGER;
	case CONFIG_TYPE_BOOL:
		return CFG_BOOL;
	case CONFIG_TYPE_STRING:
		return CFG_STRING;
	case CONFIG_TYPE_FLOAT:
		return CFG_NUMBER;
	default:
		return CFG_LIST;
	}
}

const char *cfg_edit_origin(struct cfg *c, const char *path, const char *value)
{
	char **grown = realloc(c->origins, (c->nr_origins + 1) * sizeof(*grown));
	char *origin;

	if (!grown)
		return NULL;
	c->origins = grown;
	if (asprintf(&origin, "--set %s=%s", path, value) < 0)
		return NULL;
	c->origins[c->nr_origins++] = origin;
	return origin;
}

int cfg_edit_fail(struct cfg *c, const char *origin, const char *fmt, ...)
{
	char *text;
	va_list ap;

	if (c->status)
		return c->status;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	c->status = diag_error(c->diag, -EINVAL, origin, 0, "%s", text ? text : "out of memory");
	free(text);
	return c->status;
}

const struct cfg_setting *cfg_edit_add(const struct cfg_setting *group, const char *key,
				       enum cfg_type type, const char *origin)
{
	static const int types[] = {
		[CFG_GROUP] = CONFIG_TYPE_GROUP,   [CFG_LIST] = CONFIG_TYPE_LIST,
		[CFG_INTEGER] = CONFIG_TYPE_INT64, [CFG_BOOL] = CONFIG_TYPE_BOOL,
		[CFG_STRING] = CONFIG_TYPE_STRING, [CFG_NUMBER] = CONFIG_TYPE_FLOAT,
	};
	config_setting_t *s = config_setting_add(mutable(group), key, types[type]);

	if (s)
		config_setting_set_hook(s, (void *)origin);
	return cooked(s);
}

bool cfg_edit_integer(const struct cfg_setting *s, long long value, const char *origin)
{
	config_setting_t *at = mutable(s);

	/* The file's 32 bits need not hold it: the setting widens. */
	at->type = CONFIG_TYPE_INT64;
	config_setting_set_hook(at, (void *)origin);
	return config_setting_set_int64(at, value) == CONFIG_TRUE;
}

bool cfg_edit_bool(const struct cfg_setting *s, bool value, const char *origin)
{
	config_setting_set_hook(mutable(s), (void *)origin);
	return config_setting_set_bool(mutable(s), value) == CONFIG_TRUE;
}

bool cfg_edit_string(const struct cfg_setting *s, const char *value, const char *origin)
{
	config_setting_set_hook(mutable(s), (void *)origin);
	return config_setting_set_string(mutable(s), value) == CONFIG_TRUE;
}
