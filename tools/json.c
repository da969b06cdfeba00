/* SPDX-License-Identifier: Apache-2.0 */
/* What all JSON output shares. */
#include "tools/json.h"

#include <errno.h>
#include <stdlib.h>

int json_print(json_t *root, FILE *out)
{
	char *text;

	if (!root)
		return -ENOMEM;
	text = json_dumps(root, JSON_INDENT(2));
	json_decref(root);
	if (!text)
		return -ENOMEM;
	fputs(text, out);
	fputc('\n', out);
	free(text);
	return 0;
}
