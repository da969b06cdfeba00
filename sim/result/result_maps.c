/* SPDX-License-Identifier: Apache-2.0 */
/* Counts of vmalloc() and kmap(), the areas that are left, and what a kernel would warn of. */
#include "sim/result/result_maps.h"

#include <string.h>

#include "mm/vmalloc/kmap.h"
#include "mm/vmalloc/vmalloc.h"
#include "mm/warn.h"
#include "sim/json.h"
#include "sim/result/result.h"
#include "sim/text.h"

#define MAX_LINES 64 /* of vmallocinfo: those with the lowest addresses */

static void put_vmalloc(json_t *doc, const struct mm *mm)
{
	json_t *vmalloc = json_put_object(doc, "vmalloc"), *lines;
	struct mm_vmallocinfo at = {0};
	struct mm_vmalloc_info v;
	char line[256];

	mm_vmalloc_info(mm, &v);
	json_put(vmalloc, "allocated", v.vmallocs);
	json_put(vmalloc, "mapped", v.vmaps);
	json_put(vmalloc, "freed", v.vfrees);
	json_put(vmalloc, "failed", v.failed);
	json_put(vmalloc, "pages", v.pages);
	json_put(vmalloc, "pages_in_bulk", v.bulk_pages);
	json_put(vmalloc, "pages_singly", v.single_pages);
	json_put(vmalloc, "huge_pages", v.huge_pages);
	json_put(vmalloc, "page_tables", v.tables);
	json_put(vmalloc, "purges", v.purges);
	json_put(vmalloc, "lazy_pages", v.lazy_pages);
	json_put(vmalloc, "lazy_max_pages", v.lazy_max_pages);
	json_put(vmalloc, "areas", v.areas);
	lines = json_put_array(vmalloc, "vmallocinfo");
	for (int i = 0; i < MAX_LINES && mm_vmallocinfo_next(mm, &at, line, sizeof(line)); i++)
		json_array_append_new(lines, json_string(line));
}

static void put_kmap(json_t *doc, const struct mm *mm)
{
	json_t *kmap = json_put_object(doc, "kmap");
	struct mm_kmap_info k;

	mm_kmap_info(mm, &k);
	json_put(kmap, "entries", k.entries);
	json_put(kmap, "kmap", k.kmaps);
	json_put(kmap, "kmap_hit", k.hits);
	json_put(kmap, "kunmap", k.kunmaps);
	json_put(kmap, "lowmem", k.lowmem);
	json_put(kmap, "local", k.local);
	json_put(kmap, "flushes", k.flushes);
	json_put(kmap, "flushed_entries", k.flushed);
	json_put(kmap, "waits", k.waits);
	json_put(kmap, "mapped", k.mapped);
}

void maps_put(json_t *doc, const struct mm *mm)
{
	json_t *lines;

	put_vmalloc(doc, mm);
	put_kmap(doc, mm);
	lines = json_put_array(doc, "warnings");
	for (unsigned i = 0; mm_warning(mm, i); i++)
		json_array_append_new(lines, json_string(mm_warning(mm, i)));
}

static struct text count(const json_t *doc, const char *path)
{
	return text_count(result_integer(doc, path));
}

static void print_kmap(const json_t *doc, FILE *out)
{
	uint64_t high = result_integer(doc, "kmap.kmap") + result_integer(doc, "kmap.local");

	if (!high && !result_integer(doc, "kmap.lowmem"))
		return;
	fprintf(out, "\nkmap            %s of high memory through %s entries, %s found there",
		count(doc, "kmap.kmap").text, count(doc, "kmap.entries").text,
		count(doc, "kmap.kmap_hit").text);
	fprintf(out, "; %s in slots of CPUs; %s of the direct mapping\n",
		count(doc, "kmap.local").text, count(doc, "kmap.lowmem").text);
	fprintf(out, "                %s flushes of all TLBs freed %s entries; %s waits for one\n",
		count(doc, "kmap.flushes").text, count(doc, "kmap.flushed_entries").text,
		count(doc, "kmap.waits").text);
}

/* Those that end otherwise. */
static void print_lines(const json_t *lines, const char *head, const char *but, FILE *out)
{
	bool any = false;

	for (size_t i = 0; i < json_array_size(lines); i++) {
		const char *line = json_string_value(json_array_get(lines, i));

		if (*but && strstr(line, but))
			continue;
		fprintf(out, "%s%s%s%s\n", any ? "" : "\n", any ? "" : head, any ? "" : "\n", line);
		any = true;
	}
}

void maps_print(const json_t *doc, FILE *out)
{
	if (result_integer(doc, "vmalloc.allocated") || result_integer(doc, "vmalloc.failed")) {
		fprintf(out, "\nvmalloc         %s areas, %s failed; %s pages in bulk, %s singly",
			count(doc, "vmalloc.allocated").text, count(doc, "vmalloc.failed").text,
			count(doc, "vmalloc.pages_in_bulk").text,
			count(doc, "vmalloc.pages_singly").text);
		fprintf(out, "; %s page tables, %s purges\n",
			count(doc, "vmalloc.page_tables").text, count(doc, "vmalloc.purges").text);
	}
	print_kmap(doc, out);
	print_lines(result_member(doc, "vmalloc.vmallocinfo"), "vmallocinfo", "unpurged", out);
	print_lines(result_member(doc, "warnings"), "The kernel would warn:", "", out);
}
