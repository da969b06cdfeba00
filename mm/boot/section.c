/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The section table that both sparse memory models share: finds which sections have memory, gives
 * each its descriptors, and the table its home. It knows no conversion; those are the models'.
 */
#include <errno.h>
#include <stdlib.h>

#include "mm/boot/section.h"
#include "mm/internal.h"

#define ROOT_POINTER_BYTES 8

/* Number of the first section with memory, and one past the last. */
static void span_sections(const struct mm *mm, struct mm_sections *s)
{
	const struct memblock_list *memory = &mm->memblock.memory;

	s->pfn_shift = mm->arch->section_bits - mm->arch->page_shift;
	s->first = memory->regions[0].start >> mm->arch->section_bits;
	s->nr = ((memory->regions[memory->nr - 1].end - 1) >> mm->arch->section_bits) + 1 -
		s->first;
	if (mm->hotplug_end) {
		phys_addr_t last = mm->hotplug_end - 1;
		pfn_t end = (last >> mm->arch->section_bits) + 1;

		end = end > s->first + s->nr ? end : s->first + s->nr;
		s->first = 0;
		s->nr = end;
	}
}

int mm_for_each_section(const struct mm *mm, const struct mm_sections *s,
			int (*fn)(void *arg, pfn_t number, int nid), void *arg)
{
	const struct memblock_list *memory = &mm->memblock.memory;
	pfn_t next = s->first;

	for (size_t i = 0; i < memory->nr; i++) {
		const struct memblock_region *r = &memory->regions[i];
		pfn_t last = (r->end - 1) >> mm->arch->section_bits;
		pfn_t n = r->start >> mm->arch->section_bits;

		for (n = n < next ? next : n; n <= last; n++) {
			int err = fn(arg, n, r->nid);

			if (err)
				return err;
		}
		next = n > next ? n : next;
	}
	return 0;
}

struct placement {
	struct mm *mm;
	struct mm_sections *s;
	uint64_t align;
	bool contiguous;
	pfn_t *per_node; /* sections of each node */
	phys_addr_t
		*node_next; /* where the node's next descriptors go; MEMBLOCK_FAILED: no buffer */
	pfn_t placed;
	struct mm_refusal *refusal;
};

static int count_section(void *arg, pfn_t number, int nid)
{
	struct placement *p = arg;

	(void)number;
	p->per_node[nid]++;
	p->s->nr_present++;
	return 0;
}

static int place_root(struct placement *p, pfn_t number, int nid)
{
	struct mm_sections *s = p->s;
	uint64_t page = UINT64_C(1) << p->mm->arch->page_shift;
	phys_addr_t *at = &s->root_at[number / s->per_root - s->first / s->per_root];

	if (*at)
		return 0;
	*at = mm_boot_alloc(p->mm, MM_HOLDS_SECTION_TABLE, page, page, nid);
	if (*at == MEMBLOCK_FAILED)
		return mm_refuse_room(p->refusal, "a page of the section table", page);
	return 0;
}

static int place_section(void *arg, pfn_t number, int nid)
{
	struct placement *p = arg;
	struct mm_sections *s = p->s;
	struct mm_section *section = &s->sections[number - s->first];
	uint64_t bytes = ((uint64_t)p->mm->arch->page_struct_bytes) << s->pfn_shift;
	pfn_t slot = p->contiguous ? number - s->first : p->placed;

	p->placed++;
	s->number_of_slot[slot] = (uint32_t)number;
	section->map = s->host + (slot << s->pfn_shift);
	section->present = UINT64_MAX;
	s->nr_frames += UINT64_C(1) << s->pfn_shift;
	if (p->node_next[nid] != MEMBLOCK_FAILED) {
		section->at = p->node_next[nid];
		p->node_next[nid] += bytes;
	} else {
		section->at = mm_boot_alloc(p->mm, MM_HOLDS_MEMMAP, bytes, p->align, nid);
		if (section->at == MEMBLOCK_FAILED)
			return mm_refuse_room(p->refusal, "a section's page descriptors", bytes);
	}
	return place_root(p, number, nid);
}

