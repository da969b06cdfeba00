/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Computes the map of the kernel's addresses. Sources, all of Linux 6.1:
 * arch/x86/include/asm/pgtable_32_areas.h, fixmap.h and cpu_entry_area.h for i386, whose fixed
 * mappings are those of Debian's configuration for 32 CPUs: two captures confirm where that puts
 * the end of low memory and the size of the vmalloc area, with and without PAE.
 * Documentation/x86/x86_64/mm.rst and Documentation/arm64/memory.rst (4 KiB pages, 48 bits) for
 * the others, without randomisation;
 * how many fixed mappings those have is up to their configuration, and nothing here uses them.
 */
#include "mm/vmalloc/vm_map.h"

#define KiB  (UINT64_C(1) << 10)
#define MiB  (UINT64_C(1) << 20)
#define GiB  (UINT64_C(1) << 30)
#define TiB  (UINT64_C(1) << 40)
#define PAGE (4 * KiB)

#define I386_TOP         (4 * GiB)
#define I386_FIXADDR_TOP UINT64_C(0xfffff000)
#define I386_NR_CPUS     32        /* of the kernel's configuration, not of the machine */
#define VMALLOC_OFFSET   (8 * MiB) /* hole between the direct mapping and vmalloc() */
#define VMALLOC_DEFAULT  (128 * MiB)
#define LOWMEM_LEAST     (16 * MiB) /* ZONE_DMA: without it no kernel boots */
/*
 * Permanent fixed mappings, in pages: the hole at the top, the debug port, the early console, OHCI,
 * the local APIC and 64 I/O APICs; behind them the slots of kmap_local(); then PCI configuration
 * and two of APEI.
 */
#define FIXED_BEFORE_KMAP (1 + 1 + 1 + 1 + 1 + 64)
#define FIXED_BEHIND_KMAP (1 + 2)
#define FIXED_BOOT        512 /* temporary ones of early boot, aligned to their number */
#define FIXED_LATE        2   /* write protection test, trusted boot */
/* struct cpu_entry_area: GDT, stacks, TSS with the I/O bitmaps, debug store and its buffers. */
#define CPU_ENTRY_PAGES 41

static const char *const split_names[] = {"3G", "3G_OPT", "2G", "2G_OPT", "1G"};
static const uint64_t page_offsets[] = {0xc0000000, 0xb0000000, 0x80000000, 0x78000000, 0x40000000};

const char *mm_vmsplit_name(unsigned split)
{
	return split < MM_NR_VMSPLITS ? split_names[split] : NULL;
}

static bool is_i386(const struct mm_arch *arch)
{
	return arch->id == MM_I386 || arch->id == MM_I386_NOPAE;
}

/* What an entry of an upper table maps: the fixed areas begin at multiples of it. */
static uint64_t pmd_bytes(const struct mm_arch *arch)
{
	return arch->id == MM_I386 ? 2 * MiB : 4 * MiB;
}

static uint64_t fixmap_pages(void)
{
	return FIXED_BEFORE_KMAP + MM_KMAP_SLOTS * I386_NR_CPUS + FIXED_BEHIND_KMAP;
}

/* With those of early boot, which begin at a multiple of their number. */
static uint64_t fixmap_all_pages(void)
{
	uint64_t boot = (fixmap_pages() + FIXED_BOOT - 1) / FIXED_BOOT * FIXED_BOOT;

	return boot + FIXED_BOOT + FIXED_LATE;
}

/* From the top of the address space downwards. */
static void i386_fixed(const struct mm_arch *arch, struct mm_vm_map *map)
{
	uint64_t mask = ~(pmd_bytes(arch) - 1);
	uint64_t fixed_all = I386_FIXADDR_TOP - fixmap_all_pages() * PAGE;

	map->fixmap =
		(struct mm_vm_range){I386_FIXADDR_TOP - fixmap_pages() * PAGE, I386_FIXADDR_TOP};
	/* The kernel counts fixed mappings from FIXADDR_TOP, which is the address of the first. */
	map->kmap_slots_end = I386_FIXADDR_TOP - (FIXED_BEFORE_KMAP - 1) * PAGE;
	/* One page more: the read-only interrupt descriptor table. */
	map->cpu_entry.start = (fixed_all - PAGE * (CPU_ENTRY_PAGES * I386_NR_CPUS + 1)) & mask;
	map->cpu_entry.end = map->cpu_entry.start + PAGE * (CPU_ENTRY_PAGES * I386_NR_CPUS + 1);
	map->ldt.start = (map->cpu_entry.start - PAGE) & mask;
	map->ldt.end = map->ldt.start + pmd_bytes(arch);
	map->pkmap.start = (map->ldt.start - PAGE) & mask;
	/* One table of entries: 1024, or 512 of twice the size. */
	map->pkmap.end = map->pkmap.start + pmd_bytes(arch);
	map->vmalloc.end = map->pkmap.start - 2 * PAGE;
}

