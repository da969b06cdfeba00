/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page descriptors of memory that is added while the kernel runs: in a block of existing RAM on the
 * node if there is one, else in single pages; or in the memory itself that they describe.
 *
 * Follows Linux 6.1 mm/sparse-vmemmap.c (vmemmap_populate_hugepages and its fallback) and
 * mm/sparse.c (section_activate, section_deactivate).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "mm/hotplug/hotplug_state.h"

/* The part of a section that is added or removed. */
struct part {
	struct mm_hotplug_run *run;
	struct mm_sections *s;
	struct mm_section *section;
	pfn_t number;
	pfn_t start, end;
	int nid;
};

static uint64_t bytes_of(const struct part *p, pfn_t frames)
{
	return frames * p->run->mm->arch->page_struct_bytes;
}

static uint64_t bits(const struct part *p)
{
	unsigned shift = p->s->pfn_shift - 6;
	pfn_t first = (p->start >> shift) % MM_SUBSECTIONS, nr = (p->end - p->start) >> shift;

	return nr == MM_SUBSECTIONS ? UINT64_MAX : ((UINT64_C(1) << nr) - 1) << first;
}

static struct page *take(struct part *p, unsigned order)
{
	struct mm_request req = {.cpu = p->run->cpu,
				 .nid = p->nid,
				 .order = order,
				 .gfp = GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN};
	struct page *page;

	return mm_alloc_pages(p->run->mm, &req, &page) ? NULL : page;
}

static void give_back(struct part *p, struct mm_hot_section *hot)
{
	for (unsigned i = 0; i < hot->nr_pages; i++)
		if (hot->pages[i])
			mm_free_pages(p->run->mm, p->run->cpu, hot->pages[i], hot->order);
	free(hot->pages);
	hot->pages = NULL;
	hot->nr_pages = 0;
}

/* All of a section's in one piece. */
static bool take_block(struct part *p, struct mm_hot_section *hot)
{
	struct mm *mm = p->run->mm;
	uint64_t pages = bytes_of(p, p->end - p->start) >> mm->arch->page_shift;
	unsigned order = fls64(pages) - 1;

	if (p->end - p->start != UINT64_C(1) << p->s->pfn_shift || order > MAX_PAGE_ORDER ||
	    pages != UINT64_C(1) << order)
		return false;
	hot->pages[0] = take(p, order);
	if (!hot->pages[0])
		return false;
	hot->order = order;
	hot->nr_pages = 1;
	p->section->at = mm_page_address(mm, hot->pages[0]);
	mm_work(mm, p->run->cpu, MM_SITE_PTE, 1);
	return true;
}

static int take_pages(struct part *p, struct mm_hot_section *hot)
{
	struct mm *mm = p->run->mm;
	unsigned shift = mm->arch->page_shift;
	pfn_t base = p->number << p->s->pfn_shift;
	uint64_t first = bytes_of(p, p->start - base) >> shift;
	uint64_t end = bytes_of(p, p->end - base) >> shift;

	hot->order = 0;
	hot->nr_pages = (unsigned)(bytes_of(p, UINT64_C(1) << p->s->pfn_shift) >> shift);
	for (uint64_t i = first; i < end; i++) {
		hot->pages[i] = take(p, 0);
		if (!hot->pages[i]) {
			give_back(p, hot);
			return -ENOMEM;
		}
	}
	mm_work(mm, p->run->cpu, MM_SITE_PTE, (uint32_t)(end - first));
	return 0;
}

static int refuse_room(struct part *p)
{
	unsigned shift = p->run->mm->arch->page_shift;

	return mm_hotplug_refuse(p->run, -ENOMEM,
				 "no room for the page descriptors of [0x%" PRIx64 "-0x%" PRIx64
				 "), %" PRIu64 " KiB: too little memory is free",
				 p->start << shift, p->end << shift,
				 bytes_of(p, p->end - p->start) >> 10);
}

static int place(struct part *p, phys_addr_t at)
{
	struct mm *mm = p->run->mm;
	uint64_t most = bytes_of(p, UINT64_C(1) << p->s->pfn_shift) >> mm->arch->page_shift;
	struct mm_hot_section *hot = calloc(1, sizeof(*hot));

	if (!hot)
		return -ENOMEM;
	if (at != MEMBLOCK_FAILED) {
		hot->on_device = true;
		p->section->at = at - bytes_of(p, p->start - (p->number << p->s->pfn_shift));
		p->s->nr_device_frames += p->end - p->start;
		mm_work(mm, p->run->cpu, MM_SITE_PTE, 1);
	} else {
		hot->pages = calloc(most + 1, sizeof(*hot->pages));
		if (!hot->pages || (!take_block(p, hot) && take_pages(p, hot))) {
			free(hot->pages);
			free(hot);
			return -ENOMEM;
		}
	}
	p->section->hot = hot;
	return 0;
}

