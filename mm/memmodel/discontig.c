/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Discontiguous memory: one map a node, so a hole between nodes costs nothing. To find the node of
 * a frame, the kernel reads a node table (one entry a block of the largest size that never holds
 * two nodes, as x86_64's memnodemap did), then NODE_DATA(nid), then the node's node_mem_map. Each
 * map starts and ends at a multiple of the largest buddy block, so node_mem_map need not point at
 * the node's first frame. On a UMA machine with several ranges, each range is a node (boot.c).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "mm/internal.h"

#define NODE_DATA_ENTRY_BYTES  8 /* NODE_DATA(nid): a pointer */
#define NODE_TABLE_ENTRY_BYTES 2
#define NODE_MEM_MAP_OFFSET    64 /* of node_mem_map and node_start_pfn behind the zonelists */

struct discontig {
	struct mm_page_map *maps; /* by node; nr 0 where it has no memory */
	int16_t *node_table;      /* by pfn >> block_shift; MM_NO_NODE in holes */
	unsigned block_shift;
	pfn_t nr_blocks;
	phys_addr_t node_table_at;
	phys_addr_t node_data_at;
};

/* The largest block, at least a buddy block, that never holds memory of two nodes. */
static unsigned choose_block_shift(const struct mm *mm)
{
	const struct memblock_list *memory = &mm->memblock.memory;
	unsigned page_shift = mm->arch->page_shift;
	unsigned shift = mm->arch->max_phys_bits - page_shift;

	for (size_t i = 0; i + 1 < memory->nr; i++) {
		const struct memblock_region *a = &memory->regions[i], *b = a + 1;

		while (a->nid != b->nid && shift > MAX_PAGE_ORDER &&
		       (((a->end - 1) >> page_shift) >> shift) ==
			       ((b->start >> page_shift) >> shift))
			shift--;
	}
	return shift;
}

static int refuse_shared_block(const struct mm *mm, const struct discontig *d, pfn_t block, int nid,
			       struct mm_refusal *refusal)
{
	unsigned shift = d->block_shift + mm->arch->page_shift;

	refusal->about = MM_ABOUT_MODEL;
	snprintf(refusal->why, sizeof(refusal->why),
		 "the discontig memory model finds the node of a frame by its block, but nodes %d "
		 "and %d share the %" PRIu64 " KiB block at 0x%" PRIx64 "; use sparse or "
		 "sparse-vmemmap, or move the boundary",
		 d->node_table[block], nid, UINT64_C(1) << (shift - 10), block << shift);
	return -EINVAL;
}

static int make_node_table(struct mm *mm, struct discontig *d, struct mm_refusal *refusal)
{
	const struct memblock_list *memory = &mm->memblock.memory;
	unsigned page_shift = mm->arch->page_shift;

	d->block_shift = choose_block_shift(mm);
	d->nr_blocks = ((mm->end_pfn - 1) >> d->block_shift) + 1;
	d->node_table = malloc(d->nr_blocks * sizeof(*d->node_table));
	if (!d->node_table)
		return -ENOMEM;
	for (pfn_t b = 0; b < d->nr_blocks; b++)
		d->node_table[b] = MM_NO_NODE;
	for (size_t i = 0; i < memory->nr; i++) {
		const struct memblock_region *r = &memory->regions[i];
		pfn_t last = ((r->end - 1) >> page_shift) >> d->block_shift;

		for (pfn_t b = (r->start >> page_shift) >> d->block_shift; b <= last; b++) {
			if (d->node_table[b] != MM_NO_NODE && d->node_table[b] != r->nid)
				return refuse_shared_block(mm, d, b, r->nid, refusal);
			d->node_table[b] = (int16_t)r->nid;
		}
	}
	return 0;
}

static int make_node_map(struct mm *mm, struct discontig *d, int nid, struct mm_refusal *refusal)
{
	const struct mm_node *node = &mm->nodes[nid];
	struct mm_page_map *map = &d->maps[nid];
	pfn_t end = mm_round_block_up(node->start_pfn + node->spanned);
	uint64_t bytes;

	if (node->spanned == 0)
		return 0;
	map->start_pfn = mm_round_block_down(node->start_pfn);
	map->nr = end - map->start_pfn;
	bytes = map->nr * mm->arch->page_struct_bytes;
	map->pages = mm_map_reserve(map->nr);
	if (!map->pages)
		return -ENOMEM;
	map->at =
		mm_boot_alloc(mm, MM_HOLDS_MEMMAP, bytes, UINT64_C(1) << mm->arch->page_shift, nid);
	if (map->at == MEMBLOCK_FAILED)
		return mm_refuse_room(refusal, "a node's page descriptors (node_mem_map)", bytes);
	return 0;
}

static int discontig_init(struct mm *mm, struct mm_refusal *refusal)
{
	struct discontig *d = calloc(1, sizeof(*d));
	int err;

	if (!d)
		return -ENOMEM;
	mm->model_state = d;
	d->maps = calloc((size_t)mm->nr_nodes, sizeof(*d->maps));
	if (!d->maps)
		return -ENOMEM;
	err = make_node_table(mm, d, refusal);
	if (err)
		return err;
	d->node_table_at =
		mm_boot_alloc(mm, MM_HOLDS_OTHER, d->nr_blocks * NODE_TABLE_ENTRY_BYTES, 64, 0);
	d->node_data_at = mm_boot_alloc(mm, MM_HOLDS_OTHER,
					(uint64_t)mm->nr_nodes * NODE_DATA_ENTRY_BYTES, 64, 0);
	if (d->node_table_at == MEMBLOCK_FAILED || d->node_data_at == MEMBLOCK_FAILED)
		return mm_refuse_room(refusal, "the node table", d->nr_blocks);
	for (int nid = 0; nid < mm->nr_nodes; nid++) {
		err = make_node_map(mm, d, nid, refusal);
		if (err)
			return err;
	}
	return 0;
}

static void discontig_destroy(struct mm *mm)
{
	struct discontig *d = mm->model_state;

	if (!d)
		return;
	for (int nid = 0; d->maps && nid < mm->nr_nodes; nid++)
		mm_map_release(d->maps[nid].pages, d->maps[nid].nr);
	free(d->maps);
	free(d->node_table);
	free(d);
}

/* NODE_DATA(nid)->node_mem_map, as both conversions read it. */
static void touch_node_map(struct mm *mm, int cpu, const struct discontig *d, int nid)
{
	mm_touch(mm, cpu, d->node_data_at + (uint64_t)nid * NODE_DATA_ENTRY_BYTES,
		 NODE_DATA_ENTRY_BYTES, MM_READ);
	mm_touch(mm, cpu, mm->nodes[nid].at + mm->arch->node_struct_bytes - NODE_MEM_MAP_OFFSET, 16,
		 MM_READ);
}

static struct page *discontig_pfn_to_page(struct mm *mm, int cpu, pfn_t pfn)
{
	const struct discontig *d = mm->model_state;
	pfn_t block = pfn >> d->block_shift;
	int nid = d->node_table[block];

	mm_work(mm, cpu, MM_SITE_PFN_TO_PAGE, 1);
	mm_touch(mm, cpu, d->node_table_at + block * NODE_TABLE_ENTRY_BYTES, NODE_TABLE_ENTRY_BYTES,
		 MM_READ);
	touch_node_map(mm, cpu, d, nid);
	return &d->maps[nid].pages[pfn - d->maps[nid].start_pfn];
}

/* The node of a descriptor comes from page->flags; an untouched one is found by its map. */
static const struct mm_page_map *map_of_page(const struct mm *mm, const struct page *page)
{
	const struct discontig *d = mm->model_state;

	if (page->flags & PG_INIT)
		return &d->maps[(page->flags >> mm->flags.node_shift) &
				((UINT64_C(1) << mm->flags.node_width) - 1)];
	for (int nid = 0; nid < mm->nr_nodes; nid++) {
		const struct mm_page_map *map = &d->maps[nid];

		if (map->nr && page >= map->pages && page < map->pages + map->nr)
			return map;
	}
	return NULL;
}

static pfn_t discontig_page_to_pfn(struct mm *mm, int cpu, const struct page *page)
{
	const struct discontig *d = mm->model_state;
	const struct mm_page_map *map = map_of_page(mm, page);

	mm_work(mm, cpu, MM_SITE_PAGE_TO_PFN, 1);
	touch_node_map(mm, cpu, d, (int)(map - d->maps));
	return map->start_pfn + (pfn_t)(page - map->pages);
}

static bool discontig_pfn_valid(const struct mm *mm, pfn_t pfn)
{
	const struct discontig *d = mm->model_state;
	pfn_t block = pfn >> d->block_shift;
	const struct mm_page_map *map;

	if (block >= d->nr_blocks || d->node_table[block] == MM_NO_NODE)
		return false;
	map = &d->maps[d->node_table[block]];
	return pfn >= map->start_pfn && pfn - map->start_pfn < map->nr;
}

static phys_addr_t discontig_descriptor_at(const struct mm *mm, const struct page *page,
					   uint64_t *address)
{
	const struct mm_page_map *map = map_of_page(mm, page);

	if (address)
		*address = 0;
	return map->at + (uint64_t)(page - map->pages) * mm->arch->page_struct_bytes;
}

static void discontig_info(const struct mm *mm, struct mm_model_info *info)
{
	const struct discontig *d = mm->model_state;

	info->memmap_bytes = 0;
	for (int nid = 0; nid < mm->nr_nodes; nid++)
		info->memmap_bytes += d->maps[nid].nr * mm->arch->page_struct_bytes;
	info->table_bytes = d->nr_blocks * NODE_TABLE_ENTRY_BYTES +
			    (uint64_t)mm->nr_nodes * NODE_DATA_ENTRY_BYTES;
}

const struct mm_memmodel memmodel_discontig = {
	.name = "discontig",
	.id = MM_DISCONTIG,
	.init = discontig_init,
	.destroy = discontig_destroy,
	.pfn_to_page = discontig_pfn_to_page,
	.page_to_pfn = discontig_page_to_pfn,
	.pfn_valid = discontig_pfn_valid,
	.descriptor_at = discontig_descriptor_at,
	.info = discontig_info,
	.no_hotplug = "each node has one node_mem_map, made at boot, which cannot grow",
};
