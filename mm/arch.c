/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The architectures that the mm core knows, as data. Sources: Linux 6.1 arch/x86/mm/init.c and
 * init_32.c, arch/arm64/mm/init.c for the zone limits; the boot messages and memblock dumps of
 * the reference captures for page->flags, sections and the sizes of structures (struct page has 40
 * bytes on their i386 kernels, which have memory cgroups; x86_64 sizes its section table for 52
 * physical bits). Without PAE i386 has two levels of page tables: huge pages and so page blocks of
 * 4 MiB, 32 physical bits (arch/x86/include/asm/pgtable-2level_types.h, sparsemem.h). arm64 was
 * not captured: its structure sizes and flags are those of x86_64, its CPU numbers those of NR_CPUS
 * = 256, the default of its Kconfig; its smallest kmalloc() is ARCH_DMA_MINALIGN of 6.1.
 */
#include <string.h>

#include "mm/arch.h"

#define MiB            (UINT64_C(1) << 20)
#define GiB            (UINT64_C(1) << 30)
#define NO_LIMIT       UINT64_MAX
#define NOT_BY_ADDRESS 0

/*
 * 896 MiB less what the fixed mappings above vmalloc take: "low ram: 0 - 36ffe000". Some of them
 * begin at multiples of what an upper page table entry maps: 2 MiB, without PAE 4 MiB, and then it
 * is 0x36bfe000.
 */
#define I386_LOWMEM       0x36ffe000
#define I386_NOPAE_LOWMEM 0x36bfe000

/* mm_arch.zone_index: DMA, DMA32, Normal, HighMem, Movable, Device. */
#define ZONES_64                                                                                   \
	{                                                                                          \
		0, 1, 2, -1, 3, 4                                                                  \
	}
#define ZONES_I386                                                                                 \
	{                                                                                          \
		0, -1, 1, 2, 3, -1                                                                 \
	}

