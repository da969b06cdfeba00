/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a machine file says of the kernel: its parameters, and zones whose state is given rather
 * than found.
 */
#include "sim/machine/profile.h"
#include "sim/machine/read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void read_ratios(struct machine_reader *r, const struct cfg_setting *kernel,
			struct mm_params *params)
{
	const struct cfg_setting *s = cfg_find(r->cfg, kernel, "lowmem_reserve_ratio");
	const struct cfg_setting *ratios = cfg_list(r->cfg, s);
	unsigned nr = (unsigned)r->arch->nr_zones;

	if (!ratios)
		return;
	if (cfg_length(ratios) != nr) {
		cfg_error(r->cfg, ratios, "expected %u integers, one a zone of %s, found %u", nr,
			  r->arch->name, cfg_length(ratios));
		return;
	}
	for (unsigned i = 0; i < nr; i++)
		cfg_integer(r->cfg, cfg_element(ratios, i), 0, INT32_MAX,
			    &params->lowmem_reserve_ratio[r->arch->zones[i].type]);
}

/* The kernel takes 0 (go by the watermarks) or at least 8. */
static void read_high_fraction(struct machine_reader *r, const struct cfg_setting *kernel,
			       struct mm_params *params)
{
	const struct cfg_setting *s = cfg_find(r->cfg, kernel, "percpu_pagelist_high_fraction");
	uint64_t fraction;

	if (!cfg_integer(r->cfg, s, 0, INT32_MAX, &fraction))
		return;
	if (fraction && fraction < 8)
		cfg_error(r->cfg, s, "expected 0 or at least 8, found %" PRIu64, fraction);
	else
		params->percpu_pagelist_high_fraction = fraction;
}

static void read_memmap(struct machine_reader *r, const struct cfg_setting *list)
{
	static const char *const keys[] = {"base", "size", "source", NULL};
	unsigned nr = cfg_length(list);
	struct machine *m = r->m;

	if (nr > MACHINE_MAX_RANGES) {
		cfg_error(r->cfg, list, "expected at most %d ranges, found %u", MACHINE_MAX_RANGES,
			  nr);
		return;
	}
	m->memmap = machine_array(r, nr, sizeof(*m->memmap));
	m->mm.memmap = m->memmap;
	for (unsigned i = 0; i < nr && !cfg_status(r->cfg); i++) {
		const struct cfg_setting *group = cfg_group(r->cfg, cfg_element(list, i));

		cfg_keys(r->cfg, group, keys);
		machine_read_source(r, group);
		machine_read_range(r, group, &m->memmap[i].start, &m->memmap[i].bytes);
		m->memmap[i].nid = MM_NO_NODE;
		m->mm.nr_memmap = i + 1;
	}
}

/* A number of nodes, "512MiB" for their size, or "4U": so many of each of the machine's. */
static void read_fake(struct machine_reader *r, const struct cfg_setting *s,
		      struct mm_params *params)
{
	uint64_t most = UINT64_C(1) << r->arch->nodes_shift, each = 0;
	const char *text, *end;

	if (!cfg_is_string(s)) {
		cfg_integer(r->cfg, s, 1, most, &params->numa_fake);
		return;
	}
	if (!cfg_string(r->cfg, s, &text))
		return;
	for (end = text; *end >= '0' && *end <= '9'; end++)
		each = each > most ? each : 10 * each + (uint64_t)(*end - '0');
	if (end > text && !strcmp(end, "U")) {
		params->numa_fake_each = each;
		if (each < 1 || each > most)
			cfg_error(r->cfg, s,
				  "expected from 1 to %" PRIu64 " for each node, found '%s'", most,
				  text);
	} else if (cfg_size(r->cfg, s, &params->numa_fake_bytes) && !params->numa_fake_bytes) {
		cfg_error(r->cfg, s, "expected a size above 0, found 0");
	}
}

/* Sizes of what ZONE_MOVABLE leaves or gets; or "mirror"; or movable_node. */
static void read_movable(struct machine_reader *r, const struct cfg_setting *kernel,
			 struct mm_params *params)
{
	const struct cfg_setting *core = cfg_find(r->cfg, kernel, "kernelcore");
	const struct cfg_setting *node = cfg_find(r->cfg, kernel, "movable_node");
	const char *text = "";

