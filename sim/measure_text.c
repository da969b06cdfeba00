/* SPDX-License-Identifier: Apache-2.0 */
/* How measurements are printed: matrices of nodes as Intel Memory Latency Checker has them. */
#include <inttypes.h>

#include "sim/json.h"
#include "sim/measure.h"

struct measure_decimal measure_decimal(uint64_t value, uint64_t unit)
{
	uint64_t tenths = (uint64_t)(((__uint128_t)value * 10 + unit / 2) / unit);
	struct measure_decimal d;

	snprintf(d.text, sizeof(d.text), "%" PRIu64 ".%" PRIu64, tenths / 10, tenths % 10);
	return d;
}

void measure_put_matrix(const struct measure *m, json_t *doc, const char *key,
			const uint64_t *values)
{
	json_t *from = json_object_get(doc, "cpu_nodes"), *to = NULL, *rows;
	int nr = m->machine->mm.nr_nodes;

	if (!from) {
		from = json_put_array(doc, "cpu_nodes");
		to = json_put_array(doc, "memory_nodes");
		for (int nid = 0; nid < nr; nid++) {
			if (measure_from(m, nid))
				json_append(from, (uint64_t)nid);
			if (measure_to(m, nid))
				json_append(to, (uint64_t)nid);
		}
	}
	rows = json_put_array(doc, key);
	for (int row = 0; row < nr; row++) {
		json_t *cells;

		if (!measure_from(m, row))
			continue;
		cells = json_array();
		json_array_append_new(rows, cells);
		for (int nid = 0; nid < nr; nid++)
			if (measure_to(m, nid))
				json_append(cells, values[row * nr + nid]);
	}
}

void measure_print_matrix(const json_t *doc, const char *key, uint64_t unit, FILE *out)
{
	const json_t *from = json_object_get(doc, "cpu_nodes"), *cells, *cell;
	const json_t *to = json_object_get(doc, "memory_nodes");
	size_t i, j;

	fputs("\t\tNuma node\nNuma node\t", out);
	json_array_foreach (to, j, cell)
		fprintf(out, "%6" JSON_INTEGER_FORMAT "\t", json_integer_value(cell));
	fputc('\n', out);
	json_array_foreach (json_object_get(doc, key), i, cells) {
		fprintf(out, "%8" JSON_INTEGER_FORMAT "\t",
			json_integer_value(json_array_get(from, i)));
		json_array_foreach (cells, j, cell)
			fprintf(out, "%6s\t",
				measure_decimal((uint64_t)json_integer_value(cell), unit).text);
		fputc('\n', out);
	}
}

void measure_csv_matrix(const json_t *doc, const char *key, const char *column, FILE *out)
{
	const json_t *from = json_object_get(doc, "cpu_nodes"), *cells, *cell;
	const json_t *to = json_object_get(doc, "memory_nodes");
	size_t i, j;

	fprintf(out, "from,to,%s\n", column);
	json_array_foreach (json_object_get(doc, key), i, cells)
		json_array_foreach (cells, j, cell)
			fprintf(out,
				"%" JSON_INTEGER_FORMAT ",%" JSON_INTEGER_FORMAT
				",%" JSON_INTEGER_FORMAT "\n",
				json_integer_value(json_array_get(from, i)),
				json_integer_value(json_array_get(to, j)),
				json_integer_value(cell));
}
