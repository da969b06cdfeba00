/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From our descriptors to the kernel's words: the bits of include/linux/page-flags.h (6.1) that
 * follow from what the mm core knows. A free block is no flag there, but a page type.
 */
#include "mm/page_info.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "mm/alloc/pageblock.h"
#include "mm/huge/huge_pool.h"
#include "mm/internal.h"
#include "mm/slab/slub.h"
#include "mm/user/user_state.h"

enum kernel_bit {
	BIT_LOCKED = 0,
	BIT_REFERENCED = 1,
	BIT_UPTODATE = 2,
	BIT_DIRTY = 3,
	BIT_LRU = 4,
	BIT_ACTIVE = 5,
	BIT_WORKINGSET = 6,
	BIT_SLAB = 9,
	BIT_OWNER_PRIV_1 = 10, /* also: in the swap cache */
	BIT_RESERVED = 12,
	BIT_WRITEBACK = 15,
	BIT_HEAD = 16,
	BIT_RECLAIM = 18,
	BIT_SWAPBACKED = 19,
	BIT_UNEVICTABLE = 20,
	BIT_MLOCKED = 21,
};

static const char *const names[] = {
	"locked",     "referenced", "uptodate",    "dirty",     "lru",          "active",
	"workingset", "waiters",    "error",       "slab",      "owner_priv_1", "arch_1",
	"reserved",   "private",    "private_2",   "writeback", "head",         "mappedtodisk",
	"reclaim",    "swapbacked", "unevictable", "mlocked"};

const char *mm_page_flag_name(unsigned bit)
{
	return bit < sizeof(names) / sizeof(*names) ? names[bit] : NULL;
}

/* What a user's page is: its kind, or where processes do not know it what reclaim takes it for. */
static bool is_anon(struct mm *mm, const struct page *page)
{
	if (page->user)
		return mm_upage(mm, page)->kind == UP_ANON;
	return (page->flags & PG_SWAPBACKED) && !page->cached;
}

/* User memory has content as soon as it is there, but for what is still being read. */
static bool is_uptodate(struct mm *mm, const struct page *page)
{
	if (page->refcount <= 0 || page->locked)
		return false;
	return page->user ? mm_upage(mm, page)->kind != UP_ROOT : page->flags & PG_LRU;
}

/*
 * Dirty in PG_DIRTY is what would have to be written; of anonymous memory the kernel leaves that to
 * its page table entries until it has a place in swap. Of pages that cannot be reclaimed all are
 * locked in memory here.
 */
static uint64_t kernel_flags(struct mm *mm, const struct page *page)
{
	static const struct {
		uint64_t ours;
		enum kernel_bit bit;
	} map[] = {
		{PG_REFERENCED, BIT_REFERENCED},
		{PG_DIRTY, BIT_DIRTY},
		{PG_ON_LRU, BIT_LRU},
		{PG_ACTIVE, BIT_ACTIVE},
		{PG_SWAPCACHE, BIT_OWNER_PRIV_1},
		{PG_WRITEBACK, BIT_WRITEBACK},
		{PG_HUGETLB, BIT_HEAD},
		{PG_RECLAIM, BIT_RECLAIM},
		{PG_SWAPBACKED, BIT_SWAPBACKED},
		{PG_UNEVICTABLE, BIT_UNEVICTABLE},
		{PG_UNEVICTABLE, BIT_MLOCKED},
	};
	uint64_t flags = 0;

	for (size_t i = 0; i < sizeof(map) / sizeof(*map); i++)
		flags |= page->flags & map[i].ours ? UINT64_C(1) << map[i].bit : 0;
	if (is_anon(mm, page) && !(page->flags & PG_SWAPCACHE))
		flags &= ~(UINT64_C(1) << BIT_DIRTY);
	flags |= is_uptodate(mm, page) ? UINT64_C(1) << BIT_UPTODATE : 0;
	flags |= page->locked ? UINT64_C(1) << BIT_LOCKED : 0;
	flags |= page->workingset ? UINT64_C(1) << BIT_WORKINGSET : 0;
	if (page->refcount > 0 && page->order && page->comp)
		flags |= UINT64_C(1) << BIT_HEAD;
	return flags;
}

