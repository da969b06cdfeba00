/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's own addresses: what its direct mapping, vmalloc(), kmap() and the fixed mappings
 * have of them, from the top downwards. For i386 in the words of the boot messages in which its
 * kernel had them until 5.6 ("virtual kernel memory layout"); 64-bit kernels print nothing of the
 * kind.
 */
#include <inttypes.h>
#include <string.h>

#include "sim/json.h"
#include "sim/show/show.h"

/* JSON's integers have a sign: addresses are text. */
static void put_address(json_t *area, const char *key, uint64_t address)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%0*" PRIx64, address >> 32 ? 16 : 8, address);
	json_put_string(area, key, text);
}

static void put(json_t *areas, const char *name, const struct mm_vm_range *range)
{
	json_t *area;

	if (range->start == range->end)
		return;
	area = json_append_object(areas);
	json_put_string(area, "name", name);
	put_address(area, "start", range->start);
	put_address(area, "end", range->end);
	/* VMALLOC_END of x86_64 is inclusive. */
	json_put(area, "bytes", range->end - range->start + (range->end & 1));
}

static json_t *json(const struct show_subject *s)
{
	const struct mm_vm_map *map = mm_get_vm_map(s->mm);
	const struct mm_arch *arch = mm_get_arch(s->mm);
	uint64_t entries = (map->pkmap.end - map->pkmap.start) >> arch->page_shift;
	json_t *doc = json_object(), *areas;

	json_put_string(doc, "architecture", arch->name);
	json_put(doc, "address_bits", map->va_bits);
	json_put(doc, "pkmap_entries", entries);
	json_put(doc, "kmap_slots_per_cpu", map->kmap_slots_end ? MM_KMAP_SLOTS : 0);
	areas = json_put_array(doc, "areas");
	put(areas, "fixmap", &map->fixmap);
	put(areas, "modules", &map->modules);
	put(areas, "text", &map->text);
	put(areas, "cpu_entry", &map->cpu_entry);
	put(areas, "ldt", &map->ldt);
	put(areas, "pkmap", &map->pkmap);
	put(areas, "vmemmap", &map->vmemmap);
	put(areas, "vmalloc", &map->vmalloc);
	put(areas, "lowmem", &map->direct);
	return doc;
}

/* In the largest unit that the kernel's message uses for the area. */
static void print_area(const json_t *area, FILE *out)
{
	uint64_t bytes = json_get(area, "bytes");
	const char *name = json_get_string(area, "name"), *unit = "kB";
	bool in_kib = !strcmp(name, "fixmap") || !strcmp(name, "pkmap");

	bytes >>= 10;
	if (!in_kib || bytes >> 20) {
		unit = "MB";
		bytes >>= 10;
	}
	if (bytes >= 10 << 10) {
		unit = bytes >= 1 << 20 ? "TB" : "GB";
		bytes >>= bytes >= 1 << 20 ? 20 : 10;
	}
	fprintf(out, "  %9s : %s - %s   (%4" PRIu64 " %s)\n", name, json_get_string(area, "start"),
		json_get_string(area, "end"), bytes, unit);
}

static void print(const json_t *doc, FILE *out)
{
	const json_t *areas = json_object_get(doc, "areas");

	fputs("virtual kernel memory layout:\n", out);
	for (size_t i = 0; i < json_array_size(areas); i++)
		print_area(json_array_get(areas, i), out);
	if (json_get(doc, "pkmap_entries"))
		fprintf(out,
			"kmap window: %" PRIu64 " entries; kmap_local: %" PRIu64 " slots a CPU\n",
			json_get(doc, "pkmap_entries"), json_get(doc, "kmap_slots_per_cpu"));
}

static int text(const struct show_subject *s, FILE *out)
{
	return show_document(json(s), print, out);
}

const struct show_kind show_kernelmap = {
	.name = "kernelmap",
	.summary = "the kernel's addresses: direct mapping, vmalloc, kmap, fixed mappings",
	.boots = true,
	.text = text,
	.json = json,
};
