/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /sys/kernel/debug/page_owner: who has the blocks in use, by frame. Stacks, which the kernel
 * prints below each, are not known. Without page_owner there is nobody to tell.
 */
#include <inttypes.h>

#include "mm/gfp.h"
#include "mm/page_ext/page_ext.h"
#include "mm/page_info.h"
#include "sim/json.h"
#include "sim/show/show.h"

static const char *const types[] = {"Unmovable",  "Movable", "Reclaimable",
				    "HighAtomic", "CMA",     "Isolate"};

/* As %pGp has them: names, then the fields that the layout has, by numbers. */
static void print_flags(const struct show_subject *s, const struct mm_page_info *info, FILE *out)
{
	struct mm_flags_layout l;
	const char *between = "";

	mm_flags_layout(s->mm, &l);
	fprintf(out, "0x%" PRIx64 "(", info->flags);
	for (unsigned bit = 0; mm_page_flag_name(bit); bit++)
		if (info->flags >> bit & 1) {
			fprintf(out, "%s%s", between, mm_page_flag_name(bit));
			between = "|";
		}
	if (l.section_width) {
		fprintf(out, "%ssection=%" PRId64, between, info->section);
		between = "|";
	}
	if (l.node_width) {
		fprintf(out, "%snode=%d", between, info->nid);
		between = "|";
	}
	fprintf(out, "%szone=%d)", between, info->zone);
}

static void print(const struct show_subject *s, pfn_t pfn, const struct mm_page_owner *o, FILE *out)
{
	char line[768];
	struct mm_page_info info;

	gfp_print(o->gfp, line, sizeof(line));
	fprintf(out,
		"Page allocated via order %u, mask 0x%x(%s), pid %d, tgid %d (%s), ts %" PRIu64
		" ns, free_ts %" PRIu64 " ns\n",
		o->order, o->gfp, o->gfp ? line : "", o->pid, o->pid, o->comm, o->ns, o->free_ns);
	mm_page_info(s->mm, pfn, &info);
	fprintf(out, "PFN %" PRIu64 " type %s Block %" PRIu64 " type %s Flags ", pfn,
		types[gfp_migratetype(o->gfp)], pfn >> mm_get_arch(s->mm)->pageblock_order,
		types[info.block_type]);
	print_flags(s, &info, out);
	putc('\n', out);
	if (o->migrated)
		fprintf(out, "Page has been migrated, last migrate reason: %s\n", o->migrated);
	putc('\n', out);
}

static int text(const struct show_subject *s, FILE *out)
{
	struct mm_page_owner o;

	if (!mm_has_page_owner(s->mm))
		fprintf(out, "page_owner is off: kernel.page_owner = true has it on\n");
	for (pfn_t pfn = 0; mm_page_owner_next(s->mm, &pfn, &o); pfn++)
		print(s, pfn, &o, out);
	return 0;
}

static json_t *json(const struct show_subject *s)
{
	json_t *doc = json_object(), *pages;
	struct mm_page_owner o;

	json_object_set_new(doc, "on", json_boolean(mm_has_page_owner(s->mm)));
	json_put(doc, "page_ext_bytes", mm_page_ext_bytes(s->mm));
	pages = json_put_array(doc, "pages");
	for (pfn_t pfn = 0; mm_page_owner_next(s->mm, &pfn, &o); pfn++) {
		json_t *page = json_append_object(pages);
		char mask[768];

		gfp_print(o.gfp, mask, sizeof(mask));
		json_put(page, "pfn", pfn);
		json_put(page, "order", o.order);
		json_put_string(page, "gfp", mask);
		json_put(page, "pid", (uint64_t)o.pid);
		json_put_string(page, "comm", o.comm);
		json_put(page, "ts_ns", o.ns);
		json_put(page, "free_ts_ns", o.free_ns);
		if (o.migrated)
			json_put_string(page, "migrated", o.migrated);
	}
	return doc;
}

const struct show_kind show_page_owner = {
	.name = "page_owner",
	.summary = "who has each block in use, as /sys/kernel/debug/page_owner: needs "
		   "kernel.page_owner",
	.boots = true,
	.text = text,
	.json = json,
};
