/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranges of memory come and go as a whole: checks, page descriptors, memory blocks that are
 * offline at first, and have to be in the end.
 *
 * Follows Linux 6.1 mm/memory_hotplug.c (add_memory_resource, try_remove_memory) and
 * drivers/dax/kmem.c, which takes whole memory blocks of persistent memory.
 */
#include <errno.h>
#include <inttypes.h>

#include "mm/hotplug/hotplug_state.h"

#define DIRECT_MAP_BYTES (UINT64_C(2) << 20) /* an entry of the direct mapping maps it */

static int refuse_there(struct mm_hotplug_run *run, phys_addr_t start, phys_addr_t end,
			const char *what, phys_addr_t from, phys_addr_t to)
{
	return mm_hotplug_refuse(run, -EEXIST,
				 "[0x%" PRIx64 "-0x%" PRIx64 ") overlaps %s at [0x%" PRIx64
				 "-0x%" PRIx64 ")",
				 start, end, what, from, to);
}

static int check_list(struct mm_hotplug_run *run, const struct mm_plugged_list *list,
		      const char *what, phys_addr_t start, phys_addr_t end)
{
	for (size_t i = 0; i < list->nr; i++)
		if (list->at[i].start < end && list->at[i].end > start)
			return refuse_there(run, start, end, what, list->at[i].start,
					    list->at[i].end);
	return 0;
}

int mm_hotplug_check_free(struct mm_hotplug_run *run, phys_addr_t start, phys_addr_t end)
{
	const struct memblock_list *memory = &run->mm->memblock.memory;
	const struct mm_hotplug *hp = run->hp;
	unsigned shift = hp->block_shift + run->mm->arch->page_shift;
	int err = check_list(run, &hp->added, "memory that was added", start, end);

	if (!err)
		err = check_list(run, &hp->devices, "a device", start, end);
	for (size_t i = 0; i < memory->nr && !err; i++)
		if (memory->regions[i].start < end && memory->regions[i].end > start)
			err = refuse_there(run, start, end, "memory", memory->regions[i].start,
					   memory->regions[i].end);
	for (size_t i = 0; i < hp->nr_offline && !err; i++)
		if (hp->offline[i].number << shift < end &&
		    (hp->offline[i].number + 1) << shift > start)
			err = refuse_there(run, start, end, "a memory block that is offline",
					   hp->offline[i].number << shift,
					   (hp->offline[i].number + 1) << shift);
	return err;
}

/* Boot made descriptors for whole sections: their holes cannot be filled. */
static int check_sections(struct mm_hotplug_run *run, phys_addr_t start, phys_addr_t end)
{
	const struct mm_sections *s = run->mm->model->sections(run->mm);
	unsigned bits = run->mm->arch->section_bits;

	for (pfn_t n = start >> bits; n <= (end - 1) >> bits; n++)
		if (mm_section_present(s, n))
			return refuse_there(run, start, end, "a section that has memory", n << bits,
					    (n + 1) << bits);
	return 0;
}

int mm_hotplug_check_node(struct mm_hotplug_run *run, int nid)
{
	if (nid >= 0 && nid < run->mm->nr_nodes)
		return 0;
	return mm_hotplug_refuse(run, -EINVAL,
				 "node %d is not possible: the machine has nodes 0 to %d, and one "
				 "that is to come has to be among them",
				 nid, run->mm->nr_nodes - 1);
}

int mm_hotplug_check_end(struct mm_hotplug_run *run, phys_addr_t start, phys_addr_t end)
{
	if (end > start && end <= run->hp->end)
		return 0;
	if (end <= start)
		return mm_hotplug_refuse(run, -EINVAL, "no bytes to add, or beyond 64 bits");
	return mm_hotplug_refuse(run, -EINVAL,
				 "[0x%" PRIx64 "-0x%" PRIx64 ") ends beyond 0x%" PRIx64
				 ", up to where memory can be added",
				 start, end, run->hp->end);
}

static int check_aligned(struct mm_hotplug_run *run, phys_addr_t start, uint64_t bytes)
{
	uint64_t block = mm_memory_block_bytes(run->mm);

	if (bytes && start % block == 0 && bytes % block == 0)
		return 0;
	return mm_hotplug_refuse(run, -EINVAL,
				 "0x%" PRIx64 "+0x%" PRIx64
				 ": expected whole memory blocks of 0x%" PRIx64 " bytes (%" PRIu64
				 " MiB)",
				 start, bytes, block, block >> 20);
}

