/* SPDX-License-Identifier: Apache-2.0 */
/* Layouts of slab caches as figures. */
#ifndef SIM_CAPTURE_SLABINFO_H
#define SIM_CAPTURE_SLABINFO_H

#include "sim/capture/figures.h"

/** Those of all caches that the machine's kernel profile knows, and kmalloc's. */
void figures_add_slabs(const struct mm *mm, struct figures *out);

#endif
