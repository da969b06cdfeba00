/* SPDX-License-Identifier: Apache-2.0 */
/* What banks have moved, in a result. */
#ifndef SIM_RESULT_BANKS_H
#define SIM_RESULT_BANKS_H

#include <jansson.h>

#include "sim/sim.h"

/**
 * Members of `memory`: `interleave`, the traffic of each bank of nodes that several share, where
 * there are such; `channels`, that of each channel, where banks have them.
 */
void result_put_banks(json_t *memory, const struct sim *s);

#endif
