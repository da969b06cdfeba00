/* SPDX-License-Identifier: Apache-2.0 */
/* debugfs' extfrag/extfrag_index: would it be lack of memory or fragmentation? */
#include "sim/show_thousandths.h"

static json_t *json(const struct show_subject *s)
{
	return show_thousandths(s->mm, mm_zone_extfrag_index);
}

static void print(const json_t *zones, FILE *out)
{
	show_print_thousandths(zones, 2, out);
}

static int text(const struct show_subject *s, FILE *out)
{
	return show_document(json(s), print, out);
}

const struct show_kind show_extfrag_index = {
	.name = "extfrag_index",
	.summary = "why allocations would fail, as debugfs' extfrag_index",
	.boots = true,
	.text = text,
	.json = json,
};
