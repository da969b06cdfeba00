/* SPDX-License-Identifier: Apache-2.0 */
/* Lines about misuse. Owns mm->warnings. */
#include "mm/warn.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/internal.h"

#define LINE_BYTES 160
#define SHOWN_ROOM 40 /* for how often */

struct mm_warnings {
	unsigned nr; /* lines that are kept */
	struct warning {
		char line[LINE_BYTES], shown[LINE_BYTES + SHOWN_ROOM];
		uint64_t times;
	} kept[MM_MAX_WARNINGS];
};

/* The same line, from before, or a new one; NULL where no more are kept. */
static struct warning *keep(struct mm_warnings *w, const char *line)
{
	for (unsigned i = 0; i < w->nr; i++)
		if (strcmp(w->kept[i].line, line) == 0)
			return &w->kept[i];
	if (w->nr == MM_MAX_WARNINGS)
		return NULL;
	snprintf(w->kept[w->nr].line, LINE_BYTES, "%s", line);
	return &w->kept[w->nr++];
}

void mm_warn(struct mm *mm, const char *fmt, ...)
{
	struct warning *warning = NULL;
	char line[LINE_BYTES];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (!mm->warnings)
		mm->warnings = calloc(1, sizeof(*mm->warnings));
	if (mm->warnings)
		warning = keep(mm->warnings, line);
	if (warning && ++warning->times == 1)
		snprintf(warning->shown, sizeof(warning->shown), "%s", line);
	else if (warning)
		snprintf(warning->shown, sizeof(warning->shown), "%s (%" PRIu64 " times)", line,
			 warning->times);
	mm->nr_warnings++;
}

bool mm_sleeps_in_atomic(struct mm *mm, const char *what, const struct mm_request *req)
{
	char gfp[160];

	if (!req->atomic || !(req->gfp & __GFP_DIRECT_RECLAIM))
		return false;
	gfp_print(req->gfp, gfp, sizeof(gfp));
	mm_warn(mm, "BUG: sleeping function called from invalid context: %s, %s, CPU %d is atomic",
		what, gfp, req->cpu);
	return true;
}

uint64_t mm_nr_warnings(const struct mm *mm)
{
	return mm->nr_warnings;
}

const char *mm_warning(const struct mm *mm, unsigned i)
{
	return mm->warnings && i < mm->warnings->nr ? mm->warnings->kept[i].shown : NULL;
}
