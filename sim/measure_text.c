/* SPDX-License-Identifier: Apache-2.0 */
/* How measurements are printed: matrices of nodes as Intel Memory Latency Checker has them. */
#include <inttypes.h>

#include "sim/json.h"
#include "sim/measure.h"

struct measure_decimal measure_digits(uint64_t value, uint64_t unit, int digits)
{
	struct measure_decimal d;
	uint64_t scale = 1, parts;

	for (int i = 0; i < digits; i++)
		scale *= 10;
	parts = (uint64_t)(((__uint128_t)value * scale + unit / 2) / unit);
	snprintf(d.text, sizeof(d.text), "%" PRIu64 ".%0*" PRIu64, parts / scale, digits,
		 parts % scale);
	return d;
}

struct measure_decimal measure_decimal(uint64_t value, uint64_t unit)
{
	return measure_digits(value, unit, 1);
}

struct measure_decimal measure_value(const json_t *value, uint64_t unit)
{
	if (!json_is_integer(value))
		return (struct measure_decimal){"-"};
	return measure_decimal((uint64_t)json_integer_value(value), unit);
}

void measure_csv_value(const json_t *value, FILE *out)
{
	if (json_is_integer(value))
		fprintf(out, ",%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else
		fputc(',', out);
}

static const char *columns_key(const json_t *doc)
{
	return json_object_get(doc, "writer_nodes") ? "writer_nodes" : "memory_nodes";
}

void measure_put_matrix(const struct measure *m, json_t *doc, const char *key,
			const uint64_t *values)
{
	json_t *from = json_object_get(doc, "cpu_nodes"), *to = NULL, *rows;
	int nr = m->nr_nodes;

	if (!from) {
		from = json_put_array(doc, "cpu_nodes");
		to = json_put_array(doc, m->to_cpus ? "writer_nodes" : "memory_nodes");
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
		for (int nid = 0; nid < nr; nid++) {
			uint64_t value = values[row * nr + nid];

			if (measure_to(m, nid) && value != MEASURE_NONE)
				json_append(cells, value);
			else if (measure_to(m, nid))
				json_array_append_new(cells, json_null());
		}
	}
}

void measure_print_matrix(const json_t *doc, const char *key, uint64_t unit, FILE *out)
{
	const json_t *from = json_object_get(doc, "cpu_nodes"), *cells, *cell;
	const json_t *to = json_object_get(doc, columns_key(doc));
	size_t i, j;

	fputs("\t\tNuma node\nNuma node\t", out);
	json_array_foreach (to, j, cell)
		fprintf(out, "%6" JSON_INTEGER_FORMAT "\t", json_integer_value(cell));
	fputc('\n', out);
	json_array_foreach (json_object_get(doc, key), i, cells) {
		fprintf(out, "%8" JSON_INTEGER_FORMAT "\t",
			json_integer_value(json_array_get(from, i)));
		json_array_foreach (cells, j, cell)
			fprintf(out, "%6s\t", measure_value(cell, unit).text);
		fputc('\n', out);
	}
}

void measure_csv_matrices(const json_t *doc, const char *const *keys, FILE *out)
{
	const json_t *from = json_object_get(doc, "cpu_nodes"), *row, *column;
	const json_t *to = json_object_get(doc, columns_key(doc));
	size_t i, j;

	fputs("from,to", out);
	for (int k = 0; keys[k]; k++)
		fprintf(out, ",%s", keys[k]);
	fputc('\n', out);
	json_array_foreach (from, i, row)
		json_array_foreach (to, j, column) {
			fprintf(out, "%" JSON_INTEGER_FORMAT ",%" JSON_INTEGER_FORMAT,
				json_integer_value(row), json_integer_value(column));
			for (int k = 0; keys[k]; k++)
				measure_csv_value(
					json_array_get(
						json_array_get(json_object_get(doc, keys[k]), i),
						j),
					out);
			fputc('\n', out);
		}
}