static int place_all(struct placement *p)
{
	struct mm_sections *s = p->s;
	uint64_t bytes = ((uint64_t)p->mm->arch->page_struct_bytes) << s->pfn_shift;
	int err = mm_for_each_section(p->mm, s, count_section, p);

	if (err)
		return err;
	s->host_nr = (p->contiguous ? s->nr : s->nr_present) << s->pfn_shift;
	s->host = mm_map_reserve(s->host_nr);
	s->number_of_slot = calloc(s->nr, sizeof(*s->number_of_slot));
	if (!s->host || !s->number_of_slot)
		return -ENOMEM;
	/* As the kernel does: one buffer a node where it has the room, else section by section. */
	for (int nid = 0; nid < p->mm->nr_nodes; nid++)
		p->node_next[nid] = mm_boot_alloc_on(p->mm, MM_HOLDS_MEMMAP,
						     p->per_node[nid] * bytes, p->align, nid);
	return mm_for_each_section(p->mm, s, place_section, p);
}

int mm_sections_init(struct mm *mm, struct mm_sections *s, uint64_t align, bool contiguous,
		     struct mm_refusal *refusal)
{
	unsigned nr_bits = mm->arch->section_phys_bits - mm->arch->section_bits;
	/* Sections that come later find their place by number, too. */
	struct placement p = {mm, s, align, contiguous || mm->hotplug_end, NULL, NULL, 0, refusal};
	int err = -ENOMEM;

	span_sections(mm, s);
	s->per_root = (1u << mm->arch->page_shift) / mm->arch->section_struct_bytes;
	s->nr_roots = (s->first + s->nr - 1) / s->per_root - s->first / s->per_root + 1;
	s->roots_bytes =
		((UINT64_C(1) << nr_bits) + s->per_root - 1) / s->per_root * ROOT_POINTER_BYTES;
	s->sections = calloc(s->nr, sizeof(*s->sections));
	s->root_at = calloc(s->nr_roots, sizeof(*s->root_at));
	p.per_node = calloc((size_t)mm->nr_nodes, sizeof(*p.per_node));
	p.node_next = calloc((size_t)mm->nr_nodes, sizeof(*p.node_next));
	if (!s->sections || !s->root_at || !p.per_node || !p.node_next)
		goto out_free;
	s->roots_at = mm_boot_alloc(mm, MM_HOLDS_SECTION_TABLE, s->roots_bytes, 64, MM_NO_NODE);
	if (s->roots_at == MEMBLOCK_FAILED)
		err = mm_refuse_room(refusal, "the roots of the section table", s->roots_bytes);
	else
		err = place_all(&p);
out_free:
	free(p.per_node);
	free(p.node_next);
	return err;
}

void mm_sections_destroy(struct mm_sections *s)
{
	for (pfn_t i = 0; s->sections && i < s->nr; i++)
		if (s->sections[i].hot) {
			free(s->sections[i].hot->pages);
			free(s->sections[i].hot);
		}
	mm_map_release(s->host, s->host_nr);
	free(s->sections);
	free(s->root_at);
	free(s->number_of_slot);
}

void mm_section_touch(struct mm *mm, int cpu, const struct mm_sections *s, pfn_t number)
{
	pfn_t root = number / s->per_root;

	mm_touch(mm, cpu, s->roots_at + root * ROOT_POINTER_BYTES, ROOT_POINTER_BYTES, MM_READ);
	mm_touch(mm, cpu,
		 s->root_at[root - s->first / s->per_root] +
			 number % s->per_root * mm->arch->section_struct_bytes,
		 8, MM_READ);
}

phys_addr_t mm_hot_descriptor_at(const struct mm *mm, const struct mm_section *section,
				 uint64_t offset)
{
	const struct mm_hot_section *hot = section->hot;
	unsigned shift;

	if (!hot->pages || hot->nr_pages == 1)
		return section->at + offset;
	shift = mm->arch->page_shift + hot->order;
	return mm_page_address((struct mm *)mm, hot->pages[offset >> shift]) +
	       (offset & ((UINT64_C(1) << shift) - 1));
}

int mm_section_add_root(struct mm *mm, int cpu, struct mm_sections *s, pfn_t number, int nid)
{
	phys_addr_t *at = &s->root_at[number / s->per_root - s->first / s->per_root];
	struct mm_request req = {.cpu = cpu, .nid = nid, .gfp = GFP_KERNEL | __GFP_ZERO};
	struct page *page;

	if (*at)
		return 0;
	if (mm_alloc_pages(mm, &req, &page))
		return -ENOMEM;
	*at = mm_page_address(mm, page);
	return 0;
}

uint64_t mm_sections_table_bytes(const struct mm *mm, const struct mm_sections *s)
{
	uint64_t bytes = s->roots_bytes;

	for (pfn_t i = 0; i < s->nr_roots; i++)
		if (s->root_at[i])
			bytes += UINT64_C(1) << mm->arch->page_shift;
	return bytes;
}