static uint64_t field(uint64_t value, unsigned shift, unsigned width)
{
	return width ? (value & ((UINT64_C(1) << width) - 1)) << shift : 0;
}

/* The head of the block that the frame is in: the nearest one below that reaches so far. */
static pfn_t find_head(struct mm *mm, pfn_t pfn)
{
	for (unsigned order = 0; order <= MAX_PAGE_ORDER; order++) {
		pfn_t head = pfn & ~((UINT64_C(1) << order) - 1);
		const struct page *page;

		if (!mm_pfn_valid(mm, head))
			break;
		page = mm_pfn_to_page(mm, MM_NO_CPU, head);
		if (((page->flags & PG_STATE_MASK) || page->refcount > 0) &&
		    head + (UINT64_C(1) << page->order) > pfn)
			return head;
	}
	return mm_hugetlb_head(mm, pfn) ? mm_pfn_of(mm, mm_hugetlb_head(mm, pfn)) : pfn;
}

/* Blocks that nobody has asked for since boot have no descriptors yet. */
static bool is_pristine(const struct mm_zone *zone, pfn_t pfn)
{
	for (size_t i = zone->next_pristine; i < zone->nr_pristine; i++)
		if (pfn >= zone->pristine[i].start && pfn < zone->pristine[i].end)
			return true;
	return false;
}

/* Is it whole pages of kmalloc(), which are no slab? */
static bool is_large_kmalloc(struct mm *mm, const struct page *head)
{
	const struct mm_slab *slab;

	if (!head->slab || head->refcount <= 0)
		return false;
	slab = mm_slab_of(mm, mm_page_address(mm, head));
	return !slab || !slab->cache;
}

static const char *use_of(struct mm *mm, const struct page *head, bool pristine)
{
	if ((head->flags & PG_BUDDY) || pristine)
		return "free";
	if (head->flags & PG_PCP)
		return "per-cpu";
	if (head->flags & PG_HELD)
		return "held";
	if (head->flags & PG_HUGETLB)
		return "hugetlb";
	if (is_large_kmalloc(mm, head))
		return "kmalloc";
	return head->refcount > 0 ? "in use" : "reserved";
}

/* Entries of page tables that map it: what processes have; else whether reclaim sees it mapped. */
static int mapcount_of(struct mm *mm, const struct page *head)
{
	if (head->user && head->refcount > 0)
		return (int)mm_upage(mm, head)->mapcount;
	return head->flags & PG_MAPPED ? 1 : 0;
}

static const char *mapping_of(struct mm *mm, const struct page *head, uint64_t *index)
{
	static const char *const mappings[] = {
		[UP_ANON] = "anon", [UP_FILE] = "file", [UP_SHMEM] = "shmem", [UP_ROOT] = NULL};
	const struct mm_upage *up;

	if (!head->user || head->refcount <= 0)
		return NULL;
	up = mm_upage(mm, head);
	*index = up->index;
	return mappings[up->kind];
}

static const char *slab_of(struct mm *mm, const struct page *head)
{
	if (!head->slab || head->refcount <= 0 || is_large_kmalloc(mm, head))
		return NULL;
	return mm_slab_of(mm, mm_page_address(mm, head))->cache->name;
}

static void fill(struct mm *mm, const struct page *page, const struct mm_zone *zone,
		 struct mm_page_info *info)
{
	const struct page *head = mm_pfn_to_page(mm, MM_NO_CPU, info->head);
	pfn_t pfn = mm_pfn_of(mm, page);
	bool pristine = is_pristine(zone, pfn);