	if (cfg_is_string(core))
		cfg_string(r->cfg, core, &text);
	params->kernelcore_mirror = !strcmp(text, "mirror");
	if (!params->kernelcore_mirror)
		cfg_size(r->cfg, core, &params->kernelcore_bytes);
	cfg_size(r->cfg, cfg_find(r->cfg, kernel, "movablecore"), &params->movablecore_bytes);
	cfg_bool(r->cfg, node, &params->movable_node);
	if (params->movable_node && (r->arch->id == MM_I386 || r->arch->id == MM_I386_NOPAE))
		cfg_error(r->cfg, node, "the kernel of %s has no such parameter", r->arch->name);
}

/* Parameters of the kernel's command line that change what memory and nodes it has. */
static void read_memory(struct machine_reader *r, const struct cfg_setting *kernel,
			struct mm_params *params)
{
	const struct cfg_setting *mem = cfg_find(r->cfg, kernel, "mem");
	const struct cfg_setting *memmap = cfg_find(r->cfg, kernel, "memmap");
	const struct cfg_setting *fake = cfg_find(r->cfg, kernel, "numa_fake");
	const struct cfg_setting *of_x86 = memmap ? memmap : fake;

	if (cfg_size(r->cfg, mem, &params->mem_bytes) && params->mem_bytes == 0)
		cfg_error(r->cfg, mem, "expected a size above 0, found 0");
	cfg_bool(r->cfg, cfg_find(r->cfg, kernel, "numa_off"), &params->numa_off);
	read_fake(r, fake, params);
	if (of_x86 && r->m->mm.arch == MM_ARM64)
		cfg_error(r->cfg, of_x86, "the kernel of %s has no such parameter", r->arch->name);
	if (fake && params->numa_off)
		cfg_error(r->cfg, fake, "there are no fake nodes where NUMA is off");
	read_memmap(r, cfg_list(r->cfg, memmap));
}

static int add_sysctl(struct machine *m, const char *text, unsigned line)
{
	struct machine_sysctl *grown =
		realloc(m->sysctls, (m->nr_sysctls + 1) * sizeof(*m->sysctls));

	if (!grown)
		return -ENOMEM;
	m->sysctls = grown;
	grown[m->nr_sysctls] = (struct machine_sysctl){strdup(text), line};
	return grown[m->nr_sysctls].text ? (m->nr_sysctls++, 0) : -ENOMEM;
}

int machine_add_sysctl(struct machine *m, const char *text)
{
	return add_sysctl(m, text, 0);
}

