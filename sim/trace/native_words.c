/* SPDX-License-Identifier: Apache-2.0 */
/* Words of native traces: what they may be, and what is said where they are not. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "sim/trace/native.h"

const char *const native_mobilities[] = {"unmovable", "movable", "reclaimable", "highatomic",
					 "cma",       "isolate", NULL};
const char *const native_scopes[] = {"task", "range", "file", "pool", NULL};

const char *native_show(struct native *n, const char *word)
{
	return trace_printable(n->shown, sizeof(n->shown), word, strlen(word));
}

int native_found(struct native *n, const char *word, const char *expected)
{
	if (!word)
		return NATIVE_BAD(n, "found the end of the line, expected %s", expected);
	return NATIVE_BAD(n, "found \"%s\", expected %s", native_show(n, word), expected);
}

bool native_number(const char *word, uint64_t max, uint64_t *out)
{
	bool beyond = false;
	uint64_t value = 0;

	if (!*word)
		return false;
	for (; *word; word++) {
		uint64_t digit = (uint64_t)(*word - '0');

		if (digit > 9)
			return false;
		if (value > max / 10 || value * 10 > max - digit)
			beyond = true;
		else
			value = value * 10 + digit;
	}
	*out = beyond ? max + (max < UINT64_MAX) : value;
	return true;
}

const char *native_value(const char *word, const char *key)
{
	size_t len = strlen(key);

	return word && strncmp(word, key, len) == 0 ? word + len : NULL;
}

int native_pfn(struct native *n, const char *value, pfn_t *pfn)
{
	char *end = NULL;

	if (value[0] == '0' && value[1] == 'x' && isxdigit((unsigned char)value[2]))
		*pfn = strtoull(value, &end, 16);
	if (!end || *end || *pfn > TRACE_MAX_PFN)
		return NATIVE_BAD(n, "pfn \"%s\" is not a page frame number from 0x0 to 0x%llx",
				  native_show(n, value), (unsigned long long)TRACE_MAX_PFN);
	return 0;
}

int native_order(struct native *n, const char *value, unsigned *order)
{
	uint64_t number;

	if (!native_number(value, MAX_PAGE_ORDER, &number))
		return NATIVE_BAD(n, "order \"%s\" is not a number from 0 to %d",
				  native_show(n, value), MAX_PAGE_ORDER);
	if (number > MAX_PAGE_ORDER)
		return NATIVE_BAD(n, "order %s is too large: an order is 0 to %d",
				  native_show(n, value), MAX_PAGE_ORDER);
	*order = (unsigned)number;
	return 0;
}

static const char *candidate(unsigned i, void *arg)
{
	const char *const *names = arg;

	return names[i];
}

int native_choice(struct native *n, const char *word, const char *what, const char *const *names,
		  unsigned *index)
{
	char known[256] = "";
	const char *nearest;

	for (unsigned i = 0; names[i]; i++) {
		if (strcmp(word, names[i]) == 0) {
			*index = i;
			return 0;
		}
		if (i)
			strncat(known, names[i + 1] ? ", " : " or ",
				sizeof(known) - strlen(known) - 1);
		strncat(known, names[i], sizeof(known) - strlen(known) - 1);
	}
	nearest = diag_nearest(word, candidate, (void *)names);
	if (nearest)
		return NATIVE_BAD(n, "unknown %s \"%s\"; did you mean \"%s\"?", what,
				  native_show(n, word), nearest);
	return NATIVE_BAD(n, "unknown %s \"%s\"; expected %s", what, native_show(n, word), known);
}

int native_check_name(struct native *n, const char *word, const char *of_what)
{
	char expected[64];

	if (!word) {
		strcpy(expected, "the name of ");
		strncat(expected, of_what, sizeof(expected) - strlen(expected) - 1);
		return native_found(n, NULL, expected);
	}
	if (strlen(word) > NAMES_MAX_LEN)
		return NATIVE_BAD(n, "the name \"%s\" is longer than %d bytes",
				  native_show(n, word), NAMES_MAX_LEN);
	for (const char *p = word; *p; p++)
		if (*p < '!' || *p > '~')
			return NATIVE_BAD(n, "the name \"%s\" is not of printable ASCII characters",
					  native_show(n, word));
	if (!*word)
		return native_found(n, word, of_what);
	return 0;
}
