/* SPDX-License-Identifier: Apache-2.0 */
/* As the kernel prints them: the sign of a fraction stands behind the point. */
#include <inttypes.h>

#include "sim/json.h"
#include "sim/show_thousandths.h"

json_t *show_thousandths(const struct mm *mm,
			 int (*figure)(const struct mm *mm, int nid, int zone, unsigned order))
{
	json_t *zones = json_array();

	for (int nid = 0; nid < mm_nr_nodes(mm); nid++)
		for (int z = 0; z < mm_get_arch(mm)->nr_zones; z++) {
			struct mm_zone_info info;
			json_t *zone, *figures;

			mm_zone_info(mm, nid, z, &info);
			if (!info.present)
				continue;
			zone = json_append_object(zones);
			json_put(zone, "node", (uint64_t)nid);
			json_put_string(zone, "zone", info.name);
			figures = json_put_array(zone, "thousandths_by_order");
			for (unsigned o = 0; o < NR_PAGE_ORDERS; o++)
				json_array_append_new(figures, json_integer(figure(mm, nid, z, o)));
		}
	return zones;
}

void show_print_thousandths(const json_t *zones, int width, FILE *out)
{
	const json_t *zone, *figure;
	size_t i, o;

	json_array_foreach (zones, i, zone) {
		fprintf(out, "Node %" PRIu64 ", zone %8s ", json_get(zone, "node"),
			json_get_string(zone, "zone"));
		json_array_foreach (json_object_get(zone, "thousandths_by_order"), o, figure) {
			int n = (int)json_integer_value(figure);

			fprintf(out, "%*d.%03d ", width, n / 1000, n % 1000);
		}
		fputc('\n', out);
	}
}
