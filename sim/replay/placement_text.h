/* SPDX-License-Identifier: Apache-2.0 */
/* The members `placement` and `after` of a result, as text. */
#ifndef SIM_PLACEMENT_TEXT_H
#define SIM_PLACEMENT_TEXT_H

#include <jansson.h>
#include <stdio.h>

/** Prints what of both the result has; nothing where it has none. */
void placement_print(const json_t *result, FILE *out);

#endif
