/* SPDX-License-Identifier: Apache-2.0 */
/* What the memory model costs in memory: page descriptors, those of holes, the model's tables. */
#include <inttypes.h>

#include "mm/page_ext/page_ext.h"
#include "sim/json.h"
#include "sim/show/show.h"
#include "sim/text.h"

static json_t *json(const struct show_subject *s)
{
	struct mm_model_info info;
	json_t *doc = json_object();

	mm_model_info(s->mm, &info);
	json_put_string(doc, "name", mm_model_name(mm_get_model(s->mm)));
	json_put(doc, "memmap_bytes", info.memmap_bytes);
	json_put(doc, "hole_bytes", info.hole_bytes);
	json_put(doc, "device_bytes", info.device_bytes);
	json_put(doc, "table_bytes", info.table_bytes);
	json_put(doc, "page_ext_bytes", mm_page_ext_bytes(s->mm));
	return doc;
}

static void print_bytes(const json_t *doc, const char *what, const char *key, FILE *out)
{
	uint64_t bytes = json_get(doc, key);

	fprintf(out, "%-28s%16" PRIu64 " bytes  %s\n", what, bytes, text_bytes(bytes).text);
}

static void print(const json_t *doc, FILE *out)
{
	fprintf(out, "%-28s%16s\n", "memory model", json_get_string(doc, "name"));
	print_bytes(doc, "page descriptors (memmap)", "memmap_bytes", out);
	print_bytes(doc, "  describing holes", "hole_bytes", out);
	if (json_get(doc, "device_bytes"))
		print_bytes(doc, "  on what they describe", "device_bytes", out);
	print_bytes(doc, "tables of the model", "table_bytes", out);
	/* In a kernel's boot messages "allocated N bytes of page_ext". */
	if (json_get(doc, "page_ext_bytes"))
		print_bytes(doc, "page_ext", "page_ext_bytes", out);
}

static int text(const struct show_subject *s, FILE *out)
{
	return show_document(json(s), print, out);
}

const struct show_kind show_memmodel = {
	.name = "memmodel",
	.summary = "bytes of page descriptors and tables that the memory model takes",
	.boots = true,
	.text = text,
	.json = json,
};