static const struct mm_arch archs[MM_NR_ARCHS] = {
	[MM_X86_64] =
		{
			.id = MM_X86_64,
			.name = "x86_64",
			.page_shift = 12,
			.page_struct_bytes = 64,
			.section_bits = 27,
			.max_phys_bits = 46,
			.section_phys_bits = 52,
			.section_struct_bytes = 32,
			.kmalloc_min = 8,
			.vm_struct_bytes = 64,
			.node_struct_bytes = 174208,
			.percpu_bytes = 253952,
			.percpu_alloc_bytes = 2 * MiB,
			.nodes_shift = 10,
			.flags_bits = 64,
			.nr_pageflags = 25,
			.lru_gen_bits = 3,
			.last_cpupid_bits = 8 + 13,
			.pageblock_order = 9,
			.gigantic_order = 18,
			.low_megabyte_reserved = true,
			.early_bottom_up = true,
			.deferred_by_all_cpus = true,
			.mem_is_an_address = true,
			.nr_zones = 5,
			.zones =
				{
					{MM_ZONE_DMA, "DMA", 16 * MiB},
					{MM_ZONE_DMA32, "DMA32", 4 * GiB},
					{MM_ZONE_NORMAL, "Normal", NO_LIMIT},
					{MM_ZONE_MOVABLE, "Movable", NOT_BY_ADDRESS},
					{MM_ZONE_DEVICE, "Device", NOT_BY_ADDRESS},
				},
			.zone_index = ZONES_64,
		},
	[MM_I386] =
		{
			.id = MM_I386,
			.name = "i386",
			.page_shift = 12,
			.page_struct_bytes = 40,
			.section_bits = 29,
			.max_phys_bits = 36,
			.section_phys_bits = 36,
			.section_struct_bytes = 16,
			.kmalloc_min = 8,
			.vm_struct_bytes = 36,
			.node_struct_bytes = 8192,
			.percpu_bytes = 135168,
			.percpu_alloc_bytes = 4096,
			.nodes_shift = 3,
			.flags_bits = 32,
			.nr_pageflags = 24,
			.lru_gen_bits = 3,
			.last_cpupid_bits = 0,
			.pageblock_order = 9,
			.low_megabyte_reserved = true,
			.mem_is_an_address = true,
			.nr_zones = 4,
			.zones =
				{
					{MM_ZONE_DMA, "DMA", 16 * MiB},
					{MM_ZONE_NORMAL, "Normal", I386_LOWMEM},
					{MM_ZONE_HIGHMEM, "HighMem", NO_LIMIT},
					{MM_ZONE_MOVABLE, "Movable", NOT_BY_ADDRESS},
				},
			.zone_index = ZONES_I386,
		},
	[MM_I386_NOPAE] =
		{
			.id = MM_I386_NOPAE,
			.name = "i386-nopae",
			.page_shift = 12,
			.page_struct_bytes = 40,
			.section_bits = 26,
			.max_phys_bits = 32,
			.section_phys_bits = 32,
			.section_struct_bytes = 16,
			.kmalloc_min = 8,
			.vm_struct_bytes = 32,
			.node_struct_bytes = 8192,
			.percpu_bytes = 135168,
			.percpu_alloc_bytes = 4096,
			.nodes_shift = 3,
			.flags_bits = 32,
			.nr_pageflags = 24,
			.lru_gen_bits = 3,
			.last_cpupid_bits = 0,
			.pageblock_order = 10,
			.low_megabyte_reserved = true,
			.mem_is_an_address = true,
			.nr_zones = 4,
			.zones =
				{
					{MM_ZONE_DMA, "DMA", 16 * MiB},
					{MM_ZONE_NORMAL, "Normal", I386_NOPAE_LOWMEM},
					{MM_ZONE_HIGHMEM, "HighMem", NO_LIMIT},
					{MM_ZONE_MOVABLE, "Movable", NOT_BY_ADDRESS},
				},
			.zone_index = ZONES_I386,
		},
	[MM_ARM64] =
		{
			.id = MM_ARM64,
			.name = "arm64",
			.page_shift = 12,
			.page_struct_bytes = 64,
			.section_bits = 27,
			.max_phys_bits = 48,
			.section_phys_bits = 48,
			.section_struct_bytes = 32,
			.kmalloc_min = 128,
			.vm_struct_bytes = 64,
			.node_struct_bytes = 174208,
			.percpu_bytes = 253952,
			.percpu_alloc_bytes = 4096,
			.nodes_shift = 4,
			.flags_bits = 64,
			.nr_pageflags = 25,
			.lru_gen_bits = 3,
			.last_cpupid_bits = 8 + 8,
			.pageblock_order = 9,
			.gigantic_order = 18,
			.low_megabyte_reserved = false,
			.dma_limits_need_low_memory = true,
			.cma_below_dma_limit = true,
			.nr_zones = 5,
			.zones =
				{
					{MM_ZONE_DMA, "DMA", 4 * GiB},
					{MM_ZONE_DMA32, "DMA32", 4 * GiB},
					{MM_ZONE_NORMAL, "Normal", NO_LIMIT},
					{MM_ZONE_MOVABLE, "Movable", NOT_BY_ADDRESS},
					{MM_ZONE_DEVICE, "Device", NOT_BY_ADDRESS},
				},
			.zone_index = ZONES_64,
		},
};

const struct mm_arch *mm_arch(enum mm_arch_id id)
{
	return &archs[id];
}

const struct mm_arch *mm_arch_by_name(const char *name)
{
	for (int i = 0; i < MM_NR_ARCHS; i++)
		if (strcmp(archs[i].name, name) == 0)
			return &archs[i];
	return NULL;
}

int mm_arch_zone_by_name(const struct mm_arch *arch, const char *name)
{
	for (int i = 0; i < arch->nr_zones; i++)
		if (strcmp(arch->zones[i].name, name) == 0)
			return i;
	return -1;
}