static int add_step(struct machine_hotplug **steps, size_t *nr, const char *text, unsigned line)
{
	struct machine_hotplug *grown = realloc(*steps, (*nr + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	*steps = grown;
	grown[*nr] = (struct machine_hotplug){strdup(text), line};
	return grown[*nr].text ? (++*nr, 0) : -ENOMEM;
}

int machine_add_hotplug(struct machine *m, const char *text, unsigned line)
{
	return add_step(&m->hotplug, &m->nr_hotplug, text, line);
}

int machine_plan_hotplug(struct machine *m, const char *text)
{
	return add_step(&m->planned, &m->nr_planned, text, 0);
}

/* What they say is checked where they are written, and taken. */
static void read_list(struct machine_reader *r, const struct cfg_setting *list,
		      int (*add)(struct machine *m, const char *text, unsigned line))
{
	for (unsigned i = 0; i < cfg_length(list) && !cfg_status(r->cfg); i++) {
		const struct cfg_setting *s = cfg_element(list, i);
		const char *text, *file;
		unsigned line;

		if (!cfg_string(r->cfg, s, &text))
			return;
		cfg_where(r->cfg, s, &file, &line);
		if (add(r->m, text, line))
			cfg_no_memory(r->cfg);
	}
}

/* Whole sections, a power of two of them. */
static void check_block(struct machine_reader *r, const struct cfg_setting *s)
{
	uint64_t bytes = r->m->mm.memory_block_bytes;

	if (s && (bytes < UINT64_C(1) << r->arch->section_bits || (bytes & (bytes - 1))))
		cfg_error(r->cfg, s,
			  "expected a power of two from %" PRIu64 " MiB, a section of %s, on",
			  (UINT64_C(1) << r->arch->section_bits) >> 20, r->arch->name);
}

/* It is loaded once it has been found; what is wrong in it is told with its own lines. */
static void read_profile(struct machine_reader *r, const struct cfg_setting *s)
{
	struct diag *diag = cfg_diag(r->cfg);
	struct machine *m = r->m;
	const char *name;
	char *path, *nearest;

	if (!cfg_string(r->cfg, s, &name))
		return;
	if (r->in_memory && strchr(name, '/')) {
		cfg_error(r->cfg, s, "a path is possible in files only");
		return;
	}
	m->profile = calloc(1, sizeof(*m->profile));
	path = kernel_profile_path(name, m->file);
	if (!m->profile) {
		cfg_no_memory(r->cfg);
	} else if (!path) {
		nearest = kernel_profile_nearest(name);
		cfg_error(r->cfg, s, "there is no kernel profile '%s'%s%s%s", name,
			  nearest ? ", did you mean '" : "", nearest ? nearest : "",
			  nearest ? "'?" : "");
		free(nearest);
	} else if (kernel_profile_load(path, diag, m->profile)) {
		cfg_error(r->cfg, s, "the kernel profile '%s' cannot be read", path);
	} else if (m->profile->arch != m->mm.arch) {
		cfg_error(r->cfg, s, "the kernel profile '%s' is for %s, the machine is %s", name,
			  mm_arch(m->profile->arch)->name, r->arch->name);
	} else {
		m->mm.profile = &m->profile->mm;
	}
	free(path);
}

/* The profile has the rule for where it goes. */
static void read_crash_kernel(struct machine_reader *r, const struct cfg_setting *kernel)
{
	const struct cfg_setting *s = cfg_find(r->cfg, kernel, "crashkernel");

	if (cfg_size(r->cfg, s, &r->m->mm.crashkernel_bytes) && !r->m->mm.profile)
		cfg_error(r->cfg, s,
			  "needs a 'profile', which says where it goes; or list it in "
			  "'reserved'");
}

void machine_read_kernel(struct machine_reader *r, const struct cfg_setting *root)
{
	static const char *const keys[] = {
		"min_free_kbytes",
		"watermark_scale_factor",
		"lowmem_reserve_ratio",
		"kernelcore",
		"movablecore",
		"movable_node",
		"percpu_pagelist_high_fraction",
		"mem",
		"memmap",
		"numa_off",
		"numa_fake",
		"transparent_hugepage",
		"transparent_hugepage_defrag",
		"khugepaged",
		"default_hugepagesz",
		"hugepages",
		"fault_around_bytes",
		"tmpfs_size",
		"read_ahead_kb",
		"cma",
		"swap",
		"swap_disk",
		"file_disk",
		"profile",
		"crashkernel",
		"hotplug_end",
		"slub_debug",
		"slab_nomerge",
		"slub_min_order",
		"slub_max_order",
		"slub_min_objects",
		"xsave",
		"page_owner",
		"page_table_check",
		"vmalloc",
		"vmsplit",
		"la57",
		"sysctl",
		"hotplug",
		"memory_block",
		"source",
		NULL,
	};
	const struct cfg_setting *kernel = cfg_group(r->cfg, cfg_find(r->cfg, root, "kernel"));
	struct mm_params *params = &r->m->mm.params;

	*params = mm_params_default();
	cfg_keys(r->cfg, kernel, keys);
	machine_read_source(r, kernel);
	cfg_integer(r->cfg, cfg_find(r->cfg, kernel, "min_free_kbytes"), 0, INT32_MAX,
		    &params->min_free_kbytes);
	cfg_size(r->cfg, cfg_find(r->cfg, kernel, "swap"), &params->swap_bytes);
	cfg_size(r->cfg, cfg_find(r->cfg, kernel, "cma"), &params->cma_bytes);
	cfg_integer(r->cfg, cfg_find(r->cfg, kernel, "watermark_scale_factor"), 1, 3000,
		    &params->watermark_scale_factor);
	read_ratios(r, kernel, params);
	read_high_fraction(r, kernel, params);
	read_movable(r, kernel, params);
	machine_read_huge(r, kernel);
	machine_read_files(r, kernel);
	machine_read_slab(r, kernel);
	cfg_bool(r->cfg, cfg_find(r->cfg, kernel, "page_owner"), &params->page_owner);
	cfg_bool(r->cfg, cfg_find(r->cfg, kernel, "page_table_check"), &params->page_table_check);
	machine_read_address_space(r, kernel);
	read_memory(r, kernel, params);
	read_profile(r, cfg_find(r->cfg, kernel, "profile"));
	read_crash_kernel(r, kernel);
	cfg_address(r->cfg, cfg_find(r->cfg, kernel, "hotplug_end"), &r->m->mm.possible_end);
	cfg_size(r->cfg, cfg_find(r->cfg, kernel, "memory_block"), &r->m->mm.memory_block_bytes);
	check_block(r, cfg_find(r->cfg, kernel, "memory_block"));
	read_list(r, cfg_list(r->cfg, cfg_find(r->cfg, kernel, "sysctl")), add_sysctl);
	read_list(r, cfg_list(r->cfg, cfg_find(r->cfg, kernel, "hotplug")), machine_add_hotplug);
}

static uint64_t pages_of_node(const struct machine_reader *r, int nid)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < r->m->mm.nr_memory; i++)
		if (r->m->memory[i].nid == nid)
			bytes += r->m->memory[i].bytes;
	return bytes >> r->arch->page_shift;
}

