/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes from memblock what a kernel profile says that the kernel takes. It owns nothing: what it
 * takes is the kernel's for good, and nobody looks inside.
 *
 * Sizes of hash tables are those of alloc_large_system_hash() (Linux 6.1, mm/page_alloc.c), the
 * crash kernel's place that of reserve_crashkernel() (arch/x86/kernel/setup.c).
 */
#include "mm/boot/profile.h"
#include "mm/internal.h"

#define LOCAL_DISTANCE   10 /* of ACPI */
#define REMOTE_DISTANCE  20
#define HASH_ALIGN       64                   /* SMP_CACHE_BYTES */
#define HASH_ROUND_BYTES (UINT64_C(1) << 20)  /* memory counts in whole MiB */
#define ADAPT_BASE       (UINT64_C(64) << 30) /* from there on, 4 times the memory */
#define ADAPT_FACTOR     4                    /* is twice the buckets only */
#define HASH_MAX_ENTRIES (UINT64_C(1) << 31)  /* of any table */
#define HASH_MAX_SHARE   16                   /* at most this part of all memory */

struct boot_pages {
	uint64_t kernel; /* nr_kernel_pages: that the kernel reaches directly, less memmap */
	uint64_t all;    /* nr_all_pages */
};

uint64_t mm_memmap_pages(const struct mm *mm, const struct mm_zone *zone)
{
	uint64_t page = UINT64_C(1) << mm->arch->page_shift, pages = zone->spanned;

	if (mm->model->id >= MM_SPARSE && pages > zone->present + zone->present / 16)
		pages = zone->present;
	return (pages * mm->arch->page_struct_bytes + page - 1) / page;
}

/*
 * As free_area_init_core() counts. It also takes off what is reserved of ZONE_DMA, which is less
 * than the whole MiB that the sum is rounded to.
 */
static struct boot_pages count_pages(const struct mm *mm)
{
	struct boot_pages n = {0};

	for (int nid = 0; nid < mm->nr_nodes; nid++)
		for (int z = 0; z < mm->arch->nr_zones; z++) {
			const struct mm_zone *zone = &mm->nodes[nid].zones[z];
			uint64_t free = zone->present, memmap = mm_memmap_pages(mm, zone);

			if (!mm_is_highmem(mm, zone)) {
				free -= free >= memmap ? memmap : 0;
				n.kernel += free;
			} else if (n.kernel > 2 * memmap) {
				n.kernel -= memmap;
			}
			n.all += free;
		}
	return n;
}

static uint64_t round_up_power_of_two(uint64_t n)
{
	return n < 2 ? 1 : UINT64_C(1) << (64 - __builtin_clzll(n - 1));
}

static uint64_t hash_bytes(const struct mm *mm, const struct mm_hash_table *table)
{
	struct boot_pages pages = count_pages(mm);
	unsigned shift = mm->arch->page_shift;
	uint64_t memory = pages.kernel << shift, per_bucket = table->memory_per_bucket;
	uint64_t page = UINT64_C(1) << shift, entries, most;

	memory = (memory + HASH_ROUND_BYTES - 1) & ~(HASH_ROUND_BYTES - 1);
	if (mm->arch->flags_bits > 32)
		for (uint64_t at = ADAPT_BASE; at < memory; at *= ADAPT_FACTOR)
			per_bucket *= 2;
	entries = memory / per_bucket;
	if (entries * table->bucket_bytes < page)
		entries = page / table->bucket_bytes;
	entries = round_up_power_of_two(entries);
	most = (pages.all << shift) / HASH_MAX_SHARE / table->bucket_bytes;
	most = most < HASH_MAX_ENTRIES ? most : HASH_MAX_ENTRIES;
	/* Where the limit is no power of two, the one below it. */
	while (entries > 1 && entries > most)
		entries /= 2;
	return entries * table->bucket_bytes;
}

static phys_addr_t take(struct mm *mm, uint64_t bytes, uint64_t align, phys_addr_t below, int nid)
{
	phys_addr_t limit = mm_direct_limit(mm);

	if (below && below < limit)
		limit = below;
	return memblock_alloc_range(&mm->memblock, bytes, align, 0, limit, nid);
}

static int nodes_with_memory(const struct mm *mm)
{
	int nr = 0;

	for (int n = 0; n < mm->nr_nodes; n++)
		nr += mm->nodes[n].present > 0;
	return nr;
}

