/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the kernel's functions in results: how many, what they took, what they printed. */
#ifndef SIM_RESULT_KERNEL_H
#define SIM_RESULT_KERNEL_H

#include <jansson.h>
#include <stdio.h>

#include "sim/result/result.h"

/** Put "kernel_calls" and "printed" into a result: arrays, empty where the work has none. */
void kernel_calls_put(json_t *doc, const struct result_of *w);
/** Print them, if there are any. */
void kernel_calls_print(const json_t *doc, FILE *out);

#endif
