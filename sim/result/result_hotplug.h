/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of memory hotplug in results. */
#ifndef SIM_RESULT_HOTPLUG_H
#define SIM_RESULT_HOTPLUG_H

#include <jansson.h>
#include <stdio.h>

#include "sim/result/result.h"

/** "hotplug" of a result: its steps, in the order in which they ended. */
void hotplug_put(json_t *doc, const struct result_of *of);
/** The same as text; nothing where there were none. */
void hotplug_print(const json_t *doc, FILE *out);

#endif
