/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The phases of boot by what Linux 6.1 does in them (mm/page_alloc.c: memmap_init, defer_init,
 * memblock_free_all, deferred_init_memmap). A descriptor is written whole when it is initialised,
 * which streams past the caches as there are so many; when its page is freed it is read and written
 * again. Deferred pages are freed block by block right behind, out of the caches.
 *
 * Not there: page tables of the direct mapping, what else than memory a kernel sets up.
 */
#include "mm/boot/boot_time.h"

#include <stdlib.h>

#include "mm/internal.h"

bool mm_boot_can_defer(const struct mm *mm)
{
	bool sparse = mm->model->id == MM_SPARSE || mm->model->id == MM_SPARSE_VMEMMAP;

	return sparse && mm->vm_map.va_bits > 32;
}

static pfn_t section_pages(const struct mm *mm)
{
	return (pfn_t)1 << (mm->arch->section_bits - mm->arch->page_shift);
}

/* The node's last zone keeps a section for a start; UINT64_MAX: nothing is deferred. */
static pfn_t first_deferred(const struct mm *mm, const struct mm_node *node)
{
	const struct mm_zone *last = NULL;
	pfn_t section = section_pages(mm);

	for (int z = 0; z < mm->arch->nr_zones; z++)
		if (mm_zone_populated(&node->zones[z]) &&
		    (!last || node->zones[z].start_pfn > last->start_pfn))
			last = &node->zones[z];
	return last && mm_boot_can_defer(mm) ? (last->start_pfn + 2 * section - 1) & ~(section - 1)
					     : UINT64_MAX;
}

/* A range of memory, or of what is free of it, of one node. */
struct piece {
	pfn_t start, end;
	int nid;
};

static phys_addr_t descriptor_of(struct mm *mm, pfn_t pfn)
{
	return mm->model->descriptor_at(mm, mm->model->pfn_to_page(mm, MM_NO_CPU, pfn), NULL);
}

/* By sections: a memmap is contiguous in each, and on one node. */
static void write_descriptors(struct mm *mm, int cpu, const struct piece *p, bool read)
{
	pfn_t section = section_pages(mm);

	for (pfn_t at = p->start; at < p->end;) {
		pfn_t end = (at | (section - 1)) + 1;
		uint64_t bytes;

		end = end < p->end ? end : p->end;
		bytes = (end - at) * mm->arch->page_struct_bytes;
		if (read)
			mm_touch(mm, cpu, descriptor_of(mm, at), bytes, MM_COPY_FROM);
		mm_touch(mm, cpu, descriptor_of(mm, at), bytes, MM_COPY_TO);
		at = end;
	}
}

static void init_piece(struct mm *mm, int cpu, const struct piece *p)
{
	mm_work(mm, cpu, MM_SITE_MEMMAP_INIT, (uint32_t)(p->end - p->start));
	write_descriptors(mm, cpu, p, false);
}

/* In blocks as large as there are: each page is looked at, each block listed. */
static void free_piece(struct mm *mm, int cpu, const struct piece *p, bool cached)
{
	uint64_t blocks = ((p->end - p->start) >> MAX_PAGE_ORDER) + 1;

	mm_work(mm, cpu, MM_SITE_BLOCK_SCAN, (uint32_t)(p->end - p->start));
	if (!cached)
		write_descriptors(mm, cpu, p, true);
	mm_work(mm, cpu, MM_SITE_BUDDY_FREE, (uint32_t)blocks);
}

static void free_cold(struct mm *mm, int cpu, const struct piece *p)
{
	free_piece(mm, cpu, p, false);
}

static bool clip(struct piece *p, pfn_t start, pfn_t end)
{
	p->start = p->start > start ? p->start : start;
	p->end = p->end < end ? p->end : end;
	return p->start < p->end;
}

/* Pages are as many as fit a 32-bit count at a time. */
#define PIECE_MOST ((pfn_t)1 << 30)

typedef void (*piece_fn)(struct mm *mm, int cpu, const struct piece *p);

static void in_pieces(struct mm *mm, int cpu, struct piece p, piece_fn fn)
{
	while (p.start < p.end) {
		struct piece part = p;

		clip(&part, p.start, p.start + PIECE_MOST);
		fn(mm, cpu, &part);
		p.start = part.end;
	}
}