static uint64_t memmap_bytes(const struct mm *mm, uint64_t bytes)
{
	return (bytes >> mm->arch->page_shift) * mm->arch->page_struct_bytes;
}

/*
 * mhp_supports_memmap_on_memory(): only what is added as one single memory block, and where the
 * descriptors fill whole huge mappings and page blocks.
 */
static bool holds_own_memmap(const struct mm_hotplug_run *run, uint64_t bytes)
{
	const struct mm *mm = run->mm;
	uint64_t own = memmap_bytes(mm, bytes);

	return run->hp->params[MM_HOTPLUG_MEMMAP_ON_MEMORY] && mm->model->devices &&
	       bytes == mm_memory_block_bytes(mm) && own % DIRECT_MAP_BYTES == 0 &&
	       (own >> mm->arch->page_shift) % (UINT64_C(1) << mm->arch->pageblock_order) == 0;
}

static int add_blocks(struct mm_hotplug_run *run, const struct mm_plugged *range, bool own)
{
	const struct mm *mm = run->mm;
	unsigned shift = run->hp->block_shift + mm->arch->page_shift;
	int err = mm_plugged_add(&run->hp->added, range);

	for (uint64_t n = range->start >> shift; n < range->end >> shift && !err; n++) {
		struct mm_memory_block block = {.number = n, .nid = range->nid};

		if (own)
			block.memmap_pages =
				memmap_bytes(mm, range->end - range->start) >> mm->arch->page_shift;
		err = mm_block_set_offline(run->hp, &block);
		run->done->blocks++;
	}
	return err;
}

int mm_hotplug_add(struct mm_hotplug_run *run, const struct mm_hotplug_step *step)
{
	struct mm *mm = run->mm;
	uint64_t block = mm_memory_block_bytes(mm);
	struct mm_plugged range = {.start = step->start,
				   .end = step->start + step->bytes,
				   .nid = step->nid,
				   .kmem = step->op == MM_HOTPLUG_ADD_KMEM};
	unsigned shift = mm->arch->page_shift;
	bool own;
	int err = mm_hotplug_check_end(run, range.start, range.end);

	if (!err && range.kmem) {
		range.start = (range.start + block - 1) & ~(block - 1);
		range.end &= ~(block - 1);
		if (range.start >= range.end)
			err = check_aligned(run, step->start, step->bytes);
	}
	if (!err)
		err = check_aligned(run, range.start, range.end - range.start);
	if (!err)
		err = mm_hotplug_check_node(run, range.nid);
	if (!err)
		err = mm_hotplug_check_free(run, range.start, range.end);
	if (!err)
		err = check_sections(run, range.start, range.end);
	if (err)
		return err;
	range.max_pages = (range.end - range.start) >> shift;
	own = holds_own_memmap(run, range.end - range.start);
	mm_work(mm, run->cpu, MM_SITE_PTE,
		(uint32_t)((range.end - range.start) / DIRECT_MAP_BYTES));
	err = mm_hot_memmap_add(run, range.start >> shift, range.end >> shift, range.nid,
				own ? range.start : MEMBLOCK_FAILED);
	return err ? err : add_blocks(run, &range, own);
}

int mm_hotplug_remove(struct mm_hotplug_run *run, phys_addr_t start, uint64_t bytes)
{
	struct mm *mm = run->mm;
	unsigned shift = run->hp->block_shift + mm->arch->page_shift;
	uint64_t first = start >> shift, end = (start + bytes) >> shift;
	int err = check_aligned(run, start, bytes);

	for (uint64_t n = first; n < end && !err; n++)
		if (mm_block_online(mm, n))
			err = mm_hotplug_refuse(
				run, -EBUSY,
				"memory%" PRIu64 " is online: it has to go offline first", n);
		else if (!mm_block_offline(run->hp, n))
			err = mm_block_refuse_none(run, n);
	if (err)
		return err;
	for (uint64_t n = first; n < end; n++)
		mm_block_forget(run->hp, n);
	err = mm_plugged_cut(&run->hp->added, start, start + bytes);
	mm_work(mm, run->cpu, MM_SITE_PTE, (uint32_t)(bytes / DIRECT_MAP_BYTES));
	mm_hot_memmap_remove(run, start >> mm->arch->page_shift,
			     (start + bytes) >> mm->arch->page_shift);
	for (int nid = 0; nid < mm->nr_nodes; nid++)
		mm->nodes[nid].flushed_last = NULL; /* its descriptor may be gone */
	run->done->blocks += end - first;
	return err;
}
