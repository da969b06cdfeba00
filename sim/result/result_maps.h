/* SPDX-License-Identifier: Apache-2.0 */
/* The mappings of the kernel in results: vmalloc, kmap, and what was misused. */
#ifndef SIM_RESULT_MAPS_H
#define SIM_RESULT_MAPS_H

#include <jansson.h>
#include <stdio.h>

#include "mm/mm.h"

/** Put "vmalloc", "kmap" and "warnings" into a result. */
void maps_put(json_t *doc, const struct mm *mm);
/** Print them, as far as anything was mapped. */
void maps_print(const json_t *doc, FILE *out);

#endif
