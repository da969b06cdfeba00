/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation flags as a user writes them. */
#ifndef SIM_GFP_PARSE_H
#define SIM_GFP_PARSE_H

#include <stddef.h>

#include "mm/gfp.h"

/**
 * Parse the kernel's names joined by '|', or numbers as 0x140cca. Returns true and sets *out; else
 * false, and `wrong` says in one line what was found, and the nearest known name.
 */
bool gfp_parse(const char *text, gfp_t *out, char *wrong, size_t size);

#endif
