/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The syntax of settings, checked before libconfig sees them: its grammar, with messages that say
 * what was found and expected, bounds on depth and number, and integers that keep their value.
 *
 *   settings = { NAME ("=" | ":") value [";" | ","] }
 *   value    = scalar | "{" settings "}" | "(" [value {"," value}] ")" | "[" [scalar ...] "]"
 *   scalar   = INTEGER ["L"] | FLOAT | "true" | "false" | STRING {STRING}
 */
#include "sim/config/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_NESTING 16
#define MAX_TOKENS  1000000
#define MAX_KEYS    256

enum token { END, NAME, SCALAR, STRING, PUNCTUATION, GARBAGE };

struct scanner {
	const struct cfg_text *t;
	struct diag *diag;
	const char *at; /* behind the token */
	unsigned line;  /* of the token, in the whole text */
	unsigned long nr_tokens;
	enum token token;
	const char *start; /* of the token */
	int length;
};

static int fail(const struct scanner *s, const char *what)
{
	const char *file;
	unsigned line;

	cfg_text_where(s->t, s->line, &file, &line);
	return diag_error(s->diag, -EINVAL, file, line, "%s", what);
}

static int expected(const struct scanner *s, const char *what)
{
	const char *file, *hint = s->token == NAME ? " (strings stand in quotes)" : "";
	int length = s->length < 40 ? s->length : 40;
	unsigned line;

	cfg_text_where(s->t, s->line, &file, &line);
	if (s->token == END)
		return diag_error(s->diag, -EINVAL, file, line,
				  "expected %s, found the end of the file", what);
	return diag_error(s->diag, -EINVAL, file, line, "expected %s, found '%.*s'%s", what, length,
			  s->start, hint);
}

static bool name_char(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '*';
}

/* Integers: libconfig cuts those beyond 32 bits that have no L, and all beyond 64 bits. */
static int check_integer(const struct scanner *s, bool hex, bool is_long)
{
	const char *file;
	unsigned line;
	long long value;
	bool fits;

	errno = 0;
	value = strtoll(s->start, NULL, hex ? 16 : 10);
	fits = errno == 0 && (is_long || (value >= INT32_MIN && value <= INT32_MAX));
	if (fits)
		return 0;
	cfg_text_where(s->t, s->line, &file, &line);
	if (errno)
		return diag_error(s->diag, -EINVAL, file, line,
				  "the integer %.*s does not fit 64 bits",
				  s->length < 40 ? s->length : 40, s->start);
	return diag_error(s->diag, -EINVAL, file, line,
			  "the integer %.*s does not fit 32 bits: it would be cut without an L "
			  "behind it (sizes, times and rates are strings with a unit: \"64GiB\")",
			  s->length, s->start);
}

static const char *skip_digits(const char *p)
{
	while (isdigit((unsigned char)*p))
		p++;
	return p;
}

static const char *skip_exponent(const char *p)
{
	const char *digits = p;

	if (*p != 'e' && *p != 'E')
		return p;
	digits++;
	if (*digits == '+' || *digits == '-')
		digits++;
	return isdigit((unsigned char)*digits) ? skip_digits(digits) : p;
}

static int scan_number(struct scanner *s)
{
	const char *p = s->start;
	bool hex = p[0] == '0' && (p[1] == 'x' || p[1] == 'X') && isxdigit((unsigned char)p[2]);
	bool is_float = false, is_long;
	const char *digits;

	if (hex) {
		p += 2;
		p += strspn(p, "0123456789abcdefABCDEF");
	} else {
		p += *p == '+' || *p == '-';
		digits = p;
		p = skip_digits(p);
		if (*p == '.')
			p = skip_digits(p + 1);
		if (p - digits < 1 || (p - digits == 1 && *digits == '.')) {
			s->token = GARBAGE;
			s->length = 1;
			return expected(s, "a value");
		}
		is_float = memchr(digits, '.', (size_t)(p - digits)) || skip_exponent(p) != p;
		p = skip_exponent(p);
	}
	is_long = !is_float && *p == 'L';
	if (is_long)
		p += p[1] == 'L' ? 2 : 1;
	s->at = p;
	s->length = (int)(p - s->start);
	s->token = SCALAR;
	if (name_char(*p) || *p == '.')
		return expected(s, "blanks or punctuation behind the number");
	return is_float ? 0 : check_integer(s, hex, is_long);
}

static void scan_name(struct scanner *s)
{
	const char *p = s->start;

	while (name_char(*p))
		p++;
	s->at = p;
	s->length = (int)(p - s->start);
	s->token = NAME;
	if ((s->length == 4 && strncasecmp(s->start, "true", 4) == 0) ||
	    (s->length == 5 && strncasecmp(s->start, "false", 5) == 0))
		s->token = SCALAR;
}

