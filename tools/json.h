/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON as every command prints it: members in the order in which they were put in, two blanks of
 * indentation, one document and a newline.
 */
#ifndef TOOLS_JSON_H
#define TOOLS_JSON_H

#include <stdio.h>

#include "sim/json.h"

/**
 * Print and drop `root`; NULL means that building it ran out of memory. Returns 0 or -ENOMEM. Write
 * errors stay with the stream.
 */
int json_print(json_t *root, FILE *out);

#endif
