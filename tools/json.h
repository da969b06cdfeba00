/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON as every command prints it: members in the order in which they were put in, two blanks of
 * indentation, one document and a newline.
 */
#ifndef TOOLS_JSON_H
#define TOOLS_JSON_H

#include <jansson.h>
#include <stdio.h>

/**
 * A string of any bytes, as file names are: where it is no UTF-8, each byte outside ASCII becomes
 * a question mark. NULL: no memory.
 */
json_t *json_text(const char *text);

/**
 * Print and drop `root`; NULL means that building it ran out of memory. Returns 0 or -ENOMEM. Write
 * errors stay with the stream.
 */
int json_print(json_t *root, FILE *out);

#endif
