/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of memory hotplug share. Within the mm core. */
#ifndef MM_HOTPLUG_STATE_H
#define MM_HOTPLUG_STATE_H

#include "mm/boot/section.h"
#include "mm/hotplug/hotplug.h"
#include "mm/internal.h"

/* Memory that one step added, or that a device has: a static memory group, by address. */
struct mm_plugged {
	phys_addr_t start, end;
	int nid;
	bool kmem;
	bool on_device; /* ZONE_DEVICE: the descriptors are in it */
	/* Memory: what of it is online, pages. */
	uint64_t present_kernel, present_movable, max_pages;
};

struct mm_plugged_list {
	struct mm_plugged *at; /* by address */
	size_t nr, room;
};

/* A memory block that is there, by its number; not on any list: offline. */
struct mm_memory_block {
	uint64_t number;
	int nid;
	uint64_t memmap_pages; /* of its first pages: they hold its own descriptors */
};

/*
 * Blocks that boot found are online and known by memblock alone, until they go offline.
 * Invariant: a block in offline[] has no memory in memblock.memory.
 */
struct mm_hotplug {
	struct mm_lock lock;
	unsigned block_shift; /* log2 of the frames of a memory block */
	uint64_t params[MM_NR_HOTPLUG_PARAMS];
	struct mm_memory_block *offline; /* by number */
	size_t nr_offline, offline_room;
	struct mm_memory_block *own_memmap; /* online, with memmap_pages; by number */
	size_t nr_own_memmap, own_memmap_room;
	struct mm_plugged_list added, devices;
	phys_addr_t end; /* nothing can be added from there on */
};

/* What a step is about while it runs. */
struct mm_hotplug_run {
	struct mm *mm;
	struct mm_hotplug *hp;
	int cpu;
	struct mm_hotplug_done *done;
	struct mm_refusal *r;
};

static inline pfn_t mm_block_pages(const struct mm_hotplug *hp)
{
	return UINT64_C(1) << hp->block_shift;
}

