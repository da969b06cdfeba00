/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a machine file says of the kernel's address space: how it is split with the user's, and what
 * vmalloc() gets of it.
 */
#include "sim/machine/read.h"

static bool is_i386(const struct machine_reader *r)
{
	return r->arch->id == MM_I386 || r->arch->id == MM_I386_NOPAE;
}

static void refuse(struct machine_reader *r, const struct cfg_setting *s)
{
	cfg_error(r->cfg, s, "the kernel of %s has no such parameter", r->arch->name);
}

void machine_read_address_space(struct machine_reader *r, const struct cfg_setting *kernel)
{
	const struct cfg_setting *size = cfg_find(r->cfg, kernel, "vmalloc");
	const struct cfg_setting *split = cfg_find(r->cfg, kernel, "vmsplit");
	const struct cfg_setting *la57 = cfg_find(r->cfg, kernel, "la57");
	struct mm_vm_params *vm = &r->m->mm.params.vm;
	const char *names[MM_NR_VMSPLITS + 1] = {NULL};
	unsigned index = MM_VMSPLIT_3G;

	for (unsigned i = 0; i < MM_NR_VMSPLITS; i++)
		names[i] = mm_vmsplit_name(i);
	if (size && !is_i386(r))
		refuse(r, size);
	else if (cfg_size(r->cfg, size, &vm->vmalloc_bytes) && !vm->vmalloc_bytes)
		cfg_error(r->cfg, size, "expected a size above 0, found 0");
	if (split && !is_i386(r))
		refuse(r, split);
	else if (cfg_choice(r->cfg, split, "split", names, &index))
		vm->split = (enum mm_vmsplit)index;
	if (la57 && r->arch->id != MM_X86_64)
		refuse(r, la57);
	cfg_bool(r->cfg, la57, &vm->la57);
	if (cfg_status(r->cfg) || mm_vm_direct_bytes(r->arch, vm))
		return;
	if (mm_vm_direct_bytes(r->arch, &(struct mm_vm_params){.split = vm->split}))
		cfg_error(
			r->cfg, size,
			"leaves less than 16 MiB of the kernel's addresses to the direct mapping");
	else
		cfg_error(r->cfg, split, "with PAE the split is a whole GiB: 3G, 2G or 1G");
}
