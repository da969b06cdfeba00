/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arrays of page_ext: how large an entry is, where the arrays are, and how they come and go
 * with memory. What is in an entry is its client's business (page_owner.c), but for
 * page_table_check, which is two counters here.
 *
 * Follows Linux 6.1 mm/page_ext.c and mm/page_table_check.c. Without sections a node's array comes
 * from memblock and reaches past both ends of a node that does not begin and end with a largest
 * block; with them a section's comes from the page allocator, in one piece if there is one, else
 * from vmalloc(). Memory of devices has none.
 */
#include "mm/page_ext/page_ext_state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/alloc/get_pages.h"
#include "mm/alloc/pcp.h"
#include "mm/boot/section.h"
#include "mm/hotplug/hotplug_state.h"
#include "mm/huge/huge_pool.h"
#include "mm/vmalloc/vmalloc.h"

/* struct page_owner of 6.1: order, gfp, two handles of stacks, two times, comm, pid, tgid. */
#define PAGE_OWNER_BYTES  56
#define TABLE_CHECK_BYTES 8 /* struct page_table_check: mapped as anonymous memory, as a file's */
#define NO_PLACE          UINT64_MAX

uint64_t mm_page_ext_bytes(const struct mm *mm)
{
	return mm->page_ext ? mm->page_ext->bytes : 0;
}

unsigned mm_page_ext_entry_bytes(const struct mm *mm)
{
	return mm->page_ext ? mm->page_ext->entry_bytes : 0;
}

/* Clients in the order of the kernel's table, behind the flags. */
static void lay_out(const struct mm *mm, struct mm_page_ext *ext)
{
	ext->entry_bytes = mm->arch->flags_bits / 8;
	if (mm->params.page_owner) {
		ext->owner_at = ext->entry_bytes;
		ext->entry_bytes += PAGE_OWNER_BYTES;
	}
	if (mm->params.page_table_check) {
		ext->check_at = ext->entry_bytes;
		ext->entry_bytes += TABLE_CHECK_BYTES;
	}
}

int mm_page_ext_init(struct mm *mm)
{
	struct mm_page_ext *ext;
	pfn_t sections;

	if (!mm->params.page_owner && !mm->params.page_table_check)
		return 0;
	ext = mm->page_ext = calloc(1, sizeof(*ext));
	if (!ext)
		return -ENOMEM;
	lay_out(mm, ext);
	ext->nr_tables = (uint64_t)mm->nr_nodes;
	if (mm->model->sections) {
		ext->section_shift = mm->arch->section_bits - mm->arch->page_shift;
		sections = (mm_frames_end(mm) - 1) >> ext->section_shift;
		ext->nr_tables = sections + 1;
	}
	ext->tables = calloc(ext->nr_tables, sizeof(*ext->tables));
	return ext->tables ? 0 : -ENOMEM;
}

void mm_page_ext_destroy(struct mm *mm)
{
	struct mm_page_ext *ext = mm->page_ext;

	if (!ext)
		return;
	for (uint64_t i = 0; ext->tables && i < ext->nr_tables; i++)
		free(ext->tables[i].owner);
	free(ext->tables);
	free(ext->comms);
	free(ext);
}

static uint64_t table_bytes(const struct mm *mm, const struct mm_ext_table *t)
{
	return t->nr * mm->page_ext->entry_bytes;
}

/* Low memory is left to devices while there is other. Complete reservations have it already. */
static int reserve_node(struct mm *mm, const struct mm_node *node, struct mm_refusal *r)
{
	int dma = mm_arch_zone_index(mm->arch, MM_ZONE_DMA);
	phys_addr_t from =
		mm->arch->low_megabyte_reserved && dma >= 0 ? mm->arch->zones[dma].limit : 0;
	struct mm_ext_table *t = &mm->page_ext->tables[node->nid];
	pfn_t end = node->start_pfn + node->spanned;
	struct mm_ext_table made = {.first = mm_round_block_down(node->start_pfn),
				    .nr = node->spanned,
				    .from_memblock = true};
	uint64_t page = UINT64_C(1) << mm->arch->page_shift;

	if (!node->spanned)
		return 0;
	if (made.first != node->start_pfn || mm_round_block_down(end) != end)
		made.nr += UINT64_C(1) << MAX_PAGE_ORDER;
	if (mm->bare_next || mm->reservations_complete)
		made.at =
			mm_boot_alloc(mm, MM_HOLDS_OTHER, table_bytes(mm, &made), page, node->nid);
	else
		made.at = memblock_alloc_try_nid(&mm->memblock, table_bytes(mm, &made), page, from,
						 mm_direct_limit(mm), node->nid);
	if (made.at == MEMBLOCK_FAILED)
		return mm_refuse_room(r, "page_ext", table_bytes(mm, &made));
	*t = made;
	mm->page_ext->bytes += table_bytes(mm, t);
	return 0;
}

