/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Machine files: the top level, what their parts share, and the machine's life.
 *
 * The grammar is in docs/machine-files.md. Nothing here knows SimGrid or the mm core's insides.
 */
#include "sim/machine/read.h"

#include "sim/machine/interconnect.h"
#include "sim/machine/profile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *machine_array(struct machine_reader *r, size_t nr, size_t size)
{
	void *array = calloc(nr ? nr : 1, size);

	if (!array)
		cfg_no_memory(r->cfg);
	return array;
}

struct range_text machine_range_text(const struct mm_range *range)
{
	struct range_text t;

	snprintf(t.text, sizeof(t.text), "[%#" PRIx64 "-%#" PRIx64 "]", range->start,
		 range->start + range->bytes - 1);
	return t;
}

bool machine_read_nid(struct machine_reader *r, const struct cfg_setting *s, int *out)
{
	uint64_t nid;

	if (!cfg_integer(r->cfg, s, 0, INT32_MAX, &nid))
		return false;
	if (nid >= (uint64_t)r->m->mm.nr_nodes) {
		cfg_error(r->cfg, s, "there is no node %" PRIu64 ": the machine has nodes 0 to %d",
			  nid, r->m->mm.nr_nodes - 1);
		return false;
	}
	*out = (int)nid;
	return true;
}

bool machine_read_latency(struct machine_reader *r, const struct cfg_setting *s, uint64_t *out)
{
	uint64_t ps;

	if (!cfg_time(r->cfg, s, &ps))
		return false;
	if (ps == 0 || ps > INTERCONNECT_MAX_PS) {
		cfg_error(r->cfg, s, "expected a latency above 0 and up to 1s, found %s",
			  ps ? "more" : "0");
		return false;
	}
	*out = ps;
	return true;
}

bool machine_read_rate(struct machine_reader *r, const struct cfg_setting *s, uint64_t *out)
{
	uint64_t rate;

	if (!cfg_rate(r->cfg, s, &rate))
		return false;
	if (rate == 0) {
		cfg_error(r->cfg, s, "expected a bandwidth above 0, found 0");
		return false;
	}
	*out = rate;
	return true;
}

bool machine_read_range(struct machine_reader *r, const struct cfg_setting *group,
			phys_addr_t *start, uint64_t *bytes)
{
	uint64_t end, limit = UINT64_C(1) << r->arch->max_phys_bits;

	if (!cfg_address(r->cfg, cfg_need(r->cfg, group, "base"), start) ||
	    !cfg_size(r->cfg, cfg_need(r->cfg, group, "size"), bytes))
		return false;
	if (*bytes == 0) {
		cfg_error(r->cfg, cfg_find(r->cfg, group, "size"), "the range is empty");
		return false;
	}
	if (__builtin_add_overflow(*start, *bytes, &end) || end > limit) {
		cfg_error(r->cfg, group,
			  "the range ends beyond the %u bits of %s's physical addresses",
			  r->arch->max_phys_bits, r->arch->name);
		return false;
	}
	return true;
}

void machine_read_source(struct machine_reader *r, const struct cfg_setting *group)
{
	const char *source;

	cfg_string(r->cfg, cfg_find(r->cfg, group, "source"), &source);
}

static char *copy(struct machine_reader *r, const char *text)
{
	char *copied = strdup(text);

	if (!copied)
		cfg_no_memory(r->cfg);
	return copied;
}

/* The file's name without its directory and ".cfg". */
static char *name_of_file(struct machine_reader *r)
{
	const char *slash = strrchr(r->m->file, '/');
	char *name = copy(r, slash ? slash + 1 : r->m->file);
	char *dot = name ? strrchr(name, '.') : NULL;

	if (dot && dot != name && strcmp(dot, ".cfg") == 0)
		*dot = '\0';
	return name;
}

static void read_texts(struct machine_reader *r, const struct cfg_setting *root)
{
	const char *description = "", *source, *name;

	cfg_string(r->cfg, cfg_find(r->cfg, root, "description"), &description);
	r->m->description = copy(r, description);
	if (cfg_string(r->cfg, cfg_find(r->cfg, root, "name"), &name))
		r->m->name = copy(r, name);
	else
		r->m->name = name_of_file(r);
	if (!cfg_string(r->cfg, cfg_need(r->cfg, root, "source"), &source))
		return;
	if (!*source)
		cfg_error(r->cfg, cfg_find(r->cfg, root, "source"),
			  "expected where the hardware numbers come from, found nothing");
	r->m->source = copy(r, source);
}

static void read_architecture(struct machine_reader *r, const struct cfg_setting *root)
{
	const char *names[MM_NR_ARCHS + 1] = {NULL};
	unsigned id = MM_X86_64;

	for (int i = 0; i < MM_NR_ARCHS; i++)
		names[i] = mm_arch((enum mm_arch_id)i)->name;
	cfg_choice(r->cfg, cfg_need(r->cfg, root, "architecture"), "architecture", names, &id);
	r->m->mm.arch = (enum mm_arch_id)id;
	r->arch = mm_arch(r->m->mm.arch);
}

