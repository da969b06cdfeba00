/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation flags as a user writes them. */
#include "sim/config/gfp_parse.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config/diag.h"

#define NAME_MAX_LEN 63

static const char *candidate(unsigned i, void *arg)
{
	(void)arg;
	return gfp_name(i);
}

static bool parse_number(const char *name, gfp_t *out)
{
	unsigned long long bits;
	char *end;

	if (name[0] != '0' || name[1] != 'x' || !isxdigit((unsigned char)name[2]))
		return false;
	bits = strtoull(name, &end, 16);
	*out = (gfp_t)bits;
	return !*end && bits <= UINT32_MAX;
}

static void explain(const char *name, char *wrong, size_t size)
{
	const char *nearest = diag_nearest(name, candidate, NULL);

	if (name[0] == '0' && name[1] == 'x')
		snprintf(wrong, size, "gfp \"%s\" is not a number of 32 bits", name);
	else if (nearest)
		snprintf(wrong, size, "unknown gfp flag \"%s\"; did you mean \"%s\"?", name,
			 nearest);
	else
		snprintf(
			wrong, size,
			"unknown gfp flag \"%s\"; expected the kernel's names joined by '|', as in "
			"GFP_KERNEL|__GFP_ZERO",
			name);
}

bool gfp_parse(const char *text, gfp_t *out, char *wrong, size_t size)
{
	*out = 0;
	for (;;) {
		size_t len = strcspn(text, "|");
		char name[NAME_MAX_LEN + 1];
		gfp_t flags = 0;

		snprintf(name, sizeof(name), "%.*s", (int)len, text);
		if (len > NAME_MAX_LEN ||
		    (!gfp_from_name(name, len, &flags) && !parse_number(name, &flags))) {
			for (char *p = name; *p; p++)
				*p = isprint((unsigned char)*p) ? *p : '?';
			explain(name, wrong, size);
			return false;
		}
		*out |= flags;
		if (!text[len])
			return true;
		text += len + 1;
	}
}