int mm_page_ext_reserve(struct mm *mm, const struct mm_config *c, struct mm_refusal *r)
{
	int err = 0;

	if (!mm->page_ext || mm->page_ext->section_shift)
		return 0;
	for (size_t i = 0; i < c->nr_presets; i++)
		if (c->presets[i].has_managed && !c->reservations_complete)
			return mm_refuse(r, MM_ABOUT_MACHINE, 0,
					 "page_ext with the %s memory model, where zones say how "
					 "many pages are managed: it is unknown whether they are "
					 "counted with it",
					 mm->model->name);
	for (int nid = 0; nid < mm->nr_nodes && !err; nid++)
		err = reserve_node(mm, &mm->nodes[nid], r);
	return err;
}

/* alloc_page_ext(): in one piece, else where `may_map`, page by page. */
static int take_table(struct mm *mm, int cpu, int nid, struct mm_ext_table *t, bool may_map)
{
	struct mm_request req = {
		.cpu = cpu, .nid = nid, .gfp = GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN};
	struct mm_vmalloc_request pages = {.cpu = cpu,
					   .bytes = table_bytes(mm, t),
					   .gfp = GFP_KERNEL | __GFP_ZERO,
					   .nid = nid,
					   .caller = "alloc_page_ext+0x40/0x50"};
	uint64_t address;
	int err = mm_alloc_pages_exact(mm, &req, table_bytes(mm, t), &address);

	if (!err) {
		t->at = address - mm->vm_map.direct.start;
	} else if (may_map) {
		t->at = NO_PLACE;
		err = mm_vmalloc(mm, &pages, &t->address);
	}
	return err;
}

static void give_table(struct mm *mm, int cpu, struct mm_ext_table *t)
{
	if (t->at == NO_PLACE)
		mm_vfree(mm, cpu, t->address, false);
	else
		mm_free_pages_exact(mm, cpu, mm->vm_map.direct.start + t->at, table_bytes(mm, t));
}

static int add_section(struct mm *mm, int cpu, int nid, pfn_t number, bool may_map)
{
	struct mm_page_ext *ext = mm->page_ext;
	struct mm_ext_table made = {.first = number << ext->section_shift,
				    .nr = UINT64_C(1) << ext->section_shift};
	int err;

	if (ext->tables[number].nr)
		return 0;
	err = take_table(mm, cpu, nid, &made, may_map);
	if (err)
		return err;
	ext->tables[number] = made;
	ext->bytes += table_bytes(mm, &made);
	return 0;
}

static void drop_section(struct mm *mm, int cpu, pfn_t number)
{
	struct mm_ext_table was = mm->page_ext->tables[number];

	if (!was.nr)
		return;
	mm->page_ext->tables[number] = (struct mm_ext_table){0};
	mm->page_ext->bytes -= table_bytes(mm, &was);
	give_table(mm, cpu, &was);
	free(was.owner);
}

struct booting {
	struct mm *mm;
	int nid;
	bool late;
};

/* One that finds no room early is tried again late; -1: not even then. */
static int boot_section(void *arg, pfn_t number, int nid)
{
	const struct booting *b = arg;

	if (nid != b->nid || !add_section(b->mm, 0, nid, number, b->late) || !b->late)
		return 0;
	return -1;
}

static int boot_node(struct mm *mm, int nid, bool late, struct mm_refusal *r)
{
	struct booting b = {.mm = mm, .nid = nid, .late = late};

	if (!mm_for_each_section(mm, mm->model->sections(mm), boot_section, &b))
		return 0;
	return mm_refuse_room(r, "page_ext of a section",
			      (uint64_t)mm->page_ext->entry_bytes << mm->page_ext->section_shift);
}

/* Nobody is told, and nobody counts yet. The sizes of CPUs' lists are computed again later. */
int mm_page_ext_boot(struct mm *mm, bool late, struct mm_refusal *r)
{
	const struct mm_ops ops = mm->ops;
	struct mm_counters was = mm->counters;
	const struct mm_counters *c = &mm->counters;
	int err = 0;

	if (!mm->page_ext || !mm->page_ext->section_shift)
		return 0;
	mm->ops = (struct mm_ops){0};
	if (!late)
		mm_pcp_sizes_setup(mm);
	for (int nid = 0; nid < mm->nr_nodes && !err; nid++)
		if (mm->nodes[nid].present)
			err = boot_node(mm, nid, late, r);
	mm->ops = ops;
	mm->page_ext->blocks += c->allocs - was.allocs + c->parts - was.parts -
				(c->frees - was.frees) - (c->reclaimed - was.reclaimed);
	mm->counters = was;
	mm_forget_counts(mm);
	return err;
}

