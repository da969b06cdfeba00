/* SPDX-License-Identifier: Apache-2.0 */
/* What an allocation that failed for good leaves behind. Within the mm core; see mm.h. */
#ifndef MM_OOM_H
#define MM_OOM_H

#include "mm/alloc/alloc.h"

/** Keep a report of the first failure that is worth one (not __GFP_NOWARN). */
void mm_oom_note(struct mm *mm, const struct alloc_context *ac);

#endif
