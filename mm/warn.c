/* SPDX-License-Identifier: Apache-2.0 */
/* Lines about misuse. Owns mm->warnings. */
#include "mm/warn.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "mm/internal.h"

#define LINE_BYTES 160

struct mm_warnings {
	char lines[MM_MAX_WARNINGS][LINE_BYTES];
};

void mm_warn(struct mm *mm, const char *fmt, ...)
{
	va_list args;

	if (!mm->warnings)
		mm->warnings = calloc(1, sizeof(*mm->warnings));
	if (mm->warnings && mm->nr_warnings < MM_MAX_WARNINGS) {
		va_start(args, fmt);
		vsnprintf(mm->warnings->lines[mm->nr_warnings], LINE_BYTES, fmt, args);
		va_end(args);
	}
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
	bool kept = mm->warnings && i < mm->nr_warnings && i < MM_MAX_WARNINGS;

	return kept ? mm->warnings->lines[i] : NULL;
}
