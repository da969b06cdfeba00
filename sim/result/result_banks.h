/* SPDX-License-Identifier: Apache-2.0 */
/* What banks have moved, in a result. */
#ifndef SIM_RESULT_BANKS_H
#define SIM_RESULT_BANKS_H

#include <jansson.h>

#include "sim/sim.h"

/** Member `channels` of `memory`: the traffic of each channel, where banks have such. */
void result_put_channels(json_t *memory, const struct sim *s);

#endif