static void read_model(struct machine_reader *r, const struct cfg_setting *root)
{
	const struct cfg_setting *s = cfg_need(r->cfg, root, "memory_model");
	const char *names[MM_NR_MODELS + 1] = {NULL};
	unsigned model = MM_FLAT;
	const char *file;

	for (int i = 0; i < MM_NR_MODELS; i++)
		names[i] = mm_model_name((enum mm_memory_model)i);
	cfg_choice(r->cfg, s, "memory model", names, &model);
	r->m->mm.model = (enum mm_memory_model)model;
	if (!s)
		return;
	cfg_where(r->cfg, s, &file, &r->m->model_line);
	r->m->model_file = strdup(file);
	if (!r->m->model_file)
		cfg_no_memory(r->cfg);
}

static void (*const parts[])(struct machine_reader *r, const struct cfg_setting *root) = {
	read_texts,
	read_architecture,
	read_model,
	machine_read_nodes,
	machine_read_distances,
	machine_read_interconnect,
	machine_check_distances,
	machine_read_caches,
	machine_check_channels,
	machine_read_transfers,
	machine_read_tlb,
	machine_read_interleave,
	machine_read_kernel,
	machine_read_disks,
	machine_read_reserved,
	machine_read_late,
	machine_read_zones,
};

static int read_machine(struct cfg *cfg, const char *file, bool in_memory, struct machine **out)
{
	static const char *const keys[] = {
		"name",       "description", "source",         "architecture", "memory_model",
		"nodes",      "distances",   "bank",           "interconnect", "caches",
		"cache_line", "kernel",      "reservations",   "reserved",     "released_late",
		"zones",      "disks",       "line_transfers", "tlb",          "interleave",
		NULL,
	};
	struct machine_reader r = {
		.cfg = cfg, .m = calloc(1, sizeof(*r.m)), .in_memory = in_memory};

	if (!r.m) {
		cfg_no_memory(cfg);
		return cfg_status(cfg);
	}
	r.m->file = copy(&r, file);
	cfg_keys(cfg, cfg_root(cfg), keys);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts) && !cfg_status(cfg); i++)
		parts[i](&r, cfg_root(cfg));
	free(r.node_at);
	if (cfg_status(cfg))
		machine_free(r.m);
	else
		*out = r.m;
	return cfg_status(cfg);
}

int machine_load(const char *path, const struct machine_override *sets, size_t nr_sets,
		 struct diag *diag, struct machine **out)
{
	struct cfg *cfg;
	int err = cfg_load(path, diag, &cfg);

	*out = NULL;
	if (err)
		return err;
	for (size_t i = 0; i < nr_sets && !err; i++)
		err = cfg_set(cfg, sets[i].path, sets[i].value);
	if (!err)
		err = read_machine(cfg, path, false, out);
	cfg_free(cfg);
	return err;
}

int machine_parse(const char *text, size_t len, const char *name, struct diag *diag,
		  struct machine **out)
{
	struct cfg *cfg;
	int err = cfg_parse(text, len, name, diag, &cfg);

	*out = NULL;
	if (err)
		return err;
	err = read_machine(cfg, name, true, out);
	cfg_free(cfg);
	return err;
}

void machine_free(struct machine *m)
{
	if (!m)
		return;
	interconnect_clear(m);
	for (int i = 0; i < m->nr_caches; i++)
		free(m->caches[i].name);
	free(m->caches);
	for (int i = 0; i < m->nr_disks; i++)
		free(m->disks[i].name);
	free(m->disks);
	for (int nid = 0; m->banks && nid < machine_nr_places(m); nid++)
		free(m->banks[nid].load.points);
	for (int nid = 0; m->ways && nid < m->mm.nr_nodes; nid++)
		free(m->ways[nid].places);
	free(m->ways);
	free(m->place_nid);
	free(m->banks);
	free(m->cpus);
	free(m->cpu_nid);
	free(m->distance);
	free(m->shares_cpus_with);
	free(m->interleave_weight);
	free(m->memory);
	for (size_t i = 0; i < m->mm.nr_reserved; i++)
		free(m->reserved_what[i]);
	free(m->reserved_what);
	free(m->reserved);
	free(m->hotpluggable);
	free(m->mirrored);
	free(m->memmap);
	for (size_t i = 0; i < m->mm.nr_hugepages; i++)
		free((void *)m->hugepages[i].of);
	free(m->hugepages);
	free(m->late);
	for (size_t i = 0; i < m->nr_sysctls; i++)
		free(m->sysctls[i].text);
	free(m->sysctls);
	for (size_t i = 0; i < m->nr_hotplug; i++)
		free(m->hotplug[i].text);
	free(m->hotplug);
	for (size_t i = 0; i < m->nr_planned; i++)
		free(m->planned[i].text);
	free(m->planned);
	free(m->presets);
	free(m->model_file);
	if (m->profile)
		kernel_profile_clear(m->profile);
	free(m->profile);
	free(m->source);
	free(m->description);
	free(m->name);
	free(m->file);
	free(m);
}

int machine_node_of(const struct machine *m, phys_addr_t at)
{
	size_t low = 0, high = m->mm.nr_memory;

	/* Ranges are in the order of their addresses. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct mm_range *range = &m->memory[middle];

		if (at < range->start)
			high = middle;
		else if (at - range->start >= range->bytes)
			low = middle + 1;
		else
			return range->nid;
	}
	return MM_NO_NODE;
}

void machine_forget_free(struct machine *m)
{
	for (size_t i = 0; i < m->mm.nr_presets; i++)
		m->presets[i].has_free = false;
}