static int add_part(struct part *p, phys_addr_t at)
{
	struct mm *mm = p->run->mm;
	bool fresh = !p->section->present;
	int err;

	/* Of a section that boot found all descriptors are there, also those of its holes. */
	if ((p->section->present & bits(p)) == bits(p))
		return 0;
	err = mm_section_add_root(mm, p->run->cpu, p->s, p->number, p->nid);
	if (!err && fresh && mm->model->map)
		err = mm->model->map(mm, p->run->cpu, p->number, p->nid);
	if (!err) {
		err = place(p, at);
		if (err && fresh && mm->model->unmap)
			mm->model->unmap(mm, p->run->cpu, p->number);
	}
	if (err)
		return refuse_room(p);
	if (!p->section->map) {
		p->section->map = p->s->host + ((p->number - p->s->first) << p->s->pfn_shift);
		p->s->number_of_slot[p->number - p->s->first] = (uint32_t)p->number;
	}
	p->section->present |= bits(p);
	p->s->nr_present += fresh;
	p->s->nr_frames += p->end - p->start;
	return 0;
}

static struct part part_at(struct mm_hotplug_run *run, pfn_t start, pfn_t end)
{
	struct mm_sections *s = run->mm->model->sections(run->mm);
	pfn_t number = start >> s->pfn_shift, section_end = (number + 1) << s->pfn_shift;

	return (struct part){.run = run,
			     .s = s,
			     .section = &s->sections[number - s->first],
			     .number = number,
			     .start = start,
			     .end = end < section_end ? end : section_end};
}

int mm_hot_memmap_add(struct mm_hotplug_run *run, pfn_t start, pfn_t end, int nid, phys_addr_t at)
{
	for (pfn_t pfn = start; pfn < end;) {
		struct part p = part_at(run, pfn, end);
		int err;

		p.nid = nid;
		err = add_part(&p, at);
		if (err) {
			mm_hot_memmap_remove(run, start, pfn);
			return err;
		}
		if (at != MEMBLOCK_FAILED)
			at += bytes_of(&p, p.end - p.start);
		pfn = p.end;
	}
	return 0;
}

static void remove_part(struct part *p)
{
	struct mm *mm = p->run->mm;
	struct mm_section *section = p->section;
	struct mm_hot_section *hot = section->hot;
	bool whole = p->end - p->start == UINT64_C(1) << p->s->pfn_shift;

	/* A part of what boot made has descriptors as long as the rest. */
	if (!hot && !whole)
		return;
	mm_map_clear(section->map + (p->start - (p->number << p->s->pfn_shift)), p->end - p->start);
	section->present &= ~bits(p);
	p->s->nr_frames -= p->end - p->start;
	section->hot = NULL;
	if (hot && hot->on_device)
		p->s->nr_device_frames -= p->end - p->start;
	if (hot && hot->pages)
		give_back(p, hot);
	free(hot);
	if (!hot)
		mm_release_memmap(mm, section->at, bytes_of(p, p->end - p->start));
	if (section->present)
		return;
	p->s->nr_present--;
	if (mm->model->unmap)
		mm->model->unmap(mm, p->run->cpu, p->number);
}

void mm_hot_memmap_remove(struct mm_hotplug_run *run, pfn_t start, pfn_t end)
{
	uint64_t at;
	unsigned shift;

	for (pfn_t pfn = start; pfn < end;) {
		struct part p = part_at(run, pfn, end);

		remove_part(&p);
		pfn = p.end;
	}
	at = run->mm->vm_map.direct.start;
	shift = run->mm->arch->page_shift;
	mm_flush_kernel(run->mm, run->cpu, at + (start << shift), at + (end << shift));
}

void mm_hot_memmap_init(struct mm *mm, int cpu, pfn_t start, pfn_t nr)
{
	uint64_t line = UINT64_C(1) << 12;

	mm_work(mm, cpu, MM_SITE_MEMMAP_INIT, (uint32_t)nr);
	if (!mm->ops.access || cpu == MM_NO_CPU)
		return;
	/* They lie together page by page. */
	for (pfn_t pfn = start; pfn < start + nr;) {
		pfn_t step = line / mm->arch->page_struct_bytes;
		const struct page *page = mm->model->pfn_to_page(mm, MM_NO_CPU, pfn);

		step = step < start + nr - pfn ? step : start + nr - pfn;
		mm_touch_descriptors(mm, cpu, page, step, MM_WRITE);
		pfn += step;
	}
}
