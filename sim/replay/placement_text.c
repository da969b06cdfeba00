/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/replay/placement_text.h"

#include <inttypes.h>

#include "sim/json.h"
#include "sim/result/result.h"
#include "sim/text.h"

static void print_agreement(const char *what, uint64_t agree, uint64_t compared, FILE *out)
{
	fprintf(out, "  %-20s%12s%10s\n", what, text_count(agree).text,
		text_percent(agree, compared).text);
}

static void print_placement(const json_t *placement, FILE *out)
{
	uint64_t compared = json_get(placement, "compared");
	const char *reason;
	const json_t *nr;

	fprintf(out, "\nPlacement       %s allocations beside the real machine's\n",
		text_count(compared).text);
	print_agreement("the same node", json_get(placement, "node_agree"), compared, out);
	print_agreement("and zone", json_get(placement, "zone_agree"), compared, out);
	json_object_foreach (json_object_get(placement, "mismatches"), reason, nr)
		if (json_integer_value(nr))
			print_agreement(reason, (uint64_t)json_integer_value(nr), compared, out);
}

static uint64_t difference(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static void print_row(const char *name, uint64_t here, uint64_t real, FILE *out)
{
	fprintf(out, "  %-30s%12s%12s%10s", name, text_count(here).text, text_count(real).text,
		text_count(difference(here, real)).text);
	fprintf(out, "%10s\n", real ? text_percent(difference(here, real), real).text : "");
}

static void print_after(const json_t *after, FILE *out)
{
	const json_t *one, *value;
	const char *key;
	char name[80];
	size_t i;

	fprintf(out, "\n%-32s%12s%12s%10s\n", "At the end", "simulated", "real", "off by");
	json_array_foreach (json_object_get(after, "zones"), i, one) {
		snprintf(name, sizeof(name), "%" PRIu64 " %s pages free", json_get(one, "node"),
			 json_get_string(one, "zone"));
		print_row(name, json_get(one, "pages_free"), json_get(one, "pages_free_real"), out);
		snprintf(name, sizeof(name), "%" PRIu64 " %s on lists of CPUs",
			 json_get(one, "node"), json_get_string(one, "zone"));
		print_row(name, json_get(one, "pages_on_cpu_lists"),
			  json_get(one, "pages_on_cpu_lists_real"), out);
	}
	json_array_foreach (json_object_get(after, "nodes"), i, one)
		json_object_foreach ((json_t *)one, key, value) {
			if (!json_is_object(value) ||
			    (!json_get(value, "simulated") && !json_get(value, "real")))
				continue;
			snprintf(name, sizeof(name), "%" PRIu64 " %s", json_get(one, "node"), key);
			print_row(name, json_get(value, "simulated"), json_get(value, "real"), out);
		}
}

void placement_print(const json_t *result, FILE *out)
{
	const json_t *placement = result_member(result, "placement");
	const json_t *after = result_member(result, "after");

	if (placement)
		print_placement(placement, out);
	if (after)
		print_after(after, out);
}
