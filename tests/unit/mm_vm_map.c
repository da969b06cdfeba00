/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's address space. Ends of low memory and sizes of the vmalloc area are those of
 * captured i386 kernels (dmesg "low ram", meminfo VmallocTotal); with other splits and vmalloc=
 * they follow.
 */
#include <criterion/criterion.h>
#include <errno.h>

#include "../mm_fixture.h"
#include "mm/vmalloc/vm_map.h"

static uint64_t direct(enum mm_arch_id arch, uint64_t vmalloc, enum mm_vmsplit split)
{
	return mm_vm_direct_bytes(mm_arch(arch), &(struct mm_vm_params){vmalloc, split, false});
}

static struct mm_vm_map map_of(enum mm_arch_id arch, uint64_t end)
{
	struct mm_vm_map map;

	mm_vm_map_init(mm_arch(arch), &(struct mm_vm_params){0}, end, &map);
	return map;
}

/* "low ram: 0 - 36ffe000" with PAE, 0x36bfe000 without. */
Test(vm_map, low_memory_ends_where_the_captured_kernels_have_it)
{
	cr_expect_eq(direct(MM_I386, 0, MM_VMSPLIT_3G), 0x36ffe000);
	cr_expect_eq(direct(MM_I386_NOPAE, 0, MM_VMSPLIT_3G), 0x36bfe000);
	cr_expect_eq(direct(MM_X86_64, 0, MM_VMSPLIT_3G), UINT64_MAX, "no high memory");
}

/* Half a GiB or a whole one more for the kernel is the direct mapping's. */
Test(vm_map, what_the_split_gives_is_low_memory)
{
	cr_expect_eq(direct(MM_I386, 0, MM_VMSPLIT_2G), 0x36ffe000 + GiB);
	cr_expect_eq(direct(MM_I386, 0, MM_VMSPLIT_1G), 0x36ffe000 + 2 * GiB);
	cr_expect_eq(direct(MM_I386_NOPAE, 0, MM_VMSPLIT_3G_OPT), 0x36bfe000 + 256 * MiB);
	cr_expect_eq(direct(MM_I386_NOPAE, 0, MM_VMSPLIT_2G_OPT), 0x36bfe000 + GiB + 128 * MiB);
	cr_expect_eq(direct(MM_I386, 0, MM_VMSPLIT_2G_OPT), 0, "not with PAE");
}

/* vmalloc=128M is 8 MiB more than the default of 128 MiB, hole included. */
Test(vm_map, what_vmalloc_gets_low_memory_does_not)
{
	cr_expect_eq(direct(MM_I386, 128 * MiB, MM_VMSPLIT_3G), 0x36ffe000 - 8 * MiB);
	cr_expect_eq(direct(MM_I386, 512 * MiB, MM_VMSPLIT_3G), 0x36ffe000 - 392 * MiB);
	cr_expect_eq(direct(MM_I386, GiB, MM_VMSPLIT_3G), 0);
	cr_expect_eq(direct(MM_I386, UINT64_MAX, MM_VMSPLIT_3G), 0);
	cr_expect_eq(direct(MM_I386, GiB, MM_VMSPLIT_2G),
		     0x36ffe000 + GiB + 128 * MiB - GiB - 8 * MiB);
}

/* "VmallocTotal: 122880 kB" of 2 GiB with PAE, 495748 kB of 511.9 MiB without. */
Test(vm_map, size_of_the_vmalloc_area)
{
	struct mm_vm_map pae = map_of(MM_I386, 2 * GiB), small = map_of(MM_I386_NOPAE, 0x1ffdd000);

	cr_expect_eq(pae.vmalloc.end - pae.vmalloc.start, 122880 * KiB);
	cr_expect_eq(pae.direct.end, 0xf6ffe000);
	cr_expect_eq(small.vmalloc.end - small.vmalloc.start, 495748 * KiB);
	cr_expect_eq((pae.pkmap.end - pae.pkmap.start) / 4096, 512);
	cr_expect_eq((small.pkmap.end - small.pkmap.start) / 4096, 1024);
}

/* Documentation/x86/x86_64/mm.rst: 32 TiB, with five levels 12800 TiB; VMALLOC_END is inclusive. */
Test(vm_map, levels_of_page_tables)
{
	const struct mm_vm_params la57 = {.la57 = true};
	struct mm_vm_map four = map_of(MM_X86_64, GiB), five;

	mm_vm_map_init(mm_arch(MM_X86_64), &la57, GiB, &five);
	cr_expect_eq(four.vmalloc.end - four.vmalloc.start, 32 * KiB * GiB - 1);
	cr_expect_eq(five.vmalloc.end - five.vmalloc.start, 12800 * KiB * GiB - 1);
	cr_expect_eq(four.root_shift, 39);
	cr_expect_eq(five.root_shift, 48);
}

/* What is above the direct mapping is HighMem; all in all it is the same memory. */
Test(vm_map, high_memory_begins_earlier_with_vmalloc)
{
	struct machine m = {.arch = MM_I386, .memory = {{MiB, GiB - MiB, 0}}};
	struct mm *mm = boot(&m);
	struct mm_zone_info high = zone_info(mm, 0, 2), more;

	cr_expect_eq(high.start_pfn, 0x36ffe);
	cr_expect_eq(high.present, 0x40000 - 0x36ffe);
	mm_destroy(mm);
	m.vm.vmalloc_bytes = 256 * MiB;
	mm = boot(&m);
	more = zone_info(mm, 0, 2);
	cr_expect_eq(more.present, high.present + 136 * 256, "256 + 8 - 128 MiB more");
	mm_destroy(mm);
	m.vm = (struct mm_vm_params){.split = MM_VMSPLIT_2G};
	mm = boot(&m);
	cr_expect_eq(zone_info(mm, 0, 2).spanned, 0, "all of it is low memory");
	mm_destroy(mm);
}

Test(vm_map, what_cannot_be_is_refused)
{
	struct mm_refusal r;
	struct machine m = {.arch = MM_I386, .memory = {{MiB, GiB, 0}}};

	m.vm.vmalloc_bytes = 992 * MiB;
	cr_expect_eq(boot_refused(&m, &r), -EINVAL);
	cr_expect_str_eq(r.why,
			 "vmalloc of 992 MiB with the split 3G leaves i386 no direct mapping");
	m.arch = MM_X86_64;
	cr_expect_eq(boot_refused(&m, &r), -EINVAL);
	cr_expect_str_eq(r.why, "vmalloc and vmsplit: the kernel of x86_64 has no such parameter");
}