/* A table that finds no room is tried again at half the size, down to a page. */
static int take_hash_tables(struct mm *mm, const struct mm_profile *profile, struct mm_refusal *r)
{
	uint64_t page = UINT64_C(1) << mm->arch->page_shift;

	if (profile->hash_tables_spread && nodes_with_memory(mm) > 1)
		return 0;
	for (int i = 0; i < profile->nr_hash_tables; i++) {
		uint64_t bytes = hash_bytes(mm, &profile->hash_tables[i]);

		while (take(mm, bytes, HASH_ALIGN, 0, MM_NO_NODE) == MEMBLOCK_FAILED) {
			if (bytes <= page)
				return mm_refuse_room(r, "a hash table", bytes);
			bytes /= 2;
		}
	}
	return 0;
}

/* Sections with memory of the node: as the memory model counts them, by their first frame. */
static uint64_t sections_of(const struct mm *mm, int nid)
{
	const struct memblock_list *memory = &mm->memblock.memory;
	uint64_t nr = 0, next = 0;

	for (size_t i = 0; i < memory->nr; i++) {
		const struct memblock_region *m = &memory->regions[i];
		uint64_t first = m->start >> mm->arch->section_bits;
		uint64_t last = (m->end - 1) >> mm->arch->section_bits;

		first = first > next ? first : next;
		if (m->nid == nid && first <= last)
			nr += last - first + 1;
		next = last + 1 > next ? last + 1 : next;
	}
	return nr;
}

/* Without a table of firmware's (SLIT) they are 10 and 20. */
static uint64_t told_distances(const struct mm *mm)
{
	uint64_t nr = (uint64_t)mm->nr_nodes;
	const struct mm_params *p = &mm->params;
	bool told = p->numa_fake || p->numa_fake_bytes || p->numa_fake_each;

	for (uint64_t i = 0; i < nr * nr; i++)
		told |= mm->distance[i] != (i / nr == i % nr ? LOCAL_DISTANCE : REMOTE_DISTANCE);
	return told && !mm->params.numa_off ? nr * nr : 0;
}

static void take_piece(struct mm *mm, const struct mm_take *t, phys_addr_t possible_end)
{
	phys_addr_t end = mm->end_pfn << mm->arch->page_shift;
	bool bottom_up = mm->memblock.bottom_up;
	uint64_t distances = t->bytes_per_distance ? told_distances(mm) : 0;

	if ((t->if_top_down && bottom_up) || (t->if_bottom_up && !bottom_up))
		return;
	if (end <= t->if_memory_above)
		return;
	if (end <= t->if_possible_above && possible_end <= t->if_possible_above)
		return;
	if (t->bytes || distances)
		take(mm, t->bytes + distances * t->bytes_per_distance, t->align, t->below,
		     MM_NO_NODE);
	for (int n = 0; t->bytes_per_section && n < mm->nr_nodes; n++) {
		uint64_t bytes = sections_of(mm, n) * t->bytes_per_section;

		if (bytes && take(mm, bytes, t->align, t->below, n) == MEMBLOCK_FAILED)
			take(mm, bytes, t->align, t->below, MM_NO_NODE);
	}
}

/* The kernel boots on where there is no room for it. */
static void take_crash_kernel(struct mm *mm, const struct mm_crash_rule *rule, uint64_t bytes)
{
	if (take(mm, bytes, rule->align, rule->below, MM_NO_NODE) != MEMBLOCK_FAILED)
		return;
	if (rule->anywhere && take(mm, bytes, rule->align, 0, MM_NO_NODE) != MEMBLOCK_FAILED)
		take(mm, rule->low_bytes, rule->align, rule->below, MM_NO_NODE);
}

/* Where the kernel may once have memory. numa=off: SRAT, which announces more, is not read. */
static phys_addr_t possible_end(const struct mm_config *c)
{
	return c->params.numa_off ? 0 : c->possible_end;
}

static const struct mm_profile *profile_of(const struct mm_config *c)
{
	return c->bare || c->reservations_complete ? NULL : c->profile;
}

void mm_take_early(struct mm *mm, const struct mm_config *c)
{
	const struct mm_profile *profile = profile_of(c);

	for (int i = 0; profile && i < profile->nr_takes; i++)
		if (profile->takes[i].early)
			take_piece(mm, &profile->takes[i], possible_end(c));
}

int mm_take_by_profile(struct mm *mm, const struct mm_config *c, struct mm_refusal *r)
{
	const struct mm_profile *profile = profile_of(c);
	int err;

	if (!profile)
		return 0;
	if (c->crashkernel_bytes)
		take_crash_kernel(mm, &profile->crash, c->crashkernel_bytes);
	err = take_hash_tables(mm, profile, r);
	for (int i = 0; i < profile->nr_takes && !err; i++)
		if (!profile->takes[i].early)
			take_piece(mm, &profile->takes[i], possible_end(c));
	return err;
}
