/* SPDX-License-Identifier: Apache-2.0 */
/* Several results side by side: a column each, ratios to the first. */
#ifndef SIM_COMPARISON_H
#define SIM_COMPARISON_H

#include <jansson.h>
#include <stdio.h>

/** Print an array of result documents (result.h) as one table. */
void comparison_print(const json_t *results, FILE *out);

#endif