int mm_page_ext_forget(struct mm *mm, struct mm_refusal *r)
{
	struct mm_page_ext *ext = mm->page_ext;
	const struct mm_counters was = mm->counters;
	const struct mm_ops ops = mm->ops;

	if (!ext)
		return 0;
	mm->ops = (struct mm_ops){0};
	for (uint64_t i = 0; i < ext->nr_tables; i++) {
		struct mm_ext_table *t = &ext->tables[i];

		if (t->nr && t->at == NO_PLACE) {
			mm->ops = ops;
			return mm_refuse(r, MM_ABOUT_MACHINE, 0,
					 "page_ext from vmalloc(), which a section's of %" PRIu64
					 " bytes is, cannot begin in a known state",
					 table_bytes(mm, t));
		}
		if (t->nr && !t->from_memblock)
			give_table(mm, MM_NO_CPU, t);
		t->from_memblock = true;
	}
	ext->blocks = 0;
	mm->counters = was;
	mm->ops = ops;
	mm_forget_counts(mm);
	return 0;
}

int mm_page_ext_online(struct mm *mm, int cpu, int nid, pfn_t start, pfn_t nr)
{
	struct mm_page_ext *ext = mm->page_ext;
	pfn_t first, last;
	int err = 0;

	if (!ext)
		return 0;
	first = start >> ext->section_shift;
	last = (start + nr - 1) >> ext->section_shift;
	for (pfn_t number = first; number <= last && !err; number++)
		err = add_section(mm, cpu, nid, number, true);
	if (err)
		mm_page_ext_offline(mm, cpu, start, nr);
	return err ? -ENOMEM : 0;
}

void mm_page_ext_offline(struct mm *mm, int cpu, pfn_t start, pfn_t nr)
{
	struct mm_page_ext *ext = mm->page_ext;

	for (pfn_t at = start; ext && at < start + nr; at += UINT64_C(1) << ext->section_shift)
		drop_section(mm, cpu, at >> ext->section_shift);
}

/* lookup_page_ext() */
struct mm_ext_table *mm_ext_table(const struct mm *mm, pfn_t pfn)
{
	struct mm_page_ext *ext = mm->page_ext;
	pfn_t number = pfn >> ext->section_shift;

	if (ext->section_shift)
		return number < ext->nr_tables && ext->tables[number].nr ? &ext->tables[number]
									 : NULL;
	for (uint64_t i = 0; i < ext->nr_tables; i++) {
		struct mm_ext_table *t = &ext->tables[i];

		if (pfn >= t->first && pfn - t->first < t->nr)
			return t;
	}
	return NULL;
}

void mm_ext_touch(struct mm *mm, int cpu, const struct mm_ext_table *t, pfn_t pfn, uint64_t nr,
		  enum mm_access kind)
{
	unsigned entry = mm->page_ext->entry_bytes, shift = mm->arch->page_shift;
	uint64_t offset = (pfn - t->first) * entry, bytes = nr * entry;
	uint64_t page = UINT64_C(1) << shift;

	if (!mm_is_watched(mm) || cpu == MM_NO_CPU)
		return;
	if (mm->page_ext->section_shift)
		mm_section_touch(mm, cpu, mm->model->sections(mm),
				 pfn >> mm->page_ext->section_shift);
	if (t->at != NO_PLACE) {
		mm_touch(mm, cpu, t->at + offset, bytes, kind);
		return;
	}
	for (uint64_t at = t->address + offset, end = at + bytes; at < end;) {
		uint64_t part = page - (at & (page - 1));

		part = part < end - at ? part : end - at;
		mm_touch_mapped(mm, cpu, at, mm_vmalloc_phys(mm, at), part, kind);
		at += part;
	}
}

void mm_page_table_check(struct mm *mm, int cpu, const struct page *page)
{
	pfn_t pfn = mm_pfn_of(mm, page);
	const struct mm_ext_table *t = mm_ext_table(mm, pfn);

	if (mm->page_ext->check_at && t)
		mm_ext_touch(mm, cpu, t, pfn, UINT64_C(1) << page->order, MM_WRITE);
}

/* Arrays that the page allocator gave: their first and last pages are in use, as long as they are
 * there and not put among what a state holds. */
static bool table_holds(const struct mm *mm, const struct mm_ext_table *t)
{
	pfn_t first = t->at >> mm->arch->page_shift;
	pfn_t last = (t->at + table_bytes(mm, t) - 1) >> mm->arch->page_shift;

	return t->from_memblock || t->at == NO_PLACE ||
	       (mm_block_in_use(mm, &first)->refcount > 0 &&
		mm_block_in_use(mm, &last)->refcount > 0);
}

int mm_page_ext_verify(const struct mm *mm, char *why, size_t size)
{
	const struct mm_page_ext *ext = mm->page_ext;
	uint64_t bytes = 0;

	for (uint64_t i = 0; ext && i < ext->nr_tables; i++) {
		const struct mm_ext_table *t = &ext->tables[i];

		bytes += table_bytes(mm, t);
		if (!t->nr || table_holds(mm, t))
			continue;
		snprintf(why, size, "page_ext of frame 0x%" PRIx64 " is in pages that are free",
			 t->first);
		return -EINVAL;
	}
	if (!ext || bytes == ext->bytes)
		return 0;
	snprintf(why, size, "page_ext: %" PRIu64 " bytes in arrays, %" PRIu64 " counted", bytes,
		 ext->bytes);
	return -EINVAL;
}
