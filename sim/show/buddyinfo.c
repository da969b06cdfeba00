/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/buddyinfo: free blocks of each order in each populated zone. */
#include <inttypes.h>

#include "sim/json.h"
#include "sim/show/show.h"

static json_t *json(const struct show_subject *s)
{
	const struct mm *mm = s->mm;
	json_t *zones = json_array();

	for (int nid = 0; nid < mm_nr_nodes(mm); nid++)
		for (int z = 0; z < mm_get_arch(mm)->nr_zones; z++) {
			struct mm_zone_info info;
			json_t *zone, *blocks;

			mm_zone_info(mm, nid, z, &info);
			if (!info.spanned)
				continue;
			zone = json_append_object(zones);
			json_put(zone, "node", (uint64_t)nid);
			json_put_string(zone, "zone", info.name);
			blocks = json_put_array(zone, "free_blocks_by_order");
			for (unsigned o = 0; o < NR_PAGE_ORDERS; o++)
				json_append(blocks, info.nr_free_blocks[o]);
		}
	return zones;
}

static void print(const json_t *zones, FILE *out)
{
	const json_t *zone, *blocks;
	size_t i, o;

	json_array_foreach (zones, i, zone) {
		fprintf(out, "Node %" PRIu64 ", zone %8s ", json_get(zone, "node"),
			json_get_string(zone, "zone"));
		json_array_foreach (json_object_get(zone, "free_blocks_by_order"), o, blocks)
			fprintf(out, "%6" JSON_INTEGER_FORMAT " ", json_integer_value(blocks));
		fputc('\n', out);
	}
}

static int text(const struct show_subject *s, FILE *out)
{
	return show_document(json(s), print, out);
}

const struct show_kind show_buddyinfo = {
	.name = "buddyinfo",
	.summary = "free blocks by order, as /proc/buddyinfo",
	.boots = true,
	.text = text,
	.json = json,
};
