/* SPDX-License-Identifier: Apache-2.0 */
/* debugfs' extfrag/unusable_index: free memory that is in too small pieces. */
#include "sim/show_thousandths.h"

static int unusable(const struct mm *mm, int nid, int zone, unsigned order)
{
	return (int)mm_zone_unusable_index(mm, nid, zone, order);
}

static json_t *json(const struct show_subject *s)
{
	return show_thousandths(s->mm, unusable);
}

static void print(const json_t *zones, FILE *out)
{
	show_print_thousandths(zones, 0, out);
}

static int text(const struct show_subject *s, FILE *out)
{
	return show_document(json(s), print, out);
}

const struct show_kind show_unusable_index = {
	.name = "unusable_index",
	.summary = "free memory in too small pieces, as debugfs' unusable_index",
	.boots = true,
	.text = text,
	.json = json,
};
