/* SPDX-License-Identifier: Apache-2.0 */
/* What an allocation that failed for good leaves behind. Within the mm core; see mm.h. */
#ifndef MM_OOM_H
#define MM_OOM_H

#include "mm/alloc/alloc.h"

/** An allocation fails: keep a report of the first one of which the kernel prints one. */
void mm_warn_alloc(struct mm *mm, const struct alloc_context *ac);
/** A kernel would kill a process for it: count that, and keep a report of the first time. */
void mm_out_of_memory(struct mm *mm, const struct alloc_context *ac);

#endif