/* Strings are whole, and on one line: config_text.c saw to it. */
static void scan_string(struct scanner *s)
{
	const char *p = s->start + 1;

	while (*p != '"')
		p += *p == '\\' && p[1] != '\n' ? 2 : 1;
	s->at = p + 1;
	s->length = (int)(s->at - s->start);
	s->token = STRING;
}

static int next(struct scanner *s)
{
	for (; *s->at && strchr(" \t\r\f\n", *s->at); s->at++)
		s->line += *s->at == '\n';
	s->start = s->at;
	if (*s->at == '\0') {
		s->token = END;
		s->length = 0;
		return 0;
	}
	if (++s->nr_tokens > MAX_TOKENS)
		return fail(s, "more than 1000000 words, numbers and signs");
	if (isalpha((unsigned char)*s->at) || *s->at == '*') {
		scan_name(s);
	} else if (*s->at == '"') {
		scan_string(s);
	} else if (isdigit((unsigned char)*s->at) || strchr("+-.", *s->at)) {
		return scan_number(s);
	} else {
		s->token = strchr("=:;,(){}[]", *s->at) ? PUNCTUATION : GARBAGE;
		s->length = 1;
		s->at++;
	}
	return 0;
}

static bool is(const struct scanner *s, const char *any_of)
{
	return s->token == PUNCTUATION && strchr(any_of, *s->start);
}

static int settings(struct scanner *s, int depth, const char *closing);
static int value(struct scanner *s, int depth);

/* The token is the opening bracket of a list or an array. */
static int elements(struct scanner *s, int depth, const char *closing, bool scalars)
{
	int err = next(s);

	if (err)
		return err;
	if (is(s, closing))
		return next(s);
	for (;;) {
		if (scalars && s->token != SCALAR && s->token != STRING)
			return expected(s, "a number or a string of the array");
		err = value(s, depth);
		if (err)
			return err;
		if (!is(s, ","))
			break;
		err = next(s);
		if (err)
			return err;
	}
	if (!is(s, closing))
		return expected(s, scalars ? "',' or ']'" : "',' or ')'");
	return next(s);
}

static int value(struct scanner *s, int depth)
{
	int err;

	if (depth > MAX_NESTING)
		return fail(s, "values are nested deeper than 16 brackets");
	if (s->token == SCALAR)
		return next(s);
	if (s->token == STRING) {
		do {
			err = next(s);
		} while (!err && s->token == STRING);
		return err;
	}
	if (is(s, "("))
		return elements(s, depth + 1, ")", false);
	if (is(s, "["))
		return elements(s, depth + 1, "]", true);
	if (!is(s, "{"))
		return expected(s, "a value");
	err = next(s);
	return err ? err : settings(s, depth + 1, "}");
}

static int setting(struct scanner *s, int depth)
{
	int err = next(s);

	if (err)
		return err;
	if (!is(s, "=:"))
		return expected(s, "'=' behind the key");
	err = next(s);
	if (!err)
		err = value(s, depth);
	if (!err && is(s, ";,"))
		err = next(s);
	return err;
}

/* A key of a group, where it stands in the text. */
struct key {
	const char *start;
	int length;
};

/* The token is a key that joins those of its group. */
static int add_key(struct scanner *s, struct key *keys, int nr_keys)
{
	const char *file;
	unsigned line;

	if (nr_keys == MAX_KEYS)
		return fail(s, "more than 256 keys in a group");
	for (int i = 0; i < nr_keys; i++) {
		if (keys[i].length != s->length ||
		    strncmp(keys[i].start, s->start, (size_t)s->length) != 0)
			continue;
		cfg_text_where(s->t, s->line, &file, &line);
		return diag_error(s->diag, -EINVAL, file, line, "'%.*s' is there twice",
				  s->length < 40 ? s->length : 40, s->start);
	}
	keys[nr_keys] = (struct key){.start = s->start, .length = s->length};
	return 0;
}

/* Settings up to `closing`, or to the end of the text where it is NULL. */
static int settings(struct scanner *s, int depth, const char *closing)
{
	struct key keys[MAX_KEYS];

	for (int nr_keys = 0; s->token == NAME; nr_keys++) {
		int err = add_key(s, keys, nr_keys);

		if (!err)
			err = setting(s, depth);
		if (err)
			return err;
	}
	if (!closing)
		return s->token == END ? 0 : expected(s, "a key");
	return is(s, closing) ? next(s) : expected(s, "a key or '}'");
}

int cfg_syntax_check(const struct cfg_text *t, struct diag *diag)
{
	struct scanner s = {.t = t, .diag = diag, .at = t->text, .line = 1};
	int err = next(&s);

	return err ? err : settings(&s, 0, NULL);
}