static void read_pages(struct machine_reader *r, const struct cfg_setting *group,
		       struct mm_zone_preset *zone)
{
	uint64_t most = pages_of_node(r, zone->nid);

	zone->has_managed =
		cfg_integer(r->cfg, cfg_find(r->cfg, group, "managed"), 0, most, &zone->managed);
	if (zone->has_managed)
		most = zone->managed;
	zone->has_free = cfg_integer(r->cfg, cfg_find(r->cfg, group, "free"), 0, most, &zone->free);
	if (!zone->has_managed && !zone->has_free)
		cfg_error(r->cfg, group, "'managed' and 'free' are missing: at least one of them");
}

static void read_zone(struct machine_reader *r, const struct cfg_setting *s,
		      struct mm_zone_preset *zone)
{
	static const char *const keys[] = {"node", "zone", "managed", "free", "source", NULL};
	const struct cfg_setting *group = cfg_group(r->cfg, s);
	const char *names[MM_MAX_ZONES + 1] = {NULL};
	unsigned index;

	for (int i = 0; i < r->arch->nr_zones; i++)
		names[i] = r->arch->zones[i].name;
	cfg_keys(r->cfg, group, keys);
	machine_read_source(r, group);
	if (!machine_read_nid(r, cfg_need(r->cfg, group, "node"), &zone->nid) ||
	    !cfg_choice(r->cfg, cfg_need(r->cfg, group, "zone"), "zone", names, &index))
		return;
	zone->zone = (int)index;
	for (const struct mm_zone_preset *other = r->m->presets; other < zone; other++)
		if (other->nid == zone->nid && other->zone == zone->zone)
			cfg_error(r->cfg, group, "zone %s of node %d is given twice", names[index],
				  zone->nid);
	read_pages(r, group, zone);
}

void machine_read_zones(struct machine_reader *r, const struct cfg_setting *root)
{
	const struct cfg_setting *list = cfg_list(r->cfg, cfg_find(r->cfg, root, "zones"));
	unsigned nr = cfg_length(list);
	struct machine *m = r->m;

	if (nr > MACHINE_MAX_RANGES) {
		cfg_error(r->cfg, list, "expected at most %d zones, found %u", MACHINE_MAX_RANGES,
			  nr);
		return;
	}
	m->presets = machine_array(r, nr, sizeof(*m->presets));
	if (!m->presets)
		return;
	m->mm.presets = m->presets;
	for (unsigned i = 0; i < nr && !cfg_status(r->cfg); i++) {
		read_zone(r, cfg_element(list, i), &m->presets[i]);
		m->mm.nr_presets = i + 1;
	}
}
