/* SPDX-License-Identifier: Apache-2.0 */
/* What the slab allocator did in a run. */
#ifndef SIM_RESULT_SLAB_H
#define SIM_RESULT_SLAB_H

#include <jansson.h>
#include <stdio.h>

#include "mm/mm.h"

/** Add `slab` to a result: null where no slab cache was used. */
void result_put_slab(json_t *doc, const struct mm *mm);
/** Print it for people; nothing where it is null. */
void result_print_slab(const json_t *doc, FILE *out);

#endif