/** Fill the refusal. Returns `err`. */
int mm_hotplug_refuse(struct mm_hotplug_run *run, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* hotplug.c */
/** At boot, once the memory model is there. 0 or -ENOMEM. */
int mm_hotplug_init(struct mm *mm, const struct mm_config *c);
void mm_hotplug_free(struct mm *mm);

/* hotplug_blocks.c */
/** The entry of a block that is offline; NULL where it is not. */
struct mm_memory_block *mm_block_offline(const struct mm_hotplug *hp, uint64_t number);
/** Has the block any memory that is online? */
bool mm_block_online(const struct mm *mm, uint64_t number);
/** Was it there at boot? Then that is when its descriptors were made. */
bool mm_block_early(const struct mm *mm, uint64_t number);
/** Its pages of memory that are online. */
uint64_t mm_block_present(const struct mm *mm, uint64_t number);
/** Another one is offline: 0 or -ENOMEM. */
int mm_block_set_offline(struct mm_hotplug *hp, const struct mm_memory_block *block);
void mm_block_forget(struct mm_hotplug *hp, uint64_t number);
/** The same two for blocks that hold their own descriptors, while they are online. */
int mm_block_keep_memmap(struct mm_hotplug *hp, const struct mm_memory_block *block);
uint64_t mm_block_take_memmap(struct mm_hotplug *hp, uint64_t number);
/** Pages with descriptors that are no memory now, but could be, or are a device's. */
uint64_t mm_hotplug_absent_pages(const struct mm *mm);
/** Refuse for want of such a block; names the nearest that there is. -ENODEV. */
int mm_block_refuse_none(struct mm_hotplug_run *run, uint64_t number);
/** The range that has the block in it; NULL: boot found it. */
struct mm_plugged *mm_plugged_at(const struct mm_plugged_list *list, phys_addr_t at);
/** Add a range, which overlaps none. 0 or -ENOMEM. */
int mm_plugged_add(struct mm_plugged_list *list, const struct mm_plugged *range);
/** Cut [start, end) out of the ranges. 0 or -ENOMEM. */
int mm_plugged_cut(struct mm_plugged_list *list, phys_addr_t start, phys_addr_t end);

/* hotplug_zone.c */
/** The zone that a block goes online in, as the kernel would choose: index in node->zones. */
int mm_hotplug_zone(const struct mm *mm, enum mm_hotplug_op op, int nid, pfn_t start, pfn_t nr);
/** The two that its valid_zones names, -1 where there is only one. */
void mm_hotplug_valid_zones(const struct mm *mm, int nid, pfn_t start, pfn_t nr, int zones[2]);
/** Spans of zone and node take in [start, start + nr); page blocks are movable. 0 or -ENOMEM. */
int mm_zone_grow(struct mm *mm, struct mm_zone *zone, pfn_t start, pfn_t nr);
/**
 * Memory of boot is its zone's by address, until spans of zones may overlap: from now on it says
 * itself whose it is. 0 or -ENOMEM.
 */
int mm_zones_pin(struct mm *mm);
/** [start, start + nr) has left: spans shrink where it was at an end. */
void mm_zone_shrink(struct mm *mm, struct mm_zone *zone, pfn_t start, pfn_t nr);
/**
 * What is computed from how much memory zones have, after a change: lists for new zones
 * (`populated` says that one has got memory or lost its last), min_free_kbytes, watermarks,
 * lowmem_reserve, thresholds and sizes of per-CPU lists. 0 or -ENOMEM.
 */
int mm_zones_changed(struct mm *mm, bool populated);

/* hotplug_online.c, hotplug_offline.c, hotplug_add.c, hotplug_device.c */
int mm_hotplug_online(struct mm_hotplug_run *run, enum mm_hotplug_op op, uint64_t number);
int mm_hotplug_offline(struct mm_hotplug_run *run, uint64_t number);
int mm_hotplug_add(struct mm_hotplug_run *run, const struct mm_hotplug_step *step);
int mm_hotplug_remove(struct mm_hotplug_run *run, phys_addr_t start, uint64_t bytes);
int mm_hotplug_device(struct mm_hotplug_run *run, const struct mm_hotplug_step *step);
int mm_hotplug_device_remove(struct mm_hotplug_run *run, const struct mm_hotplug_step *step);
/** Can the node be, and [start, end) be added? Refuse otherwise, -EINVAL. */
int mm_hotplug_check_node(struct mm_hotplug_run *run, int nid);
int mm_hotplug_check_end(struct mm_hotplug_run *run, phys_addr_t start, phys_addr_t end);
/** Is there memory, online or offline, or a device in [start, end)? Refuses then, -EEXIST. */
int mm_hotplug_check_free(struct mm_hotplug_run *run, phys_addr_t start, phys_addr_t end);

/* hotplug_memmap.c */
/**
 * Make the descriptors of [start, end), section by section: from address `at` on, or where that is
 * MEMBLOCK_FAILED, in RAM that is allocated for them. 0, or -ENOMEM with *r filled.
 */
int mm_hot_memmap_add(struct mm_hotplug_run *run, pfn_t start, pfn_t end, int nid, phys_addr_t at);
void mm_hot_memmap_remove(struct mm_hotplug_run *run, pfn_t start, pfn_t end);
/** The descriptors are initialised: costs the writing of them. */
void mm_hot_memmap_init(struct mm *mm, int cpu, pfn_t start, pfn_t nr);

/* hotplug_verify.c */
/** As mm_verify(). */
int mm_hotplug_verify(const struct mm *mm, char *why, size_t size);

/* holder.c */
/** Who has a frame of memory that is not free, and why it cannot be moved, as one line. */
void mm_holder_text(const struct mm *mm, pfn_t pfn, char *text, size_t size);

#endif
