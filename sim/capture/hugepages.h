/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAPTURE_HUGEPAGES_H
#define SIM_CAPTURE_HUGEPAGES_H

#include "sim/capture/figures.h"

/** Pages of each size, as the mm core's pools have them. */
void figures_add_hugepages(const struct mm *mm, struct figures *out);

#endif
