/* SPDX-License-Identifier: Apache-2.0 */
/* What the kinds of `show` share. */
#include <errno.h>

#include "sim/show/show.h"

int show_document(json_t *doc, void (*print)(const json_t *doc, FILE *out), FILE *out)
{
	if (!doc)
		return -ENOMEM;
	print(doc, out);
	json_decref(doc);
	return 0;
}