	if (pristine) {
		info->head = mm_round_block_down(pfn);
		info->order = info->head == pfn ? MAX_PAGE_ORDER : 0;
	} else if (info->head == pfn) {
		info->order = page->order;
	}
	info->nid = zone->nid;
	info->zone = zone->index;
	info->use = use_of(mm, head, pristine);
	info->refcount = page->refcount;
	info->mapcount = mapcount_of(mm, head);
	info->slab = slab_of(mm, head);
	info->mapping = mapping_of(mm, head, &info->index);
	info->block_type = (int)mm_pageblock_type(mm, zone, pfn);
	info->flags =
		kernel_flags(mm, page) |
		field((uint64_t)zone->nid, mm->flags.node_shift, mm->flags.node_width) |
		field((uint64_t)zone->index, mm->flags.zone_shift, mm->flags.zone_width) |
		field((uint64_t)info->section, mm->flags.section_shift, mm->flags.section_width);
	if (info->slab && info->head == pfn)
		info->flags |= UINT64_C(1) << BIT_SLAB;
	if (info->use[0] == 'r') {
		info->flags |= UINT64_C(1) << BIT_RESERVED;
		info->refcount = 1; /* as the kernel initialises it */
	}
}

int mm_page_info(struct mm *mm, pfn_t pfn, struct mm_page_info *info)
{
	bool sections = mm->model->id == MM_SPARSE || mm->model->id == MM_SPARSE_VMEMMAP;
	const struct mm_zone *zone;
	const struct page *page;

	if (!mm_pfn_valid(mm, pfn))
		return -ENOENT;
	page = mm_pfn_to_page(mm, MM_NO_CPU, pfn);
	zone = mm_zone_of_pfn(mm, pfn);
	*info = (struct mm_page_info){
		.at = mm->model->descriptor_at(mm, page, NULL),
		.nid = MM_NO_NODE,
		.zone = -1,
		.section = -1,
		.block_type = -1,
		.head = pfn,
		.use = "hole",
	};
	if (sections)
		info->section = (int64_t)(pfn >> (mm->arch->section_bits - mm->arch->page_shift));
	if (!zone)
		return 0;
	info->head = find_head(mm, pfn);
	fill(mm, page, zone, info);
	return 0;
}

const char *mm_page_info_counts(const struct mm_page_info *info, pfn_t pfn, char *text, size_t size)
{
	int len = snprintf(text, size, "page: pfn:0x%" PRIx64 " refcount:%d mapcount:%d order:%u",
			   pfn, info->refcount, info->mapcount, info->order);
	if (len > 0 && (size_t)len < size && info->slab)
		snprintf(text + len, size - (size_t)len, " slab:%s", info->slab);
	else if (len > 0 && (size_t)len < size && info->mapping)
		snprintf(text + len, size - (size_t)len, " mapping:%s index:0x%" PRIx64,
			 info->mapping, info->index);
	return text;
}

const char *mm_page_info_flags(const struct mm *mm, const struct mm_page_info *info, char *text,
			       size_t size)
{
	const char *between = "";
	int len = snprintf(text, size, "flags: 0x%" PRIx64 "(", info->flags);

	for (unsigned bit = 0; mm_page_flag_name(bit) && (size_t)len < size; bit++)
		if (info->flags >> bit & 1) {
			len += snprintf(text + len, size - (size_t)len, "%s%s", between,
					mm_page_flag_name(bit));
			between = "|";
		}
	if (info->nid != MM_NO_NODE && (size_t)len < size) {
		len += snprintf(text + len, size - (size_t)len, "%snode=%d|zone=%s", between,
				info->nid, mm->arch->zones[info->zone].name);
		between = "|";
	}
	if (info->section >= 0 && (size_t)len < size)
		len += snprintf(text + len, size - (size_t)len, "%ssection=%" PRId64, between,
				info->section);
	if ((size_t)len < size)
		snprintf(text + len, size - (size_t)len, ")");
	return text;
}