/* Memory below the first deferred frame of each node. */
static void init_early(struct mm *mm, int cpu, bool deferred)
{
	const struct memblock_list *memory = &mm->memblock.memory;

	for (size_t i = 0; i < memory->nr; i++) {
		const struct memblock_region *r = &memory->regions[i];
		struct piece p = {r->start >> mm->arch->page_shift, r->end >> mm->arch->page_shift,
				  r->nid};
		pfn_t from = deferred ? first_deferred(mm, &mm->nodes[r->nid]) : UINT64_MAX;

		if (clip(&p, 0, from))
			in_pieces(mm, cpu, p, init_piece);
	}
}

static void free_early(struct mm *mm, int cpu, bool deferred)
{
	phys_addr_t cursor = 0, start, end;
	int nid;

	while (memblock_next_free(&mm->memblock, &cursor, &start, &end, &nid)) {
		struct piece p = {start >> mm->arch->page_shift, end >> mm->arch->page_shift, nid};
		pfn_t from = deferred ? first_deferred(mm, &mm->nodes[nid]) : UINT64_MAX;

		mm_work(mm, cpu, MM_SITE_MEMBLOCK, 1);
		if (clip(&p, 0, from))
			in_pieces(mm, cpu, p, free_cold);
	}
}

static void set_up_model(struct mm *mm, int cpu)
{
	struct mm_model_info info;
	phys_addr_t at =
		descriptor_of(mm, mm->memblock.memory.regions[0].start >> mm->arch->page_shift);

	mm_model_info(mm, &info);
	if (info.table_bytes)
		mm_touch(mm, cpu, at, info.table_bytes, MM_ZERO);
	/* Descriptors of holes are initialised too: as reserved. */
	mm_work(mm, cpu, MM_SITE_MEMMAP_INIT,
		(uint32_t)(info.hole_bytes / mm->arch->page_struct_bytes));
	if (info.hole_bytes)
		mm_touch(mm, cpu, at, info.hole_bytes, MM_COPY_TO);
}

/* Each node's zonelists, and each zone's lists of each CPU. */
static void set_up_zones(struct mm *mm, int cpu)
{
	for (int n = 0; n < mm->nr_nodes; n++) {
		const struct mm_node *node = &mm->nodes[n];

		mm_work(mm, cpu, MM_SITE_ZONE_CHECK,
			(uint32_t)(node->fallback.nr + node->thisnode.nr));
		mm_touch(mm, cpu, node->at + MM_NODE_ZONELISTS,
			 (node->fallback.nr + 1) * MM_ZONEREF_BYTES, MM_WRITE);
		for (int z = 0; z < mm->arch->nr_zones; z++)
			for (int c = 0; mm_zone_populated(&node->zones[z]) && c < mm->nr_cpus; c++)
				mm_touch(mm, cpu, mm->percpu_at[c] + node->zones[z].pcp_offset,
					 MM_PCP_STRIDE, MM_WRITE);
	}
}

/* Which sections of what a node has left a thread does: every so-manieth. */
struct shares {
	unsigned share, of;
};

/* Returns how many pages all threads do. `s` NULL: nothing is done. */
static uint64_t do_late(struct mm *mm, int cpu, int nid, const struct shares *s)
{
	const struct memblock_list *memory = &mm->memblock.memory;
	uint64_t pages = 0, number = 0;

	for (size_t i = 0; i < memory->nr; i++) {
		const struct memblock_region *r = &memory->regions[i];
		struct piece p = {r->start >> mm->arch->page_shift, r->end >> mm->arch->page_shift,
				  r->nid};

		if ((nid != MM_NO_NODE && nid != r->nid) ||
		    !clip(&p, first_deferred(mm, &mm->nodes[r->nid]), UINT64_MAX))
			continue;
		for (pfn_t at = p.start; at < p.end; number++) {
			struct piece part = {at, (at | (section_pages(mm) - 1)) + 1, r->nid};

			clip(&part, at, p.end);
			at = part.end;
			pages += part.end - part.start;
			if (s && number % s->of == s->share) {
				init_piece(mm, cpu, &part);
				free_piece(mm, cpu, &part, true);
			}
		}
	}
	return pages;
}

