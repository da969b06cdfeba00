/* SPDX-License-Identifier: Apache-2.0 */
/* One page descriptor: its flags as bits and names, its counts, and what its frame is used for. */
#include <inttypes.h>
#include <string.h>

#include "mm/gfp.h"
#include "mm/page_ext/page_ext.h"
#include "mm/page_info.h"
#include "sim/json.h"
#include "sim/show/show.h"

static const char *const types[] = {"Unmovable",  "Movable", "Reclaimable",
				    "HighAtomic", "CMA",     "Isolate"};

static void put_hex(json_t *doc, const char *key, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	json_put_string(doc, key, text);
}

static void put_owner(json_t *doc, const struct mm_page_owner *o)
{
	json_t *owner = json_put_object(doc, "owner");
	char mask[768];

	gfp_print(o->gfp, mask, sizeof(mask));
	json_put(owner, "order", o->order);
	json_put_string(owner, "gfp", mask);
	json_put(owner, "pid", (uint64_t)o->pid);
	json_put_string(owner, "comm", o->comm);
	json_put(owner, "ts_ns", o->ns);
	json_put(owner, "free_ts_ns", o->free_ns);
	if (o->migrated)
		json_put_string(owner, "migrated", o->migrated);
}

/* As dump_page_owner(). */
static void print_owner(const struct mm_page_owner *o, FILE *out)
{
	char mask[768];

	gfp_print(o->gfp, mask, sizeof(mask));
	fprintf(out,
		"page_owner tracks the page as allocated\n"
		"page last allocated via order %u, gfp_mask 0x%x(%s), pid %d, tgid %d (%s), "
		"ts %" PRIu64 ", free_ts %" PRIu64 "\n",
		o->order, o->gfp, o->gfp ? mask : "", o->pid, o->pid, o->comm, o->ns, o->free_ns);
	if (o->migrated)
		fprintf(out, "page has been migrated, last migrate reason: %s\n", o->migrated);
}

static json_t *json(const struct show_subject *s)
{
	const struct mm_arch *arch = mm_get_arch(s->mm);
	struct mm_page_info info;
	json_t *doc = json_object(), *names;
	struct mm_page_owner owner;

	mm_page_info(s->mm, s->pfn, &info);
	put_hex(doc, "pfn", s->pfn);
	put_hex(doc, "flags", info.flags);
	names = json_put_array(doc, "flag_names");
	for (unsigned bit = 0; mm_page_flag_name(bit); bit++)
		if (info.flags >> bit & 1)
			json_array_append_new(names, json_string(mm_page_flag_name(bit)));
	if (info.nid != MM_NO_NODE) {
		json_put(doc, "node", (uint64_t)info.nid);
		json_put_string(doc, "zone", arch->zones[info.zone].name);
		json_put_string(doc, "pageblock", types[info.block_type]);
	}
	if (info.section >= 0)
		json_put(doc, "section", (uint64_t)info.section);
	json_put(doc, "refcount", (uint64_t)info.refcount);
	json_put(doc, "mapcount", (uint64_t)info.mapcount);
	json_put(doc, "order", info.order);
	put_hex(doc, "head", info.head);
	json_put_string(doc, "use", info.use);
	if (info.mapping) {
		json_put_string(doc, "mapping", info.mapping);
		put_hex(doc, "index", info.index);
	}
	if (info.slab)
		json_put_string(doc, "slab", info.slab);
	put_hex(doc, "descriptor", info.at);
	json_put(doc, "descriptor_bytes", arch->page_struct_bytes);
	if (!mm_page_owner(s->mm, s->pfn, &owner))
		put_owner(doc, &owner);
	return doc;
}

static int text(const struct show_subject *s, FILE *out)
{
	char line[256];
	struct mm_page_info info;
	struct mm_page_owner owner;

	mm_page_info(s->mm, s->pfn, &info);
	fprintf(out, "%s\n", mm_page_info_counts(&info, s->pfn, line, sizeof(line)));
	fprintf(out, "%s\n", mm_page_info_flags(s->mm, &info, line, sizeof(line)));
	fprintf(out, "use: %s, in the block at 0x%" PRIx64, info.use, info.head);
	if (info.block_type >= 0)
		fprintf(out, ", of a page block that is %s", types[info.block_type]);
	fprintf(out, "\ndescriptor: %u bytes at 0x%" PRIx64 "\n",
		(unsigned)mm_get_arch(s->mm)->page_struct_bytes, info.at);
	if (!mm_page_owner(s->mm, s->pfn, &owner))
		print_owner(&owner, out);
	return 0;
}

const struct show_kind show_page = {
	.name = "page",
	.summary = "the descriptor of one page frame: show MACHINE.cfg page PFN",
	.boots = true,
	.of_page = true,
	.text = text,
	.json = json,
};
