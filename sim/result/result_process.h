/* SPDX-License-Identifier: Apache-2.0 */
/* Processes in results: what they went through, where their memory is, numa_maps. */
#ifndef SIM_RESULT_PROCESS_H
#define SIM_RESULT_PROCESS_H

#include <jansson.h>
#include <stdio.h>

#include "sim/result/result.h"

/** What all of them went through together: faults and failed steps. */
struct replay_process processes_sum(const struct result_of *w);
/** Put "processes" into a result: an array, empty where the work has none. */
void processes_put(json_t *doc, const struct result_of *w);
/** Print them, if there are any. */
void processes_print(const json_t *doc, FILE *out);

#endif