static bool has_deferred(const struct mm *mm, int nid)
{
	const struct memblock_list *memory = &mm->memblock.memory;
	pfn_t from = first_deferred(mm, &mm->nodes[nid]);

	for (size_t i = 0; i < memory->nr; i++)
		if (memory->regions[i].nid == nid &&
		    memory->regions[i].end >> mm->arch->page_shift > from)
			return true;
	return false;
}

/* How many threads a node has. None are needed where it has no memory. */
static unsigned threads_of(const struct mm *mm, int nid, unsigned asked)
{
	unsigned cpus = 0, most;

	for (int cpu = 0; cpu < mm->nr_cpus; cpu++)
		cpus += mm_cpu_to_node(mm, cpu) == nid;
	if (!has_deferred(mm, nid))
		return 0;
	if (!asked)
		return mm->arch->deferred_by_all_cpus && cpus ? cpus : 1;
	most = cpus ? cpus : (unsigned)mm->nr_cpus;
	return asked < most ? asked : most;
}

/* The first CPUs of a node that has any. */
static bool is_on_node(const struct mm *mm, int cpu, int nid, unsigned threads, unsigned *share)
{
	*share = 0;
	for (int i = 0; i < cpu; i++)
		*share += mm_cpu_to_node(mm, i) == nid;
	return mm_cpu_to_node(mm, cpu) == nid && *share < threads;
}

static bool has_cpus(const struct mm *mm, int nid)
{
	for (int cpu = 0; cpu < mm->nr_cpus; cpu++)
		if (mm_cpu_to_node(mm, cpu) == nid)
			return true;
	return false;
}

/* Threads of nodes without CPUs, dealt out one by one: does `cpu` get one of node `nid`? */
static bool is_dealt(const struct mm *mm, int cpu, int nid, unsigned asked, unsigned *share)
{
	unsigned *load = calloc((unsigned)mm->nr_cpus, sizeof(*load)), mine;
	bool found = false;

	for (int i = 0; load && i < mm->nr_cpus; i++) {
		int n = mm_cpu_to_node(mm, i);

		load[i] = is_on_node(mm, i, n, threads_of(mm, n, asked), &mine);
	}
	for (int n = 0; load && n <= nid; n++)
		for (unsigned t = 0; !has_cpus(mm, n) && t < threads_of(mm, n, asked); t++) {
			int least = 0;

			for (int i = 1; i < mm->nr_cpus; i++)
				least = load[i] < load[least] ? i : least;
			load[least]++;
			if (n != nid || least != cpu)
				continue;
			*share = t;
			found = true;
		}
	free(load);
	return found;
}

bool mm_boot_part_of(const struct mm *mm, int cpu, int nid, unsigned threads,
		     struct mm_boot_part *part)
{
	unsigned nr = threads_of(mm, nid, threads), share = 0;
	bool does = has_cpus(mm, nid) ? is_on_node(mm, cpu, nid, nr, &share)
				      : is_dealt(mm, cpu, nid, threads, &share);

	*part = (struct mm_boot_part){.deferred = true, .nid = nid, .share = share, .of = nr};
	return does && nr;
}

uint64_t mm_boot_deferred_pages(const struct mm *mm, int nid)
{
	return do_late((struct mm *)mm, MM_NO_CPU, nid, NULL);
}

void mm_boot_charge(struct mm *mm, int cpu, enum mm_boot_phase phase,
		    const struct mm_boot_part *part)
{
	const struct shares shares = {.share = part->share, .of = part->of};

	switch (phase) {
	case MM_BOOT_MEMBLOCK:
		mm_work(mm, cpu, MM_SITE_MEMBLOCK,
			(uint32_t)(mm->memblock.memory.nr + mm->memblock.reserved.nr));
		break;
	case MM_BOOT_MEMMAP:
		set_up_model(mm, cpu);
		init_early(mm, cpu, part->deferred);
		break;
	case MM_BOOT_ZONES:
		set_up_zones(mm, cpu);
		break;
	case MM_BOOT_FREE_LISTS:
		free_early(mm, cpu, part->deferred);
		break;
	case MM_BOOT_CPUS:
		mm_work(mm, cpu, MM_SITE_CPU_UP, (uint32_t)mm->nr_cpus - 1);
		break;
	default:
		if (part->deferred && part->of)
			do_late(mm, cpu, part->nid, &shares);
	}
}