uint64_t mm_vm_direct_bytes(const struct mm_arch *arch, const struct mm_vm_params *params)
{
	bool opt = params->split == MM_VMSPLIT_3G_OPT || params->split == MM_VMSPLIT_2G_OPT;
	struct mm_vm_map map;
	uint64_t reserve =
		params->vmalloc_bytes ? params->vmalloc_bytes + VMALLOC_OFFSET : VMALLOC_DEFAULT;
	uint64_t room;

	if (!is_i386(arch))
		return UINT64_MAX;
	if (opt && arch->id == MM_I386)
		return 0;
	i386_fixed(arch, &map);
	room = map.vmalloc.end - page_offsets[params->split];
	if (params->vmalloc_bytes > room || reserve > room || room - reserve < LOWMEM_LEAST)
		return 0;
	return (room - reserve) & ~(PAGE - 1);
}

static void i386_map(const struct mm_arch *arch, const struct mm_vm_params *params,
		     uint64_t direct_end, struct mm_vm_map *map)
{
	uint64_t offset = page_offsets[params->split];
	uint64_t limit = mm_vm_direct_bytes(arch, params);

	i386_fixed(arch, map);
	map->direct =
		(struct mm_vm_range){offset, offset + (direct_end < limit ? direct_end : limit)};
	map->vmalloc.start = map->direct.end + VMALLOC_OFFSET;
	map->va_bits = 32;
	/* The tables above those of single pages are there from boot. */
	map->root_shift = arch->id == MM_I386 ? 21 : 22;
	map->direct_shift = map->root_shift; /* PSE */
	map->table_shift = arch->id == MM_I386 ? 9 : 10;
	map->entry_bytes = arch->id == MM_I386 ? 8 : 4;
}

static struct mm_vm_range range(uint64_t start, uint64_t bytes)
{
	return (struct mm_vm_range){start, start + bytes};
}

static void x86_64_map(const struct mm_vm_params *params, uint64_t direct_end,
		       struct mm_vm_map *map)
{
	bool la57 = params->la57;

	map->direct = range(la57 ? UINT64_C(0xff11000000000000) : UINT64_C(0xffff888000000000),
			    direct_end);
	map->vmalloc = range(la57 ? UINT64_C(0xffa0000000000000) : UINT64_C(0xffffc90000000000),
			     (la57 ? 12800 : 32) * TiB - 1);
	map->vmemmap = range(la57 ? UINT64_C(0xffd4000000000000) : UINT64_C(0xffffea0000000000),
			     la57 ? 512 * TiB : TiB);
	map->cpu_entry = range(UINT64_C(0xfffffe0000000000), TiB / 2);
	map->text = range(UINT64_C(0xffffffff80000000), 512 * MiB);
	map->modules = (struct mm_vm_range){map->text.end, UINT64_C(0xffffffffff000000)};
	map->va_bits = la57 ? 57 : 48;
	map->root_shift = la57 ? 48 : 39;
	map->direct_shift = 30; /* PDPE1GB, which servers have had since 2010 */
	map->huge = true;
}

static void arm64_map(uint64_t direct_end, struct mm_vm_map *map)
{
	map->direct = range(UINT64_C(0xffff000000000000), direct_end);
	map->vmalloc =
		(struct mm_vm_range){UINT64_C(0xffff800008000000), UINT64_C(0xfffffbfff0000000)};
	map->vmemmap = range(UINT64_C(0xfffffc0000000000), 2 * TiB);
	map->modules = range(UINT64_C(0xffff800000000000), 128 * MiB);
	map->va_bits = 48;
	map->root_shift = 39;
	map->direct_shift = 12; /* rodata=full: pages have to be unmapped one by one */
	map->huge = true;
}

void mm_vm_map_init(const struct mm_arch *arch, const struct mm_vm_params *params,
		    uint64_t direct_end, struct mm_vm_map *map)
{
	*map = (struct mm_vm_map){.table_shift = 9, .entry_bytes = 8};
	if (is_i386(arch))
		i386_map(arch, params, direct_end, map);
	else if (arch->id == MM_X86_64)
		x86_64_map(params, direct_end, map);
	else
		arm64_map(direct_end, map);
}
