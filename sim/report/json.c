/* SPDX-License-Identifier: Apache-2.0 */
/* The result document as it is, for programs. */
#include "sim/result/result.h"

#define REAL_DIGITS 15

static void dump(const json_t *doc, FILE *out)
{
	json_dumpf(doc, out, JSON_INDENT(2) | JSON_REAL_PRECISION(REAL_DIGITS));
	fputc('\n', out);
}

const struct report_format report_json = {
	.name = "json",
	.result = dump,
	.comparison = dump,
};
