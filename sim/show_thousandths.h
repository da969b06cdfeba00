/* SPDX-License-Identifier: Apache-2.0 */
/* What debugfs' extfrag/ files have in common: thousandths of each order in each populated zone. */
#ifndef SIM_SHOW_THOUSANDTHS_H
#define SIM_SHOW_THOUSANDTHS_H

#include "sim/show/show.h"

/** An array of zones, each with thousandths_by_order; NULL: no memory. */
json_t *show_thousandths(const struct mm *mm,
			 int (*figure)(const struct mm *mm, int nid, int zone, unsigned order));
/** A line a zone; the digits before the point are `width` wide at least. */
void show_print_thousandths(const json_t *zones, int width, FILE *out);

#endif
